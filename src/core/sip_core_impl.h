// What a SipCore is made of. Included by the files of core/ that hold its parts, and by nobody
// else.
#pragma once

#include <algorithm>

#include "core/request_intake.h"
#include "core/sip_core.h"
#include "overload/admission.h"
#include "presence/reg_event.h"
#include "proxy/moved_flows.h"
#include "registrar/keep_alive.h"

namespace signalbox::core {

/// Timer kind by which the pressure fades when nothing comes any more.
inline constexpr uint16_t kOverloadTimer = 90;

/// A visitor of several lambdas.
template <class... Cases>
struct Overloaded : Cases... {
    using Cases::operator()...;
};
template <class... Cases>
Overloaded(Cases...) -> Overloaded<Cases...>;

/// What one shard may have of a limit that holds for all.
inline uint32_t share(uint32_t whole, uint8_t shards) {
    return std::max<uint32_t>(whole / shards, 16);
}

struct SipCore::Impl {
    Impl(Now now, const CoreSetup& given)
        : setup(given),
          limits_at_birth(given.snapshot->limits),
          random(given.seed),
          snapshots(given.snapshot),
          wheel(now.monotonic),
          transactions({setup.node, setup.shard, share(limits().transactions_max, setup.shards)},
                       wheel, pool, random, *setup.keys, counters, setup.coverage),
          guard({random.next(), random.next()}),
          authenticator(now, users, *setup.keys, guard),
          admission(now.monotonic, random, counters),
          location({setup.node, setup.shard}, wheel, counters),
          registrar({location, counters, random, *setup.keys, setup.node}),
          keep_alive({setup.node, setup.shard}, {location, counters, random, *setup.keys, wheel}),
          calls({setup.node, setup.shard, share(limits().calls_max, setup.shards)}, wheel, pool,
                random, counters),
          directory(users, authenticator, guard, location, counters, setup.shard),
          reply({random.next(), random.next()}, counters),
          moved_flows(random, counters),
          reg_event({setup.node, setup.shard, setup.shards},
                    {transactions, location, directory, reply, snapshots, wheel, pool, counters,
                     random, *setup.keys}),
          proxy({setup.node, setup.shard, setup.shards,
                 share(limits().transactions_max, setup.shards)},
                {transactions, calls, directory, reply, snapshots, wheel, pool, counters,
                 *setup.keys, reg_event, random, moved_flows}),
          intake({setup.node, setup.shard, setup.shards},
                 {transactions, proxy, directory, reply, registrar, reg_event, admission,
                  moved_flows, snapshots, wheel, pool, random, counters, *setup.keys}) {
        overload_timer.kind = kOverloadTimer;
    }

    const ports::LimitSettings& limits() const { return snapshots.current().limits; }

    void on_message(Now now, const transport::Packet& packet, ports::Outbox& out);
    void on_stun(const transport::Packet& packet, ports::Outbox& out);
    void on_unreadable(const transport::Packet& packet, const sip::MessageView& view, Error error,
                       ports::Outbox& out);
    void on_request(Now now, const proxy::IncomingRequest& request, ports::Outbox& out);
    void on_shard_message(Now now, const ports::ShardMessageIn& message, ports::Outbox& out);
    void on_command(Now now, ports::Command& command, ports::Outbox& out);
    void update_users(Now now, const ports::UpdateUsers& update, ports::Outbox& out);
    void end_bindings(Now now, ports::TenantId tenant, std::string_view aor, ports::Outbox& out);
    void on_timer(Now now, const TimerDue& due, ports::Outbox& out);
    void finish_turn(Now now, ports::Outbox& out);
    void update_admission(Now now, ports::Outbox& out);
    void on_overload_timer(Now now, ports::Outbox& out);
    void arm_overload_timer(Now now);
    double occupied() const;
    ports::Gauges gauges(Now now) const;
    bool is_idle(Now now) const;

    CoreSetup setup;
    const ports::LimitSettings limits_at_birth;  // by which the tables were made
    Counters counters;
    Random random;
    BlockPool pool;
    ports::SnapshotUses snapshots;
    TimerWheel wheel;
    transaction::TransactionLayer transactions;
    auth::UserTable users;
    auth::SourceGuard guard;
    auth::DigestAuthenticator authenticator;
    overload::Admission admission;
    location::Location location;
    registrar::Registrar registrar;
    registrar::KeepAlive keep_alive;
    cdr::CallTracker calls;
    proxy::Directory directory;
    proxy::LocalReply reply;
    proxy::MovedFlows moved_flows;
    presence::RegEvent reg_event;
    proxy::ProxyCore proxy;
    RequestIntake intake;
    Timer overload_timer;
    Instant overload_timer_due;
    bool is_draining = false;  // ports::Drain came
    bool is_ending = false;    // ports::EndPendingInvites came
    Now last{};
};

}  // namespace signalbox::core
