// Tests of config/config, config/parse_config and what it stands on (toml_value, unknown_key,
// cross_checks, derived_settings, the key table): what is taken, and the message for what is not.
// Covered: every type of value, defaults, unknown keys, cross-checks, warnings, reloads. Not
// covered: the machine's own addresses.
#include "config/config.h"

#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/key_table.h"
#include "config/machine.h"
#include "config/value_text.h"
#include "tests/config/parsed.h"

namespace signalbox::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(Config_Behaviour, TakesTheWholeExample) {
    const LoadedConfig config = good(R"(
domains  = ["Example.TEST", "example.org."]
data_dir = "data"
shutdown_max = "3s"
[[listen]]
transport = "udp"
address   = "127.0.0.1:5060"
advertise = "203.0.113.7:5070"
[[listen]]
transport = "tcp"
address   = "[2001:db8::1]:5060"
[store]
engine = "memory"
users_file = "users.csv"
[registrar]
expires_default = "30m"
expires_min = "1s"
expires_max = "1d"
contacts_max = 3
[auth]
algorithms = ["SHA-256", "MD5"]
nonce_lifetime = "90s"
[[trusted]]
network = "192.0.2.0/24"
[[trusted]]
listener = "127.0.0.1:5060"
transport = "udp"
identity = "Carrier.example.org"
[proxy]
mode = "stateless"
record_route = false
inbound = "trusted"
[[role]]
mode = "redirect"
domain = "Find.example.test"
network = "192.0.2.0/24"
[[role]]
mode = "stateless"
methods = ["OPTIONS", "MESSAGE"]
[timers]
t1 = "1s"
[limits]
auth_failures_max = 7
stream_idle_timeout = "25h"
[records]
call_max = "2h"
keep = "30d"
limit = 5000
[journal]
segment = "1MiB"
keep = "1GiB"
[log]
level = "debug"
file = "/var/log/signalbox.log"
)");
    const ports::Snapshot& settings = config.settings;
    EXPECT_THAT(settings.domains, ElementsAre("example.test", "example.org"));
    EXPECT_EQ(settings.auth.realm, "example.test");
    EXPECT_EQ(config.data_dir, "/etc/signalbox/data");
    EXPECT_EQ(config.users_file, "/etc/signalbox/users.csv");
    EXPECT_EQ(config.log_file, "/var/log/signalbox.log");
    EXPECT_EQ(config.engine, StoreEngine::Memory);
    EXPECT_EQ(config.shutdown_max, std::chrono::seconds(3));
    ASSERT_EQ(settings.listeners.size(), 2u);
    EXPECT_EQ(settings.listeners[0].bound.to_string(), "127.0.0.1:5060");
    EXPECT_EQ(settings.listeners[0].advertise_host, "203.0.113.7");
    EXPECT_EQ(settings.listeners[0].advertise_port, 5070);
    EXPECT_EQ(settings.listeners[1].transport, transport::Transport::Tcp);
    EXPECT_EQ(settings.registrar.expires_default_s, 1800u);
    EXPECT_EQ(settings.registrar.expires_min_s, 1u);
    EXPECT_EQ(settings.registrar.expires_max_s, 86'400u);
    EXPECT_EQ(settings.registrar.contacts_max, 3u);
    EXPECT_THAT(settings.auth.algorithms,
                ElementsAre(ports::AuthAlgorithm::Sha256, ports::AuthAlgorithm::Md5));
    EXPECT_EQ(settings.auth.nonce_lifetime, std::chrono::seconds(90));
    ASSERT_EQ(settings.trusted.size(), 2u);
    EXPECT_EQ(settings.trusted[0].network->to_string(), "192.0.2.0/24");
    EXPECT_FALSE(settings.trusted[0].listener || settings.trusted[0].transport);
    EXPECT_EQ(settings.trusted[1].listener->to_string(), "127.0.0.1:5060");
    EXPECT_EQ(settings.trusted[1].transport, transport::Transport::Udp);
    EXPECT_EQ(settings.trusted[1].identity, "carrier.example.org");
    EXPECT_EQ(settings.proxy.mode, ports::ProxyMode::Stateless);
    EXPECT_FALSE(settings.proxy.record_route);
    EXPECT_EQ(settings.proxy.inbound, ports::Inbound::Trusted);
    ASSERT_EQ(settings.modes.size(), 2u);
    EXPECT_EQ(settings.modes[0].mode, ports::ProxyMode::Redirect);
    EXPECT_EQ(settings.modes[0].domain, "find.example.test");
    EXPECT_EQ(settings.modes[0].from.network->to_string(), "192.0.2.0/24");
    EXPECT_EQ(settings.modes[1].mode, ports::ProxyMode::Stateless);
    EXPECT_THAT(settings.modes[1].methods, ElementsAre("OPTIONS", "MESSAGE"));
    EXPECT_EQ(settings.timers.b, std::chrono::seconds(64));
    EXPECT_EQ(settings.limits.auth_failures_max, 7u);
    EXPECT_EQ(settings.limits.stream_idle_timeout, std::chrono::hours(25));
    EXPECT_EQ(settings.limits.call_max, std::chrono::hours(2));
    EXPECT_EQ(config.records_keep, std::chrono::hours(30 * 24));
    EXPECT_EQ(config.records_limit, 5000u);
    EXPECT_EQ(config.journal_segment_bytes, uint64_t{1} << 20);
    EXPECT_EQ(config.journal_keep_bytes, uint64_t{1} << 30);
    EXPECT_EQ(config.log_level, "debug");
    EXPECT_TRUE(config.warnings.empty());
}

TEST(Config_Behaviour, HasTheSameDefaultsWithAnEmptyFileAsInTheCode) {
    const LoadedConfig empty = good("");
    const LoadedConfig code;
    const ports::Snapshot snapshot;
    EXPECT_EQ(empty.shutdown_max, code.shutdown_max);
    EXPECT_EQ(empty.shards, code.shards);
    EXPECT_EQ(empty.journal_segment_bytes, code.journal_segment_bytes);
    EXPECT_EQ(empty.journal_keep_bytes, code.journal_keep_bytes);
    EXPECT_EQ(empty.records_keep, code.records_keep);
    EXPECT_EQ(empty.records_limit, code.records_limit);
    EXPECT_EQ(empty.log_level, code.log_level);
    EXPECT_EQ(empty.settings.registrar.expires_default_s, snapshot.registrar.expires_default_s);
    EXPECT_EQ(empty.settings.registrar.expires_min_s, snapshot.registrar.expires_min_s);
    EXPECT_EQ(empty.settings.registrar.expires_max_s, snapshot.registrar.expires_max_s);
    EXPECT_EQ(empty.settings.registrar.contacts_max, snapshot.registrar.contacts_max);
    EXPECT_EQ(empty.settings.auth.algorithms, snapshot.auth.algorithms);
    EXPECT_EQ(empty.settings.auth.nonce_lifetime, snapshot.auth.nonce_lifetime);
    EXPECT_EQ(empty.settings.auth.realm, "");
    EXPECT_EQ(empty.settings.timers.c, snapshot.timers.c);
    EXPECT_EQ(empty.settings.timers.b, snapshot.timers.resolved().b);
    EXPECT_EQ(empty.settings.limits.auth_failures_max, snapshot.limits.auth_failures_max);
    EXPECT_EQ(empty.settings.limits.auth_failures_window, snapshot.limits.auth_failures_window);
    EXPECT_EQ(empty.settings.limits.auth_block_time, snapshot.limits.auth_block_time);
    EXPECT_EQ(empty.transactions_max, code.transactions_max);
    EXPECT_EQ(empty.settings.limits.calls_max, snapshot.limits.calls_max);
    EXPECT_EQ(empty.settings.limits.call_max, snapshot.limits.call_max);
    EXPECT_EQ(empty.settings.limits.port_timeout, snapshot.limits.port_timeout);
    EXPECT_EQ(empty.settings.limits.connect_timeout, snapshot.limits.connect_timeout);
    EXPECT_EQ(empty.settings.limits.stream_idle_timeout, snapshot.limits.stream_idle_timeout);
    EXPECT_EQ(empty.settings.limits.connections_max, snapshot.limits.connections_max);
    EXPECT_EQ(empty.settings.server_name, default_config().settings.server_name);
    EXPECT_TRUE(empty.warnings.empty());
}

TEST(Config_Behaviour, WithoutAFileTheMachinesNamesAreDomains) {
    const std::vector<std::string> domains = default_config().settings.domains;
    EXPECT_EQ(domains.front(), host_name());
    EXPECT_EQ(std::count(domains.begin(), domains.end(), "localhost"), 1);
}

TEST(Config_Behaviour, ListensOnAllAddressesWhenNobodySaysWhere) {
    for (const LoadedConfig& config : {good(""), default_config()}) {
        const auto& listeners = config.settings.listeners;
        ASSERT_GE(listeners.size(), 2u);
        EXPECT_EQ(listeners[0].bound.to_string(), "0.0.0.0:5060");
        EXPECT_EQ(listeners.size(), has_ipv6() ? 4u : 2u);
    }
}

TEST(Config_Behaviour, FindsAllFaultsAtOnceInTheOrderOfTheirLines) {
    EXPECT_THAT(
        faults("shards = 65\n[registrar]\ncontacts_max = 0\nexpire_max = \"1h\"\n"),
        ElementsAre(
            "1: shards = 65 is refused: expected a whole number from 0 to 64",
            "3: registrar.contacts_max = 0 is refused: expected a whole number from 1 to 60",
            "4: unknown key \"expire_max\" in [registrar]; the nearest known key is "
            "\"expires_max\""));
}

TEST(Config_Behaviour, TakesTheBeginningOfAKeyForThatKey) {
    EXPECT_THAT(faults("[auth]\nnonce = \"1m\"\n"),
                ElementsAre(HasSubstr("the nearest known key is \"nonce_lifetime\"")));
    EXPECT_THAT(faults("[auth]\nrealm_name = \"a\"\n"),
                ElementsAre(HasSubstr("the nearest known key is \"realm\"")));
}

TEST(Config_Behaviour, SaysWhereAKeyOfThisNameBelongs) {
    EXPECT_THAT(faults("engine = \"sqlite\""),
                ElementsAre("1: unknown key \"engine\" at the top of the file; a key of this name "
                            "is known in [store]"));
    EXPECT_THAT(faults("[registar]\n"),
                ElementsAre("1: unknown key \"registar\" at the top of the file; the nearest known "
                            "section is [registrar]"));
    EXPECT_THAT(faults("[[trustd]]\nnetwork = \"192.0.2.0/24\"\n").front(),
                HasSubstr("the nearest known section is [[trusted]]"));
}

TEST(Config_Behaviour, SaysWhatAValueMustBe) {
    struct Case {
        const char* text;
        const char* expected;
    };
    const Case cases[] = {
        {"domains = \"example.test\"", "expected a list of texts"},
        {"domains = [1]", "expected a list of texts"},
        {"domains = [\"example.test:5060\"]", "is no domain"},
        {"domains = [\"\"]", "is no domain"},
        {"data_dir = 1", "expected a text in double quotes"},
        {"data_dir = \"\"", "it is empty"},
        {"shards = -1", "expected a whole number from 0 to 64"},
        {"shards = 1.5", "expected a whole number"},
        {"shutdown_max = 5", "expected a duration from 0s to 1h"},
        {"shutdown_max = \"5\"", "expected a duration"},
        {"shutdown_max = \"2h\"", "expected a duration"},
        {"server_name = \"a\\u0001\"", "it has a control character"},
        {"[proxy]\nrecord_route = \"yes\"", "expected true or false"},
        {"[proxy]\nmode = \"transparent\"", "expected \"stateful\", \"stateless\" or \"redirect\""},
        {"[auth]\nalgorithms = []",
         "expected a list of at least one of \"MD5\", \"SHA-256\" and \"SHA-512-256\""},
        {"[auth]\nalgorithms = [\"MD5\", \"MD5\"]", "each at most once"},
        {"[auth]\nrealm = \"a\\\"b\"", "it has a quote"},
        {"[registrar]\nexpires_min = \"1500ms\"", "expected a duration of whole seconds"},
        {"[registrar]\nexpires_min = \"0s\"", "from 1s to 365d"},
        {"[journal]\nsegment = \"64MB\"", "expected a size from 1MiB to 1GiB"},
        {"[journal]\nsegment = \"2GiB\"", "expected a size from 1MiB to 1GiB"},
        {"[[trusted]]\nnetwork = \"192.0.2.1/24\"", "is no network"},
        {"[[trusted]]\ntransport = \"udp\"", "this [[trusted]] names nobody"},
        {"[[trusted]]\nlistener = \"192.0.2.1\"", "is no address of a [[listen]]"},
        {"[[trusted]]\nlistener = \"192.0.2.1:5060\"", "no [[listen]] has the address"},
        {"[[trusted]]\nnetwork = \"192.0.2.1\"\ntransport = \"carrier pigeon\"", "is no transport"},
        {"[[trusted]]\nidentity = \"a b\"", "is no domain"},
        {"[[role]]\ndomain = \"example.test\"", "the key \"mode\" is missing in [[role]]"},
        {"[[role]]\nmode = \"b2bua\"", "expected \"stateful\", \"stateless\" or \"redirect\""},
        {"[[role]]\nmode = \"redirect\"\nmethods = [\"IN VITE\"]", "\"IN VITE\" is no method"},
        {"[[role]]\nmode = \"redirect\"\nmethods = [\"CANCEL\"]", "name INVITE instead"},
        {"[[role]]\nmode = \"redirect\"\nmethods = [\"REGISTER\"]", "is for the registrar"},
        {"[[role]]\nmode = \"redirect\"\ndomain = \"a b\"", "is no domain"},
        {"[[role]]\nmode = \"redirect\"\nlistener = \"192.0.2.1:5060\"",
         "no [[listen]] has the address 192.0.2.1:5060 of this [[role]]"},
        {"[[role]]\nmode = \"redirect\"\n[[role]]\nmode = \"stateless\"",
         "this [[role]] is never reached: the one in line 1 is for every request"},
        {"[[listen]]\ntransport = \"udp\"", "the key \"address\" is missing in [[listen]]"},
        {"[[listen]]\ntransport = \"sctp\"\naddress = \"192.0.2.1:5061\"",
         "expected \"udp\", \"tcp\", \"tls\", \"ws\" or \"wss\""},
        {"[[listen]]\ntransport = \"udp\"\naddress = \"192.0.2.1\"", "is no address with a port"},
        {"[[listen]]\ntransport = \"udp\"\naddress = \"192.0.2.1:0\"", "is no address with a port"},
        {"[[listen]]\ntransport = \"udp\"\naddress = \"192.0.2.1:5060\"\nadvertise = \"a:b\"",
         "is no host"},
        {"[listen]\ntransport = \"udp\"", "write [[listen]] with two brackets"},
        {"store = 1", "\"store\" is a section; write [store]"},
        {"[timers]\nt1 = \"0s\"", "expected a duration from 1ms to 1h"},
        {"[store]\nusers_file = \"users.csv\"", "is read by the memory engine only"},
        {"[limits]\ntransactions_max = 63", "must be 0 or at least 64"},
        {"[records]\nkeep = \"1h\"", "records.keep (1h) is shorter than records.call_max (1d)"},
        {"[records]\nkeep = \"forever\"", "expected a duration from 0s to 36500d"},
        {"[registrar]\nexpires_min = \"3h\"", "is greater than registrar.expires_max"},
        {"[registrar]\nexpires_default = \"30s\"",
         "must lie between registrar.expires_min (1m) and registrar.expires_max (2h)"},
    };
    for (const Case& one : cases) {
        const auto found = faults(one.text);
        ASSERT_EQ(found.size(), 1u) << one.text;
        EXPECT_THAT(found.front(), HasSubstr(one.expected)) << one.text;
    }
}

TEST(Config_Behaviour, KeepsRecordsForEverWhenToldSo) {
    EXPECT_EQ(good("[records]\nkeep = \"0s\"\nlimit = 0\n").records_keep, Duration{});
}

TEST(Config_Behaviour, KeepsTheDefaultExpiryWithinLimitsThatAreSetAlone) {
    EXPECT_EQ(good("[registrar]\nexpires_max = \"10m\"\n").settings.registrar.expires_default_s,
              600u);
    EXPECT_EQ(good("[registrar]\nexpires_min = \"90m\"\n").settings.registrar.expires_default_s,
              5400u);
}

TEST(Config_Behaviour, RefusesOneAddressTwiceWithOneTransport) {
    const std::string udp = "[[listen]]\ntransport = \"udp\"\naddress = \"192.0.2.1:5060\"\n";
    const std::string tcp = "[[listen]]\ntransport = \"tcp\"\naddress = \"192.0.2.1:5060\"\n";
    EXPECT_TRUE(faults(udp + tcp).empty());
    EXPECT_THAT(
        faults(udp + tcp + udp),
        ElementsAre(
            "7: the address 192.0.2.1:5060 stands in two [[listen]] with the same transport"));
}

TEST(Config_Behaviour, NamesTheLineWhereTheFileIsNoToml) {
    const auto found = faults("shards = 1\nthis is not toml\n");
    ASSERT_EQ(found.size(), 1u);
    EXPECT_THAT(found.front(), HasSubstr("2: this is not TOML"));
}

TEST(Config_Behaviour, NamesAFileThatCannotBeRead) {
    const auto config = load_config("/nonexistent/signalbox.toml");
    ASSERT_FALSE(config);
    EXPECT_EQ(config.error().front().to_string(),
              "/nonexistent/signalbox.toml: the file cannot be read; name an existing one with "
              "--config FILE");
    EXPECT_FALSE(load_config("/"));
}

TEST(Config_Rfc3261_17_1_1, WarnsOfTimersShorterThanTheRfcAllowsOnly) {
    const LoadedConfig config =
        good("[timers]\nt1 = \"100ms\"\nb = \"1s\"\nc = \"3m\"\nt2 = \"4s\"\nk = \"5s\"\n");
    ASSERT_EQ(config.warnings.size(), 3u);
    EXPECT_THAT(
        config.warnings[0],
        HasSubstr(
            "signalbox.toml:2: timers.t1 = \"100ms\" is shorter than the RFC allows (500ms)"));
    EXPECT_THAT(config.warnings[1],
                HasSubstr("timers.b = \"1s\" is shorter than the RFC allows (6400ms)"));
    EXPECT_THAT(config.warnings[2],
                HasSubstr("timers.c = \"3m\" is shorter than the RFC allows (more than 3m)"));
    EXPECT_EQ(config.settings.timers.b, std::chrono::seconds(1));
    EXPECT_EQ(config.settings.timers.f, std::chrono::milliseconds(6400));
}

TEST(Config_Behaviour, WarnsOfStreamsThatAreClosedBeforeARegistrationEnds) {
    const LoadedConfig idle = good("[limits]\nstream_idle_timeout = \"7199s\"\n");
    ASSERT_EQ(idle.warnings.size(), 1u);
    EXPECT_THAT(
        idle.warnings[0],
        HasSubstr("signalbox.toml:2: limits.stream_idle_timeout = \"7199s\" is shorter than "
                  "registrar.expires_max (2h)"));
    const LoadedConfig expiry = good("[registrar]\nexpires_max = \"1d\"\n");
    ASSERT_EQ(expiry.warnings.size(), 1u);
    EXPECT_THAT(expiry.warnings[0],
                HasSubstr("signalbox.toml:2: limits.stream_idle_timeout = \"125m\" is shorter than "
                          "registrar.expires_max (1d)"));
    EXPECT_TRUE(good("[limits]\nstream_idle_timeout = \"2h\"\n").warnings.empty());
    EXPECT_TRUE(good("[registrar]\nexpires_max = \"1h\"\n[limits]\nstream_idle_timeout = "
                     "\"1h\"\n")
                    .warnings.empty());
}

TEST(Config_Behaviour, NamesChangedKeysThatNeedARestart) {
    const std::string listen = "[[listen]]\ntransport = \"udp\"\naddress = \"192.0.2.1:5060\"\n";
    const LoadedConfig running = good("shards = 2\n" + listen);
    EXPECT_TRUE(changed_keys_that_need_a_restart(running, good("shards = 2\n" + listen)).empty());
    EXPECT_TRUE(changed_keys_that_need_a_restart(
                    running, good("shards = 2\n[proxy]\nmode = \"stateless\"\n" + listen))
                    .empty());
    EXPECT_THAT(changed_keys_that_need_a_restart(running, good("shards = 3\n" + listen)),
                ElementsAre("shards"));
    EXPECT_THAT(changed_keys_that_need_a_restart(running, good(listen)), ElementsAre("shards"));
    EXPECT_THAT(changed_keys_that_need_a_restart(running, good("shards = 2\n" + listen +
                                                               "[[listen]]\ntransport = \"udp\"\n"
                                                               "address = \"192.0.2.2:5060\"\n")),
                ElementsAre("listen"));
    EXPECT_THAT(changed_keys_that_need_a_restart(running, good("shards = 2\n")),
                ElementsAre("listen"));
}

TEST(Config_Behaviour, MakesASnapshotWithTheFixedRealmWhereNoneIsConfigured) {
    EXPECT_EQ(make_snapshot(good(""), 3, "box", {})->auth.realm, "box");
    EXPECT_EQ(make_snapshot(good(""), 3, "box", {})->version, 3u);
    EXPECT_EQ(make_snapshot(default_config(), 1, "box", {})->auth.realm, "box");
    EXPECT_EQ(make_snapshot(good("domains = [\"example.test\"]"), 1, "box", {})->auth.realm,
              "example.test");
    EXPECT_EQ(
        make_snapshot(good("domains = [\"example.test\"]\n[auth]\nrealm = \"r\""), 1, "box", {})
            ->auth.realm,
        "r");
    const auto own = IpAddress::v4(192, 0, 2, 1);
    EXPECT_THAT(make_snapshot(good(""), 1, "box", {own})->own_addresses, ElementsAre(own));
}

TEST(Config_Behaviour, ReadsAFileRelativeToItself) {
    const auto directory = std::filesystem::temp_directory_path() / "signalbox-config-test";
    std::filesystem::create_directories(directory);
    std::ofstream(directory / "signalbox.toml") << "data_dir = \"../data\"\n";
    const auto config = load_config((directory / "signalbox.toml").string());
    ASSERT_TRUE(config);
    EXPECT_EQ(config->data_dir, (std::filesystem::temp_directory_path() / "data").string());
    EXPECT_TRUE(config->has_file());
    std::filesystem::remove_all(directory);
}

TEST(ValueText_Behaviour, ReadsAndWritesDurations) {
    EXPECT_EQ(parse_duration("500ms"), std::chrono::milliseconds(500));
    EXPECT_EQ(parse_duration("1d"), std::chrono::hours(24));
    EXPECT_EQ(parse_duration("0s"), Duration{});
    for (const char* text : {"", "s", "5", "-5s", "1.5h", "5 s", "5S", "1h30m",
                             "99999999999999999999d", "9999999999999d"}) {
        EXPECT_EQ(parse_duration(text), std::nullopt) << text;
    }
    EXPECT_EQ(format_duration(std::chrono::minutes(90)), "90m");
    EXPECT_EQ(format_duration(std::chrono::hours(48)), "2d");
    EXPECT_EQ(format_duration(std::chrono::milliseconds(1500)), "1500ms");
    EXPECT_EQ(format_duration(Duration{}), "0s");
}

TEST(ValueText_Behaviour, ReadsAndWritesSizes) {
    EXPECT_EQ(parse_bytes("64MiB"), uint64_t{64} << 20);
    EXPECT_EQ(parse_bytes("64MB"), std::nullopt);
    EXPECT_EQ(parse_bytes("99999999999TiB"), std::nullopt);
    EXPECT_EQ(format_bytes(uint64_t{10} << 30), "10GiB");
}

TEST(KeyTable_Behaviour, ExplainsEveryKeyInWholeSentences) {
    for (const Section* section : sections()) {
        EXPECT_TRUE(section->help.ends_with('.')) << section->name;
        for (const Key& key : section->keys) {
            EXPECT_TRUE(key.help.ends_with('.')) << section->name << "." << key.name;
            EXPECT_NE(key.store, nullptr);
            EXPECT_FALSE(key.is_required && !key.default_text.empty());
            EXPECT_EQ(key.help.find('|'), std::string_view::npos) << key.name;
        }
    }
}

TEST(Machine_Behaviour, HasALoopbackAddressAndAName) {
    const auto addresses = own_addresses();
    EXPECT_THAT(addresses, testing::Contains(IpAddress::v4(127, 0, 0, 1)));
    EXPECT_FALSE(host_name().empty());
}

}  // namespace
}  // namespace signalbox::config
