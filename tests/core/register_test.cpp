// REGISTER through the core, with credentials on the wire.
// Covers: RFC 3261 §10.1, §10.3 steps 1 to 4, §17.2.2 (retransmission), §22.2, RFC 5626 §4
// (streams). Not covered: the registrar's rules (registrar_test).
#include <gtest/gtest.h>

#include "tests/core/core_harness.h"

namespace signalbox::core::testing {
namespace {

using std::chrono::seconds;
using transport::Transport;

struct RegisterTest : ::testing::Test {
    World world;
    Phone& alice = world.stranger();
    Phone& dora = world.phone({"dora", "example.test", "198.51.100.40:5060", {}, {}});

    void SetUp() override { world.add_user(user_record("dora")); }

    Outgoing registers(Phone& phone, const RequestText& request) {
        Outgoing first = phone.send(request).expect(401);
        return phone.send(phone.with_credentials(request, first.response(), "secret"));
    }
    Outgoing registers(Phone& phone) { return registers(phone, phone.registration()); }
};

using Register_Rfc3261_10_3 = RegisterTest;
using Register_Rfc3261_17_2_2 = RegisterTest;
using Register_Rfc5626_4 = RegisterTest;

TEST_F(Register_Rfc3261_10_3, ChallengesAndThenBinds) {
    Outgoing reg = registers(dora).expect(200);
    EXPECT_EQ(reg.response().header("Contact"), "<" + dora.contact() + ">;expires=3600");
    EXPECT_EQ(world.gauges().bindings, 1U);
    EXPECT_EQ(world.journal.size(), 1U);
    alice.invite(dora).expect(100);
    dora.expects("INVITE");
}

TEST_F(Register_Rfc3261_10_3, AThirdPartyGets403) {
    world.add_user(user_record("bob"));
    RequestText request = dora.registration();
    request.to = "<sip:bob@example.test>";
    registers(dora, request).expect(403);
    EXPECT_EQ(world.gauges().bindings, 0U);
}

TEST_F(Register_Rfc3261_10_3, AnAddressThatAUserWasGrantedMayBeRegistered) {
    world.add_user(user_record("dora", {"sales"}));
    RequestText request = dora.registration();
    request.to = "<sip:sales@example.test>";
    registers(dora, request).expect(200);
    alice.send(alice.make("INVITE", "sip:sales@example.test")).expect(100);
    dora.expects("INVITE");
}

TEST_F(Register_Rfc3261_10_3, AGrantedAddressThatIsAUserIsNobodysElseToRegister) {
    for (const uint8_t shards : {uint8_t{1}, uint8_t{3}}) {
        World many{default_snapshot(), shards};
        many.add_user(user_record("dora", {"bob"}));
        many.add_user(user_record("bob"));
        Phone& phone = many.phone({"dora", "example.test", "198.51.100.40:5060", {}, {}});
        RequestText request = phone.registration();
        request.to = "<sip:bob@example.test>";
        registers(phone, request).expect(403);
        EXPECT_EQ(many.count(Counter::auth_forbidden_total), 1U);
        EXPECT_EQ(many.gauges().bindings, 0U);
        // Whom he may show in From is another matter.
        RequestText call = phone.make("OPTIONS", "sip:nobody@example.test");
        call.from = "<sip:bob@example.test>;tag=1";
        Outgoing first = phone.send(call).expect(407);
        phone.send(phone.with_credentials(call, first.response(), "secret")).expect(404);
        // Nor may he watch where the user is.
        RequestText watch = phone.make("SUBSCRIBE", "sip:bob@example.test");
        watch.with("Event: reg");
        registers(phone, watch).expect(403);
    }
}

TEST_F(Register_Rfc3261_10_3, ATelephoneNumberNamesNoRegistrarAndNoAddressOfRecord) {
    world.add_user(user_record("dora", {"+15550100"}));
    RequestText request = dora.registration();
    request.uri = "tel:+15550100";
    dora.send(request).expect(416);
    request = dora.registration();
    request.to = "<tel:+15550100>";
    dora.send(request).expect(404);
    EXPECT_EQ(world.gauges().bindings, 0U);
}

TEST_F(Register_Rfc3261_10_3, AnAddressOfRecordThatIsNotOursGets404) {
    RequestText request = dora.registration();
    request.to = "<sip:dora@elsewhere.test>";
    dora.send(request).expect(404);
}

TEST_F(Register_Rfc3261_10_3, AnAddressOfRecordWithoutAUserGets404) {
    RequestText request = dora.registration();
    request.to = "<sip:example.test>";
    dora.send(request).expect(404);
}

TEST_F(Register_Rfc3261_10_3, AForeignDomainIsProxiedOrRefused) {
    RequestText request = alice.make("REGISTER", "sip:203.0.113.9");
    alice.send(request).expect(407);
    EXPECT_EQ(world.count(Counter::relay_denied_total), 1U);
}

TEST_F(Register_Rfc3261_10_3, AnOldCseqIsRefusedAndChangesNothing) {
    Outgoing reg = registers(dora).expect(200);
    RequestText late = dora.registration(0);
    late.call_id = reg.request().call_id;
    late.cseq = 0;
    registers(dora, late).expect(500);
    EXPECT_EQ(world.gauges().bindings, 1U);
}

TEST_F(Register_Rfc3261_10_3, ABindingEndsWithItsTime) {
    RequestText request = dora.registration(60);
    registers(dora, request).expect(200);
    world.wait(seconds(61));
    alice.send(alice.make("INVITE", dora.aor())).expect(100).expect(480);
    EXPECT_EQ(world.count(Counter::bindings_expired_total), 1U);
}

TEST_F(Register_Rfc3261_10_3, AResponseShowsWhereThePhoneIs) {
    Phone& nated = world.phone(
        {"dora", "example.test", "203.0.113.30:40000", Transport::Udp, "10.0.0.7:5060"});
    Outgoing reg = registers(nated).expect(200);
    EXPECT_NE(reg.response().header("Via").find("received=203.0.113.30"), std::string::npos);
    EXPECT_NE(reg.response().header("Via").find("rport=40000"), std::string::npos);
}

TEST_F(Register_Rfc3261_17_2_2, ARetransmissionGetsTheIdenticalAnswer) {
    Outgoing reg = registers(dora).expect(200);
    const std::string first = reg.response().text();
    world.wait(seconds(1));
    reg.retransmit().expect(200);
    EXPECT_EQ(reg.response().text(), first);
    EXPECT_EQ(world.count(Counter::registrations_accepted_total), 1U);
    EXPECT_EQ(world.journal.size(), 1U);
}

TEST_F(Register_Rfc5626_4, ACallComesBackByTheStreamOfTheRegistration) {
    Phone& tcp = world.phone(
        {"dora", "example.test", "203.0.113.30:40000", Transport::Tcp, "10.0.0.7:5060"});
    registers(tcp).expect(200);
    alice.invite(tcp).expect(100);
    const Incoming leg = tcp.expects("INVITE");
    EXPECT_EQ(leg.message().flow().connection, tcp.flow().connection);
    EXPECT_TRUE(leg.message().has("Content-Length"));
}

TEST_F(Register_Rfc5626_4, APhoneBehindANatIsGoneWithItsStream) {
    Phone& tcp = world.phone(
        {"dora", "example.test", "203.0.113.30:40000", Transport::Tcp, "10.0.0.7:5060"});
    registers(tcp).expect(200);
    world.close_flow(tcp);
    alice.invite(tcp).expect(100).expect(480);
    EXPECT_TRUE(tcp.is_silent());
}

}  // namespace
}  // namespace signalbox::core::testing
