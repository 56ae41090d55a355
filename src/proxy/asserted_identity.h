// Who is calling, on the word of this server: what is said of an authenticated user, and what of
// others' words goes on across the border of trust. Implements: RFC 3325 §5, §6, §7; RFC 7315 §5
#pragma once

#include <string>
#include <string_view>

#include "ports/snapshot.h"
#include "proxy/incoming_request.h"
#include "sip/edit_list.h"

namespace signalbox::proxy {

/// The canonical user part of the first P-Preferred-Identity when it is an address in our domains;
/// empty: there is none (RFC 3325 §6). Whether it is granted to the user is for his shard to say.
std::string preferred_identity(const IncomingRequest& request);

/// The P-Asserted-Identity of the address of record `name` (a canonical user part) in the first of
/// our domains, with the display name of From where nobody can be misled by it: "" where we have no
/// domain. Written to `out`, which is cleared first.
void write_asserted_identity(const IncomingRequest& request, std::string_view name,
                             std::string& out);

/// What a message crosses on its way through us.
struct TrustBorder {
    bool is_from_trusted = false;
    bool is_to_trusted = false;
    std::string_view asserted;  // our own P-Asserted-Identity to add; empty: none
};

/// True where edit_identity() may have something to do even without an `asserted`: there is a
/// header field by which a network says who somebody is. Whom it trusts need not be asked before.
bool says_of_users(const sip::MessageView& message);

/// Appends to `edits` what the border demands: header fields by which only a trusted network speaks
/// of users end here when a stranger or a user sent them; P-Preferred-Identity always does; those
/// of a trusted sender end when Privacy asks for it and the next hop is not trusted; `asserted` is
/// added unless Privacy keeps it from this hop.
void edit_identity(const sip::MessageView& message, const TrustBorder& border,
                   sip::EditList& edits);

}  // namespace signalbox::proxy
