// signalbox registrations, calls and stats: from the running server, or from the database when none
// runs.
#include <algorithm>
#include <chrono>
#include <filesystem>
#include <functional>
#include <iostream>

#include "base/result.h"
#include "main/commands.h"
#include "main/context.h"
#include "main/control_client.h"
#include "main/text_table.h"
#include "store/record_rows.h"
#include "store/schema.h"

namespace signalbox::cli {

namespace {

using sinks::Json;
using Visit = std::function<void(const Json&)>;

WallTime wall_now() {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    return WallTime(std::chrono::duration_cast<std::chrono::microseconds>(now));
}

/// The database of a server that does not run; null when it was never started.
store::Outcome<std::unique_ptr<store::sqlite::Database>> open_for_reading(
    const config::LoadedConfig& config) {
    if (config.engine == config::StoreEngine::Memory) {
        return store::failure(
            "The server is not running, and the memory engine keeps nothing beyond its end.");
    }
    std::error_code error;
    if (!std::filesystem::exists(store::database_path(config.data_dir), error)) {
        return std::unique_ptr<store::sqlite::Database>();
    }
    return store::open_database(config.data_dir, store::kCommandBusyTimeout);
}

/// Prints elements as one JSON array, an element a line, as they come.
class JsonLines final {
 public:
    void add(const Json& element) {
        std::cout << (is_first_ ? "[\n" : ",\n") << sinks::dump(element);
        is_first_ = false;
    }
    void end() { std::cout << (is_first_ ? "[]\n" : "\n]\n"); }

