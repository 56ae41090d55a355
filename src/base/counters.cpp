// The names of the counters and what each of them tells.
#include "base/counters.h"

#include "base/check.h"

namespace signalbox {

namespace {

struct Description {
    std::string_view name;
    std::string_view help;
};

constexpr std::array<Description, kCounters> kDescriptions = {{
#define SIGNALBOX_COUNTER(name, help) {#name, help},
#include "base/counters.def"
#undef SIGNALBOX_COUNTER
}};

const Description& description(Counter counter) {
    CHECK(counter < Counter::kCount);
    return kDescriptions[static_cast<size_t>(counter)];
}

}  // namespace

std::string_view counter_name(Counter counter) {
    return description(counter).name;
}

std::string_view counter_help(Counter counter) {
    return description(counter).help;
}

}  // namespace signalbox
