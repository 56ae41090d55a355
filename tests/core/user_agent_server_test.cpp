// What the server answers to requests for itself.
// Covers: RFC 3261 §16.1, §8.2.1 (405), §8.2.2.3 (420), §11.2 (OPTIONS), §12.2.2 (481). Not
// covered: OPTIONS for a user, which is proxied.
#include <gtest/gtest.h>

#include "tests/core/core_harness.h"

namespace signalbox::core::testing {
namespace {

struct UserAgentTest : ::testing::Test {
    World world;
    Phone& alice = world.stranger();
};

using UserAgentServer_Rfc3261_11_2 = UserAgentTest;
using UserAgentServer_Rfc3261_8_2 = UserAgentTest;
using UserAgentServer_Rfc3261_21_5_2 = UserAgentTest;
using UserAgentServer_Rfc6665_4_2 = UserAgentTest;

TEST_F(UserAgentServer_Rfc3261_11_2, OptionsTellsWhatTheServerIsAbleToDo) {
    for (const char* uri : {"sip:example.test", "sip:192.0.2.1", "sip:192.0.2.1:5060"}) {
        Outgoing options = alice.send(alice.make("OPTIONS", uri)).expect(200);
        EXPECT_NE(options.response().header("Allow").find("INVITE"), std::string::npos);
        for (const char* name : {"Accept", "Accept-Encoding", "Accept-Language", "Supported"})
            EXPECT_TRUE(options.response().has(name)) << name;
    }
    EXPECT_EQ(world.count(Counter::options_answered_total), 3U);
    EXPECT_TRUE(world.is_empty());
}

TEST_F(UserAgentServer_Rfc3261_11_2, OptionsTellsWhereTheServerIsReached) {
    using transport::Transport;
    const auto contact_of = [this](Transport transport, const std::string& uri) {
        Phone& peer = world.stranger("erin", "198.51.100.70:5060", transport);
        return peer.send(peer.make("OPTIONS", uri)).expect(200).response().header("Contact");
    };
    EXPECT_EQ(contact_of(Transport::Udp, "sip:example.test"), "<sip:192.0.2.1:5060>");
    EXPECT_EQ(contact_of(Transport::Tcp, "sip:example.test"), "<sip:192.0.2.1:5060;transport=tcp>");
    EXPECT_EQ(contact_of(Transport::Tls, "sips:example.test").substr(0, 6), "<sips:");
}

TEST_F(UserAgentServer_Rfc3261_11_2, AllowOfOptionsHoldsThatOfA405AndWhatIsForwarded) {
    const auto allowed = alice.send(alice.make("OPTIONS", "sip:example.test"))
                             .expect(200)
                             .response()
                             .values("Allow");
    const auto own =
        alice.send(alice.make("INVITE", "sip:example.test")).expect(405).response().values("Allow");
    Phone& bob = world.registered("bob", "198.51.100.20:5060");
    for (const std::string& method : allowed) {
        if (std::count(own.begin(), own.end(), method) != 0) continue;
        RequestText request = alice.make(method, bob.aor());
        request.with("Event: presence");
        alice.send(request);
        EXPECT_EQ(bob.expects(method).message().method(), method);
        alice.take_kinds();
    }
    for (const std::string& method : own) {
        EXPECT_EQ(std::count(allowed.begin(), allowed.end(), method), 1) << method;
    }
}

TEST_F(UserAgentServer_Rfc3261_11_2, OptionsByOurOwnRouteIsForUsToo) {
    RequestText options = alice.make("OPTIONS", "sip:example.test");
    options.routes = {"<sip:192.0.2.1;lr>"};
    alice.send(options).expect(200);
}

TEST_F(UserAgentServer_Rfc3261_11_2, OptionsForAUserIsForwarded) {
    Phone& bob = world.registered("bob", "198.51.100.20:5060");
    Outgoing options = alice.send(alice.make("OPTIONS", bob.aor()));
    bob.expects("OPTIONS").answers(200);
    options.expect(200);
}

TEST_F(UserAgentServer_Rfc6665_4_2, TheServerItselfCannotBeWatched) {
    for (const char* event : {"", "Event: reg", "Event: presence"}) {
        RequestText request = alice.make("SUBSCRIBE", "sip:example.test");
        if (*event != 0) request.with(event);
        Outgoing refused = alice.send(request).expect(489);
        EXPECT_EQ(refused.response().header("Allow-Events"), "reg");
    }
    EXPECT_EQ(alice.send(alice.make("OPTIONS", "sip:example.test"))
                  .expect(200)
                  .response()
                  .header("Allow-Events"),
              "reg");
}

TEST_F(UserAgentServer_Rfc3261_8_2, AMethodThatIsNotForServersGets405) {
    for (const char* method : {"INVITE", "MESSAGE", "PUBLISH", "UPDATE"}) {
        RequestText sent = alice.make(method, "sip:example.test");
        Outgoing request = alice.send(sent.with("Require: x")).expect(405);
        EXPECT_EQ(request.response().header("Allow"), "ACK, CANCEL, OPTIONS, REGISTER");
        EXPECT_FALSE(request.response().has("Unsupported")) << "the method comes first";
    }
}

TEST_F(UserAgentServer_Rfc3261_21_5_2, AMethodThatNobodyKnowsGets501) {
    for (const char* method : {"FLY", "invite", "RE%47ISTER"})
        alice.send(alice.make(method, "sip:example.test")).expect(501);
}

TEST_F(UserAgentServer_Rfc3261_8_2, AnUnknownDialogGets481) {
    RequestText bye = alice.make("BYE", "sip:192.0.2.1");
    bye.to += ";tag=none";
    alice.send(bye).expect(481);
}

TEST_F(UserAgentServer_Rfc3261_8_2, ARequiredExtensionGets420) {
    RequestText options = alice.make("OPTIONS", "sip:example.test");
    Outgoing sent = alice.send(options.with("Require: path, gruu").with("Require: x"));
    sent.expect(420);
    EXPECT_EQ(sent.response().values("Unsupported"), std::vector<std::string>{"x"});
}

TEST_F(UserAgentServer_Rfc3261_8_2, WhatSupportedNamesMayBeRequired) {
    RequestText options = alice.make("OPTIONS", "sip:example.test");
    const std::string supported = alice.send(options).expect(200).response().header("Supported");
    options = alice.make("OPTIONS", "sip:example.test");
    alice.send(options.with("Require: " + supported)).expect(200);
}

TEST_F(UserAgentServer_Rfc3261_8_2, TheServersNameIsShownWhenItHasOne) {
    ports::Snapshot snapshot = default_snapshot();
    snapshot.server_name = "Box";
    World named{snapshot};
    Phone& phone = named.stranger();
    Outgoing options = phone.send(phone.make("OPTIONS", "sip:example.test")).expect(200);
    EXPECT_EQ(options.response().header("Server"), "Box");
    EXPECT_FALSE(
        alice.send(alice.make("OPTIONS", "sip:example.test")).expect(200).response().has("Server"));
}

}  // namespace
}  // namespace signalbox::core::testing
