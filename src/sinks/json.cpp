// Records, open calls, registrations and statistics as JSON.
#include "sinks/json.h"

#include <time.h>

#include <algorithm>
#include <array>
#include <cstdio>

#include "base/counters.h"

namespace signalbox::sinks {

namespace {

std::string_view name_of(ports::EndedBy ended_by) {
    switch (ended_by) {
        case ports::EndedBy::Nobody:
            return "nobody";
        case ports::EndedBy::Caller:
            return "caller";
        case ports::EndedBy::Callee:
            return "callee";
        case ports::EndedBy::Server:
            return "server";
    }
    return "nobody";
}

Json time_or_null(const std::optional<WallTime>& at) {
    return at ? Json(rfc3339(*at)) : Json(nullptr);
}

Json binding_json(const ports::BindingRecord& binding, WallTime now) {
    const auto left = std::chrono::ceil<std::chrono::seconds>(binding.expires - now).count();
    Json json;
    json["contact"] = binding.contact;
    json["expires"] = rfc3339(binding.expires);
    json["expires_in_s"] = std::max<int64_t>(left, 0);
    json["q"] = static_cast<double>(binding.q) / 1000.0;
    json["transport"] = transport::transport_name(binding.flow.transport);
    json["source"] = binding.flow.remote.to_string();
    json["user_agent"] = binding.user_agent;
    json["is_nated"] = binding.is_nated;
    json["updated"] = rfc3339(binding.updated);
    return json;
}

}  // namespace

std::string rfc3339(WallTime at) {
    const int64_t seconds = unix_seconds(at);
    const auto us = at.time_since_epoch().count() - seconds * 1'000'000;
    const auto whole = static_cast<time_t>(seconds);
    tm parts{};
    ::gmtime_r(&whole, &parts);
    std::array<char, 40> text{};
    const size_t size = ::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S", &parts);
    std::snprintf(text.data() + size, text.size() - size, ".%03dZ", static_cast<int>(us / 1000));
    return text.data();
}

Json record_json(const ports::CallRecord& record) {
    Json json;
    json["id"] = std::to_string(record.id);
    json["call_id"] = record.call_id;
    json["from"] = record.from;
    json["from_display"] = record.from_display;
    json["to"] = record.to;
    json["request_uri"] = record.request_uri;
    json["user"] = record.user;
    json["source"] = record.source;
    json["contact"] = record.contact;
    json["started"] = rfc3339(record.started);
    json["ringing"] = time_or_null(record.ringing);
    json["answered"] = time_or_null(record.answered);
    json["ended"] = rfc3339(record.ended);
    json["ring_ms"] = record.ring_ms;
    json["talk_ms"] = record.talk_ms;
    json["status"] = record.status;
    json["ended_by"] = name_of(record.ended_by);
    json["reason"] = record.reason;
    json["is_answered"] = record.is_answered();
    return json;
}

Json open_call_json(const ports::OpenCall& call) {
    Json json;
    json["id"] = std::to_string(call.id);
    json["call_id"] = call.call_id;
    json["started"] = rfc3339(call.started);
    json["answered"] = call.is_answered ? Json(rfc3339(call.answered)) : Json(nullptr);
    json["is_answered"] = call.is_answered;
    return json;
}

Json registration_json(const ports::BindingsEvent& event, WallTime now) {
    Json contacts = Json::array();
    for (const ports::BindingRecord& binding : event.bindings) {
        if (binding.expires > now) contacts.push_back(binding_json(binding, now));
    }
    Json json;
    json["aor"] = event.aor;
    json["contacts"] = std::move(contacts);
    return json;
}

Json stats_json(const std::array<uint64_t, kCounters>& counters, const ports::Gauges& gauges) {
    Json counted = Json::object();
    for (size_t i = 0; i < kCounters; ++i) {
        counted[std::string(counter_name(static_cast<Counter>(i)))] = counters[i];
    }
    Json json;
    json["counters"] = std::move(counted);
    json["gauges"] = {{"server_transactions", gauges.server_transactions},
                      {"client_transactions", gauges.client_transactions},
                      {"calls", gauges.calls},
                      {"proxied_requests", gauges.proxied_requests},
                      {"addresses_of_record", gauges.addresses_of_record},
                      {"bindings", gauges.bindings},
                      {"users", gauges.users},
                      {"pool_bytes", gauges.pool_bytes},
                      {"sources_blocked", gauges.sources_blocked},
                      {"overload_level", ports::level_name(gauges.overload_level)},
                      {"queue_delay_us", gauges.queue_delay_us}};
    return json;
}

std::string dump(const Json& json) {
    return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace signalbox::sinks
