// Every counter of the server: what happened, named after its reason.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace signalbox {

/// Named in counters.def, with the sentence that `signalbox stats --help` and the documentation
/// show.
enum class Counter : uint16_t {
#define SIGNALBOX_COUNTER(name, help) name,
#include "base/counters.def"
#undef SIGNALBOX_COUNTER
    kCount
};

inline constexpr size_t kCounters = static_cast<size_t>(Counter::kCount);

std::string_view counter_name(Counter counter);
std::string_view counter_help(Counter counter);

/// One shard's counts. Single-threaded; they only grow: what lives now is measured from the live
/// sets.
class Counters final {
 public:
    void add(Counter counter, uint64_t amount = 1) {
        values_[static_cast<size_t>(counter)] += amount;
    }
    uint64_t value(Counter counter) const { return values_[static_cast<size_t>(counter)]; }
    const std::array<uint64_t, kCounters>& values() const { return values_; }

 private:
    std::array<uint64_t, kCounters> values_{};
};

}  // namespace signalbox
