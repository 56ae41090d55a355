// The keys of [proxy].
#include <array>

#include "config/key_entry.h"
#include "config/key_sections.h"

namespace signalbox::config {

namespace {

using ports::ProxySettings;

template <auto member>
constexpr auto store = store_setting<&ports::Snapshot::proxy, member>;

constexpr std::array kKeys{
    Key{.name = "mode",
        .type = KeyType::Choice,
        .default_text = "\"stateful\"",
        .help =
            "stateful: transactions, forking, records. stateless: requests that need no state are "
            "forwarded without any, as RFC 3261 section 16.11 has it, and leave no records. "
            "redirect: callers are told the contacts of whom they call in a 302 and call them "
            "themselves; nothing is forwarded but inside calls that were set up before.",
        .choices = "stateful|stateless|redirect",
        .store = store<&ProxySettings::mode>},
    Key{.name = "record_route",
        .type = KeyType::Boolean,
        .default_text = "true",
        .help = "Whether the server stays in the path of calls. Without it the end of a call is "
                "not seen.",
        .store = store<&ProxySettings::record_route>},
    Key{.name = "inbound",
        .type = KeyType::Choice,
        .default_text = "\"anyone\"",
        .help = "Who may call local users without credentials: anyone, or only trusted peers.",
        .choices = "anyone|trusted",
        .store = store<&ProxySettings::inbound>},
    Key{.name = "recurse",
        .type = KeyType::Boolean,
        .default_text = "false",
        .help = "What becomes of a 300, 301 or 302 from a phone. false: it goes to the caller. "
                "true: the server tries the contacts in it, other hosts only for callers who may "
                "be relayed there.",
        .store = store<&ProxySettings::recurse>},
    Key{.name = "failover_wait",
        .type = KeyType::Duration,
        .default_text = "\"4s\"",
        .help = "A name may lead to several next hops (RFC 3263). One that has sent no response at "
                "all, not even 100, within this time is left for the next one, without waiting for "
                "timer B or F. The last one has these timers whole.",
        .min = 500,
        .max = kMinute,
        .store = store<&ProxySettings::failover_wait>},
    Key{.name = "failover_max",
        .type = KeyType::Duration,
        .default_text = "\"32s\"",
        .help = "All next hops of one name together may be silent for this time; then the request "
                "fails.",
        .min = 500,
        .max = 10 * kMinute,
        .store = store<&ProxySettings::failover_max>},
    Key{.name = "datagram_max",
        .type = KeyType::Integer,
        .default_text = "1300",
        .help = "A request of more octets goes by TCP instead of UDP, as RFC 3261 section 18.1.1 "
                "has it for paths of unknown MTU: where the server listens on TCP, and never to a "
                "phone that is reached through its own flow only.",
        .min = 500,
        .max = 65'535,
        .store = store<&ProxySettings::datagram_max>},
    Key{.name = "large_connect_max",
        .type = KeyType::Duration,
        .default_text = "\"500ms\"",
        .help = "How long the TCP connection for such a request may take to open. Then the request "
                "goes by UDP after all.",
        .min = 10,
        .max = 5 * kSecond,
        .store = store<&ProxySettings::large_connect_max>},
};

}  // namespace

constinit const Section kProxySection{"proxy", SectionKind::Table, "How requests are forwarded.",
                                      kKeys};

}  // namespace signalbox::config
