// The texts of a subscription's dialog, packed into one block, and the NOTIFYs made from them.
// Implements: RFC 6665 §4.2.2; RFC 3261 §12.1.1, §12.2.1.1
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "location/location.h"
#include "ports/snapshot.h"
#include "presence/reg_info.h"
#include "presence/subscription.h"
#include "proxy/incoming_request.h"

namespace signalbox::presence {

/// A number for an address of record that is watched: in the documents, and to find its watchers.
uint64_t watched_key(ports::TenantId tenant, std::string_view aor);

/// The dialog that `request` begins with our `tag`, as bytes into `out` (cleared first).
void pack_dialog(const proxy::IncomingRequest& request, std::string_view tag, std::string_view aor,
                 std::string_view remote_target, std::string& out);
/// The same dialog with another remote target (RFC 3261 §12.2.2).
void repack_target(std::string_view packed, std::string_view remote_target, std::string& out);
/// Views: `packed`, which pack_dialog() made.
DialogText unpack_dialog(std::string_view packed);

/// The Contact by which a watcher reaches us in the dialog: the watched user at our address, so
/// that its requests find the shard of that user. A SIPS URI where the watcher's request was one of
/// SIPS (RFC 3261 §12.1.1).
std::string own_contact(const DialogText& dialog, const transport::Flow& flow,
                        const ports::Snapshot& snapshot);

/// What a NOTIFY says. Views: for the call.
struct Notification {
    const DialogText& dialog;
    const transport::Flow& flow;
    std::string_view target;  // the remote target, or the Contact that its GRUU means now
    std::string_view routes;  // in front of it; empty: none
    std::string_view branch;
    uint32_t cseq = 0;
    uint64_t expires_s = 0;       // 0: the subscription has ended
    std::string_view end_reason;  // why
    std::string_view body;
};
void render_notify(const Notification& notification, const ports::Snapshot& snapshot,
                   std::string& out);

/// Appends what has become of the contacts since `known` was packed: all that are there when
/// `is_full`, and in any case those that changed or went. Views: `bindings` and `known`.
void changed_contacts(Now now, std::span<const location::Binding> bindings, std::string_view known,
                      bool is_full, std::vector<ContactInfo>& out);
/// Appends what changed_contacts() needs to know of `bindings` next time.
void pack_known(std::span<const location::Binding> bindings, std::string& out);

}  // namespace signalbox::presence
