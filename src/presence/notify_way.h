// Where a subscription's dialog says that its NOTIFYs go, and in which order the ways there are
// tried.
// Implements: RFC 3261 §8.1.2, §12.2.1.1; RFC 5626 §5.3; RFC 5627 §4.4
#pragma once

#include <array>
#include <optional>
#include <string_view>

#include "location/gruu.h"
#include "ports/snapshot.h"
#include "presence/subscription.h"
#include "proxy/shard_message.h"

namespace signalbox::presence {

/// One way to a watcher.
enum class NotifyWay : uint8_t {
    None = 0,
    Registration = 1,   // the flow by which its phone is registered now
    Target = 2,         // the address in the first Route or the remote target
    SubscribeFlow = 4,  // back by the flow of its last SUBSCRIBE
};

/// What is needed to read addresses.
struct WayContext {
    const ports::Snapshot& snapshot;
    const crypto::TokenKeys& keys;
    WallTime now;
    uint8_t shard = 0;
};

/// The next hop of a dialog. Views: the dialog.
struct DialogHop {
    std::string_view routes;              // the route set without hops that are ours
    std::optional<location::Gruu> gruu;   // the remote target is a GRUU of ours
    std::optional<transport::Flow> back;  // the SUBSCRIBE's flow, where the watcher is at its end
    std::optional<transport::Flow> address;  // to the first Route or the remote target itself
    std::array<NotifyWay, 3> ways{};         // to be tried in this order
};

/// Reads route set and remote target of `dialog`, whose last SUBSCRIBE came by `flow`; `is_direct`:
/// from the watcher itself.
/// Behind a NAT, and of a WebSocket client, nothing but that flow arrives; a Contact with "ob"
/// asks for it (RFC 5626 §4.3).
/// Deviation: RFC 3261 §8.1.2 — a name in the dialog is not looked up: the NOTIFY goes back the way
/// by which its SUBSCRIBE came.
DialogHop next_hop_of(const DialogText& dialog, const transport::Flow& flow, bool is_direct,
                      const WayContext& context);

/// Where a registered `target` is reached: its flow, or the numeric address of its Path. Takes our
/// own hops off its path. Nothing: a name, which is not looked up here.
std::optional<transport::Flow> flow_of_target(proxy::Target& target, const transport::Flow& from,
                                              const WayContext& context);

}  // namespace signalbox::presence
