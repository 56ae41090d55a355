// What flows over stream connections: octets in, messages out to the driver, and the bounded way
// back. Implements: RFC 3261 §18.3; RFC 5626 §3.5.1 (CRLF keep-alives)
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

#include "io/stream_set.h"
#include "sip/check_message.h"
#include "sip/message_view.h"

namespace signalbox::io {

namespace {

constexpr size_t kScratchBytes = 65536;
constexpr size_t kReadBytes =
    16384;  // into a connection's own buffer, behind an unfinished message
constexpr size_t kSpareBuffersMax = 64;   // kept for the next connection that needs one
constexpr size_t kSpareBytesMin = 64;     // less is no allocation worth keeping
constexpr size_t kSpareBytesMax = 32768;  // a larger buffer goes back to the system
constexpr size_t kCompactBytes = 65536;
constexpr std::string_view kPong = "\r\n";

}  // namespace

std::string StreamSet::take_spare() {
    if (spare_.empty()) return {};
    std::string buffer = std::move(spare_.back());
    spare_.pop_back();
    return buffer;
}

void StreamSet::give_spare(std::string&& buffer) {
    std::string taken;
    taken.swap(buffer);
    if (taken.capacity() < kSpareBytesMin || taken.capacity() > kSpareBytesMax) return;
    if (spare_.size() == kSpareBuffersMax) return;
    taken.clear();
    spare_.push_back(std::move(taken));
}

void StreamSet::input_ready(Name name, Instant now) {
    if (connections_.get(name)->state == StreamConnection::State::Draining) {
        discard(name);
    } else {
        read(name, now);
    }
    const StreamConnection* connection = connections_.get(name);
    const bool is_read = connection != nullptr && !connection->is_held &&
                         connection->state != StreamConnection::State::HalfClosed;
    if (is_read) await_input(name);
}

void StreamSet::read(Name name, Instant now) {
    StreamConnection& connection = *connections_.get(name);
    const bool is_own_buffer = !connection.input.empty() && !connection.layers;
    const size_t kept = connection.input.size();
    if (is_own_buffer) connection.input.resize(kept + kReadBytes);
    char* const into = is_own_buffer ? connection.input.data() + kept : scratch_.get();
    const size_t room = is_own_buffer ? kReadBytes : kScratchBytes;

    const ssize_t received =
        ::recv(connection.descriptor.native_handle(), into, room, MSG_DONTWAIT);
    if (is_own_buffer) {
        connection.input.resize(kept + static_cast<size_t>(std::max<ssize_t>(received, 0)));
    }
    if (received == 0) return peer_sends_no_more(name, now);
    if (received < 0) {
        if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR) return;
        return end(name, transport::FlowError::Reset);
    }
    connection.heard = now;
    connection.unheard = kNever;
    if (connection.layers) return read_layers(name, {into, static_cast<size_t>(received)}, now);
    const std::string_view buffer = is_own_buffer
                                        ? std::string_view(connection.input)
                                        : std::string_view(into, static_cast<size_t>(received));
    take_input(connection, buffer, now, is_own_buffer);
}

void StreamSet::take_input(StreamConnection& connection, std::string_view buffer, Instant now,
                           bool is_own_buffer) {
    const size_t used = deliver(connection, buffer);
    const std::string_view rest = buffer.substr(used);
    if (connection.state == StreamConnection::State::Draining) {
        connection.begun = now;
    } else if (connection.state == StreamConnection::State::Handshaking) {
        // Its time runs since the state began.
    } else if (connection.layers && connection.layers->web_socket) {
        // What has begun is in the codec, and not in `input`.
        note_begun(connection, now);
    } else if (rest.empty()) {
        connection.begun = kNever;
    } else if (used > 0 || connection.begun == kNever) {
        connection.begun = now;
    }
    if (rest.empty()) {
        give_spare(std::move(connection.input));
    } else if (is_own_buffer) {
        connection.input.erase(0, used);
    } else {
        connection.input = take_spare();
        connection.input.assign(rest);
    }
}

