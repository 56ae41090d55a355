// Tells a loop from a spiral. Implements: RFC 3261 §16.3 step 4; RFC 5393 §4.2
#include "proxy/loop_detection.h"

#include "base/sip_hasher.h"
#include "transaction/branch.h"

namespace signalbox::proxy {

uint64_t loop_hash(const IncomingRequest& request, const Routing& routing,
                   const RelayDecision& relay, std::array<uint64_t, 2> key) {
    SipHasher hasher(key);
    hasher.add(uint64_t{relay.target_tenant});
    if (relay.target_tenant == ports::kNoTenant) {
        hasher.add(routing.target_uri);
    } else {
        hasher.add(relay.target_aor).add(relay.target_instance).add(relay.target_registration);
    }
    hasher.add(request.call_id).add(request.from.tag).add(routing.next_route);
    return hasher.add(uint64_t{request.cseq.number}).finish();
}

bool is_loop(const IncomingRequest& request, uint64_t hash, const crypto::TokenKeys& keys,
             WallTime now) {
    const auto passed_us = [&](const sip::Via& via) {
        const auto branch = transaction::read_branch(via.branch, keys, now);
        return branch && branch->loop_hash == hash;
    };
    if (passed_us(request.via)) return true;
    const sip::MessageView& message = request.message;
    const sip::HeaderField* field = message.first(sip::HeaderId::Via);
    std::string_view rest = request.more_vias;
    while (true) {
        while (!rest.empty()) {
            const auto via = sip::parse_via(rest, &rest);
            if (!via) break;
            if (passed_us(*via)) return true;
        }
        field = message.next(field);
        if (field == nullptr) return false;
        rest = message.value(*field);
    }
}

}  // namespace signalbox::proxy
