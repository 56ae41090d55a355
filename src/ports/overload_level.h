// How much of the new work a shard refuses, as a name for people, and what is told when it changes.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/time.h"

namespace signalbox::ports {

/// In the order of what is given up: each level refuses what the ones before it do, and more.
enum class OverloadLevel : uint8_t {
    Normal,        // nothing
    ShedOptional,  // a share of new OPTIONS, SUBSCRIBE and PUBLISH
    ShedCalls,     // all of these, and a share of new calls, messages and registrations
    Survive,       // and a share of all new datagrams is dropped before it is read
};

inline constexpr std::string_view level_name(OverloadLevel level) {
    switch (level) {
        case OverloadLevel::Normal:
            return "normal";
        case OverloadLevel::ShedOptional:
            return "shed-optional";
        case OverloadLevel::ShedCalls:
            return "shed-calls";
        case OverloadLevel::Survive:
            return "survive";
    }
    return {};
}

/// For the log: one line for each change.
struct OverloadLevelChange {
    OverloadLevel from = OverloadLevel::Normal;
    OverloadLevel to = OverloadLevel::Normal;
    Duration queue_delay{};          // the mean of the latest interval
    uint32_t occupied_permille = 0;  // of the fullest table
};

}  // namespace signalbox::ports
