// By what a received request finds its server transaction.
// Covers: RFC 3261 §17.2.3 with and without the magic cookie, §9.2 (the transaction that a CANCEL
// names). Not covered: §9.2's answers, which are the transaction user's; merged requests
// (§8.2.2.2), which are a UAS's.
#include "transaction/server_matching.h"

#include <gmock/gmock.h>

#include <functional>
#include <map>

#include "tests/transaction/layer_world.h"

namespace signalbox::transaction {

using testing::LayerWorld;
using testing::RequestText;
using testing::ServerPeer;
using Kind = RequestMatch::Kind;

namespace {

using Change = std::function<void(RequestText&)>;

RequestText legacy_invite() {
    RequestText request;
    request.via = "SIP/2.0/UDP 192.0.2.10:5060;branch=1";
    return request;
}

Kind kind_after(const RequestText& first, const Change& change) {
    LayerWorld world;
    ServerPeer alice = world.server(first);
    alice.sends();
    RequestText second = first;
    change(second);
    return world.receive_request(second.text()).kind;
}

}  // namespace

TEST(ServerMatching_Rfc3261_17_2_3, BranchSentByAndMethodMakeARetransmission) {
    EXPECT_EQ(kind_after({}, [](RequestText&) {}), Kind::Absorbed);
    // None of these is looked at when the branch has the magic cookie.
    EXPECT_EQ(kind_after({},
                         [](RequestText& r) {
                             r.uri = "sip:carol@example.test";
                             r.call_id = "other";
                             r.from_tag = "other";
                             r.to_tag = "other";
                             r.cseq = 9;
                             r.via += ";rport";
                         }),
              Kind::Absorbed);
}

TEST(ServerMatching_Rfc3261_17_2_3, BranchAndHostAreComparedInAnyCase) {
    RequestText first;
    first.via = "SIP/2.0/UDP pc.example.test;branch=z9hG4bKaBc";
    EXPECT_EQ(
        kind_after(first,
                   [](RequestText& r) { r.via = "SIP/2.0/UDP PC.example.TEST;branch=Z9HG4BKAbC"; }),
        Kind::Absorbed);
}

TEST(ServerMatching_Rfc3261_17_2_3, AnotherBranchHostPortOrMethodIsNew) {
    const std::vector<Change> changes = {
        [](RequestText& r) { r.via = "SIP/2.0/UDP 192.0.2.10:5060;branch=z9hG4bKtwo"; },
        [](RequestText& r) { r.via = "SIP/2.0/UDP 192.0.2.11:5060;branch=z9hG4bKone"; },
        [](RequestText& r) { r.via = "SIP/2.0/UDP 192.0.2.10:5061;branch=z9hG4bKone"; },
        [](RequestText& r) { r.method = "OPTIONS"; },
        [](RequestText& r) { r.method = "CANCEL"; },
    };
    for (const Change& change : changes) EXPECT_EQ(kind_after({}, change), Kind::New);
}

TEST(ServerMatching_Rfc3261_17_2_3, ExtensionMethodsAreToldApart) {
    const RequestText first = RequestText{}.as("FETCH");
    EXPECT_EQ(kind_after(first, [](RequestText&) {}), Kind::Absorbed);
    EXPECT_EQ(kind_after(first, [](RequestText& r) { r.method = "STORE"; }), Kind::New);
}

TEST(ServerMatching_Rfc3261_17_2_3, FieldsDoNotRunIntoEachOther) {
    RequestText first;
    first.via = "SIP/2.0/UDP bc.example.test;branch=z9hG4bKa";
    EXPECT_EQ(
        kind_after(first,
                   [](RequestText& r) { r.via = "SIP/2.0/UDP c.example.test;branch=z9hG4bKab"; }),
        Kind::New);
}

TEST(ServerMatching_Rfc3261_17_2_3, LongBranchesAreComparedWhole) {
    for (const size_t size : {100u, 242u, 243u, 244u, 245u, 500u, 5000u}) {
        RequestText first;
        first.via = "SIP/2.0/UDP 192.0.2.10;branch=z9hG4bK" + std::string(size, 'x') + "1";
        EXPECT_EQ(kind_after(first, [](RequestText&) {}), Kind::Absorbed);
        EXPECT_EQ(kind_after(first, [](RequestText& r) { r.via.back() = '2'; }), Kind::New);
        EXPECT_EQ(kind_after(first, [](RequestText& r) { r.via[37] = 'y'; }), Kind::New);
    }
}

TEST(ServerMatching_Rfc3261_17_2_3, TheAckOfAFailureHasTheInvitesBranch) {
    LayerWorld world;
    ServerPeer alice = world.server({});
    alice.sends();
    alice.respond(486);
    EXPECT_EQ(alice.acks("whatever").kind, Kind::Absorbed);
}

TEST(ServerMatching_Rfc3261_17_2_3, TheAckOfASuccessIsNew) {
    LayerWorld world;
    ServerPeer alice = world.server({});
    alice.sends();
    alice.respond(200);
    RequestText ack = RequestText{}.as("ACK");
    ack.via = "SIP/2.0/UDP 192.0.2.10:5060;branch=z9hG4bKother";
    const RequestMatch match = world.receive_request(ack.text());
    EXPECT_EQ(match.kind, Kind::New);
    EXPECT_FALSE(match.acknowledged);
}

TEST(ServerMatching_Rfc3261_9_2, ACancelNamesTheInviteAndIsItsOwnTransaction) {
    LayerWorld world;
    ServerPeer alice = world.server({});
    alice.sends();
    ServerPeer cancel = world.server(RequestText{}.as("CANCEL"));
    const RequestMatch match = cancel.sends();
    EXPECT_EQ(match.kind, Kind::New);
    EXPECT_EQ(match.cancelled, alice.server);
    EXPECT_NE(cancel.server, alice.server);
    cancel.respond(200);
    EXPECT_EQ(cancel.sends().kind, Kind::Absorbed);
    EXPECT_THAT(world.sent_kinds(), ::testing::ElementsAre("200", "200"));
    EXPECT_TRUE(alice.is_pending());
}

TEST(ServerMatching_Rfc3261_9_2, ACancelForNothingNamesNothing) {
    LayerWorld world;
    ServerPeer other = world.server(RequestText{}.as("BARGE"));
    other.sends();
    const RequestMatch match = world.receive_request(RequestText{}.as("CANCEL").text());
    EXPECT_EQ(match.kind, Kind::New);
    EXPECT_FALSE(match.cancelled);
}

TEST(ServerMatching_Rfc3261_9_2, ACancelMayNameAnyRequestButItsOwnKindAndAck) {
    for (const char* method : {"OPTIONS", "BYE", "REGISTER", "PRACK", "SUBSCRIBE", "NOTIFY",
                               "PUBLISH", "INFO", "REFER", "MESSAGE", "UPDATE"}) {
        LayerWorld world;
        ServerPeer other = world.server(RequestText{}.as(method));
        other.sends();
        const RequestMatch match = world.receive_request(RequestText{}.as("CANCEL").text());
        EXPECT_EQ(match.cancelled, other.server) << method;
    }
}

TEST(ServerMatching_Rfc3261_17_2_3, WithoutTheCookieAllThatRfc2543ComparedMustBeEqual) {
    EXPECT_EQ(kind_after(legacy_invite(), [](RequestText&) {}), Kind::Absorbed);
    const std::vector<Change> changes = {
        [](RequestText& r) { r.uri = "sip:carol@example.test"; },
        [](RequestText& r) { r.to_tag = "bob1"; },
        [](RequestText& r) { r.from_tag = "alice2"; },
        [](RequestText& r) { r.call_id = "call-2@192.0.2.10"; },
        [](RequestText& r) { r.cseq = 2; },
        [](RequestText& r) { r.via = "SIP/2.0/UDP 192.0.2.10:5060;branch=2"; },
        [](RequestText& r) { r.via = "SIP/2.0/UDP 192.0.2.10:5060"; },
        [](RequestText& r) { r.method = "OPTIONS"; },
    };
    for (const Change& change : changes) EXPECT_EQ(kind_after(legacy_invite(), change), Kind::New);
}

TEST(ServerMatching_Rfc3261_17_2_3, WithoutAnyBranchItStillMatches) {
    RequestText first;
    first.via = "SIP/2.0/UDP 192.0.2.10";
    EXPECT_EQ(kind_after(first, [](RequestText&) {}), Kind::Absorbed);
}

TEST(ServerMatching_Rfc3261_17_2_3, WithoutTheCookieTheAckShowsTheResponsesToTag) {
    LayerWorld world;
    ServerPeer alice = world.server(legacy_invite());
    alice.sends();
    alice.respond(486, "bob1");
    EXPECT_EQ(alice.acks("carol2").kind, Kind::New);
    EXPECT_EQ(alice.acks("").kind, Kind::New);
    world.wait(std::chrono::seconds(1));
    EXPECT_EQ(world.sent.size(), 2u);  // not confirmed: Timer G runs
    EXPECT_EQ(alice.acks("bob1").kind, Kind::Absorbed);
    EXPECT_EQ(alice.acks("bob1").kind, Kind::Absorbed);
    world.wait(std::chrono::seconds(5));
    EXPECT_EQ(world.sent.size(), 2u);
    EXPECT_FALSE(alice.is_live());
    EXPECT_EQ(alice.acks("bob1").kind, Kind::New);
}

TEST(ServerMatching_Rfc3261_17_2_3, WithoutTheCookieTheAckOfASuccessNamesItsTransaction) {
    LayerWorld world;
    ServerPeer alice = world.server(legacy_invite());
    alice.sends();
    alice.respond(200, "bob1");
    alice.respond(200, "carol2");
    const RequestMatch match = alice.acks("bob1");
    EXPECT_EQ(match.kind, Kind::New);
    EXPECT_EQ(match.acknowledged, alice.server);
}

TEST(ServerMatching_Rfc3261_9_2, WithoutTheCookieACancelNamesTheInvite) {
    LayerWorld world;
    ServerPeer alice = world.server(legacy_invite());
    alice.sends();
    EXPECT_EQ(world.receive_request(legacy_invite().as("CANCEL").text()).cancelled, alice.server);
    RequestText other = legacy_invite().as("CANCEL");
    other.cseq = 5;
    EXPECT_FALSE(world.receive_request(other.text()).cancelled);
}

TEST(ServerMatching_Behaviour, ARequestWithATransactionGetsNoSecondOne) {
    LayerWorld world;
    ServerPeer alice = world.server({});
    alice.sends();
    const testing::Parsed again(RequestText{}.text());
    EXPECT_FALSE(world.layer->create_server(world.now, {again.view, again.via}, alice.flow,
                                            world.timers, 1));
    EXPECT_EQ(world.layer->server_count(), 1u);
    EXPECT_TRUE(alice.is_live());
}

TEST(ServerMatching_Behaviour, TheIndexHoldsManyAndForgetsThem) {
    ServerIndex index;
    Random random({1, 2});
    std::vector<ServerKey> keys;
    for (uint32_t i = 0; i < 10'000; ++i) {
        keys.push_back({random.next(), random.next()});
        EXPECT_TRUE(index.insert(keys.back(), ServerHandle{i, 1}));
    }
    EXPECT_FALSE(index.insert(keys[5], ServerHandle{1, 1}));
    for (uint32_t i = 0; i < keys.size(); i += 2) index.erase(keys[i]);
    for (uint32_t i = 0; i < keys.size(); ++i) {
        EXPECT_EQ(index.find(keys[i]), i % 2 == 0 ? ServerHandle{} : (ServerHandle{i, 1}));
    }
}

TEST(ServerMatching_Behaviour, EntriesThatCrowdAreFoundWhateverIsErasedAmongThem) {
    ServerIndex index;
    Random random({3, 4});
    std::map<uint64_t, uint32_t> expected;  // by hash
    for (uint32_t i = 1; i < 20'000; ++i) {
        // One part, and few homes at the end and at the beginning of its table.
        const uint64_t hash = (random.below(6) - 3) + (random.below(8) << 32);
        const ServerKey key{hash, 64};
        if (random.below(2) == 0) {
            EXPECT_EQ(index.insert(key, ServerHandle{i, 1}), expected.emplace(hash, i).second);
        } else {
            index.erase(key);
            expected.erase(hash);
        }
        for (const auto& [known, server] : expected) {
            ASSERT_EQ(index.find({known, 64}), (ServerHandle{server, 1})) << i;
        }
        ASSERT_EQ(index.find(key).operator bool(), expected.contains(hash)) << i;
    }
}

TEST(ServerMatching_Behaviour, AnEqualHashWithAnotherCheckIsAnotherKey) {
    ServerIndex index;
    EXPECT_TRUE(index.insert({1, 64}, ServerHandle{1, 1}));
    EXPECT_FALSE(index.find({1, 128}));
    EXPECT_TRUE(index.insert({1, 128}, ServerHandle{2, 1}));
    EXPECT_EQ(index.find({1, 64}), (ServerHandle{1, 1}));
}

}  // namespace signalbox::transaction
