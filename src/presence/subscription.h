// One watcher's subscription to the registrations of an address of record.
// Implements: RFC 6665 §4.1, §4.4; RFC 3680 §4
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/block_pool.h"
#include "base/slab.h"
#include "base/timer_wheel.h"
#include "ports/snapshot_use.h"
#include "transaction/transaction_values.h"
#include "transport/flow.h"

namespace signalbox::presence {

/// Timer kind of a subscription: its end.
inline constexpr uint16_t kSubscriptionTimer = 96;

/// The dialog as text. Views: the request, or a Subscription's own memory.
struct DialogText {
    std::string_view call_id;
    std::string_view local;       // From of our NOTIFYs, with our tag
    std::string_view remote;      // their To
    std::string_view remote_tag;  // within `remote`, as text of its own
    std::string_view local_tag;
    std::string_view remote_target;  // the URI of their Contact
    std::string_view routes;         // Route of our NOTIFYs; empty: none
    std::string_view event;          // the value of Event, with its id
    std::string_view aor;            // the canonical user part
    std::string_view aor_uri;        // as it was asked for
};

/// Why a subscription ends, as its last NOTIFY says (RFC 6665 §4.1.3).
enum class SubscriptionEnd : uint8_t {
    Timeout,      // it was not refreshed, or the watcher ended it
    Deactivated,  // this server stops: subscribe anew
};

/// Owned by RegEvent's slab. Lives from its SUBSCRIBE until its last NOTIFY is answered.
struct Subscription {
    PooledBytes text;   // the DialogText, packed
    PooledBytes known;  // the contacts of the last document, packed
    ports::TenantId tenant = ports::kDefaultTenant;
    transport::Flow flow;    // by which the last SUBSCRIBE came
    uint64_t instance = 0;   // location::instance_hash() of the watcher's phone; 0: it did not say
    bool is_direct = false;  // the watcher itself sent the last SUBSCRIBE to us
    uint32_t local_cseq = 0;
    uint32_t remote_cseq = 0;
    uint32_t version = 0;  // of the next document
    Instant expires;
    Instant wait_until{};  // no NOTIFY before; of a question to another shard: its deadline
    Timer timer;
    SubscriptionEnd end = SubscriptionEnd::Timeout;
    uint8_t ways_tried = 0;        // NotifyWay bits and one more: of the NOTIFY that is due
    Subscription* next = nullptr;  // of the same address of record
    bool is_notifying = false;     // a NOTIFY waits for its response, or for its way
    bool is_locating = false;      // it waits for its way: another shard is asked
    bool is_changed = false;       // meanwhile there is more to tell
    bool is_full_due = false;      // the next document shows everything
    bool is_deactivated = false;   // what is gone since then was ended by the operator
    bool is_over = false;          // the NOTIFY that ends it was sent, or is due
};
using SubscriptionHandle = Handle<Subscription>;

/// What a client transaction's owner value says of a NOTIFY: kept apart from the proxy's by its two
/// lowest bits.
struct NotifyOwner {
    static constexpr uint64_t kKind = 3;
    static constexpr uint32_t kIndexMax = (1u << 30) - 1;
    static uint64_t pack(SubscriptionHandle handle) {
        return (uint64_t{handle.generation} << 32) | (uint64_t{handle.index} << 2) | kKind;
    }
    static bool is(uint64_t owner) { return (owner & 3) == kKind; }
    static SubscriptionHandle unpack(uint64_t owner) {
        return {static_cast<uint32_t>(owner) >> 2, static_cast<uint32_t>(owner >> 32)};
    }
};

}  // namespace signalbox::presence
