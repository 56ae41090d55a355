// What a core wants done after a turn, in the order that keeps promises: the journal first, then
// the other shards, then the sockets, then the rest. Implements: RFC 3261 §18.1.1, §18.2.2, §18.4
#include "node/shard.h"

namespace signalbox::node {

void Shard::empty_outbox() {
    append_journal();
    announce_domains();
    send_shard_messages();
    send_all();
    for (const ports::DnsRequest& request : outbox_.dns_requests) {
        resolver_.resolve(now_.monotonic, request.id, request.question);
    }
    for (const transport::Flow& flow : outbox_.flows_to_close) close_flow(flow);
    report();
    outbox_.clear();
}

/// Before the sockets: who reads in an answer that its phone was heard at another place may send to
/// it at once, by any shard.
void Shard::send_shard_messages() {
    if (outbox_.shard_message_count() == 0) return;
    for (size_t i = 0; i < outbox_.shard_message_count(); ++i) {
        RingEntry entry;
        entry.kind = RingKind::ShardMessage;
        entry.bytes = outbox_.shard_message_bytes(i);
        // Its asker has a deadline of its own for the answer.
        if (!push(outbox_.shard_message_to(i), entry)) {
            counters_.add(Counter::steering_ring_full_dropped_total);
        }
    }
    wake_peers();
}

void Shard::append_journal() {
    for (size_t i = 0; i < outbox_.journal_count(); ++i) {
        // What cannot be written waits in the journal's memory, and is counted there when even that
        // is full: calls go on.
        static_cast<void>(setup_.journal->append(outbox_.journal_event(i)));
    }
}

/// Before anything is sent to them: any shard may have to open the connection.
void Shard::announce_domains() {
    for (const std::string& domain : outbox_.tls_domains) {
        if (!streams_.learn_domain(domain)) continue;
        RingEntry entry;
        entry.kind = RingKind::TlsDomain;
        entry.bytes = domain;
        for (uint8_t to = 0; to < setup_.count; ++to) {
            if (to == setup_.index) continue;
            if (!push(to, entry)) counters_.add(Counter::steering_ring_full_dropped_total);
        }
    }
}

void Shard::send_all() {
    for (const transport::Transmit& transmit : outbox_.transmits.list()) {
        if (transmit.flow.transport == transport::Transport::Udp) {
            send_datagram(transmit);
        } else {
            send_stream(transmit);
        }
    }
    for (Listening& listening : listening_) {
        if (!listening.is_dirty) continue;
        listening.is_dirty = false;
        listening.socket->flush(counters_, failed_datagrams_);
    }
    streams_.flush();
}

void Shard::send_datagram(const transport::Transmit& transmit) {
    const transport::Flow& flow = transmit.flow;
    if (flow.listener >= listening_.size() || !listening_[flow.listener].socket) {
        counters_.add(Counter::tx_failed_total);
        if (transmit.owner != 0) failed_datagrams_.push_back(transmit.owner);
        return;
    }
    Listening& listening = listening_[flow.listener];
    listening.is_dirty = true;
    listening.socket->send(flow.local, flow.remote, outbox_.transmits.bytes(transmit),
                           transmit.owner, counters_, failed_datagrams_);
}

void Shard::send_stream(const transport::Transmit& transmit) {
    const transport::Flow& flow = transmit.flow;
    const std::string_view bytes = outbox_.transmits.bytes(transmit);
    const bool is_own = flow.shard == setup_.index || flow.shard >= setup_.count ||
                        flow.connection == transport::Flow::kNoConnection;
    if (is_own) {
        streams_.send(now_.monotonic, flow, bytes, {transmit.owner, setup_.index},
                      transmit.connect_max);
        return;
    }
    RingEntry entry;
    entry.kind = RingKind::StreamOutput;
    entry.owner = transmit.owner;
    entry.flow = flow;
    entry.bytes = bytes;
    if (push(flow.shard, entry)) return;
    counters_.add(Counter::steering_ring_full_dropped_total);
    if (transmit.owner != 0) failing_.push_back({transmit.owner, setup_.index});
}

void Shard::close_flow(const transport::Flow& flow) {
    if (flow.transport == transport::Transport::Udp) return;
    if (flow.shard == setup_.index) {
        streams_.close(flow, transport::FlowError::Shutdown);
        return;
    }
    RingEntry entry;
    entry.kind = RingKind::CloseFlow;
    entry.why = transport::FlowError::Shutdown;
    entry.flow = flow;
    if (!push(flow.shard, entry)) counters_.add(Counter::steering_ring_full_dropped_total);
}

void Shard::report() {
    const bool is_nothing = outbox_.replies.empty() && outbox_.released_snapshots.empty() &&
                            streams_.notices().empty() && outbox_.level_changes.empty();
    if (is_nothing) return;
    ShardReport report{setup_.index, std::move(outbox_.replies),
                       std::move(outbox_.released_snapshots), std::move(streams_.notices()),
                       outbox_.level_changes};
    streams_.notices().clear();
    for (ports::CommandReply& reply : report.replies) {
        if (auto* stats = std::get_if<ports::StatsReply>(&reply.value)) add_own_counts(*stats);
    }
    setup_.report(std::move(report));
    outbox_.replies.clear();
    outbox_.released_snapshots.clear();
}

void Shard::add_own_counts(ports::StatsReply& reply) const {
    Counters own = counters_;
    setup_.journal->add_counters(own);
    // Each core counts a reload that it took; the main thread counts it once.
    reply.counters[static_cast<size_t>(Counter::config_reloads_total)] = 0;
    for (size_t i = 0; i < kCounters; ++i) reply.counters[i] += own.values()[i];
    reply.is_idle = reply.is_idle && streams_.is_flushed();
}

/// Tells the core what came of its wishes; false when there was nothing to tell.
bool Shard::feed_back() {
    failing_.insert(failing_.end(), streams_.failed_owners().begin(),
                    streams_.failed_owners().end());
    streams_.failed_owners().clear();
    closing_.swap(streams_.closed());
    const bool is_anything = !failing_.empty() || !closing_.empty() || !failed_datagrams_.empty() ||
                             !resolver_.answers().empty();
    for (const uint64_t owner : failed_datagrams_) {
        core_->on_port_reply(now_, ports::TransmitFailed{owner}, outbox_);
    }
    failed_datagrams_.clear();
    for (const io::StreamOwner& owner : failing_) {
        if (owner.shard == setup_.index) {
            core_->on_port_reply(now_, ports::TransmitFailed{owner.id}, outbox_);
            continue;
        }
        RingEntry entry;
        entry.kind = RingKind::TransmitFailed;
        entry.owner = owner.id;
        if (!push(owner.shard, entry)) counters_.add(Counter::steering_ring_full_dropped_total);
    }
    failing_.clear();
    for (const io::ClosedStream& closed : closing_) {
        core_->on_flow_closed(now_, closed.flow, closed.why, outbox_);
        RingEntry entry;
        entry.kind = RingKind::FlowClosed;
        entry.why = closed.why;
        entry.flow = closed.flow;
        for (uint8_t to = 0; to < setup_.count; ++to) {
            if (to == setup_.index) continue;
            if (!push(to, entry)) counters_.add(Counter::steering_ring_full_dropped_total);
        }
    }
    closing_.clear();
    for (io::DnsAnswer& answer : resolver_.answers()) {
        core_->on_port_reply(now_, ports::DnsReply{answer.id, std::move(answer.records)}, outbox_);
    }
    resolver_.answers().clear();
    return is_anything;
}

bool Shard::push(uint8_t to, const RingEntry& entry) {
    if (to >= peers_.size() || peers_[to].outgoing == nullptr) return false;
    peers_[to].is_to_wake = true;
    return peers_[to].outgoing->push(entry);
}

/// One wake-up a turn for each shard that got something.
void Shard::wake_peers() {
    for (Peer& peer : peers_) {
        if (!peer.is_to_wake) continue;
        peer.is_to_wake = false;
        peer.shard->wake_up_.signal();
    }
}

}  // namespace signalbox::node
