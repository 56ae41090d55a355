// What servers in the field are known to get wrong, so that this one never does.
// Covers: RFC 3261 §7.3.1, §7.5, §16.3, §18.3, §20.16, §22.4; RFC 4320 §4.2; RFC 5393 §4.2; RFC
// 7616 §3.4. Not covered: stray responses (stray_response_test), contacts as URIs (registrar_test),
// brief expiries (register_rules_test), SIP/3.0 (invalid_messages_test).
#include "sip/stream_framing.h"
#include "tests/torture/torture_world.h"

namespace signalbox::torture {
namespace {

using KnownFailures_Rfc3261_18_3 = TortureTest;
using KnownFailures_Rfc3261_20_16 = TortureTest;
using KnownFailures_Rfc3261_7_3_1 = TortureTest;
using KnownFailures_Rfc7616_3_4 = TortureTest;
using KnownFailures_Rfc4320_4_2 = TortureTest;
using KnownFailures_Rfc5393_4_1 = TortureTest;
using KnownFailures_Rfc3261_16_3 = TortureTest;

TEST_F(KnownFailures_Rfc3261_18_3, AContentLengthPast32BitsEndsTheStreamAndHidesNoRequest) {
    // 4294967300 is 4 in 32 bits: whoever wraps it runs what stands behind four octets.
    const std::string hidden = peer.make("INVITE", bob.aor()).text();
    for (const char* length : {"4294967300", "18446744073709551620", "-4", "+4", "4 4", "0x4"}) {
        sip::StreamFraming framing;
        const std::string text =
            replaced(peer.make("MESSAGE", bob.aor()).text(), "Content-Length: 0",
                     "Content-Length: " + std::string(length));
        EXPECT_FALSE(framing.next(text + "1234" + hidden).has_value()) << length;
    }
    Phone& tcp = world.stranger("tcp", "198.51.100.10:41000", transport::Transport::Tcp);
    tcp.send_text(replaced(tcp.make("MESSAGE", bob.aor()).text(), "Content-Length: 0",
                           "Content-Length: 4294967300"));
    tcp.expect(400);
    EXPECT_TRUE(bob.is_silent());
}

TEST_F(KnownFailures_Rfc3261_18_3, ADatagramWithoutContentLengthEndsItsBody) {
    RequestText request = peer.make("MESSAGE", bob.aor());
    request.has_content_length = false;
    request.body = "no length, and all of this";
    EXPECT_EQ(forwarded(request.text(), "MESSAGE").body(), request.body);
}

TEST_F(KnownFailures_Rfc3261_20_16, AFoldedCSeqIsRead) {
    for (const char* folded :
         {"CSeq: 1\r\n OPTIONS", "CSeq:\r\n\t1 OPTIONS", "CSeq : 1 \r\n  \tOPTIONS"}) {
        const std::string text =
            replaced(peer.make("OPTIONS", "sip:example.test").text(), "CSeq: 1 OPTIONS", folded);
        EXPECT_EQ(answer(text), "200") << folded;
        EXPECT_EQ(forwarded(replaced(peer.make("MESSAGE", bob.aor()).text(), "CSeq: 1 MESSAGE",
                                     "CSeq: 1\r\n MESSAGE"),
                            "MESSAGE")
                      .kind(),
                  "MESSAGE");
    }
}

TEST_F(KnownFailures_Rfc3261_7_3_1, ViasMayBeJoinedAndStandBehindFrom) {
    const std::string text =
        message({"MESSAGE sip:bob@example.test SIP/2.0", "From: <sip:carol@elsewhere.test>;tag=1",
                 "To: <sip:bob@example.test>",
                 "Via: SIP/2.0/UDP 198.51.100.10:5060;branch=z9hG4bKtop;rport , SIP/2.0/TCP "
                 "203.0.113.7;branch=z9hG4bKtwo,SIP/2.0/UDP 203.0.113.8;branch=z9hG4bKthree",
                 "Call-ID: joined", "CSeq: 1 MESSAGE", "Max-Forwards: 70", "Content-Length: 0"});
    peer.send_text(text);
    const Incoming got = bob.expects("MESSAGE");
    const std::vector<std::string> vias = got.message().values("Via");
    ASSERT_EQ(vias.size(), 4U);
    EXPECT_EQ(vias[0].substr(0, 26), "SIP/2.0/UDP 192.0.2.1:5060");
    EXPECT_EQ(vias[1],
              "SIP/2.0/UDP 198.51.100.10:5060;branch=z9hG4bKtop;rport=5060;received=198.51.100.10");
    EXPECT_EQ(vias[3], "SIP/2.0/UDP 203.0.113.8;branch=z9hG4bKthree");
    got.answers(200);
    EXPECT_EQ(peer.expect(200).values("Via").size(), 3U);
}

TEST_F(KnownFailures_Rfc7616_3_4, AnAlgorithmThatWasNotOfferedAndAForeignUriProveNothing) {
    Phone& dora = world.registered("dora", "198.51.100.40:5060");
    const RequestText request = dora.registration();
    const auto with = [&](std::string_view what, std::string_view by) {
        Outgoing first = dora.send(request).expect(401);
        RequestText again = dora.with_credentials(request, first.response(), "secret");
        again.more.back() = replaced(again.more.back(), what, by);
        dora.send_text(again.text());
        return dora.take().status();
    };
    EXPECT_EQ(with("algorithm=MD5", "algorithm=MD5"), 200);
    EXPECT_EQ(with("algorithm=MD5", "algorithm=NONE"), 401);
    EXPECT_EQ(with("uri=\"sip:example.test\"", "uri=\"sip:elsewhere.test\""), 400);
}

TEST_F(KnownFailures_Rfc4320_4_2, NobodyButAnInviteGetsA408) {
    for (const char* method : {"MESSAGE", "OPTIONS", "BYE", "SUBSCRIBE"}) {
        peer.send(peer.make(method, bob.aor()));
        world.wait(std::chrono::seconds(60));
        bob.take_kinds();
        EXPECT_EQ(peer.take_kinds().find("408"), std::string::npos) << method;
    }
}

TEST_F(KnownFailures_Rfc5393_4_1, ALoopIsSeenTheFirstTimeItComesBack) {
    Phone& loop = world.phone({"loop", "example.test", "198.51.100.66:5060", {}, {}});
    world.bind("loop", loop);
    peer.send(peer.make("INVITE", "sip:loop@example.test")).expect(100);
    std::string text = loop.expects("INVITE").message().text();
    text = replaced(text, "sip:loop@198.51.100.66:5060", "sip:loop@example.test");
    loop.send_text(text.insert(text.find("Via:"), "Via: " + loop.fresh_via() + "\r\n"));
    loop.expect(482);
    EXPECT_TRUE(loop.is_silent());
}

TEST_F(KnownFailures_Rfc3261_16_3, AToTagAndARouteOpenNoWayToAForeignHost) {
    Phone& stranger = world.stranger("eve", "203.0.113.99:5060");
    for (const char* route : {"", "<sip:192.0.2.1;lr>", "<sip:203.0.113.5;lr>",
                              "<sip:192.0.2.1;lr>, <sip:203.0.113.5;lr>"}) {
        for (const char* method : {"INVITE", "BYE", "MESSAGE", "ACK", "UPDATE"}) {
            RequestText request = stranger.make(method, "sip:any@203.0.113.5:5060");
            request.to += ";tag=invented";
            if (*route != '\0') request.routes = {route};
            stranger.send_text(request.text());
            EXPECT_TRUE(far.is_silent()) << method << " " << route;
            stranger.take_kinds();
        }
    }
}

}  // namespace
}  // namespace signalbox::torture
