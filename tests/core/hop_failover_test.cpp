// A target with several next hops: silent, unreachable, overloaded ones are left for the next.
// Covers: RFC 3263 §4.1, §4.2 (what is tried first), §4.3 (failover), RFC 3261 §16.6 steps 7, 8 and
// 10, §9.1 (CANCEL of a hop that was left), §16.7 step 1, §21.5.4 (Retry-After). Not covered: the
// order of records (server_lookup_test, service_order_test).
#include <gmock/gmock.h>

#include "ports/sharding.h"
#include "tests/core/core_harness.h"

namespace signalbox::core::testing {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using transport::Transport;

ports::Snapshot trusting() {
    ports::Snapshot snapshot = default_snapshot();
    snapshot.trusted = {*Network::parse("198.51.100.10")};
    return snapshot;
}

struct FailoverTest : ::testing::Test {
    explicit FailoverTest(uint8_t shards = 1) : world(trusting(), shards) {
        world.zone["_sip._udp.carrier.test"].services = {{10, 0, 5060, "one.carrier.test"},
                                                         {20, 0, 5060, "two.carrier.test"}};
        world.zone["one.carrier.test"].addresses = {IpAddress::v4(203, 0, 113, 1)};
        world.zone["two.carrier.test"].addresses = {IpAddress::v4(203, 0, 113, 2)};
    }
    Outgoing request(std::string_view method) {
        Outgoing sent = alice.send(alice.make(method, "sip:any@carrier.test"));
        if (method == "INVITE") sent.expect(100);
        world.answer_dns();
        return sent;
    }
    Outgoing call() { return request("INVITE"); }
    /// What waits in the inboxes is of no interest.
    void forget() {
        for (Phone* phone : {&alice, &one, &two}) phone->take_kinds();
    }

