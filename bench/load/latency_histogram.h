// A histogram of latencies with a relative error below 2 % and constant memory.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace bench {

/// Counts nanoseconds in 64 steps for each power of two.
class LatencyHistogram final {
 public:
    void record(std::uint64_t nanoseconds) {
        ++counts_[index_of(nanoseconds)];
        ++total_;
    }
    void clear() { *this = LatencyHistogram{}; }
    std::uint64_t total() const { return total_; }

    /// The upper edge, in microseconds, of the step that holds the quantile (0 to 1); 0 when
    /// nothing was counted.
    double quantile_us(double quantile) const {
        const auto wanted = static_cast<std::uint64_t>(quantile * static_cast<double>(total_));
        std::uint64_t seen = 0;
        for (std::size_t i = 0; i < counts_.size(); ++i) {
            seen += counts_[i];
            if (counts_[i] != 0 && seen >= wanted) return static_cast<double>(edge_of(i)) / 1000.0;
        }
        return 0;
    }

 private:
    static constexpr unsigned kStepBits = 6;
    static constexpr std::size_t kSteps = std::size_t{1} << kStepBits;

    static std::size_t index_of(std::uint64_t value) {
        if (value < kSteps) return value;
        const unsigned shift = static_cast<unsigned>(std::bit_width(value)) - 1 - kStepBits;
        return (shift + 1) * kSteps + ((value >> shift) - kSteps);
    }
    static std::uint64_t edge_of(std::size_t index) {
        if (index < kSteps) return index;
        const std::size_t shift = index / kSteps - 1;
        return ((index % kSteps + kSteps + 1) << shift) - 1;
    }

    std::array<std::uint64_t, kSteps*(64 - kStepBits + 1)> counts_{};
    std::uint64_t total_ = 0;
};

}  // namespace bench
