// What is worth a warning in timers: values shorter than the RFC allows.
// Implements: RFC 3261 §17.1.1.1, §16.6; RFC 6026 §8
#include "config/timer_warnings.h"

#include <array>

#include "config/value_text.h"

namespace signalbox::config {

std::vector<std::pair<std::string, std::string>> timer_warnings(
    const transaction::SipTimers& written) {
    const transaction::SipTimers defaults;
    transaction::SipTimers derived = written;
    derived.b = derived.d = derived.f = derived.h = derived.i = derived.j = {};
    derived.k = derived.l = derived.m = {};
    derived = derived.resolved();
    constexpr Duration kTimerCMin = std::chrono::milliseconds(180'001);
    struct Rule {
        const char* name;
        Duration value;
        Duration least;
    };
    const std::array rules{
        Rule{"t1", written.t1, defaults.t1}, Rule{"t2", written.t2, defaults.t2},
        Rule{"t4", written.t4, defaults.t4}, Rule{"b", written.b, derived.b},
        Rule{"c", written.c, kTimerCMin},    Rule{"d", written.d, derived.d},
        Rule{"f", written.f, derived.f},     Rule{"h", written.h, derived.h},
        Rule{"i", written.i, derived.i},     Rule{"j", written.j, derived.j},
        Rule{"k", written.k, derived.k},     Rule{"l", written.l, derived.l},
        Rule{"m", written.m, derived.m},
    };
    std::vector<std::pair<std::string, std::string>> warnings;
    for (const Rule& rule : rules) {
        const bool is_derived = rule.value == Duration{};
        if (is_derived || rule.value >= rule.least) continue;
        const std::string least =
            rule.least == kTimerCMin ? "more than 3m" : format_duration(rule.least);
        warnings.emplace_back(rule.name, std::string("timers.") + rule.name + " = \"" +
                                             format_duration(rule.value) +
                                             "\" is shorter than the RFC allows (" + least +
                                             "): slow or lossy networks will lose calls.");
    }
    return warnings;
}

std::optional<std::string> stream_idle_warning(const ports::Snapshot& settings) {
    const Duration idle = settings.limits.stream_idle_timeout;
    const Duration longest = std::chrono::seconds(settings.registrar.expires_max_s);
    if (idle >= longest) return std::nullopt;
    return "limits.stream_idle_timeout = \"" + format_duration(idle) +
           "\" is shorter than registrar.expires_max (" + format_duration(longest) +
           "): a phone that is silent for so long loses its connection and cannot be called, "
           "though "
           "it is registered.";
}

}  // namespace signalbox::config
