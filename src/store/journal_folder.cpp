// The fold of all shards' journals in the order in which things happened: what must be written to a
// store, and up to which places.
#include "store/journal_folder.h"

#include <algorithm>

#include "base/byte_io.h"
#include "store/journal_files.h"

namespace signalbox::store {

namespace {

/// A call that began this many segments ago is carried by the store, so that a start never reads
/// more than these again.
constexpr uint64_t kSegmentsKeptForOpenCalls = 1;

}  // namespace

JournalFolder::JournalFolder(Options options) : options_(std::move(options)) {
    find_new_shards();
}

void JournalFolder::find_new_shards() {
    for (const uint8_t shard : journal_shards(options_.data_dir)) {
        if (sources_.contains(shard)) continue;
        const auto from = options_.from.find(shard);
        const FoldedUpTo up_to = from == options_.from.end() ? FoldedUpTo{} : from->second;
        const JournalPosition begin = std::min(up_to.bindings, up_to.records);
        JournalReader reader(options_.data_dir, shard, begin);
        sources_.emplace(shard, Source{std::move(reader), up_to, std::nullopt, begin});
    }
}

void JournalFolder::restore(const CarriedCall& call) {
    ByteReader reader(call.events);
    while (reader.ok() && !reader.at_end()) {
        const std::string_view event = reader.text();
        if (reader.ok()) fold_.apply(event);
    }
    Open open;
    open.is_carried = true;
    open_.insert_or_assign(call.id, open);
    highest_call_ = std::max(highest_call_, call.id);
}

bool JournalFolder::load_head(Source& source) {
    if (source.head) return true;
    if (options_.until) {
        const auto until = options_.until->find(source.reader.shard());
        if (until == options_.until->end()) return false;
        if (source.read_up_to >= until->second) return false;
    }
    JournalEntry entry;
    if (!source.reader.next(entry)) return false;
    // The journal was removed: its numbers begin anew, and what was folded says nothing.
    if (entry.begin < source.read_up_to) source.from = {};
    if (options_.until && entry.begin >= options_.until->at(entry.shard)) {
        source.read_up_to = entry.begin;
        return false;
    }
    source.head = entry;
    return true;
}

JournalFolder::Source* JournalFolder::next_source() {
    Source* earliest = nullptr;
    for (auto& [shard, source] : sources_) {
        if (!load_head(source)) continue;
        if (earliest == nullptr || source.head->run < earliest->head->run) earliest = &source;
    }
    return earliest;
}

uint64_t JournalFolder::read(uint64_t events_max) {
    find_new_shards();
    uint64_t count = 0;
    while (count < events_max) {
        Source* source = next_source();
        if (source == nullptr) break;
        // The rest of this source's run may follow without a look at the others.
        const uint64_t run = source->head->run;
        while (count < events_max && load_head(*source) && source->head->run == run) {
            apply(*source);
            ++count;
        }
    }
    return count;
}

void JournalFolder::apply(Source& source) {
    const JournalEntry& entry = *source.head;
    ++batch_.events;
    if (const auto event = ports::decode_call_event(entry.event)) {
        if (entry.begin >= source.from.records) apply_call(entry, *event);
    } else {
        apply_other(source);
    }
    source.read_up_to = entry.end;
    source.head.reset();
}

void JournalFolder::apply_call(const JournalEntry& entry, const ports::CallEvent& event) {
    const uint64_t call = event.header.call;
    highest_call_ = std::max(highest_call_, call);
    const bool is_taken = fold_.take(event, entry.event);
    if (!options_.is_lasting) return;
    if (event.header.kind == ports::JournalEventKind::CallEnded) {
        const auto found = open_.find(call);
        if (found == open_.end()) return;
        if (found->second.is_carried) batch_.no_longer_carried.push_back(call);
        open_.erase(found);
    } else if (is_taken) {
        const Open begun{entry.shard, entry.begin};
        open_.try_emplace(call, begun).first->second.is_changed = true;
    }
}

/// Bindings, or what cannot be read.
void JournalFolder::apply_other(const Source& source) {
    const JournalEntry& entry = *source.head;
    const auto header = ports::decode_header(entry.event);
    if (header && header->kind == ports::JournalEventKind::BindingsChanged) {
        if (options_.is_lasting && entry.begin >= source.from.bindings) apply_bindings(entry);
    } else if (!header || entry.begin >= source.from.records) {
        ++undecodable_;
        if (header) highest_call_ = std::max(highest_call_, header->call);
    }
}

void JournalFolder::apply_bindings(const JournalEntry& entry) {
    const auto event = ports::decode_bindings_event(entry.event);
    if (!event) {
        ++undecodable_;
        return;
    }
    FoldedBindings folded;
    folded.order = {entry.run, entry.begin};
    folded.is_empty = event->bindings.empty();
    for (const ports::BindingRecord& binding : event->bindings) {
        folded.expires = std::max(folded.expires, binding.expires);
    }
    folded.event = entry.event;
    batch_.bindings.insert_or_assign({event->header.tenant, event->aor}, std::move(folded));
}

void JournalFolder::carry_old_calls() {
    for (auto& [id, open] : open_) {
        if (!open.is_carried) {
            const auto source = sources_.find(open.shard);
            const uint64_t now = source->second.read_up_to.sequence;
            open.is_carried = open.begin.sequence + kSegmentsKeptForOpenCalls < now;
            open.is_changed |= open.is_carried;
        }
        if (!open.is_carried || !open.is_changed) continue;
        open.is_changed = false;
        batch_.carried.push_back({id, std::string(fold_.octets_of(id))});
    }
}

FoldBatch JournalFolder::take_batch() {
    if (options_.is_lasting) carry_old_calls();
    for (const auto& [shard, source] : sources_) {
        batch_.folded[shard] = {source.read_up_to, source.read_up_to};
    }
    for (const auto& [id, open] : open_) {
        if (open.is_carried) continue;
        JournalPosition& records = batch_.folded[open.shard].records;
        records = std::min(records, open.begin);
    }
    batch_.ended = fold_.take_ended();
    return std::exchange(batch_, {});
}

std::map<uint8_t, JournalPosition> JournalFolder::positions() const {
    std::map<uint8_t, JournalPosition> positions;
    for (const auto& [shard, source] : sources_) positions[shard] = source.read_up_to;
    return positions;
}

std::vector<JournalDamage> JournalFolder::take_damage() {
    std::vector<JournalDamage> damage;
    for (auto& [shard, source] : sources_) {
        for (JournalDamage& each : source.reader.take_damage()) damage.push_back(std::move(each));
    }
    return damage;
}

uint64_t JournalFolder::skipped_count() const {
    uint64_t count = undecodable_;
    for (const auto& [shard, source] : sources_) count += source.reader.torn_count();
    return count;
}

}  // namespace signalbox::store