size_t StreamSet::deliver(StreamConnection& connection, std::string_view buffer) {
    if (transport::is_websocket(connection.flow.transport)) {
        return deliver_web_socket(connection, buffer);
    }
    size_t used = 0;
    while (used < buffer.size()) {
        const std::string_view rest = buffer.substr(used);
        if (!connection.is_held) {
            const Result<sip::Frame> frame = connection.framing.next(rest);
            if (!frame) {
                lose_framing(connection, rest);
                return buffer.size();
            }
            connection.held = *frame;
        }
        connection.is_held = false;
        const sip::Frame frame = connection.held;
        switch (frame.kind) {
            case sip::Frame::Kind::NeedMore:
                return used;
            case sip::Frame::Kind::KeepAlivePing:
                counters_.add(Counter::rx_keepalives_total);
                // A peer that pings and never reads fills its own queue; the pong may be lost then.
                static_cast<void>(queue(connection, kPong, {}));
                break;
            case sip::Frame::Kind::KeepAlivePong:
                counters_.add(Counter::rx_keepalives_total);
                break;
            case sip::Frame::Kind::Message:
                if (!hand_over(connection, rest.substr(frame.skip, frame.size))) return used;
                break;
        }
        used += frame.skip + frame.size;
    }
    return used;
}

/// False when its shard has no room: the message is held, and the connection is not read.
bool StreamSet::hand_over(StreamConnection& connection, std::string_view message) {
    if (!connection.is_proven) {
        sip::MessageView view;
        connection.is_proven = sip::parse_message(message, view) && sip::check_message(view);
    }
    const bool is_owed = message_of(message) == Message::Request && !message.starts_with("ACK ");
    connection.owed += is_owed;
    const Duration waited = turn_ - connection.heard + waited_;
    if (sink_.on_stream_message({connection.flow, message, waited})) {
        connection.is_new = false;
        return true;
    }
    connection.owed -= is_owed;
    connection.is_held = true;
    held_.push_back(name_of(connection));
    return false;
}

/// Where the next message begins is unknown now. Headers that are whole can still be answered with
/// 400; then the stream ends.
void StreamSet::lose_framing(StreamConnection& connection, std::string_view rest) {
    counters_.add(Counter::stream_framing_errors_total);
    const std::string_view first_line = rest.substr(0, rest.find("\r\n"));
    const bool is_sip = first_line.find("SIP/") != std::string_view::npos;
    const size_t header_size = is_sip ? std::min(connection.framing.header_size(), rest.size()) : 0;
    if (header_size > 0) {
        static_cast<void>(
            sink_.on_stream_message({connection.flow, rest.substr(0, header_size), {}}));
    }
    drain(connection);
    // Nobody will answer: nothing more goes out.
    if (header_size == 0) mark_dirty(connection);
}

/// What is queued, and what is queued before the next write, still goes out; then the stream ends.
void StreamSet::drain(StreamConnection& connection) {
    connection.state = StreamConnection::State::Draining;
    leave_by_key(connection);
}

void StreamSet::finish_draining(StreamConnection& connection) {
    say_goodbye(connection);
    send_once(connection);
    ::shutdown(connection.descriptor.native_handle(), SHUT_WR);
}

/// Reading on until the peer closes keeps a reset from overtaking our answer.
void StreamSet::discard(Name name) {
    const int fd = connections_.get(name)->descriptor.native_handle();
    const ssize_t received = ::recv(fd, scratch_.get(), kScratchBytes, MSG_DONTWAIT);
    const bool is_over = received == 0 || (received < 0 && errno != EAGAIN && errno != EINTR);
    if (is_over) end(name, transport::FlowError::Framing);
}

void StreamSet::resume(Now now) {
    turn_ = now.monotonic;
    std::vector<Name> waiting;
    waiting.swap(held_);
    for (const Name name : waiting) {
        StreamConnection* connection = connections_.get(name);
        if (connection == nullptr) continue;
        take_input(*connection, connection->input, now.monotonic, true);
        if (!connection->is_held) await_input(name);
    }
}

StreamOutput& StreamSet::output_of(StreamConnection& connection) {
    if (!connection.output) {
        if (spare_outputs_.empty()) {
            connection.output = std::make_unique<StreamOutput>();
        } else {
            connection.output = std::move(spare_outputs_.back());
            spare_outputs_.pop_back();
        }
    }
    return *connection.output;
}

void StreamSet::mark_dirty(StreamConnection& connection) {
    if (connection.is_dirty) return;
    connection.is_dirty = true;
    dirty_.push_back(name_of(connection));
}

