// The server in a simulated world: cores, their outboxes and commands.
#include "sim/server.h"

#include <algorithm>
#include <deque>
#include <utility>

#include "base/check.h"
#include "cdr/call_fold.h"
#include "ports/sharding.h"

namespace signalbox::sim {

namespace {

/// A core must come to rest: more calls of on_time() at one moment are a fault.
constexpr int kBatchesMax = 10'000;

}  // namespace

struct Server::Shard {
    crypto::TokenKeys keys;
    core::SipCore core;
    ports::Outbox out;
    Instant wake = kNever;
    std::deque<Arrived> input;
    bool is_working = false;

    Shard(Now now, core::CoreSetup setup, std::span<const crypto::TokenKey> key_list)
        : keys(key_list), core(now, with_keys(setup)) {}
    core::CoreSetup with_keys(core::CoreSetup setup) const {
        setup.keys = &keys;
        return setup;
    }
};

Server::Server(ServerSetup setup, EventQueue& queue, Network& network, Random random,
               TurnWatcher& watcher)
    : setup_(std::move(setup)),
      queue_(queue),
      network_(network),
      random_(random),
      watcher_(watcher) {
    crypto::TokenKey key;
    key.id = 1;
    for (uint8_t& octet : key.secret) octet = static_cast<uint8_t>(random_.below(256));
    key.not_after = WallTime::max();
    keys_.push_back(key);
}

Server::~Server() = default;

void Server::start(std::unique_ptr<ports::Snapshot> snapshot) {
    CHECK(shards_.empty());
    ++incarnation_;
    snapshots_.clear();
    snapshots_.push_back({std::move(snapshot), setup_.shards});
    for (uint8_t i = 0; i < setup_.shards; ++i) {
        core::CoreSetup core;
        core.node = 1;
        core.shard = i;
        core.shards = setup_.shards;
        core.seed = {random_.next(), random_.next()};
        core.snapshot = snapshots_.back().snapshot.get();
        core.coverage = setup_.coverage;
        shards_.push_back(std::make_unique<Shard>(queue_.now(), core, keys_));
    }
    restore();
    network_.attach(setup_.address, *this);
}

void Server::kill() {
    network_.detach(setup_.address);
    shards_.clear();
    for (const auto& [stream, connection] : connections_) network_.reset_stream(stream, *this);
    connections_.clear();
    generations_.clear();
    free_numbers_.clear();
}

void Server::reload(std::unique_ptr<ports::Snapshot> snapshot) {
    const ports::Snapshot* const next = snapshot.get();
    snapshots_.push_back({std::move(snapshot), setup_.shards});
    for (uint8_t i = 0; i < setup_.shards; ++i) {
        by_ring(i, [this, i, next] { command(i, ports::InstallSnapshot{next}); });
    }
}

void Server::restore() {
    std::vector<ports::UpdateUsers> users(setup_.shards);
    std::vector<ports::RestoreBindings> bindings(setup_.shards);
    std::vector<ports::RestoreCalls> calls(setup_.shards);
    for (const ports::UserRecord& user : setup_.users) {
        users[ports::shard_of_aor(user.tenant, user.name, setup_.shards)].users.push_back(user);
    }
    cdr::CallFold fold;
    std::map<std::pair<ports::TenantId, std::string>, ports::BindingsEvent> last;
    uint64_t highest_call = 0;
    for (const std::string& event : journal_) {
        fold.apply(event);
        if (const auto header = ports::decode_header(event))
            highest_call = std::max(highest_call, header->call);
        if (auto change = ports::decode_bindings_event(event)) {
            last[{change->header.tenant, change->aor}] = std::move(*change);
        }
    }
    for (auto& [key, event] : last) {
        const uint8_t shard = ports::shard_of_aor(key.first, key.second, setup_.shards);
        bindings[shard].bindings.push_back(std::move(event));
    }
    for (ports::RestoreCalls& shard : calls) shard.highest_number = highest_call;
    for (ports::OpenCall& call : fold.open_calls()) {
        calls[ports::shard_of_call_id(call.call_id, setup_.shards)].calls.push_back(call);
    }
    for (uint8_t i = 0; i < setup_.shards; ++i) {
        command(i, std::move(users[i]));
        command(i, std::move(bindings[i]));
        command(i, std::move(calls[i]));
    }
}

void Server::turn(uint8_t shard, const transport::Packet* packet, const CoreCall& call) {
    Shard& own = *shards_[shard];
    const auto dropped = [&own] {
        return own.core.counters().value(Counter::overload_dropped_unread_total) +
               own.core.counters().value(Counter::overload_dropped_unanswered_total);
    };
    const uint64_t dropped_before = dropped();
    call(own.core, own.out);
    // What the server dropped because of overload is lost, as if on the way.
    if (dropped() != dropped_before) packet = nullptr;
    watcher_.on_turn(Turn{queue_.now(), incarnation_, shard, packet, &own.out});
    empty_outbox(shard);
    wake_later(shard);
}

void Server::by_ring(uint8_t shard, EventQueue::Action call) {
    Instant& arrival = ring_arrivals_[shard];
    arrival = std::max(arrival, queue_.now().monotonic + ring_delay());
    queue_.at(arrival, [this, incarnation = incarnation_, shard, call = std::move(call)] {
        if (incarnation == incarnation_ && shard < shards_.size()) call();
    });
}

/// The journal first: what was told to anybody must outlive a kill.
void Server::empty_outbox(uint8_t shard) {
    ports::Outbox& out = shards_[shard]->out;
    for (size_t i = 0; i < out.journal_count(); ++i) journal_.emplace_back(out.journal_event(i));
    for (const transport::Transmit& transmit : out.transmits.list()) {
        send(shard, transmit, std::string(out.transmits.bytes(transmit)));
    }
    for (size_t i = 0; i < out.shard_message_count(); ++i) {
        const uint8_t to = out.shard_message_to(i);
        if (to >= setup_.shards) {
            watcher_.on_driver_fault("a message to a shard that does not exist");
            continue;
        }
        by_ring(to, [this, to, shard, bytes = std::string(out.shard_message_bytes(i))] {
            turn(to, nullptr, [&](core::SipCore& core, ports::Outbox& next) {
                core.on_port_reply(queue_.now(), ports::ShardMessageIn{shard, bytes}, next);
            });
        });
    }
    for (const ports::DnsRequest& request : out.dns_requests) answer_dns(shard, request);
    for (ports::CommandReply& reply : out.replies) replies_.push_back(std::move(reply));
    for (const transport::Flow& flow : out.flows_to_close) close(flow);
    const std::vector<const ports::Snapshot*> released = out.released_snapshots;
    out.clear();
    for (const ports::Snapshot* snapshot : released) release(snapshot);
}

/// Late, or, when no DNS server answers, after the driver's time for one question.
void Server::answer_dns(uint8_t shard, const ports::DnsRequest& request) {
    ports::DnsReply reply{request.id, {}};
    Duration answer_after = std::chrono::milliseconds(random_.below(1200));
    if (random_.below(1000) < setup_.dns_failure_permille) {
        answer_after = std::chrono::seconds(5);
    } else {
        using resolver::RecordType;
        resolver::RecordSet& records = reply.records;
        const auto found = setup_.zone.find(request.question.name);
        if (found != setup_.zone.end()) records = found->second;
        if (request.question.type != RecordType::Address) records.addresses.clear();
        if (request.question.type != RecordType::Srv) records.services.clear();
        if (request.question.type != RecordType::Naptr) records.pointers.clear();
        const bool is_found =
            !records.addresses.empty() || !records.services.empty() || !records.pointers.empty();
        records.outcome = is_found ? resolver::Outcome::Found : resolver::Outcome::None;
        records.ttl = std::chrono::seconds(random_.below(60));
    }
    queue_.after(answer_after, [this, shard, reply, incarnation = incarnation_] {
        if (incarnation != incarnation_ || !is_running()) return;
        turn(shard, nullptr, [&](core::SipCore& core, ports::Outbox& next) {
            core.on_port_reply(queue_.now(), reply, next);
        });
    });
}

void Server::release(const ports::Snapshot* snapshot) {
    const auto found =
        std::find_if(snapshots_.begin(), snapshots_.end(),
                     [&](const UsedSnapshot& used) { return used.snapshot.get() == snapshot; });
    if (found == snapshots_.end()) {
        watcher_.on_driver_fault("a snapshot was released too often");
        return;
    }
    if (snapshot == snapshots_.back().snapshot.get()) {
        watcher_.on_driver_fault("the newest snapshot was released");
        return;
    }
    if (--found->users == 0) snapshots_.erase(found);
}

void Server::wake_later(uint8_t shard) {
    Shard& own = *shards_[shard];
    const Instant deadline = own.core.next_deadline();
    if (deadline >= own.wake) return;
    own.wake = deadline;
    queue_.at(deadline, [this, shard, deadline, incarnation = incarnation_] {
        if (incarnation != incarnation_ || !is_running()) return;
        if (shards_[shard]->wake == deadline) on_wake(shard);
    });
}

void Server::on_wake(uint8_t shard) {
    Shard& own = *shards_[shard];
    own.wake = kNever;
    const Instant now = queue_.now().monotonic;
    for (int i = 0; own.core.next_deadline() <= now; ++i) {
        if (i == kBatchesMax) {
            watcher_.on_driver_fault("on_time() does not come to rest");
            return;
        }
        turn(shard, nullptr,
             [&](core::SipCore& core, ports::Outbox& out) { core.on_time(queue_.now(), out); });
    }
    wake_later(shard);
}

Duration Server::ring_delay() {
    return std::chrono::microseconds(random_.below(20) == 0 ? 5000 : 20 + random_.below(200));
}

void Server::command(uint8_t shard, ports::Command command) {
    turn(shard, nullptr, [&](core::SipCore& core, ports::Outbox& out) {
        core.on_command(queue_.now(), std::move(command), out);
    });
}

ports::Gauges Server::gauges() const {
    ports::Gauges sum;
    for (const auto& shard : shards_) {
        const ports::Gauges one = shard->core.gauges();
        sum.server_transactions += one.server_transactions;
        sum.client_transactions += one.client_transactions;
        sum.calls += one.calls;
        sum.proxied_requests += one.proxied_requests;
        sum.addresses_of_record += one.addresses_of_record;
        sum.bindings += one.bindings;
        sum.users += one.users;
        sum.pool_bytes += one.pool_bytes;
        sum.sources_blocked += one.sources_blocked;
        sum.overload_level = std::max(sum.overload_level, one.overload_level);
        sum.queue_delay_us = std::max(sum.queue_delay_us, one.queue_delay_us);
    }
    return sum;
}

uint64_t Server::counter(Counter counter) const {
    uint64_t sum = 0;
    for (const auto& shard : shards_) sum += shard->core.counters().value(counter);
    return sum;
}

std::vector<ports::BindingsEvent> Server::registrations() {
    std::vector<ports::BindingsEvent> all;
    for (uint8_t i = 0; i < setup_.shards; ++i) {
        uint32_t after = 0;
        do {
            const uint64_t id = next_query_++;
            command(i, ports::QueryRegistrations{id, after, 2});
            after = 0;
            for (ports::CommandReply& reply : std::exchange(replies_, {})) {
                auto* const page = std::get_if<ports::RegistrationsReply>(&reply.value);
                if (reply.id != id || page == nullptr) continue;
                for (auto& event : page->bindings) all.push_back(std::move(event));
                after = page->next;
            }
        } while (after != 0);
    }
    return all;
}

void Server::on_datagram(const Endpoint& from, const Endpoint& to, std::string_view bytes) {
    if (!is_running()) return;
    transport::Flow flow;
    flow.transport = transport::Transport::Udp;
    flow.shard = static_cast<uint8_t>((from.port + from.address.octets[3]) % setup_.shards);
    flow.listener = 0;
    flow.local = to;
    flow.remote = from;
    steer(flow.shard, flow, std::string(bytes));
}

void Server::steer(uint8_t arrived_at, const transport::Flow& flow, std::string bytes) {
    const uint8_t owner = core::owner_shard(bytes, setup_.shards, arrived_at);
    Arrived arrived{flow, std::move(bytes), queue_.now().monotonic};
    if (owner == arrived_at) {
        receive(owner, std::move(arrived));
    } else {
        by_ring(owner, [this, owner, arrived = std::move(arrived)] { receive(owner, arrived); });
    }
}

void Server::receive(uint8_t shard, Arrived arrived) {
    Shard& own = *shards_[shard];
    const bool is_datagram = !transport::is_reliable(arrived.flow.transport);
    if (is_datagram && own.is_working && own.input.size() >= slowness_.datagrams_max) {
        ++datagrams_lost_;
        return;
    }
    own.input.push_back(std::move(arrived));
    if (!own.is_working) work(shard);
}

/// Handles what waits, one after the other, each after the time that the one before it took.
void Server::work(uint8_t shard) {
    Shard& own = *shards_[shard];
    own.is_working = true;
    while (!own.input.empty()) {
        const Arrived arrived = std::move(own.input.front());
        own.input.pop_front();
        const Duration taken = handle(shard, arrived);
        if (taken == Duration{}) continue;
        queue_.after(taken, [this, shard, incarnation = incarnation_] {
            if (incarnation == incarnation_ && is_running()) work(shard);
        });
        return;
    }
    own.is_working = false;
}

/// Returns how long it took. A refusal is cheaper than what it saves, and a look at what is dropped
/// cheaper still.
Duration Server::handle(uint8_t shard, const Arrived& arrived) {
    core::SipCore& core = shards_[shard]->core;
    const auto count = [&core](Counter counter) { return core.counters().value(counter); };
    const auto refused = [&count] {
        return count(Counter::overload_optional_refused_total) +
               count(Counter::overload_registrations_refused_total) +
               count(Counter::overload_calls_refused_total);
    };
    const uint64_t refused_before = refused();
    const uint64_t unread_before = count(Counter::overload_dropped_unread_total);
    const transport::Packet packet{arrived.flow, arrived.bytes,
                                   queue_.now().monotonic - arrived.at};
    turn(shard, &packet,
         [&](core::SipCore&, ports::Outbox& out) { core.on_packet(queue_.now(), packet, out); });
    if (count(Counter::overload_dropped_unread_total) != unread_before)
        return slowness_.message / 50;
    return refused() != refused_before ? slowness_.message / 2 : slowness_.message;
}

}  // namespace signalbox::sim
