// The table of users and the hashes that are kept of them.
// Covers: RFC 3261 §22.4, RFC 7616 §3.4.2 (A1). Not covered: where users come from.
#include "auth/user_table.h"

#include <gtest/gtest.h>

#include "auth/ha1.h"
#include "tests/auth/auth_fixture.h"

namespace signalbox::auth {
namespace {

using crypto::DigestAlgorithm;

TEST(Ha1_Rfc7616_3_4_2, HashesEveryAlgorithmForBothFormsOfTheName) {
    crypto::Digester digester;
    const ports::Ha1Set set =
        make_ha1(digester, "alice", "example.test", "example.test", "open sesame");
    const auto hash = [&](DigestAlgorithm algorithm, std::string_view text) {
        return std::string(digester.digest(algorithm, {text}).bytes());
    };
    for (size_t i = 0; i < crypto::kDigestAlgorithms; ++i) {
        const auto algorithm = static_cast<DigestAlgorithm>(i);
        EXPECT_EQ(set.plain[i], hash(algorithm, "alice:example.test:open sesame"));
        EXPECT_EQ(set.with_domain[i],
                  hash(algorithm, "alice@example.test:example.test:open sesame"));
        EXPECT_EQ(set.plain[i].size(), crypto::digest_size(algorithm));
    }
    EXPECT_TRUE(make_ha1(digester, "a", "r", "", "p").with_domain[0].empty());
}

struct UserTable_Behaviour : testing::Test {
    UserTable users;
};

TEST_F(UserTable_Behaviour, GivesBackEveryHash) {
    const ports::UserRecord record = user_record("alice", "open sesame");
    users.update(record);
    const User* user = users.find(ports::kDefaultTenant, "alice");
    ASSERT_NE(user, nullptr);
    EXPECT_EQ(user->name(), "alice");
    EXPECT_EQ(user->realm(), "example.test");
    EXPECT_EQ(user->domain(), "example.test");
    for (size_t i = 0; i < crypto::kDigestAlgorithms; ++i) {
        const auto algorithm = static_cast<DigestAlgorithm>(i);
        EXPECT_EQ(user->ha1(algorithm, NameForm::Plain), record.ha1.plain[i]);
        EXPECT_EQ(user->ha1(algorithm, NameForm::WithDomain), record.ha1.with_domain[i]);
    }
}

TEST_F(UserTable_Behaviour, MissingAndMisshapenHashesAreNotKept) {
    ports::UserRecord record = user_record("alice", "open sesame");
    record.ha1.plain[0].clear();
    record.ha1.with_domain[1].pop_back();
    users.update(record);
    const User* user = users.find(ports::kDefaultTenant, "alice");
    EXPECT_TRUE(user->ha1(DigestAlgorithm::Md5, NameForm::Plain).empty());
    EXPECT_TRUE(user->ha1(DigestAlgorithm::Sha256, NameForm::WithDomain).empty());
    EXPECT_EQ(user->ha1(DigestAlgorithm::Md5, NameForm::WithDomain), record.ha1.with_domain[0]);
    EXPECT_EQ(user->ha1(DigestAlgorithm::Sha256, NameForm::Plain), record.ha1.plain[1]);
    EXPECT_EQ(user->ha1(DigestAlgorithm::Sha512_256, NameForm::WithDomain),
              record.ha1.with_domain[2]);
}

TEST_F(UserTable_Behaviour, UpdateReplacesAndRemovalForgets) {
    users.update(user_record("alice", "open sesame"));
    const std::string before(
        users.find(ports::kDefaultTenant, "alice")->ha1(DigestAlgorithm::Md5, NameForm::Plain));
    users.update(user_record("alice", "another"));
    EXPECT_EQ(users.size(), 1U);
    EXPECT_NE(
        users.find(ports::kDefaultTenant, "alice")->ha1(DigestAlgorithm::Md5, NameForm::Plain),
        before);
    ports::UserRecord gone;
    gone.name = "alice";
    gone.is_removed = true;
    users.update(gone);
    users.update(gone);
    EXPECT_EQ(users.find(ports::kDefaultTenant, "alice"), nullptr);
    EXPECT_EQ(users.size(), 0U);
    EXPECT_EQ(users.bytes(), 0U);
}

TEST_F(UserTable_Behaviour, TenantsAreApart) {
    ports::UserRecord record = user_record("alice", "open sesame");
    record.tenant = 2;
    users.update(record);
    EXPECT_EQ(users.find(ports::kDefaultTenant, "alice"), nullptr);
    ASSERT_NE(users.find(2, "alice"), nullptr);
    EXPECT_EQ(users.find(2, "alice")->tenant(), 2U);
}

TEST_F(UserTable_Behaviour, UserMayUseHisNameAndHisAddressesOnly) {
    ports::UserRecord record = user_record("alice", "open sesame");
    record.addresses = {"+15550100", "sales", ""};
    users.update(record);
    const User* user = users.find(ports::kDefaultTenant, "alice");
    EXPECT_TRUE(user->may_use("alice"));
    EXPECT_TRUE(user->may_use("+15550100"));
    EXPECT_TRUE(user->may_use("sales"));
    EXPECT_FALSE(user->may_use("Sales"));
    EXPECT_FALSE(user->may_use("sale"));
    EXPECT_FALSE(user->may_use("bob"));
}

TEST_F(UserTable_Behaviour, HoldsManyUsersInLittleRoom) {
    ports::UserRecord record = user_record("user", "open sesame");
    for (int i = 0; i < 2000; ++i) {
        record.name = "user" + std::to_string(i);
        users.update(record);
    }
    EXPECT_EQ(users.size(), 2000U);
    EXPECT_NE(users.find(ports::kDefaultTenant, "user1999"), nullptr);
    // 160 octets of hashes, the block's head, the name.
    EXPECT_LE(users.bytes() / users.size(), 224U);
}

}  // namespace
}  // namespace signalbox::auth
