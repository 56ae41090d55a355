// Which Contacts are of use to a redirected caller.
// Covers: RFC 3261 §8.3. Not covered: Path and .invalid hosts (redirect_server_test of the core).
#include "redirect/direct_contact.h"

#include <gtest/gtest.h>

namespace signalbox::redirect {
namespace {

bool direct(std::string_view contact, std::string_view seen_at, bool is_sips_asked = false) {
    return is_direct(*sip::parse_uri(contact), *IpAddress::parse(seen_at), is_sips_asked);
}

TEST(DirectContact_Rfc3261_8_3, APrivateAddressBehindANatLeadsNowhere) {
    for (const char* host : {"10.0.0.7", "172.16.1.1", "192.168.1.10", "100.64.0.1", "169.254.1.1",
                             "[fd00::1]", "[fe80::1]"})
        EXPECT_FALSE(direct("sip:bob@" + std::string(host), "203.0.113.9")) << host;
    EXPECT_TRUE(direct("sip:bob@192.168.1.10:5062", "192.168.1.10"));
    EXPECT_TRUE(direct("sip:bob@172.32.0.1", "203.0.113.9"));
    EXPECT_TRUE(direct("sip:bob@198.51.100.20", "203.0.113.9"));
    EXPECT_TRUE(direct("sip:bob@phone.example.test", "203.0.113.9"));
}

TEST(DirectContact_Rfc3261_8_3, WhoAskedBySipsIsNotSentToLess) {
    EXPECT_FALSE(direct("sip:bob@198.51.100.20", "198.51.100.20", true));
    EXPECT_TRUE(direct("sips:bob@198.51.100.20", "198.51.100.20", true));
}

}  // namespace
}  // namespace signalbox::redirect
