// Flows of phones, kept and tried one after the other, at the registrar and at the edge.
// Covers: RFC 5626 §3.5.2 (STUN keep-alives), §5.1, §5.2, §5.3 (edge), §7 (authoritative proxy);
// RFC 3327 §5.2. Not covered: what a REGISTER with reg-id is answered (registrar/outbound_test).
#include <gtest/gtest.h>

#include "tests/core/core_harness.h"

namespace signalbox::core::testing {
namespace {

using transport::Transport;

ports::Snapshot trusting() {
    ports::Snapshot snapshot = default_snapshot();
    snapshot.trusted = {*Network::parse("198.51.100.0/24"), *Network::parse("203.0.113.0/24")};
    return snapshot;
}

constexpr const char* kInstance =
    ";+sip.instance=\"<urn:uuid:00000000-0000-4000-8000-0000000b0b00>\"";

struct OutboundTest : ::testing::Test {
    World world{trusting()};
    Phone& alice = world.stranger();

    OutboundTest() { world.add_user(user_record("bob")); }

    Phone& bob_at(const std::string& address, Transport transport = Transport::Tcp) {
        return world.phone({"bob", "example.test", address, transport, {}});
    }
    Outgoing registers(Phone& phone, const std::string& uri, const std::string& parameters) {
        RequestText request = phone.make("REGISTER", uri);
        request.to = "<sip:bob@" + uri.substr(4) + ">";
        request.from = request.to + ";tag=r";
        request.contact = "<" + phone.contact() + ">" + parameters;
        request.with("Supported: path, outbound");
        return phone.send(request);
    }
    void flow(Phone& phone, int reg_id) {
        registers(phone, "sip:example.test", kInstance + (";reg-id=" + std::to_string(reg_id)))
            .expect(200);
        world.wait(std::chrono::seconds(1));
    }
    Outgoing call_bob() {
        return alice.send(alice.make("INVITE", "sip:bob@example.test")).expect(100);
    }
};

using Outbound_Rfc5626_7 = OutboundTest;
using Outbound_Rfc5626_5 = OutboundTest;
using Outbound_Rfc5626_3_5_2 = OutboundTest;

TEST_F(Outbound_Rfc5626_7, OnePhoneWithTwoFlowsRingsOnceByTheNewest) {
    Phone& first = bob_at("198.51.100.20:40001");
    Phone& second = bob_at("198.51.100.20:40002");
    flow(first, 1);
    flow(second, 2);
    call_bob();
    second.expects("INVITE");
    EXPECT_TRUE(first.is_silent());
    flow(first, 1);
    call_bob();
    first.expects("INVITE");
    EXPECT_TRUE(second.is_silent());
}

TEST_F(Outbound_Rfc5626_7, FlowThatCannotBeWrittenIsFollowedByTheOther) {
    Phone& first = bob_at("198.51.100.20:40001");
    Phone& second = bob_at("198.51.100.20:40002");
    flow(first, 1);
    flow(second, 2);
    Outgoing call = call_bob();
    second.expects("INVITE");
    world.fail_last_transmit();
    first.expects("INVITE").answers(200);
    call.expect(200);
    EXPECT_EQ(world.count(Counter::phone_flows_tried_again_total), 1U);
}

TEST_F(Outbound_Rfc5626_7, FlowFailedOfTheEdgeIsFollowedByTheOtherFlowAndNeverForwarded) {
    Phone& first = bob_at("198.51.100.20:40001");
    Phone& second = bob_at("198.51.100.20:40002");
    flow(first, 1);
    flow(second, 2);
    Outgoing call = call_bob();
    second.expects("INVITE").answers(430);
    second.expects("ACK");
    first.expects("INVITE").answers(486);
    call.expect(486).ack();
}

TEST_F(Outbound_Rfc5626_7, SilentFlowIsFollowedByTheOther) {
    Phone& first = bob_at("198.51.100.20:5062", Transport::Udp);
    Phone& second = bob_at("198.51.100.20:5063", Transport::Udp);
    flow(first, 1);
    flow(second, 2);
    Outgoing call = call_bob();
    second.expects("INVITE");
    EXPECT_TRUE(first.is_silent());
    world.wait(std::chrono::seconds(32));
    first.expects("INVITE").answers(200);
    call.expect(200);
}

TEST_F(Outbound_Rfc5626_7, TimeoutBeforeThePhoneIsFollowedByTheOtherFlow) {
    Phone& first = bob_at("198.51.100.20:40001");
    Phone& second = bob_at("198.51.100.20:40002");
    flow(first, 1);
    flow(second, 2);
    Outgoing call = call_bob();
    second.expects("INVITE").answers(100).answers(408);
    second.expects("ACK");
    first.expects("INVITE").answers(486);
    call.expect(486).ack();
}

TEST_F(Outbound_Rfc5626_7, TimeoutOfAPhoneThatHasRungIsItsAnswer) {
    Phone& first = bob_at("198.51.100.20:40001");
    Phone& second = bob_at("198.51.100.20:40002");
    flow(first, 1);
    flow(second, 2);
    Outgoing call = call_bob();
    second.expects("INVITE").answers(180).answers(408);
    second.expects("ACK");
    EXPECT_TRUE(first.is_silent());
    call.expect(180).expect(408).ack();
}

TEST_F(Outbound_Rfc5626_5, ContactWithObIsReachedByItsFlowAlone) {
    // Its Contact is where it sends from but for the port.
    Phone& phone = bob_at("198.51.100.20:40001", Transport::Udp);
    Phone& at_contact = bob_at("198.51.100.20:5060", Transport::Udp);
    Phone& far = world.stranger("far", "198.51.100.99:5060");
    RequestText request = phone.make("INVITE", "sip:any@198.51.100.99");
    request.contact = "<sip:bob@198.51.100.20:5060;ob>";
    Outgoing call = phone.send(request).expect(100);
    const Incoming leg = far.expects("INVITE");
    leg.answers(200);
    call.expect(200).ack();
    far.expects("ACK");
    Dialog dialog = leg.dialog();
    far.send_in(dialog, "BYE");
    phone.expects("BYE");
    EXPECT_TRUE(at_contact.is_silent());
}

TEST_F(Outbound_Rfc5626_7, WhenAllFlowsHaveFailedSoHasTheCall) {
    Phone& first = bob_at("198.51.100.20:40001");
    Phone& second = bob_at("198.51.100.20:40002");
    flow(first, 1);
    flow(second, 2);
    Outgoing call = call_bob();
    second.expects("INVITE").answers(430);
    second.expects("ACK");
    first.expects("INVITE").answers(430);
    call.expect(430).ack();
}

TEST_F(Outbound_Rfc5626_7, CancelledCallTriesNoOtherFlow) {
    Phone& first = bob_at("198.51.100.20:40001");
    Phone& second = bob_at("198.51.100.20:40002");
    flow(first, 1);
    flow(second, 2);
    Outgoing call = call_bob();
    const Incoming got = second.expects("INVITE");
    got.answers(180);
    call.expect(180).cancel().expect(200);
    second.expects("CANCEL").answers(200);
    got.answers(430);
    second.expects("ACK");
    EXPECT_TRUE(first.is_silent());
    call.expect(430).ack();
}

TEST_F(Outbound_Rfc5626_7, TwoPhonesOfOneUserRingBoth) {
    Phone& first = bob_at("198.51.100.20:40001");
    Phone& other = bob_at("198.51.100.30:40001");
    flow(first, 1);
    registers(other, "sip:example.test",
              ";+sip.instance=\"<urn:uuid:00000000-0000-4000-8000-0000000b0b99>\";reg-id=1")
        .expect(200);
    call_bob();
    first.expects("INVITE");
    other.expects("INVITE");
}

// --- the edge

TEST_F(Outbound_Rfc5626_5, EdgeAddsAPathWithItsTokenAndSaysThatItKeepsTheFlow) {
    Phone& registrar = world.stranger("registrar", "203.0.113.9:5060");
    Phone& phone = bob_at("198.51.100.20:40001");
    registers(phone, "sip:203.0.113.9", std::string(kInstance) + ";reg-id=1");
    const Incoming got = registrar.expects("REGISTER");
    const std::string path = got.message().header("Path");
    EXPECT_TRUE(path.starts_with("<sip:")) << path;
    EXPECT_TRUE(path.ends_with("@192.0.2.1:5060;lr;ob>")) << path;
    got.answers(200);
    phone.expect(200);

    RequestText request = registrar.make("INVITE", phone.contact());
    request.routes = {path};
    Outgoing call = registrar.send(request).expect(100);
    const Incoming rings = phone.expects("INVITE");
    EXPECT_EQ(rings.message().uri(), phone.contact());
    EXPECT_FALSE(rings.message().has("Route"));
    rings.answers(200);
    call.expect(200);
}

TEST_F(Outbound_Rfc5626_5, FlowThatIsGoneIs430) {
    Phone& registrar = world.stranger("registrar", "203.0.113.9:5060");
    Phone& phone = bob_at("198.51.100.20:40001");
    registers(phone, "sip:203.0.113.9", std::string(kInstance) + ";reg-id=1");
    RequestText request = registrar.make("INVITE", phone.contact());
    request.routes = {registrar.expects("REGISTER").message().header("Path")};
    Outgoing call = registrar.send(request).expect(100);
    phone.expects("INVITE");
    world.fail_last_transmit();
    call.expect(430).ack();
}

TEST_F(Outbound_Rfc5626_5, ForgedTokenReachesNoPhone) {
    Phone& registrar = world.stranger("registrar", "203.0.113.9:5060");
    Phone& phone = bob_at("198.51.100.20:40001");
    registers(phone, "sip:203.0.113.9", std::string(kInstance) + ";reg-id=1");
    std::string path = registrar.expects("REGISTER").message().header("Path");
    path[20] = path[20] == 'a' ? 'b' : 'a';
    Phone& far = world.stranger("far", "198.51.100.99:5060");
    RequestText request = registrar.make("INVITE", "sip:any@198.51.100.99");
    request.routes = {path};
    registrar.send(request).expect(100);
    far.expects("INVITE");
    EXPECT_TRUE(phone.is_silent());
}

TEST_F(Outbound_Rfc5626_5, PhoneThatSendsByItsOwnTokenIsRoutedOn) {
    Phone& registrar = world.stranger("registrar", "203.0.113.9:5060");
    Phone& phone = bob_at("198.51.100.20:40001");
    registers(phone, "sip:203.0.113.9", std::string(kInstance) + ";reg-id=1");
    RequestText request = phone.make("INVITE", "sip:any@203.0.113.9");
    request.routes = {registrar.expects("REGISTER").message().header("Path")};
    phone.send(request).expect(100);
    EXPECT_EQ(registrar.expects("INVITE").message().uri(), "sip:any@203.0.113.9");
}

TEST_F(Outbound_Rfc5626_5, PathOfAPhoneWithoutRegIdDoesNotPromiseTheFlow) {
    Phone& registrar = world.stranger("registrar", "203.0.113.9:5060");
    Phone& phone = bob_at("198.51.100.20:40001");
    registers(phone, "sip:203.0.113.9", "");
    const std::string path = registrar.expects("REGISTER").message().header("Path");
    EXPECT_TRUE(path.ends_with("@192.0.2.1:5060;lr>")) << path;
}

TEST_F(Outbound_Rfc5626_5, RegistrarBehindAnotherProxyFindsThePhoneByItsOwnToken) {
    // phone -> we (edge) -> core proxy -> we (registrar): the Path leads back here.
    Phone& core_proxy = world.stranger("core", "203.0.113.9:5060");
    Phone& phone = bob_at("198.51.100.20:40001");
    RequestText request = phone.make("REGISTER", "sip:example.test");
    request.routes = {"<sip:203.0.113.9;lr>"};
    request.to = "<sip:bob@example.test>";
    request.contact = "<" + phone.contact() + ">" + kInstance + ";reg-id=1";
    request.with("Supported: path, outbound");
    Outgoing registration = phone.send(request);
    const Incoming relayed = core_proxy.expects("REGISTER");
    RequestText again = core_proxy.make("REGISTER", "sip:example.test");
    again.to = request.to;
    again.from = request.from;
    again.contact.clear();
    again.with("Contact: " + request.contact).with("Supported: path, outbound");
    again.with("Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKfirst");
    again.with("Path: " + relayed.message().header("Path"));
    const Message accepted = core_proxy.send(again).expect(200).response();
    EXPECT_EQ(accepted.header("Require"), "outbound");
    call_bob();
    EXPECT_EQ(phone.expects("INVITE").message().uri(), phone.contact());
    EXPECT_TRUE(core_proxy.is_silent());
}

// --- keep-alives

TEST_F(Outbound_Rfc5626_3_5_2, StunIsAnsweredOnTheSipPort) {
    std::string request(
        "\x00\x01\x00\x00\x21\x12\xa4\x42"
        "abcdefghijkl",
        20);
    ports::Outbox out;
    world.core().on_packet(world.now, {alice.flow(), request}, out);
    ASSERT_EQ(out.transmits.list().size(), 1U);
    const std::string_view answer = out.transmits.bytes(out.transmits.list()[0]);
    EXPECT_EQ(answer.substr(0, 2), "\x01\x01");
    EXPECT_EQ(out.transmits.list()[0].flow.remote, alice.flow().remote);
    EXPECT_EQ(world.count(Counter::stun_requests_answered_total), 1U);
}

TEST_F(Outbound_Rfc5626_3_5_2, StunOnAStreamIsNoKeepAlive) {
    const Phone& phone = bob_at("198.51.100.20:40001");
    std::string request(
        "\x00\x01\x00\x00\x21\x12\xa4\x42"
        "abcdefghijkl",
        20);
    ports::Outbox out;
    world.core().on_packet(world.now, {phone.flow(), request}, out);
    EXPECT_TRUE(out.transmits.list().empty());
}

}  // namespace
}  // namespace signalbox::core::testing
