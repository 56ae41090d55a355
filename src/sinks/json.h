// Records, open calls, registrations and statistics as JSON: the one form that the control socket
// and the command line share.
//
// The control socket (data_dir/control.sock) carries one JSON object a line both ways:
//   {"command":"version"}                                -> {"ok":true,"version":"0.1.0"}
//   {"command":"stats"}                                  ->
//   {"ok":true,"version":..,"uptime_s":..,"shards":..,<stats_json>}
//   {"command":"registrations","after":{..},"limit":500} ->
//   {"ok":true,"registrations":[registration_json..],"next":{..}|null}
//   {"command":"calls","after":"17","limit":500,"newest_first":false} ->
//   {"ok":true,"calls":[record_json..],"next":"42"|null}
//   {"command":"calls","live":true,"after":{..}}         ->
//   {"ok":true,"calls":[open_call_json..],"next":{..}|null}
//   {"command":"users-changed"}                          -> {"ok":true}
//   anything else                                        -> {"ok":false,"error":"A sentence."}
// "after" is what "next" said, absent at first: pages of shards name the place of each shard that
// is not done ({"0":120,"1":7}), pages of records the id of the last record, as text. A shard that
// did not answer stands in "silent_shards":[1].
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "base/time.h"
#include "ports/call_record.h"
#include "ports/command.h"
#include "ports/journal_event.h"

namespace signalbox::sinks {

using Json = nlohmann::ordered_json;

/// RFC 3339 in UTC with milliseconds: "2026-03-01T12:00:00.000Z".
std::string rfc3339(WallTime at);

/// A record: id (text, since JSON's numbers end at 2^53), call_id, from, ..., is_answered. Times
/// that did not come are null.
Json record_json(const ports::CallRecord& record);
/// A live call: id, call_id, is_answered, started, answered.
Json open_call_json(const ports::OpenCall& call);
/// One address of record with its bindings that live at `now`: {"aor", "contacts": [{"contact",
/// "expires", "expires_in_s", "q", "transport", "source", "user_agent", "is_nated", "updated"}]}.
Json registration_json(const ports::BindingsEvent& event, WallTime now);
/// {"counters": {name: value}, "gauges": {name: value}}.
Json stats_json(const std::array<uint64_t, kCounters>& counters, const ports::Gauges& gauges);
/// One line without a newline; octets that are not UTF-8 are replaced.
std::string dump(const Json& json);

}  // namespace signalbox::sinks
