// One simulated world: how it is put together, and what must hold at its end.
#include "sim/world.h"

#include <algorithm>
#include <utility>

namespace signalbox::sim {

namespace {

Random stream(uint64_t seed, uint64_t purpose) {
    return Random({seed, purpose});
}

}  // namespace

ports::Snapshot WorldSetup::default_settings() {
    ports::Snapshot settings;
    settings.registrar.expires_default_s = 200;
    settings.registrar.expires_min_s = 10;
    settings.registrar.expires_max_s = 300;
    settings.limits.call_max = std::chrono::minutes(10);
    settings.limits.transactions_max = 10'000;
    settings.limits.calls_max = 10'000;
    settings.timers = transaction::SipTimers{}.resolved();
    return settings;
}

World::World(WorldSetup setup)
    : setup_(std::move(setup)),
      begin_(queue_.now().monotonic),
      trace_(setup_.detail),
      random_(stream(setup_.seed, 1)),
      report_(queue_, trace_),
      network_(queue_, trace_, stream(setup_.seed, 2)),
      bindings_(report_, queue_),
      records_(report_, queue_),
      wire_(report_, queue_, bindings_, records_) {
    network_.set_faults(setup_.faults);
    trace_.name_host(address_.address, "server");
    setup_.settings.domains = {std::string(kDomain)};
    setup_.settings.own_addresses = {address_.address};
    setup_.settings.auth.realm = kRealm;
    setup_.settings.listeners.clear();
    for (const auto transport : {transport::Transport::Udp, transport::Transport::Tcp}) {
        transport::Listener listener;
        listener.transport = transport;
        listener.bound = address_;
        setup_.settings.listeners.push_back(listener);
    }
}

World::~World() = default;

void World::add_user(const std::string& name) {
    ports::UserRecord user;
    user.name = name;
    user.realm = kRealm;
    user.domain = kDomain;
    crypto::Digester digester;
    const std::string password = password_of(name);
    const std::string with_domain = name + '@' + std::string(kDomain);
    for (size_t i = 0; i < crypto::kDigestAlgorithms; ++i) {
        const auto algorithm = static_cast<crypto::DigestAlgorithm>(i);
        user.ha1.plain[i] = digester.digest(algorithm, {name, ":", kRealm, ":", password}).bytes();
        user.ha1.with_domain[i] =
            digester.digest(algorithm, {with_domain, ":", kRealm, ":", password}).bytes();
    }
    users_.push_back(std::move(user));
}

PhoneConfig World::phone_config(const std::string& user) {
    PhoneConfig config;
    config.name = user;
    config.domain = kDomain;
    config.password = password_of(user);
    config.endpoint = Endpoint{IpAddress::v4(198, 51, 100, next_host_++), 5060};
    config.contact = config.endpoint;
    config.server = address_;
    return config;
}

Phone& World::add_phone(PhoneConfig config) {
    trace_.name_host(config.endpoint.address, config.name);
    const uint64_t number = phones_.size();
    phones_.push_back(std::make_unique<Phone>(std::move(config), queue_, network_,
                                              stream(setup_.seed, 100 + number)));
    phones_.back()->boot();
    return *phones_.back();
}

std::unique_ptr<ports::Snapshot> World::next_snapshot() {
    auto snapshot = std::make_unique<ports::Snapshot>(setup_.settings);
    snapshot->version = ++snapshot_version_;
    return snapshot;
}

void World::start() {
    ServerSetup server;
    server.shards = setup_.shards;
    server.address = address_;
    server.users = users_;
    server.zone = setup_.zone;
    server.dns_failure_permille = setup_.dns_failure_permille;
    server.coverage = &coverage_;
    server.stream_failure_permille = setup_.stream_failure_permille;
    server_ = std::make_unique<Server>(std::move(server), queue_, network_, stream(setup_.seed, 3),
                                       wire_);
    wire_.watch(*server_, address_, std::string(kDomain));
    start_server();
}

void World::start_server() {
    if (server_->is_running()) return;
    trace_.note(queue_.now().monotonic, "--- the server starts");
    server_->start(next_snapshot());
}

void World::kill_server() {
    if (!server_->is_running()) return;
    trace_.note(queue_.now().monotonic, "--- the server is killed");
    server_->kill();
    records_.killed();
}

void World::reload(const std::function<void(ports::Snapshot&)>& change) {
    change(setup_.settings);
    if (!server_->is_running()) return;
    trace_.note(queue_.now().monotonic, "--- the configuration is loaded again");
    wire_.reloaded();
    server_->reload(next_snapshot());
}

void World::compare_bindings() {
    if (server_->is_running()) bindings_.compare(server_->registrations());
}

void World::finish() {
    start_server();
    for (const auto& phone : phones_) phone->stop();
    run_for(std::chrono::seconds(
        80));  // every transaction that the phones began, and its retransmissions
    compare_bindings();
    const Duration bindings = std::chrono::seconds(setup_.settings.registrar.expires_max_s);
    const Duration calls = setup_.settings.limits.call_max + setup_.settings.timers.c;
    run_for(std::max(bindings, calls) + std::chrono::minutes(3));
    check_nothing_lives();
    records_.compare(server_->journal(), setup_.settings.limits.call_max,
                     setup_.settings.proxy.record_route);
}

void World::check_nothing_lives() {
    const ports::Gauges gauges = server_->gauges();
    const auto must_be_none = [&](uint64_t count, const std::string& what) {
        if (count != 0) report_.broken("nothing lives", std::to_string(count) + ' ' + what);
    };
    must_be_none(gauges.server_transactions, "server transactions");
    must_be_none(gauges.client_transactions, "client transactions");
    must_be_none(gauges.calls, "calls");
    must_be_none(gauges.proxied_requests, "response contexts");
    must_be_none(gauges.bindings, "bindings");
    must_be_none(gauges.addresses_of_record, "addresses of record");
    must_be_none(server_->snapshots_live() - 1, "old snapshots");
    if (gauges.users != users_.size()) report_.broken("users", "their number has changed");
}

}  // namespace signalbox::sim
