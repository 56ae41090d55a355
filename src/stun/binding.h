// STUN Binding requests as keep-alives: recognised beside SIP on one socket, and answered.
// Implements: RFC 5389 §6, §7.3, §15.2, §15.9; RFC 5626 §3.5.2
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string_view>

#include "base/ip_endpoint.h"

namespace signalbox::stun {

/// True when `datagram` begins with a STUN header: no SIP message does (RFC 5389 §6).
bool is_stun(std::string_view datagram);

/// A response on the stack.
struct Answer {
    std::array<char, 64> octets;
    size_t size = 0;
    std::string_view view() const { return {octets.data(), size}; }
};

/// The answer to a Binding request that came from `source`: where it came from, as
/// XOR-MAPPED-ADDRESS; 420 with the attributes that it demands and we do not know (RFC 5389
/// §7.3.1). Nothing for indications, responses, other methods and what is malformed: it is dropped.
std::optional<Answer> answer_binding_request(std::string_view datagram, const Endpoint& source);

}  // namespace signalbox::stun
