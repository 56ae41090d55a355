// The start of a node: what can fail is tried before anything runs, what was kept is loaded before
// anything is received.
#include <sched.h>
#include <sys/resource.h>

#include <boost/asio/post.hpp>
#include <cerrno>
#include <csignal>

#include "base/text.h"
#include "config/machine.h"
#include "io/bound_socket.h"
#include "node/certificates.h"
#include "node/node.h"
#include "node/port_holder.h"
#include "node/user_updates.h"
#include "ports/sharding.h"
#include "store/data_dir.h"
#include "store/journal_files.h"

namespace signalbox::node {

namespace {

constexpr uint16_t kNodeId = 0;  // until there is more than one machine
constexpr Duration kFirstFoldMax = std::chrono::milliseconds(1500);
constexpr size_t kRingBytes = size_t{1} << 20;
constexpr size_t kRingBytesOfMany = size_t{1} << 18;  // 64 shards have 4,032 rings
constexpr uint8_t kFewShards = 8;

void raise_descriptor_limit() {
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
}

/// Besides connections: sockets of the listeners, the journal, the database, the log.
constexpr rlim_t kOtherDescriptors = 64;

/// The family of all listeners, when they have one: other addresses are of no use to them.
Family only_family(std::span<const transport::Listener> listeners) {
    Family only = Family::None;
    for (const transport::Listener& listener : listeners) {
        const Family family = listener.bound.address.family;
        if (only != Family::None && only != family) return Family::None;
        only = family;
    }
    return only;
}

}  // namespace

uint8_t default_shards() {
    cpu_set_t set;
    CPU_ZERO(&set);
    if (::sched_getaffinity(0, sizeof(set), &set) != 0) return 1;
    const auto count = static_cast<uint32_t>(CPU_COUNT(&set));
    return static_cast<uint8_t>(std::clamp(count, 1u, Node::kShardsMax));
}

store::Outcome<void> Node::start() {
    std::signal(SIGPIPE, SIG_IGN);
    raise_descriptor_limit();
    TRY(prepare_data());
    TRY_ASSIGN(security, load_security(config_));
    if (!security.made.empty()) {
        announce(security.made, "certificate_made", {{"text", security.made}});
    }
    for (const std::string& warning : security.warnings) {
        announce("Warning: " + warning, "certificate_expires", {{"text", warning}});
    }
    security_ = std::move(security.listeners);
    TRY(check_ports());
    TRY_ASSIGN(restored, load_store());
    snapshots_.add(make_snapshot(config_, config::own_addresses()));
    TRY_ASSIGN(sockets, open_sockets());
    TRY(make_shards());
    connect_shards();
    for (uint8_t i = 0; i < shard_count_; ++i) {
        shards_[i]->post(std::move(restored[i].users));
        shards_[i]->post(std::move(restored[i].bindings));
        shards_[i]->post(std::move(restored[i].calls));
        if (!restored[i].removed.is_empty()) shards_[i]->post(std::move(restored[i].removed));
    }
    start_worker();
    commands_ = std::make_unique<ControlCommands>(
        ControlCommands::Setup{&context_, &queries_, worker_.get(), store_.get(), &counters_,
                               options_.version, shard_count_, started_});
    control_ = std::make_unique<ControlServer>(
        context_, [this](const sinks::Json& request, const ControlServer::Reply& reply) {
            commands_->handle(request, reply);
        });
    TRY(control_->listen(config_.data_dir));
    for (uint8_t i = 0; i < shard_count_; ++i) shards_[i]->start(std::move(sockets[i]));
    for (const int signal : {SIGTERM, SIGINT, SIGHUP}) signals_.add(signal);
    await_signal();
    address_watch_ =
        std::make_unique<io::AddressWatch>(context_, counters_, [this] { take_own_addresses(); });
    // What changed since the snapshot was made was announced to nobody.
    address_watch_->look_again_after({});
    warn_of_few_descriptors();
    say_listening();
    return {};
}

store::Outcome<void> Node::prepare_data() {
    TRY(store::make_data_dir(config_.data_dir));
    TRY_ASSIGN(lock, DataLock::acquire(config_.data_dir));
    lock_.emplace(std::move(lock));
    TRY_ASSIGN(realm, store::fixed_realm(config_.data_dir, config::host_name()));
    fixed_realm_ = std::move(realm);
    TRY_ASSIGN(keys, store::load_keys(config_.data_dir, io::read_clocks().wall));
    keys_ = std::move(keys);
    return {};
}

/// Without SO_REUSEPORT, so that a port that somebody else shares is noticed too.
store::Outcome<void> Node::check_ports() const {
    for (const transport::Listener& listener : config_.settings.listeners) {
        const auto opened =
            io::open_bound_socket(listener.transport, listener.bound, io::Sharing::Alone);
        if (!opened) {
            return store::failure(
                listen_failure(listener.transport, listener.bound, opened.error()));
        }
    }
    return {};
}

store::Outcome<std::vector<Node::Restored>> Node::load_store() {
    store::StoreOptions options;
    options.data_dir = config_.data_dir;
    options.users_file = config_.users_file;
    options.realm = config_.realm_or(fixed_realm_);
    options.domain =
        config_.settings.domains.empty() ? options.realm : config_.settings.domains.front();
    options.journal_keep_bytes = config_.journal_keep_bytes;
    options.records_kept = {config_.records_keep, config_.records_limit};
    TRY_ASSIGN(opened, config_.engine == config::StoreEngine::Sqlite
                           ? store::open_sqlite_store(options)
                           : store::open_memory_store(options));
    store_ = std::move(opened);

    const Instant until = io::read_clocks().monotonic + kFirstFoldMax;
    for (bool is_behind = true; is_behind && io::read_clocks().monotonic < until;) {
        const store::FoldReport report = store_->fold(store::FoldMode::Now);
        log_damage(*options_.log, report);
        is_behind = report.is_behind;
    }
    TRY_ASSIGN(users, store_->load_users());
    TRY_ASSIGN(bindings, store_->load_bindings());
    users_version_ = users.version;

    std::vector<Restored> restored(shard_count_);
    auto removed = updates_of(take_removed(users.users), shard_count_);
    auto updates = updates_of(std::move(users.users), shard_count_);
    for (size_t i = 0; i < restored.size(); ++i) {
        restored[i].users = std::move(updates[i]);
        restored[i].removed = std::move(removed[i]);
    }
    for (ports::BindingsEvent& event : bindings) {
        const uint8_t shard = ports::shard_of_aor(event.header.tenant, event.aor, shard_count_);
        restored[shard].bindings.bindings.push_back(std::move(event));
    }
    TRY_ASSIGN(highest_call, store_->highest_call());
    for (Restored& shard : restored) shard.calls.highest_number = highest_call;
    for (ports::OpenCall& call : store_->open_calls()) {
        const uint8_t shard = ports::shard_of_call_id(call.call_id, shard_count_);
        restored[shard].calls.calls.push_back(std::move(call));
    }
    return restored;
}

store::Outcome<std::vector<std::vector<ShardSocket>>> Node::open_sockets() const {
    std::vector<std::vector<ShardSocket>> sockets(shard_count_);
    const auto& listeners = config_.settings.listeners;
    for (uint16_t index = 0; index < listeners.size(); ++index) {
        const transport::Listener& listener = listeners[index];
        for (uint8_t shard = 0; shard < shard_count_; ++shard) {
            auto opened =
                io::open_bound_socket(listener.transport, listener.bound, io::Sharing::PerShard);
            if (!opened) {
                return store::failure(
                    listen_failure(listener.transport, listener.bound, opened.error()));
            }
            sockets[shard].push_back(
                {index, listener.transport, listener.bound, std::move(*opened), security_[index]});
        }
    }
    return sockets;
}

store::Outcome<void> Node::make_shards() {
    const uint64_t run = store::next_run(config_.data_dir);
    const ports::Snapshot* snapshot = snapshots_.newest();
    for (uint8_t index = 0; index < shard_count_; ++index) {
        store::JournalOptions journal;
        journal.data_dir = config_.data_dir;
        journal.node = kNodeId;
        journal.shard = index;
        journal.run = run;
        journal.segment_bytes = config_.journal_segment_bytes;
        ShardSetup setup;
        setup.node = kNodeId;
        setup.index = index;
        setup.count = shard_count_;
        setup.snapshot = snapshot;
        setup.keys = keys_;
        setup.sources = &sources_;
        setup.dns.only_family = only_family(snapshot->listeners);
        for (const std::string& server : config_.dns_servers) {
            setup.dns.servers += (setup.dns.servers.empty() ? "" : ",") + server;
        }
        TRY_ASSIGN(opened, store::Journal::open(journal));
        setup.journal = std::move(opened);
        setup.report = [this](ShardReport&& report) {
            boost::asio::post(context_, [this, moved = std::move(report)]() mutable {
                on_report(std::move(moved));
            });
        };
        shards_.push_back(std::make_unique<Shard>(std::move(setup)));
    }
    return {};
}

void Node::connect_shards() {
    const size_t bytes = shard_count_ <= kFewShards ? kRingBytes : kRingBytesOfMany;
    for (size_t a = 0; a < shards_.size(); ++a) {
        for (size_t b = a + 1; b < shards_.size(); ++b) {
            Ring& there = *rings_.emplace_back(std::make_unique<Ring>(bytes));
            Ring& back = *rings_.emplace_back(std::make_unique<Ring>(bytes));
            shards_[a]->connect(*shards_[b], there, back);
            shards_[b]->connect(*shards_[a], back, there);
        }
    }
}

void Node::start_worker() {
    StoreWorker::Setup setup;
    setup.store = store_.get();
    for (const auto& shard : shards_) setup.journals.push_back(&shard->journal());
    setup.users_version = users_version_;
    setup.on_users = [this](std::vector<ports::UserRecord> users) { post_users(std::move(users)); };
    setup.log = options_.log;
    worker_ = std::make_unique<StoreWorker>(std::move(setup));
}

/// Connections past the system's limit would be refused without a word.
void Node::warn_of_few_descriptors() const {
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
    const rlim_t wanted = rlim_t{config_.settings.limits.connections_max} + kOtherDescriptors +
                          shard_count_ * rlim_t{config_.settings.listeners.size() + 16};
    if (limit.rlim_cur >= wanted) return;
    const std::string text = "The system allows this process " + std::to_string(limit.rlim_cur) +
                             " open files, too few for limits.connections_max = " +
                             std::to_string(config_.settings.limits.connections_max) +
                             ". Raise the limit (ulimit -Hn, or LimitNOFILE of systemd) to " +
                             std::to_string(wanted) + ", or lower the setting.";
    announce("Warning: " + text, "few_descriptors", {{"text", text}});
}

void Node::say_listening() const {
    for (const transport::Listener& listener : config_.settings.listeners) {
        const std::string name = text::to_lower(transport::transport_name(listener.transport));
        const std::string address = listener.bound.to_string();
        announce("Listening on " + name + " " + address + ".", "listening",
                 {{"transport", name}, {"address", address}});
    }
    const auto took =
        std::chrono::ceil<std::chrono::milliseconds>(io::read_clocks().monotonic - started_);
    const std::string shards =
        std::to_string(shard_count_) + (shard_count_ == 1 ? " shard" : " shards");
    announce("Ready in " + std::to_string(took.count()) + " ms, with " + shards + ".", "ready",
             {{"shards", shard_count_}, {"took_ms", took.count()}});
}

}  // namespace signalbox::node
