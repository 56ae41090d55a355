// Messages that are well-formed and ask for what cannot be, or come from another time.
// Covers: RFC 4475 §3.2 (transactions), §3.3 (applications), §3.4 (RFC 2543), with the same faults
// in our words.
#include "tests/torture/torture_world.h"

namespace signalbox::torture {
namespace {

using Torture_Rfc4475_3_2_1 = TortureTest;
using Torture_Rfc4475_3_3_1 = TortureTest;
using Torture_Rfc4475_3_3_2 = TortureTest;
using Torture_Rfc4475_3_3_3 = TortureTest;
using Torture_Rfc4475_3_3_4 = TortureTest;
using Torture_Rfc4475_3_3_5 = TortureTest;
using Torture_Rfc4475_3_3_6 = TortureTest;
using Torture_Rfc4475_3_3_7 = TortureTest;
using Torture_Rfc4475_3_3_8 = TortureTest;
using Torture_Rfc4475_3_3_9 = TortureTest;
using Torture_Rfc4475_3_3_10 = TortureTest;
using Torture_Rfc4475_3_3_11 = TortureTest;
using Torture_Rfc4475_3_3_12 = TortureTest;
using Torture_Rfc4475_3_3_13 = TortureTest;
using Torture_Rfc4475_3_3_14 = TortureTest;
using Torture_Rfc4475_3_3_15 = TortureTest;
using Torture_Rfc4475_3_4_1 = TortureTest;

// badbranch: the cookie with nothing behind it tells no two transactions apart: the other fields
// do.
TEST_F(Torture_Rfc4475_3_2_1, TheCookieAloneIsNoTransactionsName) {
    for (int i = 0; i < 2; ++i) {
        RequestText request = peer.make("MESSAGE", bob.aor());
        request.via = "SIP/2.0/UDP 198.51.100.10:5060;rport;branch=z9hG4bK";
        forwarded(request.text(), "MESSAGE");
        peer.send_text(request.text());
        EXPECT_TRUE(bob.is_silent()) << "a retransmission was forwarded";
    }
}

// insuf: From, To and Call-ID are missing.
TEST_F(Torture_Rfc4475_3_3_1, MissingFieldsGet400) {
    EXPECT_EQ(answer(message({"INVITE sip:bob@example.test SIP/2.0", "CSeq: 193942 INVITE",
                              "Via: SIP/2.0/UDP 198.51.100.10;branch=z9hG4bKinsuf",
                              "Content-Type: application/sdp", "l: 5"},
                             "v=0\r\n")),
              "400");
}

// unkscm: a scheme that nobody knows.
TEST_F(Torture_Rfc4475_3_3_2, AnUnknownSchemeGets416) {
    EXPECT_EQ(answer(replaced(peer.make("OPTIONS", bob.aor()).text(), bob.aor(),
                              "unheardofscheme:whollyopaque")),
              "416");
}

// novelsc: a scheme that exists and is none of SIP's.
TEST_F(Torture_Rfc4475_3_3_3, AnUncommonSchemeGets416) {
    EXPECT_EQ(answer(replaced(peer.make("OPTIONS", bob.aor()).text(), bob.aor(),
                              "soap.beep://203.0.113.5:3002")),
              "416");
}

// unksm2: unknown schemes in To, From and Contact of a REGISTER. The one of To is why nothing is
// bound; a Contact may be of any (RFC 3261 §10.2.1).
TEST_F(Torture_Rfc4475_3_3_4, AnUnknownSchemeOfToBindsNothingAndOneOfContactIsABinding) {
    RequestText request = peer.make("REGISTER", "sip:example.test");
    request.to = "isbn:9780131103627";
    request.from = "<http://www.elsewhere.test>;tag=32";
    request.contact = "<name:Carol_User>";
    EXPECT_EQ(answer(request.text()), "404");
    EXPECT_EQ(world.gauges().bindings, 1U);
    request.to = "<sip:someone@example.test>";
    EXPECT_EQ(answer(request.text()), "200");
    EXPECT_EQ(world.gauges().bindings, 2U);
    // In a request that is forwarded they are nobody's business here.
    RequestText other = peer.make("OPTIONS", bob.aor());
    other.to = "isbn:9780131103627";
    other.from = "<http://www.elsewhere.test>;tag=32";
    forwarded(other.text(), "OPTIONS");
}

// bext01: extensions that a proxy or the server must understand and does not.
TEST_F(Torture_Rfc4475_3_3_5, EveryUnknownExtensionIsNamed) {
    RequestText request = peer.make("OPTIONS", bob.aor());
    request.with("Require: noneKnowsThis, norThis").with("Proxy-Require: noneKnowsThat, norThat");
    Outgoing refused = peer.send(request).expect(420);
    EXPECT_EQ(refused.response().values("Unsupported"),
              (std::vector<std::string>{"noneKnowsThat", "norThat"}));
    request = peer.make("OPTIONS", "sip:example.test");
    refused = peer.send(request.with("Require: noneKnowsThis, norThis")).expect(420);
    EXPECT_EQ(refused.response().values("Unsupported"),
              (std::vector<std::string>{"noneKnowsThis", "norThis"}));
}

// invut: a body of an unknown type: a proxy does not read it, a user agent refuses it.
TEST_F(Torture_Rfc4475_3_3_6, ABodyOfAnUnknownTypeIsForwardedAndRefusedByTheServerItself) {
    RequestText request = peer.make("INVITE", bob.aor());
    request.with("Content-Type: application/unheardof").body =
        "<audio>\r\n <pcmu port=\"443\"/>\r\n</audio>\r\n";
    EXPECT_EQ(forwarded(request.text(), "INVITE").body(), request.body);
    peer.take_kinds();
    request.method = "OPTIONS";
    request.uri = "sip:example.test";
    request.via = peer.fresh_via();
    EXPECT_EQ(peer.send(request).expect(415).response().header("Accept"), "application/sdp");
}

// regaut01: credentials of a scheme that nobody knows are none.
TEST_F(Torture_Rfc4475_3_3_7, CredentialsOfAnUnknownSchemeAreChallenged) {
    Phone& dora = world.registered("dora", "198.51.100.40:5060");
    dora.send(dora.registration().with("Authorization: UnheardOf opaque-data=here")).expect(401);
}

// multi01: fields that stand once, twice.
TEST_F(Torture_Rfc4475_3_3_8, FieldsThatMayStandOnceGet400Twice) {
    for (const char* line :
         {"CSeq: 59 INVITE", "Call-ID: another", "From: <sip:eve@elsewhere.test>;tag=e",
          "To: <sip:eve@elsewhere.test>", "Max-Forwards: 5"}) {
        RequestText request = peer.make("INVITE", bob.aor());
        EXPECT_EQ(answer(request.with(line).text()), "400") << line;
    }
}

// mcl01: two lengths: nobody knows where the body ends.
TEST_F(Torture_Rfc4475_3_3_9, TwoContentLengthsGet400) {
    RequestText request = peer.make("OPTIONS", bob.aor());
    request.body = "There is not";
    EXPECT_EQ(answer(request.with("Content-Length: 5").text()), "400");
}

// bcast: a response whose second Via names everybody.
TEST_F(Torture_Rfc4475_3_3_10, AResponseIsNeverSentToEverybody) {
    bob.send_text(message({"SIP/2.0 200 OK", "Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKnone",
                           "Via: SIP/2.0/UDP 255.255.255.255;branch=z9hG4bKall", "Call-ID: bcast",
                           "CSeq: 14 INVITE", "To: <sip:bob@example.test>;tag=2",
                           "From: <sip:carol@elsewhere.test>;tag=1", "Content-Length: 0"}));
    EXPECT_TRUE(peer.is_silent() && bob.is_silent() && world.undelivered.empty());
    // A request that names everybody is answered to where it came from.
    RequestText request = peer.make("OPTIONS", "sip:example.test");
    request.via = "SIP/2.0/UDP 255.255.255.255:5060;branch=z9hG4bKall";
    peer.send_text(request.text());
    peer.expect(200);
    EXPECT_TRUE(world.undelivered.empty());
}

// zeromf: no hop is left: neither to a phone, nor needed by the server itself.
TEST_F(Torture_Rfc4475_3_3_11, MaxForwardsOfZeroGoesNoFurther) {
    RequestText request = peer.make("OPTIONS", bob.aor());
    request.max_forwards = "0";
    EXPECT_EQ(answer(request.text()), "483");
    request.via = peer.fresh_via();
    request.uri = "sip:example.test";
    EXPECT_EQ(answer(request.text()), "200");
}

// cparam01: without brackets a parameter is the header field's, and no part of the URI.
TEST_F(Torture_Rfc4475_3_3_12, AParameterWithoutBracketsIsTheContacts) {
    RequestText request = peer.make("REGISTER", "sip:example.test");
    request.to = "<sip:someone@example.test>";
    request.contact = "sip:+15550100@198.51.100.10:5060;unheardof";
    const Outgoing accepted = peer.send(request).expect(200);
    EXPECT_EQ(accepted.response().header("Contact").substr(0, 36),
              "<sip:+15550100@198.51.100.10:5060>;e");
    peer.send(peer.make("OPTIONS", "sip:someone@example.test"));
    EXPECT_EQ(peer.expects("OPTIONS").message().uri(), "sip:+15550100@198.51.100.10:5060");
}

// cparam02: within brackets it is the URI's.
TEST_F(Torture_Rfc4475_3_3_13, AParameterWithinBracketsIsTheUris) {
    RequestText request = peer.make("REGISTER", "sip:example.test");
    request.to = "<sip:someone@example.test>";
    request.contact = "<sip:+15550100@198.51.100.10:5060;unheardof>";
    peer.send(request).expect(200);
    peer.send(peer.make("OPTIONS", "sip:someone@example.test"));
    EXPECT_EQ(peer.expects("OPTIONS").message().uri(),
              "sip:+15550100@198.51.100.10:5060;unheardof");
}

// regescrt: a Contact with header fields is bound; they route nothing.
TEST_F(Torture_Rfc4475_3_3_14, HeaderFieldsOfAContactRouteNothing) {
    RequestText request = peer.make("REGISTER", "sip:example.test");
    request.to = "<sip:someone@example.test>";
    request.contact = "<sip:someone@198.51.100.10:5060?Route=%3Csip:203.0.113.5%3E>";
    const Outgoing accepted = peer.send(request).expect(200);
    EXPECT_NE(accepted.response().header("Contact").find("?Route=%3Csip:203.0.113.5%3E>"),
              std::string::npos);
    peer.send(peer.make("OPTIONS", "sip:someone@example.test"));
    const Message got = peer.expects("OPTIONS").message();
    EXPECT_EQ(got.uri(), "sip:someone@198.51.100.10:5060");
    EXPECT_FALSE(got.has("Route"));
    EXPECT_TRUE(far.is_silent());
}

// sdp01: what a caller accepts is the callee's concern.
TEST_F(Torture_Rfc4475_3_3_15, AnAcceptThatNobodyKnowsIsForwarded) {
    RequestText request = peer.make("INVITE", bob.aor());
    EXPECT_EQ(forwarded(request.with("Accept: text/unheardof").text(), "INVITE").header("Accept"),
              "text/unheardof");
}

// inv2543: no branch, no tag, no Max-Forwards, no Content-Length.
TEST_F(Torture_Rfc4475_3_4_1, ARequestOfRfc2543IsServed) {
    const std::string text =
        message({"INVITE sip:bob@example.test SIP/2.0", "Via: SIP/2.0/UDP 198.51.100.10:5060",
                 "From: <sip:carol@elsewhere.test>",
                 "Record-Route: <sip:198.51.100.10;maddr=198.51.100.10>",
                 "To: sip:bob@example.test", "Call-ID: 17@198.51.100.10", "CSeq: 1 INVITE",
                 "Contact: \"Carol\" <sip:carol@198.51.100.10>", "Content-Type: application/sdp"},
                "v=0\r\no=- 1 1 IN IP4 198.51.100.10\r\n");
    const Message got = forwarded(text, "INVITE");
    EXPECT_EQ(got.header("Max-Forwards"), "70");
    EXPECT_EQ(got.body(), "v=0\r\no=- 1 1 IN IP4 198.51.100.10\r\n");
    EXPECT_EQ(got.values("Record-Route").size(), 2U);
    peer.expect(100);
    peer.send_text(text);
    EXPECT_TRUE(bob.is_silent()) << "a retransmission was forwarded";
}

}  // namespace
}  // namespace signalbox::torture
