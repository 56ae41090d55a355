// Which target a request that keeps no transaction was given.
#include "proxy/stateless_choices.h"

#include <algorithm>

namespace signalbox::proxy {
namespace {

uint32_t milliseconds_of(Instant at) {
    const auto since = std::chrono::duration_cast<std::chrono::milliseconds>(at.time_since_epoch());
    return static_cast<uint32_t>(since.count());
}

constexpr uint32_t kLifeMs = static_cast<uint32_t>(
    std::chrono::duration_cast<std::chrono::milliseconds>(StatelessChoices::kLife).count());

}  // namespace

std::optional<uint32_t> StatelessChoices::find(Instant now, uint64_t request) const {
    if (sets_.empty()) return std::nullopt;
    const uint32_t now_ms = milliseconds_of(now);
    for (const Entry& entry : set_of(request)) {
        if (entry.request == request && now_ms - entry.at_ms < kLifeMs) return entry.choice;
    }
    return std::nullopt;
}

void StatelessChoices::note(Instant now, uint64_t request, uint32_t choice) {
    if (sets_.empty()) sets_.resize(sets_count_);
    const uint32_t now_ms = milliseconds_of(now);
    Set& set = sets_[request % sets_count_];
    const auto is_older = [now_ms](const Entry& a, const Entry& b) {
        return now_ms - a.at_ms < now_ms - b.at_ms;
    };
    const auto same = std::find_if(
        set.begin(), set.end(), [request](const Entry& entry) { return entry.request == request; });
    Entry& place = same != set.end() ? *same : *std::max_element(set.begin(), set.end(), is_older);
    place = {request, choice, now_ms};
}

}  // namespace signalbox::proxy
