// GRUUs and Service-Route in the registrar's 200.
// Covers: RFC 5627 §5.1, §5.3; RFC 3608 §6.3. Not covered: where they lead (core/gruu_test).
#include "registrar_fixture.h"

namespace signalbox::registrar {
namespace {

using Registrar_Rfc5627_5_1 = RegistrarTest;
using Registrar_Rfc5627_5_3 = RegistrarTest;
using Registrar_Rfc3608_6_3 = RegistrarTest;

constexpr const char* kInstance = ";+sip.instance=\"<urn:uuid:1>\"";

TEST_F(Registrar_Rfc5627_5_1, AnInstanceWhoseContactIsItsAddressOfRecordIs403) {
    snapshot.domains = {"example.test", "example.net"};
    transport::Listener listener;
    listener.bound = {IpAddress::v4(192, 0, 2, 1), 5060};
    snapshot.listeners = {listener};
    uint32_t cseq = 0;
    const auto status = [&](const std::string& uri, const std::string& more = kInstance) {
        return send(reg(++cseq).contact("<" + uri + ">" + more));
    };
    for (const char* uri :
         {"sip:alice@example.test", "sip:%61lice@EXAMPLE.test", "sip:alice@example.net",
          "sip:alice@192.0.2.1", "sip:alice@192.0.2.1:5060;transport=udp",
          "sips:alice@example.test", "sip:alice@example.test;maddr=192.0.2.1"}) {
        EXPECT_EQ(status(uri), 403) << uri;
        EXPECT_EQ(status(uri, kInstance + std::string(";reg-id=1")), 403) << uri;
    }
    EXPECT_EQ(status_line(), "SIP/2.0 403 Contact is the address of record");
    EXPECT_TRUE(contacts().empty());
    for (const char* uri :
         {"sip:bob@example.test", "sip:alice@198.51.100.9", "sip:alice@192.0.2.1:5070",
          "sip:Alice@example.test", "sip:alice@example.test;maddr=198.51.100.9"}) {
        EXPECT_EQ(status(uri), 200) << uri;
    }
    EXPECT_EQ(status("sip:alice@example.test", ""), 200) << "no GRUU leads to it";
}

TEST_F(Registrar_Rfc5627_5_1, AnInstanceWhoseContactIsAGruuOfItsOwnIs403) {
    snapshot.domains = {"example.test", "example.net"};
    send(reg(1).contact("<sip:a@h>" + std::string(kInstance)).with("Supported: gruu"));
    const std::string contact = values("Contact")[0];
    for (const std::string kind : {"pub-gruu", "temp-gruu"}) {
        const size_t begin = contact.find(kind + "=\"") + kind.size() + 2;
        std::string gruu = contact.substr(begin, contact.find('"', begin) - begin);
        EXPECT_EQ(send(reg(2).contact("<" + gruu + ">" + kInstance)), 403) << gruu;
        gruu.replace(gruu.find("example.test"), 12, "example.net");
        EXPECT_EQ(send(reg(2).contact("<" + gruu + ">" + kInstance)), 403) << gruu;
        // Another user's is a way like any other.
        EXPECT_EQ(send(reg(1, kind).contact("<" + gruu + ">" + kInstance), "bob"), 200) << gruu;
    }
    EXPECT_EQ(contacts(), Texts{"sip:a@h"});
}

TEST_F(Registrar_Rfc5627_5_1, AnInstanceWhoseContactIsNoSipUriIs403) {
    EXPECT_EQ(send(reg(1).contact("<tel:+15550100>" + std::string(kInstance))), 403);
    EXPECT_EQ(send(reg(2).contact("<mailto:a@example.test>" + std::string(kInstance))), 403);
    EXPECT_TRUE(contacts().empty());
}

TEST_F(Registrar_Rfc5627_5_3, PhoneThatKnowsThemGetsBothForEachInstance) {
    snapshot.domains = {"example.test"};
    send(reg(1).contact("<sip:a@h>" + std::string(kInstance)).with("Supported: gruu"));
    const std::string contact = values("Contact")[0];
    EXPECT_NE(contact.find(";pub-gruu=\"sip:alice@example.test;gr=urn:uuid:1\""),
              std::string::npos);
    EXPECT_NE(contact.find(";temp-gruu=\"sip:tgruu."), std::string::npos);
    EXPECT_NE(contact.find("@example.test;gr\""), std::string::npos);
}

TEST_F(Registrar_Rfc5627_5_3, OthersGetNone) {
    send(reg(1).contact("<sip:a@h>" + std::string(kInstance)));
    EXPECT_EQ(values("Contact")[0].find("gruu"), std::string::npos);
    send(reg(1, "reg-2").contact("<sip:b@h>").with("Supported: gruu"));
    for (const std::string& contact : values("Contact")) {
        const bool is_without_instance = contact.starts_with("<sip:b@h>");
        EXPECT_EQ(contact.find("gruu") == std::string::npos, is_without_instance);
    }
}

TEST_F(Registrar_Rfc5627_5_3, AddressOfRecordThatIsNoWayToUsIsReplacedByTheRequestUrisHost) {
    // Nothing is configured: example.test in To does not name us.
    send(reg(1).contact("<sip:a@h>" + std::string(kInstance)).with("Supported: gruu"));
    EXPECT_NE(values("Contact")[0].find("sip:alice@example.test;gr="), std::string::npos);
}

TEST_F(Registrar_Rfc5627_5_3, GruusThatAPhoneSendsAreNotKept) {
    send(reg(1).contact(
        "<sip:a@h>;expires=100;pub-gruu=\"sip:evil@h;gr=1\";temp-gruu=\"sip:x@h;gr\""));
    EXPECT_EQ(values("Contact"), Texts{"<sip:a@h>;expires=100"});
}

TEST_F(Registrar_Rfc3608_6_3, ServiceRouteIsOffByDefaultAndOtherwiseWhatIsSet) {
    send(reg(1).contact("<sip:a@h>"));
    EXPECT_EQ(values("Service-Route"), Texts{});
    snapshot.registrar.service_route = "<sip:proxy.example.test;lr>";
    send(reg(2).contact("<sip:a@h>"));
    EXPECT_EQ(values("Service-Route"), Texts{"<sip:proxy.example.test;lr>"});
    snapshot.registrar.service_route = ports::kServiceRouteSelf;
    send(reg(3).contact("<sip:a@h>"));
    EXPECT_EQ(values("Service-Route"), Texts{"<sip:192.0.2.1:5060;lr>"});
    flow.transport = transport::Transport::Tcp;
    send(reg(4).contact("<sip:a@h>"));
    EXPECT_EQ(values("Service-Route"), Texts{"<sip:192.0.2.1:5060;transport=tcp;lr>"});
}

}  // namespace
}  // namespace signalbox::registrar
