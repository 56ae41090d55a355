// Responses that nobody asked for, and what must stay in those that somebody did.
// Covers: RFC 3261 §16.7 steps 1, 3 and 9, §16.11, §18.1.2 (sent-by), RFC 6026 §7.3 (stray
// responses). Not covered: each wrong field of a branch (client_matching_test).
#include <gtest/gtest.h>

#include "tests/core/core_harness.h"

namespace signalbox::core::testing {
namespace {

using transport::Transport;

ports::Snapshot stateless() {
    ports::Snapshot snapshot = default_snapshot();
    snapshot.proxy.mode = ports::ProxyMode::Stateless;
    return snapshot;
}

std::string replaced(std::string text, std::string_view what, std::string_view by) {
    text.replace(text.find(what), what.size(), by);
    return text;
}

struct StrayTest : ::testing::Test {
    World world;
    Phone& alice = world.stranger();
    Phone& bob = world.registered("bob", "198.51.100.20:5060");
};

struct StatelessStrayTest : ::testing::Test {
    World world{stateless()};
    Phone& alice = world.stranger();
    Phone& bob = world.registered("bob", "198.51.100.20:5060");
};

using StrayResponse_Rfc3261_16_7 = StrayTest;
using StrayResponse_Rfc3261_18_1_2 = StrayTest;
using StrayResponse_Rfc6026_7_3 = StrayTest;
using StatelessResponse_Rfc3261_16_11 = StatelessStrayTest;
using StatelessResponse_Rfc3261_18_1_2 = StatelessStrayTest;

TEST_F(StrayResponse_Rfc3261_16_7, WithoutABranchOfOursItGoesNowhere) {
    // Its second Via names a victim: a relay that trusts it sends where anybody likes.
    bob.send_text(
        "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKguessed\r\n"
        "Via: SIP/2.0/UDP 198.51.100.10:5060;branch=z9hG4bKvictim\r\nFrom: "
        "<sip:a@elsewhere.test>;tag=1\r\n"
        "To: <sip:b@example.test>;tag=2\r\nCall-ID: stray\r\nCSeq: 1 INVITE\r\nContent-Length: "
        "0\r\n\r\n");
    EXPECT_TRUE(alice.is_silent() && bob.is_silent());
    EXPECT_EQ(world.count(Counter::rx_response_sent_by_mismatch_dropped_total), 1U);
}

TEST_F(StrayResponse_Rfc3261_16_7, WithAChangedBranchOrMethodItGoesNowhere) {
    alice.invite(bob).expect(100);
    const Incoming leg = bob.expects("INVITE");
    const std::string good = leg.response(200);
    std::string forged = good;
    const size_t branch = forged.find("branch=z9hG4bK") + 20;
    forged[branch] = forged[branch] == 'a' ? 'b' : 'a';
    bob.send_text(forged);
    bob.send_text(replaced(good, "CSeq: 1 INVITE", "CSeq: 1 BYE"));
    EXPECT_TRUE(alice.is_silent());
    bob.send_text(good);
    alice.expect(200);
}

TEST_F(StrayResponse_Rfc6026_7_3, OfATransactionThatIsLongOverItGoesNowhere) {
    alice.invite(bob).expect(100);
    const Incoming leg = bob.expects("INVITE");
    leg.answers(200);
    alice.expect(200);
    world.wait(std::chrono::seconds(120));
    leg.answers(200);
    EXPECT_TRUE(alice.is_silent());
}

TEST_F(StrayResponse_Rfc3261_18_1_2, WithTheSentByOfAnotherItIsDropped) {
    alice.invite(bob).expect(100);
    const Incoming leg = bob.expects("INVITE");
    const std::string good = leg.response(200);
    bob.send_text(replaced(good, "192.0.2.1:5060;branch", "203.0.113.8:5060;branch"));
    bob.send_text(replaced(good, "192.0.2.1:5060;branch", "192.0.2.1:5099;branch"));
    EXPECT_TRUE(alice.is_silent());
    EXPECT_EQ(world.count(Counter::rx_response_sent_by_mismatch_dropped_total), 2U);
    bob.send_text(good);
    alice.expect(200);
}

TEST_F(StrayResponse_Rfc3261_16_7, TheReceivedOfTheCallersViaStays) {
    Phone& nated = world.phone(
        {"carol", "elsewhere.test", "203.0.113.30:40000", Transport::Udp, "10.0.0.7:5060"});
    Outgoing call = nated.send(nated.make("INVITE", bob.aor())).expect(100);
    bob.expects("INVITE").answers(180);
    call.expect(180);
    const std::string via = call.response().header("Via");
    EXPECT_NE(via.find(";received=203.0.113.30"), std::string::npos) << via;
    EXPECT_NE(via.find(";rport=40000"), std::string::npos) << via;
}

TEST_F(StatelessResponse_Rfc3261_16_11, ThatIsNotOursIsDropped) {
    alice.send(alice.make("MESSAGE", bob.aor()));
    const std::string good = bob.expects("MESSAGE").response(200);
    std::string forged = good;
    const size_t branch = forged.find("branch=z9hG4bK") + 20;
    forged[branch] = forged[branch] == 'a' ? 'b' : 'a';
    bob.send_text(forged);
    EXPECT_TRUE(alice.is_silent());
    bob.send_text(good);
    alice.expect(200);
}

TEST_F(StatelessResponse_Rfc3261_18_1_2, WithTheSentByOfAnotherIsDropped) {
    alice.send(alice.make("MESSAGE", bob.aor()));
    const std::string good = bob.expects("MESSAGE").response(200);
    bob.send_text(replaced(good, "192.0.2.1:5060;branch", "203.0.113.8:5060;branch"));
    EXPECT_TRUE(alice.is_silent());
}

}  // namespace
}  // namespace signalbox::core::testing
