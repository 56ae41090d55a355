// IPv6 addresses where they may and may not stand.
// Covers: RFC 5118 §4, with the same forms in our words.
#include "tests/torture/torture_world.h"

namespace signalbox::torture {
namespace {

/// The peer speaks IPv6 to the server.
struct Ipv6Test : TortureTest {
    Phone& six = world.stranger("six", "[2001:db8::10]:5060");
    Phone& other = world.stranger("other", "[2001:db8::20]:5070");
};

using Torture_Rfc5118_4_1 = Ipv6Test;
using Torture_Rfc5118_4_2 = Ipv6Test;
using Torture_Rfc5118_4_3 = Ipv6Test;
using Torture_Rfc5118_4_4 = Ipv6Test;
using Torture_Rfc5118_4_5 = Ipv6Test;
using Torture_Rfc5118_4_6 = Ipv6Test;
using Torture_Rfc5118_4_7 = Ipv6Test;
using Torture_Rfc5118_4_8 = Ipv6Test;
using Torture_Rfc5118_4_9 = Ipv6Test;
using Torture_Rfc5118_4_10 = Ipv6Test;

RequestText registration(Phone& phone, const std::string& uri) {
    RequestText request = phone.make("REGISTER", uri);
    request.to = "<sip:someone@example.test>";
    return request;
}

TEST_F(Torture_Rfc5118_4_1, AReferenceInBracketsIsServedEverywhere) {
    const Outgoing accepted = six.send(registration(six, "sip:[2001:db8::1]")).expect(200);
    EXPECT_EQ(accepted.response().header("Contact").substr(0, 31),
              "<sip:six@[2001:db8::10]:5060>;e");
}

TEST_F(Torture_Rfc5118_4_2, AnAddressWithoutBracketsGets400) {
    six.send(registration(six, "sip:2001:db8::1")).expect(400);
    RequestText request = registration(six, "sip:example.test");
    request.contact = "<sip:six@2001:db8::10>";
    six.send(request).expect(400);
    EXPECT_EQ(world.gauges().bindings, 1U);
}

TEST_F(Torture_Rfc5118_4_3, APortWithinTheBracketsIsPartOfTheAddress) {
    Phone& odd = world.stranger("odd", "[2001:db8::10:5070]:5060");
    peer.send(peer.make("OPTIONS", "sip:[2001:db8::10:5070]"));
    EXPECT_EQ(odd.expects("OPTIONS").message().uri(), "sip:[2001:db8::10:5070]");
    EXPECT_TRUE(six.is_silent());
}

TEST_F(Torture_Rfc5118_4_4, APortBehindTheBracketsIsAPort) {
    peer.send(peer.make("OPTIONS", "sip:[2001:db8::20]:5070"));
    EXPECT_EQ(other.expects("OPTIONS").message().uri(), "sip:[2001:db8::20]:5070");
}

TEST_F(Torture_Rfc5118_4_5, AReceivedMayHaveBracketsOrNone) {
    for (const char* received : {"2001:db8::10", "[2001:db8::10]"}) {
        RequestText request = six.make("OPTIONS", bob.aor());
        request.with("Via: SIP/2.0/UDP [2001:db8::77]:5060;received=" + std::string(received) +
                     ";branch=z9hG4bKlower");
        Outgoing options = six.send(request);
        bob.expects("OPTIONS").answers(200);
        options.expect(200);
        EXPECT_EQ(options.response().values("Via").size(), 2U);
        // In the top Via the server's own word stands instead.
        RequestText top = six.make("OPTIONS", "sip:example.test");
        top.via += ";received=" + std::string(received);
        EXPECT_EQ(six.send(top).expect(200).response().header("Via").find('[', 20),
                  std::string::npos);
    }
}

TEST_F(Torture_Rfc5118_4_6, AnIpv6SessionDescriptionPasses) {
    RequestText request = six.make("INVITE", bob.aor());
    request.with("Content-Type: application/sdp").body =
        "v=0\r\no=six 971731711378798081 0 IN IP6 2001:db8::20\r\nc=IN IP6 2001:db8::20\r\n";
    six.send(request).expect(100);
    EXPECT_EQ(bob.expects("INVITE").message().body(), request.body);
}

TEST_F(Torture_Rfc5118_4_7, BothFamiliesMayStandInOneMessage) {
    RequestText request = six.make("BYE", bob.aor());
    request.with("Via: SIP/2.0/UDP 198.51.100.77;branch=z9hG4bKfour")
        .with("Via: SIP/2.0/TCP [2001:db8::9:255];branch=z9hG4bKsix");
    request.with("P-Odd: 198.51.100.7, [2001:db8::7]");
    Outgoing bye = six.send(request);
    const Incoming got = bob.expects("BYE");
    EXPECT_EQ(got.message().values("Via").size(), 4U);
    got.answers(200);
    EXPECT_EQ(bye.expect(200).response().values("Via").size(), 3U);
}

TEST_F(Torture_Rfc5118_4_8, BothFamiliesMayStandInOneSessionDescription) {
    RequestText request = peer.make("INVITE", bob.aor());
    request.with("Content-Type: application/sdp").body =
        "v=0\r\nc=IN IP6 2001:db8::20\r\nm=audio 4000 RTP/AVP 0\r\nm=video 4002 RTP/AVP 31\r\nc=IN "
        "IP4 198.51.100.10\r\n";
    EXPECT_EQ(forwarded(request.text(), "INVITE").body(), request.body);
}

TEST_F(Torture_Rfc5118_4_9, MappedAddressesAreRead) {
    RequestText request = registration(six, "sip:example.test");
    request.via = "SIP/2.0/UDP [::ffff:198.51.100.10]:5060;rport;branch=z9hG4bKmapped";
    request.contact = "<sip:six@[::ffff:198.51.100.10]:5060>";
    const Outgoing accepted = six.send(request).expect(200);
    EXPECT_NE(accepted.response().header("Contact").find("[::ffff:198.51.100.10]:5060"),
              std::string::npos);
    EXPECT_NE(accepted.response().header("Via").find(";received=2001:db8::10"), std::string::npos);
}

TEST_F(Torture_Rfc5118_4_10, ThreeColonsBeforeAnIpv4PartAreTolerated) {
    RequestText request = peer.make("OPTIONS", bob.aor());
    request.to = "<sip:bob@[2001:db8:::192.0.2.1]>";
    request.with("Via: SIP/2.0/UDP [2001:db8:::192.0.2.2];branch=z9hG4bKthree");
    EXPECT_EQ(forwarded(request.text(), "OPTIONS").header("To"), request.to);
}

}  // namespace
}  // namespace signalbox::torture
