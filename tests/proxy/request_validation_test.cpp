// The checks that need nothing but the request.
// Covers: RFC 3261 §16.3 steps 2, 3 and 5. Not covered: their order among all steps
// (request_validation_test of the core).
#include "proxy/request_validation.h"

#include <gtest/gtest.h>

#include "tests/proxy/support.h"

namespace signalbox::proxy {
namespace {

using testing::Read;
using testing::request_text;

std::optional<Rejection> validate(const std::string& uri,
                                  const std::vector<std::string>& lines = {}) {
    const crypto::TokenKeys keys = testing::token_keys();
    const Read read(request_text("INVITE " + uri, lines));
    return validate_request(*read, *preprocess_route(*read, keys, testing::kNow));
}
int status(const std::string& uri, const std::vector<std::string>& lines = {}) {
    const auto rejection = validate(uri, lines);
    return rejection ? rejection->status : 0;
}

TEST(RequestValidation_Rfc3261_16_3, KnowsSipAndTelUris) {
    EXPECT_EQ(status("sip:b@example.test"), 0);
    EXPECT_EQ(status("tel:+4930123"), 0);
    EXPECT_EQ(status("sips:b@example.test"), 0);
    EXPECT_EQ(status("http://example.test"), 416);
}

TEST(RequestValidation_Rfc5031_4_2, AServiceIsForTheNextProxyToUnderstand) {
    EXPECT_EQ(status("urn:service:sos"), 416);
    EXPECT_EQ(status("urn:service:sos", {"Route: <sip:192.0.2.1;lr>"}), 416);
    EXPECT_EQ(status("urn:service:sos", {"Route: <sip:203.0.113.9;lr>"}), 0);
}

TEST(RequestValidation_Rfc3261_16_3, CountsMaxForwards) {
    EXPECT_EQ(status("sip:b@example.test", {"Max-Forwards: 0"}), 483);
    EXPECT_EQ(status("sip:b@example.test", {"Max-Forwards: 1"}), 0);
    EXPECT_EQ(status("sip:b@example.test", {"Max-Forwards: 255"}), 0);
    EXPECT_EQ(status("sip:b@example.test"), 0);
}

TEST(RequestValidation_Rfc3261_16_3, SupportsNoProxyExtension) {
    const auto rejection =
        validate("sip:b@example.test", {"Proxy-Require: sec-agree", "Proxy-Require: a,b"});
    ASSERT_TRUE(rejection.has_value());
    EXPECT_EQ(rejection->status, 420);
    EXPECT_EQ(rejection->headers[0].name, "Unsupported");
    EXPECT_EQ(rejection->headers[0].value, "sec-agree, a, b");
}

}  // namespace
}  // namespace signalbox::proxy
