// Tests of store/user_csv and store/user_accounts.
// Covered: RFC 4180 §2 as far as two fields need it; each fault of a line; changes of users. Not
// covered: line breaks in quotes.
#include "store/user_accounts.h"

#include <gtest/gtest.h>

#include "tests/store/temporary_directory.h"

namespace signalbox::store {
namespace {

const RealmOfUsers kRealm{"example.test", "example.test"};

std::string fault_of(const std::string& csv) {
    const auto lines = parse_user_csv(csv);
    return lines ? "" : lines.error().front();
}

TEST(UserCsv_Rfc4180_2, ReadsLinesWithEitherEndAndSkipsEmptyOnes) {
    const auto lines = parse_user_csv(
        "\xef\xbb\xbf"
        "alice,secret\r\n\nbob,other\nlast,one");
    ASSERT_TRUE(lines);
    ASSERT_EQ(lines->size(), 3u);
    EXPECT_EQ(lines->at(0).name, "alice");
    EXPECT_EQ(lines->at(0).password, "secret");
    EXPECT_EQ(lines->at(1).line, 3u);
    EXPECT_EQ(lines->at(2).password, "one");
}

TEST(UserCsv_Rfc4180_2, TakesQuotedFields) {
    const auto lines = parse_user_csv("\"alice\",\"a,b\"\"c\"\nbob,a\"b\n");
    ASSERT_TRUE(lines);
    EXPECT_EQ(lines->at(0).password, "a,b\"c");
    EXPECT_EQ(lines->at(1).password, "a\"b");
}

TEST(UserCsv_Behaviour, NamesEachBadLineWithItsNumber) {
    const auto lines = parse_user_csv("alice,secret\nbob\ncarol,x,y\n,z\ndave,\nalice,again\n");
    ASSERT_FALSE(lines);
    ASSERT_EQ(lines.error().size(), 5u);
    EXPECT_EQ(lines.error()[0], "Line 2: it has no comma: expected user,password.");
    EXPECT_NE(lines.error()[1].find("Line 3: it has more than two fields"), std::string::npos);
    EXPECT_EQ(lines.error()[2], "Line 4: the user name is empty.");
    EXPECT_EQ(lines.error()[3], "Line 5: the password is empty.");
    EXPECT_EQ(lines.error()[4], "Line 6: the user alice stands in line 1 already.");
}

TEST(UserCsv_Behaviour, RefusesNamesThatNoAddressCanHave) {
    EXPECT_EQ(fault_of("a b,x"), "Line 1: the user name has a space.");
    EXPECT_NE(fault_of("a@b,x").find("has an \"@\""), std::string::npos);
    EXPECT_NE(fault_of("a:b,x").find("has \":\""), std::string::npos);
    EXPECT_NE(fault_of("\"a\"b,x").find("quotes do not match"), std::string::npos);
    EXPECT_EQ(fault_of("a\x01,x"), "Line 1: the user name has a control character.");
    EXPECT_EQ(fault_of("a,x\x01"), "Line 1: the password has a control character.");
}

TEST(UserCsv_Behaviour, KeepsItsLimits) {
    EXPECT_EQ(fault_of(std::string(kUserNameBytesMax, 'a') + ",x"), "");
    EXPECT_NE(fault_of(std::string(kUserNameBytesMax + 1, 'a') + ",x"), "");
    EXPECT_EQ(fault_of("a," + std::string(kPasswordBytesMax, 'x')), "");
    EXPECT_NE(fault_of("a," + std::string(kPasswordBytesMax + 1, 'x')), "");
}

class UserAccounts_Behaviour : public testing::Test {
 protected:
    UserAccounts open() { return std::move(*UserAccounts::open(directory_.path())); }
    TemporaryDirectory directory_;
};

TEST_F(UserAccounts_Behaviour, KeepsHashesAndNeverThePassword) {
    auto accounts = open();
    EXPECT_TRUE(*accounts.is_untouched());
    ASSERT_TRUE(accounts.put(make_user("alice", "secret", kRealm)));
    EXPECT_FALSE(*accounts.is_untouched());
    const auto user = accounts.find("alice");
    ASSERT_TRUE(*user);
    for (size_t i = 0; i < 3; ++i) {
        EXPECT_EQ((*user)->ha1.plain[i], make_user("alice", "secret", kRealm).ha1.plain[i]);
        EXPECT_NE((*user)->ha1.plain[i], (*user)->ha1.with_domain[i]);
        EXPECT_EQ((*user)->ha1.plain[i].find("secret"), std::string::npos);
    }
}

TEST_F(UserAccounts_Behaviour, KeepsAddressesWhenThePasswordChanges) {
    auto accounts = open();
    ports::UserRecord user = make_user("alice", "secret", kRealm);
    user.addresses = {"+15550100"};
    ASSERT_TRUE(accounts.put(user));
    ASSERT_TRUE(accounts.import({make_user("alice", "new", kRealm)}));
    const auto found = accounts.find("alice");
    EXPECT_EQ((*found)->addresses, std::vector<std::string>{"+15550100"});
    EXPECT_NE((*found)->ha1.plain[0], user.ha1.plain[0]);
}

TEST_F(UserAccounts_Behaviour, RemovesAndAddsAgain) {
    auto accounts = open();
    EXPECT_FALSE(*accounts.remove("alice"));
    ASSERT_TRUE(accounts.put(make_user("alice", "secret", kRealm)));
    EXPECT_TRUE(*accounts.remove("alice"));
    EXPECT_TRUE(accounts.list()->empty());
    EXPECT_FALSE(*accounts.is_untouched());
    ASSERT_TRUE(accounts.put(make_user("alice", "secret", kRealm)));
    EXPECT_EQ(accounts.list()->size(), 1u);
}

TEST_F(UserAccounts_Behaviour, WhoComesAgainHasNothingOfWhatWasGrantedBefore) {
    auto accounts = open();
    ports::UserRecord user = make_user("alice", "secret", kRealm);
    user.addresses = {"+15550100"};
    for (const bool is_imported : {false, true}) {
        ASSERT_TRUE(accounts.put(user));
        EXPECT_TRUE(*accounts.remove("alice"));
        const ports::UserRecord again = make_user("alice", "secret", kRealm);
        ASSERT_TRUE(is_imported ? accounts.import({again}) : accounts.put(again));
        EXPECT_TRUE((*accounts.find("alice"))->addresses.empty()) << is_imported;
        ASSERT_TRUE(accounts.import({again}));
    }
}

}  // namespace
}  // namespace signalbox::store
