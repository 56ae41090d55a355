// How a response is rendered for the next element upstream.
// Covers: RFC 3261 §16.7 steps 3, 8 and 9. Not covered: where it goes (transactions,
// stateless_test).
#include "proxy/response_forwarding.h"

#include <gtest/gtest.h>

#include "proxy/dialog_token.h"
#include "proxy/request_forwarding.h"
#include "tests/proxy/support.h"

namespace signalbox::proxy {
namespace {

using testing::kNow;

struct ResponseTest : ::testing::Test {
    crypto::TokenKeys keys = testing::token_keys();
    ports::Snapshot snapshot = testing::snapshot();
    transport::Flow caller = testing::flow();
    transport::Flow callee = testing::flow("203.0.113.9:5060");
    std::string out;

    static constexpr uint64_t kLoopHash = 0x500000077;

    std::string own_route(const transport::Flow& flow, uint64_t loop_hash = kLoopHash) const {
        DialogToken token{42, 1, false, flow, passage_of(loop_hash)};
        token.caller_identity = 3;
        token.callee_identity = 4;
        token.leads_to_caller = true;
        return "<sip:" + std::string(seal_dialog_token(token, 1, keys).view()) +
               "@192.0.2.1:5060;lr>";
    }
    static std::string text(std::string_view status, std::string_view method,
                            const std::string& lines) {
        return "SIP/2.0 " + std::string(status) + "\r\n" +
               "Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKours\r\n" +
               "Via: SIP/2.0/UDP 198.51.100.10:5060;branch=z9hG4bKone\r\n" + lines +
               "From: <sip:a@elsewhere.test>;tag=a1\r\nTo: <sip:b@example.test>;tag=b1\r\n"
               "Call-ID: c\r\nCSeq: 1 " +
               std::string(method) +
               "\r\nContact: <sip:b@203.0.113.9>\r\nContent-Length: 0\r\n\r\n";
    }
    bool render(const std::string& response, bool is_direct = true) {
        sip::MessageView view;
        CHECK(sip::parse_message(response, view).has_value());
        const auto fields = sip::check_message(view);
        CHECK(fields.has_value());
        transaction::BranchFields branch;
        branch.loop_hash = kLoopHash;
        return render_response({view, callee, *fields, branch}, caller, is_direct, snapshot, 1,
                               keys, kNow, out);
    }
    /// What the nth of our Record-Routes in `out` says.
    DialogToken token(size_t nth = 0) const {
        size_t at = 0;
        for (size_t i = 0; i <= nth; ++i) {
            const size_t end = out.find("@192.0.2.1:5060;lr>", at);
            CHECK(end != std::string::npos);
            const size_t begin = out.rfind("sip:", end) + 4;
            at = end + 1;
            if (i == nth) {
                const auto opened =
                    open_dialog_token(std::string_view(out).substr(begin, end - begin), keys, kNow,
                                      snapshot.listeners);
                CHECK(opened.has_value());
                return *opened;
            }
        }
        return {};
    }
};

using ResponseForwarding_Rfc3261_16_7 = ResponseTest;

TEST_F(ResponseForwarding_Rfc3261_16_7, TakesOurViaOffAndKeepsEveryOtherOctet) {
    const std::string given = text("486 Busy  here", "INVITE", "x-Odd :  1\r\n");
    ASSERT_TRUE(render(given));
    std::string expected = given;
    const size_t via = expected.find("Via:");
    expected.erase(via, expected.find("\r\n", via) + 2 - via);
    EXPECT_EQ(out, expected);
}

TEST_F(ResponseForwarding_Rfc3261_16_7, TakesTheFirstValueOfACommaList) {
    std::string given = text("200 OK", "MESSAGE", "");
    const std::string split = "\r\nVia: SIP/2.0/UDP 198.51.100.10";
    given.replace(given.find(split), split.size(), ", SIP/2.0/UDP 198.51.100.10");
    ASSERT_TRUE(render(given));
    EXPECT_NE(out.find("Via: SIP/2.0/UDP 198.51.100.10:5060;branch=z9hG4bKone\r\n"),
              std::string::npos);
    EXPECT_EQ(out.find("z9hG4bKours"), std::string::npos);
}

TEST_F(ResponseForwarding_Rfc3261_16_7, WithoutASecondViaItEndsHere) {
    std::string given = text("200 OK", "MESSAGE", "");
    const size_t via = given.find("Via: SIP/2.0/UDP 198");
    given.erase(via, given.find("\r\n", via) + 2 - via);
    EXPECT_FALSE(render(given));
}

TEST_F(ResponseForwarding_Rfc3261_16_7, OurRecordRouteNamesTheCalleeForTheCaller) {
    ASSERT_TRUE(render(text("200 OK", "INVITE", "Record-Route: " + own_route(caller) + "\r\n")));
    EXPECT_EQ(token().flow, callee);
    EXPECT_EQ(token().dialog, 42U);
    EXPECT_EQ(token().next_hop, hop_hash(*sip::parse_uri("sip:203.0.113.9")));
    EXPECT_FALSE(token().is_nated);
}

TEST_F(ResponseForwarding_Rfc3261_16_7, ARecordRouteBelowOursIsTheNextHop) {
    ASSERT_TRUE(render(text("183 Progress", "INVITE",
                            "Record-Route: <sip:203.0.113.1;lr>, " + own_route(caller) +
                                ", <sip:203.0.113.2;lr>\r\n")));
    EXPECT_EQ(token().next_hop, hop_hash(*sip::parse_uri("sip:203.0.113.1")));
    EXPECT_NE(out.find("Record-Route: <sip:203.0.113.1;lr>, <sip:"), std::string::npos);
    EXPECT_NE(out.find(", <sip:203.0.113.2;lr>\r\n"), std::string::npos);
}

TEST_F(ResponseForwarding_Rfc3261_16_7, BothOfADoubledRecordRouteAreChanged) {
    ASSERT_TRUE(
        render(text("200 OK", "INVITE",
                    "Record-Route: " + own_route(caller) + ", " + own_route(caller) + "\r\n")));
    EXPECT_EQ(token(0).flow, callee);
    EXPECT_EQ(token(1).flow, callee);
}

TEST_F(ResponseForwarding_Rfc3261_16_7, TheRecordRouteOfAnotherPassageIsLeftAlone) {
    // It may have come by the same flow: a phone behind the same proxy, or the phone that called.
    ASSERT_TRUE(render(text("200 OK", "INVITE",
                            "Record-Route: " + own_route(caller, kLoopHash + 1) + ", " +
                                own_route(caller) + ", " + own_route(caller, 1) + "\r\n")));
    EXPECT_EQ(token(0).flow, caller);
    EXPECT_EQ(token(1).flow, callee);
    EXPECT_EQ(token(1).passage, passage_of(kLoopHash));
    EXPECT_EQ(token(2).flow, caller);
}

TEST_F(ResponseForwarding_Rfc3261_16_7, ANatIsSeenAtThePhoneOnly) {
    std::string given = text("200 OK", "INVITE", "Record-Route: " + own_route(caller) + "\r\n");
    given.replace(given.find("sip:b@203.0.113.9"), 17, "sip:b@10.0.0.9");
    ASSERT_TRUE(render(given));
    EXPECT_TRUE(token().is_nated);
    ASSERT_TRUE(render(given, false));
    EXPECT_FALSE(token().is_nated);
}

TEST_F(ResponseForwarding_Rfc3261_16_7, FailuresAndOtherMethodsKeepTheirRecordRoute) {
    const std::string line = "Record-Route: " + own_route(caller) + "\r\n";
    for (const auto& [status, method] :
         {std::pair{"486 Busy", "INVITE"}, std::pair{"200 OK", "MESSAGE"}}) {
        ASSERT_TRUE(render(text(status, method, line)));
        EXPECT_NE(out.find(line), std::string::npos);
    }
}

TEST_F(ResponseForwarding_Rfc3261_16_7, ARecordRouteOfSomebodyElseIsNotTouched) {
    const std::string line =
        "Record-Route: <sip:192.0.2.1:5060;lr>, <sip:tokenlike@192.0.2.1:5060;lr>\r\n";
    ASSERT_TRUE(render(text("200 OK", "INVITE", line)));
    EXPECT_NE(out.find(line), std::string::npos);
}

}  // namespace
}  // namespace signalbox::proxy
