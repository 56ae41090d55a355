// Which credentials a forwarded request keeps.
// Covers: RFC 3261 §22.3 (credentials of our realm end here, those of other realms pass). Not
// covered: whether they are right (authorisation_test).
#include <gtest/gtest.h>

#include "tests/core/core_harness.h"

namespace signalbox::core::testing {
namespace {

ports::Snapshot nobody_trusted() {
    ports::Snapshot snapshot = default_snapshot();
    snapshot.trusted.clear();
    return snapshot;
}

struct CredentialsTest : ::testing::Test {
    World world{nobody_trusted()};
    Phone& bob = world.registered("bob", "198.51.100.20:5060");
    Phone& dora = world.registered("dora", "198.51.100.40:5060");

    /// What reaches bob of a request that dora had to authenticate.
    Incoming arrived(const RequestText& request) {
        Outgoing first = dora.send(request).expect(407);
        dora.send(dora.with_credentials(request, first.response(), "secret"));
        return bob.expects("MESSAGE");
    }
};
using CredentialsRemoval_Rfc3261_22_3 = CredentialsTest;

TEST_F(CredentialsRemoval_Rfc3261_22_3, CredentialsOfOurRealmAreNotPassedOn) {
    EXPECT_FALSE(arrived(dora.make("MESSAGE", bob.aor())).message().has("Proxy-Authorization"));
}

TEST_F(CredentialsRemoval_Rfc3261_22_3, CredentialsOfAnotherRealmArePassedOn) {
    RequestText request = dora.make("MESSAGE", bob.aor());
    request.with(
        "Proxy-Authorization: Digest username=\"d\", realm=\"far.example.org\", nonce=\"1\", "
        "uri=\"sip:x\", response=\"00000000000000000000000000000000\"");
    EXPECT_NE(arrived(request).message().header("Proxy-Authorization").find("far.example.org"),
              std::string::npos);
}

}  // namespace
}  // namespace signalbox::core::testing
