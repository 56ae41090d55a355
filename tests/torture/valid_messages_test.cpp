// Messages that look strange and are right: each must be served.
// Covers: RFC 4475 §3.1.1, with the same faults in our words. Not covered: §3.1.1.8 over streams,
// where the next octets are the next message.
#include "tests/torture/torture_world.h"

namespace signalbox::torture {
namespace {

using namespace std::string_literals;

using Torture_Rfc4475_3_1_1_1 = TortureTest;
using Torture_Rfc4475_3_1_1_2 = TortureTest;
using Torture_Rfc4475_3_1_1_3 = TortureTest;
using Torture_Rfc4475_3_1_1_4 = TortureTest;
using Torture_Rfc4475_3_1_1_5 = TortureTest;
using Torture_Rfc4475_3_1_1_6 = TortureTest;
using Torture_Rfc4475_3_1_1_7 = TortureTest;
using Torture_Rfc4475_3_1_1_8 = TortureTest;
using Torture_Rfc4475_3_1_1_9 = TortureTest;
using Torture_Rfc4475_3_1_1_10 = TortureTest;
using Torture_Rfc4475_3_1_1_11 = TortureTest;
using Torture_Rfc4475_3_1_1_12 = TortureTest;
using Torture_Rfc4475_3_1_1_13 = TortureTest;

// wsinv: folds everywhere, compact names, empty values, leading zeros, Vias mixed and joined,
// unknown fields.
TEST_F(Torture_Rfc4475_3_1_1_1, AShortTortuousInviteIsForwarded) {
    const std::string body =
        "v=0\r\no=- 1 1 IN IP4 198.51.100.10\r\ns=-\r\nc=IN IP4 198.51.100.10\r\nt=0 0\r\nm=audio "
        "4000 RTP/AVP 0\r\n";
    const Message got =
        forwarded(message({"INVITE sip:bob@example.test;unheardof SIP/2.0",
                           "TO :",
                           " sip:bob@example.test",
                           "from   : \"C. \\\\\\\"\"       <sip:carol@elsewhere.test>",
                           "  ;",
                           "  tag = 77tt",
                           "MaX-fOrWaRdS: 0068",
                           "Call-ID: folded.1@198.51.100.10",
                           "Content-Length   : " + std::to_string(body.size()),
                           "cseq: 0012",
                           "  INVITE",
                           "Via  : SIP  /   2.0",
                           " /UDP",
                           "    198.51.100.10;branch=nocookie",
                           "s :",
                           "NewField:   one value",
                           " continued by another",
                           "UnknownFieldOddValue: ;;,,;;,;",
                           "Content-Type: application/sdp",
                           "Route:",
                           " <sip:192.0.2.1;lr;odd-with=value;odd-without>",
                           "v:  SIP  / 2.0  / TCP     far.elsewhere.test   ;",
                           "  branch  =   z9hG4bKfar  ,",
                           " SIP  /    2.0   / UDP  203.0.113.77   ; branch=",
                           " z9hG4bKfarther",
                           "m:\"Quoted \\\"\\\" name\" <sip:carol@198.51.100.10> ; odd =",
                           "      new ;",
                           "  second ; q = 0.33"},
                          body),
                  "INVITE");
    EXPECT_EQ(got.header("Max-Forwards"), "67");
    EXPECT_EQ(got.values("Via").size() + got.values("v").size(), 4U);
    EXPECT_FALSE(got.has("Route"));
    EXPECT_EQ(got.body(), body);
    EXPECT_NE(got.text().find("UnknownFieldOddValue: ;;,,;;,;\r\n"), std::string::npos);
    EXPECT_NE(got.text().find("m:\"Quoted \\\"\\\" name\" <sip:carol@198.51.100.10> ; odd =\r\n    "
                              "  new ;\r\n  second ; q = 0.33\r\n"),
              std::string::npos);
    peer.expect(100);
}

// intmeth: every character that the grammar allows in a method, a user part, a name, a header
// field's name, and UTF-8.
TEST_F(Torture_Rfc4475_3_1_1_2, AWideRangeOfCharactersPasses) {
    const std::string uri =
        "sip:2_odd.USER~(so-be!it)&won't+it$/mad?,/"
        ";;*:&pass+it=2,odd!*pa$s~d_too.(isn't-it)@203.0.113.5:5060";
    const std::string name = "\"BEL:\\\x07 NUL:\\\0 DEL:\\\x7f\" "s;
    const Message got = forwarded(
        message({"!odd-Method0123456789_*+`.%indeed'~ " + uri + " SIP/2.0",
                 "Via: SIP/2.0/UDP 198.51.100.10;branch=z9hG4bK-.!%*_+`'~",
                 "To: " + name + "<" + uri + ">",
                 "From: tok-1.%!*_+`'~ <sip:carol@elsewhere.test>;tag=odd.!%*-_+`'~",
                 "Max-Forwards: 255", "Call-ID: odd%Z-.!%*_+`'~):(<>:\\/\"[?}{",
                 "CSeq: 139122385 !odd-Method0123456789_*+`.%indeed'~",
                 "oddField-!.%*+_`'~: \xef\xbb\xbf\xe5\xa4\xa7\xe5\x81\x9c", "Content-Length: 0"}),
        "!odd-Method0123456789_*+`.%indeed'~", &far);
    EXPECT_EQ(got.uri(), uri);
    EXPECT_EQ(got.header("To"), name + "<" + uri + ">");
    EXPECT_EQ(got.header("Max-Forwards"), "254");
    EXPECT_EQ(got.header("oddField-!.%*+_`'~"), "\xef\xbb\xbf\xe5\xa4\xa7\xe5\x81\x9c");
}

// esc01: escapes are part of a user, and not another at sign.
TEST_F(Torture_Rfc4475_3_1_1_3, EscapesInAUserPartAreNotDecodedOnTheWay) {
    const std::string uri = "sip:sips%3Acarol%40elsewhere.test@203.0.113.5:5060";
    EXPECT_EQ(forwarded(peer.make("INVITE", uri).text(), "INVITE", &far).uri(), uri);
    peer.take_kinds();
    forwarded(peer.make("INVITE", "sip:%62%6Fb@example.test").text(), "INVITE");
}

// escnull: an escaped NUL is a character as any other: it ends nothing.
TEST_F(Torture_Rfc4475_3_1_1_4, EscapedNulsTellContactsApart) {
    RequestText request = peer.make("REGISTER", "sip:example.test");
    request.to = "<sip:nil-%00-nil@example.test>";
    request.contact = "<sip:%00@198.51.100.10>, <sip:%00%00@198.51.100.10>";
    const Outgoing accepted = peer.send(request).expect(200);
    EXPECT_EQ(accepted.response().values("Contact").size(), 2U);
}

// esc02: a percent sign outside a URI is a percent sign: no REGISTER, no Contact, no name.
TEST_F(Torture_Rfc4475_3_1_1_5, APercentSignThatIsNoEscapeIsTakenAsItIs) {
    RequestText request = peer.make("RE%47IST%45R", "sip:example.test");
    request.to = "\"%Z%45\" <sip:bob@example.test>";
    request.with("C%6Fntact: <sip:alias@198.51.100.10>");
    peer.send(request).expect(501);
    EXPECT_EQ(world.gauges().bindings, 1U);  // bob's
    request = peer.make("RE%47IST%45R", bob.aor());
    request.with("C%6Fntact: <sip:alias@198.51.100.10>");
    const Message got = forwarded(request.text(), "RE%47IST%45R");
    EXPECT_EQ(got.header("C%6Fntact"), "<sip:alias@198.51.100.10>");
}

// lwsdisp: no white space between a name and its bracket.
TEST_F(Torture_Rfc4475_3_1_1_6, ANameMayTouchItsBracket) {
    RequestText request = peer.make("OPTIONS", bob.aor());
    request.from = "carol<sip:carol@elsewhere.test>;tag=3";
    EXPECT_EQ(forwarded(request.text(), "OPTIONS").header("From"), request.from);
}

// longreq: names, values, parameters and lists of great length.
TEST_F(Torture_Rfc4475_3_1_1_7, LongValuesPassWhole) {
    const std::string name(1300, 'n');
    RequestText request = peer.make("INVITE", bob.aor());
    request.to =
        "\"" + name + "\" <" + bob.aor() + ";" + name + "=1>;" + name + "=\"" + name + "\"";
    request.call_id = name + "@" + std::string(1200, 'h');
    request.with("Long" + std::string(200, '-') + "Field: " + name);
    for (int i = 0; i < 34; ++i)
        request.with("Via: SIP/2.0/TCP hop" + std::to_string(i) + "." + std::string(60, 'v') +
                     ".test;branch=z9hG4bK" + name.substr(0, 300));
    const Message got = forwarded(request.text(), "INVITE");
    EXPECT_EQ(got.header("To"), request.to);
    EXPECT_EQ(got.header("Call-ID"), request.call_id);
    EXPECT_EQ(got.values("Via").size(), 36U);
}

// dblreq: what stands in a datagram behind a message is not another one.
TEST_F(Torture_Rfc4475_3_1_1_8, ASecondMessageInADatagramIsNoMessage) {
    RequestText request = peer.make("REGISTER", "sip:example.test");
    request.to = "<sip:someone@example.test>";
    const std::string hidden = peer.make("INVITE", bob.aor()).text();
    EXPECT_EQ(answer(request.text() + hidden), "200");
    EXPECT_TRUE(bob.is_silent());
}

// semiuri: what looks like a parameter in a user part belongs to the user.
TEST_F(Torture_Rfc4475_3_1_1_9, ASemicolonInTheUserPartIsPartOfTheUser) {
    EXPECT_EQ(answer(peer.make("OPTIONS", "sip:bob;par=u%40example.test@example.test").text()),
              "404");
    const std::string uri = "sip:bob;par=u%40example.test@203.0.113.5:5060";
    EXPECT_EQ(forwarded(peer.make("OPTIONS", uri).text(), "OPTIONS", &far).uri(), uri);
}

// transports: lower Vias may name transports that nobody here knows.
TEST_F(Torture_Rfc4475_3_1_1_10, UnknownTransportsInLowerViasPass) {
    RequestText request = peer.make("OPTIONS", bob.aor());
    for (const char* transport : {"SCTP", "TLS", "UNKNOWN", "TCP"})
        request.with("Via: SIP/2.0/" + std::string(transport) + " hop.test;branch=z9hG4bK" +
                     transport);
    EXPECT_EQ(forwarded(request.text(), "OPTIONS").values("Via").size(), 6U);
}

// mpart01: a body of several parts with octets of every value.
TEST_F(Torture_Rfc4475_3_1_1_11, AMultipartBodyPassesOctetByOctet) {
    std::string octets;
    for (int i = 0; i < 256; ++i) octets.push_back(static_cast<char>(i));
    RequestText request = peer.make("MESSAGE", bob.aor());
    request.with("Content-Type: multipart/mixed;boundary=7a9cbec02ceef655");
    request.body =
        "--7a9cbec02ceef655\r\nContent-Type: "
        "text/plain\r\n\r\nHello\r\n--7a9cbec02ceef655\r\nContent-Type: "
        "application/octet-stream\r\n"
        "Content-Transfer-Encoding: binary\r\n\r\n" +
        octets + "\r\n--7a9cbec02ceef655--\r\n";
    EXPECT_EQ(forwarded(request.text(), "MESSAGE").body(), request.body);
}

// unreason: a reason may hold any text, in UTF-8 too.
TEST_F(Torture_Rfc4475_3_1_1_12, AnUnusualReasonPasses) {
    const std::string reason =
        "= 3**5 - 4*3**2 \xd0\xba\xd0\xb0\xd0\xba \xd0\xb5\xd1\x81\xd1\x82\xd1\x8c: (\xe2\x82\xac)";
    const Outgoing call = peer.invite(bob).expect(100);
    bob.send_text(replaced(bob.expects("INVITE").response(200), "200 OK", "200 " + reason));
    EXPECT_EQ(peer.expect(200).reason(), reason);
}

// noreason: a reason may be empty.
TEST_F(Torture_Rfc4475_3_1_1_13, AnEmptyReasonPasses) {
    EXPECT_EQ(answer_to_response("183 Session Progress", "183 "), "183");
}

}  // namespace
}  // namespace signalbox::torture
