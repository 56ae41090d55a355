// The fold of all shards' journals in the order in which things happened: what must be written to a
// store, and up to which places.
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cdr/call_fold.h"
#include "ports/journal_event.h"
#include "store/journal_reader.h"

namespace signalbox::store {

/// When a state of bindings was written. An address of record belongs to one shard during one run,
/// so that this order needs no clock and holds when the number of shards changes.
struct BindingsOrder {
    uint64_t run = 0;
    JournalPosition position;
    friend auto operator<=>(const BindingsOrder&, const BindingsOrder&) = default;
};

/// The latest bindings of one address of record.
struct FoldedBindings {
    BindingsOrder order;
    bool is_empty = false;
    WallTime expires;   // of the binding that lives longest
    std::string event;  // encoded
};

/// Where a shard's journal need not be read again. Calls that are open keep `records` back at their
/// beginning, or are carried: their events are in the store itself.
struct FoldedUpTo {
    JournalPosition bindings;
    JournalPosition records;
};

/// The events so far of a call that has been open for so long that the journal shall not wait for
/// it: each with its length (ByteWriter::text).
struct CarriedCall {
    uint64_t id = 0;
    std::string events;
};

/// What one transaction writes. Applying it twice does no harm.
struct FoldBatch {
    uint64_t events = 0;
    std::vector<cdr::CallEvents> ended;  // calls, in the order of their ends
    std::map<std::pair<ports::TenantId, std::string>, FoldedBindings> bindings;
    std::map<uint8_t, FoldedUpTo> folded;
    std::vector<CarriedCall> carried;         // new, or with more events than before
    std::vector<uint64_t> no_longer_carried;  // ended

    bool is_empty() const { return events == 0; }
};

/// Single-threaded. Reads all shards there are, also those of starts with more shards; events of an
/// earlier run always before those of a later one.
class JournalFolder final {
 public:
    struct Options {
        std::string data_dir;
        std::map<uint8_t, FoldedUpTo> from;  // absent shards: from the beginning
        std::optional<std::map<uint8_t, JournalPosition>> until;  // where to stop; absent: never
        bool is_lasting = true;  // the store outlives us: bindings and open calls are for it too
    };
    explicit JournalFolder(Options options);

    /// Puts back what the store carried. Before the first read().
    void restore(const CarriedCall& call);

    /// Reads at most `events_max` more events into the batch, and returns how many there were:
    /// fewer means that all was read which the journal held when this began, but perhaps for what
    /// stands behind a gap in the numbers of its segments.
    uint64_t read(uint64_t events_max);
    /// What has come together since the last take_batch(), with its places.
    FoldBatch take_batch();
    uint64_t pending_events() const { return batch_.events; }

    std::vector<ports::OpenCall> open_calls() const { return fold_.open_calls(); }
    /// The highest number of a call that was read; 0: none.
    uint64_t highest_call() const { return highest_call_; }
    /// Up to where every shard was read.
    std::map<uint8_t, JournalPosition> positions() const;
    /// Events that could not be decoded, and segments whose end was torn.
    uint64_t skipped_count() const;
    /// Damaged places that were skipped since the last call.
    std::vector<JournalDamage> take_damage();

 private:
    struct Source {
        JournalReader reader;
        FoldedUpTo from;
        std::optional<JournalEntry> head;
        JournalPosition read_up_to;
    };
    /// Where an open call keeps the journal back, or that it is carried.
    struct Open {
        uint8_t shard = 0;
        JournalPosition begin;
        bool is_carried = false;
        bool is_changed = false;
    };

    void find_new_shards();
    bool load_head(Source& source);
    Source* next_source();
    void apply(Source& source);
    void apply_call(const JournalEntry& entry, const ports::CallEvent& event);
    void apply_other(const Source& source);
    void apply_bindings(const JournalEntry& entry);
    void carry_old_calls();

    Options options_;
    std::map<uint8_t, Source> sources_;
    cdr::CallFold fold_;
    boost::unordered_flat_map<uint64_t, Open> open_;  // empty when nothing is carried
    FoldBatch batch_;
    uint64_t undecodable_ = 0;
    uint64_t highest_call_ = 0;
};

}  // namespace signalbox::store
