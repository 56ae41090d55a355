// The certificates of a configuration: those that it names, the one that is made, and what is said
// of bad ones. Not covered: handshakes (tests/io), reloads (e2e).
#include "node/certificates.h"

#include <gmock/gmock.h>

#include <filesystem>

#include "tests/io/test_certificates.h"

namespace signalbox::node {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class Certificates_Behaviour : public ::testing::Test {
 protected:
    Certificates_Behaviour() {
        config.data_dir = files.path("data");
        std::filesystem::create_directory(config.data_dir);
        config.settings.domains = {"example.test"};
        for (const auto transport : {transport::Transport::Udp, transport::Transport::Wss}) {
            transport::Listener listener;
            listener.transport = transport;
            config.settings.listeners.push_back(listener);
        }
        config.listen_security.resize(2);
    }
    void name(const io::CertificateFiles& pair) {
        config.listen_security[1].certificates = {pair.certificate};
        config.listen_security[1].private_keys = {pair.private_key};
    }

    io::TestCertificates files;
    config::LoadedConfig config;
};

TEST_F(Certificates_Behaviour, OneIsMadeAtTheFirstStartAndKept) {
    const auto first = load_security(config);
    ASSERT_TRUE(first) << first.error().text;
    ASSERT_THAT(first->listeners, SizeIs(2));
    EXPECT_EQ(first->listeners[0].server, nullptr);
    EXPECT_NE(first->listeners[1].server, nullptr);
    EXPECT_NE(first->listeners[1].client, nullptr);
    EXPECT_THAT(first->made, HasSubstr(config.data_dir + "/certificate.pem"));
    EXPECT_EQ(load_security(config)->made, "");
}

TEST_F(Certificates_Behaviour, NoneIsMadeWhereNoneIsNeeded) {
    name(files.issue("own", {.alternative = "DNS:example.test"}));
    EXPECT_EQ(load_security(config)->made, "");
    config.settings.listeners[1].transport = transport::Transport::Ws;
    config.listen_security[1] = {};
    config.listen_security[1].origins = {"https://a.test"};
    const auto loaded = load_security(config);
    EXPECT_EQ(loaded->made, "");
    EXPECT_THAT(loaded->listeners[1].origins, SizeIs(1));
    EXPECT_FALSE(std::filesystem::exists(config.data_dir + "/certificate.pem"));
}

TEST_F(Certificates_Behaviour, ABadFileIsNamedByTheStartAndByTheCheck) {
    name({files.path("none.pem"), files.path("none.key")});
    EXPECT_THAT(load_security(config).error().text, HasSubstr("none.pem cannot be read"));
    EXPECT_THAT(check_certificates(config).error().text, HasSubstr("none.pem cannot be read"));
    config.ca_file = files.path("authorities.pem");
    EXPECT_THAT(load_security(config).error().text, HasSubstr("authorities.pem"));
}

TEST_F(Certificates_Behaviour, OneThatSoonExpiresIsWarnedOf) {
    constexpr long kDay = 24 * 3600;
    name(files.issue("late", {.valid_to = 30 * kDay}));
    EXPECT_THAT(load_security(config)->warnings, IsEmpty());
    name(files.issue("soon", {.valid_to = 3 * kDay + 60}));
    EXPECT_THAT(load_security(config)->warnings,
                ::testing::ElementsAre(HasSubstr("soon.pem expires in 3 days")));
}

}  // namespace
}  // namespace signalbox::node
