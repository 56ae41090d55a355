// The keys of [forking].
#include <array>

#include "config/key_entry.h"
#include "config/key_sections.h"

namespace signalbox::config {

namespace {

using ports::ForkingSettings;

template <auto member>
constexpr auto store = store_setting<&ports::Snapshot::forking, member>;

constexpr std::array kKeys{
    Key{.name = "order",
        .type = KeyType::Choice,
        .default_text = "\"by-q\"",
        .help =
            "by-q: the contacts of equal q ring together, and a group of lower q follows when the "
            "one before it has ended; phones that say nothing about q ring together. parallel: all "
            "at once, whatever their q. sequential: one after the other, the best q first.",
        .choices = "by-q|parallel|sequential",
        .store = store<&ForkingSettings::order>},
    Key{.name = "ring_time",
        .type = KeyType::Duration,
        .default_text = "\"20s\"",
        .help = "How long a group rings: then its phones are cancelled and the next group begins. "
                "A group whose phones are all busy, gone or refuse is left at once. The last group "
                "rings until timer c. 0s: every group does.",
        .max = kHour,
        .store = store<&ForkingSettings::ring_time>},
    Key{.name = "delay",
        .type = KeyType::Duration,
        .default_text = "\"0s\"",
        .help = "The next group begins so long after the one before it began, even while that one "
                "rings. 0s: only when it has ended.",
        .max = kHour,
        .store = store<&ForkingSettings::delay>},
    Key{.name = "keep_ringing",
        .type = KeyType::Boolean,
        .default_text = "true",
        .help = "Whether a group rings on, for ring_time in all, when the next one has begun after "
                "delay. false: it is cancelled then.",
        .store = store<&ForkingSettings::keep_ringing>},
};

}  // namespace

constinit const Section kForkingSection{
    "forking", SectionKind::Table,
    "In which order the contacts of one user are tried. A request other than INVITE rings nowhere: "
    "its next group begins when the one before it has failed, or after timer t2.",
    kKeys};

}  // namespace signalbox::config
