// The keys of [timers], each a timer of transaction::SipTimers.
#include <array>

#include "config/key_entry.h"
#include "config/key_sections.h"

namespace signalbox::config {

namespace {

using transaction::SipTimers;

template <Duration SipTimers::*member>
constexpr Key timer(std::string_view name, std::string_view default_text, std::string_view help) {
    return Key{.name = name,
               .type = KeyType::Duration,
               .default_text = default_text,
               .help = help,
               .min = 1,
               .max = kHour,
               .store = store_setting<&ports::Snapshot::timers, member>};
}

constexpr std::array kKeys{
    timer<&SipTimers::t1>("t1", "\"500ms\"", "The round-trip time from which the others follow."),
    timer<&SipTimers::t2>("t2", "\"4s\"", "The longest interval between retransmissions."),
    timer<&SipTimers::t4>("t4", "\"5s\"", "How long a message may stay in the network."),
    timer<&SipTimers::b>("b", "", "An INVITE client gives up. By default 64*t1."),
    timer<&SipTimers::c>("c", "\"185s\"",
                         "A forwarded INVITE without a final response is ended. The RFC asks for "
                         "more than 3 minutes."),
    timer<&SipTimers::d>(
        "d", "",
        "An INVITE client absorbs repeated failures over UDP. By default 64*t1, at least 32s."),
    timer<&SipTimers::f>("f", "", "A client of another request gives up. By default 64*t1."),
    timer<&SipTimers::h>("h", "", "An INVITE server waits for the ACK. By default 64*t1."),
    timer<&SipTimers::i>("i", "",
                         "An INVITE server absorbs repeated ACKs over UDP. By default t4."),
    timer<&SipTimers::j>(
        "j", "", "A server of another request absorbs its repetitions over UDP. By default 64*t1."),
    timer<&SipTimers::k>(
        "k", "", "A client of another request absorbs repeated responses over UDP. By default t4."),
    timer<&SipTimers::l>("l", "",
                         "An INVITE server stays for repeated 2xx responses. By default 64*t1."),
    timer<&SipTimers::m>("m", "",
                         "An INVITE client stays for further 2xx responses. By default 64*t1."),
};

}  // namespace

constinit const Section kTimersSection{
    "timers", SectionKind::Table,
    "The timers of RFC 3261 table 4 and RFC 6026, each from 1ms to 1h. A value shorter than the "
    "RFC allows is taken with a warning.",
    kKeys};

}  // namespace signalbox::config
