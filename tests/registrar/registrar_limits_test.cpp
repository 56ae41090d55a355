// What a registrar answers, refuses and journals beside the rules of its bindings.
// Covers: RFC 3261 §10.3 step 8 (the response), §8.2.2.3 (Require); limits, NAT and journal are
// ours. Not covered: the rules of adding, refreshing and removing (registrar_test).
#include "tests/registrar/registrar_fixture.h"

namespace signalbox::registrar {
namespace {

using Registrar_Rfc3261_10_3 = RegistrarTest;
using Registrar_Rfc3261_8_2_2_3 = RegistrarTest;
using Registrar_Behaviour = RegistrarTest;

// --- the response

TEST_F(Registrar_Rfc3261_10_3, AcceptedResponseHasDateAndTag) {
    send(reg(1).contact("<sip:a@h>"));
    EXPECT_EQ(status_line(), "SIP/2.0 200 OK");
    EXPECT_EQ(values("Date"), Texts{"Tue, 14 Nov 2023 22:13:20 GMT"});
    EXPECT_EQ(values("To"), Texts{"<sip:alice@example.test>;tag=to-1"});
    EXPECT_EQ(values("Content-Length"), Texts{"0"});
    time = seconds(1);
    send(reg(2).contact("<sip:a@h>"));
    EXPECT_EQ(values("Date"), Texts{"Tue, 14 Nov 2023 22:13:21 GMT"});
}

TEST_F(Registrar_Rfc3261_10_3, ParametersOfAContactComeBack) {
    send(reg(1).contact(
        "<sip:a@h;ob>;+sip.instance=\"<urn:uuid:1>\";reg-id=1;Q=0.5;flag;EXPIRES=90"));
    EXPECT_EQ(values("Contact"),
              Texts{"<sip:a@h;ob>;q=0.5;expires=90;+sip.instance=\"<urn:uuid:1>\";reg-id=1;flag"});
}

TEST_F(Registrar_Behaviour, StampedViaAndServerNameStandInTheResponse) {
    snapshot.server_name = "Signalbox";
    const std::string text = reg(1).contact("<sip:a@h>").text();
    sip::MessageView view;
    ASSERT_TRUE(sip::parse_message(text, view));
    const std::string_view via = "SIP/2.0/UDP 198.51.100.9:5062;branch=z9hG4bKr1;rport=5062";
    const RegisterContext context{ports::kDefaultTenant, "alice", snapshot, "to-1", via};
    registrar.process(now(), view, flow, context, out, response);
    EXPECT_EQ(values("Via"), Texts{std::string(via)});
    EXPECT_EQ(values("Server"), Texts{"Signalbox"});
}

// --- extensions

TEST_F(Registrar_Rfc3261_8_2_2_3, RequiredExtensionsAre420) {
    EXPECT_EQ(
        send(reg(1).contact("<sip:a@h>").with("Require: path, foo").with("Require: x, outbound")),
        420);
    EXPECT_EQ(status_line(), "SIP/2.0 420 Bad Extension");
    EXPECT_EQ(values("Unsupported"), Texts{"foo, x"});
    EXPECT_TRUE(contacts().empty());
}

TEST_F(Registrar_Rfc3261_8_2_2_3, SupportedAndProxyRequireAreNoReasonToRefuse) {
    EXPECT_EQ(send(reg(1).contact("<sip:a@h>").with("Supported: path").with("Proxy-Require: x")),
              200);
}

// --- limits

TEST_F(Registrar_Behaviour, ContactsPastTheLimitAre403) {
    snapshot.registrar.contacts_max = 2;
    EXPECT_EQ(send(reg(1).contact("<sip:a@h>, <sip:b@h>, <sip:c@h>")), 403);
    EXPECT_EQ(status_line(), "SIP/2.0 403 Too many contacts");
    EXPECT_TRUE(contacts().empty());
    EXPECT_EQ(send(reg(2).contact("<sip:a@h>, <sip:b@h>")), 200);
    EXPECT_EQ(send(reg(3).contact("<sip:c@h>")), 403);
}

TEST_F(Registrar_Behaviour, RemovalsMakeRoomInTheSameRequest) {
    snapshot.registrar.contacts_max = 2;
    send(reg(1).contact("<sip:a@h>, <sip:b@h>"));
    EXPECT_EQ(send(reg(2).contact("<sip:c@h>, <sip:a@h>;expires=0")), 200);
    EXPECT_EQ(contacts(), (Texts{"sip:b@h", "sip:c@h"}));
}

TEST_F(Registrar_Behaviour, LoweredLimitLetsPhonesRefreshAndLeave) {
    send(reg(1).contact("<sip:a@h>, <sip:b@h>, <sip:c@h>"));
    snapshot.registrar.contacts_max = 1;
    EXPECT_EQ(send(reg(2).contact("<sip:a@h>")), 200);
    EXPECT_EQ(send(reg(3).contact("<sip:b@h>;expires=0")), 200);
    EXPECT_EQ(send(reg(4).contact("<sip:d@h>")), 403);
    EXPECT_EQ(contacts(), (Texts{"sip:a@h", "sip:c@h"}));
}

TEST_F(Registrar_Behaviour, ExpiredContactsDoNotCount) {
    snapshot.registrar.contacts_max = 1;
    send(reg(1).contact("<sip:a@h>;expires=60"));
    time = seconds(60);
    EXPECT_EQ(send(reg(2).contact("<sip:b@h>")), 200);
    EXPECT_EQ(contacts(), Texts{"sip:b@h"});
}

TEST_F(Registrar_Behaviour, TextsPastTheirLimitsAre400) {
    const auto uri_of = [](size_t size) { return "sip:" + std::string(size - 6, 'a') + "@h"; };
    EXPECT_EQ(send(reg(1).contact("<" + uri_of(kContactUriBytesMax) + ">")), 200);
    EXPECT_EQ(send(reg(2).contact("<" + uri_of(kContactUriBytesMax + 1) + ">")), 400);
    const std::string longest(kParametersBytesMax - 3, 'x');
    EXPECT_EQ(send(reg(3).contact("<sip:a@h>;p=" + longest)), 200);
    EXPECT_EQ(send(reg(4).contact("<sip:a@h>;p=" + longest + "x")), 400);
    EXPECT_EQ(send(reg(5, std::string(kCallIdBytesMax, 'c')).contact("<sip:b@h>")), 200);
    EXPECT_EQ(send(reg(6, std::string(kCallIdBytesMax + 1, 'c')).contact("<sip:b@h>")), 400);
    EXPECT_EQ(send(reg(7).contact("<sip:b@h>").with("User-Agent: " + std::string(200, 'u'))), 200);
    const auto found = location.lookup(now(), ports::kDefaultTenant, "alice");
    EXPECT_EQ(found.back().record.user_agent.size(), kUserAgentBytesMax);
}

TEST_F(Registrar_Behaviour, MoreContactsThanOneRequestMayNameAre400) {
    snapshot.registrar.contacts_max = 1000;
    std::string contact = "<sip:0@h>";
    for (size_t i = 1; i < kRequestContactsMax; ++i)
        contact += ", <sip:" + std::to_string(i) + "@h>";
    EXPECT_EQ(send(reg(1).contact(contact)), 200);
    EXPECT_EQ(contacts().size(), kRequestContactsMax);
    EXPECT_EQ(send(reg(2).contact(contact + ", <sip:over@h>")), 400);
}

TEST_F(Registrar_Behaviour, FullLocationServiceIs503) {
    for (int i = 0; i < 100; ++i) send(reg(1).contact("<sip:a@h>"), std::to_string(i));
    EXPECT_EQ(send(reg(1).contact("<sip:a@h>"), "one-more"), 503);
    EXPECT_EQ(send(reg(2).contact("<sip:a@h>"), "5"), 200);
}

// --- the network

TEST_F(Registrar_Behaviour, ContactThatIsNotTheSourceAddressIsNated) {
    send(
        reg(1).contact("<sip:a@198.51.100.9:7777>, <sip:b@10.0.0.1>, <sip:c@phone.example.test>, "
                       "<sip:d@[2001:db8::1]>"));
    const auto found = location.lookup(now(), ports::kDefaultTenant, "alice");
    ASSERT_EQ(found.size(), 4U);
    EXPECT_FALSE(found[0].record.is_nated);
    EXPECT_TRUE(found[1].record.is_nated);
    EXPECT_TRUE(found[2].record.is_nated);
    EXPECT_TRUE(found[3].record.is_nated);
}

TEST_F(Registrar_Behaviour, EveryChangeIsJournalledWhole) {
    send(reg(1, "phone-a").contact("<sip:a@h>"));
    send(reg(1, "phone-b").contact("<sip:b@h>"));
    ASSERT_EQ(out.journal_count(), 2U);
    const auto event = ports::decode_bindings_event(out.journal_event(1));
    ASSERT_TRUE(event);
    EXPECT_EQ(event->aor, "alice");
    EXPECT_EQ(event->header.tenant, ports::kDefaultTenant);
    EXPECT_EQ(event->header.snapshot_version, 11U);
    ASSERT_EQ(event->bindings.size(), 2U);
    EXPECT_EQ(event->bindings[0].contact, "sip:a@h");
    EXPECT_EQ(event->bindings[1].call_id, "phone-b");
}

}  // namespace
}  // namespace signalbox::registrar
