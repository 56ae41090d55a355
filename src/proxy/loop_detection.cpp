// Tells a loop from a spiral. Implements: RFC 3261 §16.3 step 4; RFC 5393 §4.2
#include "proxy/loop_detection.h"

#include "base/random.h"
#include "transaction/branch.h"

namespace signalbox::proxy {

uint64_t loop_hash(const IncomingRequest& request, const Routing& routing,
                   const RelayDecision& relay, std::array<uint64_t, 2> key) {
    const auto mix = [&key](std::string_view part) { key[0] ^= siphash(key, part) + part.size(); };
    if (relay.target_tenant == ports::kNoTenant) {
        mix(routing.target_uri);
    } else {
        key[1] ^= uint64_t{relay.target_tenant} << 32;
        mix(relay.target_aor);
        key[1] ^= relay.target_instance ^ (relay.target_registration << 1);
    }
    mix(request.call_id);
    mix(request.from.tag);
    mix(routing.next_route);
    key[1] ^= request.cseq.number;
    return siphash(key, "loop");
}

bool is_loop(const IncomingRequest& request, uint64_t hash, const crypto::TokenKeys& keys,
             WallTime now) {
    const sip::MessageView& message = request.message;
    for (const sip::HeaderField* field = message.first(sip::HeaderId::Via); field != nullptr;
         field = message.next(field)) {
        std::string_view rest = message.value(*field);
        while (!rest.empty()) {
            const auto via = sip::parse_via(rest, &rest);
            if (!via) break;
            const auto branch = transaction::read_branch(via->branch, keys, now);
            if (branch && branch->loop_hash == hash) return true;
        }
    }
    return false;
}

}  // namespace signalbox::proxy
