// Call records and bindings as rows of the database.
#include "store/record_rows.h"

#include <algorithm>
#include <limits>
#include <string>

#include "base/result.h"

namespace signalbox::store {

namespace {

constexpr std::string_view kInsert =
    "INSERT OR IGNORE INTO records VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)";
constexpr std::string_view kSelect =
    "SELECT id, tenant, call_id, caller_tag, callee_tag, from_uri, from_display, to_uri, "
    "request_uri, user, source, contact, started_us, ringing_us, answered_us, ended_us, ring_ms, "
    "talk_ms, status, ended_by, reason, node, shard, snapshot_version FROM records ";

int64_t to_us(WallTime at) {
    return at.time_since_epoch().count();
}
WallTime from_us(int64_t us) {
    return WallTime(std::chrono::microseconds(us));
}

void bind_time(sqlite::Statement& statement, const std::optional<WallTime>& at) {
    if (at) {
        statement.bind(to_us(*at));
    } else {
        statement.bind_null();
    }
}

std::optional<WallTime> time_at(const sqlite::Statement& row, int column) {
    if (row.is_null(column)) return std::nullopt;
    return from_us(row.integer(column));
}

ports::CallRecord record_of(const sqlite::Statement& row) {
    ports::CallRecord record;
    record.id = row.natural(0);
    record.tenant = static_cast<ports::TenantId>(row.integer(1));
    record.call_id = row.text(2);
    record.caller_tag = row.text(3);
    record.callee_tag = row.text(4);
    record.from = row.text(5);
    record.from_display = row.text(6);
    record.to = row.text(7);
    record.request_uri = row.text(8);
    record.user = row.text(9);
    record.source = row.text(10);
    record.contact = row.text(11);
    record.started = from_us(row.integer(12));
    record.ringing = time_at(row, 13);
    record.answered = time_at(row, 14);
    record.ended = from_us(row.integer(15));
    record.ring_ms = row.natural(16);
    record.talk_ms = row.natural(17);
    record.status = static_cast<uint16_t>(row.integer(18));
    const int64_t ended_by = row.integer(19);
    if (ended_by >= 0 && ended_by <= static_cast<int64_t>(ports::EndedBy::Server)) {
        record.ended_by = static_cast<ports::EndedBy>(ended_by);
    }
    record.reason = row.text(20);
    record.node = static_cast<uint16_t>(row.integer(21));
    record.shard = static_cast<uint8_t>(row.integer(22));
    record.snapshot_version = row.natural(23);
    return record;
}

/// When the call with this id began: the place of a page's beginning.
Outcome<int64_t> start_of(sqlite::Database& database, uint64_t id) {
    auto select = database.prepare("SELECT started_us FROM records WHERE id = ?");
    if (!select) return tl::unexpected(select.error());
    database.clear();
    select->reset().bind(id);
    if (select->step()) return select->integer(0);
    if (!database.is_ok()) return tl::unexpected(database.trouble());
    return failure("There is no record " + std::to_string(id) + " behind which to go on.");
}

}  // namespace

Outcome<RecordWriter> RecordWriter::prepare(sqlite::Database& database) {
    auto insert = database.prepare(kInsert);
    if (!insert) return tl::unexpected(insert.error());
    return RecordWriter(database, std::move(*insert));
}

uint64_t RecordWriter::write(const std::vector<cdr::CallEvents>& ended) {
    uint64_t written = 0;
    for (const cdr::CallEvents& call : ended) {
        const ports::CallRecord record = call.record();
        insert_.reset().bind(record.id).bind(record.tenant).bind_text(record.call_id);
        insert_.bind_text(record.caller_tag).bind_text(record.callee_tag).bind_text(record.from);
        insert_.bind_text(record.from_display).bind_text(record.to).bind_text(record.request_uri);
        insert_.bind_text(record.user).bind_text(record.source).bind_text(record.contact);
        insert_.bind(to_us(record.started));
        bind_time(insert_, record.ringing);
        bind_time(insert_, record.answered);
        insert_.bind(to_us(record.ended)).bind(record.ring_ms).bind(record.talk_ms);
        insert_.bind(int{record.status}).bind(static_cast<int>(record.ended_by));
        insert_.bind_text(record.reason).bind(int{record.node}).bind(int{record.shard});
        insert_.bind(record.snapshot_version);
        if (!insert_.run()) return written;
        written += static_cast<uint64_t>(database_->changes());
    }
    return written;
}

Outcome<std::vector<ports::CallRecord>> read_records(sqlite::Database& database,
                                                     const RecordQuery& query) {
    const bool is_ascending = query.order == RecordOrder::OldestFirst;
    int64_t started =
        is_ascending ? std::numeric_limits<int64_t>::min() : std::numeric_limits<int64_t>::max();
    if (query.after != 0) {
        const auto found = start_of(database, query.after);
        if (!found) return tl::unexpected(found.error());
        started = *found;
    }
    std::string sql(kSelect);
    sql += is_ascending
               ? "WHERE (started_us, id) > (?, ?) ORDER BY started_us, id LIMIT ?"
               : "WHERE (started_us, id) < (?, ?) ORDER BY started_us DESC, id DESC LIMIT ?";
    auto select = database.prepare(sql);
    if (!select) return tl::unexpected(select.error());
    database.clear();
    select->reset().bind(started).bind(query.after).bind(std::min(query.limit, kRecordPageMax));
    std::vector<ports::CallRecord> records;
    while (select->step()) records.push_back(record_of(*select));
    if (!database.is_ok()) return tl::unexpected(database.trouble());
    return records;
}

Outcome<uint64_t> count_records(sqlite::Database& database) {
    auto select = database.prepare("SELECT value FROM identity WHERE name = 'records_present'");
    if (!select) return tl::unexpected(select.error());
    database.clear();
    if (select->step()) return select->natural(0);
    if (!database.is_ok()) return tl::unexpected(database.trouble());
    return 0;
}

Outcome<uint64_t> highest_record(sqlite::Database& database) {
    auto select = database.prepare("SELECT coalesce(max(id), 0) FROM records");
    if (!select) return tl::unexpected(select.error());
    database.clear();
    if (select->step()) return select->natural(0);
    return tl::unexpected(database.trouble());
}

Outcome<std::vector<ports::BindingsEvent>> read_bindings(sqlite::Database& database) {
    auto select = database.prepare("SELECT event FROM bindings ORDER BY tenant, aor");
    if (!select) return tl::unexpected(select.error());
    std::vector<ports::BindingsEvent> all;
    database.clear();
    while (select->step()) {
        const std::string bytes = select->text(0);
        auto event = ports::decode_bindings_event(bytes);
        if (event) all.push_back(std::move(*event));
    }
    if (!database.is_ok()) return tl::unexpected(database.trouble());
    return all;
}

}  // namespace signalbox::store
