// The steps from a new request to its transaction user: route, role, authorisation. No state is
// kept until a request is admitted, but for the short wait for another shard's word on credentials.
// Implements: RFC 3261 §16.3, §16.4, §22; RFC 3261 §10.3 steps 1 to 4
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <string>

#include "base/slab.h"
#include "base/timer_wheel.h"
#include "overload/admission.h"
#include "presence/reg_event.h"
#include "proxy/directory.h"
#include "proxy/local_reply.h"
#include "proxy/moved_flows.h"
#include "proxy/proxy_core.h"
#include "registrar/registrar.h"

namespace signalbox::core {

/// Timer kind of a request that waits for another shard.
inline constexpr uint16_t kSuspendedTimer = 80;

/// A request that waits for another shard's answer on its credentials. Owned by the RequestIntake's
/// slab; lives until the answer comes or is overdue.
struct SuspendedRequest {
    PooledBytes bytes;
    transport::Flow flow;
    ports::SnapshotUse snapshot;
    uint64_t invite_key = 0;  // of an INVITE: by which its CANCEL finds it
    Timer timer;
};
using SuspendedHandle = Handle<SuspendedRequest>;

/// Single-threaded; one per shard.
class RequestIntake final {
 public:
    struct Setup {
        uint16_t node = 0;
        uint8_t shard = 0;
        uint8_t shards = 1;
        uint32_t suspended_max = 100'000;
    };
    struct Services {
        transaction::TransactionLayer& transactions;
        proxy::ProxyCore& proxy;
        proxy::Directory& directory;
        proxy::LocalReply& reply;
        registrar::Registrar& registrar;
        presence::RegEvent& reg_event;
        overload::Admission& admission;
        proxy::MovedFlows& moved_flows;
        ports::SnapshotUses& snapshots;
        TimerWheel& wheel;
        BlockPool& pool;
        Random& random;
        Counters& counters;
        const crypto::TokenKeys& keys;
    };
    RequestIntake(const Setup& setup, const Services& services);

    /// Takes a request that no transaction knows, other than ACK and CANCEL, to its transaction
    /// user or to an answer.
    void admit(Now now, const proxy::IncomingRequest& request, ports::Outbox& out);
    /// Goes on with a suspended request.
    void on_credential_answer(Now now, const proxy::CredentialAnswer& answer, ports::Outbox& out);
    /// Ends an INVITE that waits for another shard when `cancel` names it: 200 to the CANCEL, 487
    /// to the INVITE. False when there is none.
    bool cancel_suspended(Now now, const proxy::IncomingRequest& cancel, ports::Outbox& out);
    void on_timer(Now now, const TimerDue& due, ports::Outbox& out);

    /// From now on every INVITE is refused, inside dialogs too: the server is about to end.
    void refuse_invites() { refuses_invites_ = true; }

    uint32_t suspended_count() const { return suspended_.size(); }
    uint32_t suspended_max() const { return setup_.suspended_max; }

 private:
    /// What the steps before the credentials found out.
    struct Candidate {
        const proxy::IncomingRequest& request;
        proxy::Routing routing;
        proxy::RelayDecision relay;
        uint64_t loop_hash = 0;
        bool is_register = false;
        bool is_reg_event = false;  // a SUBSCRIBE that we answer ourselves

        /// We are the user agent server, not a proxy: 401 and Authorization (RFC 3261 §22.2).
        bool is_for_us() const { return is_register || is_reg_event; }
    };

    /// Whose credentials were right. Views: for the call; empty where none were needed.
    struct Caller {
        std::string_view user;
        std::string_view asserted;  // the address of record by which others are told of him
    };

    bool shed(Now now, const proxy::IncomingRequest& request, ports::Outbox& out);
    bool is_suspended(const proxy::IncomingRequest& request) const;
    bool examine(Now now, Candidate& candidate, ports::Outbox& out);
    bool examine_register(Now now, Candidate& candidate, ports::Outbox& out);
    bool examine_subscribe(Now now, Candidate& candidate, ports::Outbox& out);
    bool examine_proxied(Now now, Candidate& candidate, ports::Outbox& out);
    static bool acts_as_server(const Candidate& candidate);
    void authorise(Now now, const Candidate& candidate, ports::Outbox& out);
    void suspend(Now now, const Candidate& candidate, uint8_t shard,
                 proxy::CredentialQuestion question, ports::Outbox& out);
    void judge(Now now, const Candidate& candidate, const proxy::CredentialAnswer& answer,
               ports::Outbox& out);
    bool is_of_another_user(const Candidate& candidate, std::string_view user) const;
    void forbid(Now now, const Candidate& candidate, ports::Outbox& out);
    void serve(Now now, const Candidate& candidate, const Caller& caller, ports::Outbox& out);
    void serve_register(Now now, const Candidate& candidate, ports::Outbox& out);
    void tell_moves(const registrar::RegisterContext& context, const transport::Flow& flow,
                    ports::Outbox& out);
    void serve_subscribe(Now now, const Candidate& candidate, ports::Outbox& out);
    void challenge(Now now, const Candidate& candidate, bool stale, ports::Outbox& out);
    void reject(Now now, const Candidate& candidate, const proxy::Rejection& rejection,
                ports::Outbox& out);

    void answer(Now now, const proxy::IncomingRequest& request, int status,
                std::string_view response, ports::Outbox& out);
    uint64_t invite_key(const proxy::IncomingRequest& request) const;
    void forget(SuspendedHandle handle);

    Setup setup_;
    Services s_;
    Slab<SuspendedRequest> suspended_;
    boost::unordered_flat_map<uint64_t, SuspendedHandle> suspended_invites_;
    std::string response_;
    std::string via_;
    bool refuses_invites_ = false;
};

}  // namespace signalbox::core
