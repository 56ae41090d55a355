// Where the phones behind NATs are now that were in a dialog over another flow.
// Implements: RFC 5626 §5.3
#pragma once

#include <array>
#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "base/counters.h"
#include "base/random.h"
#include "proxy/shard_message.h"
#include "transport/flow.h"

namespace signalbox::proxy {

/// How many moves a shard remembers (about 150 octets each); the oldest gives way.
inline constexpr size_t kMovedFlowsMax = 65'536;
/// How many moves of one phone are followed, one behind the other.
inline constexpr size_t kMovesFollowedMax = 64;

/// A dialog's token names the flow of its beginning. When a NAT has given its phone another port,
/// or the phone another connection, the next registration tells, and the token is read with what is
/// remembered here. Only for the address of record that registered over both flows: nobody else can
/// draw a dialog to himself by a registration with a forged source.
/// Single-threaded; one per shard, each told of every move; owned by the core. A restart forgets;
/// the binding, which is restored with its flow, tells again at the next registration.
class MovedFlows final {
 public:
    /// `counters` must outlive it.
    MovedFlows(Random& random, Counters& counters);

    /// Remembers a move, or that a phone of that user is at a flow again that one of them had left.
    void note(const FlowMoved& move);
    /// Where the phone of that user is that was at `from`. Nothing: no move is known, the usual
    /// case. Cost: nothing while no phone ever moved, else a look-up.
    std::optional<transport::Flow> find(ports::TenantId tenant, std::string_view aor,
                                        const transport::Flow& from) const;
    bool is_empty() const { return moves_.empty(); }

 private:
    struct Move {
        transport::Flow from, to;
    };
    uint64_t key(ports::TenantId tenant, std::string_view aor, const transport::Flow& flow) const;

    std::array<uint64_t, 2> hash_key_;
    Counters& counters_;
    boost::unordered_flat_map<uint64_t, Move> moves_;
    std::vector<uint64_t> order_;  // keys by age, a ring once it is full
    size_t oldest_ = 0;
};

}  // namespace signalbox::proxy
