// What one turn of the core wants sent, in order, in one buffer that is used again each turn.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "base/time.h"
#include "transport/flow.h"

namespace signalbox::transport {

/// One message to send. `owner` comes back in a TransmitFailed when a stream could not take it, or
/// when a datagram can never reach its destination (no route; not: no room just now); 0: nobody
/// asks.
struct Transmit {
    Flow flow;
    size_t begin = 0;
    size_t size = 0;
    uint64_t owner = 0;
    /// A stream that is not open yet may take so long to open, if that is shorter than the driver's
    /// own limit; 0: the driver's limit. Then the message fails.
    Duration connect_max{};
};

/// Single-threaded. Bytes are valid until clear().
class Transmits final {
 public:
    /// Room for a message of at most `size` octets at the buffer's end; fill it, then commit().
    /// Nothing else may be added between.
    char* reserve(size_t size) {
        if (bytes_.size() < used_ + size) bytes_.resize((used_ + size) * 2);
        return bytes_.data() + used_;
    }
    void commit(const Flow& flow, size_t size, uint64_t owner = 0) {
        DCHECK(used_ + size <= bytes_.size());
        Transmit& transmit = list_.emplace_back();
        transmit.flow = flow;
        transmit.begin = used_;
        transmit.size = size;
        transmit.owner = owner;
        used_ += size;
    }
    void add(const Flow& flow, std::string_view message, uint64_t owner = 0) {
        char* out = reserve(message.size());
        message.copy(out, message.size());
        commit(flow, message.size(), owner);
    }
    /// Sets connect_max of the message added last.
    void limit_connect(Duration connect_max) { list_.back().connect_max = connect_max; }
    std::span<const Transmit> list() const { return list_; }
    std::string_view bytes(const Transmit& transmit) const {
        return {bytes_.data() + transmit.begin, transmit.size};
    }
    void clear() {
        list_.clear();
        used_ = 0;
    }

 private:
    std::vector<char> bytes_;
    std::vector<Transmit> list_;
    size_t used_ = 0;
};

}  // namespace signalbox::transport