bool StreamSet::queue(StreamConnection& connection, std::string_view bytes, StreamOwner owner) {
    StreamOutput& output = output_of(connection);
    if (output.pending() + output.waiting.size() + bytes.size() > limits_.output_bytes_max) {
        counters_.add(Counter::stream_output_full_closed_total);
        return false;
    }
    if (!connection.layers) {
        output.bytes.append(bytes);
    } else if (!wrap(connection, bytes, output)) {
        return false;
    }
    const size_t end = output.waiting.empty() ? output.bytes.size() : StreamOutput::kWaiting;
    if (owner.id != 0) output.owned.push_back({owner, end});
    mark_dirty(connection);
    return true;
}

void StreamSet::flush() {
    do {
        send_lost_answers();
        for (size_t i = 0; i < dirty_.size(); ++i) {
            StreamConnection* connection = connections_.get(dirty_[i]);
            if (connection == nullptr) continue;
            connection->is_dirty = false;
            if (connection->state == StreamConnection::State::Connecting) continue;
            if (!connection->is_waiting_to_write) write(dirty_[i]);
        }
        dirty_.clear();
    } while (!lost_answers_.empty());
}

void StreamSet::write(Name name) {
    StreamConnection& connection = *connections_.get(name);
    if (connection.state == StreamConnection::State::Connecting) return;
    while (connection.output) {
        StreamOutput& output = *connection.output;
        if (output.pending() == 0) {
            if (!output.waiting.empty()) return;
            release_output(connection);
            break;
        }
        const ssize_t sent =
            ::send(connection.descriptor.native_handle(), output.bytes.data() + output.sent,
                   output.pending(), MSG_DONTWAIT | MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR) continue;
        if (sent < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return await_output(name);
        if (sent < 0) return end(name, transport::FlowError::Reset);
        output.sent += static_cast<size_t>(sent);
    }
    if (connection.state == StreamConnection::State::Draining) finish_draining(connection);
    const bool is_done =
        connection.state == StreamConnection::State::HalfClosed && connection.owed == 0;
    if (!is_done) return;
    // He waits for nothing more, and sees that nothing comes.
    ::shutdown(connection.descriptor.native_handle(), SHUT_WR);
    settle_answers(name);
}

/// Offers to the system what is queued, and forgets what it does not take.
void StreamSet::send_once(StreamConnection& connection) {
    if (!connection.output) return;
    StreamOutput& output = *connection.output;
    static_cast<void>(::send(connection.descriptor.native_handle(),
                             output.bytes.data() + output.sent, output.pending(),
                             MSG_DONTWAIT | MSG_NOSIGNAL));
    output.sent = output.bytes.size();
    release_output(connection);
}

void StreamSet::await_output(Name name) {
    StreamConnection& connection = *connections_.get(name);
    StreamOutput& output = *connection.output;
    if (output.sent >= kCompactBytes) {
        const size_t sent = output.sent;
        std::erase_if(output.owned, [sent](const auto& owned) { return owned.end <= sent; });
        for (StreamOutput::Owned& owned : output.owned) {
            if (owned.end != StreamOutput::kWaiting) owned.end -= sent;
        }
        output.bytes.erase(0, sent);
        output.sent = 0;
    }
    if (connection.is_waiting_to_write) return;
    connection.is_waiting_to_write = true;
    connection.descriptor.async_wait(
        descriptor_base::wait_write, [this, name](const boost::system::error_code&) {
            StreamConnection* waiting = is_ending_ ? nullptr : connections_.get(name);
            if (waiting == nullptr) return;
            static_cast<void>(sink_.begin_turn());
            waiting->is_waiting_to_write = false;
            write(name);
            sink_.end_turn();
        });
}

void StreamSet::release_output(StreamConnection& connection) {
    std::unique_ptr<StreamOutput> output = std::move(connection.output);
    output->waiting.clear();
    if (output->bytes.capacity() > kSpareBytesMax) return;
    if (spare_outputs_.size() == kSpareBuffersMax) return;
    output->bytes.clear();
    output->sent = 0;
    output->owned.clear();
    spare_outputs_.push_back(std::move(output));
}

void StreamSet::fail_output(StreamConnection& connection) {
    if (!connection.output) return;
    for (const StreamOutput::Owned& owned : connection.output->owned) {
        if (owned.end > connection.output->sent) failed_owners_.push_back(owned.owner);
    }
    release_output(connection);
}

}  // namespace signalbox::io
