// All lookups of one shard: they share questions in flight and one cache of answers, and every wait
// has its end. Implements: RFC 3263 §4; RFC 2308; RFC 8767
#pragma once

#include <vector>

#include "base/counters.h"
#include "base/slab.h"
#include "resolver/record_cache.h"
#include "resolver/server_lookup.h"

namespace signalbox::resolver {

/// A lookup with the time that it may take. Owned by the Resolver.
struct PendingLookup {
    ServerLookup lookup;
    uint64_t owner = 0;
    Instant begun;
    Instant heard;  // the last answer
};
using LookupHandle = Handle<PendingLookup>;

/// Single-threaded; one per shard; sans-I/O: questions() are put by the driver, answers come by
/// answer(). A resolver that hangs costs each waiting branch its own time, and at most
/// `questions_max` names in flight; further questions fail at once.
class Resolver final {
 public:
    struct Limits {
        uint32_t lookups_max = 100'000;
        uint32_t questions_max = 256;  // in flight
        uint32_t cache_max = 4096;     // names and types
    };
    struct Asked {
        uint64_t id = 0;
        Question question;
    };
    /// `hash_key` is secret. `counters` must outlive it.
    Resolver(const Limits& limits, std::array<uint64_t, 2> hash_key, Counters& counters);

    /// Begins to look up the name in `destination`. Null: too many lookups live. `owner` is told by
    /// answer() when it may go on. Whatever next() says, end() is due.
    LookupHandle begin(Now now, const ResolverSettings& settings, const NextHop& destination,
                       const TransportSet& transports, uint64_t draw, uint64_t owner);
    /// As ServerLookup::next(); with Waiting, ask again after answer() or at wait_until().
    Progress next(Now now, const ResolverSettings& settings, LookupHandle handle, Hop& hop);
    /// When what next() waits for has to be given up: each stage of RFC 3263 has a third of
    /// `lookup_max`; what another known hop or an expired answer can replace is waited for shortly.
    Instant wait_until(const ResolverSettings& settings, LookupHandle handle);
    /// Gives up what is waited for: an expired answer is used, or the next stage is tried.
    void stop_waiting(Now now, const ResolverSettings& settings, LookupHandle handle);
    bool has_more(LookupHandle handle) const;
    void end(LookupHandle handle) { lookups_.erase(handle); }

    /// Takes the answer to question `id`. Owners of lookups that waited for it are appended to
    /// `owners`. A stale id only feeds nobody.
    void answer(Now now, const ResolverSettings& settings, uint64_t id, const RecordSet& records,
                std::vector<uint64_t>& owners);

    /// The first next hop that is not held down, by what is known without asking; nothing:
    /// something would have to be asked, or there is none. The same `draw`, records and health give
    /// the same hop; all but the draw change with time, so that whoever must choose the same again
    /// remembers it (RFC 3261 §16.11).
    std::optional<Hop> pick(Now now, const NextHop& destination, const TransportSet& transports,
                            uint64_t draw) const;

    /// To be put to DNS. The caller empties it.
    std::vector<Asked>& questions() { return questions_; }
    HopHealth& health() { return health_; }
    const HopHealth& health() const { return health_; }
    uint32_t lookup_count() const { return lookups_.size(); }

 private:
    struct InFlight {
        Question question;
        std::vector<LookupHandle> waiting;
        Instant asked;
        uint32_t generation = 0;
        bool is_live = false;
    };
    bool ask_ahead(Now now, const ResolverSettings& settings, LookupHandle handle);
    bool ask(Now now, const ResolverSettings& settings, const Question& question,
             LookupHandle handle);
    void answer_without_dns(Now now, ServerLookup& lookup, const Question& question);
    InFlight* place_for(Now now, const ResolverSettings& settings, const Question& question);

    Limits limits_;
    Counters& counters_;
    Slab<PendingLookup> lookups_;
    std::vector<InFlight> in_flight_;
    RecordCache cache_;
    HopHealth health_;
    std::vector<Asked> questions_;
};

}  // namespace signalbox::resolver
