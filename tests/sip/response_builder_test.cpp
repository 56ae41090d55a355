// Covers RFC 3261 §8.2.6 (fields copied into responses), §16.2 (100) and the phrases of §21.
#include "sip/response_builder.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/sip/support.h"

namespace signalbox::sip {
namespace {

std::string respond(const MessageView& request, int status, std::string_view tag,
                    std::string_view top_via = {}) {
    std::string out = "what was there before";
    ResponseBuilder builder(request, status, {}, tag, out, top_via);
    builder.finish();
    return out;
}

TEST(ResponseBuilder_Rfc3261_8_2_6, CopiesTheFieldsAsReceivedInOrder) {
    const Parsed request(
        "INVITE sip:x SIP/2.0\r\nv : SIP/2.0/UDP a;branch=1,\r\n SIP/2.0/UDP b\r\n"
        "Subject: s\r\nVia: SIP/2.0/UDP c\r\nt: <sip:bob@x>\r\n ;x=1 \r\nFrom: "
        "<sip:alice@x>;tag=9\r\n"
        "i: call\r\nTimestamp: 5\r\nCSeq: 1\r\n INVITE\r\n\r\n");
    ASSERT_TRUE(request.result);
    std::string out;
    ResponseBuilder builder(request.view, 486, "Busy", "t1", out);
    builder.add("Retry-After", "30");
    builder.finish();
    EXPECT_EQ(
        out,
        "SIP/2.0 486 Busy\r\nv : SIP/2.0/UDP a;branch=1,\r\n SIP/2.0/UDP b\r\n"
        "Via: SIP/2.0/UDP c\r\nFrom: <sip:alice@x>;tag=9\r\nt: <sip:bob@x>\r\n ;x=1;tag=t1 \r\n"
        "i: call\r\nCSeq: 1\r\n INVITE\r\nRetry-After: 30\r\nContent-Length: 0\r\n\r\n");
}

TEST(ResponseBuilder_Rfc3261_8_2_6_2, TheTagIsAddedOnceAndNotToA100) {
    const Parsed without(options_request());
    EXPECT_NE(respond(without.view, 200, "t1").find("To: <sip:bob@example.test>;tag=t1\r\n"),
              std::string::npos);
    EXPECT_EQ(respond(without.view, 100, "t1").find("t1"), std::string::npos);
    EXPECT_EQ(respond(without.view, 200, "").find(";tag=\r\n"), std::string::npos);
    const Parsed with(replaced(options_request(), "To: <sip:bob@example.test>",
                               "To: sip:bob@example.test;TAG=old"));
    EXPECT_EQ(respond(with.view, 200, "t1").find("t1"), std::string::npos);
}

TEST(ResponseBuilder_Rfc3261_8_2_6_1, A100CarriesTheTimestamp) {
    const Parsed request(options_request({"Timestamp: 54.2"}));
    EXPECT_NE(respond(request.view, 100, {}).find("\r\nTimestamp: 54.2\r\n"), std::string::npos);
    EXPECT_EQ(respond(request.view, 200, {}).find("Timestamp"), std::string::npos);
}

TEST(ResponseBuilder_Rfc3261_18_2_1, TheStampedViaStandsForTheTopValueOnly) {
    const Parsed request(
        "OPTIONS sip:x SIP/2.0\r\nVia:  SIP/2.0/UDP a;rport ,SIP/2.0/UDP b\r\nv: SIP/2.0/UDP "
        "c\r\n\r\n");
    EXPECT_EQ(respond(request.view, 200, {}, "SIP/2.0/UDP a;rport=5"),
              "SIP/2.0 200 OK\r\nVia:  SIP/2.0/UDP a;rport=5 ,SIP/2.0/UDP b\r\nv: SIP/2.0/UDP c\r\n"
              "Content-Length: 0\r\n\r\n");
}

TEST(ResponseBuilder_Rfc3261_8_2_6, ARequestThatCouldNotBeParsedIsAnsweredWithWhatItHas) {
    const Parsed request(
        "OPTIONS sip:x SIP/9.0\r\nTo: \"Bob <sip:bob@x>\r\nVia: SIP/2.0/UDP a\r\n\r\n");
    EXPECT_FALSE(request.result);
    EXPECT_EQ(respond(request.view, 505, "t1"),
              "SIP/2.0 505 Version Not Supported\r\nVia: SIP/2.0/UDP a\r\n"
              "To: \"Bob <sip:bob@x>;tag=t1\r\nContent-Length: 0\r\n\r\n");
}

TEST(ResponseBuilder_Rfc3261_8_2_6, OnlyTheFirstOfDuplicatesIsCopied) {
    const Parsed request(options_request({"CSeq: 8 OPTIONS", "Call-ID: other"}));
    const std::string out = respond(request.view, 400, "t1");
    EXPECT_EQ(out.find("CSeq: 8"), std::string::npos);
    EXPECT_EQ(out.find("other"), std::string::npos);
}

TEST(ResponseBuilder_Rfc3261_7_4, ABodyComesWithItsTypeAndLength) {
    const Parsed request(options_request());
    std::string out;
    ResponseBuilder builder(request.view, 200, {}, "t1", out);
    builder.finish("text/plain", "hello");
    EXPECT_EQ(out.substr(out.find("Content-Type")),
              "Content-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello");
}

TEST(ResponseBuilder_Behaviour, WhatItBuildsParsesAndChecks) {
    const Parsed request(options_request());
    const std::string out = respond(request.view, 404, "t1");
    EXPECT_EQ(check_outcome(out), "ok");
    EXPECT_EQ(Parsed(out).view.status(), 404);
}

TEST(DefaultReason_Rfc3261_21, KnownStatusesHaveTheirPhraseAndOthersTheirClass) {
    EXPECT_EQ(default_reason(100), "Trying");
    EXPECT_EQ(default_reason(407), "Proxy Authentication Required");
    EXPECT_EQ(default_reason(483), "Too Many Hops");
    EXPECT_EQ(default_reason(606), "Not Acceptable");
    EXPECT_EQ(default_reason(299), "Success");
    EXPECT_EQ(default_reason(499), "Client Failure");
    EXPECT_EQ(default_reason(0), "Unknown");
    EXPECT_EQ(default_reason(700), "Unknown");
    EXPECT_EQ(default_reason(-100), "Unknown");
}

}  // namespace
}  // namespace signalbox::sip
