// What of a message's identities crosses the border of trust, and what we assert ourselves.
// Covers: RFC 3325 §5 (both ways), §6, §7, §9.1; RFC 7315 §5 (removal). Not covered: whose
// credentials were right (identity_test in tests/core), who is trusted (snapshot_test).
#include "proxy/asserted_identity.h"

#include <gtest/gtest.h>

#include "tests/proxy/support.h"

namespace signalbox::proxy {
namespace {

using testing::Read;
using testing::request_text;

constexpr const char* kUri = "MESSAGE sip:bob@example.test";

std::string edited(const std::vector<std::string>& lines, const TrustBorder& border) {
    const Read read(request_text(kUri, lines));
    sip::EditList edits(read->message);
    edit_identity(read->message, border, edits);
    CHECK(edits.ok());
    std::string out;
    edits.render(out);
    // Whoever asks first whether there is anything to do misses nothing.
    EXPECT_TRUE(says_of_users(read->message) || !border.asserted.empty() ||
                out == read->message.bytes());
    return out;
}
/// What stands between the top Via and From afterwards, and what was added at the end.
std::string crossed(const std::vector<std::string>& lines, const TrustBorder& border) {
    std::string out = edited(lines, border);
    const std::string unchanged = request_text(kUri, {});
    const size_t begin = unchanged.find("From:");
    const size_t end = out.find("From:");
    return out.substr(begin, end - begin) +
           out.substr(end + unchanged.size() - begin - 2,
                      out.size() - end - (unchanged.size() - begin));
}

constexpr TrustBorder kInward{false, true, {}};
constexpr TrustBorder kOutward{true, false, {}};
constexpr TrustBorder kWithin{true, true, {}};
constexpr TrustBorder kOutside{false, false, {}};
const std::string kAsserted = "P-Asserted-Identity: <sip:ceo@example.test>";

TEST(AssertedIdentity_Rfc3325_5, AMessageWithoutIdentitiesKeepsEveryOctet) {
    const std::string text = request_text(kUri, {"Privacy: id", "X-Odd :  1"});
    for (const TrustBorder& border : {kInward, kOutward, kWithin, kOutside})
        EXPECT_EQ(edited({"Privacy: id", "X-Odd :  1"}, border), text);
}

TEST(AssertedIdentity_Rfc3325_5, WhatAStrangerAssertsEndsHere) {
    for (const TrustBorder& border : {kInward, kOutside}) {
        EXPECT_EQ(crossed({kAsserted, "p-asserted-identity : <tel:+15551234>", "X-Kept: 1",
                           "Remote-Party-ID: <sip:ceo@example.test>;party=calling",
                           "Diversion: <sip:ceo@example.test>;reason=unconditional"},
                          border),
                  "X-Kept: 1\r\n");
    }
}

TEST(AssertedIdentity_Rfc7315_5, HeaderFieldsOfNetworksFromStrangersEndHere) {
    EXPECT_EQ(crossed({"P-Charging-Vector: icid-value=1", "P-Served-User: <sip:ceo@example.test>",
                       "p-asserted-service: urn:x", "P-Access-Network-Info: IEEE-802.11",
                       "P-Charging-Function-Addresses: ccf=x", "P-Visited-Network-ID: x"},
                      kInward),
              "P-Access-Network-Info: IEEE-802.11\r\n");
}

TEST(AssertedIdentity_Rfc3325_5, WhatATrustedPeerAssertsGoesOn) {
    const std::vector<std::string> lines{kAsserted, "Remote-Party-ID: <sip:a@b.test>",
                                         "P-Charging-Vector: icid-value=1",
                                         "Diversion: <sip:a@b.test>"};
    std::string all;
    for (const std::string& line : lines) all += line + "\r\n";
    EXPECT_EQ(crossed(lines, kWithin), all);
    EXPECT_EQ(crossed(lines, kOutward), all);
}

TEST(AssertedIdentity_Rfc3325_6, APreferredIdentityIsNeverForwarded) {
    for (const TrustBorder& border : {kInward, kOutward, kWithin, kOutside})
        EXPECT_EQ(crossed({"P-Preferred-Identity: <sip:a@example.test>"}, border), "");
}

TEST(AssertedIdentity_Rfc3325_7, PrivacyKeepsEveryAssertedIdentityFromTheUntrusted) {
    const std::vector<std::string> lines{kAsserted, "Privacy: id",
                                         "P-Asserted-Identity: <tel:+15551234>"};
    EXPECT_EQ(crossed(lines, kOutward), "Privacy: id\r\n");
    EXPECT_EQ(crossed(lines, kWithin), kAsserted +
                                           "\r\nPrivacy: id\r\n"
                                           "P-Asserted-Identity: <tel:+15551234>\r\n");
}

TEST(AssertedIdentity_Rfc3325_7, PrivacyNoneForbidsItsRemoval) {
    EXPECT_EQ(crossed({kAsserted, "Privacy: none"}, kOutward), kAsserted + "\r\nPrivacy: none\r\n");
}

TEST(AssertedIdentity_Rfc3325_5, OurOwnIsAddedAndReplacesTheSenders) {
    EXPECT_EQ(crossed({kAsserted}, {false, true, "<sip:dora@example.test>"}),
              "P-Asserted-Identity: <sip:dora@example.test>\r\n");
    EXPECT_EQ(crossed({}, {false, false, "<sip:dora@example.test>"}),
              "P-Asserted-Identity: <sip:dora@example.test>\r\n");
}

TEST(AssertedIdentity_Rfc3325_7, OurOwnIsKeptFromTheUntrustedWhenPrivacyAsksForIt) {
    EXPECT_EQ(crossed({"Privacy: id"}, {false, false, "<sip:dora@example.test>"}),
              "Privacy: id\r\n");
    EXPECT_EQ(crossed({"Privacy: id"}, {false, true, "<sip:dora@example.test>"}),
              "Privacy: id\r\nP-Asserted-Identity: <sip:dora@example.test>\r\n");
}

std::string asserted_for(const std::string& from, std::string_view name) {
    std::string text = request_text(kUri, {});
    const std::string old = "<sip:alice@elsewhere.test>";
    text.replace(text.find(old), old.size(), from);
    const Read read(text);
    std::string out = "used before";
    write_asserted_identity(*read, name, out);
    return out;
}

TEST(AssertedIdentity_Rfc3325_9_1, IsTheAddressOfRecordInOurDomain) {
    EXPECT_EQ(asserted_for("<sip:dora@192.0.2.1>", "dora"), "<sip:dora@example.test>");
    EXPECT_EQ(asserted_for("<sip:dora@example.test>", "do ra;#%@"),
              "<sip:do%20ra%3B%23%25%40@example.test>");
    const sip::Uri uri = *sip::parse_uri("sip:do%20ra%3B%23%25%40@example.test");
    EXPECT_EQ(sip::canonical_user(uri), "do ra;#%@");
}

TEST(AssertedIdentity_Rfc3325_9_1, TakesAHarmlessDisplayNameAlong) {
    EXPECT_EQ(asserted_for("\"Dora O'Neil, 2nd floor\" <sip:dora@example.test>", "dora"),
              "\"Dora O'Neil, 2nd floor\" <sip:dora@example.test>");
    EXPECT_EQ(asserted_for("D\xc3\xb6ra <sip:dora@example.test>", "dora"),
              "\"D\xc3\xb6ra\" <sip:dora@example.test>");
    for (const char* display :
         {"\"+1 555 0100\"", "\"ceo@example.test\"", "\"sip:ceo\"", "\"a\\\"b\"", "\"\"",
          "\"123456789012345678901234567890123456789012345678901234567890abcde\""}) {
        EXPECT_EQ(asserted_for(std::string(display) + " <sip:dora@example.test>", "dora"),
                  "<sip:dora@example.test>")
            << display;
    }
}

TEST(AssertedIdentity_Rfc3325_9_1, AnAnonymousCallersDisplayNameIsNotHis) {
    EXPECT_EQ(asserted_for("\"Anonymous\" <sip:anonymous@anonymous.invalid>", "dora"),
              "<sip:dora@example.test>");
}

TEST(AssertedIdentity_Rfc3325_6, APreferredIdentityIsOneOfOurs) {
    const auto preferred = [](const std::vector<std::string>& lines) {
        const Read read(request_text(kUri, lines));
        return preferred_identity(*read);
    };
    EXPECT_EQ(preferred({"P-Preferred-Identity: \"Sales\" <sip:s%61les@example.test>"}), "sales");
    EXPECT_EQ(preferred({"P-Preferred-Identity: <sip:sales@192.0.2.1>, <tel:+1>"}), "sales");
    EXPECT_EQ(preferred({"P-Preferred-Identity: tel:+1-555-0100"}), "+15550100");
    EXPECT_EQ(preferred({"P-Preferred-Identity: <sip:sales@elsewhere.test>"}), "");
    EXPECT_EQ(preferred({"P-Preferred-Identity: <<"}), "");
    EXPECT_EQ(preferred({}), "");
}

}  // namespace
}  // namespace signalbox::proxy
