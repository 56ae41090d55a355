// What the main thread asks of a shard's core through its mailbox, and the bounded answers. Values
// only.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "base/counters.h"
#include "ports/call_record.h"
#include "ports/journal_event.h"
#include "ports/overload_level.h"
#include "ports/snapshot.h"
#include "ports/user_record.h"

namespace signalbox::ports {

/// Takes `snapshot` for all new work. It must live until the core has released it
/// (Outbox::released_snapshots).
struct InstallSnapshot {
    const Snapshot* snapshot = nullptr;
};
/// Adds, replaces or removes users of this shard (shard_of_aor of their name). The bindings of
/// removed ones end, and those of `revoked` addresses of this shard that are no users of their own:
/// removed users of any shard had been granted them.
struct UpdateUsers {
    struct Address {
        TenantId tenant = kDefaultTenant;
        std::string name;  // canonical user part
    };
    std::vector<UserRecord> users;
    std::vector<Address> revoked = {};

    bool is_empty() const { return users.empty() && revoked.empty(); }
};
/// Bindings of this shard's addresses of record, from before a restart; those that have expired are
/// skipped.
struct RestoreBindings {
    std::vector<BindingsEvent> bindings;
};
/// Calls of this shard (shard_of_call_id) that were open before a restart.
struct RestoreCalls {
    std::vector<OpenCall> calls;
    uint64_t highest_number = 0;  // of any call of before: new ones get higher ones
};
/// Refuses new calls with 503 from now on; everything in progress goes on.
struct Drain {};
/// Ends every INVITE that has no final response yet (503 to the caller, CANCEL to who rings) and
/// refuses every further one: the drain's time is nearly over.
struct EndPendingInvites {};
struct QueryStats {
    uint64_t id = 0;
};
/// At most `limit` addresses of record, in a stable order, beginning behind place `after` of the
/// previous page (0: the beginning).
struct QueryRegistrations {
    uint64_t id = 0;
    uint32_t after = 0;
    uint32_t limit = 500;
};
/// Of each call the first callee's tag is told only, and no held failure.
struct QueryLiveCalls {
    uint64_t id = 0;
    uint32_t after = 0;
    uint32_t limit = 500;
};

using Command = std::variant<InstallSnapshot, UpdateUsers, RestoreBindings, RestoreCalls, Drain,
                             EndPendingInvites, QueryStats, QueryRegistrations, QueryLiveCalls>;

/// What lives now, measured from the live sets.
struct Gauges {
    uint64_t server_transactions = 0;
    uint64_t client_transactions = 0;
    uint64_t calls = 0;             // tracked and not ended
    uint64_t proxied_requests = 0;  // response contexts without a final response
    uint64_t addresses_of_record = 0;
    uint64_t bindings = 0;
    uint64_t users = 0;
    uint64_t pool_bytes = 0;
    uint64_t sources_blocked = 0;
    OverloadLevel overload_level = OverloadLevel::Normal;  // of several shards: the worst
    uint64_t queue_delay_us = 0;  // how long messages wait before they are handled; the longest
};
struct StatsReply {
    std::array<uint64_t, kCounters> counters{};
    Gauges gauges;
    bool is_idle = false;  // no transaction without a final response, and after EndPendingInvites
                           // no failure without its ACK: a drain may end
};
struct RegistrationsReply {
    std::vector<BindingsEvent> bindings;
    uint32_t next = 0;  // `after` of the next page; 0: this was the last
};
struct LiveCallsReply {
    std::vector<OpenCall> calls;
    uint32_t next = 0;
};
struct CommandReply {
    uint64_t id = 0;
    std::variant<StatsReply, RegistrationsReply, LiveCallsReply> value;
};

}  // namespace signalbox::ports
