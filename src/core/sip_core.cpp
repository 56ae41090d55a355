// The protocol core of one shard: hands each event to the part that it concerns.
// Implements: RFC 3261 §18.3, §20.14
#include "core/sip_core.h"

#include "core/sip_core_impl.h"
#include "sip/check_message.h"
#include "sip/stream_framing.h"
#include "stun/binding.h"
#include "transport/receive.h"

namespace signalbox::core {

using sip::HeaderId;
using sip::Method;

namespace {

/// Events and timers handled per call: what is left is handled by the next one, so that no turn is
/// long.
constexpr int kTimersPerTurn = 1024;

/// Nothing but line ends, spaces and NULs (RFC 5626 §3.5.1), or too short to be anything.
bool is_keep_alive(std::string_view bytes) {
    const auto is_nothing = [](char c) { return c == '\r' || c == '\n' || c == ' ' || c == '\0'; };
    return bytes.size() < 16 || std::all_of(bytes.begin(), bytes.end(), is_nothing);
}

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

/// Without its Content-Length a message of a stream has no end. A frame of a WebSocket is one
/// message, as a datagram is (RFC 3261 §18.3, RFC 7118 §5).
Result<void> check_end(const transport::Packet& packet, const sip::MessageView& view) {
    const transport::Transport transport = packet.flow.transport;
    if (!transport::is_reliable(transport) || transport::is_websocket(transport)) return {};
    if (view.first(HeaderId::ContentLength) != nullptr) return {};
    return fail(ErrorCode::missing_content_length);
}

}  // namespace

SipCore::SipCore(Now now, const CoreSetup& setup) : impl_(std::make_unique<Impl>(now, setup)) {
    impl_->last = now;
}
SipCore::~SipCore() = default;

void SipCore::on_packet(Now now, const transport::Packet& packet, ports::Outbox& out) {
    impl_->counters.add(Counter::rx_packets_total);
    if (packet.is_examined || !drops_unread(now, packet, out)) impl_->on_message(now, packet, out);
    impl_->finish_turn(now, out);
}

void SipCore::Impl::on_message(Now now, const transport::Packet& packet, ports::Outbox& out) {
    if (is_keep_alive(packet.bytes)) {
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
    sip::KeyFields fields;
    if (const auto checked = sip::check_top_via(view, fields); !checked) {
        return on_unreadable(packet, view, checked.error(), out);
    }
    transaction::ServerKey key;
    if (view.is_request()) key = transactions.expect_request(view, fields.via);
    if (const auto checked = sip::check_below_via(view, fields); !checked) {
        return on_unreadable(packet, view, checked.error(), out);
    }
    if (const auto ended = check_end(packet, view); !ended) {
        return on_unreadable(packet, view, ended.error(), out);
    }
    if (!view.is_request()) return proxy.on_response(now, view, fields, packet.flow, out);
    on_request(now, proxy::make_request(view, fields, packet.flow, snapshots.current(), key), out);
}

/// Phones keep their way through a NAT open by asking where they are seen (RFC 5626 §3.5.2, §8).
void SipCore::Impl::on_stun(const transport::Packet& packet, ports::Outbox& out) {
    counters.add(Counter::rx_keepalives_total);
    const auto answer = stun::answer_binding_request(packet.bytes, packet.flow.remote);
    if (!answer) return counters.add(Counter::stun_discarded_total);
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
        transactions.receive_request(now, request.received(), out.transmits);
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

void SipCore::on_command(Now now, ports::Command command, ports::Outbox& out) {
    impl_->on_command(now, command, out);
    impl_->finish_turn(now, out);
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
    } else if (due.kind == registrar::kKeepAliveTimer) {
        keep_alive.on_timer(now, snapshots.current(), out);
    } else if (due.kind == presence::kSubscriptionTimer) {
        reg_event.on_timer(now, due, out);
    } else if (due.kind == cdr::kCallTimer) {
        calls.on_timer(now, due, out);
    } else if (due.kind == proxy::kContextTimer || due.kind == proxy::kWaitingAckTimer) {
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
    keep_alive.watch(now, snapshots.current());
    snapshots.take_released(out.released_snapshots);
    last = now;
}

Instant SipCore::next_deadline() const {
    return impl_->wheel.next_deadline();
}

const Counters& SipCore::counters() const {
    return impl_->counters;
}

}  // namespace signalbox::core
