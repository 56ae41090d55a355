// Covers RFC 3261 §7.1 to §7.5 (start lines, header fields, bodies), §18.3 (Content-Length of
// datagrams), §25.1 (folding). Not covered: framing of streams (stream_framing_test.cpp), checks of
// single fields (check_message_test.cpp).
#include "sip/message_view.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/sip/support.h"

namespace signalbox::sip {
namespace {

using namespace std::string_literals;

TEST(MessageView_Rfc3261_7_1, IndexesARequest) {
    const Parsed message(options_request({"X-Custom: one", "x-custom:two"}, "body"));
    ASSERT_TRUE(message.result) << outcome(message.result);
    const MessageView& view = message.view;
    EXPECT_TRUE(view.is_request());
    EXPECT_EQ(view.status(), 0);
    EXPECT_EQ(view.method(), Method::Options);
    EXPECT_EQ(view.method_text(), "OPTIONS");
    EXPECT_EQ(view.request_uri(), "sip:bob@example.test");
    EXPECT_EQ(view.headers().size(), 8U);
    EXPECT_EQ(view.value(HeaderId::MaxForwards), "70");
    EXPECT_EQ(view.value(HeaderId::CallId), "call-1@192.0.2.1");
    EXPECT_EQ(view.value(HeaderId::Contact), "");
    EXPECT_EQ(view.first(HeaderId::Contact), nullptr);
    EXPECT_EQ(view.body(), "body");
    EXPECT_EQ(view.bytes(), message.bytes);
    EXPECT_EQ(view.bytes().substr(view.headers_end(), 4), "\r\nbo");
    EXPECT_EQ(view.bytes().data(), message.bytes.data());
}

TEST(MessageView_Rfc3261_7_2, IndexesAResponse) {
    const Parsed message(lines({"SIP/2.0 180 Ringing now", "CSeq: 3 INVITE", ""}));
    ASSERT_TRUE(message.result);
    EXPECT_FALSE(message.view.is_request());
    EXPECT_EQ(message.view.status(), 180);
    EXPECT_EQ(message.view.reason(), "Ringing now");
    EXPECT_EQ(message.view.method(), Method::Invite);
    EXPECT_EQ(message.view.method_text(), "INVITE");
    EXPECT_EQ(message.view.request_uri(), "");
}

TEST(MessageView_Rfc3261_7_2, ReasonsMayBeEmptyOrInUtf8) {
    EXPECT_EQ(Parsed("SIP/2.0 200 \r\n\r\n").view.reason(), "");
    EXPECT_EQ(parse_outcome("SIP/2.0 200 \r\n\r\n"), "ok");
    EXPECT_EQ(parse_outcome("SIP/2.0 200\r\n\r\n"), "ok");
    EXPECT_EQ(parse_outcome("sip/2.0 699 x\r\n\r\n"), "ok");
    EXPECT_EQ(parse_outcome("SIP/2.0 200 \xd0\xbe = a\tb\r\n\r\n"), "ok");
}

TEST(MessageView_Rfc3261_7_2, MalformedStatusLinesAreNoRequests) {
    for (const std::string& line :
         {"SIP/2.0 20 OK"s, "SIP/2.0 2000 OK"s, "SIP/2.0 099 x"s, "SIP/2.0 700 x"s,
          "SIP/2.0 -20 x"s, "SIP/2.0 4294967396 x"s, "SIP/2.0  200 OK"s, "SIP/2.0"s, "SIP/2.0 "s,
          "SIP/2 200 OK"s, "SIP/2.0 200 O\0K"s, "SIP/2.0 200\tOK"s, "SIP/2.0x 200 OK"s,
          "SIP/ 200 OK"s}) {
        const Parsed message(line + "\r\n\r\n");
        EXPECT_EQ(outcome(message.result), "Malformed Status-Line") << line;
        EXPECT_FALSE(message.view.is_request()) << line;
        EXPECT_EQ(message.view.status(), -1) << line;
    }
}

TEST(MessageView_Rfc3261_7_1, OtherVersionsAreToldApart) {
    EXPECT_EQ(parse_outcome("OPTIONS sip:x SIP/7.0\r\n\r\n"), "SIP version not supported");
    EXPECT_EQ(parse_outcome("OPTIONS sip:x SIP/2.00\r\n\r\n"), "SIP version not supported");
    EXPECT_EQ(parse_outcome("SIP/3.0 200 OK\r\n\r\n"), "SIP version not supported");
    EXPECT_EQ(parse_outcome("OPTIONS sip:x sip/2.0\r\n\r\n"), "ok");
    EXPECT_EQ(parse_outcome("OPTIONS sip:x HTTP/1.1\r\n\r\n"), "Malformed Request-Line");
}

TEST(MessageView_Rfc3261_7_1, MalformedRequestLinesAreRefused) {
    for (const std::string& line :
         {""s, "OPTIONS"s, "OPTIONS sip:x"s, "OPTIONS  sip:x SIP/2.0"s, "OPTIONS sip:x  SIP/2.0"s,
          "OPTIONS sip:x SIP/2.0 "s, " OPTIONS sip:x SIP/2.0"s, "OPTIONS sip:x; lr SIP/2.0"s,
          "OPTIONS <sip:x> SIP/2.0"s, "OPTIONS sip:\0x SIP/2.0"s, "OPT\0IONS sip:x SIP/2.0"s,
          "OPT{IONS sip:x SIP/2.0"s, "OPTIONS sip:x SIP/2."s, "OPTIONS sip:x SIP/2.0\0"s,
          "OPTIONS sip:\xc3\xbc SIP/2.0"s, "OPTIONS sip:x SIP/2.0\n"s, "OPTIONS sip:x SIP/2.0\r"s,
          "OPTIONS\tsip:x SIP/2.0"s, "OPTIONS SIP/2.0"s}) {
        const std::string rest = line.empty() ? "x\r\n\r\n" : "\r\n\r\n";
        EXPECT_EQ(parse_outcome(line + rest), "Malformed Request-Line") << line;
    }
}

TEST(MessageView_Rfc3261_7_1, MethodsOfAnyTokenPass) {
    const Parsed message("!odd-Method0_*+`.%'~ sip:x SIP/2.0\r\n\r\n");
    EXPECT_TRUE(message.result);
    EXPECT_EQ(message.view.method(), Method::Extension);
    EXPECT_EQ(message.view.method_text(), "!odd-Method0_*+`.%'~");
}

TEST(MessageView_Rfc3261_7_5, LeadingCrlfsAreNoPartOfTheMessage) {
    const Parsed message("\r\n\r\n" + options_request());
    ASSERT_TRUE(message.result);
    EXPECT_EQ(message.view.bytes(), options_request());
    EXPECT_EQ(message.view.headers().front().begin,
              std::string_view("OPTIONS sip:bob@example.test SIP/2.0\r\n").size());
}

TEST(MessageView_Rfc3261_7_3_1, WhiteSpaceAndFoldsAroundValues) {
    const Parsed message(
        "OPTIONS sip:x SIP/2.0\r\nSubject \t:\r\n  a \r\n\tb  \r\n \r\nv:c\r\nTo:\r\nFrom:   "
        "\r\n\r\n");
    ASSERT_TRUE(message.result) << outcome(message.result);
    const MessageView& view = message.view;
    EXPECT_EQ(view.value(HeaderId::Subject), "a \r\n\tb");
    EXPECT_EQ(view.name(*view.first(HeaderId::Subject)), "Subject");
    EXPECT_EQ(view.value(HeaderId::Via), "c");
    EXPECT_EQ(view.value(HeaderId::To), "");
    EXPECT_EQ(view.value(HeaderId::From), "");
    ASSERT_NE(view.first(HeaderId::To), nullptr);
}

TEST(MessageView_Behaviour, HeaderFieldsCoverEveryOctetBetweenStartLineAndEmptyLine) {
    const Parsed message(options_request({"Subject: a\r\n b", "k:", "X:y"}));
    ASSERT_TRUE(message.result);
    size_t expected = message.bytes.find("\r\n") + 2;
    for (const HeaderField& field : message.view.headers()) {
        EXPECT_EQ(field.begin, expected);
        EXPECT_LE(field.begin + field.name_size, field.value_begin);
        EXPECT_LE(field.value_begin, field.value_end);
        EXPECT_LT(field.value_end, field.end);
        expected = field.end;
    }
    EXPECT_EQ(expected, message.view.headers_end());
}

TEST(MessageView_Behaviour, AViewThatIsReadIntoAgainKeepsNothingOfBefore) {
    MessageView view;
    ASSERT_TRUE(
        parse_message("OPTIONS sip:x SIP/2.0\r\nv: 1\r\nv: 2\r\nCSeq: 1 OPTIONS\r\n\r\n", view));
    EXPECT_TRUE(view.is_repeated(HeaderId::Via));
    EXPECT_TRUE(view.cseq().has_value());
    ASSERT_TRUE(parse_message("OPTIONS sip:x SIP/2.0\r\nv: 3\r\nTo: t\r\n\r\n", view));
    EXPECT_FALSE(view.is_repeated(HeaderId::Via));
    EXPECT_EQ(view.next(view.first(HeaderId::Via)), nullptr);
    EXPECT_FALSE(view.cseq().has_value());
}

TEST(MessageView_Rfc3261_7_3_1, FieldsOfOneNameAreFoundInOrderInAnyForm) {
    const Parsed message(
        "OPTIONS sip:x SIP/2.0\r\nVia: 1\r\nv: 2\r\nTo: t\r\nVIA: 3\r\nX-A: 4\r\nX-B: 5\r\n\r\n");
    const MessageView& view = message.view;
    const HeaderField* field = view.first(HeaderId::Via);
    std::string values;
    for (; field != nullptr; field = view.next(field)) values += view.value(*field);
    EXPECT_EQ(values, "123");
    EXPECT_EQ(view.next(view.first(HeaderId::To)), nullptr);
    ASSERT_NE(view.find("x-b"), nullptr);
    EXPECT_EQ(view.value(*view.find("x-b")), "5");
    EXPECT_EQ(view.find("x-c"), nullptr);
}

TEST(MessageView_Rfc3261_7_3_1, MalformedHeaderLinesAreRefused) {
    for (const std::string& line :
         {"NoColon"s, ": value"s, "Na me: x"s, "Na\0me: x"s, "Na\x01me: x"s, "N\xc3\xa4me: x"s,
          "Subject: a\nb"s, "Subject: a\rb"s, "Subject: a\n"s, "Subject: a\r"s, "Sub\r\n ject: x"s,
          "Subject\r\n : x"s, "Subject: a\n b"s}) {
        const Parsed message(options_request({line}));
        EXPECT_EQ(outcome(message.result), "Malformed header field") << line;
        EXPECT_EQ(message.result.error().offset, message.bytes.find(line)) << line;
    }
}

TEST(MessageView_Rfc3261_7_3_1, TheFirstHeaderLineMayNotBeAFold) {
    EXPECT_EQ(parse_outcome("OPTIONS sip:x SIP/2.0\r\n folded\r\nTo: x\r\n\r\n"),
              "Malformed header field");
}

TEST(MessageView_Behaviour, NamesHaveAtMost255Octets) {
    EXPECT_EQ(parse_outcome(options_request({std::string(255, 'x') + ": 1"})), "ok");
    EXPECT_EQ(parse_outcome(options_request({std::string(256, 'x') + ": 1"})),
              "Malformed header field");
}

TEST(MessageView_Behaviour, ThereAreAtMostKHeadersMaxFields) {
    std::string text = "OPTIONS sip:x SIP/2.0\r\n";
    for (size_t i = 0; i < kHeadersMax; ++i) text += "X: 1\r\n";
    const Parsed most(text + "\r\n");
    EXPECT_TRUE(most.result);
    EXPECT_EQ(most.view.headers().size(), kHeadersMax);
    const Parsed more(text + "X: 1\r\n\r\n");
    EXPECT_EQ(outcome(more.result), "Too many header fields");
    EXPECT_EQ(more.view.headers().size(), kHeadersMax);
}

TEST(MessageView_Behaviour, AMessageHasAtMostKMessageBytesMaxOctets) {
    const std::string head = options_request();
    EXPECT_EQ(parse_outcome(head + std::string(kMessageBytesMax - head.size(), 'b')), "ok");
    EXPECT_EQ(parse_outcome(head + std::string(kMessageBytesMax - head.size() + 1, 'b')),
              "Message too large");
}

TEST(MessageView_Rfc3261_7, TheEmptyLineMustBeThere) {
    EXPECT_EQ(parse_outcome(""), "Malformed Request-Line");
    EXPECT_EQ(parse_outcome("OPTIONS sip:x SIP/2.0\r\n"), "Incomplete message");
    EXPECT_EQ(parse_outcome("OPTIONS sip:x SIP/2.0\r\nTo: x"), "Incomplete message");
    EXPECT_EQ(parse_outcome("OPTIONS sip:x SIP/2.0\r\nTo: x\r\n"), "Incomplete message");
    EXPECT_EQ(parse_outcome("OPTIONS sip:x SIP/2.0\r\nTo: x\r\n\r"), "Incomplete message");
}

TEST(MessageView_Behaviour, EveryPrefixOfAMessageIsRefusedUpToItsEmptyLine) {
    const std::string whole = options_request({"Content-Length: 3"}, "abc");
    const size_t body = whole.size() - 3;
    for (size_t size = 0; size < whole.size(); ++size) {
        const std::string name = parse_outcome(whole.substr(0, size));
        EXPECT_NE(name, "ok") << size;
        if (size >= body) {
            EXPECT_EQ(name, "Body shorter than Content-Length") << size;
        }
    }
    EXPECT_EQ(parse_outcome(whole), "ok");
}

TEST(MessageView_Rfc3261_18_3, OctetsBehindTheBodyAreIgnored) {
    const Parsed message(options_request({"l : 4"}, "bodyOPTIONS sip:y SIP/2.0\r\n"));
    ASSERT_TRUE(message.result);
    EXPECT_EQ(message.view.body(), "body");
    EXPECT_EQ(message.view.bytes(), options_request({"l : 4"}, "body"));
}

TEST(MessageView_Rfc3261_18_3, WithoutContentLengthTheBodyIsAllThatFollows) {
    EXPECT_EQ(Parsed(options_request({}, "a\0b"s)).view.body(), "a\0b"s);
}

TEST(MessageView_Rfc3261_20_14, MalformedContentLengthsAreRefused) {
    for (const char* value :
         {"", "-1", "4294967296", "18446744073709551617", "1 1", "1,1", "1;x", "1\r\n 1", "0x1"}) {
        const Parsed message(options_request({std::string("Content-Length: ") + value}, "body"));
        EXPECT_EQ(outcome(message.result), "Malformed Content-Length") << value;
        EXPECT_EQ(message.view.body(), "body");
    }
    EXPECT_EQ(parse_outcome(options_request({"Content-Length:\r\n  4"}, "body")), "ok");
    EXPECT_EQ(parse_outcome(options_request({"Content-Length: 5"}, "body")),
              "Body shorter than Content-Length");
    EXPECT_EQ(parse_outcome(options_request({"Content-Length: 4294967295"}, "body")),
              "Body shorter than Content-Length");
}

TEST(MessageView_Rfc3261_8_2, AfterAnErrorTheOtherFieldsAreThereToAnswerWith) {
    const std::string good = options_request();
    for (const std::string& bad :
         {replaced(good, "SIP/2.0\r\nVia", "SIP/3.0\r\nVia"),
          replaced(good, "sip:bob@example.test SIP", "sip:b ob SIP"),
          replaced(good, "Max-Forwards: 70", "Max Forwards: 70"),
          replaced(good, "CSeq: 7 OPTIONS", "CSeq: 7 OPTIONS\r\nContent-Length: 9")}) {
        const Parsed message(bad);
        EXPECT_FALSE(message.result);
        EXPECT_TRUE(message.view.is_request());
        EXPECT_EQ(message.view.method(), Method::Options);
        EXPECT_EQ(message.view.value(HeaderId::Via), "SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK1");
        EXPECT_EQ(message.view.value(HeaderId::CSeq), "7 OPTIONS");
        EXPECT_EQ(message.view.value(HeaderId::CallId), "call-1@192.0.2.1");
    }
}

TEST(MessageView_Behaviour, AViewIsUsedAgainWithoutTracesOfTheMessageBefore) {
    MessageView view;
    EXPECT_EQ(view.first(HeaderId::Via), nullptr);
    const std::string first = options_request({"Subject: x"}, "body");
    ASSERT_TRUE(parse_message(first, view));
    const std::string second = "SIP/2.0 200 OK\r\nTo: y\r\n\r\n";
    ASSERT_TRUE(parse_message(second, view));
    EXPECT_EQ(view.first(HeaderId::Subject), nullptr);
    EXPECT_EQ(view.first(HeaderId::Via), nullptr);
    EXPECT_EQ(view.headers().size(), 1U);
    EXPECT_EQ(view.body(), "");
    EXPECT_EQ(view.request_uri(), "");
    EXPECT_EQ(view.method(), Method::Extension);
    EXPECT_EQ(view.method_text(), "");
}

TEST(Unfold_Rfc3261_7_3_1, EachFoldBecomesOneSpace) {
    std::array<char, 64> scratch;
    EXPECT_EQ(unfold("a\r\n  \tb\r\n c", scratch), "a b c");
    EXPECT_EQ(unfold("a \r\n b", scratch), "a  b");
    EXPECT_EQ(unfold("\r\n a\r\n ", scratch), " a ");
    EXPECT_EQ(unfold("a\rb\r\nc\r\n", scratch), "a\rb\r\nc\r\n");
    EXPECT_EQ(unfold("", scratch), "");
}

TEST(Unfold_Behaviour, AValueWithoutFoldsIsNotCopied) {
    std::array<char, 4> scratch;
    const std::string_view value = "longer than the scratch";
    EXPECT_EQ(unfold(value, scratch).data(), value.data());
    EXPECT_EQ(unfold("ab\r\n cd", scratch), "ab c");
}

}  // namespace
}  // namespace signalbox::sip
