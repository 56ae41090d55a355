// What a stateful proxy remembers of one request: its branches and the best response so far.
// Implements: RFC 3261 §16.2, §16.7
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "base/arena.h"
#include "base/slab.h"
#include "base/timer_wheel.h"
#include "cdr/call_tracker.h"
#include "ports/snapshot_use.h"
#include "proxy/hop_attempts.h"
#include "proxy/shard_message.h"
#include "transaction/transaction_layer.h"

namespace signalbox::proxy {

/// Timer kind of a context: the earliest of Timer C of its branches and of the deadlines of ports
/// that it waits for.
inline constexpr uint16_t kContextTimer = 64;
inline constexpr size_t kBranchesMax = 63;

enum class BranchState : uint8_t {
    Waiting,    // for the branches before it
    Resolving,  // waits for DNS to name its next hop
    Sent,       // its client transaction has no final response
    Final,      // a final response came, or the branch failed here
};

/// One target of the request. Views: the context's arena.
struct Branch {
    BranchState state = BranchState::Waiting;
    bool begins_group = false;  // it waits until those before it have ended, or its time has come
    bool is_left = false;       // cancelled here because others were to be tried
    uint8_t breadth = 0;        // its part of the Max-Breadth while it is neither Waiting nor Final
    uint16_t leg = 0;           // from 1
    int status = 0;  // of the final response; local failures have one too; 0 when Final: others
                     // were tried instead
    bool is_local = false;  // that status was made here, not by the far side
    bool has_provisional = false;
    bool has_rung = false;  // a provisional response but 100 came from its phone
    bool is_cancelled = false;
    bool needs_location = false;  // the target is an address of record, named by a redirection
    bool is_binding = false;      // the target is a registered Contact: a phone is at the other end
    std::string_view target;      // the Request-URI
    std::string_view path;        // Route values of this branch alone (RFC 3327 §5.4)
    std::span<const Target> other_flows;  // of the same phone: tried one by one when this one fails
    bool is_edge_flow = false;            // the flow is one that we gave out in a Path
    bool is_only_by_connection = false;   // nothing but the flow's connection leads to the phone
    std::string_view response;  // the final response, rendered for upstream; empty when it was
                                // forwarded or made here
    transaction::ClientHandle client;
    HopAttempts* attempts = nullptr;  // in the arena; null: the target is one flow
    Instant deadline = kNever;        // Timer C
    Instant ring_until = kNever;
    Instant hop_deadline = kNever;  // of the next hop, or of DNS
};

/// How far the forking of a request has come.
struct ForkProgress {
    uint8_t begun = 0;         // the branches behind them are Waiting
    uint8_t breadth_free = 0;  // of the request's Max-Breadth
    bool is_starting = false;  // branches are being begun: the failure of one ends nothing
    bool is_next_due = false;  // the next group may begin though others ring
    Instant next_group_at = kNever;
};

/// How a call ended before it was known whether a user of ours was called.
struct EarlyEnd {
    Now at{};
    int status = 0;
    ports::EndedBy by = ports::EndedBy::Nobody;
    std::string_view reason;  // in the context's arena
};

/// Owned by the ProxyCore's slab; lives from the admission of the request until every branch is
/// final. The upstream transaction outlives it.
struct ResponseContext {
    explicit ResponseContext(BlockPool& pool) : arena(pool) {}

    Arena arena;
    ports::SnapshotUse snapshot;
    std::string_view request;                            // the packet's octets, in the arena
    std::string_view call_id, from_tag, to_tag, reason;  // of the request, and views of it
    transport::Flow flow;                                // by which it came
    std::string_view asserted;  // the P-Asserted-Identity of its authenticated sender
    transaction::ServerHandle server;
    std::span<Branch> branches;
    std::span<Target> targets;  // of the branches
    ForkProgress fork;
    cdr::CallHandle call;  // of an INVITE that begins a call, or of a BYE
    Now started{};
    uint64_t loop_hash = 0;
    sip::Method method = sip::Method::Extension;
    uint8_t shards_asked =
        0;                   // of those that may have a binding whose address of record is unknown
    bool is_for_us = false;  // for an address of record: other targets may be added (§16.5)
    bool is_proven = false;  // see Admission: its sender may call foreign hosts
    bool is_locating = false;   // waits for the shard of the address of record
    bool is_cancelled = false;  // by the caller
    bool is_final_sent = false;
    bool is_unrecorded = false;  // a stranger's INVITE: a call if it is for a user of ours
    EarlyEnd early_end;          // of one that is unrecorded
    Timer timer;

    bool is_invite() const { return method == sip::Method::Invite; }
    bool has_waiting() const { return fork.begun < branches.size(); }
};

using ContextHandle = Handle<ResponseContext>;

}  // namespace signalbox::proxy
