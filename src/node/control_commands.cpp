// What the control socket's commands do: statistics, registrations, calls, changed users, version.
#include "node/control_commands.h"

#include <algorithm>
#include <boost/asio/post.hpp>

#include "base/text.h"
#include "io/reactor.h"

namespace signalbox::node {

using sinks::Json;

namespace {

constexpr std::chrono::milliseconds kAnswerTime{1000};
constexpr uint32_t kPageDefault = 500;

Json refusal(std::string_view why) {
    return {{"ok", false}, {"error", why}};
}

uint32_t limit_of(const Json& request) {
    const auto found = request.find("limit");
    if (found == request.end() || !found->is_number_unsigned()) return kPageDefault;
    return static_cast<uint32_t>(
        std::clamp<uint64_t>(found->get<uint64_t>(), 1, store::kRecordPageMax));
}

bool is_true(const Json& request, const char* key) {
    const auto found = request.find(key);
    return found != request.end() && found->is_boolean() && found->get<bool>();
}

/// The place behind which each shard goes on; nothing for shards that are done. Without "after":
/// the beginning, of all.
std::vector<std::optional<uint32_t>> places_of(const Json& request, uint8_t shards) {
    const auto after = request.find("after");
    if (after == request.end() || !after->is_object()) {
        return std::vector<std::optional<uint32_t>>(shards, 0u);
    }
    std::vector<std::optional<uint32_t>> places(shards);
    for (const auto& [key, place] : after->items()) {
        const auto shard = text::to_u32(key);
        if (!shard || *shard >= shards || !place.is_number_unsigned()) continue;
        places[*shard] = place.get<uint32_t>();
    }
    return places;
}

uint32_t share_of(uint32_t limit, const std::vector<std::optional<uint32_t>>& places) {
    const auto asked = std::count_if(places.begin(), places.end(),
                                     [](const auto& place) { return place.has_value(); });
    return std::max(1u, limit / static_cast<uint32_t>(std::max<ptrdiff_t>(asked, 1)));
}

void add(ports::Gauges& sum, const ports::Gauges& one) {
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

void name_silent(Json& reply, const ShardQueries::Answers& answers) {
    if (!answers.silent.empty()) reply["silent_shards"] = answers.silent;
}

/// One page over all shards: `list` gets the entries of each answer by `append`, "next" the places.
template <class Value, class Append>
Json page(const ShardQueries::Answers& answers, const char* name, const Append& append) {
    Json list = Json::array();
    Json next = Json::object();
    for (size_t shard = 0; shard < answers.replies.size(); ++shard) {
        const auto& reply = answers.replies[shard];
        const auto* value = reply ? std::get_if<Value>(&reply->value) : nullptr;
        if (value == nullptr) continue;
        append(list, *value);
        if (value->next != 0) next[std::to_string(shard)] = value->next;
    }
    Json out{{"ok", true}, {name, std::move(list)}, {"next", nullptr}};
    if (!next.empty()) out["next"] = std::move(next);
    name_silent(out, answers);
    return out;
}

}  // namespace

void ControlCommands::handle(const Json& request, const Reply& reply) {
    const auto found = request.find("command");
    const std::string command =
        found != request.end() && found->is_string() ? found->get<std::string>() : std::string();
    if (command == "version") return reply({{"ok", true}, {"version", setup_.version}});
    if (command == "stats") return stats(reply);
    if (command == "registrations") return registrations(request, reply);
    if (command == "calls") {
        return is_true(request, "live") ? live_calls(request, reply) : records(request, reply);
    }
    if (command == "users-changed") {
        setup_.worker->look_for_users();
        return reply({{"ok", true}});
    }
    reply(refusal(command.empty() ? "The request names no command." : "There is no such command."));
}

void ControlCommands::stats(const Reply& reply) {
    setup_.queries->ask(
        [](uint8_t, uint64_t id) { return ports::QueryStats{id}; },
        [this, reply](const ShardQueries::Answers& answers) {
            Counters own = *setup_.counters;
            setup_.store->add_counters(own);
            std::array<uint64_t, kCounters> counters = own.values();
            ports::Gauges gauges;
            for (const auto& answer : answers.replies) {
                const auto* stats =
                    answer ? std::get_if<ports::StatsReply>(&answer->value) : nullptr;
                if (stats == nullptr) continue;
                for (size_t i = 0; i < kCounters; ++i) counters[i] += stats->counters[i];
                add(gauges, stats->gauges);
            }
            const Duration uptime = io::read_clocks().monotonic - setup_.started;
            Json out{{"ok", true},
                     {"version", setup_.version},
                     {"uptime_s", std::chrono::floor<std::chrono::seconds>(uptime).count()},
                     {"shards", setup_.shards}};
            out.update(sinks::stats_json(counters, gauges));
            name_silent(out, answers);
            reply(std::move(out));
        },
        kAnswerTime);
}

void ControlCommands::registrations(const Json& request, const Reply& reply) {
    const auto places = places_of(request, setup_.shards);
    const uint32_t share = share_of(limit_of(request), places);
    setup_.queries->ask(
        [places, share](uint8_t shard, uint64_t id) -> std::optional<ports::Command> {
            if (!places[shard]) return std::nullopt;
            return ports::QueryRegistrations{id, *places[shard], share};
        },
        [reply](const ShardQueries::Answers& answers) {
            const WallTime now = io::read_clocks().wall;
            reply(page<ports::RegistrationsReply>(
                answers, "registrations",
                [now](Json& list, const ports::RegistrationsReply& value) {
                    for (const ports::BindingsEvent& event : value.bindings) {
                        list.push_back(sinks::registration_json(event, now));
                    }
                }));
        },
        kAnswerTime);
}

void ControlCommands::live_calls(const Json& request, const Reply& reply) {
    const auto places = places_of(request, setup_.shards);
    const uint32_t share = share_of(limit_of(request), places);
    setup_.queries->ask(
        [places, share](uint8_t shard, uint64_t id) -> std::optional<ports::Command> {
            if (!places[shard]) return std::nullopt;
            return ports::QueryLiveCalls{id, *places[shard], share};
        },
        [reply](const ShardQueries::Answers& answers) {
            reply(page<ports::LiveCallsReply>(answers, "calls",
                                              [](Json& list, const ports::LiveCallsReply& value) {
                                                  for (const ports::OpenCall& call : value.calls) {
                                                      list.push_back(sinks::open_call_json(call));
                                                  }
                                              }));
        },
        kAnswerTime);
}

void ControlCommands::records(const Json& request, const Reply& reply) {
    store::RecordQuery query;
    query.limit = limit_of(request);
    if (is_true(request, "newest_first")) query.order = store::RecordOrder::NewestFirst;
    if (const auto after = request.find("after"); after != request.end() && !after->is_null()) {
        const auto id = after->is_string() ? text::to_u64(after->get<std::string>()) : std::nullopt;
        if (!id) return reply(refusal("\"after\" must be the id of a record, as text."));
        query.after = *id;
    }
    // Folded and read in the store's thread: a slow database holds up this client only. The reply
    // is moved back whole, because its session must end in the main thread.
    setup_.worker->fold_now([this, query, kept = reply]() mutable {
        const auto records = setup_.store->records(query);
        Json out;
        if (records) {
            Json list = Json::array();
            for (const ports::CallRecord& record : *records) {
                list.push_back(sinks::record_json(record));
            }
            out = {{"ok", true}, {"calls", std::move(list)}, {"next", nullptr}};
            if (records->size() == query.limit) {
                out["next"] = std::to_string(records->back().id);
            }
        } else {
            out = refusal(records.error().text);
        }
        boost::asio::post(
            *setup_.context,
            [back = std::move(kept), out = std::move(out)]() mutable { back(std::move(out)); });
    });
}

}  // namespace signalbox::node
