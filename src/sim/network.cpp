// The network between the hosts of a world.
#include "sim/network.h"

#include <algorithm>
#include <utility>

namespace signalbox::sim {

Duration Network::delay() {
    const auto span = static_cast<uint64_t>((faults_.delay_max - faults_.delay_min).count());
    return faults_.delay_min + Duration(static_cast<int64_t>(random_.below(span + 1)));
}

void Network::send_datagram(const Endpoint& from, const Endpoint& to, std::string_view bytes) {
    const Instant now = queue_.now().monotonic;
    const bool is_lost = random_.below(1000) < faults_.loss_permille;
    const bool is_doubled = random_.below(1000) < faults_.duplicate_permille;
    const bool is_late = random_.below(1000) < faults_.late_permille;
    trace_.message(now, from.address, to.address, bytes,
                   is_lost      ? "LOST"
                   : is_doubled ? "DOUBLED"
                   : is_late    ? "LATE"
                                : "");
    if (is_lost) return;
    const Duration late = is_late ? std::chrono::milliseconds(random_.below(1000)) : Duration{};
    deliver(from, to, std::string(bytes), delay() + late);
    if (is_doubled) deliver(from, to, std::string(bytes), delay() + delay());
}

void Network::deliver(const Endpoint& from, const Endpoint& to, std::string bytes, Duration after) {
    queue_.after(after, [this, from, to, bytes = std::move(bytes)] {
        const auto found = hosts_.find(to);
        if (found != hosts_.end()) found->second->on_datagram(from, to, bytes);
    });
}

StreamId Network::connect(Host& host, const Endpoint& local, const Endpoint& remote) {
    const StreamId id = next_stream_++;
    Stream& stream = streams_[id];
    stream.a.host = &host;
    stream.a.endpoint = local;
    stream.b.endpoint = remote;
    queue_.after(delay(), [this, id] { accept(id); });
    return id;
}

void Network::accept(StreamId id) {
    const auto found = streams_.find(id);
    if (found == streams_.end()) return;
    Stream& stream = found->second;
    if (stream.a.has_left) {
        streams_.erase(found);
        return;
    }
    const auto host = hosts_.find(stream.b.endpoint);
    if (host == hosts_.end() || !host->second->accepts_streams()) {
        end_for(id, true, StreamEnd::Refused, queue_.now().monotonic + delay());
        return;
    }
    stream.b.host = host->second;
    stream.is_open = true;
    stream.b.last_arrival = queue_.now().monotonic;
    const Instant back = queue_.now().monotonic + delay();
    stream.a.last_arrival = back;
    queue_.at(back, [this, id] { opened(id); });
    stream.b.host->on_stream_open(id, stream.b.endpoint, stream.a.endpoint, true);
}

void Network::opened(StreamId id) {
    const auto found = streams_.find(id);
    if (found == streams_.end() || found->second.a.has_left) return;
    const Stream& stream = found->second;
    stream.a.host->on_stream_open(id, stream.a.endpoint, stream.b.endpoint, false);
}

void Network::send_stream(StreamId id, Host& from, std::string_view bytes) {
    const auto found = streams_.find(id);
    if (found == streams_.end() || !found->second.is_open) return;
    const bool to_b = found->second.a.host == &from;
    Side& near = to_b ? found->second.a : found->second.b;
    Side& far = to_b ? found->second.b : found->second.a;
    trace_.message(queue_.now().monotonic, near.endpoint.address, far.endpoint.address, bytes,
                   far.has_left ? "(stream has ended)" : "(stream)");
    while (!bytes.empty() && !far.has_left) {
        const size_t whole = bytes.size();
        const size_t size = random_.below(4) == 0 ? 1 + random_.below(whole) : whole;
        far.last_arrival = std::max(far.last_arrival, queue_.now().monotonic + delay());
        queue_.at(far.last_arrival, [this, id, to_b, chunk = std::string(bytes.substr(0, size))] {
            const auto live = streams_.find(id);
            if (live == streams_.end()) return;
            const Side& side = to_b ? live->second.b : live->second.a;
            if (!side.has_left) side.host->on_stream_bytes(id, chunk);
        });
        bytes.remove_prefix(size);
    }
}

void Network::close_stream(StreamId id, Host& from) {
    const auto found = streams_.find(id);
    if (found == streams_.end()) return;
    const bool by_a = found->second.a.host == &from;
    Side& near = by_a ? found->second.a : found->second.b;
    Side& far = by_a ? found->second.b : found->second.a;
    near.has_left = true;
    far.last_arrival = std::max(far.last_arrival, queue_.now().monotonic + delay());
    end_for(id, !by_a, StreamEnd::Closed, far.last_arrival);
}

void Network::reset_stream(StreamId id, Host& from) {
    const auto found = streams_.find(id);
    if (found == streams_.end()) return;
    const bool by_a = found->second.a.host == &from;
    (by_a ? found->second.a : found->second.b).has_left = true;
    end_for(id, !by_a, StreamEnd::Reset, queue_.now().monotonic + delay());
}

void Network::end_for(StreamId id, bool is_a, StreamEnd why, Instant at) {
    queue_.at(at, [this, id, is_a, why] {
        const auto found = streams_.find(id);
        if (found == streams_.end()) return;
        Side& side = is_a ? found->second.a : found->second.b;
        Host* const host = side.has_left ? nullptr : side.host;
        streams_.erase(found);
        if (host != nullptr) host->on_stream_end(id, why);
    });
}

}  // namespace signalbox::sim
