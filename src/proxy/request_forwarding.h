// Renders the request that goes to one target. Implements: RFC 3261 §16.6 steps 1-9, §16.12; RFC
// 5658
#pragma once

#include <string>
#include <string_view>

#include "crypto/token.h"
#include "proxy/incoming_request.h"
#include "proxy/route_preprocessing.h"
#include "sip/edit_list.h"

namespace signalbox::proxy {

/// Views: for the call only.
struct Forwarding {
    const IncomingRequest& request;
    const Routing& routing;
    std::string_view target;      // the new Request-URI
    const transport::Flow& flow;  // by which it leaves
    std::string_view branch;
    uint64_t loop_hash = 0;     // as in the branch
    bool record_route = false;  // by the setting; where the RFC demands one it is put in anyway
    uint16_t node = 0;
    const crypto::TokenKeys& keys;
    std::string_view path = {};      // Route values for this target alone (RFC 3327 §5.4)
    std::string_view asserted = {};  // P-Asserted-Identity that this hop may be told
    uint32_t max_breadth = 60;       // of this branch
    /// What Record-Route shows: other than `flow` where size alone chose the transport, so that the
    /// dialog does not stick to it. Null: `flow`.
    const transport::Flow* shown_flow = nullptr;
    std::string_view via_flow = {};  // of our Via (via_flow.h); empty: a transaction knows the way
};

/// The URI that names the next hop: the first of the target's own path, else the first Route that
/// is left, else the target itself (RFC 3261 §16.6 steps 6 and 7). Views: its arguments.
std::string_view next_hop_uri(const Routing& routing, std::string_view path,
                              std::string_view target);

/// The request as it goes out, into `out` (cleared first). False when it would need more edits than
/// an EditList holds: answer 513.
bool render_request(const Forwarding& forwarding, std::string& out);

/// Says how long the body is where `message` does not and leaves over a stream by `flow`: what
/// follows it there would else be taken for its body, or its body for another message (RFC 3261
/// §18.3, §20.14).
void add_content_length(const sip::MessageView& message, const transport::Flow& flow,
                        sip::EditList& edits);

/// True when this request may leave over TLS only: its Request-URI was SIPS, or it leaves with a
/// SIPS URI as Request-URI or topmost Route (RFC 3261 §26.2.2).
bool demands_tls(const Forwarding& forwarding);

/// True for methods whose requests get our Record-Route: those that begin a dialog, and their
/// refreshes.
bool begins_dialog(sip::Method method);

/// Who is at the other end of a flow, as far as NATs are concerned.
enum class FarSide : uint8_t {
    Phone,        // a phone of ours, or who may be one: an address that is not where he sends from,
                  // and a name, say that nothing but his flow leads to him
    Server,       // a trusted peer or somebody of a foreign domain: a name is one of DNS
    BehindProxy,  // a proxy is between: his address proves nothing
};
/// Tells it of the sender of a request.
FarSide far_side_of(const IncomingRequest& request);

/// The Contact that the sender shows, or the Record-Route of the proxy before him: where requests
/// towards him go next. The Contact is read when there is no Record-Route in front of ours.
struct ShownHop {
    uint64_t hash = 0;
    bool is_nated = false;      // nothing but his flow leads to him
    bool is_at_source = false;  // it is his Contact, and the address from which his packets come
    bool is_bound_to_flow = false;  // the Contact itself says that only his flow leads to him
};
ShownHop shown_hop(const sip::MessageView& message, std::string_view route_before_ours,
                   const transport::Flow& flow, FarSide side);

}  // namespace signalbox::proxy
