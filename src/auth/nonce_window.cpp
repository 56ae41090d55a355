// A ring of used nonces with a window of counts each.
#include "auth/nonce_window.h"

#include <algorithm>

#include "base/check.h"

namespace signalbox::auth {

namespace {

constexpr uint32_t kWordBits = 64;

}  // namespace

/// The highest count rises: all that were used lie so much farther behind it.
void NonceWindow::Entry::advance(uint32_t counts) {
    if (counts >= kNonceWindow) return used.fill(0);
    const size_t words = counts / kWordBits;
    const uint32_t bits = counts % kWordBits;
    for (size_t i = used.size(); i-- > 0;) {
        const uint64_t near = i >= words ? used[i - words] : 0;
        const uint64_t nearer = i > words ? used[i - words - 1] : 0;
        used[i] = bits == 0 ? near : (near << bits) | (nearer >> (kWordBits - bits));
    }
}

bool NonceWindow::Entry::take(uint32_t behind) {
    if (behind >= kNonceWindow) return false;
    uint64_t& word = used[behind / kWordBits];
    const uint64_t bit = uint64_t{1} << (behind % kWordBits);
    if ((word & bit) != 0) return false;
    word |= bit;
    return true;
}

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
        return &ring_.emplace_back(Entry{nonce});
    }
    Entry& entry = ring_[oldest_];
    floor_ms_ = std::max(floor_ms_, entry.id.issued_ms);
    places_.erase(entry.id.random);
    places_.emplace(nonce.random, static_cast<uint32_t>(oldest_));
    entry = Entry{nonce};
    oldest_ = (oldest_ + 1) % ring_.size();
    return &entry;
}

NonceWindow::Use NonceWindow::use(const NonceId& nonce, uint32_t nc) {
    bool is_new = false;
    Entry* entry = find_or_make(nonce, is_new);
    if (entry == nullptr) return Use::Forgotten;
    if (is_new) {
        entry->highest = nc;
    } else if (nc > entry->highest) {
        entry->advance(nc - entry->highest);
        entry->highest = nc;
    }
    return entry->take(entry->highest - nc) ? Use::Fresh : Use::Repeated;
}

NonceWindow::Use NonceWindow::use_up(const NonceId& nonce) {
    bool is_new = false;
    Entry* entry = find_or_make(nonce, is_new);
    if (entry == nullptr) return Use::Forgotten;
    if (!is_new) return Use::Repeated;
    entry->highest = UINT32_MAX;
    entry->used.fill(UINT64_MAX);
    return Use::Fresh;
}

}  // namespace signalbox::auth
