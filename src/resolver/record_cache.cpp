// Remembers record sets. Implements: RFC 2308 §5, §7; RFC 8767 §5
#include "resolver/record_cache.h"

#include <algorithm>

#include "base/random.h"

namespace signalbox::resolver {
namespace {

using std::chrono::seconds;

/// After a failure: with an expired answer at hand (RFC 8767 §5), and without one (RFC 2308 §7).
constexpr Duration kRecheckStale = seconds(30);
constexpr Duration kRecheckFailed = seconds(5);

}  // namespace

size_t RecordCache::QuestionHash::operator()(const Question& question) const {
    return siphash({key[0], key[1] + static_cast<uint64_t>(question.type)}, question.name);
}

const RecordSet* RecordCache::find(Instant now, const Question& question, bool& is_stale) const {
    is_stale = false;
    const auto found = entries_.find(question);
    if (found == entries_.end()) return nullptr;
    const Entry& entry = found->second;
    if (now < entry.expires) return &entry.records;
    if (now >= entry.ask_again) return nullptr;
    if (entry.records.outcome == Outcome::Failed) return &entry.records;
    if (now >= entry.usable) return nullptr;
    is_stale = true;
    return &entry.records;
}

const RecordSet* RecordCache::last_known(Instant now, const Question& question) const {
    const auto found = entries_.find(question);
    if (found == entries_.end() || now >= found->second.usable) return nullptr;
    return &found->second.records;
}

void RecordCache::store(Instant now, const Question& question, const RecordSet& records,
                        const ResolverSettings& settings) {
    const bool is_failure = records.outcome == Outcome::Failed;
    const auto known = entries_.find(question);
    if (is_failure && known != entries_.end() && now < known->second.usable) {
        known->second.ask_again = now + kRecheckStale;
        return;
    }
    if (known == entries_.end() && entries_.size() >= entries_max_) make_room(now);
    Entry& entry = entries_[question];
    entry.records = records;
    if (is_failure) {
        entry.expires = entry.usable = now;
        entry.ask_again = now + kRecheckFailed;
        return;
    }
    const bool exists = records.outcome == Outcome::Found;
    entry.expires =
        now + std::min(records.ttl, exists ? settings.ttl_max : settings.negative_ttl_max);
    // That a host has no address any more may be the fault; that a domain has no services is not.
    const bool is_usable_late = exists || question.type != RecordType::Address;
    entry.usable = is_usable_late ? entry.expires + settings.stale_max : entry.expires;
    entry.ask_again = Instant{};
}

void RecordCache::make_room(Instant now) {
    boost::unordered::erase_if(entries_, [now](const auto& entry) {
        return entry.second.expires <= now && entry.second.ask_again <= now;
    });
    if (entries_.size() < entries_max_) return;
    // All are in use: every fourth goes, so that the next insertions cost nothing.
    size_t place = 0;
    boost::unordered::erase_if(entries_, [&place](const auto&) { return place++ % 4 == 0; });
}

}  // namespace signalbox::resolver
