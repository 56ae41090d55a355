// The Contacts of a 3xx, read and removed.
// Covers: RFC 3261 §16.7 step 4. Not covered: which of them are tried (redirection_test of the
// core).
#include "proxy/redirect_contacts.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/check.h"

namespace signalbox::proxy {
namespace {

/// A 302 with these Contact lines.
struct Redirect {
    explicit Redirect(const std::vector<std::string>& lines) {
        text = "SIP/2.0 302 Moved\r\nVia: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bK1\r\n";
        for (const std::string& line : lines) text += "Contact: " + line + "\r\n";
        text += "Subject: kept\r\n\r\n";
        CHECK(sip::parse_message(text, view).has_value());
    }
    std::string text;
    sip::MessageView view;
};

std::string without(const Redirect& redirect, const std::vector<size_t>& places) {
    std::bitset<kRedirectContactsMax> tried;
    for (const size_t place : places) tried.set(place);
    std::string out = "old";
    const bool is_any_left = remove_redirect_contacts(redirect.view, tried, out);
    EXPECT_EQ(is_any_left, !out.empty());
    const size_t begin = std::min(out.find("Contact"), out.find("Subject"));
    return out.empty() ? out : out.substr(begin, out.find("Subject") - begin);
}

TEST(RedirectContacts_Rfc3261_16_7_4, AreReadFromAllHeaderFields) {
    const Redirect redirect({"<sip:a@b>;q=0.5, \"x,y\" <sip:c@d>", "sip:e@f"});
    const RedirectContacts contacts = read_redirect_contacts(redirect.view);
    ASSERT_EQ(contacts.count, 3U);
    EXPECT_EQ(contacts.list[0]->q, 500);
    EXPECT_EQ(contacts.list[1]->address.uri_text, "sip:c@d");
    EXPECT_EQ(contacts.list[2]->address.uri_text, "sip:e@f");
}

TEST(RedirectContacts_Rfc3261_16_7_4, AMalformedOneKeepsItsPlaceAndIsNotRead) {
    const Redirect redirect({"<sip:a@b>;q=7, <sip:c@d>", "*"});
    const RedirectContacts contacts = read_redirect_contacts(redirect.view);
    ASSERT_EQ(contacts.count, 3U);
    EXPECT_FALSE(contacts.list[0].has_value());
    EXPECT_TRUE(contacts.list[1].has_value());
    EXPECT_FALSE(contacts.list[2].has_value());
}

TEST(RedirectContacts_Rfc3261_16_7_4, AreReadUpToTheLimit) {
    std::string line = "<sip:a@b>";
    for (int i = 0; i < 100; ++i) line += ", <sip:a@b>";
    EXPECT_EQ(read_redirect_contacts(Redirect({line}).view).count, kRedirectContactsMax);
}

TEST(RedirectContacts_Rfc3261_16_7_4, ThatWereTriedAreRemoved) {
    const Redirect redirect({"<sip:a@b>;q=0.5,  <sip:c@d>, <sip:e@f>", "<sip:g@h>"});
    EXPECT_EQ(without(redirect, {}),
              "Contact: <sip:a@b>;q=0.5,  <sip:c@d>, <sip:e@f>\r\n"
              "Contact: <sip:g@h>\r\n");
    EXPECT_EQ(without(redirect, {1}),
              "Contact: <sip:a@b>;q=0.5, <sip:e@f>\r\n"
              "Contact: <sip:g@h>\r\n");
    EXPECT_EQ(without(redirect, {0, 1, 2}), "Contact: <sip:g@h>\r\n");
    EXPECT_EQ(without(redirect, {3}), "Contact: <sip:a@b>;q=0.5,  <sip:c@d>, <sip:e@f>\r\n");
    EXPECT_EQ(without(redirect, {0, 1, 2, 3}), "");
}

}  // namespace
}  // namespace signalbox::proxy
