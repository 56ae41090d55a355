// What the client and the server transactions of one layer share.
#pragma once

#include <vector>

#include "base/block_pool.h"
#include "base/counters.h"
#include "base/random.h"
#include "base/timer_wheel.h"
#include "transaction/branch.h"
#include "transaction/machine_coverage.h"
#include "transaction/transaction_values.h"

namespace signalbox::transaction {

/// First in, first out; allocates only while it grows.
class TransactionEvents final {
 public:
    void push(const TransactionEvent& event) { events_.push_back(event); }
    bool pop(TransactionEvent& event) {
        if (taken_ == events_.size()) return false;
        event = events_[taken_++];
        if (taken_ == events_.size()) {
            events_.clear();
            taken_ = 0;
        }
        return true;
    }

 private:
    std::vector<TransactionEvent> events_;
    size_t taken_ = 0;
};

/// Owned by the layer; the references are the core's.
struct LayerResources {
    TimerWheel& wheel;
    BlockPool& pool;
    Random& random;
    const crypto::TokenKeys& keys;
    Counters& counters;
    MachineCoverage* coverage;
    uint16_t node;
    uint8_t shard;
    uint32_t transactions_max;
    TransactionEvents events{};
    size_t bytes_kept = 0;

    /// Replaces what a transaction keeps.
    void keep(PooledBytes& kept, std::string_view bytes) {
        bytes_kept += bytes.size();
        bytes_kept -= kept.view().size();
        kept = PooledBytes(pool, bytes);
    }
    void release(PooledBytes& kept) {
        bytes_kept -= kept.view().size();
        kept.clear();
    }
    void report(Machine machine, uint8_t state, uint8_t event) const {
        if (coverage != nullptr) coverage->reached(machine, state, event);
    }
};

/// How a Transmit names its transaction: the side in the top four bits, then 28 bits of index and
/// the generation.
namespace transmit_owner {

inline constexpr uint64_t kClient = 1;
inline constexpr uint64_t kServer = 2;
inline constexpr uint32_t kIndexBits = 28;

template <class T>
uint64_t pack(uint64_t side, Handle<T> handle) {
    return side << 60 | uint64_t{handle.index} << 32 | handle.generation;
}
inline uint64_t side(uint64_t owner) {
    return owner >> 60;
}
template <class T>
Handle<T> unpack(uint64_t owner) {
    constexpr uint32_t kIndexMask = (1u << kIndexBits) - 1;
    return {static_cast<uint32_t>(owner >> 32) & kIndexMask, static_cast<uint32_t>(owner)};
}

}  // namespace transmit_owner

}  // namespace signalbox::transaction
