// Where the phones behind NATs are now that were in a dialog over another flow.
#include "proxy/moved_flows.h"

#include <cstring>

namespace signalbox::proxy {

MovedFlows::MovedFlows(Random& random, Counters& counters)
    : hash_key_{random.next(), random.next()}, counters_(counters) {}

uint64_t MovedFlows::key(ports::TenantId tenant, std::string_view aor,
                         const transport::Flow& flow) const {
    const IpAddress& address = flow.remote.address;
    const bool is_stream = transport::is_reliable(flow.transport);
    std::array<char, 40> bytes{};
    char* out = bytes.data();
    const auto put = [&out](const auto& value) {
        std::memcpy(out, &value, sizeof value);
        out += sizeof value;
    };
    put(flow.transport);
    put(address.family);
    put(address.octets);
    put(flow.remote.port);
    put(tenant);
    put(is_stream ? flow.connection : 0);
    put(is_stream ? flow.generation : 0);
    put(is_stream ? flow.shard : uint8_t{0});
    const std::string_view text(bytes.data(), static_cast<size_t>(out - bytes.data()));
    return siphash({hash_key_[0] ^ siphash(hash_key_, aor), hash_key_[1]}, text);
}

void MovedFlows::note(const FlowMoved& move) {
    // Who is at a flow again is not looked for elsewhere.
    moves_.erase(key(move.tenant, move.aor, move.to));
    if (transport::is_same_flow(move.from, move.to)) return;
    const uint64_t place = key(move.tenant, move.aor, move.from);
    const bool is_new = moves_.insert_or_assign(place, Move{move.from, move.to}).second;
    counters_.add(Counter::phone_flows_moved_total);
    if (!is_new) return;
    if (order_.size() < kMovedFlowsMax) {
        order_.push_back(place);
        return;
    }
    if (moves_.erase(order_[oldest_]) != 0) counters_.add(Counter::phone_moves_forgotten_total);
    order_[oldest_] = place;
    oldest_ = (oldest_ + 1) % kMovedFlowsMax;
}

std::optional<transport::Flow> MovedFlows::find(ports::TenantId tenant, std::string_view aor,
                                                const transport::Flow& from) const {
    if (moves_.empty()) return std::nullopt;
    const transport::Flow* flow = &from;
    for (size_t followed = 0; followed < kMovesFollowedMax; ++followed) {
        const auto found = moves_.find(key(tenant, aor, *flow));
        if (found == moves_.end() || !transport::is_same_flow(found->second.from, *flow)) break;
        flow = &found->second.to;
    }
    if (flow == &from) return std::nullopt;
    return *flow;
}

}  // namespace signalbox::proxy
