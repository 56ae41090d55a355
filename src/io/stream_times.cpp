// When the time of a stream connection is up: connects, handshakes, first messages, slow messages,
// silence. Implements: RFC 3261 §18
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>

#include "io/stream_set.h"

namespace signalbox::io {

void StreamSet::on_time(Instant now) {
    turn_ = now;
    while (!connecting_.empty()) {
        const Connecting& first = connecting_.front();
        const StreamConnection* connection = connections_.get(first.name);
        const bool is_over =
            connection == nullptr || connection->state != StreamConnection::State::Connecting;
        if (!is_over && first.deadline > now) break;
        if (!is_over) end(first.name, transport::FlowError::ConnectTimedOut);
        connecting_.pop_front();
    }
    if (accept_again_ <= now) {
        accept_again_ = kNever;
        for (size_t index = 0; index < listening_.size(); ++index) {
            if (!listening_[index].is_paused) continue;
            listening_[index].is_paused = false;
            await_accept(index);
        }
    }
    if (next_sweep_ <= now) sweep_some(now);
}

/// A part of all connections: to look at each of a hundred thousand takes longer than a call should
/// wait.
void StreamSet::sweep_some(Instant now) {
    const uint32_t end = std::min(sweep_place_ + limits_.swept_per_turn, connections_.places());
    for (; sweep_place_ < end; ++sweep_place_) {
        const Name name = connections_.at(sweep_place_);
        if (name) sweep(name, *connections_.get(name), now);
    }
    if (sweep_place_ < connections_.places()) {
        next_sweep_ = now;  // the rest in the next turn
        return;
    }
    sweep_place_ = 0;
    next_sweep_ = connections_.size() == 0 ? kNever : now + kSweepInterval;
}

/// True when what was written stays unacknowledged: the peer's machine or the way to it is gone, as
/// when a router in between has started anew. Nobody says so, and the system would try for a
/// quarter of an hour, while each call to a phone there waits for Timer B.
bool StreamSet::is_dead(StreamConnection& connection, Instant now) const {
    if (connection.unheard == kNever || now - connection.unheard < limits_.dead_timeout)
        return false;
    tcp_info info{};
    socklen_t size = sizeof(info);
    const int fd = connection.descriptor.native_handle();
    if (::getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) != 0) return false;
    if (info.tcpi_unacked == 0) {
        connection.unheard = kNever;
        return false;
    }
    constexpr int kRepeatedMin = 2;  // what was written a moment ago is no sign
    return info.tcpi_retransmits >= kRepeatedMin &&
           std::chrono::milliseconds(info.tcpi_last_ack_recv) >= limits_.dead_timeout;
}

/// Ends the connection when one of its times is up.
void StreamSet::sweep(Name name, StreamConnection& connection, Instant now) {
    const bool has_begun = connection.begun != kNever && !connection.is_held;
    const Duration begun = has_begun ? now - connection.begun : Duration{};
    switch (connection.state) {
        case StreamConnection::State::Connecting:
            return;  // connecting_ knows its deadline
        case StreamConnection::State::Handshaking:
            if (begun < limits_.handshake_timeout) return;
            counters_.add(Counter::stream_handshake_timeouts_total);
            if (connection.is_proven) note(connection, "the handshake took too long");
            return end(name, transport::FlowError::Handshake);
        case StreamConnection::State::HalfClosed:
            settle_answers(name);
            if (connections_.get(name) == nullptr || begun < limits_.half_closed_timeout) return;
            counters_.add(Counter::stream_half_closed_expired_total);
            return end(name, transport::FlowError::ClosedByPeer);
        case StreamConnection::State::Draining:
            if (begun >= limits_.drain_timeout) end(name, transport::FlowError::Framing);
            return;
        case StreamConnection::State::Open:
            break;
    }
    if (is_dead(connection, now)) {
        counters_.add(Counter::stream_dead_closed_total);
        return end(name, transport::FlowError::Reset);
    }
    const bool is_silent =
        !connection.is_proven && now - connection.opened >= limits_.first_message_timeout;
    const bool is_idle = now - connection.heard >= limits_.idle_timeout;
    if (!is_silent && !is_idle && begun < limits_.message_timeout) return;
    counters_.add(is_silent ? Counter::stream_silent_closed_total
                            : Counter::stream_idle_closed_total);
    say_goodbye(connection);
    write(name);
    if (connections_.get(name) != nullptr) end(name, transport::FlowError::IdleTimeout);
}

Instant StreamSet::next_deadline() const {
    Instant next = std::min(next_sweep_, accept_again_);
    if (!connecting_.empty()) next = std::min(next, connecting_.front().deadline);
    return next;
}

}  // namespace signalbox::io
