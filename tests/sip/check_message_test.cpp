// Covers RFC 3261 §8.1.1 and §8.2 (mandatory fields), §16.3 step 1 (reasonable syntax), and that
// every error names its field.
#include <gtest/gtest.h>

#include <string>

#include "tests/sip/support.h"

namespace signalbox::sip {
namespace {

std::string without(std::string_view name) {
    std::string out;
    const std::string whole = options_request();
    for (size_t at = 0; at < whole.size();) {
        const size_t end = whole.find("\r\n", at) + 2;
        const std::string line = whole.substr(at, end - at);
        if (line.rfind(std::string(name) + ":", 0) != 0) out += line;
        at = end;
    }
    return out;
}

/// The request with the value of one field replaced.
std::string with(std::string_view name, std::string_view value) {
    std::string out = without(name);
    return replaced(out, "SIP/2.0\r\n",
                    "SIP/2.0\r\n" + std::string(name) + ": " + std::string(value) + "\r\n");
}

TEST(CheckMessage_Rfc3261_8_1_1, AWellFormedRequestPasses) {
    EXPECT_EQ(check_outcome(options_request()), "ok");
    EXPECT_EQ(check_outcome(without("Max-Forwards")), "ok");
    EXPECT_EQ(check_outcome(options_request({"Content-Length: 0"})), "ok");
}

TEST(CheckMessage_Rfc3261_8_1_1, MissingFieldsAreNamed) {
    EXPECT_EQ(check_outcome(without("Via")), "Missing Via");
    EXPECT_EQ(check_outcome(without("From")), "Missing From");
    EXPECT_EQ(check_outcome(without("To")), "Missing To");
    EXPECT_EQ(check_outcome(without("Call-ID")), "Missing Call-ID");
    EXPECT_EQ(check_outcome(without("CSeq")), "Missing CSeq");
}

TEST(CheckMessage_Rfc3261_7_3_1, FieldsThatMayComeOnceAreRefusedTwiceInAnyForm) {
    EXPECT_EQ(check_outcome(options_request({"f: <sip:x@y>;tag=1"})), "More than one From");
    EXPECT_EQ(check_outcome(options_request({"t: <sip:x@y>"})), "More than one To");
    EXPECT_EQ(check_outcome(options_request({"i: call-1@192.0.2.1"})), "More than one Call-ID");
    EXPECT_EQ(check_outcome(options_request({"CSEQ: 7 OPTIONS"})), "More than one CSeq");
    EXPECT_EQ(check_outcome(options_request({"max-forwards: 70"})), "More than one Max-Forwards");
    EXPECT_EQ(check_outcome(options_request({"Content-Length: 0", "l: 0"})),
              "More than one Content-Length");
    EXPECT_EQ(check_outcome(options_request({"Via: SIP/2.0/UDP x;branch=z9hG4bK2"})), "ok");
}

TEST(CheckMessage_Rfc3261_16_3, MalformedFieldsAreNamed) {
    EXPECT_EQ(check_outcome(with("Via", "SIP/2.0/UDP 192.0.2.15;;,;,,")), "Malformed Via");
    EXPECT_EQ(check_outcome(with("From", "Watson, Thomas <sip:a@x>;tag=1")), "Malformed From");
    EXPECT_EQ(check_outcome(with("From", "<sip:a@x>;tag=1, <sip:b@x>;tag=2")), "Malformed From");
    EXPECT_EQ(check_outcome(with("To", "\"Mr. Bob <sip:bob@x>")), "Malformed To");
    EXPECT_EQ(check_outcome(with("To", "<sip:bob@x>, <sip:carol@x>")), "Malformed To");
    EXPECT_EQ(check_outcome(with("Call-ID", "a b")), "Malformed Call-ID");
    EXPECT_EQ(check_outcome(with("CSeq", "2147483648 OPTIONS")), "Malformed CSeq");
    EXPECT_EQ(check_outcome(with("Max-Forwards", "256")), "Malformed Max-Forwards");
    EXPECT_EQ(check_outcome(with("Max-Forwards", "-1")), "Malformed Max-Forwards");
}

TEST(CheckMessage_Rfc3261_8_1_1_7, TheTopViaIsOfSip2) {
    const std::string other = "Via of another protocol than SIP/2.0";
    for (const std::string protocol : {"SIP/3.0", "HTTP/2.0", "SIP/2.00", "SIPS/2.0", "SIP/2"}) {
        EXPECT_EQ(check_outcome(with("Via", protocol + "/UDP 192.0.2.15;branch=z9hG4bK1")), other);
    }
    EXPECT_EQ(check_outcome(with("Via", "sip / 2.0 / UDP 192.0.2.15;branch=z9hG4bK1")), "ok");
    EXPECT_EQ(check_outcome(with("Via",
                                 "SIP/2.0/UDP 192.0.2.15;branch=z9hG4bK1, "
                                 "SIP/3.0/UDP 192.0.2.16;branch=z9hG4bK2")),
              "ok");
    EXPECT_EQ(check_outcome(options_request({"Via: HTTP/1.1/TCP 192.0.2.16"})), "ok");
}

TEST(CheckMessage_Rfc3261_8_1_1_5, TheMethodsOfCSeqAndRequestLineAgree) {
    EXPECT_EQ(check_outcome(with("CSeq", "7 INVITE")), "CSeq method differs from the request's");
    EXPECT_EQ(check_outcome(with("CSeq", "7 options")), "CSeq method differs from the request's");
    std::string extension = replaced(options_request(), "OPTIONS", "ONE");
    EXPECT_EQ(check_outcome(extension), "ok");
    EXPECT_EQ(check_outcome(replaced(extension, "7 ONE", "7 TWO")),
              "CSeq method differs from the request's");
}

TEST(CheckMessage_Rfc3261_16_3, FieldsBelowTheTopViaAndUnknownOnesAreNotOurs) {
    EXPECT_EQ(check_outcome(options_request(
                  {"Via: nonsense", "Contact: \"x", "Date: yesterday", "X-Other: \xff\x01"})),
              "ok");
}

TEST(CheckMessage_Rfc3261_8_2, ErrorsTellTheirPlace) {
    const Parsed message(with("Call-ID", "a b"));
    const auto result = check_message(message.view);
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().offset, message.bytes.find("a b"));
}

TEST(CheckMessage_Rfc3261_17_1_3, ResponsesAreHeldToTheSame) {
    const std::string response =
        replaced(options_request(), "OPTIONS sip:bob@example.test SIP/2.0", "SIP/2.0 200 OK");
    EXPECT_EQ(check_outcome(response), "ok");
    EXPECT_EQ(check_outcome(replaced(response, "CSeq: 7", "CSeq: -7")), "Malformed CSeq");
}

TEST(CheckMessage_Rfc3261_17_1_3, OfTheFromAndToOfAResponseOnlyTheTagsAreRead) {
    const auto response = [](std::string_view from, std::string_view to) {
        return lines({"SIP/2.0 200 OK", "Via: SIP/2.0/UDP p.example.test;branch=z9hG4bK1",
                      "From: " + std::string(from), "To: " + std::string(to), "Call-ID: 1",
                      "CSeq: 7 OPTIONS", ""});
    };
    EXPECT_EQ(check_outcome(response("<sip:alice@@x>;tag=a", "<no uri>;tag=b")), "ok");
    EXPECT_EQ(check_outcome(response("<sip:x>;tag=a;tag=b", "<sip:y>")), "Malformed From");
    EXPECT_EQ(check_outcome(response("<sip:x>", "<no uri;tag=b")), "Malformed To");
    EXPECT_EQ(check_outcome(response("<sip:x>", "<sip:y>, <sip:z>")), "Malformed To");
}

TEST(CheckMessage_Rfc3261_7_3_1, CompactFormsFoldsAndCaseOfEveryFieldPass) {
    EXPECT_EQ(
        check_outcome("OPTIONS sip:x SIP/2.0\r\n"
                      "v: SIP  / 2.0\r\n /UDP\r\n   192.0.2.2;branch=390skdjuw\r\n"
                      "TO :\r\n sip:vivekg@chair.example.test ;   tag    = 1918181833n\r\n"
                      "f  : \"J Rosenberg \\\\\\\"\"       <sip:jdrosen@example.test>\r\n  ;\r\n"
                      "  tag = 98asjd8\r\n"
                      "MaX-fOrWaRdS: 0068\r\n"
                      "Call-ID: wsinv.ndaksdj@192.0.2.1\r\n"
                      "l: 0\r\n"
                      "cseq: 0009\r\n  OPTIONS\r\n\r\n"),
        "ok");
}

}  // namespace
}  // namespace signalbox::sip
