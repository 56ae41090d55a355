// The parameter of our Via that leads the response to a request without a transaction back: to the
// flow by which the request came, and for its own next Via only. Implements: RFC 3261 §16.11,
// §18.2.2; RFC 3581 §4
#pragma once

#include <array>
#include <optional>
#include <span>
#include <string_view>

#include "base/time.h"
#include "crypto/token.h"
#include "sip/header_values.h"
#include "transport/flow.h"
#include "transport/listener.h"

namespace signalbox::proxy {

/// A parameter of its own (via-extension, RFC 3261 §25.1) and no part of the branch: a CANCEL that
/// comes by another connection or port than its INVITE must have the same branch.
inline constexpr std::string_view kViaFlowParam = "flow";

struct ViaFlowText {
    std::array<char, crypto::kTokenTextMax> text;
    size_t size = 0;
    std::string_view view() const { return {text.data(), size}; }
};

/// The value of the parameter for a request whose top Via is `next` and whose responses go by
/// `way`: at most 58 characters for IPv4 and datagrams, 109 for IPv6 and streams.
ViaFlowText seal_via_flow(const sip::Via& next, const transport::Flow& way, uint16_t node,
                          const crypto::TokenKeys& keys);

/// The way back of a response with our Via `own` and behind it `next`. Nothing: `own` has no such
/// parameter of ours, it was made for another sent-by or branch than those of `next`, or its
/// listener is gone. What else stands in `next`, be it received, rport or maddr, changes nothing. A
/// stream may have closed since.
std::optional<transport::Flow> open_via_flow(const sip::Via& own, const sip::Via& next,
                                             const crypto::TokenKeys& keys, WallTime now,
                                             std::span<const transport::Listener> listeners);

}  // namespace signalbox::proxy
