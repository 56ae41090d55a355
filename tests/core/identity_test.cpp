// Who is named to whom, on the wire.
// Covers: RFC 3325 §5 (requests and responses), §6, §7, §9.1, §9.2; RFC 3323 §4.1 (anonymous
// callers), §5 (critical). Not covered: each header field by itself (asserted_identity_test,
// privacy_test).
#include <gtest/gtest.h>

#include "tests/core/core_harness.h"

namespace signalbox::core::testing {
namespace {

ports::Snapshot bordered() {
    ports::Snapshot snapshot = default_snapshot();
    snapshot.trusted.push_back(*Network::parse("203.0.113.100"));
    return snapshot;
}

struct IdentityTest : ::testing::Test {
    World world{bordered(), 2};
    Phone& bob = world.registered("bob", "198.51.100.20:5060");
    Phone& dora = world.registered("dora", "198.51.100.40:5060");
    Phone& peer = world.phone({"trunk", "carrier.test", "203.0.113.100:5060", {}, {}});
    Phone& stranger = world.stranger();

    /// Sends it, and once more with credentials.
    Outgoing authenticated(Phone& phone, const RequestText& request) {
        Outgoing first = phone.send(request).expect(407);
        return phone.send(phone.with_credentials(request, first.response(), "secret"));
    }
    RequestText anonymous(std::string_view uri) {
        RequestText request = dora.make("MESSAGE", uri);
        request.from = "\"Anonymous\" <sip:anonymous@anonymous.invalid>;tag=x";
        dora.user_name = "dora";
        return request;
    }
};

using Identity_Rfc3325_5 = IdentityTest;
using Identity_Rfc3325_6 = IdentityTest;
using Identity_Rfc3325_7 = IdentityTest;
using Identity_Rfc3325_9_1 = IdentityTest;
using Identity_Rfc3325_9_2 = IdentityTest;
using Identity_Rfc3323_4_1 = IdentityTest;
using Identity_Rfc3323_5 = IdentityTest;

constexpr const char* kPai = "P-Asserted-Identity";

TEST_F(Identity_Rfc3325_5, AnAuthenticatedUserIsNamedToOurUsersAndToTrustedPeers) {
    authenticated(dora, dora.make("MESSAGE", bob.aor()));
    EXPECT_EQ(bob.expects("MESSAGE").message().header(kPai), "<sip:dora@example.test>");
    authenticated(dora, dora.make("MESSAGE", peer.contact()));
    EXPECT_EQ(peer.expects("MESSAGE").message().header(kPai), "<sip:dora@example.test>");
}

TEST_F(Identity_Rfc3325_5, ARepeated2xxSaysTheSameOfTheCallee) {
    Phone& far = world.phone({"far", "carrier.test", "203.0.113.100:5070", {}, {}});
    Outgoing call = peer.send(peer.make("INVITE", far.contact())).expect(100);
    const std::vector<std::string> named = {"P-Asserted-Identity: <sip:far@carrier.test>",
                                            "Privacy: id"};
    const Incoming arrived = far.expects("INVITE");
    for (int i = 0; i < 2; ++i) {
        arrived.answers(200, named);
        EXPECT_EQ(call.expect(200).response().header(kPai), "<sip:far@carrier.test>") << i;
    }
}

TEST_F(Identity_Rfc3325_5, AForeignServerIsToldNothingMore) {
    Phone& far = world.stranger("far", "203.0.113.9:5060");
    authenticated(dora, dora.make("MESSAGE", far.contact()));
    EXPECT_FALSE(far.expects("MESSAGE").message().has(kPai));
}

TEST_F(Identity_Rfc3325_5, WhatAnUntrustedSenderClaimsIsReplacedByWhatWeKnow) {
    RequestText request = dora.make("MESSAGE", bob.aor());
    request.with("P-Asserted-Identity: \"CEO\" <sip:ceo@example.test>");
    authenticated(dora, request);
    EXPECT_EQ(bob.expects("MESSAGE").message().values(kPai),
              std::vector<std::string>{"<sip:dora@example.test>"});
}

TEST_F(Identity_Rfc3325_5, AStrangersClaimIsRemovedAndHeIsNotNamed) {
    RequestText request = stranger.make("MESSAGE", bob.aor());
    stranger.send(request.with("P-Asserted-Identity: <sip:ceo@example.test>"));
    EXPECT_FALSE(bob.expects("MESSAGE").message().has(kPai));
}

TEST_F(Identity_Rfc3325_5, ATrustedPeersWordGoesToOurUsers) {
    RequestText request = peer.make("MESSAGE", bob.aor());
    peer.send(request.with("P-Asserted-Identity: <sip:+15550100@carrier.test;user=phone>"));
    EXPECT_EQ(bob.expects("MESSAGE").message().header(kPai),
              "<sip:+15550100@carrier.test;user=phone>");
}

TEST_F(Identity_Rfc3325_5, ResponsesCrossTheBorderAsRequestsDo) {
    const auto answered_by = [](const Incoming& request, Outgoing& sent) {
        request.answers(200, {"P-Asserted-Identity: <sip:ceo@example.test>"});
        return sent.expect(200).response().header(kPai);
    };
    Outgoing to_bob = peer.send(peer.make("MESSAGE", bob.aor()));
    EXPECT_EQ(answered_by(bob.expects("MESSAGE"), to_bob), "");
    Outgoing to_peer = authenticated(dora, dora.make("MESSAGE", peer.contact()));
    EXPECT_EQ(answered_by(peer.expects("MESSAGE"), to_peer), "<sip:ceo@example.test>");
}

TEST_F(Identity_Rfc3325_7, APrivateResponseKeepsItsIdentityWithinTheTrusted) {
    Outgoing sent = authenticated(dora, dora.make("MESSAGE", peer.contact()));
    peer.expects("MESSAGE").answers(200,
                                    {"P-Asserted-Identity: <sip:ceo@example.test>", "Privacy: id"});
    EXPECT_FALSE(sent.expect(200).response().has(kPai));
}

TEST_F(Identity_Rfc3325_7, APrivateCallIsNamedToTrustedPeersOnly) {
    RequestText to_bob = dora.make("MESSAGE", bob.aor());
    authenticated(dora, to_bob.with("Privacy: id"));
    EXPECT_FALSE(bob.expects("MESSAGE").message().has(kPai));
    RequestText to_peer = dora.make("MESSAGE", peer.contact());
    authenticated(dora, to_peer.with("Privacy: id"));
    const Incoming arrived = peer.expects("MESSAGE");
    EXPECT_EQ(arrived.message().header(kPai), "<sip:dora@example.test>");
    EXPECT_EQ(arrived.message().header("Privacy"), "id");
}

TEST_F(Identity_Rfc3325_6, AGrantedPreferenceIsAsserted) {
    world.add_user(user_record("dora", {"sales"}));
    RequestText request = dora.make("MESSAGE", bob.aor());
    authenticated(dora, request.with("P-Preferred-Identity: <sip:sales@example.test>"));
    const Incoming arrived = bob.expects("MESSAGE");
    EXPECT_EQ(arrived.message().header(kPai), "<sip:sales@example.test>");
    EXPECT_FALSE(arrived.message().has("P-Preferred-Identity"));
}

TEST_F(Identity_Rfc3325_6, APreferenceThatIsNotGrantedIsIgnored) {
    RequestText request = dora.make("MESSAGE", bob.aor());
    authenticated(dora, request.with("P-Preferred-Identity: <sip:bob@example.test>"));
    const Incoming arrived = bob.expects("MESSAGE");
    EXPECT_EQ(arrived.message().header(kPai), "<sip:dora@example.test>");
    EXPECT_FALSE(arrived.message().has("P-Preferred-Identity"));
}

TEST_F(Identity_Rfc3325_9_1, AUriAndANumberStayTogetherInEitherForm) {
    const std::string uri = "\"Cullen, J.\" <sip:fluffy@carrier.test>";
    const std::string number = "tel:+14085264000";
    for (const std::vector<std::string>& lines :
         {std::vector<std::string>{"P-Asserted-Identity: " + uri + ", " + number},
          {"P-Asserted-Identity: " + uri, "p-asserted-identity: " + number}}) {
        RequestText request = peer.make("MESSAGE", bob.aor());
        request.more = lines;
        peer.send(request);
        EXPECT_EQ(bob.expects("MESSAGE").message().values(kPai),
                  (std::vector<std::string>{uri, number}));
        request = stranger.make("MESSAGE", bob.aor());
        request.more = lines;
        stranger.send(request);
        EXPECT_FALSE(bob.expects("MESSAGE").message().has(kPai)) << "no line of it is left";
    }
}

TEST_F(Identity_Rfc3325_9_2, APreferenceEndsHereWhoeverSentIt) {
    for (Phone* from : {&peer, &stranger}) {
        RequestText request = from->make("MESSAGE", bob.aor());
        request.with("P-Preferred-Identity: <sip:bob@carrier.test>");
        from->send(request.with("p-preferred-identity: tel:+15550100"));
        const Incoming arrived = bob.expects("MESSAGE");
        EXPECT_FALSE(arrived.message().has("P-Preferred-Identity"));
        EXPECT_FALSE(arrived.message().has(kPai)) << "it is no assertion";
    }
}

TEST_F(Identity_Rfc3325_9_2, OfAnotherDomainsUserNothingIsAsserted) {
    world.add_user(user_record("dora", {"sales", "+15550100"}));
    const auto asserted_for = [this](const std::string& preferred) {
        RequestText request = dora.make("MESSAGE", bob.aor());
        authenticated(dora, request.with("P-Preferred-Identity: " + preferred));
        const Incoming arrived = bob.expects("MESSAGE");
        EXPECT_FALSE(arrived.message().has("P-Preferred-Identity"));
        return arrived.message().values(kPai);
    };
    const std::vector<std::string> herself{"<sip:dora@example.test>"};
    EXPECT_EQ(asserted_for("<sip:sales@carrier.test>"), herself);
    EXPECT_EQ(asserted_for("<im:sales@example.test>"), herself);
    EXPECT_EQ(asserted_for("sales"), herself);
    EXPECT_EQ(asserted_for("<sip:%73ales@example.test;x=1>, <sip:bob@example.test>"),
              std::vector<std::string>{"<sip:sales@example.test>"});
    EXPECT_EQ(asserted_for("\"Bob\" <tel:+1-555-0100>"),
              std::vector<std::string>{"<sip:+15550100@example.test>"});
}

TEST_F(Identity_Rfc3323_4_1, AnAnonymousCallerWhoWantsToBeKnownProvesHimself) {
    RequestText request = anonymous(bob.aor());
    authenticated(dora, request.with("P-Preferred-Identity: <sip:dora@example.test>"));
    const Incoming arrived = bob.expects("MESSAGE");
    EXPECT_EQ(arrived.message().header(kPai), "<sip:dora@example.test>");
    EXPECT_EQ(arrived.message().header("From"),
              "\"Anonymous\" <sip:anonymous@anonymous.invalid>;tag=x");
}

TEST_F(Identity_Rfc3323_4_1, AnAnonymousCallerWithCredentialsIsKnownToUsAlone) {
    RequestText request = anonymous(peer.contact());
    request.with("Privacy: id");
    Outgoing first = dora.send(request).expect(407);
    dora.send(dora.with_credentials(request, first.response(), "secret"));
    EXPECT_EQ(peer.expects("MESSAGE").message().header(kPai), "<sip:dora@example.test>");
    // The same credentials show to one of ours who is calling, and are checked there too.
    RequestText again = anonymous(bob.aor());
    again.with("Privacy: id");
    dora.send(dora.with_credentials(again, first.response(), "wrong")).expect(407);
    EXPECT_TRUE(bob.is_silent());
    dora.send(dora.with_credentials(again, first.response(), "secret"));
    const Incoming arrived = bob.expects("MESSAGE");
    EXPECT_FALSE(arrived.message().has(kPai));
    EXPECT_FALSE(arrived.message().has("Proxy-Authorization"));
}

TEST_F(Identity_Rfc3323_4_1, AnAnonymousCallerWithoutCredentialsIsAStranger) {
    dora.send(anonymous(bob.aor()));
    EXPECT_FALSE(bob.expects("MESSAGE").message().has(kPai));
}

TEST_F(Identity_Rfc3323_5, CriticalPrivacyThatCannotBeGivenEndsTheCall) {
    RequestText request = stranger.make("INVITE", bob.aor());
    Outgoing call = stranger.send(request.with("Privacy: header;session;critical")).expect(500);
    EXPECT_EQ(call.response().reason(), "Privacy Not Provided: header, session");
    EXPECT_TRUE(bob.is_silent());
    EXPECT_TRUE(world.is_empty());
}

TEST_F(Identity_Rfc3323_5, OtherPrivacyGoesOnForThoseWhoCanGiveIt) {
    RequestText request = stranger.make("INVITE", bob.aor());
    stranger.send(request.with("Privacy: header;session")).expect(100);
    EXPECT_EQ(bob.expects("INVITE").message().header("Privacy"), "header;session");
}

}  // namespace
}  // namespace signalbox::core::testing
