// A number that a request has in common with all that must take the same way without state.
// Implements: RFC 3261 §16.11
#include "proxy/stable_hash.h"

#include "base/random.h"

namespace signalbox::proxy {

using sip::HeaderId;

uint64_t stable_hash(const IncomingRequest& request, std::array<uint64_t, 2> key) {
    const auto mix = [&key](std::string_view part) { key[0] ^= siphash(key, part) + part.size(); };
    mix(request.via.host);
    key[1] ^= request.via.port_or_default();
    if (request.via.has_magic_cookie()) {
        mix(request.via.branch);
    } else {
        mix(request.message.request_uri());
        mix(request.from.tag);
        mix(request.call_id);
        key[1] ^= uint64_t{request.cseq.number} << 16;
        mix(request.message.value(HeaderId::Via));
    }
    return siphash(key, "stateless");
}

}  // namespace signalbox::proxy
