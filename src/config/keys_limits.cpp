// The keys of [limits].
#include <array>

#include "config/key_entry.h"
#include "config/key_sections.h"

namespace signalbox::config {

namespace {

using ports::LimitSettings;

template <auto member>
constexpr auto store = store_setting<&ports::Snapshot::limits, member>;

std::string store_transactions_max(LoadedConfig& config, const Value& value) {
    constexpr uint64_t kLeast = 64;
    if (value.number != 0 && value.number < kLeast) return "must be 0 or at least 64";
    config.transactions_max = static_cast<uint32_t>(value.number);
    return {};
}

constexpr std::array kKeys{
    Key{.name = "auth_failures_max",
        .type = KeyType::Integer,
        .default_text = "20",
        .help =
            "So many wrong passwords from one source address within auth_failures_window leave the "
            "source unanswered for auth_block_time, except for users who are registered from it.",
        .min = 1,
        .max = 1'000'000,
        .store = store<&LimitSettings::auth_failures_max>},
    Key{.name = "auth_failures_window",
        .type = KeyType::Duration,
        .default_text = "\"1m\"",
        .help = "See auth_failures_max.",
        .min = kSecond,
        .max = kDay,
        .store = store<&LimitSettings::auth_failures_window>},
    Key{.name = "auth_block_time",
        .type = KeyType::Duration,
        .default_text = "\"5m\"",
        .help = "See auth_failures_max. 0s: nobody is blocked.",
        .max = kDay,
        .store = store<&LimitSettings::auth_block_time>},
    Key{.name = "transactions_max",
        .type = KeyType::Integer,
        .default_text = "0",
        .help = "How many transactions of each side may live in all shards together. Beyond it new "
                "requests are refused with 503. Over UDP each lives for 32 s, so that a million "
                "are 31,000 requests a second. 0: as many as fit into half of the memory of the "
                "machine or its control group, at 1 KB each.",
        .max = 100'000'000,
        .when = When::AtStart,
        .store = store_transactions_max},
    Key{.name = "calls_max",
        .type = KeyType::Integer,
        .default_text = "1000000",
        .help = "How many calls are followed for their records, in all shards together. Calls "
                "beyond it work, but have no record.",
        .min = 64,
        .max = 100'000'000,
        .when = When::AtStart,
        .store = store<&LimitSettings::calls_max>},
    Key{.name = "connections_max",
        .type = KeyType::Integer,
        .default_text = "100000",
        .help = "How many stream connections may be open. Beyond it new ones are refused.",
        .min = 1,
        .max = 10'000'000,
        .store = store<&LimitSettings::connections_max>},
    Key{.name = "connections_per_source",
        .type = KeyType::Integer,
        .default_text = "1000",
        .help = "How many stream connections one source address may have open (an IPv6 network of "
                "64 bits counts as one). An office behind one router is one address. Trusted "
                "networks are not counted.",
        .min = 1,
        .max = 10'000'000,
        .store = store<&LimitSettings::connections_per_source>},
    Key{.name = "handshake_timeout",
        .type = KeyType::Duration,
        .default_text = "\"10s\"",
        .help = "How long a TLS or WebSocket handshake may take, both together.",
        .min = 100,
        .max = 5 * kMinute,
        .store = store<&LimitSettings::handshake_timeout>},
    Key{.name = "first_message_timeout",
        .type = KeyType::Duration,
        .default_text = "\"30s\"",
        .help = "A stream connection on which no valid SIP message came by then is closed. Trusted "
                "networks may be silent.",
        .min = 100,
        .max = kDay,
        .store = store<&LimitSettings::first_message_timeout>},
    Key{.name = "message_timeout",
        .type = KeyType::Duration,
        .default_text = "\"30s\"",
        .help =
            "How long a message may take from its first octet to its last on a stream connection.",
        .min = 100,
        .max = kHour,
        .store = store<&LimitSettings::message_timeout>},
    Key{.name = "connect_timeout",
        .type = KeyType::Duration,
        .default_text = "\"5s\"",
        .help = "How long the server waits for a stream connection that it opens.",
        .min = 100,
        .max = 5 * kMinute,
        .store = store<&LimitSettings::connect_timeout>},
    Key{.name = "stream_idle_timeout",
        .type = KeyType::Duration,
        .default_text = "\"125m\"",
        .help = "A stream connection without any traffic is closed after this time. Longer than a "
                "registration lives (registrar.expires_max), or phones behind it cannot be called.",
        .min = kSecond,
        .max = 30 * kDay,
        .store = store<&LimitSettings::stream_idle_timeout>},
    Key{.name = "stream_dead_timeout",
        .type = KeyType::Duration,
        .default_text = "\"30s\"",
        .help = "A stream connection whose peer acknowledges nothing of what was sent to it for so "
                "long is closed: the phone, or its router's memory of it, is gone.",
        .min = kSecond,
        .max = kHour,
        .store = store<&LimitSettings::stream_dead_timeout>},
    Key{.name = "port_timeout",
        .type = KeyType::Duration,
        .default_text = "\"5s\"",
        .help = "How long a call waits for an answer of another part of the server before it goes "
                "on without.",
        .min = 100,
        .max = 5 * kMinute,
        .store = store<&LimitSettings::port_timeout>},
};

}  // namespace

constinit const Section kLimitsSection{"limits", SectionKind::Table,
                                       "What the server never exceeds.", kKeys};

}  // namespace signalbox::config
