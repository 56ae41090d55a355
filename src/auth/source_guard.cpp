// Wrong credentials by source, in the order in which the sources came.
#include "auth/source_guard.h"

#include <algorithm>
#include <string_view>

#include "auth/source.h"
#include "base/random.h"

namespace signalbox::auth {

size_t SourceGuard::Hash::operator()(const IpAddress& address) const {
    const std::string_view octets(reinterpret_cast<const char*>(address.octets.data()),
                                  address.octets.size());
    return siphash({key[0], key[1] ^ static_cast<uint64_t>(address.family)}, octets);
}

bool SourceGuard::is_over(const Entry& entry, Now now) {
    return entry.window_end <= now.monotonic && entry.blocked_until <= now.monotonic;
}

const SourceGuard::Entry* SourceGuard::find(const IpAddress& source) const {
    const auto found = places_.find(source);
    return found == places_.end() ? nullptr : &entries_[found->second - first_];
}

void SourceGuard::drop_first() {
    places_.erase(entries_.front().source);
    entries_.pop_front();
    ++first_;
}

SourceGuard::Entry& SourceGuard::find_or_make(Now now, const IpAddress& source) {
    const auto found = places_.find(source);
    if (found != places_.end()) return entries_[found->second - first_];
    while (!entries_.empty() &&
           (entries_.size() >= sources_max_ || is_over(entries_.front(), now))) {
        drop_first();
    }
    places_.emplace(source, first_ + entries_.size());
    Entry entry;
    entry.source = source;
    return entries_.emplace_back(entry);
}

bool SourceGuard::is_blocked(Now now, const IpAddress& source) const {
    if (places_.empty()) return false;
    const Entry* entry = find(source_of(source));
    return entry != nullptr && entry->blocked_until > now.monotonic;
}

bool SourceGuard::failed(Now now, const IpAddress& source, const ports::LimitSettings& limits) {
    if (limits.auth_failures_max == 0) return false;
    Entry& entry = find_or_make(now, source_of(source));
    if (entry.blocked_until > now.monotonic) return false;
    if (entry.window_end <= now.monotonic) {
        entry.window_end = now.monotonic + limits.auth_failures_window;
        entry.failures = 0;
    }
    if (++entry.failures < limits.auth_failures_max) return false;
    entry.blocked_until = now.monotonic + limits.auth_block_time;
    entry.window_end = Instant::min();
    return true;
}

void SourceGuard::block(Now now, const IpAddress& source, Instant until) {
    Entry& entry = find_or_make(now, source_of(source));
    entry.blocked_until = std::max(entry.blocked_until, until);
}

size_t SourceGuard::blocked_count(Now now) const {
    return static_cast<size_t>(
        std::count_if(entries_.begin(), entries_.end(),
                      [now](const Entry& entry) { return entry.blocked_until > now.monotonic; }));
}

}  // namespace signalbox::auth
