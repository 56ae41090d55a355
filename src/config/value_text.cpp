// Durations and sizes as people write them: "500ms", "60s", "5m", "1h", "1d"; "64MiB", "10GiB".
#include "config/value_text.h"

#include <array>
#include <limits>

#include "base/text.h"

namespace signalbox::config {

namespace {

struct Unit {
    std::string_view name;
    uint64_t factor;
};

/// Milliseconds; the largest first.
constexpr std::array kDurations{Unit{"d", 86'400'000}, Unit{"h", 3'600'000}, Unit{"m", 60'000},
                                Unit{"s", 1000}, Unit{"ms", 1}};
constexpr std::array kSizes{Unit{"TiB", uint64_t{1} << 40}, Unit{"GiB", uint64_t{1} << 30},
                            Unit{"MiB", uint64_t{1} << 20}, Unit{"KiB", uint64_t{1} << 10}};

template <size_t N>
std::optional<uint64_t> parse(std::string_view text, const std::array<Unit, N>& units) {
    size_t digits = 0;
    while (digits < text.size() && text::is_digit(text[digits])) ++digits;
    const auto count = text::to_u64(text.substr(0, digits));
    if (!count) return std::nullopt;
    for (const Unit& unit : units) {
        if (text.substr(digits) != unit.name) continue;
        if (*count > std::numeric_limits<uint64_t>::max() / unit.factor) return std::nullopt;
        return *count * unit.factor;
    }
    return std::nullopt;
}

template <size_t N>
std::string format(uint64_t value, const std::array<Unit, N>& units) {
    for (const Unit& unit : units) {
        const bool is_last = &unit == &units.back();
        if (!is_last && (value == 0 || value % unit.factor != 0)) continue;
        return std::to_string(value / unit.factor) + std::string(unit.name);
    }
    return {};
}

}  // namespace

std::optional<Duration> parse_duration(std::string_view text) {
    const auto ms = parse(text, kDurations);
    constexpr uint64_t kNanosecondsPerMs = 1'000'000;
    if (!ms || *ms > static_cast<uint64_t>(Duration::max().count()) / kNanosecondsPerMs) {
        return std::nullopt;
    }
    return std::chrono::milliseconds(static_cast<int64_t>(*ms));
}

std::string format_duration(Duration duration) {
    const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(duration).count();
    if (ms == 0) return "0s";
    return format(static_cast<uint64_t>(ms), kDurations);
}

std::optional<uint64_t> parse_bytes(std::string_view text) {
    return parse(text, kSizes);
}
std::string format_bytes(uint64_t bytes) {
    return format(bytes, kSizes);
}

}  // namespace signalbox::config
