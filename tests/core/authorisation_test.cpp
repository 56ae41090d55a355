// Who may have what proxied, with digest credentials on the wire.
// Covers: RFC 3261 §16.3 step 6, §22.3, §26.3.2.4 (a relay for strangers), RFC 7616 §3.3 (whose
// nonce it is), RFC 8760 §2.4 (a challenge per algorithm). Not covered: the digests themselves
// (digest_authenticator_test), REGISTER (register_test).
#include <gtest/gtest.h>

#include "tests/core/core_harness.h"

namespace signalbox::core::testing {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

ports::Snapshot strict() {
    ports::Snapshot snapshot = default_snapshot();
    snapshot.trusted = {*Network::parse("203.0.113.100")};
    snapshot.limits.auth_failures_max = 3;
    return snapshot;
}

struct AuthTest : ::testing::Test {
    World world{strict()};
    Phone& alice = world.stranger();
    Phone& bob = world.registered("bob", "198.51.100.20:5060");
    Phone& dora = world.registered("dora", "198.51.100.40:5060");

    /// The request, challenged once and sent again with these credentials.
    Outgoing authenticated(Phone& phone, const RequestText& request,
                           std::string_view password = "secret") {
        Outgoing first = phone.send(request).expect(407);
        if (request.method == "INVITE") first.ack();
        return phone.send(phone.with_credentials(request, first.response(), password));
    }
};

using Authorisation_Rfc3261_22_3 = AuthTest;
using Authorisation_Rfc3261_26_3_2 = AuthTest;
using Authorisation_Rfc7616_3_3 = AuthTest;
using Authorisation_Behaviour = AuthTest;

TEST_F(Authorisation_Rfc3261_22_3, AUserOfOursIsChallengedAndThenServed) {
    authenticated(dora, dora.make("INVITE", bob.aor())).expect(100);
    bob.expects("INVITE");
    EXPECT_EQ(world.count(Counter::auth_accepted_total), 1U);
    EXPECT_EQ(world.count(Counter::auth_challenges_total), 1U);
}

TEST_F(Authorisation_Rfc3261_22_3, TheChallengeKeepsNoStateAndItsAckEndsHere) {
    Outgoing first = dora.invite(bob).expect(407);
    first.ack();
    EXPECT_TRUE(world.is_empty());
    EXPECT_TRUE(bob.is_silent());
    EXPECT_EQ(world.count(Counter::stray_acks_dropped_total), 0U);
    EXPECT_TRUE(world.journal.empty());
}

TEST_F(Authorisation_Rfc3261_22_3, OneChallengePerAlgorithmInTheirOrder) {
    ports::Snapshot snapshot = strict();
    snapshot.auth.algorithms = {ports::AuthAlgorithm::Sha256, ports::AuthAlgorithm::Md5};
    World both{snapshot};
    Phone& phone = both.registered("dora", "198.51.100.40:5060");
    Outgoing call = phone.send(phone.make("INVITE", "sip:x@example.test")).expect(407);
    std::vector<std::string> lines;
    for (const sip::HeaderField& field : call.response().view().headers()) {
        if (field.id == sip::HeaderId::ProxyAuthenticate)
            lines.emplace_back(call.response().view().value(field));
    }
    ASSERT_EQ(lines.size(), 2U);
    EXPECT_NE(lines[0].find("SHA-256"), std::string::npos);
    EXPECT_NE(lines[1].find("MD5"), std::string::npos);
}

TEST_F(Authorisation_Rfc3261_22_3, AFromOfOursIsOursWhateverItsPortOrScheme) {
    for (const char* from :
         {"<sip:dora@example.test:9999>;tag=p", "<im:dora@example.test>;tag=i"}) {
        RequestText request = dora.make("INVITE", bob.aor());
        request.from = from;
        request.call_id += from[1];
        dora.send(request).expect(407);
    }
    EXPECT_TRUE(bob.is_silent());
}

TEST_F(Authorisation_Rfc3261_22_3, WrongCredentialsAreChallengedAgain) {
    authenticated(dora, dora.make("INVITE", bob.aor()), "wrong").expect(407);
    EXPECT_EQ(world.count(Counter::auth_failed_total), 1U);
    EXPECT_TRUE(bob.is_silent());
}

TEST_F(Authorisation_Rfc3261_22_3, CredentialsOfOtherRealmsAreNoneForUs) {
    RequestText request = dora.make("INVITE", bob.aor());
    request.with(
        "Proxy-Authorization: Digest username=\"dora\", realm=\"other\", nonce=\"1\", "
        "uri=\"sip:x\", response=\"00000000000000000000000000000000\"");
    dora.send(request).expect(407);
    EXPECT_EQ(world.count(Counter::auth_failed_total), 0U);
}

TEST_F(Authorisation_Rfc3261_22_3, MalformedCredentialsGet400) {
    RequestText request = dora.make("INVITE", bob.aor());
    dora.send(request.with("Proxy-Authorization: Digest username=\"dora")).expect(400);
}

TEST_F(Authorisation_Rfc3261_22_3, ACopiedRequestIsNotServedTwice) {
    Outgoing call = authenticated(dora, dora.make("MESSAGE", bob.aor()));
    bob.expects("MESSAGE").answers(200);
    call.expect(200);
    RequestText copied = call.request();
    copied.via = dora.fresh_via();
    Outgoing again = dora.send(copied).expect(407);
    EXPECT_NE(again.response().header("Proxy-Authenticate").find("stale=true"), std::string::npos);
    EXPECT_TRUE(bob.is_silent());
}

TEST_F(Authorisation_Rfc3261_22_3, AnOldNonceIsStale) {
    Outgoing first = dora.send(dora.make("MESSAGE", bob.aor())).expect(407);
    world.wait(minutes(6));
    Outgoing late = dora.send(dora.with_credentials(first.request(), first.response(), "secret"));
    late.expect(407);
    EXPECT_NE(late.response().header("Proxy-Authenticate").find("stale=true"), std::string::npos);
}

TEST_F(Authorisation_Rfc7616_3_3, APhoneInAnotherNetworkGoesOnWithANewNonce) {
    Outgoing first = dora.send(dora.make("MESSAGE", bob.aor())).expect(407);
    Phone& roaming = world.phone({"dora", "example.test", "203.0.113.7:5060", {}, {}});
    const RequestText request = roaming.make("MESSAGE", bob.aor());
    Outgoing moved = roaming.send(roaming.with_credentials(request, first.response(), "secret"));
    moved.expect(407);
    EXPECT_NE(moved.response().header("Proxy-Authenticate").find("stale=true"), std::string::npos);
    EXPECT_EQ(world.count(Counter::auth_foreign_nonce_total), 1U);
    EXPECT_TRUE(bob.is_silent());
    roaming.send(roaming.with_credentials(request, moved.response(), "secret"));
    bob.expects("MESSAGE");
}

TEST_F(Authorisation_Rfc7616_3_3, ANewPortBehindANatKeepsTheNonce) {
    Outgoing first = dora.send(dora.make("MESSAGE", bob.aor())).expect(407);
    Phone& mapped = world.phone({"dora", "example.test", "198.51.100.40:40000", {}, {}});
    const RequestText request = mapped.make("MESSAGE", bob.aor());
    mapped.send(mapped.with_credentials(request, first.response(), "secret"));
    bob.expects("MESSAGE");
}

TEST_F(Authorisation_Rfc3261_26_3_2, NobodyBlocksAnotherByForgingHisAddress) {
    Phone& attacker = world.phone({"eve", "example.test", "203.0.113.66:5060", {}, {}});
    Phone& forged = world.phone({"carol", "example.test", "203.0.113.7:5060", {}, {}});
    for (int i = 0; i < 10; ++i) {
        Outgoing own = attacker.send(attacker.make("MESSAGE", bob.aor())).expect(407);
        const RequestText request = forged.make("MESSAGE", bob.aor());
        forged.send(forged.with_credentials(request, own.response(), "guess")).expect(407);
    }
    EXPECT_EQ(world.count(Counter::auth_foreign_nonce_total), 10U);
    EXPECT_EQ(world.count(Counter::auth_failed_total), 0U);
    EXPECT_EQ(world.gauges().sources_blocked, 0U);
}

TEST_F(Authorisation_Rfc3261_26_3_2, NobodySpeaksForAnotherUser) {
    RequestText request = dora.make("INVITE", bob.aor());
    request.from = "<sip:bob@example.test>;tag=1";
    authenticated(dora, request).expect(403);
    EXPECT_EQ(world.count(Counter::auth_forbidden_total), 1U);
    EXPECT_TRUE(bob.is_silent());
}

TEST_F(Authorisation_Rfc3261_26_3_2, ADomainOfOursWithoutAUserIsNobodysIdentity) {
    uint64_t refused = 0;
    for (const char* nobody : {"<sip:example.test>;tag=1", "<sip:192.0.2.1>;tag=1"}) {
        RequestText request = dora.make("MESSAGE", bob.aor());
        request.from = nobody;
        authenticated(dora, request).expect(403);
        EXPECT_EQ(world.count(Counter::auth_forbidden_total), ++refused);
    }
    EXPECT_TRUE(bob.is_silent());
}

TEST_F(Authorisation_Rfc3261_26_3_2, AnAddressThatAUserWasGrantedIsHis) {
    world.add_user(user_record("dora", {"sales"}));
    RequestText request = dora.make("INVITE", bob.aor());
    request.from = "<sip:sales@example.test>;tag=1";
    authenticated(dora, request).expect(100);
    bob.expects("INVITE");
}

TEST_F(Authorisation_Rfc3261_26_3_2, AStrangerReachesOurUsersWithoutCredentials) {
    alice.invite(bob).expect(100);
    RequestText anonymous = alice.make("INVITE", bob.aor());
    anonymous.from = "\"Anonymous\" <sip:anonymous@anonymous.invalid>;tag=1";
    alice.send(anonymous).expect(100);
}

TEST_F(Authorisation_Rfc3261_26_3_2, ATelephoneNumberInFromIsForeign) {
    const auto from_number = [](Phone& phone, std::string_view uri) {
        RequestText request = phone.make("MESSAGE", uri);
        request.from = "<tel:+4930123456>;tag=1";
        return request;
    };
    alice.send(from_number(alice, bob.aor()));
    EXPECT_FALSE(bob.expects("MESSAGE").message().has("P-Asserted-Identity"));
    alice.send(from_number(alice, "sip:any@203.0.113.9")).expect(407);
    EXPECT_EQ(world.count(Counter::relay_denied_total), 1U);
    Phone& far = world.stranger("far", "203.0.113.9:5060");
    authenticated(dora, from_number(dora, far.contact()));
    far.expects("MESSAGE");
}

TEST_F(Authorisation_Rfc3261_26_3_2, AStrangerReachesNoForeignDomain) {
    alice.send(alice.make("INVITE", "sip:any@203.0.113.9")).expect(407);
    EXPECT_EQ(world.count(Counter::relay_denied_total), 1U);
    RequestText routed = alice.make("INVITE", bob.aor());
    routed.routes = {"<sip:203.0.113.9;lr>"};
    alice.send(routed).expect(407);
    EXPECT_EQ(world.count(Counter::relay_denied_total), 2U);
    EXPECT_TRUE(world.undelivered.empty());
}

TEST_F(Authorisation_Rfc3261_26_3_2, AUserOfOursReachesForeignDomains) {
    Phone& far = world.stranger("far", "203.0.113.9:5060");
    authenticated(dora, dora.make("INVITE", far.contact())).expect(100);
    far.expects("INVITE");
}

TEST_F(Authorisation_Rfc3261_26_3_2, ATrustedSourceNeedsNoCredentials) {
    Phone& trunk = world.phone({"dora", "example.test", "203.0.113.100:5060", {}, {}});
    trunk.invite(bob).expect(100);
    Phone& far = world.stranger("far", "203.0.113.9:5060");
    trunk.send(trunk.make("INVITE", far.contact())).expect(100);
    far.expects("INVITE");
}

TEST_F(Authorisation_Rfc3261_26_3_2, InboundTrustedChallengesStrangers) {
    ports::Snapshot snapshot = strict();
    snapshot.proxy.inbound = ports::Inbound::Trusted;
    World closed{snapshot};
    Phone& caller = closed.stranger();
    Phone& callee = closed.registered("bob", "198.51.100.20:5060");
    Phone& user = closed.registered("dora", "198.51.100.40:5060");
    caller.invite(callee).expect(407);
    Outgoing first = user.invite(callee).expect(407);
    user.send(user.with_credentials(first.request(), first.response(), "secret")).expect(100);
    Phone& trunk = closed.phone({"t", "elsewhere.test", "203.0.113.100:5060", {}, {}});
    trunk.invite(callee).expect(100);
}

TEST_F(Authorisation_Rfc3261_26_3_2, ADialogThatTheTokenProvesIsNotChallengedAgain) {
    Outgoing call = authenticated(dora, dora.make("INVITE", bob.aor())).expect(100);
    const Incoming leg = bob.expects("INVITE");
    leg.answers(200);
    call.expect(200).ack();
    bob.expects("ACK");
    Dialog dialog = call.dialog();
    Outgoing bye = dora.send_in(dialog, "BYE");
    bob.expects("BYE").answers(200);
    bye.expect(200);
    EXPECT_EQ(world.count(Counter::auth_challenges_total), 1U);
}

TEST_F(Authorisation_Rfc3261_26_3_2, AToTagWithoutATokenProvesNothing) {
    RequestText request = dora.make("INVITE", bob.aor());
    request.to += ";tag=made-up";
    dora.send(request).expect(407);
}

TEST_F(Authorisation_Behaviour, ASourceThatGuessesIsLeftUnanswered) {
    Phone& guesser = world.phone({"dora", "example.test", "203.0.113.66:5060", {}, {}});
    for (int i = 0; i < 3; ++i)
        authenticated(guesser, guesser.make("MESSAGE", bob.aor()), "guess").expect(407);
    guesser.send(guesser.make("MESSAGE", bob.aor()));
    EXPECT_TRUE(guesser.is_silent());
    EXPECT_EQ(world.count(Counter::auth_sources_blocked_total), 1U);
    EXPECT_EQ(world.count(Counter::auth_source_blocked_dropped_total), 1U);
    EXPECT_EQ(world.gauges().sources_blocked, 1U);
    world.wait(minutes(5) + seconds(1));
    guesser.send(guesser.make("MESSAGE", bob.aor())).expect(407);
}

TEST_F(Authorisation_Behaviour, AUserRegisteredAtThatSourceIsStillServed) {
    for (int i = 0; i < 3; ++i)
        authenticated(dora, dora.make("MESSAGE", bob.aor()), "guess").expect(407);
    // Others at that address are blocked, the phone that is registered from there is not.
    authenticated(dora, dora.make("MESSAGE", bob.aor()));
    bob.expects("MESSAGE");
}

}  // namespace
}  // namespace signalbox::core::testing
