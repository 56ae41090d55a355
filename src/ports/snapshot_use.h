// Counts which snapshots a shard still uses, so that the main thread can free the others.
#pragma once

#include <array>
#include <cstdint>
#include <utility>
#include <vector>

#include "base/check.h"
#include "ports/snapshot.h"

namespace signalbox::ports {

inline constexpr size_t kSnapshotsMax = 16;

class SnapshotUses;

/// Keeps one snapshot in use while it lives. Movable; must not outlive the SnapshotUses that made
/// it.
class SnapshotUse final {
 public:
    SnapshotUse() = default;
    SnapshotUse(SnapshotUse&& other) noexcept
        : owner_(std::exchange(other.owner_, nullptr)), place_(other.place_) {}
    SnapshotUse& operator=(SnapshotUse&& other) noexcept {
        if (this != &other) {
            release();
            owner_ = std::exchange(other.owner_, nullptr);
            place_ = other.place_;
        }
        return *this;
    }
    SnapshotUse(const SnapshotUse&) = delete;
    SnapshotUse& operator=(const SnapshotUse&) = delete;
    ~SnapshotUse() { release(); }

    const Snapshot& operator*() const;
    const Snapshot* operator->() const { return &**this; }
    inline void release();

 private:
    friend class SnapshotUses;
    SnapshotUse(SnapshotUses* owner, size_t place) : owner_(owner), place_(place) {}
    SnapshotUses* owner_ = nullptr;
    size_t place_ = 0;
};

/// The snapshots of one shard. Single-threaded. The current one counts as used.
class SnapshotUses final {
 public:
    explicit SnapshotUses(const Snapshot* first) {
        CHECK(first != nullptr);
        places_[0] = {first, 1};
    }
    const Snapshot& current() const { return *places_[current_].snapshot; }
    SnapshotUse use() {
        ++places_[current_].uses;
        return {this, current_};
    }
    /// Makes `next` the current one. False when 16 are live already: nothing changes.
    bool install(const Snapshot* next) {
        for (size_t place = 0; place < places_.size(); ++place) {
            if (places_[place].snapshot != nullptr) continue;
            places_[place] = {next, 1};
            drop(std::exchange(current_, place));
            return true;
        }
        return false;
    }
    /// Those that came out of use since the last time, appended to `released`.
    void take_released(std::vector<const Snapshot*>& released) {
        released.insert(released.end(), released_.begin(), released_.end());
        released_.clear();
    }

 private:
    friend class SnapshotUse;
    struct Place {
        const Snapshot* snapshot = nullptr;
        uint64_t uses = 0;
    };
    void drop(size_t place) {
        CHECK(places_[place].uses > 0);
        if (--places_[place].uses > 0) return;
        released_.push_back(places_[place].snapshot);
        places_[place].snapshot = nullptr;
    }
    std::array<Place, kSnapshotsMax> places_{};
    size_t current_ = 0;
    std::vector<const Snapshot*> released_;
};

inline const Snapshot& SnapshotUse::operator*() const {
    CHECK(owner_ != nullptr);
    return *owner_->places_[place_].snapshot;
}

inline void SnapshotUse::release() {
    if (SnapshotUses* owner = std::exchange(owner_, nullptr)) owner->drop(place_);
}

}  // namespace signalbox::ports