 private:
    bool is_first_ = true;
};

std::string text_of(const Json& json, const char* key) {
    const auto found = json.find(key);
    if (found == json.end() || found->is_null()) return {};
    return printable(found->is_string() ? found->get<std::string>() : found->dump());
}

/// "sip:alice@example.test;x=1" as "alice@example.test".
std::string short_uri(std::string uri) {
    for (const std::string_view scheme : {"sip:", "sips:", "tel:"}) {
        if (uri.compare(0, scheme.size(), scheme) == 0) uri.erase(0, scheme.size());
    }
    return uri.substr(0, uri.find_first_of(";?"));
}

/// "2026-03-01T12:00:00.000Z" as "2026-03-01 12:00:00".
std::string short_time(std::string time) {
    if (time.size() > 19) time.resize(19);
    std::replace(time.begin(), time.end(), 'T', ' ');
    return time;
}

/// Milliseconds as "1:02:03" or "02:03".
std::string clock_text(uint64_t ms) {
    const uint64_t seconds = ms / 1000;
    const auto two = [](uint64_t n) { return (n < 10 ? "0" : "") + std::to_string(n); };
    const std::string tail = two(seconds / 60 % 60) + ":" + two(seconds % 60);
    return seconds >= 3600 ? std::to_string(seconds / 3600) + ":" + tail : tail;
}

store::Outcome<void> registrations_of(const config::LoadedConfig& config, const Visit& visit) {
    ControlClient server(config.data_dir);
    if (server.is_connected()) {
        return server.for_each({{"command", "registrations"}}, "registrations", visit);
    }
    const auto database = open_for_reading(config);
    if (!database) return tl::unexpected(database.error());
    std::cerr << "The server is not running; this is what it kept.\n";
    if (*database == nullptr) return {};
    const auto all = store::read_bindings(**database);
    if (!all) return tl::unexpected(all.error());
    for (const ports::BindingsEvent& event : *all)
        visit(sinks::registration_json(event, wall_now()));
    return {};
}

store::Outcome<void> records_of(store::sqlite::Database& database, const CallsOptions& options,
                                const Visit& visit) {
    store::RecordQuery query;
    if (options.last != 0) query.order = store::RecordOrder::NewestFirst;
    uint32_t left = options.last;
    for (;;) {
        if (options.last != 0) query.limit = std::min(left, store::kRecordPageMax);
        const auto page = store::read_records(database, query);
        if (!page) return tl::unexpected(page.error());
        for (const ports::CallRecord& record : *page) visit(sinks::record_json(record));
        if (page->size() < query.limit) return {};
        query.after = page->back().id;
        left -= std::min(left, static_cast<uint32_t>(page->size()));
        if (options.last != 0 && left == 0) return {};
    }
}

store::Outcome<void> calls_of_server(ControlClient& server, const CallsOptions& options,
                                     const Visit& visit) {
    Json request{{"command", "calls"}};
    if (options.is_live) request["live"] = true;
    if (options.last == 0 || options.is_live) return server.for_each(request, "calls", visit);
    request["newest_first"] = true;
    for (uint32_t left = options.last; left > 0;) {
        request["limit"] = std::min(left, store::kRecordPageMax);
        auto reply = server.ask(request);
        if (!reply) return tl::unexpected(reply.error());
        for (const Json& record : (*reply)["calls"]) visit(record);
        left -= std::min(left, static_cast<uint32_t>((*reply)["calls"].size()));
        if ((*reply)["next"].is_null()) break;
        request["after"] = (*reply)["next"];
    }
    return {};
}

store::Outcome<void> calls_of(const config::LoadedConfig& config, const CallsOptions& options,
                              const Visit& visit) {
    ControlClient server(config.data_dir);
    if (server.is_connected()) return calls_of_server(server, options, visit);
    if (options.is_live) return store::failure("The server is not running: no call is up.");
    const auto database = open_for_reading(config);
    if (!database) return tl::unexpected(database.error());
    std::cerr << "The server is not running; this is what it kept.\n";
    if (*database == nullptr) return {};
    return records_of(**database, options, visit);
}

/// The elements in the order in which they are shown: the last ones come newest first.
store::Outcome<void> in_order(const config::LoadedConfig& config, const CallsOptions& options,
                              const Visit& visit) {
    if (options.last == 0) return calls_of(config, options, visit);
    std::vector<Json> newest_first;
    TRY(calls_of(config, options,
                 [&newest_first](const Json& call) { newest_first.push_back(call); }));
    std::for_each(newest_first.rbegin(), newest_first.rend(), visit);
    return {};
}

std::vector<std::string> record_row(const Json& call) {
    const bool is_answered = call.value("is_answered", false);
    const std::string result =
        is_answered ? "answered" : text_of(call, "status") + " " + text_of(call, "reason");
    return {short_time(text_of(call, "started")),
            short_uri(text_of(call, "from")),
            short_uri(text_of(call, "to")),
            result,
            is_answered ? clock_text(call.value("talk_ms", uint64_t{0})) : "",
            text_of(call, "ended_by")};
}

std::vector<std::string> live_row(const Json& call) {
    return {short_time(text_of(call, "started")), short_time(text_of(call, "answered")),
            text_of(call, "call_id")};
}

}  // namespace

int registrations(const ListOptions& options) {
    const auto config = load(options.config_file);
    if (!config) return kFailed;
    JsonLines lines;
    TextTable table(
        {{"ADDRESS", 24}, {"CONTACT", 44}, {"FROM", 26}, {"EXPIRES IN", 10, true}, {"AGENT", 20}});
    const auto done = registrations_of(*config, [&](const Json& entry) {
        if (options.is_json) return lines.add(entry);
        for (const Json& contact : entry["contacts"]) {
            table.add({text_of(entry, "aor"), text_of(contact, "contact"),
                       text_of(contact, "transport") + " " + text_of(contact, "source"),
                       text_of(contact, "expires_in_s") + "s", text_of(contact, "user_agent")});
        }
    });
    if (!done) return fail(done.error().text);
    if (options.is_json) {
        lines.end();
    } else if (table.is_empty()) {
        std::cout << "Nobody is registered.\n";
    } else {
        table.print(std::cout);
    }
    return kOk;
}

int calls(const CallsOptions& options) {
    const auto config = load(options.list.config_file);
    if (!config) return kFailed;
    JsonLines lines;
    TextTable table =
        options.is_live
            ? TextTable({{"STARTED (UTC)", 19}, {"ANSWERED (UTC)", 19}, {"CALL-ID", 60}})
            : TextTable({{"STARTED (UTC)", 19},
                         {"FROM", 26},
                         {"TO", 26},
                         {"RESULT", 22},
                         {"TALK", 8, true},
                         {"ENDED BY", 8}});
    const auto done = in_order(*config, options, [&](const Json& call) {
        if (options.list.is_json) return lines.add(call);
        table.add(options.is_live ? live_row(call) : record_row(call));
    });
    if (!done) return fail(done.error().text);
    if (options.list.is_json) {
        lines.end();
    } else if (table.is_empty()) {
        std::cout << (options.is_live ? "No call is up.\n" : "There are no calls yet.\n");
    } else {
        table.print(std::cout);
    }
    return kOk;
}

int stats(const ListOptions& options) {
    const auto config = load(options.config_file);
    if (!config) return kFailed;
    ControlClient server(config->data_dir);
    if (!server.is_connected()) {
        return fail("The server is not running (nobody listens in " + config->data_dir +
                    "). Start it with \"signalbox run\".");
    }
    auto reply = server.ask({{"command", "stats"}});
    if (!reply) return fail(reply.error().text);
    reply->erase("ok");
    if (options.is_json) {
        std::cout << sinks::dump(*reply) << '\n';
        return kOk;
    }
    TextTable table({{"NAME", 60}, {"VALUE", 24, true}});
    for (const char* name : {"version", "uptime_s", "shards"})
        table.add({name, text_of(*reply, name)});
    for (const char* group : {"gauges", "counters"}) {
        for (const auto& entry : (*reply)[group].items())
            table.add({entry.key(), text_of((*reply)[group], entry.key().c_str())});
    }
    table.print(std::cout);
    if (reply->contains("silent_shards")) {
        std::cerr << "Shards that did not answer: " << (*reply)["silent_shards"].dump() << ".\n";
    }
    return kOk;
}

}  // namespace signalbox::cli
