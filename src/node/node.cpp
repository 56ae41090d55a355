// A running node: signals, reload, drain and shutdown.
#include "node/node.h"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <csignal>

#include "config/machine.h"
#include "node/certificates.h"
#include "node/memory_size.h"
#include "node/user_updates.h"

namespace signalbox::node {

namespace {

constexpr std::chrono::milliseconds kIdlePoll{50};
constexpr Duration kLastFold = std::chrono::seconds(2);
/// The end of a drain, in which callers and callees of unanswered calls are told: time for one
/// retransmission, and never none at all.
constexpr Duration kLastWordsMin = std::chrono::milliseconds(250);
constexpr Duration kLastWordsMax = std::chrono::seconds(1);
constexpr Duration kAddressRetry = std::chrono::seconds(1);

/// Those of `all` that are not among `some`, for people.
std::string missing_from(const std::vector<IpAddress>& some, const std::vector<IpAddress>& all) {
    std::string text;
    for (const IpAddress& address : all) {
        if (std::find(some.begin(), some.end(), address) != some.end()) continue;
        text += (text.empty() ? "" : ", ") + address.to_string();
    }
    return text;
}

}  // namespace

Node::Node(boost::asio::io_context& context, config::LoadedConfig config, const RunOptions& options)
    : context_(context),
      config_(std::move(config)),
      options_(options),
      started_(io::read_clocks().monotonic),
      shard_count_(config_.shards == 0
                       ? default_shards()
                       : static_cast<uint8_t>(std::min(config_.shards, kShardsMax))),
      snapshots_(shard_count_),
      queries_(context, shard_count_,
               [this](uint8_t shard, ports::Command command) {
                   shards_[shard]->post(std::move(command));
               }),
      signals_(context),
      drain_timer_(context) {}

Node::~Node() {
    shut_down();
}

void Node::announce(const std::string& line, std::string_view event,
                    std::initializer_list<sinks::LogField> fields) const {
    if (options_.progress) options_.progress(line);
    if (!options_.progress || !config_.log_file.empty()) options_.log->info(event, fields);
}

std::unique_ptr<ports::Snapshot> Node::make_snapshot(const config::LoadedConfig& config,
                                                     std::vector<IpAddress> own_addresses) {
    auto snapshot =
        config::make_snapshot(config, ++snapshot_version_, fixed_realm_, std::move(own_addresses));
    snapshot->limits.transactions_max =
        config.transactions_max != 0 ? config.transactions_max : transactions_for(usable_memory());
    return snapshot;
}

void Node::await_signal() {
    signals_.async_wait([this](const boost::system::error_code& error, int signal) {
        if (error) return;
        on_signal(signal);
        await_signal();
    });
}

void Node::on_signal(int signal) {
    if (signal == SIGHUP) return reload();
    drain(signal);
}

/// All or nothing: a file with one fault, or with a change that needs a restart, changes nothing.
void Node::reload() {
    options_.log->reopen();
    const auto refuse = [this](const std::string& why) {
        counters_.add(Counter::config_reloads_refused_total);
        options_.log->error("config_refused", {{"reason", why}});
    };
    // Then there is nothing to read but the addresses.
    if (!config_.has_file()) return take_own_addresses();
    auto loaded = config::load_config(config_.file);
    if (!loaded) {
        for (const config::ConfigError& error : loaded.error()) {
            options_.log->error("config_fault", {{"fault", error.to_string()}});
        }
        return refuse("The file has faults. The running configuration stays.");
    }
    const std::vector<std::string> fixed =
        config::changed_keys_that_need_a_restart(config_, *loaded);
    if (!fixed.empty()) {
        std::string names;
        for (const std::string& name : fixed) names += (names.empty() ? "" : ", ") + name;
        return refuse("A change of " + names + " needs a restart. Nothing was changed.");
    }
    const auto realm_of = [this](const config::LoadedConfig& config) {
        return config::make_snapshot(config, 0, fixed_realm_, {})->auth.realm;
    };
    if (const std::string old = realm_of(config_), next = realm_of(*loaded); old != next) {
        return refuse("The realm would change from " + old + " to " + next +
                      ", and no user could register any more. Set auth.realm = \"" + old +
                      "\" to keep it, or restart. Nothing was changed.");
    }
    if (!snapshots_.has_room()) {
        return refuse("Calls still use 16 older configurations. Try again when some have ended.");
    }
    auto security = load_security(*loaded);
    if (!security) return refuse(security.error().text + " The running certificates stay.");
    for (const std::string& warning : security->warnings) {
        options_.log->warning("certificate_expires", {{"text", warning}});
    }
    for (const std::string& warning : loaded->warnings) {
        options_.log->warning("config_warning", {{"text", warning}});
    }
    config_ = std::move(*loaded);
    options_.log->set_level(sinks::parse_log_level(config_.log_level));
    const ports::Snapshot* snapshot =
        snapshots_.add(make_snapshot(config_, config::own_addresses()));
    for (const auto& shard : shards_) {
        shard->secure(security->listeners);
        shard->post(ports::InstallSnapshot{snapshot});
    }
    counters_.add(Counter::config_reloads_total);
    options_.log->info("config_loaded", {{"file", config_.file}, {"version", snapshot->version}});
}

/// A wildcard listener serves the addresses that the machine has now. Calls that are up keep the
/// snapshot with which they began.
void Node::take_own_addresses() {
    std::vector<IpAddress> addresses = config::own_addresses();
    const std::vector<IpAddress>& known = snapshots_.newest()->own_addresses;
    if (addresses == known) return;
    if (!snapshots_.has_room()) {
        counters_.add(Counter::own_addresses_refused_total);
        return address_watch_->look_again_after(kAddressRetry);
    }
    const std::string gained = missing_from(known, addresses);
    const std::string lost = missing_from(addresses, known);
    const ports::Snapshot* snapshot = snapshots_.add(make_snapshot(config_, std::move(addresses)));
    for (const auto& shard : shards_) shard->post(ports::InstallSnapshot{snapshot});
    counters_.add(Counter::own_addresses_changed_total);
    announce("The addresses of this machine have changed:" +
                 (gained.empty() ? "" : " new " + gained + ".") +
                 (lost.empty() ? "" : " gone " + lost + "."),
             "own_addresses_changed",
             {{"new", gained}, {"gone", lost}, {"version", snapshot->version}});
}

void Node::drain(int signal) {
    if (drain_until_) {
        is_ended_at_once_ = true;
        options_.log->info("ended_at_once", {{"signal", signal}});
        context_.stop();
        return;
    }
    const Duration last_words =
        std::clamp<Duration>(config_.shutdown_max / 2, kLastWordsMin, kLastWordsMax);
    drain_until_ =
        io::read_clocks().monotonic + std::max<Duration>(config_.shutdown_max, last_words);
    end_invites_at_ = *drain_until_ - last_words;
    const auto seconds = std::chrono::ceil<std::chrono::seconds>(config_.shutdown_max).count();
    announce("Stopping: new calls are refused, what is in progress has at most " +
                 std::to_string(seconds) + " s. A second signal stops at once.",
             "draining", {{"signal", signal}, {"seconds_max", seconds}});
    for (const auto& shard : shards_) shard->post(ports::Drain{});
    await_idle();
}

/// Asks again and again until every shard has nothing unanswered, or the time is up.
void Node::await_idle() {
    const Instant now = io::read_clocks().monotonic;
    if (now >= *drain_until_) {
        options_.log->warning("drain_time_is_up");
        context_.stop();
        return;
    }
    if (now >= end_invites_at_) end_pending_invites();
    const Duration left = std::min(end_invites_at_, *drain_until_) - now;
    queries_.ask([](uint8_t, uint64_t id) { return ports::QueryStats{id}; },
                 [this](const ShardQueries::Answers& answers) { on_idle_answers(answers); },
                 std::min(std::chrono::ceil<std::chrono::milliseconds>(left),
                          std::chrono::milliseconds(1000)));
}

/// What still rings must not ring on after this process.
void Node::end_pending_invites() {
    end_invites_at_ = kNever;
    options_.log->info("ending_pending_invites");
    for (const auto& shard : shards_) shard->post(ports::EndPendingInvites{});
}

void Node::on_idle_answers(const ShardQueries::Answers& answers) {
    bool is_idle = answers.silent.empty();
    for (const auto& answer : answers.replies) {
        const auto* stats = answer ? std::get_if<ports::StatsReply>(&answer->value) : nullptr;
        is_idle = is_idle && stats != nullptr && stats->is_idle;
    }
    // Twice: one shard may have said so before another gave it the last octets for a stream.
    const bool was_idle = std::exchange(was_idle_, is_idle);
    if (is_idle && was_idle) return context_.stop();
    if (is_idle) return await_idle();
    drain_timer_.expires_after(kIdlePoll);
    drain_timer_.async_wait([this](const boost::system::error_code& error) {
        if (!error) await_idle();
    });
}

void Node::shut_down() {
    if (control_) control_->close();
    for (const auto& shard : shards_) shard->stop();
    for (const auto& shard : shards_) shard->join();
    if (worker_) worker_->stop(is_ended_at_once_ ? Duration{} : kLastFold);
    worker_.reset();
    shards_.clear();
    store_.reset();
}

void Node::post_users(std::vector<ports::UserRecord> users) {
    auto updates = updates_of(std::move(users), shard_count_);
    for (uint8_t shard = 0; shard < shard_count_; ++shard) {
        if (!updates[shard].is_empty()) shards_[shard]->post(std::move(updates[shard]));
    }
}

void Node::on_report(ShardReport&& report) {
    for (const ports::Snapshot* snapshot : report.released) snapshots_.release(snapshot);
    for (const io::StreamNotice& notice : report.notices) {
        options_.log->warning("tls_connect_failed", {{"domain", notice.domain},
                                                     {"address", notice.remote.to_string()},
                                                     {"reason", notice.reason}});
    }
    for (const ports::OverloadLevelChange& change : report.level_changes) {
        const auto delay =
            std::chrono::duration_cast<std::chrono::milliseconds>(change.queue_delay);
        const bool is_worse = change.to > change.from;
        options_.log->write(is_worse ? sinks::LogLevel::Warning : sinks::LogLevel::Info,
                            "overload_level",
                            {{"shard", report.shard},
                             {"from", ports::level_name(change.from)},
                             {"to", ports::level_name(change.to)},
                             {"queue_delay_ms", delay.count()},
                             {"tables_full_permille", change.occupied_permille}});
    }
    for (ports::CommandReply& reply : report.replies) {
        queries_.on_reply(report.shard, std::move(reply));
    }
}

}  // namespace signalbox::node
