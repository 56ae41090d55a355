// Phones behind NATs that come by another flow while they are in a call.
// Covers: RFC 5626 §5.3 (a request takes the flow of the registration), RFC 3261 §16.12 (the
// Contact as it was shown), §16.6 step 7. Not covered: the table of moves (proxy/moved_flows_test),
// which registration is a move (registrar/outbound_test).
#include <gtest/gtest.h>

#include "tests/core/core_harness.h"

namespace signalbox::core::testing {
namespace {

using transport::Transport;

constexpr std::string_view kPrivate = "10.0.0.7:5060";

ports::Snapshot trusting() {
    ports::Snapshot snapshot = default_snapshot();
    snapshot.trusted = {*Network::parse("203.0.113.0/24")};
    return snapshot;
}

struct MovedPhoneTest : ::testing::Test {
    explicit MovedPhoneTest(uint8_t shards = 1) : world(trusting(), shards) {
        world.add_user(user_record("bob"));
        world.add_user(user_record("mallory"));
    }
    Phone& phone_at(uint16_t port, Transport transport = Transport::Udp,
                    std::string_view contact = kPrivate, const std::string& user = "bob") {
        return world.phone({user, "example.test", "203.0.113.30:" + std::to_string(port), transport,
                            std::string(contact)});
    }
    void registers(Phone& phone, const std::string& call_id = "boot-1", uint32_t expires_s = 3600) {
        RequestText request = phone.registration(expires_s);
        request.call_id = call_id;
        request.cseq = ++cseq_;
        // Two Phones of one private address play one phone: its branches must differ.
        request.via.insert(request.via.find("z9hG4bK") + 7, std::to_string(cseq_) + "-");
        phone.send(request).expect(200);
    }
    /// A call, answered and acknowledged; gives alice's end.
    Dialog connect(Phone& callee) {
        Outgoing call = alice.invite(callee).expect(100);
        callee.expects("INVITE").answers(200);
        call.expect(200).ack();
        callee.expects("ACK");
        return call.dialog();
    }
    /// Alice's request in the dialog arrives at `phone`, named as the dialog's Contact says.
    void expect_at(Phone& phone, Dialog& dialog, std::string_view method) {
        Outgoing sent = alice.send_in(dialog, method);
        const Incoming got = phone.expects(method);
        EXPECT_EQ(got.message().uri(), dialog.remote_target);
        got.answers(200);
        sent.expect(200);
    }

