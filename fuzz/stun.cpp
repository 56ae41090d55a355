// Fuzz target: a datagram that may be STUN is answered within bounds, or not at all.
#include <string_view>

#include "fuzz/input.h"
#include "stun/binding.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    using namespace signalbox;
    const std::string_view datagram(reinterpret_cast<const char*>(data), size);
    for (const Endpoint& source : {Endpoint{IpAddress::v4(192, 0, 2, 1), 5060},
                                   Endpoint{*IpAddress::parse("2001:db8::1"), 65535}}) {
        const auto answer = stun::answer_binding_request(datagram, source);
        if (!answer) continue;
        CHECK(stun::is_stun(datagram));
        CHECK(stun::is_stun(answer->view()));
        CHECK(answer->view().substr(4, 16) == datagram.substr(4, 16));
        CHECK(!stun::answer_binding_request(answer->view(), source));
    }
    return 0;
}
