// The checks of a request in the order of the RFC, on the wire.
// Covers: RFC 3261 §16.3 steps 1 to 6 in order, §8.1.1.7 (the protocol of Via), §8.2.2.1 (416),
// §8.2.6.2 (the To tag of stateless responses), §26.3.2.4, RFC 5393 §4.2 (loop and spiral). Not
// covered: each form of malformed message (check_message_test), who needs credentials
// (authorisation_test).
#include <gtest/gtest.h>

#include "tests/core/core_harness.h"

namespace signalbox::core::testing {
namespace {

struct ValidationTest : ::testing::Test {
    World world;
    Phone& alice = world.stranger();
    Phone& bob = world.registered("bob", "198.51.100.20:5060");

    RequestText invite() { return alice.make("INVITE", bob.aor()); }
};

using Validation_Rfc3261_8_1_1_7 = ValidationTest;
using Validation_Rfc3261_16_3 = ValidationTest;
using Loop_Rfc5393_4_2 = ValidationTest;

TEST_F(Validation_Rfc3261_16_3, A400NamesTheFieldThatIsWrong) {
    RequestText request = invite();
    request.to.clear();
    alice.send_text(request.text());
    EXPECT_EQ(alice.expect(400).reason(), "Missing To");
    request = invite();
    request.max_forwards = "many";
    alice.send_text(request.text());
    EXPECT_EQ(alice.expect(400).reason(), "Malformed Max-Forwards");
    request = invite();
    request.routes = {"<sip:"};
    alice.send_text(request.text());
    EXPECT_EQ(alice.expect(400).reason(), "Malformed Route");
    EXPECT_TRUE(bob.is_silent());
    EXPECT_TRUE(world.is_empty());
}

TEST_F(Validation_Rfc3261_16_3, AnotherVersionGets505) {
    std::string text = invite().text();
    text.replace(text.find("SIP/2.0\r\n"), 7, "SIP/3.0");
    alice.send_text(text);
    alice.expect(505);
}

TEST_F(Validation_Rfc3261_8_1_1_7, ATopViaOfAnotherProtocolGets400AndDropsAResponse) {
    for (const char* protocol : {"SIP/3.0", "HTTP/2.0"}) {
        RequestText request = invite();
        request.via.replace(request.via.find("SIP/2.0"), 7, protocol);
        alice.send_text(request.text());
        EXPECT_EQ(alice.expect(400).reason(), "Via of another protocol than SIP/2.0");
    }
    EXPECT_TRUE(bob.is_silent());
    EXPECT_TRUE(world.is_empty());

    Outgoing call = alice.invite(bob).expect(100);
    const std::string good = bob.expects("INVITE").response(200);
    std::string bad = good;
    bad.replace(bad.find("Via: SIP/2.0") + 5, 7, "SIP/3.0");
    bob.send_text(bad);
    EXPECT_TRUE(alice.is_silent());
    EXPECT_EQ(world.count(Counter::rx_dropped_malformed_total), 1U);
    bob.send_text(good);
    call.expect(200);
}

TEST_F(Validation_Rfc3261_8_1_1_7, TheViasBelowArePassedAsTheyAre) {
    alice.send(invite().with("Via: HTTP/1.1/TCP 203.0.113.7")).expect(100);
    const std::vector<std::string> vias = bob.expects("INVITE").message().values("Via");
    EXPECT_EQ(vias.back(), "HTTP/1.1/TCP 203.0.113.7");
}

TEST_F(Validation_Rfc3261_16_3, AnUnknownSchemeGets416) {
    alice.send(alice.make("INVITE", "mailto:bob@example.test")).expect(416);
    EXPECT_TRUE(world.is_empty());
}

TEST_F(Validation_Rfc3261_16_3, MaxForwards0Gets483AndOneGoesOn) {
    RequestText request = invite();
    request.max_forwards = "0";
    alice.send(request).expect(483);
    EXPECT_EQ(world.count(Counter::max_forwards_exceeded_total), 1U);
    request = invite();
    request.max_forwards = "1";
    alice.send(request).expect(100);
    EXPECT_EQ(bob.expects("INVITE").message().header("Max-Forwards"), "0");
}

TEST_F(Validation_Rfc3261_16_3, AnAckWithMaxForwards0EndsHere) {
    Outgoing call = alice.send(invite()).expect(100);
    bob.expects("INVITE").answers(200);
    Dialog dialog = call.expect(200).dialog();
    RequestText ack = alice.make_in(dialog, "ACK");
    ack.max_forwards = "0";
    alice.send(ack);
    EXPECT_TRUE(bob.is_silent());
    ack.max_forwards = "1";
    ack.via = alice.fresh_via();
    alice.send(ack);
    EXPECT_EQ(bob.expects("ACK").message().header("Max-Forwards"), "0");
}

TEST_F(Validation_Rfc3261_16_3, OptionsWithMaxForwards0ForTheServerItselfIsAnswered) {
    RequestText request = alice.make("OPTIONS", "sip:example.test");
    request.max_forwards = "0";
    alice.send(request).expect(200);
}

TEST_F(Validation_Rfc3261_16_3, EveryOptionOfProxyRequireIsListedAsUnsupported) {
    RequestText request = invite();
    request.with("Proxy-Require: a, b").with("Proxy-Require: c");
    Outgoing call = alice.send(request).expect(420);
    EXPECT_EQ(call.response().values("Unsupported"), (std::vector<std::string>{"a", "b", "c"}));
    EXPECT_TRUE(bob.is_silent());
}

TEST_F(Validation_Rfc3261_16_3, RequireIsForTheCallee) {
    RequestText request = invite();
    alice.send(request.with("Require: 100rel")).expect(100);
    EXPECT_EQ(bob.expects("INVITE").message().header("Require"), "100rel");
}

TEST_F(Validation_Rfc3261_16_3, TheChecksComeInTheRfcsOrder) {
    RequestText request = bob.make("INVITE", "mailto:x@example.test");  // 416, 483, 420 and 407
    request.max_forwards = "0";
    request.with("Proxy-Require: a");
    bob.send(request).expect(416);
    request.uri = "sip:bob@example.test";
    bob.send(request).expect(483);
    request.max_forwards = "1";
    bob.send(request).expect(420);
    request.more.clear();
    bob.send(request).expect(407);
    EXPECT_TRUE(world.is_empty());
}

TEST_F(Validation_Rfc3261_16_3, AStatelessResponseRepeatsItsTagAndItsAckEndsHere) {
    Outgoing call = alice.send(alice.make("INVITE", "mailto:x@y.test")).expect(416);
    const std::string tag = call.response().tag("To");
    EXPECT_FALSE(tag.empty());
    call.retransmit().expect(416);
    EXPECT_EQ(call.response().tag("To"), tag);
    call.ack();
    EXPECT_TRUE(alice.is_silent());
    EXPECT_EQ(world.count(Counter::stray_acks_dropped_total), 0U);
}

TEST_F(Validation_Rfc3261_16_3, AnAckIsNeverAnswered) {
    RequestText ack = alice.make("ACK", "mailto:x@y.test");
    ack.max_forwards = "0";
    alice.send_text(ack.text());
    ack.to.clear();
    alice.send_text(ack.text());
    EXPECT_TRUE(alice.is_silent());
}

TEST_F(Loop_Rfc5393_4_2, ARequestThatComesBackUnchangedGets482) {
    Phone& loop = world.phone({"loop", "example.test", "198.51.100.66:5060", {}, {}});
    world.bind("loop", loop);
    Outgoing call = alice.send(alice.make("INVITE", "sip:loop@example.test")).expect(100);
    const Incoming leg = loop.expects("INVITE");
    // The element behind it sends the request back to us, by the address that it was for.
    std::string text = leg.message().text();
    text.replace(text.find("sip:loop@198.51.100.66:5060"), 27, "sip:loop@example.test");
    text.insert(text.find("Via:"), "Via: " + loop.fresh_via() + "\r\n");
    loop.send_text(text);
    loop.expect(482);
    EXPECT_EQ(world.count(Counter::loops_detected_total), 1U);
    EXPECT_TRUE(loop.is_silent());
}

TEST_F(Loop_Rfc5393_4_2, ARequestThatComesBackForAnotherTargetIsASpiral) {
    Phone& forwarder = world.phone({"fwd", "example.test", "198.51.100.66:5060", {}, {}});
    world.bind("fwd", forwarder);
    Outgoing call = alice.send(alice.make("INVITE", "sip:fwd@example.test")).expect(100);
    const Incoming leg = forwarder.expects("INVITE");
    std::string text = leg.message().text();
    text.replace(text.find("sip:fwd@198.51.100.66:5060"), 26, "sip:bob@example.test");
    text.insert(text.find("Via:"), "Via: " + forwarder.fresh_via() + "\r\n");
    forwarder.send_text(text);
    forwarder.expect(100);
    const Incoming spiral = bob.expects("INVITE");
    EXPECT_EQ(spiral.message().values("Via").size(), 4U);
    EXPECT_EQ(world.count(Counter::calls_started_total), 1U);
}

TEST_F(Loop_Rfc5393_4_2, AForgedViaOfOursProvesNoLoop) {
    RequestText request = invite();
    request.via += ", SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKabcdefgh";
    alice.send(request).expect(100);
    bob.expects("INVITE");
}

}  // namespace
}  // namespace signalbox::core::testing