    World world;
    Phone& alice = world.stranger();
    uint32_t cseq_ = 0;
};

using MovedPhone_Rfc5626_5_3 = MovedPhoneTest;

TEST_F(MovedPhone_Rfc5626_5_3, AnEarlyDialogLeadsToWhereItsResponseCameFrom) {
    Phone& before = phone_at(40000);
    Phone& after = phone_at(40001);
    registers(before);
    Outgoing call = alice.invite(before).expect(100);
    after.send_text(before.expects("INVITE").response(183));
    Dialog early = call.expect(183).dialog();
    expect_at(after, early, "PRACK");
}

TEST_F(MovedPhone_Rfc5626_5_3, ARequestInADialogFollowsToTheNewPort) {
    Phone& before = phone_at(40000);
    Phone& after = phone_at(40001);
    registers(before);
    Dialog dialog = connect(before);
    registers(after);
    expect_at(after, dialog, "INFO");
    Outgoing again = alice.send_in(dialog, "INVITE").expect(100);
    after.expects("INVITE").answers(200);
    again.expect(200);
    alice.send_in(dialog, "ACK");
    after.expects("ACK");
    expect_at(after, dialog, "BYE");
    EXPECT_TRUE(before.is_silent());
    EXPECT_EQ(world.count(Counter::moved_phones_followed_total), 4U);
}

TEST_F(MovedPhone_Rfc5626_5_3, ACallerIsFollowedToo) {
    Phone& before = phone_at(40000);
    Phone& after = phone_at(40001);
    registers(before);
    Outgoing call = before.send(before.make("INVITE", alice.contact())).expect(100);
    const Incoming leg = alice.expects("INVITE");
    leg.answers(200);
    call.expect(200).ack();
    alice.expects("ACK");
    registers(after);
    Dialog dialog = leg.dialog();
    expect_at(after, dialog, "BYE");
    EXPECT_TRUE(before.is_silent());
}

TEST_F(MovedPhone_Rfc5626_5_3, APhoneThatNeverMovedIsWhereItWas) {
    Phone& phone = phone_at(40000);
    registers(phone);
    Dialog dialog = connect(phone);
    registers(phone);
    expect_at(phone, dialog, "BYE");
    EXPECT_EQ(world.count(Counter::phone_flows_moved_total), 0U);
}

TEST_F(MovedPhone_Rfc5626_5_3, AnotherPhoneOfTheUserAtTheOldFlowIsTheOneThere) {
    Phone& before = phone_at(40000);
    Phone& after = phone_at(40001);
    registers(before);
    registers(after);
    registers(before, "boot-2");
    Dialog dialog = connect(before);
    after.take_kinds();
    expect_at(before, dialog, "BYE");
}

TEST_F(MovedPhone_Rfc5626_5_3, AConnectionThatWasOpenedAnewIsFollowed) {
    Phone& before = phone_at(40000, Transport::Tcp);
    Phone& after = phone_at(40001, Transport::Tcp);
    registers(before);
    Dialog dialog = connect(before);
    world.close_flow(before);
    registers(after);
    expect_at(after, dialog, "BYE");
    EXPECT_TRUE(before.is_silent());
}

TEST_F(MovedPhone_Rfc5626_5_3, AContactThatNamesTheConnectionsPortIsThatPhonesByItsCallId) {
    Phone& before = phone_at(40000, Transport::Tcp, "10.0.0.7:33001");
    Phone& after = phone_at(40001, Transport::Tcp, "10.0.0.7:33002");
    registers(before);
    Dialog dialog = connect(before);
    world.close_flow(before);
    registers(after);
    EXPECT_EQ(dialog.remote_target, before.contact());
    expect_at(after, dialog, "BYE");
}

TEST_F(MovedPhone_Rfc5626_5_3, AnotherUserDrawsNoDialogToHimself) {
    Phone& bob = phone_at(40000);
    registers(bob);
    Dialog dialog = connect(bob);
    // With bob's address as a forged source, to which the answer goes, then from his own.
    Phone& forger = phone_at(40000, Transport::Udp, kPrivate, "mallory");
    RequestText forged = forger.registration();
    forged.call_id = "forged";
    forger.send(forged);
    bob.expect(200);
    registers(phone_at(40666, Transport::Udp, kPrivate, "mallory"), "forged");
    EXPECT_EQ(world.count(Counter::phone_flows_moved_total), 1U);
    expect_at(bob, dialog, "BYE");
}

TEST_F(MovedPhone_Rfc5626_5_3, ALostConnectionIs480AndNobodyIsSoughtAtItsPort) {
    Phone& phone = phone_at(40000, Transport::Tcp);
    registers(phone);
    Dialog dialog = connect(phone);
    Outgoing info = alice.send_in(dialog, "INFO");
    EXPECT_TRUE(transport::is_only_by_connection(phone.expects("INFO").message().flow()));
    world.fail_last_request();
    info.expect(480);
    // A call, too, takes that connection or none.
    alice.invite(phone).expect(100);
    EXPECT_TRUE(transport::is_only_by_connection(phone.expects("INVITE").message().flow()));
}

struct MovedPhoneOverShardsTest : MovedPhoneTest {
    MovedPhoneOverShardsTest() : MovedPhoneTest(3) {}
};
using MovedPhone_Rfc5626_5_3_Shards = MovedPhoneOverShardsTest;

TEST_F(MovedPhone_Rfc5626_5_3_Shards, EveryShardIsTold) {
    Phone& before = phone_at(40000);
    Phone& after = phone_at(40001);
    registers(before);
    std::vector<Dialog> dialogs;
    for (int i = 0; i < 8; ++i) dialogs.push_back(connect(before));
    registers(after);
    for (Dialog& dialog : dialogs) expect_at(after, dialog, "BYE");
    EXPECT_TRUE(before.is_silent());
}

}  // namespace
}  // namespace signalbox::core::testing
