// A ring of used nonces with a window of counts each.
#include "auth/nonce_window.h"

#include <algorithm>

#include "base/check.h"

namespace signalbox::auth {

namespace {

constexpr uint32_t kWindow = 32;

}  // namespace

NonceWindow::NonceWindow(Now birth, size_t capacity)
    : capacity_(std::clamp<size_t>(capacity, 1, UINT32_MAX)),
      floor_ms_(static_cast<uint64_t>(
          std::chrono::floor<std::chrono::milliseconds>(birth.wall.time_since_epoch()).count())) {
    // All at once: growing would copy megabytes in the middle of a call.
    ring_.reserve(capacity_);
    places_.reserve(capacity_);
}

NonceWindow::Entry* NonceWindow::find_or_make(const NonceId& nonce, bool& is_new) {
    is_new = false;
    const auto found = places_.find(nonce.random);
    if (found != places_.end()) {
        Entry& entry = ring_[found->second];
        return entry.id == nonce ? &entry : nullptr;
    }
    if (nonce.issued_ms <= floor_ms_) return nullptr;
    is_new = true;
    if (ring_.size() < capacity_) {
        places_.emplace(nonce.random, static_cast<uint32_t>(ring_.size()));
        return &ring_.emplace_back(Entry{nonce, 0, 0});
    }
    Entry& entry = ring_[oldest_];
    floor_ms_ = std::max(floor_ms_, entry.id.issued_ms);
    places_.erase(entry.id.random);
    places_.emplace(nonce.random, static_cast<uint32_t>(oldest_));
    entry = Entry{nonce, 0, 0};
    oldest_ = (oldest_ + 1) % ring_.size();
    return &entry;
}

NonceWindow::Use NonceWindow::use(const NonceId& nonce, uint32_t nc) {
    bool is_new = false;
    Entry* entry = find_or_make(nonce, is_new);
    if (entry == nullptr) return Use::Forgotten;
    if (is_new) {
        entry->highest = nc;
        entry->used = 1;
        return Use::Fresh;
    }
    if (nc > entry->highest) {
        const uint32_t ahead = nc - entry->highest;
        entry->used = ahead < kWindow ? (entry->used << ahead) | 1U : 1U;
        entry->highest = nc;
        return Use::Fresh;
    }
    const uint32_t behind = entry->highest - nc;
    if (behind >= kWindow) return Use::Repeated;
    const uint32_t bit = 1U << behind;
    if ((entry->used & bit) != 0) return Use::Repeated;
    entry->used |= bit;
    return Use::Fresh;
}

NonceWindow::Use NonceWindow::use_up(const NonceId& nonce) {
    bool is_new = false;
    Entry* entry = find_or_make(nonce, is_new);
    if (entry == nullptr) return Use::Forgotten;
    if (!is_new) return Use::Repeated;
    entry->highest = UINT32_MAX;
    entry->used = UINT32_MAX;
    return Use::Fresh;
}

}  // namespace signalbox::auth
