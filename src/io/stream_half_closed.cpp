// A TCP peer that sends no more: whether he still reads is seen when he is answered.
// Implements: RFC 3261 §18.2.2; RFC 3263 §5
#include <linux/sockios.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "io/stream_set.h"

namespace signalbox::io {

namespace {

enum class Taken : uint8_t { Yes, No, NotYet };

/// Whether the peer's system has all that was written; NotYet: it has not said so, or more may be
/// written.
Taken is_taken(int fd) {
    int error = 0;
    socklen_t size = sizeof(error);
    if (::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0 || error != 0) return Taken::No;
    tcp_info info{};
    size = sizeof(info);
    const bool is_known = ::getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) == 0;
    return is_known && info.tcpi_state == TCP_CLOSE ? Taken::Yes : Taken::NotYet;
}

/// True when all that was written has been acknowledged.
bool is_acknowledged(int fd) {
    int unacknowledged = 0;
    return ::ioctl(fd, SIOCOUTQ, &unacknowledged) == 0 && unacknowledged == 0;
}

}  // namespace

/// Deviation: RFC 3261 §18.2.2 — a response that was written before the close of its peer was seen
/// is the system's, which does not say that it was refused: a copy of each response over TCP until
/// it is acknowledged costs more than the few who close at once are worth.
/// The end of what a TCP peer sends: he may have closed his connection, or have closed one way of
/// it and still read. Answers that he waits for are tried (RFC 3261 §18.2.2); his bindings lose
/// their flow at once. TLS and WebSocket say when they close, and end with that.
void StreamSet::peer_sends_no_more(Name name, Instant now) {
    StreamConnection& connection = *connections_.get(name);
    const bool is_awaited = (connection.is_proven && connection.owed > 0) || connection.output;
    const bool is_open = connection.state == StreamConnection::State::Open && !connection.layers;
    if (!is_awaited || !is_open) return end(name, transport::FlowError::ClosedByPeer);
    counters_.add(Counter::stream_half_closed_total);
    connection.state = StreamConnection::State::HalfClosed;
    connection.begun = now;
    give_spare(std::move(connection.input));
    leave_by_key(connection);
    closed_.push_back({connection.flow, transport::FlowError::ClosedByPeer});
    connection.was_open = false;
}

/// What is owed decides how long a connection stays whose peer sends no more.
void StreamSet::note_answer(StreamConnection& connection, Instant now, Message message) {
    if (message == Message::Request) return;
    if (message == Message::Final && connection.owed > 0) --connection.owed;
    if (connection.state == StreamConnection::State::HalfClosed) connection.begun = now;
}

/// Until the peer's system has acknowledged it, a response may still be refused. Those that it has
/// are forgotten first: what is kept is no more than the output's limit and the socket's buffer.
void StreamSet::keep_answer(StreamConnection& connection, const transport::Flow& flow,
                            std::string_view bytes, StreamOwner owner) {
    auto& untaken = connection.untaken;
    if (!untaken) untaken = std::make_unique<std::vector<StreamAnswer>>();
    const bool is_all_written = connection.output->pending() == bytes.size();
    if (is_all_written && is_acknowledged(connection.descriptor.native_handle())) untaken->clear();
    untaken->push_back({flow, std::string(bytes), owner});
    untaken->back().flow.connection = transport::Flow::kNoConnection;
}

/// Ends the connection when its fate is known: a peer who has closed both ways resets it when he is
/// written to, and that must not take the answers along.
void StreamSet::settle_answers(Name name) {
    StreamConnection& connection = *connections_.get(name);
    switch (is_taken(connection.descriptor.native_handle())) {
        case Taken::Yes:
            return end(name, transport::FlowError::ClosedByPeer);
        case Taken::No:
            return end(name, transport::FlowError::Reset);
        case Taken::NotYet:
            return;
    }
}

/// Who owns one learns of its second try only.
void StreamSet::lose_answers(StreamConnection& connection, transport::FlowError why) {
    if (!connection.untaken || why != transport::FlowError::Reset) return;
    for (StreamAnswer& answer : *connection.untaken) {
        if (connection.output) {
            std::erase_if(connection.output->owned, [&answer](const StreamOutput::Owned& owned) {
                return owned.owner == answer.owner;
            });
        }
        lost_answers_.push_back(std::move(answer));
    }
}

/// Once more, by another connection: to the source of the request at the port of its sent-by. That
/// connection keeps none for a third time.
void StreamSet::send_lost_answers() {
    std::vector<StreamAnswer> lost;
    lost.swap(lost_answers_);
    for (const StreamAnswer& answer : lost) {
        counters_.add(Counter::stream_answers_sent_again_total);
        send(turn_, answer.flow, answer.bytes, answer.owner);
    }
}

}  // namespace signalbox::io
