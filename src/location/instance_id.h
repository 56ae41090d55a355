// The instance-id of a phone: the same over its restarts, its connections and its addresses.
// Implements: RFC 5626 §3.1, §4.1; RFC 5627 §5.1
#pragma once

#include <cstdint>
#include <string_view>

namespace signalbox::location {

/// The URN in +sip.instance of a Contact's header parameters, without quotes and angle brackets;
/// empty when there is none. Views: `parameters`.
std::string_view instance_of(std::string_view parameters);

/// True when both are the same URN (RFC 8141 §3; a UUID in either case). Two empty ones are not.
bool same_instance(std::string_view a, std::string_view b);

/// A number for an instance-id, the same for equal ones, over restarts and shards; 0 for an empty
/// one. Not secret: it tells the bindings of one address of record apart.
uint64_t instance_hash(std::string_view instance);

/// The same for the Call-ID of a phone's registrations, which changes when the phone starts anew
/// (RFC 5627 §5.4). Never 0.
uint64_t registration_hash(std::string_view call_id);

}  // namespace signalbox::location
