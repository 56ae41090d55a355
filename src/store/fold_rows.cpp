// What the fold of the journal writes in one transaction, and what it finds again after a restart.
#include "store/fold_rows.h"

#include <array>
#include <string>

#include "base/result.h"

namespace signalbox::store {

namespace {

constexpr std::string_view kBindingsFold = "bindings";
constexpr std::string_view kRecordsFold = "records";

// A state from a later place in the journal always wins, so that folding again changes nothing.
constexpr std::string_view kUpsertBindings =
    "INSERT INTO bindings (tenant, aor, run, sequence, position, expires_us, event) "
    "VALUES (?,?,?,?,?,?,?) ON CONFLICT (tenant, aor) DO UPDATE SET run = excluded.run, "
    "sequence = excluded.sequence, position = excluded.position, "
    "expires_us = excluded.expires_us, event = excluded.event "
    "WHERE (excluded.run, excluded.sequence, excluded.position) >= (run, sequence, position)";
constexpr std::string_view kDeleteBindings =
    "DELETE FROM bindings WHERE tenant = ? AND aor = ? AND (run, sequence, position) <= (?, ?, ?)";

}  // namespace

Outcome<std::unique_ptr<FoldWriter>> FoldWriter::prepare(sqlite::Database& database) {
    auto records = RecordWriter::prepare(database);
    if (!records) return tl::unexpected(records.error());
    std::unique_ptr<FoldWriter> writer(new FoldWriter(database, std::move(*records)));
    TRY(writer->prepare_statements());
    return writer;
}

Outcome<void> FoldWriter::prepare_statements() {
    struct Wanted {
        sqlite::Statement* statement;
        std::string_view sql;
    };
    const std::array wanted{
        Wanted{&upsert_bindings_, kUpsertBindings},
        Wanted{&delete_bindings_, kDeleteBindings},
        Wanted{&upsert_place_, "INSERT OR REPLACE INTO fold_positions VALUES (?, ?, ?, ?)"},
        Wanted{&upsert_open_call_, "INSERT OR REPLACE INTO open_calls VALUES (?, ?)"},
        Wanted{&delete_open_call_, "DELETE FROM open_calls WHERE id = ?"},
        Wanted{&add_folded_,
               "INSERT INTO identity VALUES ('records_folded', ?1), ('records_present', ?1) "
               "ON CONFLICT (name) DO UPDATE SET value = value + ?1"},
    };
    for (const Wanted& one : wanted) {
        auto statement = database_.prepare(one.sql);
        if (!statement) return tl::unexpected(statement.error());
        *one.statement = std::move(*statement);
    }
    return {};
}

Outcome<uint64_t> FoldWriter::apply(const FoldBatch& batch) {
    database_.clear();
    TRY(database_.execute("BEGIN IMMEDIATE"));
    return commit(write(batch));
}

Outcome<uint64_t> FoldWriter::apply_records(const std::vector<cdr::CallEvents>& ended) {
    database_.clear();
    TRY(database_.execute("BEGIN IMMEDIATE"));
    const uint64_t written = records_.write(ended);
    count_new_records(written);
    return commit(written);
}

Outcome<uint64_t> FoldWriter::commit(uint64_t written) {
    if (database_.is_ok() && database_.execute("COMMIT")) return written;
    const Failure trouble = database_.trouble();
    // Some failures have ended the transaction already: this one may fail, and it does not matter.
    static_cast<void>(database_.execute("ROLLBACK"));
    return tl::unexpected(trouble);
}

uint64_t FoldWriter::write(const FoldBatch& batch) {
    const uint64_t written = records_.write(batch.ended);
    count_new_records(written);
    write_bindings(batch);
    write_open_calls(batch);
    write_places(batch);
    return written;
}

void FoldWriter::count_new_records(uint64_t written) {
    if (written != 0) add_folded_.reset().bind(written).run();
}

void FoldWriter::write_bindings(const FoldBatch& batch) {
    for (const auto& [address, folded] : batch.bindings) {
        const auto& [tenant, aor] = address;
        const JournalPosition& position = folded.order.position;
        auto& statement = folded.is_empty ? delete_bindings_ : upsert_bindings_;
        statement.reset().bind(tenant).bind_text(aor).bind(folded.order.run);
        statement.bind(position.sequence).bind(position.offset);
        if (!folded.is_empty) {
            statement.bind(int64_t{folded.expires.time_since_epoch().count()});
            statement.bind_blob(folded.event);
        }
        if (!statement.run()) return;
    }
}

void FoldWriter::write_open_calls(const FoldBatch& batch) {
    for (const CarriedCall& call : batch.carried) {
        if (!upsert_open_call_.reset().bind(call.id).bind_blob(call.events).run()) return;
    }
    for (const uint64_t id : batch.no_longer_carried) {
        if (!delete_open_call_.reset().bind(id).run()) return;
    }
}

void FoldWriter::write_places(const FoldBatch& batch) {
    const auto write_one = [this](std::string_view fold, uint8_t shard, JournalPosition place) {
        upsert_place_.reset().bind_text(fold).bind(int{shard});
        return upsert_place_.bind(place.sequence).bind(place.offset).run();
    };
    for (const auto& [shard, up_to] : batch.folded) {
        if (!write_one(kBindingsFold, shard, up_to.bindings)) return;
        if (!write_one(kRecordsFold, shard, up_to.records)) return;
    }
}

Outcome<std::map<uint8_t, FoldedUpTo>> read_places(sqlite::Database& database) {
    auto select = database.prepare("SELECT fold, shard, sequence, position FROM fold_positions");
    if (!select) return tl::unexpected(select.error());
    std::map<uint8_t, FoldedUpTo> places;
    database.clear();
    while (select->step()) {
        FoldedUpTo& up_to = places[static_cast<uint8_t>(select->integer(1))];
        const JournalPosition place{select->natural(2), select->natural(3)};
        (select->text(0) == kBindingsFold ? up_to.bindings : up_to.records) = place;
    }
    if (!database.is_ok()) return tl::unexpected(database.trouble());
    return places;
}

Outcome<std::vector<CarriedCall>> read_open_calls(sqlite::Database& database) {
    auto select = database.prepare("SELECT id, events FROM open_calls ORDER BY id");
    if (!select) return tl::unexpected(select.error());
    std::vector<CarriedCall> calls;
    database.clear();
    while (select->step()) calls.push_back({select->natural(0), select->text(1)});
    if (!database.is_ok()) return tl::unexpected(database.trouble());
    return calls;
}

Outcome<uint64_t> count_missing_records(sqlite::Database& database) {
    auto select = database.prepare("SELECT value FROM identity WHERE name = 'records_folded'");
    if (!select) return tl::unexpected(select.error());
    database.clear();
    const uint64_t expected = select->step() ? select->natural(0) : 0;
    if (!database.is_ok()) return tl::unexpected(database.trouble());
    const auto present = count_records(database);
    if (!present) return tl::unexpected(present.error());
    return expected > *present ? expected - *present : 0;
}

Outcome<void> forget_missing_records(sqlite::Database& database, uint64_t count) {
    auto update =
        database.prepare("UPDATE identity SET value = value - ? WHERE name = 'records_folded'");
    if (!update) return tl::unexpected(update.error());
    if (!update->reset().bind(count).run()) return tl::unexpected(database.trouble());
    return {};
}

Outcome<void> remove_expired_bindings(sqlite::Database& database, WallTime before) {
    auto remove = database.prepare("DELETE FROM bindings WHERE expires_us < ?");
    if (!remove) return tl::unexpected(remove.error());
    if (!remove->reset().bind(int64_t{before.time_since_epoch().count()}).run()) {
        return tl::unexpected(database.trouble());
    }
    return {};
}

}  // namespace signalbox::store
