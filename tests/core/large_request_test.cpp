// Requests that are too large for a datagram.
// Covers: RFC 3261 §18.1.1 (TCP for large requests, UDP when it cannot be had). Not covered: how a
// connect is ended in time (stream_set_test).
#include <gtest/gtest.h>

#include "tests/core/core_harness.h"

namespace signalbox::core::testing {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using transport::Transport;

struct LargeTest : ::testing::Test {
    World world;
    Phone& alice = world.stranger();
    Phone& bob = world.registered("bob", "198.51.100.20:5060");
    Phone& bob_by_tcp =
        world.phone({"bob", "example.test", "198.51.100.20:5060", Transport::Tcp, {}});

    Outgoing call(size_t body_size) {
        RequestText request = alice.make("INVITE", bob.aor());
        request.body = std::string(body_size, 'x');
        return alice.send(request).expect(100);
    }
    static std::string via_start(const Incoming& leg) {
        return leg.message().header("Via").substr(0, 11);
    }
};

using LargeRequest_Rfc3261_18_1_1 = LargeTest;

TEST_F(LargeRequest_Rfc3261_18_1_1, GoesByTcpToAPhoneThatIsWhereItsContactSays) {
    Outgoing waiting = call(1300);
    const Incoming leg = bob_by_tcp.expects("INVITE");
    EXPECT_EQ(via_start(leg), "SIP/2.0/TCP");
    EXPECT_EQ(world.last_connect_max, milliseconds(500));
    // The dialog does not stick to TCP.
    EXPECT_EQ(leg.message().header("Record-Route").find("transport=tcp"), std::string::npos);
    leg.answers(200);
    waiting.expect(200);
    EXPECT_TRUE(bob.is_silent());
}

TEST_F(LargeRequest_Rfc3261_18_1_1, IsDecidedForEachRequest) {
    call(1300);
    bob_by_tcp.expects("INVITE");
    call(100);
    EXPECT_EQ(via_start(bob.expects("INVITE")), "SIP/2.0/UDP");
    EXPECT_TRUE(bob_by_tcp.is_silent());
}

TEST_F(LargeRequest_Rfc3261_18_1_1, GoesByUdpAfterAllWhenTcpFails) {
    Outgoing waiting = call(1300);
    const std::string branch = bob_by_tcp.expects("INVITE").message().branch();
    world.fail_last_transmit();
    const Incoming leg = bob.expects("INVITE");
    EXPECT_EQ(via_start(leg), "SIP/2.0/UDP");
    EXPECT_NE(leg.message().branch(), branch);
    leg.answers(200);
    waiting.expect(200);
    EXPECT_EQ(world.count(Counter::large_requests_back_to_udp_total), 1U);
    // It was refused at once: the next one may try again.
    call(1300);
    bob_by_tcp.expects("INVITE");
}

TEST_F(LargeRequest_Rfc3261_18_1_1, SilenceOnTcpIsNotPaidForAgain) {
    call(1300);
    bob_by_tcp.expects("INVITE");
    world.wait(milliseconds(500));
    world.fail_last_transmit();
    bob.expects("INVITE").answers(486);
    bob.take_kinds();
    alice.take_kinds();
    call(1300);
    EXPECT_EQ(via_start(bob.expects("INVITE")), "SIP/2.0/UDP");
    world.wait(seconds(31));
    alice.take_kinds();
    call(1300);
    bob_by_tcp.expects("INVITE");
}

TEST_F(LargeRequest_Rfc3261_18_1_1, StaysOnTheFlowOfAPhoneBehindANat) {
    Phone& carol = world.phone(
        {"carol", "example.test", "198.51.100.30:40000", Transport::Udp, "10.0.0.2:5060"});
    world.add_user(user_record("carol"));
    world.bind("carol", carol);
    RequestText request = alice.make("INVITE", carol.aor());
    request.body = std::string(3000, 'x');
    alice.send(request).expect(100);
    EXPECT_EQ(via_start(carol.expects("INVITE")), "SIP/2.0/UDP");
}

TEST_F(LargeRequest_Rfc3261_18_1_1, StaysOnUdpWhereWeDoNotListenOnTcp) {
    ports::Snapshot only_udp = default_snapshot();
    std::erase_if(only_udp.listeners,
                  [](const auto& each) { return each.transport == Transport::Tcp; });
    World other{only_udp};
    Phone& caller = other.stranger();
    Phone& callee = other.registered("bob", "198.51.100.20:5060");
    RequestText request = caller.make("INVITE", callee.aor());
    request.body = std::string(3000, 'x');
    caller.send(request).expect(100);
    callee.expects("INVITE");
}

TEST_F(LargeRequest_Rfc3261_18_1_1, ACallerWhoGivesUpMeanwhileIsNotCarriedOn) {
    Outgoing waiting = call(1300);
    bob_by_tcp.expects("INVITE");
    waiting.cancel();
    alice.expect(200);
    world.fail_last_request();
    waiting.expect(487).ack();
    EXPECT_TRUE(bob.is_silent());
}

TEST_F(LargeRequest_Rfc3261_18_1_1, NothingLivesOnAfterwards) {
    Outgoing waiting = call(1300);
    world.fail_last_transmit();
    bob.expects("INVITE").answers(486);
    waiting.expect(486).ack();
    world.wait(seconds(300));
    EXPECT_TRUE(world.is_empty());
}

struct LargeAckTest : LargeTest {
    /// A call to bob that he has answered.
    Dialog answered() {
        Outgoing waiting = call(100);
        bob.expects("INVITE").answers(200);
        return waiting.expect(200).dialog();
    }
    void acknowledges(Dialog& dialog, size_t body_size) {
        RequestText ack = alice.make_in(dialog, "ACK");
        ack.cseq = 1;
        ack.body = std::string(body_size, 'x');
        alice.send_text(ack.text());
    }
};
using LargeAck_Rfc3261_18_1_1 = LargeAckTest;

TEST_F(LargeAck_Rfc3261_18_1_1, GoesByTcpLikeAnyLargeRequest) {
    Dialog dialog = answered();
    acknowledges(dialog, 1300);
    const Incoming ack = bob_by_tcp.expects("ACK");
    EXPECT_EQ(via_start(ack), "SIP/2.0/TCP");
    EXPECT_EQ(world.last_connect_max, milliseconds(500));
    EXPECT_TRUE(bob.is_silent());
    acknowledges(dialog, 100);
    EXPECT_EQ(via_start(bob.expects("ACK")), "SIP/2.0/UDP");
}

TEST_F(LargeAck_Rfc3261_18_1_1, GoesByUdpAfterAllWhenTcpFails) {
    Dialog dialog = answered();
    acknowledges(dialog, 1300);
    bob_by_tcp.expects("ACK");
    world.fail_last_transmit();
    const Incoming ack = bob.expects("ACK");
    EXPECT_EQ(via_start(ack), "SIP/2.0/UDP");
    EXPECT_EQ(ack.message().body().size(), 1300U);
    EXPECT_EQ(world.count(Counter::large_requests_back_to_udp_total), 1U);
    // It is said once.
    world.fail_last_transmit();
    EXPECT_TRUE(bob.is_silent());
}

TEST_F(LargeAck_Rfc3261_18_1_1, SilenceOnTcpIsNotPaidForAgain) {
    Dialog dialog = answered();
    acknowledges(dialog, 1300);
    bob_by_tcp.expects("ACK");
    world.wait(milliseconds(500));
    world.fail_last_transmit();
    bob.take_kinds();
    acknowledges(dialog, 1300);
    EXPECT_EQ(via_start(bob.expects("ACK")), "SIP/2.0/UDP");
}

TEST_F(LargeAck_Rfc3261_18_1_1, KeptOnesAreBounded) {
    Dialog dialog = answered();
    for (int i = 0; i < 256; ++i) acknowledges(dialog, 1300);
    EXPECT_TRUE(bob.is_silent());
    acknowledges(dialog, 1300);
    EXPECT_EQ(via_start(bob.expects("ACK")), "SIP/2.0/UDP");
    world.wait(seconds(2));
    bob_by_tcp.take_kinds();
    bob.take_kinds();
    acknowledges(dialog, 1300);
    EXPECT_EQ(via_start(bob_by_tcp.expects("ACK")), "SIP/2.0/TCP");
}

}  // namespace
}  // namespace signalbox::core::testing
