// What a request asks of the server, by what its refusal would mean to people.
// Implements: RFC 5031 §4.2 (emergency services)
#pragma once

#include <cstdint>
#include <string_view>

#include "sip/message_view.h"

namespace signalbox::overload {

/// In the order in which it is given up, last first. What is in progress is no new work and is
/// never asked about.
enum class Work : uint8_t {
    Emergency,     // a call to an emergency service: never refused here
    Call,          // calls and messages, for which somebody waits who would have to try again
    Registration,  // a REGISTER without credentials: phones come again by themselves
    Optional,      // questions, subscriptions, publications: repeated by machines
};

/// The new work that `request` is. A REGISTER that shows credentials, or comes from a trusted
/// source, counts as a call: half of its work is done, and to refuse it then would waste that half.
Work work_of(const sip::MessageView& request, bool is_trusted);

/// True for urn:service:sos and the services under it, such as urn:service:sos.police.
bool is_emergency_service(std::string_view request_uri);

/// Whether a datagram shows at a glance, without being parsed, that it is new work which may be
/// dropped: a request that begins something, is no emergency call, and carries no Route that might
/// prove a dialog. False for everything else, also where it cannot be told.
bool is_new_at_a_glance(std::string_view datagram);

}  // namespace signalbox::overload
