// Durations and sizes as people write them: "500ms", "60s", "5m", "1h", "1d"; "64MiB", "10GiB".
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/time.h"

namespace signalbox::config {

/// A whole number with ms, s, m, h or d directly behind it; nothing else, and nothing that does not
/// fit.
std::optional<Duration> parse_duration(std::string_view text);
/// In the largest unit in which it is whole; less than a millisecond is cut off.
std::string format_duration(Duration duration);

/// A whole number with KiB, MiB, GiB or TiB directly behind it.
std::optional<uint64_t> parse_bytes(std::string_view text);
std::string format_bytes(uint64_t bytes);

}  // namespace signalbox::config
