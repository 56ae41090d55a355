// Remembers record sets: what was found, what does not exist, and what nobody could say.
// Implements: RFC 2308 §5, §7; RFC 8767 §5
#pragma once

#include <array>
#include <boost/unordered/unordered_flat_map.hpp>

#include "resolver/dns_records.h"
#include "resolver/resolver_settings.h"

namespace signalbox::resolver {

/// Single-threaded; one per shard. Bounded: a full cache forgets what has expired, then some of the
/// rest.
class RecordCache final {
 public:
    /// `hash_key` is secret: callers choose the names.
    RecordCache(size_t entries_max, std::array<uint64_t, 2> hash_key)
        : entries_max_(entries_max), entries_(0, QuestionHash{hash_key}) {}

    /// What is known without asking: a live answer, or, while the servers fail, the expired one or
    /// Failed. Null: ask. `is_stale` says whether it had expired. Valid until the next call.
    const RecordSet* find(Instant now, const Question& question, bool& is_stale) const;
    /// The last answer, though it may have expired, while `stale_max` is not over. Null: none.
    const RecordSet* last_known(Instant now, const Question& question) const;
    /// Takes an answer. A failure leaves what is known and stops questions for a while.
    void store(Instant now, const Question& question, const RecordSet& records,
               const ResolverSettings& settings);
    size_t size() const { return entries_.size(); }

 private:
    struct Entry {
        RecordSet records;
        Instant expires;
        Instant usable;                 // at most until then, expired
        Instant ask_again = Instant{};  // after a failure
    };
    struct QuestionHash {
        std::array<uint64_t, 2> key;
        size_t operator()(const Question& question) const;
    };
    void make_room(Instant now);

    size_t entries_max_;
    boost::unordered_flat_map<Question, Entry, QuestionHash> entries_;
};

}  // namespace signalbox::resolver
