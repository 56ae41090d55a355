// A number that a request has in common with all that must take the same way without state.
// Implements: RFC 3261 §16.11
#include "proxy/stable_hash.h"

#include "base/sip_hasher.h"

namespace signalbox::proxy {

using sip::HeaderId;

uint64_t stable_hash(const IncomingRequest& request, std::array<uint64_t, 2> key) {
    SipHasher hasher(key);
    hasher.add(request.via.host).add(uint64_t{request.via.port_or_default()});
    if (request.via.has_magic_cookie()) {
        hasher.add(request.via.branch);
    } else {
        hasher.add(request.message.request_uri()).add(request.from.tag).add(request.call_id);
        hasher.add(uint64_t{request.cseq.number}).add(request.message.value(HeaderId::Via));
    }
    return hasher.finish();
}

}  // namespace signalbox::proxy
