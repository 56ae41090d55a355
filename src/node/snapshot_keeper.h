// Owns the configuration snapshots until no shard uses them any more.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "ports/snapshot.h"

namespace signalbox::node {

/// Main thread only. The newest snapshot is always kept; an older one dies when all shards have
/// released it.
class SnapshotKeeper final {
 public:
    static constexpr size_t kLiveMax = 16;

    explicit SnapshotKeeper(uint8_t shards) : shards_(shards) {}

    /// False when as many as may live do: calls with old ones must end first.
    bool has_room() const { return live_.size() < kLiveMax; }
    const ports::Snapshot* add(std::unique_ptr<ports::Snapshot> snapshot) {
        live_.push_back({std::move(snapshot), 0});
        return live_.back().snapshot.get();
    }
    /// One shard will never use `snapshot` again; each shard says so once.
    void release(const ports::Snapshot* snapshot) {
        for (auto entry = live_.begin(); entry != live_.end(); ++entry) {
            if (entry->snapshot.get() != snapshot) continue;
            if (++entry->released == shards_) live_.erase(entry);
            return;
        }
    }
    const ports::Snapshot* newest() const { return live_.back().snapshot.get(); }
    size_t size() const { return live_.size(); }

 private:
    struct Live {
        std::unique_ptr<ports::Snapshot> snapshot;
        uint32_t released;
    };
    uint8_t shards_;
    std::vector<Live> live_;
};

}  // namespace signalbox::node
