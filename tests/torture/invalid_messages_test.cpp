// Messages that break the grammar: each gets its error or silence, and none is forwarded as if it
// were right. Covers: RFC 4475 §3.1.2, with the same faults in our words.
#include "tests/torture/torture_world.h"

namespace signalbox::torture {
namespace {

using Torture_Rfc4475_3_1_2_1 = TortureTest;
using Torture_Rfc4475_3_1_2_2 = TortureTest;
using Torture_Rfc4475_3_1_2_3 = TortureTest;
using Torture_Rfc4475_3_1_2_4 = TortureTest;
using Torture_Rfc4475_3_1_2_5 = TortureTest;
using Torture_Rfc4475_3_1_2_6 = TortureTest;
using Torture_Rfc4475_3_1_2_7 = TortureTest;
using Torture_Rfc4475_3_1_2_8 = TortureTest;
using Torture_Rfc4475_3_1_2_9 = TortureTest;
using Torture_Rfc4475_3_1_2_10 = TortureTest;
using Torture_Rfc4475_3_1_2_11 = TortureTest;
using Torture_Rfc4475_3_1_2_12 = TortureTest;
using Torture_Rfc4475_3_1_2_13 = TortureTest;
using Torture_Rfc4475_3_1_2_14 = TortureTest;
using Torture_Rfc4475_3_1_2_15 = TortureTest;
using Torture_Rfc4475_3_1_2_16 = TortureTest;
using Torture_Rfc4475_3_1_2_17 = TortureTest;
using Torture_Rfc4475_3_1_2_18 = TortureTest;
using Torture_Rfc4475_3_1_2_19 = TortureTest;

// badinv01: separators with nothing between them. A Via that cannot be read is answered to where it
// came from.
TEST_F(Torture_Rfc4475_3_1_2_1, SeparatorsWithoutValuesGet400) {
    RequestText request = peer.make("INVITE", bob.aor());
    request.via = "SIP/2.0/UDP 198.51.100.10;;,;,,";
    request.contact = "\"Carol\" <sip:carol@198.51.100.10>;;;;";
    EXPECT_EQ(answer(request.text()), "400");
}

// clerr: a datagram that ends before its body does.
TEST_F(Torture_Rfc4475_3_1_2_2, AContentLengthPastTheDatagramGets400) {
    RequestText request = peer.make("INVITE", bob.aor());
    EXPECT_EQ(
        answer(replaced(request.text(), "Content-Length: 0", "Content-Length: 9999") + "v=0\r\n"),
        "400");
}

// ncl: a length below nothing.
TEST_F(Torture_Rfc4475_3_1_2_3, ANegativeContentLengthGets400) {
    RequestText request = peer.make("INVITE", bob.aor());
    EXPECT_EQ(
        answer(replaced(request.text(), "Content-Length: 0", "Content-Length: -999") + "v=0\r\n"),
        "400");
}

// scalar02: numbers past what their fields can hold, in a request.
TEST_F(Torture_Rfc4475_3_1_2_4, OverlargeNumbersOfARequestGet400) {
    RequestText request = peer.make("REGISTER", "sip:example.test");
    request.to = "<sip:someone@example.test>";
    EXPECT_EQ(answer(replaced(request.text(), "CSeq: 1 ", "CSeq: 36893488147419103232 ")), "400");
    EXPECT_EQ(answer(replaced(request.text(), "Max-Forwards: 70", "Max-Forwards: 300")), "400");
    EXPECT_EQ(world.gauges().bindings, 1U);
    // An expiry of any size means the longest.
    request.contact += ";expires=280297596632815";
    const Outgoing accepted = peer.send(request.with("Expires: 10000000000000000000")).expect(200);
    EXPECT_NE(accepted.response().header("Contact").find("expires=7200"), std::string::npos);
}

// scalarlg: the same in a response, which belongs to nothing then.
TEST_F(Torture_Rfc4475_3_1_2_5, OverlargeNumbersOfAResponseMakeItStray) {
    EXPECT_EQ(answer_to_response("CSeq: 1 ", "CSeq: 9292394834772304023312 "), "");
    EXPECT_EQ(answer_to_response("CSeq: 1 ",
                                 "Retry-After: 949302838503028349304023988\r\nWarning: 1812 far "
                                 "\"In Progress\"\r\nCSeq: 1 "),
              "183");
}

// quotbal: a quotation without an end.
TEST_F(Torture_Rfc4475_3_1_2_6, AnUnbalancedQuotationGets400) {
    RequestText request = peer.make("INVITE", bob.aor());
    request.to = "\"Mr. B. User <" + bob.aor() + ">";
    EXPECT_EQ(answer(request.text()), "400");
}

// ltgtruri: brackets around the Request-URI.
TEST_F(Torture_Rfc4475_3_1_2_7, ARequestUriInBracketsGets400) {
    EXPECT_EQ(
        answer(replaced(peer.make("INVITE", bob.aor()).text(), bob.aor(), "<" + bob.aor() + ">")),
        "400");
}

// lwsruri: a space within the Request-URI.
TEST_F(Torture_Rfc4475_3_1_2_8, ASpaceInTheRequestUriGets400) {
    EXPECT_EQ(
        answer(replaced(peer.make("INVITE", bob.aor()).text(), bob.aor(), bob.aor() + "; lr")),
        "400");
}

// lwsstart: more than one space in the request line.
TEST_F(Torture_Rfc4475_3_1_2_9, TwoSpacesInTheRequestLineGet400) {
    EXPECT_EQ(
        answer(replaced(peer.make("INVITE", bob.aor()).text(), " SIP/2.0\r\n", "  SIP/2.0\r\n")),
        "400");
    EXPECT_EQ(answer(replaced(peer.make("INVITE", bob.aor()).text(), "INVITE ", "INVITE  ")),
              "400");
}

// trws: spaces at the end of the request line.
TEST_F(Torture_Rfc4475_3_1_2_10, SpacesBehindTheVersionGet400) {
    EXPECT_EQ(
        answer(replaced(peer.make("OPTIONS", bob.aor()).text(), " SIP/2.0\r\n", " SIP/2.0  \r\n")),
        "400");
}

// escruri: header fields in the Request-URI go no further, neither there nor as header fields.
TEST_F(Torture_Rfc4475_3_1_2_11, HeaderFieldsOfTheRequestUriGoNoFurther) {
    const std::string fields = "?Route=%3Csip:203.0.113.66%3Blr%3E&Subject=gift";
    const Message at_bob = forwarded(peer.make("INVITE", bob.aor() + fields).text(), "INVITE");
    EXPECT_EQ(at_bob.uri(), "sip:bob@198.51.100.20:5060");
    const Message abroad =
        forwarded(peer.make("INVITE", "sip:any@203.0.113.5:5060" + fields).text(), "INVITE", &far);
    EXPECT_EQ(abroad.uri(), "sip:any@203.0.113.5:5060");
    for (const Message& got : {at_bob, abroad})
        EXPECT_FALSE(got.has("Route") || got.has("Subject"));
}

// baddate: a time zone that Date may not have is nothing that a proxy reads.
TEST_F(Torture_Rfc4475_3_1_2_12, AMalformedDatePassesAsItIs) {
    RequestText request = peer.make("INVITE", bob.aor());
    request.with("Date: Thu, 25 Nov 2027 16:00:00 EST");
    EXPECT_EQ(forwarded(request.text(), "INVITE").header("Date"), "Thu, 25 Nov 2027 16:00:00 EST");
}

// regbadct: a URI with a question mark and without brackets.
TEST_F(Torture_Rfc4475_3_1_2_13, AContactWithFieldsAndWithoutBracketsGets400) {
    RequestText request = peer.make("REGISTER", "sip:example.test");
    request.to = "<sip:someone@example.test>";
    request.contact = "sip:someone@198.51.100.10?Route=%3Csip:203.0.113.66%3E";
    EXPECT_EQ(answer(request.text()), "400");
    EXPECT_EQ(world.gauges().bindings, 1U);
}

// badaspec: spaces between the brackets and the URI.
TEST_F(Torture_Rfc4475_3_1_2_14, SpacesWithinTheBracketsGet400) {
    RequestText request = peer.make("OPTIONS", bob.aor());
    request.to = "\"User, Bob\" < " + bob.aor() + " >";
    EXPECT_EQ(answer(request.text()), "400");
}

// baddn: a comma in a name without quotation marks.
TEST_F(Torture_Rfc4475_3_1_2_15, ANameOfOtherCharactersWithoutQuotationGets400) {
    RequestText request = peer.make("OPTIONS", bob.aor());
    request.from = "Carol, C. <sip:carol@elsewhere.test>;tag=43";
    EXPECT_EQ(answer(request.text()), "400");
}

// badvers: another version in the request line and in the Via. A Via that cannot be read is
// answered to where it came from.
TEST_F(Torture_Rfc4475_3_1_2_16, AnotherVersionGets505) {
    for (const char* version : {"SIP/7.0", "SIP/3.0", "SIP/2.1", "SIP/1.0", "SIP/20.0"}) {
        RequestText request = peer.make("OPTIONS", bob.aor());
        const std::string text =
            replaced(request.text(), " SIP/2.0\r\n", " " + std::string(version) + "\r\n");
        EXPECT_EQ(answer(text), "505") << version;
        EXPECT_EQ(answer(replaced(text, "Via: SIP/2.0", "Via: " + std::string(version))), "505")
            << version;
    }
}

// mismatch01: two known methods.
TEST_F(Torture_Rfc4475_3_1_2_17, AKnownMethodThatCSeqDoesNotHaveGets400) {
    EXPECT_EQ(answer(replaced(peer.make("OPTIONS", bob.aor()).text(), "CSeq: 1 OPTIONS",
                              "CSeq: 8 INVITE")),
              "400");
}

// mismatch02: an unknown method in the request line.
TEST_F(Torture_Rfc4475_3_1_2_18, AnUnknownMethodThatCSeqDoesNotHaveGets400) {
    EXPECT_EQ(answer(replaced(peer.make("NEWMETHOD", bob.aor()).text(), "CSeq: 1 NEWMETHOD",
                              "CSeq: 8 INVITE")),
              "400");
}

// bigcode: a status that no integer of three digits holds.
TEST_F(Torture_Rfc4475_3_1_2_19, AnOverlargeStatusMakesAResponseStray) {
    EXPECT_EQ(answer_to_response("SIP/2.0 183", "SIP/2.0 4294967479"), "");  // 183 in 32 bits
    EXPECT_EQ(answer_to_response("SIP/2.0 183", "SIP/2.0 700"), "");
    EXPECT_EQ(answer_to_response("SIP/2.0 183", "SIP/2.0 99"), "");
}

}  // namespace
}  // namespace signalbox::torture
