// Registrations over flows: instance-id, reg-id, the first hop, and Path.
// Covers: RFC 5626 §6 (registrar); RFC 3327 §5.3.
// Not covered: how requests go along a Path or a flow (tests/core/path_test, outbound_test).
#include "registrar_fixture.h"

namespace signalbox::registrar {
namespace {

using Registrar_Rfc3327_5_3 = RegistrarTest;
using Registrar_Rfc5626_6 = RegistrarTest;

constexpr const char* kFirst = ";+sip.instance=\"<urn:uuid:00000000-0000-4000-8000-00000000000a>\"";
constexpr const char* kSecond =
    ";+sip.instance=\"<urn:uuid:00000000-0000-4000-8000-00000000000b>\"";
constexpr const char* kProxyVia = "Via: SIP/2.0/UDP 203.0.113.7;branch=z9hG4bKedge";

std::string contact(const std::string& uri, const std::string& instance, int reg_id = 0) {
    return "<" + uri + ">" + instance +
           (reg_id == 0 ? std::string() : ";reg-id=" + std::to_string(reg_id));
}

// --- Path

TEST_F(Registrar_Rfc3327_5_3, PathIsKeptWithTheBindingAndReturned) {
    EXPECT_EQ(send(reg(1)
                       .contact("<sip:a@h>")
                       .with("Supported: path")
                       .with("Path: <sip:p2.example.net;lr>, <sip:p1.example.net;lr>")
                       .with("Path: <sip:p0.example.net;lr>")),
              200);
    const std::string path =
        "<sip:p2.example.net;lr>, <sip:p1.example.net;lr>, <sip:p0.example.net;lr>";
    EXPECT_EQ(values("Path"), Texts{path});
    EXPECT_EQ(location.lookup(now(), ports::kDefaultTenant, "alice")[0].record.path, path);
}

TEST_F(Registrar_Rfc3327_5_3, PathOfARequestThatBindsNothingIsReturnedToo) {
    send(reg(1).contact("<sip:a@h>").with("Path: <sip:p1.example.net;lr>"));
    EXPECT_EQ(send(reg(2).with("Path: <sip:p2.example.net;lr>")), 200);
    EXPECT_EQ(values("Path"), Texts{"<sip:p2.example.net;lr>"});
    EXPECT_EQ(location.lookup(now(), ports::kDefaultTenant, "alice")[0].record.path,
              "<sip:p1.example.net;lr>");
    EXPECT_EQ(send(reg(3).contact("*").with("Expires: 0").with("Path: <sip:p3.example.net;lr>")),
              200);
    EXPECT_EQ(values("Path"), Texts{"<sip:p3.example.net;lr>"});
}

TEST_F(Registrar_Rfc3327_5_3, EachBindingHasItsOwnPathAndARefreshReplacesIt) {
    send(reg(1).contact("<sip:a@h>").with("Path: <sip:p1.example.net;lr>"));
    send(reg(1, "reg-2").contact("<sip:b@h>").with("Path: <sip:p2.example.net;lr>"));
    send(reg(1, "reg-3").contact("<sip:c@h>"));
    send(reg(2).contact("<sip:a@h>").with("Path: <sip:p3.example.net;lr>"));
    const auto found = location.lookup(now(), ports::kDefaultTenant, "alice");
    ASSERT_EQ(found.size(), 3U);
    EXPECT_EQ(found[0].record.path, "<sip:p3.example.net;lr>");
    EXPECT_EQ(found[1].record.path, "<sip:p2.example.net;lr>");
    EXPECT_EQ(found[2].record.path, "");
}

TEST_F(Registrar_Rfc3327_5_3, PathWithoutSupportedIsAccepted) {
    EXPECT_EQ(send(reg(1).contact("<sip:a@h>").with("Path: <sip:p1.example.net;lr>")), 200);
    EXPECT_EQ(values("Path"), Texts{"<sip:p1.example.net;lr>"});
}

TEST_F(Registrar_Rfc3327_5_3, MalformedOrEndlessPathIs400) {
    EXPECT_EQ(send(reg(1).contact("<sip:a@h>").with("Path: <sip:p1.example.net;lr>, <nothing")),
              400);
    EXPECT_EQ(send(reg(2).contact("<sip:a@h>").with("Path: <tel:+15550100>")), 400);
    const std::string hop = "<sip:" + std::string(200, 'p') + ".example.net;lr>";
    Register endless = reg(3).contact("<sip:a@h>");
    for (int i = 0; i < 12; ++i) endless.with("Path: " + hop);
    EXPECT_EQ(send(endless), 400);
    EXPECT_EQ(status_line(), "SIP/2.0 400 Path too long");
    EXPECT_TRUE(contacts().empty());
}

// --- the binding's key

TEST_F(Registrar_Rfc5626_6, FlowsOfOneInstanceStandBesideEachOther) {
    send(reg(1).contact(contact("sip:a@198.51.100.9", kFirst, 1)));
    send(reg(1, "reg-2").contact(contact("sip:a@198.51.100.9", kFirst, 2)));
    EXPECT_EQ(contacts().size(), 2U);
    EXPECT_EQ(values("Contact").size(), 2U);
}

TEST_F(Registrar_Rfc5626_6, FlowsOfTwoInstancesStandBesideEachOtherWhateverTheirUri) {
    send(reg(1).contact(contact("sip:a@198.51.100.9", kFirst, 1)));
    send(reg(1, "reg-2").contact(contact("sip:a@198.51.100.9", kSecond, 1)));
    EXPECT_EQ(contacts().size(), 2U);
    send(reg(1, "reg-3").contact(contact("sip:b@198.51.100.9", kFirst)));
    send(reg(1, "reg-4").contact(contact("sip:b@198.51.100.9", kSecond, 2)));
    EXPECT_EQ(contacts().size(), 4U);
}

TEST_F(Registrar_Rfc5626_6, NewFlowOfTheSameKeyReplacesTheOld) {
    send(reg(1).contact(contact("sip:a@198.51.100.9:5062", kFirst, 1)));
    flow.remote.port = 6000;
    send(reg(1, "after-reboot").contact(contact("sip:a@198.51.100.9:6000", kFirst, 1)));
    EXPECT_EQ(contacts(), Texts{"sip:a@198.51.100.9:6000"});
    EXPECT_EQ(location.lookup(now(), ports::kDefaultTenant, "alice")[0].record.flow.remote.port,
              6000);
}

TEST_F(Registrar_Rfc5626_6, RemovalNamesTheKeyAndLeavesTheOtherFlow) {
    send(reg(1).contact(contact("sip:a@198.51.100.9", kFirst, 1)));
    send(reg(1, "reg-2").contact(contact("sip:a@198.51.100.9", kFirst, 2)));
    send(reg(2, "reg-2").contact(contact("sip:a@198.51.100.9", kFirst, 2) + ";expires=0"));
    const auto found = location.lookup(now(), ports::kDefaultTenant, "alice");
    ASSERT_EQ(found.size(), 1U);
    EXPECT_EQ(found[0].record.reg_id, 1U);
}

TEST_F(Registrar_Rfc5626_6, AnswersRequireOutboundAndAFlowTimerToAPhoneThatKnowsThem) {
    send(
        reg(1).contact(contact("sip:a@198.51.100.9", kFirst, 1)).with("Supported: path, outbound"));
    EXPECT_EQ(values("Require"), Texts{"outbound"});
    EXPECT_EQ(values("Flow-Timer"), Texts{"29"});
    EXPECT_EQ(values("Supported"), Texts{"path, outbound, gruu"});
    flow.transport = transport::Transport::Tcp;
    send(reg(2).contact(contact("sip:a@198.51.100.9", kFirst, 1)));
    EXPECT_EQ(values("Require"), Texts{});
    EXPECT_EQ(values("Flow-Timer"), Texts{"120"});
    send(reg(3).contact(contact("sip:a@198.51.100.9", kFirst)).with("Supported: outbound"));
    EXPECT_EQ(values("Require"), Texts{});
    EXPECT_EQ(values("Flow-Timer"), Texts{});
}

TEST_F(Registrar_Rfc5626_6, RegIdWithoutInstanceIsIgnored) {
    send(reg(1).contact("<sip:a@198.51.100.9>;reg-id=1").with("Supported: outbound"));
    send(reg(1, "reg-2").contact("<sip:b@198.51.100.9>;reg-id=1").with("Supported: outbound"));
    EXPECT_EQ(contacts(), (Texts{"sip:a@198.51.100.9", "sip:b@198.51.100.9"}));
    EXPECT_EQ(values("Require"), Texts{});
}

TEST_F(Registrar_Rfc5626_6, MalformedRegIdIsIgnored) {
    for (const char* bad : {";reg-id=0", ";reg-id", ";reg-id=x", ";reg-id=4294967296"}) {
        send(reg(1, bad).contact("<sip:a@198.51.100.9>" + std::string(kFirst) + bad));
        EXPECT_EQ(location.lookup(now(), ports::kDefaultTenant, "alice")[0].record.reg_id, 0U)
            << bad;
    }
}

TEST_F(Registrar_Rfc5626_6, SecondContactBesideOneWithRegIdIs400) {
    const std::string one = contact("sip:a@198.51.100.9", kFirst, 1);
    EXPECT_EQ(send(reg(1).contact(one).contact("<sip:b@198.51.100.9>")), 400);
    EXPECT_TRUE(contacts().empty());
    EXPECT_EQ(send(reg(2).contact(one).contact("<sip:b@198.51.100.9>;expires=0")), 200);
}

// --- the first hop

TEST_F(Registrar_Rfc5626_6, FirstHopWithoutOutboundIs439ToAPhoneThatAskedForIt) {
    const std::string one = contact("sip:a@198.51.100.9", kFirst, 1);
    EXPECT_EQ(send(reg(1).contact(one).with(kProxyVia).with("Supported: outbound")), 439);
    EXPECT_EQ(status_line(), "SIP/2.0 439 First Hop Lacks Outbound Support");
    EXPECT_EQ(send(reg(2)
                       .contact(one)
                       .with(kProxyVia)
                       .with("Supported: outbound")
                       .with("Path: <sip:core.example.net;lr;ob>, <sip:edge.example.net;lr>")),
              439);
    EXPECT_TRUE(contacts().empty());
}

TEST_F(Registrar_Rfc5626_6, FirstHopWithoutOutboundMakesAnyOtherRegIdMeanNothing) {
    send(reg(1).contact(contact("sip:a@198.51.100.9", kFirst, 1)).with(kProxyVia));
    EXPECT_EQ(location.lookup(now(), ports::kDefaultTenant, "alice")[0].record.reg_id, 0U);
}

TEST_F(Registrar_Rfc5626_6, FirstHopIsTheLastPathValue) {
    EXPECT_EQ(
        send(reg(1)
                 .contact(contact("sip:a@198.51.100.9", kFirst, 1))
                 .with(kProxyVia)
                 .with("Supported: outbound, path")
                 .with("Path: <sip:core.example.net;lr>, <sip:token@edge.example.net;lr;ob>")),
        200);
    EXPECT_EQ(values("Require"), Texts{"outbound"});
    EXPECT_EQ(values("Flow-Timer"), Texts{});
}

// --- instance-id without reg-id, and NAT

TEST_F(Registrar_Rfc5626_6, RebootWithANewAddressReplacesByTheInstanceId) {
    send(reg(7).contact(contact("sip:a@198.51.100.9:5062", kFirst)));
    send(reg(1, "after-reboot").contact(contact("sip:a@198.51.100.9:5999", kFirst)));
    EXPECT_EQ(contacts(), Texts{"sip:a@198.51.100.9:5999"});
}

TEST_F(Registrar_Rfc5626_6, UuidsOfInstancesAreComparedWithoutCase) {
    send(reg(1).contact("<sip:a@198.51.100.9>;+sip.instance=\"<urn:uuid:0000000A>\""));
    send(reg(1, "r2").contact("<sip:b@198.51.100.9>;+sip.instance=\"<URN:UUID:0000000a>\""));
    EXPECT_EQ(contacts(), Texts{"sip:b@198.51.100.9"});
}

TEST_F(Registrar_Rfc5626_6, TwoContactsThatOneRequestNamesAreBothKept) {
    send(reg(1)
             .contact(contact("sip:a@198.51.100.9:5062", kFirst))
             .contact(contact("sip:a@198.51.100.9:5062;transport=tcp", kFirst)));
    EXPECT_EQ(contacts().size(), 2U);
    send(reg(2)
             .contact(contact("sip:a@198.51.100.9:5062;transport=tcp", kFirst))
             .contact(contact("sip:a@198.51.100.9:5062", kFirst)));
    EXPECT_EQ(contacts().size(), 2U);
}

TEST_F(Registrar_Rfc5626_6, MoveRemovesTheOldAddressAndKeepsTheNew) {
    send(reg(1).contact(contact("sip:a@198.51.100.9:5062", kFirst)));
    send(reg(2)
             .contact(contact("sip:a@198.51.100.9:6000", kFirst))
             .contact(contact("sip:a@198.51.100.9:5062", kFirst) + ";expires=0"));
    EXPECT_EQ(contacts(), Texts{"sip:a@198.51.100.9:6000"});
    send(reg(3).contact(contact("sip:a@198.51.100.9:5062", kFirst) + ";expires=0"));
    EXPECT_EQ(contacts(), Texts{"sip:a@198.51.100.9:6000"});
}

using Registrar_Nat = RegistrarTest;

TEST_F(Registrar_Nat, PhonesOfOnePrivateAddressAreToldApartByTheirInstances) {
    send(reg(1).contact(contact("sip:a@192.168.1.10:5060", kFirst)));
    send(reg(1, "reg-2").contact(contact("sip:a@192.168.1.10:5060", kSecond)));
    EXPECT_EQ(contacts().size(), 2U);
    send(reg(2).contact(contact("sip:a@192.168.1.10:5060", kFirst)));
    EXPECT_EQ(contacts().size(), 2U);
}

TEST_F(Registrar_Nat, PhonesOfOneNameWithoutAddressAreToldApartByTheirInstances) {
    send(reg(1).contact(contact("sip:a@browser.invalid", kFirst)));
    send(reg(1, "reg-2").contact(contact("sip:a@browser.invalid", kSecond)));
    EXPECT_EQ(contacts().size(), 2U);
}

TEST_F(Registrar_Nat, PhonesOfOneHostsOwnAddressAreToldApartByTheirInstances) {
    for (const std::string uri : {"sip:a@127.0.0.1:5060", "sip:a@[::1]:5060"}) {
        send(reg(1, "reg-1" + uri).contact(contact(uri, kFirst)));
        send(reg(1, "reg-2" + uri).contact(contact(uri, kSecond)));
    }
    EXPECT_EQ(contacts().size(), 2U) << "a phone has one place";
    EXPECT_EQ(contacts(), (Texts{"sip:a@[::1]:5060", "sip:a@[::1]:5060"}));
}

TEST_F(Registrar_Nat, PhonesOfOnePrivateAddressAreToldApartByTheirSources) {
    send(reg(1).contact("<sip:a@192.168.1.10:5060>"));
    flow.remote.port = 40001;
    send(reg(1, "reg-2").contact("<sip:a@192.168.1.10:5060>"));
    ASSERT_EQ(contacts().size(), 2U);
    send(reg(2, "reg-2").contact("<sip:a@192.168.1.10:5060>;expires=0"));
    const auto left = location.lookup(now(), ports::kDefaultTenant, "alice");
    ASSERT_EQ(left.size(), 1U);
    EXPECT_EQ(left[0].record.flow.remote.port, 5062);
}

TEST_F(Registrar_Nat, RebindingOfOnePhoneReplacesItsFlow) {
    send(reg(1).contact("<sip:a@192.168.1.10:5060>"));
    flow.remote.port = 40001;
    send(reg(2).contact("<sip:a@192.168.1.10:5060>"));
    const auto found = location.lookup(now(), ports::kDefaultTenant, "alice");
    ASSERT_EQ(found.size(), 1U);
    EXPECT_EQ(found[0].record.flow.remote.port, 40001);
}

TEST_F(Registrar_Nat, TellsWhichFlowAPhoneHasLeft) {
    const transport::Flow first = flow;
    send(reg(1).contact("<sip:a@192.168.1.10:5060>"));
    EXPECT_TRUE(registrar.left_flows().empty()) << "it is new";
    send(reg(2).contact("<sip:a@192.168.1.10:5060>"));
    EXPECT_TRUE(registrar.left_flows().empty()) << "it came by the same flow";
    flow.remote.port = 40001;
    send(reg(3).contact("<sip:a@192.168.1.10:5060>"));
    ASSERT_EQ(registrar.left_flows().size(), 1U);
    EXPECT_EQ(registrar.left_flows()[0], first);
    send(reg(4));
    EXPECT_TRUE(registrar.left_flows().empty()) << "nothing is bound";
}

TEST_F(Registrar_Nat, NeitherARemovalNorARefusalLeavesAFlow) {
    send(reg(1).contact("<sip:a@192.168.1.10:5060>"));
    flow.remote.port = 40001;
    EXPECT_EQ(send(reg(2).contact("<sip:a@192.168.1.10:5060>").contact("<sip:b@h>;expires=1")),
              423);
    EXPECT_TRUE(registrar.left_flows().empty());
    EXPECT_EQ(send(reg(1).contact("<sip:a@192.168.1.10:5060>")), 500);
    EXPECT_TRUE(registrar.left_flows().empty());
    snapshot.registrar.contacts_max = 1;
    EXPECT_EQ(send(reg(2).contact("<sip:a@192.168.1.10:5060>").contact("<sip:b@198.51.100.9>")),
              403);
    EXPECT_TRUE(registrar.left_flows().empty());
    send(reg(3).contact("<sip:a@192.168.1.10:5060>;expires=0"));
    EXPECT_TRUE(registrar.left_flows().empty());
}

TEST_F(Registrar_Nat, OnlyAPhoneThatStandsBehindANatItselfLeavesAFlow) {
    send(reg(1).contact("<sip:a@198.51.100.9:5062>"));
    flow.remote.port = 40001;
    send(reg(2).contact("<sip:a@198.51.100.9:5062>"));
    EXPECT_TRUE(registrar.left_flows().empty()) << "it is reached at its Contact";
    const auto by_edge = [](uint32_t cseq) {
        return reg(cseq, "edge")
            .contact("<sip:a@192.168.1.10:5060>")
            .with("Via: SIP/2.0/UDP 192.168.1.10;branch=z9hG4bKphone");
    };
    send(by_edge(1));
    flow.remote.port = 40002;
    send(by_edge(2));
    EXPECT_TRUE(registrar.left_flows().empty()) << "others come by the proxy's flow too";
}

TEST_F(Registrar_Nat, AnotherContactOfAPhoneWhoseConnectionIsLostIsThatPhone) {
    flow.transport = transport::Transport::Tcp;
    flow.connection = 1;
    const transport::Flow first = flow;
    send(reg(1).contact("<sip:a@192.168.1.10:33001>"));
    flow.connection = 2;
    send(reg(2).contact("<sip:a@192.168.1.10:33002>"));
    EXPECT_TRUE(registrar.left_flows().empty()) << "both connections are up";
    location.flow_closed(first);
    flow.connection = 3;
    send(reg(1, "another").contact("<sip:a@192.168.1.10:33003>"));
    EXPECT_TRUE(registrar.left_flows().empty()) << "another phone";
    send(reg(3).contact("<sip:a@192.168.1.10:33004>"));
    ASSERT_EQ(registrar.left_flows().size(), 1U);
    EXPECT_EQ(registrar.left_flows()[0], first);
}

TEST_F(Registrar_Nat, PublicContactFromElsewhereIsTheSameBinding) {
    send(reg(1).contact("<sip:a@203.0.113.4>"));
    flow.remote.port = 40001;
    send(reg(1, "reg-2").contact("<sip:a@203.0.113.4>"));
    EXPECT_EQ(contacts().size(), 1U);
}

TEST_F(Registrar_Nat, PhoneThatStartsAnewAgainAndAgainIsNeverLockedOut) {
    snapshot.registrar.contacts_max = 3;
    for (uint16_t start = 0; start < 10; ++start) {
        flow.remote.port = static_cast<uint16_t>(40000 + start);
        time = seconds(start);
        EXPECT_EQ(send(reg(1, "start-" + std::to_string(start)).contact("<sip:a@10.0.0.7>")), 200);
    }
    const auto found = location.lookup(now(), ports::kDefaultTenant, "alice");
    ASSERT_EQ(found.size(), 3U);
    for (const auto& each : found) EXPECT_GE(each.record.flow.remote.port, 40007);
}

// --- what else a Contact says

using Registrar_Rfc3840_4 = RegistrarTest;
using Registrar_Rfc8599_4 = RegistrarTest;

TEST_F(Registrar_Rfc3840_4, CapabilitiesAndUnknownParametersAreKeptAndReturned) {
    send(reg(1).contact(
        "<sip:a@h>;audio;video;methods=\"INVITE,BYE\";+g.3gpp.icsi-ref=\"x,y\";expires=100;foo"));
    EXPECT_EQ(values("Contact"), Texts{"<sip:a@h>;expires=100;audio;video;methods=\"INVITE,BYE\";"
                                       "+g.3gpp.icsi-ref=\"x,y\";foo"});
}

TEST_F(Registrar_Rfc8599_4, PushParametersStayInTheContact) {
    const std::string uri = "sip:a@h;pn-provider=fcm;pn-param=project;pn-prid=token:1";
    send(reg(1).contact("<" + uri + ">;expires=100"));
    EXPECT_EQ(values("Contact"), Texts{"<" + uri + ">;expires=100"});
}

// --- expiry against registration waves

using Registrar_Waves = RegistrarTest;

uint32_t granted(const std::string& contact) {
    return static_cast<uint32_t>(std::stoul(contact.substr(contact.find("expires=") + 8)));
}

TEST_F(Registrar_Waves, LongRegistrationsEndUpToATenthEarlier) {
    snapshot.registrar.expires_spread_percent = 10;
    uint32_t lowest = 3600, highest = 0;
    for (uint32_t i = 1; i <= 200; ++i) {
        send(reg(i).contact("<sip:a@h>;expires=3600"));
        const uint32_t seconds = granted(values("Contact")[0]);
        lowest = std::min(lowest, seconds);
        highest = std::max(highest, seconds);
    }
    EXPECT_GE(lowest, 3240U);
    EXPECT_LT(lowest, 3300U);
    EXPECT_LE(highest, 3600U);
    EXPECT_GT(highest, 3540U);
}

TEST_F(Registrar_Waves, TenMinutesAndTheShortestAllowedStayWhatTheyAre) {
    snapshot.registrar.expires_spread_percent = 10;
    for (uint32_t i = 1; i <= 50; ++i) {
        send(reg(i).contact("<sip:a@h>;expires=600"));
        EXPECT_EQ(granted(values("Contact")[0]), 600U);
    }
    snapshot.registrar.expires_min_s = 1000;
    for (uint32_t i = 51; i <= 100; ++i) {
        send(reg(i).contact("<sip:a@h>;expires=1000"));
        EXPECT_EQ(granted(values("Contact")[0]), 1000U);
    }
}

}  // namespace
}  // namespace signalbox::registrar
