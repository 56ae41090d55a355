// A request that keeps no transaction goes to one target only, however often it comes.
// Covers: RFC 3261 §16.11 (the choice of a stateless proxy), RFC 3263 §4.4. Not covered: the memory
// as such (stateless_choices_test), everything else of the mode (stateless_test).
#include <gtest/gtest.h>

#include "tests/core/core_harness.h"

namespace signalbox::core::testing {
namespace {

using std::chrono::seconds;

ports::Snapshot stateless() {
    ports::Snapshot snapshot = default_snapshot();
    snapshot.proxy.mode = ports::ProxyMode::Stateless;
    return snapshot;
}

struct ChoiceTest : ::testing::Test {
    explicit ChoiceTest(uint8_t shards = 1) : world(stateless(), shards) {}

    World world;
    Phone& alice = world.stranger();
    Phone& bob = world.registered("bob", "198.51.100.20:5060");

    Phone& another() {
        Phone& phone = world.phone({"bob", "example.test", "198.51.100.21:5060", {}, {}});
        world.bind("bob", phone);
        return phone;
    }
    /// The user is reached at that phone alone, by a Contact of that length.
    void restore(const std::string& user, const Phone& phone, size_t size) {
        ports::BindingsEvent event;
        event.header.kind = ports::JournalEventKind::BindingsChanged;
        event.header.tenant = ports::kDefaultTenant;
        event.aor = user;
        ports::BindingRecord record;
        record.contact = phone.contact() + ";pn-prid=";
        record.contact.resize(size, 'x');
        record.call_id = "bound";
        record.expires = world.now.wall + std::chrono::hours(2);
        record.updated = world.now.wall;
        record.flow = phone.flow();
        event.bindings.push_back(record);
        world.command(0, ports::RestoreBindings{{event}});
    }
};
struct ChoiceOverShards : ChoiceTest {
    ChoiceOverShards() : ChoiceTest(3) {}
};

using StatelessChoice_Rfc3261_16_11 = ChoiceTest;
using StatelessChoiceOverShards_Rfc3261_16_11 = ChoiceOverShards;

TEST_F(StatelessChoice_Rfc3261_16_11, ARetransmissionDoesNotReachAPhoneThatCameLater) {
    Outgoing call = alice.invite(bob);
    const std::string first = bob.expects("INVITE").message().text();
    Phone& late = another();
    call.retransmit();
    EXPECT_EQ(bob.expects("INVITE").message().text(), first);
    EXPECT_TRUE(alice.is_silent() && late.is_silent());
    EXPECT_TRUE(world.is_empty());
    alice.invite(bob).expect(100);  // another call forks, with state
    bob.expects("INVITE");
    late.expects("INVITE");
}

TEST_F(StatelessChoice_Rfc3261_16_11, AsLongAsNothingChangesEachRetransmissionPasses) {
    Outgoing call = alice.invite(bob);
    const std::string first = bob.expects("INVITE").message().text();
    for (const int wait : {1, 2, 4, 8, 16}) {
        world.wait(seconds(wait));
        call.retransmit();
        EXPECT_EQ(bob.expects("INVITE").message().text(), first);
    }
}

TEST_F(StatelessChoice_Rfc3261_16_11, TheCancelReachesThePhoneThatRingsWhateverCameLater) {
    Outgoing call = alice.invite(bob);
    const Incoming leg = bob.expects("INVITE");
    leg.answers(180);
    alice.expect(180);
    world.wait(seconds(100));
    Phone& late = another();
    call.cancel();
    const Incoming cancel = bob.expects("CANCEL");
    EXPECT_EQ(cancel.message().branch(), leg.message().branch());
    EXPECT_EQ(cancel.message().uri(), leg.message().uri());
    cancel.answers(200);
    leg.answers(487);
    alice.expect(200);
    call.expect(487).ack();
    EXPECT_EQ(bob.expects("ACK").message().branch(), leg.message().branch());
    EXPECT_TRUE(late.is_silent());
}

TEST_F(StatelessChoiceOverShards_Rfc3261_16_11, HoldsOnTheShardOfTheUser) {
    for (int i = 0; i < 4; ++i) {
        Outgoing call = alice.invite(bob);
        bob.expects("INVITE");
        call.retransmit();
        bob.expects("INVITE");
    }
    Outgoing call = alice.invite(bob);
    bob.expects("INVITE");
    Phone& late = another();
    call.retransmit();
    bob.expects("INVITE");
    EXPECT_TRUE(alice.is_silent() && late.is_silent());
}

TEST_F(StatelessChoice_Rfc3261_16_11, AContactTooLongToBeRememberedGetsATransaction) {
    for (const size_t size : {150U, 183U, 184U, 300U}) {
        const std::string user = "user" + std::to_string(size);
        Phone& phone = world.registered(user, "198.51.100." + std::to_string(size % 200) + ":5060");
        restore(user, phone, size);
        Outgoing call = alice.invite(phone);
        const Incoming leg = phone.expects("INVITE");
        EXPECT_EQ(leg.message().uri().size(), size);
        const bool has_state = size > 183;
        if (has_state) call.expect(100);
        EXPECT_EQ(world.is_empty(), !has_state) << size;
        // The registration moves to another phone.
        Phone& late = world.phone(
            {user, "example.test", "203.0.113." + std::to_string(size % 200) + ":5060", {}, {}});
        restore(user, late, 100);
        call.retransmit();
        if (has_state) {
            call.expect(100);
        } else {
            EXPECT_EQ(phone.expects("INVITE").message().text(), leg.message().text());
        }
        if (has_state) {
            leg.answers(180);
            call.expect(180);
        }
        call.cancel();
        EXPECT_EQ(phone.expects("CANCEL").message().branch(), leg.message().branch());
        EXPECT_TRUE(late.is_silent());
        leg.answers(487);
        world.wait(seconds(40));
        alice.take_kinds();
        phone.take_kinds();
    }
    EXPECT_EQ(world.count(Counter::stateless_choices_refused_total), 2U);
}

TEST_F(StatelessChoice_Rfc3261_16_11, AfterItsAnswerAnInviteIsKnownAsLongAsItMayComeAgain) {
    Outgoing call = alice.invite(bob);
    const Incoming leg = bob.expects("INVITE");
    leg.answers(180);
    world.wait(seconds(100));
    leg.answers(486);
    Phone& late = another();
    alice.take_kinds();
    world.wait(seconds(31));
    call.retransmit();
    EXPECT_EQ(bob.expects("INVITE").message().text(), leg.message().text());
    EXPECT_TRUE(late.is_silent());
    world.wait(seconds(1));
    call.retransmit();
    call.expect(100);
    late.expects("INVITE");
}

TEST_F(StatelessChoice_Rfc3261_16_11, WhereThereIsNoPlaceTheRequestGetsATransaction) {
    std::vector<Outgoing> calls;
    while (world.count(Counter::stateless_choices_refused_total) == 0) {
        ASSERT_LT(calls.size(), 262'144U);
        ASSERT_TRUE(alice.is_silent());
        calls.push_back(alice.invite(bob));
        bob.expects("INVITE");
    }
    calls.back().expect(100);
    calls.pop_back();
    Phone& late = another();
    for (Outgoing& call : calls) {
        call.retransmit();
        bob.expects("INVITE");
    }
    EXPECT_TRUE(alice.is_silent() && late.is_silent());
}

struct NamesTest : ::testing::Test {
    NamesTest() {
        world.zone["_sip._udp.carrier.test"].services = {{10, 50, 5060, "one.carrier.test"},
                                                         {10, 50, 5060, "two.carrier.test"}};
        world.zone["one.carrier.test"].addresses = {IpAddress::v4(203, 0, 113, 1)};
        world.zone["two.carrier.test"].addresses = {IpAddress::v4(203, 0, 113, 2)};
    }
    static ports::Snapshot trusting() {
        ports::Snapshot snapshot = stateless();
        snapshot.trusted = {*Network::parse("198.51.100.10")};
        return snapshot;
    }
    Outgoing call() { return alice.send(alice.make("INVITE", "sip:any@carrier.test")); }
    /// The name is asked for, by a call of which nothing is left.
    void look_up() {
        Outgoing first = call().expect(100);
        world.answer_dns();
        Phone& server = one.is_silent() ? two : one;
        server.expects("INVITE").answers(486);
        first.expect(486).ack();
        server.expects("ACK");
    }

    World world{trusting()};
    Phone& alice = world.stranger();
    Phone& one = world.stranger("one", "203.0.113.1:5060");
    Phone& two = world.stranger("two", "203.0.113.2:5060");
};

using StatelessNames_Rfc3263_4_4 = NamesTest;

TEST_F(StatelessNames_Rfc3263_4_4, WhatMustBeAskedForKeepsItsState) {
    Outgoing first = call().expect(100);
    ASSERT_FALSE(world.dns.empty());
    first.retransmit().expect(100);
    world.answer_dns();
    EXPECT_EQ(one.take_kinds() + two.take_kinds(), "INVITE");
}

TEST_F(StatelessNames_Rfc3263_4_4, ATransactionStaysAtItsServerWhateverDnsSaysMeanwhile) {
    look_up();
    world.wait(seconds(50));
    Outgoing waiting = call();
    Phone& chosen = one.is_silent() ? two : one;
    Phone& other = one.is_silent() ? one : two;
    const Message first = chosen.expects("INVITE").message();
    EXPECT_TRUE(alice.is_silent()) << "no state, no 100";
    // What is known of the name ends, and only the other server is left of it.
    world.zone["_sip._udp.carrier.test"].services = {
        {10, 50, 5060, &chosen == &one ? "two.carrier.test" : "one.carrier.test"}};
    world.wait(seconds(15));
    waiting.retransmit();
    EXPECT_EQ(chosen.expects("INVITE").message().text(), first.text());
    world.wait(seconds(60));
    waiting.cancel();
    EXPECT_EQ(chosen.expects("CANCEL").message().branch(), first.branch());
    EXPECT_TRUE(other.is_silent() && alice.is_silent() && world.dns.empty());
}

TEST_F(StatelessNames_Rfc3263_4_4,
       ANewRequestAvoidsAServerThatIsHeldDownAndARetransmissionDoesNot) {
    look_up();
    std::vector<Outgoing> at_one;
    for (int i = 0; i < 12; ++i) {
        Outgoing waiting = call();
        if (one.take_kinds() == "INVITE") at_one.push_back(waiting);
        two.take_kinds();
    }
    ASSERT_FALSE(at_one.empty());
    // Another name leads to the first server alone, which is overloaded.
    world.zone["_sip._udp.only.test"].services = {{10, 50, 5060, "one.carrier.test"}};
    alice.send(alice.make("INVITE", "sip:any@only.test")).expect(100);
    world.answer_dns();
    one.expects("INVITE").answers(503, {"Retry-After: 30"});
    one.take_kinds();
    alice.take_kinds();
    for (int i = 0; i < 12; ++i) {
        call();
        EXPECT_EQ(two.take_kinds(), "INVITE");
    }
    EXPECT_TRUE(one.is_silent() && alice.is_silent());
    at_one.front().retransmit();
    EXPECT_EQ(one.take_kinds(), "INVITE");
    at_one.front().cancel();
    EXPECT_EQ(one.take_kinds(), "CANCEL");
    EXPECT_TRUE(two.is_silent() && alice.is_silent());
    world.wait(seconds(31));
    for (int i = 0; i < 12; ++i) call();
    EXPECT_FALSE(one.is_silent()) << "it is used again";
}

}  // namespace
}  // namespace signalbox::core::testing
