// What the entries of the key table are written with: units, and where a value goes that needs no
// check of its own.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <type_traits>

#include "config/key.h"

namespace signalbox::config {

// Ranges of durations are in milliseconds, those of sizes in octets.
inline constexpr uint64_t kSecond = 1000;
inline constexpr uint64_t kMinute = 60 * kSecond;
inline constexpr uint64_t kHour = 60 * kMinute;
inline constexpr uint64_t kDay = 24 * kHour;
inline constexpr uint64_t kMiB = uint64_t{1} << 20;
inline constexpr uint64_t kGiB = uint64_t{1} << 30;

inline void assign(bool& member, const Value& value) {
    member = value.flag;
}
inline void assign(std::string& member, const Value& value) {
    member = value.text;
}
inline void assign(Duration& member, const Value& value) {
    member = value.duration();
}
/// Whole numbers and sizes; of a choice the enumerator with its index.
template <typename Number>
requires std::is_integral_v<Number> || std::is_enum_v<Number>
void assign(Number& member, const Value& value) {
    member = static_cast<Number>(value.number);
}

/// A Key::store that assigns the value to the member to which `path` leads: member pointers, the
/// first one of LoadedConfig. The member's type says which part of the value is meant.
template <auto... path>
std::string store_at(LoadedConfig& config, const Value& value) {
    assign((config.*....*path), value);
    return {};
}

/// A Key::store for what belongs to the snapshot of the calls: store_setting<&Snapshot::limits,
/// &LimitSettings::calls_max>.
template <auto... path>
constexpr auto store_setting = store_at<&LoadedConfig::settings, path...>;

}  // namespace signalbox::config
