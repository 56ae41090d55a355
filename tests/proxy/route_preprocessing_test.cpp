// Our own Routes and what the request is really for.
// Covers: RFC 3261 §16.4 (own routes, strict routers upstream, maddr), §16.12.1. Not covered: what
// is done with the outcome (core tests).
#include "proxy/route_preprocessing.h"

#include <gtest/gtest.h>

#include "tests/proxy/support.h"

namespace signalbox::proxy {
namespace {

using testing::kNow;
using testing::Read;
using testing::request_text;

using Lines = std::vector<std::string>;

struct RoutesTest : ::testing::Test {
    crypto::TokenKeys keys = testing::token_keys();

    std::string token(std::string_view call_id = "call-1", std::string_view tag = "a1",
                      bool leads_to_caller = false) const {
        DialogToken made;
        made.leads_to_caller = leads_to_caller;
        made.dialog = dialog_hash(call_id, tag);
        made.flow = testing::flow();
        return std::string(seal_dialog_token(made, 1, keys).view());
    }
    Routing route(const Read& read) const {
        const auto routing = preprocess_route(*read, keys, kNow);
        CHECK(routing.has_value());
        return *routing;
    }
};

using Routes_Rfc3261_16_4 = RoutesTest;

TEST_F(Routes_Rfc3261_16_4, WithoutRoutesTheRequestUriDecides) {
    const Read read(request_text("INVITE sip:bob@example.test", {}));
    const Routing routing = route(read);
    EXPECT_EQ(routing.target_uri, "sip:bob@example.test");
    EXPECT_EQ(routing.own_routes, 0U);
    EXPECT_TRUE(routing.next_route.empty());
    EXPECT_FALSE(routing.token || routing.has_refused_token);
}

TEST_F(Routes_Rfc3261_16_4, OneRouteOfOursIsTakenOff) {
    for (const char* own :
         {"<sip:192.0.2.1;lr>", "<sip:example.test;lr>", "<sip:192.0.2.1:5060;lr>"}) {
        const Read read(request_text("INVITE sip:x@203.0.113.9", {std::string("Route: ") + own,
                                                                  "Route: <sip:203.0.113.1;lr>"}));
        const Routing routing = route(read);
        EXPECT_EQ(routing.own_routes, 1U) << own;
        EXPECT_EQ(routing.next_route, "sip:203.0.113.1;lr");
        EXPECT_TRUE(routing.is_next_route_loose);
    }
}

TEST_F(Routes_Rfc3261_16_4, TwoRoutesOfOursAreTakenOffTogether) {
    const Read one_line(request_text(
        "BYE sip:x@203.0.113.9", {"Route: <sip:192.0.2.1;transport=tcp;lr>, <sip:192.0.2.1;lr>"}));
    EXPECT_EQ(route(one_line).own_routes, 2U);
    const Read two_lines(request_text("BYE sip:x@203.0.113.9",
                                      {"Route: <sip:192.0.2.1;lr>", "Route: <sip:192.0.2.1;lr>"}));
    EXPECT_EQ(route(two_lines).own_routes, 2U);
}

TEST_F(Routes_Rfc3261_16_4, ARouteOfOursBehindAnotherIsLeftAlone) {
    const Read read(request_text("INVITE sip:x@203.0.113.9",
                                 {"Route: <sip:203.0.113.1;lr>, <sip:192.0.2.1;lr>"}));
    const Routing routing = route(read);
    EXPECT_EQ(routing.own_routes, 0U);
    EXPECT_EQ(routing.next_route, "sip:203.0.113.1;lr");
}

TEST_F(Routes_Rfc3261_16_4, ANextRouteWithoutLrIsStrict) {
    const Read read(request_text("INVITE sip:x@203.0.113.9", {"Route: <sip:203.0.113.1>"}));
    EXPECT_FALSE(route(read).is_next_route_loose);
}

TEST_F(Routes_Rfc3261_16_4, ARouteWithAnotherPortIsNotOurs) {
    const Read read(request_text("INVITE sip:x@203.0.113.9", {"Route: <sip:192.0.2.1:5070;lr>"}));
    EXPECT_EQ(route(read).own_routes, 0U);
}

TEST_F(Routes_Rfc3261_16_4, AStrictRouterUpstreamIsRepaired) {
    const std::string us = "sip:" + token() + "@192.0.2.1:5060;lr";
    const Read read(
        request_text("BYE " + us, {"Route: <sip:203.0.113.1;lr>, <sip:x@203.0.113.9>"}, "b1"));
    const Routing routing = route(read);
    EXPECT_TRUE(routing.is_last_route_target);
    EXPECT_EQ(routing.target_uri, "sip:x@203.0.113.9");
    EXPECT_EQ(routing.uri.host, "203.0.113.9");
    EXPECT_EQ(routing.next_route, "sip:203.0.113.1;lr");
    EXPECT_TRUE(routing.token.has_value());
}

TEST_F(Routes_Rfc3261_16_4, TheOnlyRouteOfAStrictRouterIsTheTarget) {
    const std::string us = "sip:" + token() + "@192.0.2.1:5060;lr";
    const Read read(request_text("BYE " + us, {"Route: <sip:x@203.0.113.9>"}, "b1"));
    const Routing routing = route(read);
    EXPECT_EQ(routing.target_uri, "sip:x@203.0.113.9");
    EXPECT_TRUE(routing.next_route.empty());
    EXPECT_EQ(routing.own_routes, 0U);
}

TEST_F(Routes_Rfc3261_16_4, ADoubledRecordRouteIsRepairedToo) {
    const std::string us = "sip:" + token() + "@192.0.2.1:5060;lr";
    const Read read(request_text("BYE " + us, {"Route: <" + us + ">, <sip:x@203.0.113.9>"}, "b1"));
    const Routing routing = route(read);
    EXPECT_EQ(routing.target_uri, "sip:x@203.0.113.9");
    EXPECT_EQ(routing.own_routes, 1U);
    EXPECT_TRUE(routing.next_route.empty());
}

TEST_F(Routes_Rfc3261_16_4, AnOwnMaddrIsTakenOff) {
    const Read read(
        request_text("INVITE sip:bob@example.test:5060;maddr=192.0.2.1;transport=tcp", {}));
    const Routing routing = route(read);
    EXPECT_FALSE(routing.uri.port.has_value());
    EXPECT_FALSE(routing.uri.param("maddr").has_value());
    EXPECT_EQ(routing.target(), "sip:bob@example.test");
    const Read foreign(request_text("INVITE sip:bob@example.test;maddr=203.0.113.1", {}));
    EXPECT_TRUE(route(foreign).uri.param("maddr").has_value());
}

TEST_F(Routes_Rfc3261_16_4, AnOwnMaddrIsTakenOffAForeignHostToo) {
    const Read read(
        request_text("INVITE sip:x@far.test:5070;a=1;MADDR=192.0.2.1;transport=udp;b;ttl=3", {}));
    EXPECT_EQ(route(read).target(), "sip:x@far.test:5070;a=1;MADDR=192.0.2.1;transport=udp;b;ttl=3")
        << "at that port we do not listen";
    const Read ours(
        request_text("INVITE sip:x@far.test;a=1;M%41DDR=192.0.2.1;transport=udp;b", {}));
    EXPECT_EQ(route(ours).target(), "sip:x@far.test;a=1;b");
    EXPECT_EQ(route(ours).uri.host, "far.test");
}

TEST_F(Routes_Rfc3261_16_4, ATokenProvesTheDialogForBothItsSides) {
    const std::string line = "Route: <sip:" + token() + "@192.0.2.1:5060;lr>";
    EXPECT_TRUE(route(Read(request_text("BYE sip:x@203.0.113.9", {line}, "b1"))).token);
    const std::string back = "Route: <sip:" + token("call-1", "b1", true) + "@192.0.2.1:5060;lr>";
    EXPECT_TRUE(route(Read(request_text("BYE sip:x@203.0.113.9", {back}, "b1"))).token);
}

TEST_F(Routes_Rfc3261_16_4, ATokenOfAnotherCallOrTagOrKeyProvesNothing) {
    // The tag of the callee is no proof: who carries the token to him is the caller.
    for (const std::string& user : {token("call-2"), token("call-1", "other"),
                                    token("call-1", "b1"), token("call-1", "a1", true)}) {
        const Routing routing = route(Read(request_text(
            "BYE sip:x@203.0.113.9", {"Route: <sip:" + user + "@192.0.2.1:5060;lr>"}, "b1")));
        EXPECT_FALSE(routing.token);
        EXPECT_TRUE(routing.has_refused_token);
        EXPECT_EQ(routing.own_routes, 1U);
    }
    keys = testing::token_keys(8);
    const std::string foreign = token();
    keys = testing::token_keys(7);
    EXPECT_FALSE(route(Read(request_text("BYE sip:x@203.0.113.9",
                                         {"Route: <sip:" + foreign + "@192.0.2.1:5060;lr>"}, "b1")))
                     .token);
}

TEST_F(Routes_Rfc3261_16_4, ATokenOutsideADialogProvesNothing) {
    const std::string line = "Route: <sip:" + token() + "@192.0.2.1:5060;lr>";
    const Routing routing = route(Read(request_text("INVITE sip:x@203.0.113.9", {line})));
    EXPECT_FALSE(routing.token);
    EXPECT_TRUE(routing.has_refused_token);
}

TEST_F(Routes_Rfc3261_16_4, AMalformedRouteOrUriIsRefused) {
    const Read route_text(
        request_text("INVITE sip:x@203.0.113.9", {"Route: <sip:192.0.2.1;lr>, <sip:"}));
    EXPECT_EQ(preprocess_route(*route_text, keys, kNow).error().code, ErrorCode::malformed_route);
    const Read uri_text(request_text("INVITE sip:@", {}));
    EXPECT_FALSE(preprocess_route(*uri_text, keys, kNow).has_value());
}

}  // namespace
}  // namespace signalbox::proxy
