// The protocol core of one shard: hands each event to the part that it concerns.
#include "core/sip_core.h"

#include "core/request_intake.h"
#include "overload/admission.h"
#include "presence/reg_event.h"
#include "sip/stream_framing.h"
#include "stun/binding.h"
#include "transport/receive.h"

namespace signalbox::core {

using proxy::ShardMessage;
using sip::HeaderId;
using sip::Method;

namespace {

/// Events and timers handled per call: what is left is handled by the next one, so that no turn is
/// long.
constexpr int kTimersPerTurn = 1024;

/// Timer kind by which the pressure fades when nothing comes any more.
constexpr uint16_t kOverloadTimer = 90;
constexpr Duration kOverloadTimerInterval = std::chrono::milliseconds(200);
constexpr Duration kOverloadTimerLate = std::chrono::milliseconds(30);

/// A visitor of several lambdas.
template <class... Cases>
struct Overloaded : Cases... {
    using Cases::operator()...;
};
template <class... Cases>
Overloaded(Cases...) -> Overloaded<Cases...>;

/// Of a message whose body a stream could not take, only the header fields arrive here, and then
/// the stream ends (RFC 3261 §21.4.11). A datagram or a frame that is shorter than it says is
/// another fault.
bool is_body_past_the_limit(const transport::Packet& packet, const sip::MessageView& view,
                            Error error) {
    const transport::Transport transport = packet.flow.transport;
    if (!transport::is_reliable(transport) || transport::is_websocket(transport)) return false;
    if (error.code != ErrorCode::body_too_short) return false;
    const auto length = sip::parse_content_length(view.value(HeaderId::ContentLength));
    return length && *length > sip::StreamFraming::kMessageBytesMax - packet.bytes.size();
}

uint32_t share(uint32_t whole, uint8_t shards) {
    return std::max<uint32_t>(whole / shards, 16);
}

}  // namespace

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

SipCore::SipCore(Now now, const CoreSetup& setup) : impl_(std::make_unique<Impl>(now, setup)) {
    impl_->last = now;
}
SipCore::~SipCore() = default;

void SipCore::on_packet(Now now, const transport::Packet& packet, ports::Outbox& out) {
    impl_->counters.add(Counter::rx_packets_total);
    if (packet.is_examined || !drops_unread(now, packet, out)) impl_->on_message(now, packet, out);
    impl_->finish_turn(now, out);
}

bool SipCore::drops_unread(Now now, const transport::Packet& packet, ports::Outbox& out) {
    overload::Admission& admission = impl_->admission;
    if (admission.note(now.monotonic, packet.waited)) impl_->update_admission(now, out);
    // Over a reliable transport nobody would say it again.
    return !transport::is_reliable(packet.flow.transport) && admission.drops_unread(packet.bytes);
}

void SipCore::Impl::update_admission(Now now, ports::Outbox& out) {
    const ports::OverloadLevel before = admission.level();
    admission.update(now.monotonic, snapshots.current().overload, occupied());
    if (admission.level() != before) {
        counters.add(Counter::overload_level_changes_total);
        out.level_changes.push_back(
            {before, admission.level(), admission.queue_delay(), admission.occupied_permille()});
    }
    if (admission.is_fading())
        arm_overload_timer(now);
    else
        wheel.cancel(overload_timer);
}

void SipCore::Impl::arm_overload_timer(Now now) {
    overload_timer_due = now.monotonic + kOverloadTimerInterval;
    wheel.arm(overload_timer, overload_timer_due);
}

/// A timer that is late tells of a busy server, not of silence.
void SipCore::Impl::on_overload_timer(Now now, ports::Outbox& out) {
    if (now.monotonic - overload_timer_due > kOverloadTimerLate) return arm_overload_timer(now);
    update_admission(now, out);
}

/// Of the table that is fullest.
double SipCore::Impl::occupied() const {
    const auto share_of = [](uint32_t used, uint32_t max) {
        return static_cast<double>(used) / static_cast<double>(max);
    };
    const uint32_t transactions_max = share(limits_at_birth.transactions_max, setup.shards);
    return std::max({share_of(transactions.server_count(), transactions_max),
                     share_of(transactions.client_count(), transactions_max),
                     share_of(proxy.context_count(), transactions_max),
                     share_of(intake.suspended_count(), intake.suspended_max())});
}

void SipCore::Impl::on_message(Now now, const transport::Packet& packet, ports::Outbox& out) {
    // Keep-alives: nothing but line ends (RFC 5626 §3.5.1), and what is too short to be anything.
    if (packet.bytes.find_first_not_of("\r\n\0 ") == std::string_view::npos ||
        packet.bytes.size() < 16) {
        counters.add(Counter::rx_keepalives_total);
        return;
    }
    if (!transport::is_reliable(packet.flow.transport) && stun::is_stun(packet.bytes)) {
        return on_stun(packet, out);
    }
    sip::MessageView view;
    if (const auto parsed = sip::parse_message(packet.bytes, view); !parsed) {
        return on_unreadable(packet, view, parsed.error(), out);
    }
    if (const auto checked = sip::check_message(view); !checked) {
        return on_unreadable(packet, view, checked.error(), out);
    }
    if (!view.is_request()) return proxy.on_response(now, view, packet.flow, out);
    const auto request = proxy::read_request(view, packet.flow, snapshots.current());
    if (!request) return on_unreadable(packet, view, request.error(), out);
    on_request(now, *request, out);
}

/// Phones keep their way through a NAT open by asking where they are seen (RFC 5626 §3.5.2, §8).
void SipCore::Impl::on_stun(const transport::Packet& packet, ports::Outbox& out) {
    counters.add(Counter::rx_keepalives_total);
    const auto answer = stun::answer_binding_request(packet.bytes, packet.flow.remote);
    if (!answer) return;
    counters.add(Counter::stun_requests_answered_total);
    out.transmits.add(packet.flow, answer->view());
}

void SipCore::Impl::on_unreadable(const transport::Packet& packet, const sip::MessageView& view,
                                  Error error, ports::Outbox& out) {
    const bool is_answerable =
        view.is_request() && !view.method_text().empty() && view.method() != Method::Ack &&
        view.first(HeaderId::Via) != nullptr && view.first(HeaderId::CSeq) != nullptr;
    if (!is_answerable) {
        counters.add(Counter::rx_dropped_malformed_total);
        return;
    }
    counters.add(Counter::rx_malformed_requests_total);
    int status = 400;
    if (error.code == ErrorCode::unsupported_version) status = 505;
    if (error.code == ErrorCode::message_too_large) status = 513;
    if (is_body_past_the_limit(packet, view, error)) {
        counters.add(Counter::rx_too_large_requests_total);
        status = 413;
    }
    const std::string_view reason = status == 400 ? error_text(error.code) : std::string_view{};
    reply.send_stateless(view, packet.flow, snapshots.current(), {status, reason, {}},
                         out.transmits);
}

void SipCore::Impl::on_request(Now now, const proxy::IncomingRequest& request, ports::Outbox& out) {
    const transaction::RequestMatch match =
        transactions.receive_request(now, request.message, request.via, out.transmits);
    if (match.kind == transaction::RequestMatch::Kind::Absorbed) return;
    switch (request.method()) {
        case Method::Ack:
            if (!reply.is_ack_to_stateless(request)) proxy.on_ack(now, request, out);
            return;
        case Method::Cancel:
            if (!match.cancelled && intake.cancel_suspended(now, request, out)) return;
            return proxy.on_cancel(now, request, match.cancelled, out);
        default:
            break;
    }
    const bool is_new_call = request.method() == Method::Invite && !request.is_in_dialog();
    if (is_draining && is_new_call) {
        counters.add(Counter::overload_refused_total);
        return reply.send_stateless(request.message, request.flow, request.snapshot,
                                    proxy::server_stopping(), out.transmits);
    }
    intake.admit(now, request, out);
}

void SipCore::on_flow_closed(Now now, const transport::Flow& flow, transport::FlowError,
                             ports::Outbox& out) {
    impl_->location.flow_closed(flow);
    impl_->transactions.on_flow_closed(now, flow, out.transmits);
    impl_->finish_turn(now, out);
}

void SipCore::on_port_reply(Now now, const ports::PortReply& reply, ports::Outbox& out) {
    Impl& impl = *impl_;
    std::visit(
        Overloaded{
            [&](const ports::ShardMessageIn& message) { impl.on_shard_message(now, message, out); },
            [&](const ports::DnsReply& dns) { impl.proxy.on_dns_reply(now, dns, out); },
            [&](const ports::TransmitFailed& failed) {
                if (proxy::LargeAcks::is_owner(failed.owner))
                    return impl.proxy.on_ack_not_sent(now, failed.owner, out);
                impl.transactions.on_transmit_failed(now, failed.owner, out.transmits);
            },
        },
        reply);
    impl.finish_turn(now, out);
}

void SipCore::Impl::on_shard_message(Now now, const ports::ShardMessageIn& message,
                                     ports::Outbox& out) {
    const auto decoded = proxy::decode_shard_message(message.bytes);
    CHECK(decoded.has_value());
    const ports::Snapshot& snapshot = snapshots.current();
    std::visit(Overloaded{
                   [&](const proxy::CredentialQuestion& question) {
                       std::optional<proxy::SourceBlocked> blocked;
                       const proxy::CredentialAnswer answer =
                           directory.answer(now, question, snapshot, blocked);
                       encode(ShardMessage(answer), out.shard_message(message.from));
                       if (!blocked) return;
                       for (uint8_t other = 0; other < setup.shards; ++other) {
                           if (other != setup.shard)
                               encode(ShardMessage(*blocked), out.shard_message(other));
                       }
                   },
                   [&](const proxy::CredentialAnswer& answer) {
                       intake.on_credential_answer(now, answer, out);
                   },
                   [&](const proxy::LocationQuestion& question) {
                       encode(ShardMessage(directory.answer(now, question, snapshot)),
                              out.shard_message(message.from));
                   },
                   [&](const proxy::LocationAnswer& answer) {
                       if (presence::NotifyOwner::is(answer.id))
                           return reg_event.on_location_answer(now, answer, out);
                       proxy.on_location_answer(now, answer, out);
                   },
                   [&](const proxy::StatelessRequest& request) {
                       proxy.on_stateless_request(now, message.from, request, out);
                   },
                   [&](const proxy::FlowMoved& moved) { moved_flows.note(moved); },
                   [&](const proxy::SourceBlocked& blocked) {
                       guard.block(now, blocked.address, blocked.until);
                   },
                   [&](const proxy::HopNews& news) { proxy.on_hop_news(now, news); },
               },
               *decoded);
}

void SipCore::on_command(Now now, ports::Command command, ports::Outbox& out) {
    impl_->on_command(now, command, out);
    impl_->finish_turn(now, out);
}

void SipCore::Impl::on_command(Now now, ports::Command& command, ports::Outbox& out) {
    std::visit(Overloaded{
                   [&](const ports::InstallSnapshot& install) {
                       if (!snapshots.install(install.snapshot)) {
                           counters.add(Counter::config_reloads_refused_total);
                           out.released_snapshots.push_back(install.snapshot);
                           return;
                       }
                       counters.add(Counter::config_reloads_total);
                   },
                   [&](const ports::UpdateUsers& update) { update_users(now, update, out); },
                   [&](const ports::RestoreBindings& restore) {
                       for (const ports::BindingsEvent& event : restore.bindings)
                           location.restore(now, event);
                   },
                   [&](const ports::RestoreCalls& restore) {
                       for (const ports::OpenCall& call : restore.calls)
                           calls.restore(now, call, limits().call_max);
                   },
                   [&](const ports::Drain&) {
                       is_draining = true;
                       reg_event.drain(now);
                   },
                   [&](const ports::EndPendingInvites&) {
                       is_ending = true;
                       intake.refuse_invites();
                       proxy.end_pending_invites(now);
                   },
                   [&](const ports::QueryStats& query) {
                       ports::StatsReply stats{counters.values(), gauges(now), false};
                       stats.is_idle = is_idle(now);
                       out.replies.push_back({query.id, stats});
                   },
                   [&](const ports::QueryRegistrations& query) {
                       ports::RegistrationsReply page;
                       location.page(now, query.after, query.limit, page);
                       out.replies.push_back({query.id, std::move(page)});
                   },
                   [&](const ports::QueryLiveCalls& query) {
                       out.replies.push_back({query.id, calls.page(query.after, query.limit)});
                   },
               },
               command);
}

void SipCore::Impl::update_users(Now now, const ports::UpdateUsers& update, ports::Outbox& out) {
    for (const ports::UserRecord& user : update.users) {
        users.update(user);
        if (user.is_removed) end_bindings(now, user.tenant, user.name, out);
    }
    for (const ports::UpdateUsers::Address& address : update.revoked) {
        if (users.find(address.tenant, address.name) == nullptr)
            end_bindings(now, address.tenant, address.name, out);
    }
}

/// Nobody is reached there any more. Calls that are up need no bindings.
void SipCore::Impl::end_bindings(Now now, ports::TenantId tenant, std::string_view aor,
                                 ports::Outbox& out) {
    const size_t count = location.lookup(now, tenant, aor).size();
    if (count == 0) return;
    const uint64_t version = snapshots.current().version;
    location.replace(now, tenant, aor, {}, version);
    location.journal(now, tenant, aor, version, out);
    counters.add(Counter::bindings_of_removed_users_total, count);
    reg_event.bindings_deactivated(now, tenant, aor, out);
}

bool SipCore::Impl::is_idle(Now now) const {
    if (proxy.context_count() + intake.suspended_count() > 0) return false;
    if (is_draining && !reg_event.is_drained(now)) return false;
    // A last word that is lost must be said again. Before, a drain does not wait for ACKs that may
    // never come.
    return !is_ending || transactions.unacknowledged_count() == 0;
}

void SipCore::on_time(Now now, ports::Outbox& out) {
    TimerDue due;
    for (int handled = 0; handled < kTimersPerTurn && impl_->wheel.pop_due(now.monotonic, due);
         ++handled) {
        impl_->on_timer(now, due, out);
    }
    impl_->finish_turn(now, out);
}

void SipCore::Impl::on_timer(Now now, const TimerDue& due, ports::Outbox& out) {
    if (due.kind < 32) {
        transactions.on_timer(now, due, out.transmits);
    } else if (due.kind == location::kTimerExpiry) {
        location.on_timer(now, due, out);
        if (const auto& expired = location.last_expired(); !expired.aor.empty())
            reg_event.bindings_changed(now, expired.tenant, expired.aor, out);
    } else if (due.kind == presence::kSubscriptionTimer) {
        reg_event.on_timer(now, due, out);
    } else if (due.kind == cdr::kCallTimer) {
        calls.on_timer(now, due, out);
    } else if (due.kind == proxy::kContextTimer) {
        proxy.on_timer(now, due, out);
    } else if (due.kind == kSuspendedTimer) {
        intake.on_timer(now, due, out);
    } else if (due.kind == kOverloadTimer) {
        on_overload_timer(now, out);
    }
    transaction::TransactionEvent event;
    while (transactions.pop_event(event)) proxy.on_transaction_event(now, event, out);
}

void SipCore::Impl::finish_turn(Now now, ports::Outbox& out) {
    transaction::TransactionEvent event;
    while (transactions.pop_event(event)) proxy.on_transaction_event(now, event, out);
    snapshots.take_released(out.released_snapshots);
    last = now;
}

Instant SipCore::next_deadline() const {
    return impl_->wheel.next_deadline();
}

const Counters& SipCore::counters() const {
    return impl_->counters;
}

ports::Gauges SipCore::gauges() const {
    return impl_->gauges(impl_->last);
}

ports::Gauges SipCore::Impl::gauges(Now now) const {
    ports::Gauges gauges;
    gauges.server_transactions = transactions.server_count();
    gauges.client_transactions = transactions.client_count();
    gauges.calls = calls.size();
    gauges.proxied_requests = proxy.context_count() + intake.suspended_count();
    gauges.addresses_of_record = location.address_count();
    gauges.bindings = location.binding_count();
    gauges.users = users.size();
    gauges.pool_bytes = pool.bytes_out();
    gauges.sources_blocked = guard.blocked_count(now);
    gauges.overload_level = admission.level();
    gauges.queue_delay_us = static_cast<uint64_t>(
        std::chrono::duration_cast<std::chrono::microseconds>(admission.queue_delay()).count());
    return gauges;
}

}  // namespace signalbox::core
