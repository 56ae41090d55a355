// The loop of a shard: what wakes it, and how a turn begins and ends.
// Implements: RFC 3261 §18 (the transport layer's input and output)
#include "node/shard.h"

#include <pthread.h>
#include <sys/random.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <utility>

namespace signalbox::node {

namespace {

constexpr size_t kRingEntriesPerTurn = 256;
constexpr Duration kHeldRetry = std::chrono::milliseconds(1);
constexpr Duration kJournalRetry = std::chrono::milliseconds(50);
constexpr int kFeedBackMax = 16;
/// What a wait counts as whose length nobody knows: a full buffer has lost what came next.
constexpr Duration kFullBufferDelay = std::chrono::milliseconds(100);
/// A turn that takes longer takes fewer datagrams the next time: nothing is sent before its end,
/// and the wait of a message is known no more exactly than a turn is long.
constexpr Duration kTurnMax = std::chrono::milliseconds(10);
constexpr size_t kBatchMin = 4;
constexpr Duration kTurnDelayInterval = std::chrono::milliseconds(10);
constexpr Duration kTurnDelayLifetime = std::chrono::milliseconds(100);

std::array<uint64_t, 2> system_seed() {
    std::array<uint64_t, 2> seed{};
    CHECK(::getrandom(seed.data(), sizeof(seed), 0) == sizeof(seed));
    return seed;
}

io::StreamLimits stream_limits(const ports::Snapshot& snapshot, uint8_t shards) {
    io::StreamLimits limits;
    limits.connections_max = std::max(1u, snapshot.limits.connections_max / shards);
    limits.connect_timeout = snapshot.limits.connect_timeout;
    limits.idle_timeout = snapshot.limits.stream_idle_timeout;
    limits.dead_timeout = snapshot.limits.stream_dead_timeout;
    limits.message_timeout = snapshot.limits.message_timeout;
    // Nobody owes an answer for longer: a phone may ring for so long, then it is cancelled.
    limits.half_closed_timeout = snapshot.timers.c + snapshot.timers.b;
    limits.handshake_timeout = snapshot.limits.handshake_timeout;
    limits.first_message_timeout = snapshot.limits.first_message_timeout;
    limits.connections_per_source = snapshot.limits.connections_per_source;
    // Who is known by his certificate is not known before the handshake.
    for (const ports::PeerMatch& peer : snapshot.trusted) {
        if (peer.network && peer.identity.empty()) limits.exempt.push_back(*peer.network);
    }
    return limits;
}

}  // namespace

Shard::Shard(ShardSetup setup)
    : setup_(std::move(setup)),
      wake_descriptor_(context_, ::dup(wake_up_.fd())),
      peers_(setup_.count),
      keys_(setup_.keys),
      listening_(setup_.snapshot->listeners.size()),
      streams_(context_, setup_.index, stream_limits(*setup_.snapshot, setup_.count), counters_,
               *this),
      resolver_(
          context_, setup_.dns, counters_,
          [](void* shard) {
              static_cast<Shard*>(shard)->begin_turn();
              static_cast<Shard*>(shard)->end_turn();
          },
          this) {
    setup_.keys.clear();
    if (setup_.sources != nullptr) streams_.share_sources(*setup_.sources);
    now_ = io::read_clocks();
    core::CoreSetup core;
    core.node = setup_.node;
    core.shard = setup_.index;
    core.shards = setup_.count;
    core.seed = system_seed();
    core.keys = &keys_;
    core.snapshot = setup_.snapshot;
    core_ = std::make_unique<core::SipCore>(now_, core);
}

Shard::~Shard() {
    stop();
    join();
}

void Shard::connect(Shard& peer, Ring& outgoing, Ring& incoming) {
    peers_[peer.index()] = {&peer, &outgoing, &incoming, false};
}

void Shard::start(std::vector<ShardSocket> sockets) {
    open(std::move(sockets));
    thread_ = std::thread([this] {
        ::pthread_setname_np(::pthread_self(), ("shard-" + std::to_string(setup_.index)).c_str());
        run();
    });
}

void Shard::post(ports::Command command) {
    mailbox_.put(std::move(command));
    wake_up_.signal();
}

void Shard::secure(std::vector<io::StreamSecurity> listeners) {
    securities_.put(std::move(listeners));
    wake_up_.signal();
}

void Shard::stop() {
    is_stopping_.store(true, std::memory_order_release);
    wake_up_.signal();
}

void Shard::join() {
    if (thread_.joinable()) thread_.join();
}

void Shard::open(std::vector<ShardSocket> sockets) {
    for (ShardSocket& entry : sockets) {
        if (entry.transport != transport::Transport::Udp) {
            streams_.add_listener(entry.listener, entry.bound, std::move(entry.socket),
                                  entry.transport, std::move(entry.security));
            continue;
        }
        Listening& listening = listening_[entry.listener];
        // The reactor owns and closes a second descriptor of the same socket.
        listening.descriptor =
            std::make_unique<io::Descriptor>(context_, ::dup(entry.socket.get()));
        listening.socket = std::make_unique<io::UdpSocket>(std::move(entry.socket), entry.bound);
        listening.emptied = now_.monotonic;
    }
}

void Shard::run() {
    begin_turn();
    take_commands();
    end_turn();
    await_wake_up();
    for (size_t listener = 0; listener < listening_.size(); ++listener) {
        if (listening_[listener].socket) await_datagrams(listener);
    }
    while (!is_stopping_.load(std::memory_order_acquire)) {
        const Instant deadline = next_deadline();
        if (deadline <= io::read_clocks().monotonic) {
            on_time();
            context_.poll_one();
        } else if (deadline == kNever) {
            context_.run_one();
        } else {
            context_.run_one_until(
                std::chrono::steady_clock::time_point(deadline.time_since_epoch()));
        }
    }
}

Instant Shard::next_deadline() const {
    Instant next = std::min({core_->next_deadline(), streams_.next_deadline(),
                             resolver_.next_deadline(), journal_retry_});
    if (streams_.has_held()) next = std::min(next, now_.monotonic + kHeldRetry);
    return next;
}

void Shard::on_time() {
    begin_turn();
    if (core_->next_deadline() <= now_.monotonic) core_->on_time(now_, outbox_);
    streams_.on_time(now_.monotonic);
    if (resolver_.next_deadline() <= now_.monotonic) resolver_.on_time(now_.monotonic);
    if (streams_.has_held()) streams_.resume(now_);
    if (journal_retry_ <= now_.monotonic) {
        const bool is_whole = setup_.journal->write_waiting();
        journal_retry_ = is_whole ? kNever : now_.monotonic + kJournalRetry;
    }
    end_turn();
}

void Shard::await_datagrams(size_t listener) {
    listening_[listener].descriptor->async_wait(
        io::descriptor_base::wait_read, [this, listener](const boost::system::error_code& error) {
            if (!error) receive_datagrams(listener);
        });
}

void Shard::receive_datagrams(size_t listener) {
    begin_turn();
    Listening& listening = listening_[listener];
    const io::UdpSocket& socket = *listening.socket;
    const size_t count = receiver_.receive(socket, batch_);
    for (size_t i = 0; i < count; ++i) {
        const io::Datagram datagram = receiver_.datagram(socket, i);
        if (datagram.remote.address.family == Family::None) {
            counters_.add(Counter::rx_dropped_malformed_total);
            continue;
        }
        transport::Flow flow;
        flow.shard = setup_.index;
        flow.listener = static_cast<uint16_t>(listener);
        flow.local = datagram.local;
        flow.remote = datagram.remote;
        if (!route({flow, datagram.bytes, waited_of(listening, datagram)})) {
            counters_.add(Counter::steering_ring_full_dropped_total);
        }
    }
    const bool is_full = count == batch_;
    if (!is_full) listening.emptied = now_.monotonic;
    end_turn();
    if (is_full) fit_batch();
    await_datagrams(listener);
}

void Shard::fit_batch() {
    const bool is_long = io::read_clocks().monotonic - now_.monotonic > kTurnMax;
    batch_ = is_long ? std::max(batch_ / 2, kBatchMin) : std::min(batch_ * 2, io::kDatagramBatch);
}

Duration Shard::waited_of(Listening& listening, const io::Datagram& datagram) {
    Duration waited{};
    if (datagram.stamped) waited = io::queue_delay(now_, *datagram.stamped, listening.emptied);
    const uint32_t lost = datagram.lost - std::exchange(listening.lost, datagram.lost);
    // A buffer that is small overflows before anything in it is old.
    if (lost == 0) return waited;
    counters_.add(Counter::rx_socket_full_dropped_total, lost);
    return std::max(waited, kFullBufferDelay);
}

bool Shard::on_stream_message(const transport::Packet& packet) {
    transport::Packet late = packet;
    late.waited += stream_delay();
    return route(late);
}

/// How long the reactor takes to come to what is ready, for a stream on top of its time in the
/// line. No timestamp tells it, so that it is measured now and then, by something that queues
/// behind all that is ready.
Duration Shard::stream_delay() {
    const Duration since = now_.monotonic - asked_for_turn_;
    if (!is_awaiting_turn_ && since >= kTurnDelayInterval) {
        is_awaiting_turn_ = true;
        asked_for_turn_ = now_.monotonic;
        boost::asio::post(context_, [this] {
            is_awaiting_turn_ = false;
            turn_delay_ = io::read_clocks().monotonic - asked_for_turn_;
        });
    }
    return since < kTurnDelayLifetime ? turn_delay_ : Duration{};
}

/// False when the packet belongs to another shard whose ring is full.
bool Shard::route(const transport::Packet& packet) {
    if (setup_.count > 1) {
        // To find the owner is to read it.
        if (core_->drops_unread(now_, packet, outbox_)) {
            counters_.add(Counter::rx_packets_total);
            return true;
        }
        const uint8_t owner = core::owner_shard(packet.bytes, setup_.count, setup_.index);
        if (owner != setup_.index) {
            RingEntry entry;
            entry.arrived = now_.monotonic - packet.waited;
            entry.flow = packet.flow;
            entry.bytes = packet.bytes;
            if (!push(owner, entry)) return false;
            counters_.add(Counter::steered_packets_total);
            return true;
        }
    }
    core_->on_packet(now_, {packet.flow, packet.bytes, packet.waited, setup_.count > 1}, outbox_);
    return true;
}

void Shard::await_wake_up() {
    wake_descriptor_.async_wait(io::descriptor_base::wait_read,
                                [this](const boost::system::error_code& error) {
                                    if (!error) on_wake_up();
                                });
}

void Shard::on_wake_up() {
    begin_turn();
    wake_up_.acknowledge();
    take_securities();
    take_commands();
    take_rings();
    end_turn();
    await_wake_up();
}

void Shard::take_commands() {
    for (ports::Command& command : mailbox_.take()) {
        if (const auto* install = std::get_if<ports::InstallSnapshot>(&command)) {
            streams_.set_limits(stream_limits(*install->snapshot, setup_.count));
        }
        core_->on_command(now_, std::move(command), outbox_);
    }
}

void Shard::take_securities() {
    for (std::vector<io::StreamSecurity>& listeners : securities_.take()) {
        for (size_t listener = 0; listener < listeners.size(); ++listener) {
            streams_.secure(static_cast<uint16_t>(listener), std::move(listeners[listener]));
        }
    }
}

void Shard::take_rings() {
    bool is_more_waiting = false;
    for (size_t from = 0; from < peers_.size(); ++from) {
        Ring* const ring = peers_[from].incoming;
        if (ring == nullptr) continue;
        ring->consume(kRingEntriesPerTurn, [this, from](const RingEntry& entry) {
            take(static_cast<uint8_t>(from), entry);
        });
        is_more_waiting = is_more_waiting || !ring->is_empty();
    }
    if (is_more_waiting) wake_up_.signal();
}

void Shard::take(uint8_t from, const RingEntry& entry) {
    switch (entry.kind) {
        case RingKind::Packet:
            core_->on_packet(now_, {entry.flow, entry.bytes, now_.monotonic - entry.arrived},
                             outbox_);
            break;
        case RingKind::StreamOutput:
            streams_.send(now_.monotonic, entry.flow, entry.bytes, {entry.owner, from});
            break;
        case RingKind::TransmitFailed:
            core_->on_port_reply(now_, ports::TransmitFailed{entry.owner}, outbox_);
            break;
        case RingKind::ShardMessage:
            core_->on_port_reply(now_, ports::ShardMessageIn{from, entry.bytes}, outbox_);
            break;
        case RingKind::FlowClosed:
            core_->on_flow_closed(now_, entry.flow, entry.why, outbox_);
            break;
        case RingKind::CloseFlow:
            streams_.close(entry.flow, entry.why);
            break;
        case RingKind::TlsDomain:
            streams_.learn_domain(entry.bytes);
            break;
    }
}

Now Shard::begin_turn() {
    now_ = io::read_clocks();
    return now_;
}

void Shard::end_turn() {
    empty_outbox();
    for (int round = 0; round < kFeedBackMax && feed_back(); ++round) empty_outbox();
    if (setup_.journal->is_waiting() && journal_retry_ == kNever) {
        journal_retry_ = now_.monotonic + kJournalRetry;
    }
    wake_peers();
}

}  // namespace signalbox::node
