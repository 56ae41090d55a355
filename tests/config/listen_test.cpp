// Tests of [[listen]] and [tls]: transports, certificates, origins, and what does not go together.
// Not covered: what the files hold (tests/io, tests/node).
#include <gmock/gmock.h>

#include "tests/config/parsed.h"

namespace signalbox::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using transport::Transport;

std::string listen(const std::string& transport, const std::string& more = {},
                   const std::string& address = "127.0.0.1:5061") {
    return "[[listen]]\ntransport = \"" + transport + "\"\naddress = \"" + address + "\"\n" + more;
}

TEST(ConfigListen_Behaviour, KnowsAllTransports) {
    const LoadedConfig config =
        good(listen("udp") + listen("tcp") + listen("tls", "", "127.0.0.1:5062") +
             listen("ws", "", "127.0.0.1:5063") + listen("wss", "", "127.0.0.1:5064"));
    std::vector<Transport> transports;
    for (const auto& listener : config.settings.listeners) transports.push_back(listener.transport);
    using enum Transport;
    EXPECT_THAT(transports, ElementsAre(Udp, Tcp, Tls, Ws, Wss));
    EXPECT_EQ(config.listen_security.size(), 5u);
    EXPECT_TRUE(config.listen_security[2].certificates.empty());
}

TEST(ConfigListen_Behaviour, TakesOneCertificateOrSeveral) {
    const LoadedConfig one =
        good(listen("wss",
                    "certificate = \"cert.pem\"\nprivate_key = \"/keys/key.pem\"\n"
                    "origins = [\"https://phone.example.test\", \"http://[::1]:8080\"]\n"));
    const ListenSecurity& security = one.listen_security.front();
    EXPECT_THAT(security.certificates, ElementsAre("/etc/signalbox/cert.pem"));
    EXPECT_THAT(security.private_keys, ElementsAre("/keys/key.pem"));
    EXPECT_THAT(security.origins, ElementsAre("https://phone.example.test", "http://[::1]:8080"));
    EXPECT_FALSE(security.client_certificates.has_value());
    const LoadedConfig two =
        good(listen("tls",
                    "certificate = [\"a.pem\", \"b.pem\"]\nprivate_key = [\"a.key\", \"b.key\"]\n"
                    "client_certificate = \"require\"\n"));
    EXPECT_EQ(two.listen_security.front().certificates.size(), 2u);
    EXPECT_EQ(two.listen_security.front().client_certificates, ClientCertificates::Require);
}

TEST(ConfigListen_Behaviour, SaysWhatDoesNotGoTogether) {
    const std::string pair = "certificate = \"a\"\nprivate_key = \"b\"\n";
    EXPECT_THAT(fault(listen("tcp", pair)), HasSubstr("are for transport = \"tls\" or \"wss\""));
    EXPECT_THAT(fault(listen("ws", pair)), HasSubstr("are for transport = \"tls\" or \"wss\""));
    EXPECT_THAT(fault(listen("tls", "certificate = \"a\"\n")),
                HasSubstr("1 certificates and 0 private keys"));
    EXPECT_THAT(fault(listen("tls", "certificate = [\"a\", \"b\"]\nprivate_key = \"k\"\n")),
                HasSubstr("2 certificates and 1 private keys"));
    EXPECT_THAT(fault(listen("tls", "origins = [\"https://a.test\"]\n")),
                HasSubstr("origins are for transport = \"ws\" or \"wss\""));
    EXPECT_THAT(fault(listen("ws", "client_certificate = \"ask\"\n")),
                HasSubstr("client_certificate is for"));
}

TEST(ConfigListen_Behaviour, SaysWhatAnOriginAndAListOfTextsAre) {
    for (const char* origin : {"phone.example.test", "https://", "https://a.test/path", "://a"}) {
        EXPECT_THAT(fault(listen("ws", "origins = [\"" + std::string(origin) + "\"]\n")),
                    HasSubstr("is no origin; expected a scheme and a host"))
            << origin;
    }
    EXPECT_THAT(fault(listen("tls", "certificate = 7\n")),
                HasSubstr("expected a text in double quotes, or a list of at least one"));
    EXPECT_THAT(fault(listen("tls", "certificate = []\n")), HasSubstr("a list of at least one"));
    EXPECT_THAT(fault(listen("tls", "certificate = \"\"\n")), HasSubstr("it is empty"));
}

TEST(ConfigListen_Behaviour, StreamsOfAnyKindShareThePortsOfTcp) {
    EXPECT_THAT(fault(listen("tcp") + listen("wss")),
                HasSubstr("stands in two [[listen]] whose transports both use TCP"));
    EXPECT_EQ(fault(listen("udp") + listen("wss")), "none");
}

TEST(ConfigListen_Behaviour, CertificatesChangeAtAReloadAndListenersDoNot) {
    const std::string pair = "certificate = \"a\"\nprivate_key = \"b\"\n";
    const LoadedConfig running = good(listen("tls", pair));
    EXPECT_THAT(changed_keys_that_need_a_restart(
                    running, good(listen("tls", "certificate = \"c\"\nprivate_key = \"d\"\n"))),
                testing::IsEmpty());
    EXPECT_THAT(changed_keys_that_need_a_restart(running, good(listen("wss", pair))),
                ElementsAre("listen"));
}

TEST(ConfigTls_Behaviour, VerifiesServersUnlessToldNotTo) {
    EXPECT_TRUE(good("").verify_servers);
    EXPECT_EQ(good("").ca_file, "");
    const LoadedConfig config = good("[tls]\nverify_servers = false\nca_file = \"ca.pem\"\n");
    EXPECT_FALSE(config.verify_servers);
    EXPECT_EQ(config.ca_file, "/etc/signalbox/ca.pem");
}

TEST(ConfigLimits_Behaviour, BoundsStreamsAgainstSlowSenders) {
    const ports::LimitSettings limits =
        good(
            "[limits]\nconnections_per_source = 7\nhandshake_timeout = \"3s\"\n"
            "first_message_timeout = \"4s\"\nmessage_timeout = \"5s\"\n")
            .settings.limits;
    EXPECT_EQ(limits.connections_per_source, 7u);
    EXPECT_EQ(limits.handshake_timeout, std::chrono::seconds(3));
    EXPECT_EQ(limits.first_message_timeout, std::chrono::seconds(4));
    EXPECT_EQ(limits.message_timeout, std::chrono::seconds(5));
    EXPECT_EQ(good("").settings.limits.connections_per_source, 1000u);
}

}  // namespace
}  // namespace signalbox::config
