// In which order and how many at a time a shard's connections are read, so that a crowd of them,
// come all at once, keeps nobody else waiting. Implements: RFC 3261 §18.3
#include <boost/asio/post.hpp>

#include "io/stream_set.h"

namespace signalbox::io {

namespace {

/// A turn of the streams is over after a few milliseconds: datagrams and the other shards come
/// between two of them.
constexpr int kReadsPerTurn = 64;      // 20 to 40 microseconds each
constexpr int kNewcomersPerTurn = 32;  // the same
constexpr int kHandshakesPerTurn = 4;  // a third of a millisecond to one each
/// So many events at a time are a crowd, behind which others may stand: the reactor hands out 128.
constexpr uint32_t kCrowdMin = 64;
constexpr int kReadsBesideCrowd = 8;  // while it still comes

}  // namespace

void StreamSet::await_input(Name name) {
    connections_.get(name)->descriptor.async_wait(
        descriptor_base::wait_read, [this, name](const boost::system::error_code&) {
            if (!is_ending_ && connections_.get(name) != nullptr) line_up(name);
        });
}

/// Nothing is read yet: the reactor gives its events in the order in which they happened, and a
/// datagram behind those of ten thousand connections would wait for all of these.
void StreamSet::line_up(Name name) {
    const StreamConnection& connection = *connections_.get(name);
    const bool is_dear =
        connection.state == StreamConnection::State::Handshaking && connection.layers->tls;
    WaitingLine<Waiting>& for_new = is_dear ? handshakes_ : newcomers_;
    // For one that we open somebody's request waits.
    (connection.is_new ? for_new : readable_).push({name, sink_.time()});
    ++lined_up_;
    post_turn();
}

void StreamSet::post_turn() {
    if (is_turn_posted_) return;
    is_turn_posted_ = true;
    asio::post(context_, [this] {
        is_turn_posted_ = false;
        if (!is_ending_) take_turn();
    });
}

void StreamSet::take_turn() {
    const bool is_crowd = std::exchange(lined_up_, 0) >= kCrowdMin;
    turn_ = sink_.begin_turn().monotonic;
    // A crowd may come for as long as it likes: who is no part of it goes on meanwhile.
    read_some(readable_, is_crowd ? kReadsBesideCrowd : kReadsPerTurn);
    if (!is_crowd) {
        read_some(newcomers_, kNewcomersPerTurn);
        read_some(handshakes_, kHandshakesPerTurn);
        accept_put_off();
    }
    sink_.end_turn();
    if (is_anyone_waiting()) post_turn();
}

bool StreamSet::is_anyone_waiting() const {
    return !readable_.is_empty() || !newcomers_.is_empty() || !handshakes_.is_empty();
}

void StreamSet::read_some(WaitingLine<Waiting>& line, int count) {
    for (; count > 0 && !line.is_empty(); --count) {
        const Waiting first = line.pop();
        const StreamConnection* const connection = connections_.get(first.name);
        if (connection == nullptr) continue;
        // How long a newcomer waits tells how many came at once. Nobody else waits for them, and
        // nobody is to be refused because of them.
        waited_ = connection->is_new ? Duration{} : turn_ - first.since;
        input_ready(first.name, turn_);
        waited_ = {};
    }
}

/// True while so many handshakes wait that none should be begun.
bool StreamSet::is_to_put_off(const Listening& entry) const {
    return transport::is_secure(entry.transport) &&
           handshakes_.size() >= limits_.handshakes_waiting_max;
}

void StreamSet::accept_put_off() {
    if (!is_accept_put_off_ || handshakes_.size() > limits_.handshakes_waiting_max / 2) return;
    is_accept_put_off_ = false;
    for (size_t index = 0; index < listening_.size(); ++index) {
        if (!std::exchange(listening_[index].is_put_off, false)) continue;
        await_accept(index);
    }
}

}  // namespace signalbox::io
