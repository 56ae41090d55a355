// What is worth a warning in timers: values shorter than the RFC allows.
// Implements: RFC 3261 §17.1.1.1, §16.6; RFC 6026 §8
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "ports/snapshot.h"
#include "transaction/sip_timers.h"

namespace signalbox::config {

/// The timers (as written, before they are resolved) that are shorter than the RFC allows: name and
/// sentence.
std::vector<std::pair<std::string, std::string>> timer_warnings(
    const transaction::SipTimers& written);

/// A sentence when a stream without traffic is closed while the phone behind it may still be
/// registered: until it registers again nobody can call it.
std::optional<std::string> stream_idle_warning(const ports::Snapshot& settings);

}  // namespace signalbox::config
