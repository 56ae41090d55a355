// Cores of one to three shards in a world with a hand-made clock.
#include "tests/core/core_harness.h"

#include <algorithm>
#include <stdexcept>

#include "crypto/digest.h"
#include "ports/sharding.h"
#include "tests/base/counting_allocator.h"

namespace signalbox::core::testing {

namespace {

constexpr WallTime kWallStart = WallTime(std::chrono::seconds(1'700'000'000));

/// A question of a shard carries its number above the places that a resolver has.
constexpr int kDnsShardBit = 24;
constexpr uint64_t kDnsShardMask = uint64_t{0xff} << kDnsShardBit;

uint8_t dns_shard(uint64_t id) {
    return static_cast<uint8_t>((id & kDnsShardMask) >> kDnsShardBit);
}
uint64_t id_at_shard(uint64_t id) {
    return id & ~kDnsShardMask;
}

crypto::TokenKeys make_keys() {
    crypto::TokenKey key;
    key.id = 1;
    key.secret.fill(7);
    key.not_after = kWallStart + std::chrono::hours(1000);
    return crypto::TokenKeys(std::span<const crypto::TokenKey>(&key, 1));
}

transport::Listener listener(transport::Transport transport, std::string_view bound) {
    transport::Listener made;
    made.transport = transport;
    made.bound = *Endpoint::parse(bound);
    return made;
}

}  // namespace

ports::Snapshot default_snapshot() {
    ports::Snapshot snapshot;
    snapshot.domains = {"example.test"};
    snapshot.own_addresses = {IpAddress::v4(192, 0, 2, 1), *IpAddress::parse("2001:db8::1")};
    snapshot.listeners = {listener(transport::Transport::Udp, "192.0.2.1:5060"),
                          listener(transport::Transport::Tcp, "192.0.2.1:5060"),
                          listener(transport::Transport::Udp, "[2001:db8::1]:5060"),
                          listener(transport::Transport::Tcp, "[2001:db8::1]:5060")};
    snapshot.auth.realm = "example.test";
    snapshot.registrar.expires_spread_percent = 0;
    snapshot.registrar.nat_keep_alive = {};
    snapshot.timers = transaction::SipTimers{}.resolved();
    return snapshot;
}

ports::UserRecord user_record(std::string_view name, std::vector<std::string> addresses) {
    crypto::Digester digester;
    ports::UserRecord user;
    user.name = name;
    user.realm = "example.test";
    user.domain = "example.test";
    user.addresses = std::move(addresses);
    user.ha1.plain[0] =
        digester.digest(crypto::DigestAlgorithm::Md5, {name, ":", "example.test", ":", "secret"})
            .bytes();
    return user;
}

World::World(ports::Snapshot given, uint8_t shards)
    : now{Instant(std::chrono::seconds(1000)), kWallStart},
      keys(make_keys()),
      snapshot(std::move(given)) {
    for (uint8_t shard = 0; shard < shards; ++shard) {
        CoreSetup setup;
        setup.node = 1;
        setup.shard = shard;
        setup.shards = shards;
        setup.seed = {11, shard};
        setup.keys = &keys;
        setup.snapshot = &snapshot;
        cores_.push_back(std::make_unique<SipCore>(now, setup));
        outs_.push_back(std::make_unique<ports::Outbox>());
    }
    // Nonces of the moment of birth might be those of before a restart: no test begins then.
    wait(std::chrono::seconds(1));
}

Phone& World::phone(const Phone::Place& place) {
    phones_.push_back(std::make_unique<Phone>(*this, place, static_cast<uint32_t>(phones_.size())));
    return *phones_.back();
}

Phone& World::registered(std::string_view user, std::string_view address,
                         transport::Transport transport) {
    add_user(user_record(user));
    Phone& made = phone({std::string(user), "example.test", std::string(address), transport, {}});
    bind(user, made);
    return made;
}

Phone& World::stranger(std::string_view user, std::string_view address,
                       transport::Transport transport) {
    return phone({std::string(user), "elsewhere.test", std::string(address), transport, {}});
}

void World::add_user(const ports::UserRecord& user) {
    command(ports::shard_of_aor(ports::kDefaultTenant, user.name, shards()),
            ports::UpdateUsers{{user}});
}

void World::bind(std::string_view user, const Phone& phone, uint16_t q) {
    // Restoring replaces: the address of record gets all that was bound before, too.
    const uint8_t shard = ports::shard_of_aor(ports::kDefaultTenant, user, shards());
    command(shard, ports::QueryRegistrations{1, 0, 500});
    ports::BindingsEvent event;
    for (const ports::BindingsEvent& each :
         std::get<ports::RegistrationsReply>(replies.back().value).bindings) {
        if (each.aor == user) event = each;
    }
    replies.pop_back();
    event.header.kind = ports::JournalEventKind::BindingsChanged;
    event.header.tenant = ports::kDefaultTenant;
    event.aor = user;
    ports::BindingRecord record;
    record.contact = phone.contact();
    record.call_id = "bound";
    record.q = q;
    record.expires = now.wall + std::chrono::hours(2);
    record.updated = now.wall;
    record.flow = phone.flow();
    event.bindings.push_back(record);
    command(shard, ports::RestoreBindings{{event}});
}

void World::call(uint8_t shard, const std::function<void(SipCore&, ports::Outbox&)>& action) {
    const uint64_t before = test::allocations();
    action(*cores_[shard], *outs_[shard]);
    core_allocations += test::allocations() - before;
    take(shard);
    if (!holds_shard_messages) deliver_shard_messages();
}

void World::receive(const transport::Flow& flow, std::string_view bytes) {
    receive_at(owner_shard(bytes, shards(), 0), flow, bytes);
}

void World::receive_at(uint8_t shard, const transport::Flow& flow, std::string_view bytes) {
    const std::string copy(bytes);
    call(shard, [&](SipCore& core, ports::Outbox& out) {
        core.on_packet(now, transport::Packet{flow, copy, waited}, out);
    });
}

void World::command(uint8_t shard, const ports::Command& command) {
    call(shard, [&](SipCore& core, ports::Outbox& out) { core.on_command(now, command, out); });
}

void World::answer_dns(const ports::DnsRequest& request,
                       const std::vector<std::string>& addresses) {
    ports::DnsReply reply;
    reply.id = id_at_shard(request.id);
    reply.records.outcome = resolver::Outcome::None;
    reply.records.ttl = std::chrono::minutes(1);
    if (request.question.type == resolver::RecordType::Address && !addresses.empty()) {
        reply.records.outcome = resolver::Outcome::Found;
        for (const std::string& address : addresses)
            reply.records.addresses.push_back(*IpAddress::parse(address));
    }
    call(dns_shard(request.id),
         [&](SipCore& core, ports::Outbox& out) { core.on_port_reply(now, reply, out); });
}

void World::answer_dns() {
    while (!dns.empty()) {
        const ports::DnsRequest request = dns.front();
        dns.erase(dns.begin());
        ports::DnsReply reply;
        reply.id = id_at_shard(request.id);
        reply.records.ttl = std::chrono::minutes(1);
        const resolver::RecordSet& all = zone[request.question.name];
        switch (request.question.type) {
            case resolver::RecordType::Address:
                reply.records.addresses = all.addresses;
                break;
            case resolver::RecordType::Srv:
                reply.records.services = all.services;
                break;
            case resolver::RecordType::Naptr:
                reply.records.pointers = all.pointers;
                break;
        }
        const bool is_empty = reply.records.addresses.empty() && reply.records.services.empty() &&
                              reply.records.pointers.empty();
        reply.records.outcome = is_empty ? resolver::Outcome::None : resolver::Outcome::Found;
        call(dns_shard(request.id),
             [&](SipCore& core, ports::Outbox& out) { core.on_port_reply(now, reply, out); });
    }
}

void World::close_flow(const Phone& phone) {
    for (uint8_t shard = 0; shard < shards(); ++shard) {
        call(shard, [&](SipCore& core, ports::Outbox& out) {
            core.on_flow_closed(now, phone.flow(), transport::FlowError::ClosedByPeer, out);
        });
    }
}

void World::fail_last_transmit() {
    if (last_owner_ == 0) throw std::runtime_error("nobody asks about a failed transmit");
    call(last_owner_shard_, [&](SipCore& core, ports::Outbox& out) {
        core.on_port_reply(now, ports::TransmitFailed{last_owner_}, out);
    });
}

void World::fail_last_request() {
    last_owner_ = last_request_owner_;
    fail_last_transmit();
}

void World::deliver_shard_messages() {
    while (!carried_.empty()) {
        const Carried carried = std::move(carried_.front());
        carried_.pop_front();
        if (drops_shard_messages) continue;
        cores_[carried.to]->on_port_reply(now, ports::ShardMessageIn{carried.from, carried.bytes},
                                          *outs_[carried.to]);
        take(carried.to);
    }
}

void World::wait(Duration duration) {
    const Instant end = now.monotonic + duration;
    const auto set = [this](Instant at) {
        now.wall += std::chrono::duration_cast<std::chrono::microseconds>(at - now.monotonic);
        now.monotonic = at;
    };
    for (int turns = 0; turns < 1'000'000; ++turns) {
        Instant next = kNever;
        uint8_t shard = 0;
        for (uint8_t each = 0; each < shards(); ++each) {
            if (cores_[each]->next_deadline() < next) {
                next = cores_[each]->next_deadline();
                shard = each;
            }
        }
        if (next > end) return set(end);
        if (next > now.monotonic) set(next);
        call(shard, [&](SipCore& core, ports::Outbox& out) { core.on_time(now, out); });
    }
    throw std::runtime_error("time stands still: a deadline is never handled");
}

void World::take(uint8_t shard) {
    ports::Outbox& out = *outs_[shard];
    for (size_t i = 0; i < out.journal_count(); ++i) {
        journal.emplace_back(out.journal_event(i));
        if (!fold_.apply(journal.back())) throw std::runtime_error("an event cannot be read");
    }
    for (const transport::Transmit& transmit : out.transmits.list()) {
        if (transmit.owner != 0) {
            last_owner_ = transmit.owner;
            last_owner_shard_ = shard;
            if (!out.transmits.bytes(transmit).starts_with("SIP/2.0"))
                last_request_owner_ = transmit.owner;
            last_connect_max = transmit.connect_max;
        }
        route(transmit, out.transmits.bytes(transmit));
    }
    for (size_t i = 0; i < out.shard_message_count(); ++i) {
        carried_.push_back(
            {shard, out.shard_message_to(i), std::string(out.shard_message_bytes(i))});
    }
    level_changes.insert(level_changes.end(), out.level_changes.begin(), out.level_changes.end());
    for (ports::DnsRequest request : out.dns_requests) {
        request.id |= uint64_t{shard} << kDnsShardBit;
        dns.push_back(request);
    }
    tls_domains.insert(tls_domains.end(), out.tls_domains.begin(), out.tls_domains.end());
    replies.insert(replies.end(), out.replies.begin(), out.replies.end());
    released.insert(released.end(), out.released_snapshots.begin(), out.released_snapshots.end());
    out.clear();
}

void World::route(const transport::Transmit& transmit, std::string_view bytes) {
    const transport::Flow& flow = transmit.flow;
    Message message(std::string(bytes), flow);
    for (const auto& phone : phones_) {
        const transport::Flow& at = phone->flow();
        if (at.transport != flow.transport) continue;
        const bool by_connection = flow.connection != transport::Flow::kNoConnection;
        const bool is_there =
            by_connection ? at.connection == flow.connection : at.remote == flow.remote;
        if (is_there) return phone->deliver(std::move(message));
    }
    undelivered.push_back(std::move(message));
}

uint64_t World::count(Counter counter) const {
    uint64_t sum = 0;
    for (const auto& core : cores_) sum += core->counters().value(counter);
    return sum;
}

ports::Gauges World::gauges() const {
    ports::Gauges sum;
    for (const auto& core : cores_) {
        const ports::Gauges one = core->gauges();
        sum.server_transactions += one.server_transactions;
        sum.client_transactions += one.client_transactions;
        sum.calls += one.calls;
        sum.proxied_requests += one.proxied_requests;
        sum.bindings += one.bindings;
        sum.users += one.users;
        sum.pool_bytes += one.pool_bytes;
        sum.sources_blocked += one.sources_blocked;
        sum.overload_level = std::max(sum.overload_level, one.overload_level);
        sum.queue_delay_us = std::max(sum.queue_delay_us, one.queue_delay_us);
    }
    return sum;
}

std::vector<ports::CallRecord> World::records() {
    std::vector<ports::CallRecord> records;
    for (const cdr::CallEvents& call : fold_.take_ended()) records.push_back(call.record());
    return records;
}

std::vector<std::string> World::record_lines() {
    constexpr std::array<std::string_view, 4> kEnders{"Nobody", "Caller", "Callee", "Server"};
    std::vector<std::string> lines;
    for (const ports::CallRecord& record : records()) {
        lines.push_back(std::to_string(record.status) + " " +
                        std::string(kEnders[static_cast<size_t>(record.ended_by)]) + " " +
                        record.reason);
    }
    return lines;
}

bool World::is_empty() const {
    const ports::Gauges all = gauges();
    return all.server_transactions + all.client_transactions + all.calls + all.proxied_requests ==
           0;
}

}  // namespace signalbox::core::testing
