// Who may be shown in From inside a dialog: whoever was there at its beginning, and who proves
// himself.
// Covers: RFC 4916 §4.4 (a new identity needs authentication), RFC 3261 §22.3, §26.3.2. Not
// covered: the identity of the request that begins a dialog (authorisation_test).
#include <gtest/gtest.h>

#include "tests/core/core_harness.h"

namespace signalbox::core::testing {
namespace {

/// "<sip:dora@example.test>;tag=a1" with the tag of `side`.
std::string shown_as(const std::string& name_addr, const std::string& side) {
    return name_addr + side.substr(side.find(";tag="));
}

/// A call between two phones that is up, seen from both sides.
struct Call {
    Dialog caller, callee;
};

struct DialogIdentityTest : ::testing::Test {
    World world{default_snapshot(), 2};
    Phone& alice = world.stranger();
    Phone& bob = world.registered("bob", "198.51.100.20:5060");
    Phone& dora = world.registered("dora", "198.51.100.40:5060");
    Phone& boss = world.registered("boss", "198.51.100.50:5060");

    Call answered(Outgoing call) {
        const Incoming leg = bob.expects("INVITE");
        leg.answers(200);
        call.expect(100).expect(200).ack();
        bob.expects("ACK");
        return {call.dialog(), leg.dialog()};
    }
    Call call_of_alice() { return answered(alice.invite(bob)); }
    Call call_of_dora() {
        Outgoing first = dora.invite(bob).expect(407).ack();
        return answered(
            dora.send(dora.with_credentials(first.request(), first.response(), "secret")));
    }
    static RequestText as(Phone& phone, Dialog& dialog, std::string_view method,
                          const std::string& name_addr) {
        RequestText request = phone.make_in(dialog, method);
        request.from = shown_as(name_addr, dialog.local);
        return request;
    }
    Outgoing authenticated(Phone& phone, const RequestText& request) {
        Outgoing first = phone.send(request).expect(407);
        if (request.method == "INVITE") first.ack();
        return phone.send(phone.with_credentials(request, first.response(), "secret"));
    }
};

using DialogIdentity_Rfc4916_4 = DialogIdentityTest;

TEST_F(DialogIdentity_Rfc4916_4, AStrangerInACallShowsNoUserOfOurs) {
    Call call = call_of_alice();
    uint64_t asked = 0;
    for (const char* method : {"MESSAGE", "INVITE", "UPDATE", "REFER", "BYE"}) {
        for (const char* shown : {"\"The Boss\" <sip:boss@example.test>", "<sip:boss@192.0.2.1>",
                                  "<sip:example.test>", "<im:boss@example.test>"}) {
            Outgoing sent = alice.send(as(alice, call.caller, method, shown)).expect(407);
            if (sent.request().method == "INVITE") sent.ack();
            EXPECT_TRUE(bob.is_silent()) << method << " " << shown;
            EXPECT_EQ(world.count(Counter::dialog_identity_changed_total), ++asked);
        }
    }
}

TEST_F(DialogIdentity_Rfc4916_4, AUserInACallShowsNobodyElse) {
    Call call = call_of_dora();
    authenticated(dora, as(dora, call.caller, "UPDATE", "<sip:boss@example.test>")).expect(403);
    authenticated(bob, as(bob, call.callee, "UPDATE", "<sip:boss@example.test>")).expect(403);
    EXPECT_TRUE(dora.is_silent());
    EXPECT_TRUE(bob.is_silent());
    EXPECT_EQ(world.count(Counter::auth_forbidden_total), 2U);
}

TEST_F(DialogIdentity_Rfc4916_4, WhoeverBeganTheCallGoesOnUnasked) {
    Call call = call_of_dora();
    for (const char* same : {"<sip:dora@example.test>", "\"Dora\" <SIP:dora@EXAMPLE.test:5061;x=y>",
                             "<sip:%64ora@192.0.2.1;transport=tcp>", "<sips:dora@example.test>"}) {
        Outgoing sent = dora.send(as(dora, call.caller, "INFO", same));
        bob.expects("INFO").answers(200);
        sent.expect(200);
    }
    // A foreign identity claims nothing of ours.
    dora.send(as(dora, call.caller, "INFO", "<sip:anonymous@anonymous.invalid>"));
    bob.expects("INFO");
    Outgoing bye = bob.send_in(call.callee, "BYE");
    dora.expects("BYE").answers(200);
    bye.expect(200);
    EXPECT_EQ(world.count(Counter::dialog_identity_changed_total), 0U);
}

TEST_F(DialogIdentity_Rfc4916_4, ACalleeGoesOnUnderTheAddressThatWasCalled) {
    RequestText request = alice.make("INVITE", bob.aor());
    request.to = "\"Sales\" <sip:sales@example.test>";
    Call call = answered(alice.send(request));
    Outgoing bye = bob.send_in(call.callee, "BYE");
    EXPECT_NE(alice.expects("BYE").message().header("From").find("sales@"), std::string::npos);
    EXPECT_EQ(world.count(Counter::dialog_identity_changed_total), 0U);
}

TEST_F(DialogIdentity_Rfc4916_4, TheRightfulUserShowsHimselfInsideTheDialog) {
    RequestText request = alice.make("INVITE", bob.aor());
    request.to = "<sip:sales@example.test>";
    Call call = answered(alice.send(request));
    Outgoing update =
        authenticated(bob, as(bob, call.callee, "UPDATE", "\"Bob\" <sip:bob@example.test>"));
    const Incoming got = alice.expects("UPDATE");
    EXPECT_NE(got.message().header("From").find("sip:bob@example.test"), std::string::npos);
    EXPECT_FALSE(got.message().has("Proxy-Authorization"));
    got.answers(200);
    update.expect(200);
    // It was proven within the dialog: it may end the call's record, whoever the far side is.
    authenticated(bob, as(bob, call.callee, "BYE", "<sip:bob@example.test>"));
    alice.expects("BYE").answers(200);
    bob.expect(200);
    EXPECT_EQ(world.record_lines(), std::vector<std::string>{"200 Callee BYE"});
}

TEST_F(DialogIdentity_Rfc4916_4, WhatTheCallerWroteInToIsNotHis) {
    RequestText request = alice.make("INVITE", bob.aor());
    request.to = "<sip:boss@example.test>";
    Call call = answered(alice.send(request));
    // As if he were the callee: his own tag in To, and as From whom he named in To.
    RequestText forged = alice.make_in(call.caller, "MESSAGE");
    forged.from = "<sip:boss@example.test>;tag=x";
    forged.to = shown_as("<sip:bob@example.test>", call.caller.local);
    alice.send(forged).expect(407);
    EXPECT_TRUE(bob.is_silent());
    EXPECT_EQ(world.count(Counter::route_token_refused_total), 1U);
}

TEST_F(DialogIdentity_Rfc4916_4, ATrustedPeerIsNotAsked) {
    ports::Snapshot snapshot = default_snapshot();
    snapshot.trusted = {*Network::parse("203.0.113.100")};
    World bordered{snapshot};
    Phone& callee = bordered.registered("bob", "198.51.100.20:5060");
    Phone& trunk = bordered.phone({"trunk", "carrier.test", "203.0.113.100:5060", {}, {}});
    Outgoing call = trunk.invite(callee).expect(100);
    callee.expects("INVITE").answers(200);
    call.expect(200).ack();
    callee.expects("ACK");
    Dialog dialog = call.dialog();
    trunk.send(as(trunk, dialog, "UPDATE", "<sip:boss@example.test>"));
    callee.expects("UPDATE");
}

TEST_F(DialogIdentity_Rfc4916_4, ItHoldsAfterARestart) {
    Call call = call_of_alice();
    World restarted{default_snapshot(), 2};
    Phone& caller = restarted.stranger();
    Phone& callee = restarted.registered("bob", "198.51.100.20:5060");
    caller.send(as(caller, call.caller, "MESSAGE", "<sip:boss@example.test>")).expect(407);
    EXPECT_TRUE(callee.is_silent());
    caller.send_in(call.caller, "MESSAGE");
    callee.expects("MESSAGE");
}

}  // namespace
}  // namespace signalbox::core::testing
