// Which new work is taken and which is refused. Implements: RFC 3261 §21.5.4
#include "overload/admission.h"

#include <algorithm>

namespace signalbox::overload {

namespace {

using ports::OverloadLevel;

/// A share that falls from 1 to 0 while the pressure rises from `begin` to `end`.
struct Ramp {
    double begin, end;
    constexpr double operator()(double pressure) const {
        return std::clamp((end - pressure) / (end - begin), 0.0, 1.0);
    }
};

// Calls are the last to be refused, and registrations go before them: a phone tries again by
// itself, and its binding holds until then.
constexpr Ramp kOptional{0.05, 0.2};
constexpr Ramp kRegistrations{0.2, 0.6};
constexpr Ramp kCalls{0.2, 1.0};
// What is left of each table is for what is in progress and for emergency calls.
constexpr double kTablesBegin = 0.9;
constexpr double kTablesEnd = 0.98;

// A level is entered at once, and left when the pressure has been below it by some, for some time.
// The last one is entered by the excess, which counts on top of the highest pressure.
constexpr std::array<double, 4> kEnter{0.0, kOptional.begin, kCalls.begin, 1.05};
constexpr double kLeaveBelow = 0.04;
constexpr Duration kLeaveAfter = std::chrono::seconds(1);

// For so long a Call-ID keeps its draw: as long as a request is repeated (64*T1). Longer would
// refuse the same phones, which keep their Call-ID, again and again.
constexpr Duration kDrawLifetime = std::chrono::seconds(32);

constexpr double kDrawSpan = 18446744073709551616.0;  // 2^64

}  // namespace

Admission::Admission(Instant now, Random& random, Counters& counters)
    : random_(random),
      counters_(counters),
      draw_key_{random.next(), random.next()},
      pressure_(now),
      refused_(random) {}

void Admission::update(Instant now, const ports::OverloadSettings& settings, double occupied) {
    if (settings.is_enabled) {
        pressure_.update(now, settings.delay_target);
    } else {
        pressure_.reset(now);
    }
    occupied_ = occupied;
    const double tables =
        std::clamp((occupied - kTablesBegin) / (kTablesEnd - kTablesBegin), 0.0, 1.0);
    is_by_tables_ = tables > pressure_.value();
    const double pressure = std::max(pressure_.value(), tables);
    // Nothing is dropped because of the tables: a refusal needs no place in them.
    shares_ = {kOptional(pressure), kRegistrations(pressure), kCalls(pressure), pressure_.excess()};
    enter(now, pressure_.excess() > 0 ? 1 + pressure_.excess() : pressure);
}

void Admission::enter(Instant now, double pressure) {
    const auto place = static_cast<size_t>(level_);
    size_t wanted = 0;
    while (wanted + 1 < kEnter.size() && pressure > kEnter[wanted + 1]) ++wanted;
    if (wanted >= place || pressure > kEnter[place] - kLeaveBelow) level_wanted_ = now;
    if (wanted > place) {
        level_ = static_cast<OverloadLevel>(wanted);
    } else if (place > 0 && now - level_wanted_ >= kLeaveAfter) {
        level_ = static_cast<OverloadLevel>(wanted);
        level_wanted_ = now;
    }
}

bool Admission::drops_unread(std::string_view datagram) {
    if (shares_.unread <= 0 || !is_new_at_a_glance(datagram)) return false;
    if (!draw(shares_.unread)) return false;
    counters_.add(Counter::overload_dropped_unread_total);
    return true;
}

Verdict Admission::judge(Instant now, const NewRequest& request) {
    double share = 1;
    switch (request.work) {
        case Work::Emergency:
            if (level_ >= OverloadLevel::ShedCalls)
                counters_.add(Counter::overload_emergency_calls_taken_total);
            return Verdict::Take;
        case Work::Call:
            share = shares_.calls;
            break;
        case Work::Registration:
            share = shares_.registrations;
            break;
        case Work::Optional:
            share = shares_.optional;
            break;
    }
    const bool is_taken_now = share >= 1 || is_taken(now, request.call_id, share);
    if (is_taken_now && !refused_.contains(now, request.call_id, request.branch))
        return Verdict::Take;
    if (drops_unanswered(request)) return Verdict::Drop;
    refused_.add(now, request.call_id, request.branch);
    count_refusal(request.work);
    return Verdict::Refuse;
}

/// What was read only because it showed a Route, which proves nothing, has no better claim to an
/// answer than what was dropped unread.
bool Admission::drops_unanswered(const NewRequest& request) {
    if (shares_.unread <= 0 || request.is_reliable) return false;
    if (is_new_at_a_glance(request.bytes) || !draw(shares_.unread)) return false;
    counters_.add(Counter::overload_dropped_unanswered_total);
    return true;
}

bool Admission::is_taken(Instant now, std::string_view call_id, double share) const {
    std::array<uint64_t, 2> key = draw_key_;
    key[0] ^= static_cast<uint64_t>(now.time_since_epoch() / kDrawLifetime);
    return static_cast<double>(siphash(key, call_id)) < share * kDrawSpan;
}

bool Admission::draw(double share) {
    return static_cast<double>(random_.next()) < share * kDrawSpan;
}

void Admission::count_refusal(Work work) {
    if (is_by_tables_) counters_.add(Counter::overload_refused_tables_total);
    switch (work) {
        case Work::Optional:
            return counters_.add(Counter::overload_optional_refused_total);
        case Work::Registration:
            return counters_.add(Counter::overload_registrations_refused_total);
        case Work::Call:
        case Work::Emergency:
            return counters_.add(Counter::overload_calls_refused_total);
    }
}

uint32_t Admission::retry_after_s(const ports::OverloadSettings& settings) {
    return settings.retry_after_s +
           static_cast<uint32_t>(random_.below(uint64_t{settings.retry_after_s} + 1));
}

}  // namespace signalbox::overload
