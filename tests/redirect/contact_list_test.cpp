// The Contact of a redirecting response.
// Covers: RFC 3261 §8.3, §20.10 (q, expires). Not covered: the transaction around it
// (redirect_server_test of the core).
#include "redirect/contact_list.h"

#include <gtest/gtest.h>

#include <vector>

namespace signalbox::redirect {
namespace {

std::string list(const std::vector<Alternative>& alternatives) {
    return contact_list(alternatives, "sip:bob@example.test");
}

TEST(ContactList_Rfc3261_8_3, GivesEachPlaceWithItsQAndItsTime) {
    EXPECT_EQ(list({{"sip:bob@198.51.100.20;ob", 1000, 3600}, {"sip:b2@198.51.100.21", 500, 60}}),
              "<sip:bob@198.51.100.20;ob>;q=1;expires=3600, "
              "<sip:b2@198.51.100.21>;q=0.5;expires=60");
}

TEST(ContactList_Rfc3261_20_10, WritesAnyQ) {
    EXPECT_EQ(list({{"sip:a@b", 25, 1}}), "<sip:a@b>;q=0.025;expires=1");
    EXPECT_EQ(list({{"sip:a@b", 0, 1}}), "<sip:a@b>;q=0;expires=1");
    EXPECT_EQ(list({{"sip:a@b", 999, 1}}), "<sip:a@b>;q=0.999;expires=1");
    EXPECT_EQ(list({{"sip:a@b", 110, 1}}), "<sip:a@b>;q=0.11;expires=1");
}

TEST(ContactList_Rfc3261_8_3, NeverLeadsToTheRequestUri) {
    EXPECT_EQ(list({{"sip:bob@EXAMPLE.test", 1000, 60}}), "");
    EXPECT_EQ(list({{"sip:%62ob@example.test", 1000, 60}, {"sip:bob@example.test:5070", 1000, 9}}),
              "<sip:bob@example.test:5070>;q=1;expires=9");
    EXPECT_EQ(list({}), "");
}

}  // namespace
}  // namespace signalbox::redirect