    World world;
    Phone& alice = world.stranger();
    Phone& one = world.stranger("one", "203.0.113.1:5060");
    Phone& two = world.stranger("two", "203.0.113.2:5060");
};

using Failover_Rfc3263_4_3 = FailoverTest;
using Failover_Rfc3261_16_6 = FailoverTest;
using HopHealth_Rfc3263_4_3 = FailoverTest;
using Services_Rfc3263_4_2 = FailoverTest;

TEST_F(Failover_Rfc3263_4_3, ASilentHopIsLeftForTheNextOneAfterFourSeconds) {
    Outgoing waiting = call();
    const Incoming first = one.expects("INVITE");
    world.wait(milliseconds(3990));
    EXPECT_TRUE(two.is_silent());
    world.wait(milliseconds(20));
    const Incoming second = two.expects("INVITE");
    EXPECT_NE(second.message().branch(), first.message().branch());
    EXPECT_EQ(second.message().header("Call-ID"), first.message().header("Call-ID"));
    second.answers(180).answers(200);
    waiting.expect(180).expect(200);
    EXPECT_EQ(world.count(Counter::next_hop_failovers_total), 1U);
}

TEST_F(Failover_Rfc3263_4_3, AHopThatGaveASignIsWaitedFor) {
    Outgoing waiting = call();
    const Incoming leg = one.expects("INVITE");
    leg.answers(100);
    world.wait(seconds(60));
    EXPECT_TRUE(two.is_silent());
    leg.answers(200);
    waiting.expect(200);
}

TEST_F(Failover_Rfc3263_4_3, A503GoesToTheNextHopAndIsAcknowledgedAtItsOwn) {
    Outgoing waiting = call();
    one.expects("INVITE").answers(503);
    one.expects("ACK");
    EXPECT_TRUE(alice.is_silent());
    two.expects("INVITE").answers(200);
    waiting.expect(200);
    EXPECT_TRUE(one.is_silent());
}

TEST_F(Failover_Rfc3263_4_3, AnAnswerOtherThan503IsTheAnswer) {
    Outgoing waiting = call();
    one.expects("INVITE").answers(486);
    waiting.expect(486).ack();
    EXPECT_TRUE(two.is_silent());
}

TEST_F(Failover_Rfc3263_4_3, TheLast503IsThe500OfTheCall) {
    Outgoing waiting = call();
    one.expects("INVITE").answers(503);
    two.expects("INVITE").answers(503);
    waiting.expect(500).ack();
    EXPECT_EQ(world.count(Counter::next_hops_exhausted_total), 1U);
}

TEST_F(Failover_Rfc3263_4_3, AHopThatCannotBeReachedIsLeftAtOnce) {
    Outgoing waiting = call();
    one.expects("INVITE");
    world.fail_last_transmit();
    two.expects("INVITE").answers(200);
    waiting.expect(200);
}

TEST_F(Failover_Rfc3263_4_3, SilenceEverywhereCostsTheBudgetOfAll) {
    Outgoing waiting = call();
    world.wait(milliseconds(31'990));
    EXPECT_TRUE(alice.is_silent());
    EXPECT_NE(one.take_kinds(), "");
    EXPECT_NE(two.take_kinds(), "");
    world.wait(milliseconds(20));
    waiting.expect(408).ack();
    world.wait(seconds(300));
    EXPECT_TRUE(world.is_empty());
}

TEST_F(Failover_Rfc3263_4_3, TheCancelGoesToTheHopThatIsTriedNow) {
    Outgoing waiting = call();
    one.expects("INVITE").answers(503);
    one.expects("ACK");
    two.expects("INVITE").answers(180);
    waiting.expect(180).cancel();
    alice.expect(200);
    EXPECT_EQ(two.expects("CANCEL").message().header("CSeq"), "1 CANCEL");
    EXPECT_TRUE(one.is_silent());
}

TEST_F(Failover_Rfc3263_4_3, AHopThatWasLeftIsCancelledWhenItWakesUp) {
    call();
    const Incoming first = one.expects("INVITE");
    world.wait(milliseconds(4010));
    one.take_kinds();
    two.expects("INVITE").answers(180);
    alice.expect(180);
    first.answers(180);
    one.expects("CANCEL").answers(200);
    first.answers(487);
    one.expects("ACK");
    // Nothing of it is for the caller.
    EXPECT_TRUE(alice.is_silent());
    EXPECT_EQ(world.count(Counter::left_hop_responses_dropped_total), 2U);
}

TEST_F(Failover_Rfc3263_4_3, ASuccessOfAHopThatWasLeftIsTheSuccess) {
    Outgoing waiting = call();
    const Incoming first = one.expects("INVITE");
    world.wait(milliseconds(4010));
    const Incoming second = two.expects("INVITE");
    second.answers(180);
    alice.expect(180);
    first.answers(200);
    waiting.expect(200).ack();
    const Incoming cancel = two.expects("CANCEL");
    EXPECT_THAT(cancel.message().header("Reason"), ::testing::StartsWith("SIP;cause=200"));
    cancel.answers(200);
    second.answers(487);
    two.expects("ACK");
    EXPECT_TRUE(alice.is_silent());
    EXPECT_EQ(world.count(Counter::left_hop_successes_total), 1U);
}

TEST_F(Failover_Rfc3263_4_3, ACallerWhoGaveUpIsNotCarriedOn) {
    Outgoing waiting = call();
    one.expects("INVITE");
    waiting.cancel();
    alice.expect(200);
    world.wait(seconds(40));
    waiting.expect(487);
    EXPECT_TRUE(two.is_silent());
}

TEST_F(Failover_Rfc3263_4_3, OtherRequestsFailOverToo) {
    Outgoing waiting = request("MESSAGE");
    one.expects("MESSAGE");
    world.wait(milliseconds(4010));
    two.expects("MESSAGE").answers(200);
    waiting.expect(100).expect(200);
    EXPECT_EQ(world.count(Counter::next_hop_failovers_total), 1U);
}

TEST_F(Failover_Rfc3263_4_3, NothingLivesOnAfterwards) {
    Outgoing waiting = call();
    world.wait(milliseconds(4010));
    two.expects("INVITE").answers(486);
    waiting.expect(486).ack();
    world.wait(seconds(300));
    EXPECT_TRUE(world.is_empty());
}

TEST_F(Failover_Rfc3261_16_6, TheAddressesAreTriedInTheirOrder) {
    world.zone["_sip._udp.carrier.test"].services = {{20, 0, 5060, "one.carrier.test"},
                                                     {10, 0, 5060, "two.carrier.test"}};
    call();
    two.expects("INVITE");
    world.wait(milliseconds(4010));
    one.expects("INVITE");
}

TEST_F(Failover_Rfc3261_16_6, EachAttemptHasABranchAndATransactionOfItsOwn) {
    call();
    const Message first = one.expects("INVITE").message();
    world.wait(milliseconds(4010));
    const Message second = two.expects("INVITE").message();
    EXPECT_NE(first.branch(), second.branch());
    one.take_kinds();
    world.wait(milliseconds(500));
    EXPECT_EQ(two.take_kinds(), "INVITE") << "Timer A of the second began anew";
}

TEST_F(HopHealth_Rfc3263_4_3, AHopThatFailedIsTriedLastForHalfAMinute) {
    call();
    world.wait(milliseconds(4010));
    one.take_kinds();
    two.expects("INVITE").answers(486);
    forget();
    call();
    EXPECT_TRUE(one.is_silent());
    two.expects("INVITE").answers(503);
    one.expects("INVITE").answers(486);
    world.wait(seconds(31));
    forget();
    call();
    one.expects("INVITE");
}

TEST_F(HopHealth_Rfc3263_4_3, RetryAfterSaysForHowLong) {
    call();
    one.expects("INVITE").answers(503, {"Retry-After: 120"});
    two.expects("INVITE").answers(486);
    world.wait(seconds(119));
    forget();
    call();
    two.expects("INVITE").answers(486);
    EXPECT_TRUE(one.is_silent());
    world.wait(seconds(2));
    forget();
    call();
    one.expects("INVITE");
}

TEST_F(HopHealth_Rfc3263_4_3, RetryAfterIsBelievedWithinBounds) {
    call();
    one.expects("INVITE").answers(503, {"Retry-After: 4000000000"});
    two.expects("INVITE").answers(486);
    world.wait(seconds(299));
    forget();
    call();
    two.expects("INVITE").answers(486);
    world.wait(seconds(2));
    forget();
    call();
    one.expects("INVITE");
}

TEST_F(HopHealth_Rfc3263_4_3, AnAnswerClearsTheFailure) {
    call();
    one.expects("INVITE").answers(503);
    two.expects("INVITE").answers(503);
    forget();
    call();
    one.expects("INVITE").answers(486);
    two.take_kinds();
    forget();
    call();
    one.expects("INVITE");
    EXPECT_TRUE(two.is_silent());
}

TEST_F(Services_Rfc3263_4_2, NaptrChoosesTheTransport) {
    world.zone["carrier.test"].pointers = {{20, 1, "s", "SIP+D2U", "", "_sip._udp.carrier.test"},
                                           {10, 1, "s", "SIP+D2T", "", "_sip._tcp.carrier.test"}};
    world.zone["_sip._tcp.carrier.test"].services = {{1, 1, 5080, "one.carrier.test"}};
    Phone& by_tcp = world.stranger("tcp", "203.0.113.1:5080", Transport::Tcp);
    call();
    EXPECT_EQ(by_tcp.expects("INVITE").message().header("Via").substr(0, 11), "SIP/2.0/TCP");
    // The service of the next order is the next hop.
    world.fail_last_transmit();
    one.expects("INVITE");
}

TEST_F(Services_Rfc3263_4_2, ATargetWithoutAddressesIsPassedOver) {
    world.zone["one.carrier.test"].addresses.clear();
    call();
    two.expects("INVITE");
    EXPECT_EQ(world.count(Counter::next_hop_failovers_total), 0U);
}

TEST_F(Services_Rfc3263_4_2, AServiceThatIsDecidedlyNotAvailableIsNotSought) {
    world.zone["_sip._udp.carrier.test"].services = {{0, 0, 0, ""}};
    world.zone["carrier.test"].addresses = {IpAddress::v4(203, 0, 113, 1)};
    call().expect(500);
    EXPECT_TRUE(one.is_silent());
}

TEST_F(Services_Rfc3263_4_2, TenServersAreTriedWhereNineRefuse) {
    auto& services = world.zone["_sip._udp.carrier.test"].services;
    services.clear();
    std::vector<Phone*> servers;
    for (uint8_t i = 1; i <= 10; ++i) {
        const std::string name = "s" + std::to_string(i) + ".carrier.test";
        services.push_back({i, 1, 5070, name});
        world.zone[name].addresses = {IpAddress::v4(203, 0, 113, i)};
        servers.push_back(
            &world.stranger(name, IpAddress::v4(203, 0, 113, i).to_string() + ":5070"));
    }
    Outgoing waiting = call();
    for (size_t i = 0; i < 9; ++i) {
        servers[i]->expects("INVITE").answers(503);
        world.answer_dns();
    }
    servers[9]->expects("INVITE").answers(200);
    waiting.expect(200);
}

struct FailoverOverShardsTest : FailoverTest {
    FailoverOverShardsTest() : FailoverTest(kShards) {}
    static constexpr uint8_t kShards = 3;

    Outgoing call_of(uint8_t shard) {
        RequestText invite = alice.make("INVITE", "sip:any@carrier.test");
        for (int i = 0; ports::shard_of_call_id(invite.call_id, kShards) != shard; ++i)
            invite.call_id = "id-" + std::to_string(++ids_);
        Outgoing sent = alice.send(invite).expect(100);
        world.answer_dns();
        return sent;
    }

 private:
    int ids_ = 0;
};
using HopHealth_Shards = FailoverOverShardsTest;

TEST_F(HopHealth_Shards, WhatOneShardHasLearnedAllKnow) {
    call_of(0);
    one.expects("INVITE");
    world.wait(seconds(4));
    two.expects("INVITE").answers(486);
    forget();
    for (const uint8_t shard : {uint8_t{1}, uint8_t{2}, uint8_t{0}}) {
        call_of(shard);
        two.expects("INVITE").answers(486);
        EXPECT_TRUE(one.is_silent()) << int{shard};
        alice.take_kinds();
        two.take_kinds();
    }
    // After the hold-down it is tried first again, by each.
    world.wait(seconds(31));
    forget();
    call_of(2);
    one.expects("INVITE").answers(486);
}

TEST_F(HopHealth_Shards, AHopThatAnswersAgainIsGoodForAll) {
    call_of(0);
    one.expects("INVITE");
    world.wait(seconds(4));
    two.expects("INVITE").answers(503);
    forget();
    // Both are held down and tried in their order: the second one answers again.
    call_of(1);
    one.expects("INVITE");
    world.wait(seconds(4));
    two.expects("INVITE").answers(486);
    forget();
    call_of(2);
    two.expects("INVITE").answers(486);
    EXPECT_TRUE(one.is_silent());
}

}  // namespace
}  // namespace signalbox::core::testing
