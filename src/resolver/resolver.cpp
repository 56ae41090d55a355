// All lookups of one shard. Implements: RFC 3263 §4; RFC 2308; RFC 8767
#include "resolver/resolver.h"

#include <algorithm>

namespace signalbox::resolver {
namespace {

constexpr int kStages = 3;
/// For an answer without which the lookup could go on.
constexpr Duration kPatience = std::chrono::milliseconds(500);
constexpr size_t kWaitingMax = 65'536;  // for one question

}  // namespace

Resolver::Resolver(const Limits& limits, std::array<uint64_t, 2> hash_key, Counters& counters)
    : limits_(limits),
      counters_(counters),
      lookups_(limits.lookups_max),
      cache_(limits.cache_max, hash_key),
      health_(hash_key) {}

LookupHandle Resolver::begin(Now now, const ResolverSettings& settings, const NextHop& destination,
                             const TransportSet& transports, uint64_t draw, uint64_t owner) {
    const ServerLookup::Order order{draw, false};
    const LookupHandle handle = lookups_.emplace(PendingLookup{
        ServerLookup(destination, transports, order), owner, now.monotonic, now.monotonic});
    if (!handle) {
        counters_.add(Counter::dns_lookups_refused_total);
        return {};
    }
    counters_.add(Counter::dns_lookups_total);
    ask_ahead(now, settings, handle);
    return handle;
}

Progress Resolver::next(Now now, const ResolverSettings& settings, LookupHandle handle, Hop& hop) {
    PendingLookup* pending = lookups_.get(handle);
    if (pending == nullptr) return Progress::Exhausted;
    while (true) {
        const Progress progress = pending->lookup.next(now.monotonic, &health_, hop);
        // What is wanted next is asked for; the cache may have it at once.
        const bool is_answered = ask_ahead(now, settings, handle);
        // One question too many is answered by the lookup itself.
        const bool is_settled = !is_answered && pending->lookup.awaited();
        if (progress != Progress::Waiting || is_settled) return progress;
    }
}

/// True when something was answered at once.
bool Resolver::ask_ahead(Now now, const ResolverSettings& settings, LookupHandle handle) {
    ServerLookup& lookup = lookups_.get(handle)->lookup;
    bool is_answered = false;
    while (const auto question = lookup.next_question()) {
        bool is_stale = false;
        if (const RecordSet* known = cache_.find(now.monotonic, *question, is_stale)) {
            counters_.add(is_stale ? Counter::dns_stale_answers_total
                                   : Counter::dns_cache_hits_total);
            lookup.answer(*question, *known);
        } else if (!ask(now, settings, *question, handle)) {
            counters_.add(Counter::dns_questions_refused_total);
            answer_without_dns(now, lookup, *question);
        } else {
            continue;
        }
        is_answered = true;
    }
    return is_answered;
}

/// With what was known before, or as if nothing were there.
void Resolver::answer_without_dns(Now now, ServerLookup& lookup, const Question& question) {
    const RecordSet* last = cache_.last_known(now.monotonic, question);
    if (last == nullptr) return lookup.answer(question, RecordSet{});
    counters_.add(Counter::dns_stale_answers_total);
    lookup.answer(question, *last);
}

/// Joins those who wait for the same answer, or asks; false: too much is in flight.
bool Resolver::ask(Now now, const ResolverSettings& settings, const Question& question,
                   LookupHandle handle) {
    InFlight* place = place_for(now, settings, question);
    if (place == nullptr || place->waiting.size() >= kWaitingMax) return false;
    place->waiting.push_back(handle);
    if (place->is_live) return true;
    place->is_live = true;
    place->asked = now.monotonic;
    place->question = question;
    ++place->generation;
    counters_.add(Counter::dns_questions_total);
    const auto index = static_cast<uint64_t>(place - in_flight_.data());
    questions_.push_back({uint64_t{place->generation} << 32 | index, question});
    return true;
}

/// Where `question` is in flight, or else a free place; null: none. A question whose answer the
/// driver has lost gives its place back after a while.
Resolver::InFlight* Resolver::place_for(Now now, const ResolverSettings& settings,
                                        const Question& question) {
    InFlight* free = nullptr;
    for (InFlight& place : in_flight_) {
        if (place.is_live && now.monotonic - place.asked > 4 * settings.lookup_max) {
            place.is_live = false;
            place.waiting.clear();
        }
        if (!place.is_live) {
            free = &place;
        } else if (place.question == question) {
            return &place;
        }
    }
    if (free == nullptr && in_flight_.size() < limits_.questions_max) {
        free = &in_flight_.emplace_back();
    }
    return free;
}

void Resolver::answer(Now now, const ResolverSettings& settings, uint64_t id,
                      const RecordSet& records, std::vector<uint64_t>& owners) {
    const auto index = static_cast<uint32_t>(id);
    const auto generation = static_cast<uint32_t>(id >> 32);
    if (index >= in_flight_.size() || !in_flight_[index].is_live ||
        in_flight_[index].generation != generation) {
        counters_.add(Counter::stale_handles_dropped_total);
        return;
    }
    const Question question = std::move(in_flight_[index].question);
    const std::vector<LookupHandle> waiting = std::move(in_flight_[index].waiting);
    in_flight_[index].waiting = {};
    in_flight_[index].is_live = false;
    cache_.store(now.monotonic, question, records, settings);
    const RecordSet* last = nullptr;
    if (records.outcome == Outcome::Failed) last = cache_.last_known(now.monotonic, question);
    if (last != nullptr) counters_.add(Counter::dns_stale_answers_total);
    // The cache may change while lookups go on and ask.
    const RecordSet used = last != nullptr ? *last : records;
    for (const LookupHandle handle : waiting) {
        PendingLookup* pending = lookups_.get(handle);
        if (pending == nullptr) continue;
        pending->heard = now.monotonic;
        pending->lookup.answer(question, used);
        ask_ahead(now, settings, handle);
        owners.push_back(pending->owner);
    }
}

Instant Resolver::wait_until(const ResolverSettings& settings, LookupHandle handle) {
    const PendingLookup* pending = lookups_.get(handle);
    if (pending == nullptr) return Instant{};
    const auto awaited = pending->lookup.awaited();
    const bool can_go_on = pending->lookup.has_hop() ||
                           (awaited && cache_.last_known(pending->heard, *awaited) != nullptr);
    const Instant stage_end =
        pending->begun + settings.lookup_max * (pending->lookup.stage() + 1) / kStages;
    return can_go_on ? std::min(stage_end, pending->heard + kPatience) : stage_end;
}

void Resolver::stop_waiting(Now now, const ResolverSettings& settings, LookupHandle handle) {
    PendingLookup* pending = lookups_.get(handle);
    if (pending == nullptr) return;
    const auto question = pending->lookup.awaited();
    if (!question) return;
    counters_.add(Counter::dns_questions_overdue_total);
    pending->heard = now.monotonic;
    if (cache_.last_known(now.monotonic, *question) != nullptr) {
        // Nobody waits again soon for what can be done without.
        cache_.store(now.monotonic, *question, RecordSet{}, settings);
    } else if (pending->lookup.has_hop() && pending->lookup.pass_over_awaited()) {
        return;
    }
    answer_without_dns(now, pending->lookup, *question);
}

bool Resolver::has_more(LookupHandle handle) const {
    const PendingLookup* pending = lookups_.get(handle);
    return pending != nullptr && pending->lookup.has_more();
}

std::optional<Hop> Resolver::pick(Now now, const NextHop& destination,
                                  const TransportSet& transports, uint64_t draw) const {
    ServerLookup lookup(destination, transports, {draw, true});
    Hop hop;
    Progress progress = Progress::Waiting;
    while (progress == Progress::Waiting) {
        while (const auto question = lookup.next_question()) {
            bool is_stale = false;
            const RecordSet* known = cache_.find(now.monotonic, *question, is_stale);
            if (known == nullptr) return std::nullopt;
            lookup.answer(*question, *known);
        }
        // Behind a hop that is held down, more has to be known.
        progress = lookup.next(now.monotonic, &health_, hop);
    }
    if (progress != Progress::Ready) return std::nullopt;
    return hop;
}

}  // namespace signalbox::resolver
