// The server in a simulated world: what its driver does with sockets, above all with streams.
// Implements: RFC 3261 §18.1.1, §18.2.2, §18.3 (as the real driver does)
#include <algorithm>
#include <utility>

#include "sim/server.h"

namespace signalbox::sim {

using transport::Flow;
using transport::FlowError;

void Server::send(uint8_t shard, const transport::Transmit& transmit, std::string bytes) {
    const Flow& flow = transmit.flow;
    if (flow.local.address != setup_.address.address) {
        watcher_.on_driver_fault("a transmit from an address that is not ours: " +
                                 flow.local.to_string());
        return;
    }
    if (!transport::is_reliable(flow.transport)) {
        network_.send_datagram(setup_.address, flow.remote, bytes);
        return;
    }
    if (flow.connection == Flow::kNoConnection || flow.shard == shard) {
        send_stream(shard, transmit, std::move(bytes));
        return;
    }
    const uint8_t to = flow.shard;
    by_ring(to, [this, shard, transmit, text = std::move(bytes)] {
        send_stream(shard, transmit, text);
    });
}

/// The named connection, else any other to the same remote, else a new one.
void Server::send_stream(uint8_t shard, const transport::Transmit& transmit, std::string bytes) {
    const Flow& flow = transmit.flow;
    const uint64_t owner = transmit.owner;
    StreamId stream = find_stream(flow);
    if (stream == 0 && transport::is_only_by_connection(flow))
        return fail_transmit(shard, bytes, owner);
    if (stream == 0) stream = open_stream(shard, flow);
    Connection& connection = connections_.at(stream);
    if (!connection.is_open && transmit.connect_max > Duration{}) {
        queue_.after(transmit.connect_max, [this, stream] { connect_timed_out(stream); });
    }
    if (connection.is_open && refuse_output(stream, shard, bytes, owner)) return;
    if (connection.is_open) {
        network_.send_stream(stream, *this, bytes);
    } else {
        connection.waiting.push_back({std::move(bytes), owner, shard});
    }
}

/// The peer reads too slowly: the message fails and the stream ends. A request other than INVITE
/// may also fail late, when its peer has read it all the same and perhaps begun to answer; that
/// must meet the few whose answer is slow.
bool Server::refuse_output(StreamId stream, uint8_t shard, std::string_view bytes, uint64_t owner) {
    constexpr uint64_t kLateForOne = 20;
    const bool is_other_request =
        !bytes.starts_with("SIP/2.0") && !bytes.starts_with("INVITE") && !bytes.starts_with("ACK");
    const uint64_t draw = random_.below(1000);
    if (is_other_request && draw < setup_.stream_failure_permille * kLateForOne) {
        network_.send_stream(stream, *this, bytes);
        const Duration late = std::chrono::milliseconds(random_.below(12000));
        queue_.after(late, [this, shard, owner, incarnation = incarnation_] {
            if (incarnation == incarnation_ && is_running()) fail_transmit(shard, {}, owner);
        });
        return true;
    }
    if (draw >= setup_.stream_failure_permille) return false;
    fail_transmit(shard, bytes, owner);
    network_.reset_stream(stream, *this);
    lose(stream, StreamLoss::AfterOpen, FlowError::Overflow);
    return true;
}

Endpoint Server::reached_by(const Flow& flow) const {
    if (!transport::is_only_by_connection(flow)) return flow.remote;
    const auto found = connections_.find(find_stream(flow));
    return found == connections_.end() ? flow.remote : found->second.flow.remote;
}

StreamId Server::find_stream(const Flow& flow) const {
    StreamId same_remote = 0;
    for (const auto& [stream, connection] : connections_) {
        const Flow& own = connection.flow;
        if (own.connection == flow.connection && own.generation == flow.generation &&
            own.shard == flow.shard) {
            return stream;
        }
        if (own.remote == flow.remote) same_remote = stream;
    }
    return same_remote;
}

void Server::name_connection(Connection& connection, uint8_t shard) {
    connection.flow.transport = transport::Transport::Tcp;
    connection.flow.shard = shard;
    connection.flow.listener = 1;
    if (free_numbers_.empty()) {
        free_numbers_.push_back(static_cast<uint32_t>(generations_.size()));
        // Those of each run are others, as the real driver's are.
        generations_.push_back(incarnation_ << 16);
    }
    connection.flow.connection = free_numbers_.back();
    free_numbers_.pop_back();
    connection.flow.generation = ++generations_[connection.flow.connection];
}

StreamId Server::open_stream(uint8_t shard, const Flow& flow) {
    const Endpoint local{setup_.address.address,
                         static_cast<uint16_t>(32768 + random_.below(28000))};
    const StreamId stream = network_.connect(*this, local, flow.remote);
    Connection& connection = connections_[stream];
    name_connection(connection, shard);
    connection.flow.local = local;
    connection.flow.remote = flow.remote;
    queue_.after(snapshot().limits.connect_timeout, [this, stream] { connect_timed_out(stream); });
    return stream;
}

void Server::connect_timed_out(StreamId stream) {
    const auto found = connections_.find(stream);
    if (found == connections_.end() || found->second.is_open) return;
    network_.reset_stream(stream, *this);
    lose(stream, StreamLoss::BeforeOpen, FlowError::ConnectTimedOut);
}

void Server::on_stream_open(StreamId stream, const Endpoint& local, const Endpoint& remote,
                            bool is_accepted) {
    if (!is_running()) return;
    if (is_accepted) {
        Connection& connection = connections_[stream];
        name_connection(connection, static_cast<uint8_t>(random_.below(setup_.shards)));
        connection.flow.local = local;
        connection.flow.remote = remote;
    }
    const auto found = connections_.find(stream);
    if (found == connections_.end()) return;
    found->second.is_open = true;
    for (const Waiting& waiting : std::exchange(found->second.waiting, {})) {
        network_.send_stream(stream, *this, waiting.bytes);
    }
}

void Server::on_stream_bytes(StreamId stream, std::string_view bytes) {
    const auto found = connections_.find(stream);
    if (found == connections_.end()) return;
    found->second.input += bytes;
    frame(stream);
}

void Server::frame(StreamId stream) {
    while (true) {
        const auto found = connections_.find(stream);
        if (found == connections_.end()) return;
        Connection& connection = found->second;
        const Result<sip::Frame> frame = connection.framing.next(connection.input);
        if (!frame) {
            network_.reset_stream(stream, *this);
            lose(stream, StreamLoss::AfterOpen, FlowError::Framing);
            return;
        }
        if (frame->kind == sip::Frame::Kind::NeedMore) return;
        const std::string message = connection.input.substr(frame->skip, frame->size);
        connection.input.erase(0, frame->skip + frame->size);
        if (frame->kind == sip::Frame::Kind::KeepAlivePing) {
            network_.send_stream(stream, *this, "\r\n");
        } else if (frame->kind == sip::Frame::Kind::Message) {
            const Flow flow = connection.flow;
            steer(flow.shard, flow, message);
        }
    }
}

void Server::on_stream_end(StreamId stream, StreamEnd why) {
    switch (why) {
        case StreamEnd::Refused:
            lose(stream, StreamLoss::BeforeOpen, FlowError::ConnectFailed);
            return;
        case StreamEnd::Closed:
            lose(stream, StreamLoss::AfterOpen, FlowError::ClosedByPeer);
            return;
        case StreamEnd::Reset:
            lose(stream, StreamLoss::AfterOpen, FlowError::Reset);
            return;
    }
}

void Server::close(const Flow& flow) {
    const StreamId stream = find_stream(flow);
    if (stream == 0) return;
    network_.close_stream(stream, *this);
    lose(stream, StreamLoss::AfterOpen, FlowError::Shutdown);
}

/// The core hears of it in the next turn: at once, as when the system refuses the octets, or later,
/// but never behind the end of the connection.
void Server::fail_transmit(uint8_t shard, std::string_view bytes, uint64_t owner) {
    watcher_.on_output_lost(bytes);
    if (owner == 0) return;
    const auto tell = [this, shard, owner] {
        turn(shard, nullptr, [&](core::SipCore& core, ports::Outbox& out) {
            core.on_port_reply(queue_.now(), ports::TransmitFailed{owner}, out);
        });
    };
    if (random_.below(2) != 0) return by_ring(shard, tell);
    queue_.after(Duration{}, [this, tell, incarnation = incarnation_] {
        if (incarnation == incarnation_ && is_running()) tell();
    });
}

/// A connection is gone: its messages have failed, and every shard learns it, because any may hold
/// bindings that came by it.
void Server::lose(StreamId stream, StreamLoss loss, FlowError why) {
    const auto found = connections_.find(stream);
    if (found == connections_.end()) return;
    const Connection connection = std::move(found->second);
    connections_.erase(found);
    free_numbers_.push_back(connection.flow.connection);
    for (const Waiting& waiting : connection.waiting) {
        fail_transmit(waiting.shard, waiting.bytes, waiting.owner);
    }
    if (loss == StreamLoss::BeforeOpen) return;
    for (uint8_t i = 0; i < setup_.shards; ++i) {
        by_ring(i, [this, i, flow = connection.flow, why] {
            turn(i, nullptr, [&](core::SipCore& core, ports::Outbox& out) {
                core.on_flow_closed(queue_.now(), flow, why, out);
            });
        });
    }
}

}  // namespace signalbox::sim
