// The bodies that the server itself takes.
// Covers: RFC 3261 §8.2.3. Not covered: bodies of requests for others, which are forwarded unread.
#include <gtest/gtest.h>

#include "tests/core/core_harness.h"

namespace signalbox::core::testing {
namespace {

ports::Snapshot trusting() {
    ports::Snapshot snapshot = default_snapshot();
    snapshot.trusted = {*Network::parse("198.51.100.10")};
    return snapshot;
}

struct ContentTest : ::testing::Test {
    World world{trusting()};
    Phone& alice = world.stranger();

    /// The server's answer to a body, alike for OPTIONS and for REGISTER.
    Message answer(const std::vector<std::string>& lines, const std::string& body = "x") {
        RequestText options = alice.make("OPTIONS", "sip:example.test");
        RequestText binds = alice.make("REGISTER", "sip:example.test");
        binds.to = "<sip:someone@example.test>";
        options.body = binds.body = body;
        options.more = binds.more = lines;
        alice.send_text(binds.text());
        const Message registered = alice.take();
        alice.send_text(options.text());
        const Message response = alice.take();
        EXPECT_EQ(registered.status(), response.status());
        EXPECT_EQ(world.gauges().bindings, response.status() == 200 ? 1U : 0U);
        return response;
    }
};

using UserAgentContent_Rfc3261_8_2_3 = ContentTest;

TEST_F(UserAgentContent_Rfc3261_8_2_3, AnUnknownTypeGets415) {
    const Message refused = answer({"Content-Type: application/unheardof"});
    EXPECT_EQ(refused.status(), 415);
    EXPECT_EQ(refused.header("Accept"), "application/sdp");
    EXPECT_EQ(answer({"Content-Type: nonsense"}).status(), 415);
}

TEST_F(UserAgentContent_Rfc3261_8_2_3, AnUnknownEncodingGets415) {
    const Message refused = answer({"Content-Type: application/sdp", "Content-Encoding: gzip"});
    EXPECT_EQ(refused.status(), 415);
    EXPECT_EQ(refused.header("Accept-Encoding"), "identity");
}

TEST_F(UserAgentContent_Rfc3261_8_2_3, AnOptionalBodyIsPassedOver) {
    EXPECT_EQ(answer({"Content-Type: image/png", "Content-Disposition: icon ; Handling=Optional"})
                  .status(),
              200);
}

TEST_F(UserAgentContent_Rfc3261_8_2_3, AKnownTypeAndNoBodyAreTaken) {
    EXPECT_EQ(answer({"c: Application/SDP;charset=utf-8", "e: identity"}).status(), 200);
}

TEST_F(UserAgentContent_Rfc3261_8_2_3, ATypeWithoutABodyIsNoMatter) {
    EXPECT_EQ(answer({"Content-Type: image/png"}, "").status(), 200);
}

TEST_F(UserAgentContent_Rfc3261_8_2_3, EveryLanguageIsTaken) {
    EXPECT_EQ(answer({"Content-Type: application/sdp", "Content-Language: xx-unheardof"}).status(),
              200);
}

}  // namespace
}  // namespace signalbox::core::testing
