// From a URI, or from a dialog's flow, to the next hop. Implements: RFC 3261 §16.6 step 7, §16.12
#pragma once

#include <optional>
#include <string_view>

#include "resolver/hop_health.h"
#include "resolver/locate_server.h"
#include "transport/flow.h"

namespace signalbox::proxy {

/// Where a request for `target` goes next by the URI `next`. A SIPS target makes it a search for
/// SIPS, whatever a Route says (RFC 3261 §16.6 step 7). Views: `next`. The errors: malformed_uri,
/// and those of resolver::next_hop().
Result<resolver::NextHop> hop_of(std::string_view next, std::string_view target);
Result<resolver::NextHop> hop_of(const sip::Uri& next, std::string_view target);

/// Where a request inside a dialog goes, as far as that can be told without DNS. Neither: nothing
/// of ours leads there.
struct DialogHop {
    std::optional<transport::Flow> flow;  // by which it goes
    bool is_name = false;  // else: next_hop_uri() names a host that is to be looked up (RFC 3263)
};

/// The flow of a dialog where it leads to the server `hop`: what connects us with the far side is
/// used again, and opened anew at the port of `hop` when it is gone. Nothing: it leads elsewhere.
std::optional<transport::Flow> dialog_flow_to(const transport::Flow& dialog,
                                              const resolver::Hop& hop);

}  // namespace signalbox::proxy
