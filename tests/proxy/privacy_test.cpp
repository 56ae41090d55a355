// What a Privacy header field asks for and what a proxy answers to it.
// Covers: RFC 3323 §4.2, §5 (critical; Proxy-Require: privacy); RFC 3325 §9.3; RFC 5379 §5.1.8. Not
// covered: what "id" does to asserted identities (asserted_identity_test); header, session and user
// privacy, which a proxy cannot give.
#include "proxy/privacy.h"

#include <gtest/gtest.h>

#include "proxy/request_validation.h"
#include "tests/proxy/support.h"

namespace signalbox::proxy {
namespace {

using testing::Read;
using testing::request_text;

Privacy privacy(const std::vector<std::string>& lines) {
    const Read read(request_text("INVITE sip:bob@example.test", lines));
    return read_privacy(read->message);
}

std::optional<Rejection> validate(const std::vector<std::string>& lines) {
    const Read read(request_text("INVITE sip:bob@example.test", lines));
    const auto routing = preprocess_route(*read, testing::token_keys(), testing::kNow);
    return validate_request(*read, *routing);
}

TEST(Privacy_Rfc3323_4_2, ReadsEveryValueInAnyCaseAndForm) {
    const Privacy all = privacy({"Privacy: HEADER ;session;user; id;critical"});
    EXPECT_TRUE(all.header && all.session && all.user && all.id && all.is_critical);
    EXPECT_FALSE(all.is_none || all.has_other);
    const Privacy lines = privacy({"Privacy: id", "privacy : user, history"});
    EXPECT_TRUE(lines.id && lines.user && lines.has_other);
    EXPECT_TRUE(privacy({"Privacy: none"}).is_none);
    const Privacy nothing = privacy({"Privacy:", "Privacy: ;;"});
    EXPECT_FALSE(nothing.id || nothing.has_other || nothing.is_critical);
    EXPECT_FALSE(privacy({}).conceals_identity());
}

TEST(Privacy_Rfc3325_7, ConcealsTheIdentityUnlessNoneForbidsIt) {
    for (const char* value : {"id", "header", "user", "session;id"})
        EXPECT_TRUE(privacy({std::string("Privacy: ") + value}).conceals_identity()) << value;
    for (const char* value : {"none", "none;id", "session", "critical", "history"})
        EXPECT_FALSE(privacy({std::string("Privacy: ") + value}).conceals_identity()) << value;
}

TEST(Privacy_Rfc5379_5_1_8, HeaderPrivacyConcealsTheAssertedIdentityToo) {
    EXPECT_TRUE(privacy({"Privacy: header"}).conceals_identity());
    EXPECT_TRUE(privacy({"Privacy: session; HEADER"}).conceals_identity());
    EXPECT_FALSE(privacy({"Privacy: header;none"}).conceals_identity());
}

TEST(Privacy_Rfc3323_5, CriticalPrivacyThatWeCannotGiveIsRefusedByName) {
    const auto rejection = validate({"Privacy: header;user;critical"});
    ASSERT_TRUE(rejection.has_value());
    EXPECT_EQ(rejection->status, 500);
    EXPECT_EQ(rejection->reason, "Privacy Not Provided: header, user");
    EXPECT_EQ(validate({"Privacy: session;critical"})->reason, "Privacy Not Provided: session");
    EXPECT_EQ(validate({"Privacy: hidden-by-magic;critical"})->status, 500);
}

TEST(Privacy_Rfc3323_5, WhatWeCanGiveOrNeedNotGivePasses) {
    for (const char* value :
         {"id;critical", "none;critical", "critical", "header", "session;user", "none"})
        EXPECT_FALSE(validate({std::string("Privacy: ") + value}).has_value()) << value;
}

TEST(Privacy_Rfc3323_5, ProxyRequirePrivacyIsSupportedAsFarAsItCanBeGiven) {
    const auto status = [](const std::string& value) {
        const auto rejection = validate({"Proxy-Require: privacy", "Privacy: " + value});
        return rejection ? rejection->status : 0;
    };
    EXPECT_EQ(status("id"), 0);
    EXPECT_EQ(status("none"), 0);
    EXPECT_EQ(status("header"), 420);
    EXPECT_EQ(status("header;critical"), 500);
    const auto mixed = validate({"Proxy-Require: privacy, sec-agree", "Privacy: id"});
    ASSERT_TRUE(mixed.has_value());
    EXPECT_EQ(mixed->headers[0].value, "sec-agree");
}

}  // namespace
}  // namespace signalbox::proxy
