// Who needs credentials for what.
// Covers: RFC 3261 §16.3 step 6, §26.3.2. Not covered: the credentials themselves
// (authorisation_test).
#include "proxy/relay_policy.h"

#include <gtest/gtest.h>

#include "tests/proxy/support.h"

namespace signalbox::proxy {
namespace {

using Kind = RelayDecision::Kind;
using testing::Read;

struct RelayTest : ::testing::Test {
    ports::Snapshot snapshot = testing::snapshot();
    crypto::TokenKeys keys = testing::token_keys();

    RelayDecision decide(const std::string& uri, const std::string& from,
                         const std::vector<std::string>& lines = {}) {
        std::string text = testing::request_text("INVITE " + uri, lines);
        const std::string old = "sip:alice@elsewhere.test";
        text.replace(text.find(old), old.size(), from);
        const Read read(text, snapshot);
        return decide_relay(*read, *preprocess_route(*read, keys, testing::kNow));
    }
};

using RelayPolicy_Rfc3261_16_3 = RelayTest;

constexpr const char* kOurs = "sip:bob@example.test";
constexpr const char* kForeign = "sip:any@foreign.test";
constexpr const char* kStranger = "sip:alice@elsewhere.test";
constexpr const char* kUser = "sip:%64ora@example.test";

TEST_F(RelayPolicy_Rfc3261_16_3, StrangersReachOurUsersOnly) {
    const RelayDecision ours = decide(kOurs, kStranger);
    EXPECT_EQ(ours.kind, Kind::Allowed);
    EXPECT_EQ(ours.target_aor, "bob");
    EXPECT_EQ(ours.target_tenant, ports::kDefaultTenant);
    EXPECT_FALSE(ours.is_foreign);
    const RelayDecision foreign = decide(kForeign, kStranger);
    EXPECT_EQ(foreign.kind, Kind::NeedsCredentials);
    EXPECT_TRUE(foreign.is_foreign);
    EXPECT_TRUE(foreign.is_any_user);
}

TEST_F(RelayPolicy_Rfc3261_16_3, OurUsersNeedTheirOwnCredentialsWhoeverTheyCall) {
    for (const char* target : {kOurs, kForeign}) {
        const RelayDecision decision = decide(target, kUser);
        EXPECT_EQ(decision.kind, Kind::NeedsCredentials);
        EXPECT_EQ(decision.identity, "dora");
    }
    EXPECT_EQ(decide(kOurs, "sip:dora@192.0.2.1").identity, "dora");
    for (const char* nobody : {"sip:example.test", "sip:192.0.2.1"}) {
        EXPECT_EQ(decide(kOurs, nobody).kind, Kind::NeedsCredentials) << nobody;
        EXPECT_FALSE(decide(kOurs, nobody).is_any_user) << nobody;
    }
}

TEST_F(RelayPolicy_Rfc3261_16_3, ANextRouteIsForeignWhateverTheTarget) {
    const RelayDecision decision = decide(kOurs, kStranger, {"Route: <sip:203.0.113.1;lr>"});
    EXPECT_TRUE(decision.is_foreign);
    EXPECT_EQ(decision.kind, Kind::NeedsCredentials);
    EXPECT_FALSE(decide(kOurs, kStranger, {"Route: <sip:192.0.2.1;lr>"}).is_foreign);
}

TEST_F(RelayPolicy_Rfc3261_16_3, AForeignMaddrIsForeignWhateverTheHost) {
    const std::string ours(kOurs);
    const RelayDecision decision = decide(ours + ";maddr=203.0.113.1", kStranger);
    EXPECT_TRUE(decision.is_foreign);
    EXPECT_TRUE(decision.target_aor.empty());
    EXPECT_EQ(decision.kind, Kind::NeedsCredentials);
    EXPECT_EQ(decide(ours + ";maddr=192.0.2.1", kStranger).target_aor, "bob");
}

TEST_F(RelayPolicy_Rfc3261_16_3, InboundTrustedClosesTheDoorForStrangers) {
    snapshot.proxy.inbound = ports::Inbound::Trusted;
    EXPECT_EQ(decide(kOurs, kStranger).kind, Kind::NeedsCredentials);
    EXPECT_TRUE(decide(kOurs, kStranger).identity.empty());
}

TEST_F(RelayPolicy_Rfc3261_16_3, TrustedSourcesNeedNothing) {
    snapshot.trusted = {*Network::parse("198.51.100.0/24")};
    snapshot.proxy.inbound = ports::Inbound::Trusted;
    for (const char* from : {kStranger, kUser})
        for (const char* target : {kOurs, kForeign})
            EXPECT_EQ(decide(target, from).kind, Kind::Allowed);
}

}  // namespace
}  // namespace signalbox::proxy
