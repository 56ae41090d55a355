// The text of the ACK for a failure and of the CANCEL.
// Covers: RFC 3261 §17.1.1.3, §9.1, §8.1.1, §8.1.2, §8.2.2.3 (no Require); RFC 3326 §2 (Reason in
// CANCEL). Not covered: when they are sent (invite_client_test.cpp).
#include "transaction/ack_and_cancel.h"

#include <gmock/gmock.h>

#include "sip/check_message.h"
#include "sip/header_values.h"
#include "tests/transaction/layer_world.h"

namespace signalbox::transaction {

using testing::LayerWorld;
using testing::Parsed;
using testing::RequestText;
using testing::response_text;

namespace {

RequestText sent_invite() {
    RequestText invite;
    invite.via =
        "SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKours, SIP/2.0/UDP "
        "198.51.100.9;branch=z9hG4bKhers";
    invite.cseq = 314;
    invite.more =
        "Via: SIP/2.0/UDP 198.51.100.10;branch=z9hG4bKhis\r\n"
        "Route: <sip:192.0.2.50;lr>, <sip:192.0.2.51;lr>\r\n"
        "Contact: <sip:alice@198.51.100.10>\r\n"
        "Route: <sip:192.0.2.52;lr>\r\n"
        "Require: 100rel\r\n";
    invite.body = "v=0\r\n";
    return invite;
}

}  // namespace

TEST(AckAndCancel_Rfc3261_17_1_1_3, TheAckIsMadeOfTheInviteAndTheResponsesTo) {
    const Parsed failure(response_text(sent_invite(), 486, "bob1"));
    std::string ack = "stale";
    build_ack(sent_invite().text(), failure.view, ack);
    EXPECT_EQ(ack,
              "ACK sip:bob@example.test SIP/2.0\r\n"
              "Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKours\r\n"
              "Max-Forwards: 70\r\n"
              "Route: <sip:192.0.2.50;lr>, <sip:192.0.2.51;lr>\r\n"
              "Route: <sip:192.0.2.52;lr>\r\n"
              "From: \"Alice\" <sip:alice@example.test>;tag=alice1\r\n"
              "To: <sip:bob@example.test>;tag=bob1\r\n"
              "Call-ID: call-1@192.0.2.10\r\n"
              "CSeq: 314 ACK\r\n"
              "Content-Length: 0\r\n\r\n");
}

TEST(AckAndCancel_Rfc3261_9_1, TheCancelIsMadeOfTheInvite) {
    std::string cancel = "stale";
    build_cancel(sent_invite().text(), {}, cancel);
    EXPECT_EQ(cancel,
              "CANCEL sip:bob@example.test SIP/2.0\r\n"
              "Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKours\r\n"
              "Max-Forwards: 70\r\n"
              "Route: <sip:192.0.2.50;lr>, <sip:192.0.2.51;lr>\r\n"
              "Route: <sip:192.0.2.52;lr>\r\n"
              "From: \"Alice\" <sip:alice@example.test>;tag=alice1\r\n"
              "To: <sip:bob@example.test>\r\n"
              "Call-ID: call-1@192.0.2.10\r\n"
              "CSeq: 314 CANCEL\r\n"
              "Content-Length: 0\r\n\r\n");
}

TEST(AckAndCancel_Rfc3261_9_1, TheToTagOfAReInviteIsKept) {
    RequestText invite = sent_invite();
    invite.to_tag = "bob1";
    std::string cancel;
    build_cancel(invite.text(), {}, cancel);
    EXPECT_THAT(cancel, ::testing::HasSubstr("To: <sip:bob@example.test>;tag=bob1\r\n"));
}

TEST(AckAndCancel_Rfc3326_2, TheReasonIsWritten) {
    std::string cancel;
    build_cancel(sent_invite().text(), "SIP;cause=200;text=\"Call completed elsewhere\"", cancel);
    const Parsed parsed(cancel);
    EXPECT_EQ(parsed.view.value(sip::HeaderId::Reason),
              "SIP;cause=200;text=\"Call completed elsewhere\"");
    EXPECT_TRUE(sip::check_message(parsed.view).has_value());
}

TEST(AckAndCancel_Behaviour, NothingIsMadeOfWhatIsNoRequest) {
    const Parsed failure(response_text(sent_invite(), 486, "bob1"));
    std::string out = "stale";
    build_ack("garbage", failure.view, out);
    EXPECT_EQ(out, "");
    out = "stale";
    build_cancel("garbage", {}, out);
    EXPECT_EQ(out, "");
}

TEST(AckAndCancel_Rfc3261_17_1_1_3, TheLayerSendsThem) {
    LayerWorld world;
    testing::ClientPeer bob = world.client("INVITE");
    bob.answers(180);
    bob.cancel("SIP;cause=487");
    bob.answers(487, "bob7");
    ASSERT_EQ(world.sent.size(), 3u);
    std::string expected;
    build_cancel(bob.request.text(), "SIP;cause=487", expected);
    EXPECT_EQ(world.sent[1].bytes, expected);
    const Parsed failure(response_text(bob.request, 487, "bob7"));
    build_ack(bob.request.text(), failure.view, expected);
    EXPECT_EQ(world.sent[2].bytes, expected);
}

}  // namespace signalbox::transaction
