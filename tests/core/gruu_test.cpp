// Requests to GRUUs.
// Covers: RFC 5627 §4.4 (in-dialog requests and ACKs), §5.1 (proxy), §5.4 (when a temporary GRUU
// ends), §5.2 (in-dialog requests). Not covered: their text (location/gruu_test), who gets one
// (registrar/gruu_test).
#include <gtest/gtest.h>

#include "tests/core/core_harness.h"

namespace signalbox::core::testing {
namespace {

using transport::Transport;

ports::Snapshot trusting() {
    ports::Snapshot snapshot = default_snapshot();
    snapshot.trusted = {*Network::parse("198.51.100.0/24")};
    return snapshot;
}

std::string instance(char last) {
    return std::string(";+sip.instance=\"<urn:uuid:00000000-0000-4000-8000-00000000000") + last +
           ">\"";
}

struct GruuTest : ::testing::Test {
    explicit GruuTest(uint8_t shards = 1) : world(trusting(), shards) {
        world.add_user(user_record("bob"));
    }
    Phone& bob_at(const std::string& address, Transport transport = Transport::Udp) {
        return world.phone({"bob", "example.test", address, transport, {}});
    }
    /// The Contact of the 200.
    std::string registers(Phone& phone, const std::string& parameters, const std::string& call_id,
                          uint32_t expires_s = 3600) {
        RequestText request = phone.registration(expires_s);
        request.contact = "<" + phone.contact() + ">" + parameters;
        request.call_id = call_id;
        request.cseq = ++cseq_;
        request.with("Supported: gruu");
        for (const std::string& value :
             phone.send(request).expect(200).response().values("Contact")) {
            if (value.find(phone.contact()) != std::string::npos) return value;
        }
        return {};
    }
    static std::string gruu_in(const std::string& contact, const std::string& name) {
        const size_t begin = contact.find(name + "=\"") + name.size() + 2;
        return contact.substr(begin, contact.find('"', begin) - begin);
    }
    Outgoing call(const std::string& uri) {
        return alice.send(alice.make("INVITE", uri)).expect(100);
    }

    World world;
    Phone& alice = world.stranger();
    uint32_t cseq_ = 0;
};

using Gruu_Rfc5627_5_1 = GruuTest;
using Gruu_Rfc5627_5_4 = GruuTest;
using Gruu_Rfc5627_4_4 = GruuTest;

TEST_F(Gruu_Rfc5627_5_1, ReachesItsInstanceAlone) {
    Phone& desk = bob_at("198.51.100.20:5060");
    Phone& mobile = bob_at("198.51.100.21:5060");
    const std::string contact = registers(desk, instance('a'), "c1");
    registers(mobile, instance('b'), "c2");
    EXPECT_EQ(gruu_in(contact, "pub-gruu"),
              "sip:bob@example.test;gr=urn:uuid:00000000-0000-4000-8000-00000000000a");
    for (const char* kind : {"pub-gruu", "temp-gruu"}) {
        call(gruu_in(contact, kind));
        EXPECT_EQ(desk.expects("INVITE").message().uri(), desk.contact());
        EXPECT_TRUE(mobile.is_silent());
    }
}

TEST_F(Gruu_Rfc5627_5_1, InstanceThatIsNotRegisteredIs480AndAnUnknownUserIs404) {
    Phone& desk = bob_at("198.51.100.20:5060");
    registers(desk, instance('a'), "c1");
    call("sip:bob@example.test;gr=urn:uuid:00000000-0000-4000-8000-00000000000c").expect(480);
    call("sip:nobody@example.test;gr=urn:uuid:00000000-0000-4000-8000-00000000000a").expect(404);
    EXPECT_TRUE(desk.is_silent());
}

TEST_F(Gruu_Rfc5627_5_1, TwoContactsOfOneInstanceAreOnePhone) {
    Phone& over_udp = bob_at("198.51.100.20:5060");
    Phone& over_tcp = bob_at("198.51.100.20:40001", Transport::Tcp);
    RequestText request = over_udp.registration();
    request.contact = "<" + over_udp.contact() + ">" + instance('a') + ", <" + over_tcp.contact() +
                      ">" + instance('a');
    over_udp.send(request).expect(200);
    call("sip:bob@example.test;gr=urn:uuid:00000000-0000-4000-8000-00000000000a");
    const std::string both = over_udp.take_kinds() + over_tcp.take_kinds();
    EXPECT_EQ(both, "INVITE");
}

TEST_F(Gruu_Rfc5627_5_4, TemporaryOneEndsWithANewCallIdOrWithTheRegistration) {
    Phone& desk = bob_at("198.51.100.20:5060");
    const std::string first = gruu_in(registers(desk, instance('a'), "c1"), "temp-gruu");
    const std::string second = gruu_in(registers(desk, instance('a'), "c1"), "temp-gruu");
    EXPECT_NE(first, second);
    call(first);
    desk.expects("INVITE");
    const std::string third = gruu_in(registers(desk, instance('a'), "c2"), "temp-gruu");
    call(first).expect(404);
    call(second).expect(404);
    call(third);
    desk.expects("INVITE");
    registers(desk, instance('a'), "c2", 0);
    call(third).expect(404);
    EXPECT_TRUE(desk.is_silent());
}

TEST_F(Gruu_Rfc5627_5_4, ForgedTemporaryOneIs404) {
    Phone& desk = bob_at("198.51.100.20:5060");
    std::string forged = gruu_in(registers(desk, instance('a'), "c1"), "temp-gruu");
    forged[30] = forged[30] == 'a' ? 'b' : 'a';
    call(forged).expect(404);
}

TEST_F(Gruu_Rfc5627_4_4, InDialogRequestToAGruuFindsThePhoneOnItsNewConnection) {
    Phone& before = bob_at("198.51.100.20:40001", Transport::Tcp);
    const std::string gruu = gruu_in(registers(before, instance('a'), "c1"), "pub-gruu");
    Outgoing invite = call("sip:bob@example.test");
    // The phone answers with its GRUU as Contact.
    std::string answer = before.expects("INVITE").response(200);
    const size_t contact = answer.find("Contact: <") + 10;
    answer.replace(contact, answer.find('>', contact) - contact, gruu);
    before.send_text(answer);
    invite.expect(200);
    Dialog dialog = invite.dialog();
    EXPECT_EQ(dialog.remote_target, gruu);
    invite.ack();
    before.expects("ACK");

    Phone& after = bob_at("198.51.100.20:40002", Transport::Tcp);
    world.close_flow(before);
    registers(after, instance('a'), "c2");
    alice.send_in(dialog, "BYE");
    const Incoming bye = after.expects("BYE");
    EXPECT_EQ(bye.message().uri(), after.contact());
    EXPECT_TRUE(before.is_silent());
    bye.answers(200);
    alice.expect(200);
}

TEST_F(Gruu_Rfc5627_4_4, InDialogRequestToAnInstanceThatIsGoneTakesTheDialogsFlow) {
    Phone& desk = bob_at("198.51.100.20:5060");
    const std::string gruu = gruu_in(registers(desk, instance('a'), "c1"), "pub-gruu");
    Outgoing invite = call("sip:bob@example.test");
    std::string answer = desk.expects("INVITE").response(200);
    const size_t contact = answer.find("Contact: <") + 10;
    answer.replace(contact, answer.find('>', contact) - contact, gruu);
    desk.send_text(answer);
    Dialog dialog = invite.expect(200).ack().dialog();
    desk.expects("ACK");
    registers(desk, instance('a'), "c1", 0);
    alice.send_in(dialog, "BYE");
    EXPECT_EQ(desk.expects("BYE").message().uri(), gruu);
}

/// All names of one space of addresses of record.
struct GruuAliasTest : ::testing::Test {
    static ports::Snapshot two_domains() {
        ports::Snapshot snapshot = trusting();
        snapshot.domains.push_back("second.test");
        return snapshot;
    }
    World world{two_domains()};
    Phone& alice = world.stranger();
    Phone& desk = world.phone({"bob", "example.test", "198.51.100.20:5060", {}, {}});
    Phone& other = world.phone({"bob", "example.test", "198.51.100.21:5060", {}, {}});

    GruuAliasTest() {
        world.add_user(user_record("bob"));
        other.send(other.registration()).expect(200);
    }
    /// The user part and the parameters of a GRUU of the desk phone, "bob@...;gr=...", as a URI at
    /// `host`.
    std::string gruu_at(const std::string& host, const std::string& name) {
        RequestText request = desk.registration();
        request.contact = "<" + desk.contact() + ">" + instance('a');
        request.cseq = ++cseq_;
        request.call_id = "one";
        request.with("Supported: gruu");
        std::string gruu;
        for (const std::string& value :
             desk.send(request).expect(200).response().values("Contact")) {
            if (value.find(name) != std::string::npos) gruu = GruuTest::gruu_in(value, name);
        }
        const size_t at = gruu.find('@') + 1;
        return gruu.replace(at, gruu.find(';', at) - at, host);
    }

 private:
    uint32_t cseq_ = 0;
};
using Gruu_Rfc5627_5_1_Aliases = GruuAliasTest;

TEST_F(Gruu_Rfc5627_5_1_Aliases, GruuIsKnownAtEveryDomainAndAddressOfOurs) {
    for (const char* kind : {"pub-gruu", "temp-gruu"}) {
        for (const char* host : {"example.test", "second.test", "192.0.2.1", "192.0.2.1:5060",
                                 "[2001:db8::1]", "EXAMPLE.test:5060", "other.test;maddr=192.0.2.1",
                                 "second.test;maddr=192.0.2.1;transport=udp"}) {
            const bool is_foreign = std::string(host).starts_with("other");
            Outgoing call = alice.send(alice.make("INVITE", gruu_at(host, kind)));
            call.expect(100);
            if (is_foreign) {
                alice.take_kinds();
                continue;
            }
            EXPECT_EQ(desk.expects("INVITE").message().uri(), desk.contact()) << host;
            EXPECT_TRUE(other.is_silent()) << host;
        }
    }
}

TEST_F(Gruu_Rfc5627_5_1_Aliases, InDialogRequestAndItsAckFindThePhoneByAnyName) {
    const std::string shown = gruu_at("second.test", "pub-gruu");
    Outgoing invite = alice.send(
        alice.make("INVITE", "sip:bob@example.test;gr=" + shown.substr(shown.find("gr=") + 3)));
    invite.expect(100);
    std::string answer = desk.expects("INVITE").response(200);
    const size_t contact = answer.find("Contact: <") + 10;
    answer.replace(contact, answer.find('>', contact) - contact, shown);
    desk.send_text(answer);
    Dialog dialog = invite.expect(200).dialog();
    for (const char* host : {"second.test", "example.test", "192.0.2.1", "192.0.2.1:5060"}) {
        dialog.remote_target = gruu_at(host, "pub-gruu");
        RequestText ack = alice.make_in(dialog, "ACK");
        ack.cseq = 1;
        alice.send_text(ack.text());
        EXPECT_EQ(desk.expects("ACK").message().uri(), desk.contact()) << host;
        alice.send(alice.make_in(dialog, "INFO"));
        const Incoming info = desk.expects("INFO");
        EXPECT_EQ(info.message().uri(), desk.contact()) << host;
        info.answers(200);
        alice.expect(200);
    }
}

TEST_F(Gruu_Rfc5627_4_4, AckFollowsItsInviteToTheNewConnection) {
    Phone& before = bob_at("198.51.100.20:40001", Transport::Tcp);
    const std::string gruu = gruu_in(registers(before, instance('a'), "c1"), "pub-gruu");
    const auto answered_with_gruu = [&](const Incoming& leg) {
        std::string answer = leg.response(200);
        const size_t contact = answer.find("Contact: <") + 10;
        return answer.replace(contact, answer.find('>', contact) - contact, gruu);
    };
    Outgoing invite = call("sip:bob@example.test");
    before.send_text(answered_with_gruu(before.expects("INVITE")));
    Dialog dialog = invite.expect(200).ack().dialog();
    before.expects("ACK");
    Phone& after = bob_at("198.51.100.20:40002", Transport::Tcp);
    world.close_flow(before);
    registers(after, instance('a'), "c2");
    Outgoing again = alice.send_in(dialog, "INVITE");
    again.expect(100);
    after.send_text(answered_with_gruu(after.expects("INVITE")));
    again.expect(200).ack();
    EXPECT_EQ(after.expects("ACK").message().uri(), after.contact());
    EXPECT_TRUE(before.is_silent());
}

TEST_F(Gruu_Rfc5627_4_4, AckToAGruuAtOurAddressThatIsGoneTakesTheDialogsFlow) {
    Phone& desk = bob_at("198.51.100.20:5060");
    registers(desk, instance('a'), "c1");
    const std::string gruu =
        "sip:bob@192.0.2.1:5060;gr=urn:uuid:00000000-0000-4000-8000-00000000000a";
    Outgoing invite = call("sip:bob@example.test");
    std::string answer = desk.expects("INVITE").response(200);
    const size_t contact = answer.find("Contact: <") + 10;
    answer.replace(contact, answer.find('>', contact) - contact, gruu);
    desk.send_text(answer);
    invite.expect(200);
    registers(desk, instance('a'), "c1", 0);
    invite.ack();
    EXPECT_EQ(desk.expects("ACK").message().uri(), gruu);
}

TEST_F(Gruu_Rfc5627_4_4, CallersGruuAtOurAddressNeverLeadsToOurselves) {
    Phone& desk = bob_at("198.51.100.20:5060");
    RequestText request = desk.make("INVITE", "sip:any@198.51.100.10");
    request.contact = "<sip:bob@192.0.2.1:5060;gr=urn:x:1>";
    // It came through another proxy, so that its Contact counts as an address.
    request.with("Via: SIP/2.0/UDP 198.51.100.66;branch=z9hG4bKinner");
    Outgoing sent = desk.send(request).expect(100);
    const Incoming leg = alice.expects("INVITE");
    leg.answers(200);
    sent.expect(200);
    Dialog dialog = leg.dialog();
    alice.send_in(dialog, "BYE");
    EXPECT_EQ(desk.expects("BYE").message().uri(), "sip:bob@192.0.2.1:5060;gr=urn:x:1");
}

struct GruuOverShardsTest : GruuTest {
    GruuOverShardsTest() : GruuTest(3) {}
};
using Gruu_Rfc5627_5_1_Shards = GruuOverShardsTest;

TEST_F(Gruu_Rfc5627_5_1_Shards, AnyShardFindsTheInstance) {
    Phone& desk = bob_at("198.51.100.20:5060");
    Phone& mobile = bob_at("198.51.100.21:5060");
    const std::string contact = registers(desk, instance('a'), "c1");
    registers(mobile, instance('b'), "c2");
    for (int i = 0; i < 6; ++i) {
        call(gruu_in(contact, i % 2 == 0 ? "pub-gruu" : "temp-gruu"));
        desk.expects("INVITE");
        EXPECT_TRUE(mobile.is_silent());
    }
}

TEST_F(Gruu_Rfc5627_5_1_Shards, AcksFindTheInstanceFromAnyShard) {
    Phone& desk = bob_at("198.51.100.20:5060");
    const std::string gruu = gruu_in(registers(desk, instance('a'), "c1"), "pub-gruu");
    for (int i = 0; i < 6; ++i) {
        Outgoing invite = call(gruu);
        std::string answer = desk.expects("INVITE").response(200);
        const size_t contact = answer.find("Contact: <") + 10;
        answer.replace(contact, answer.find('>', contact) - contact, gruu);
        desk.send_text(answer);
        invite.expect(200).ack();
        EXPECT_EQ(desk.expects("ACK").message().uri(), desk.contact());
    }
}

}  // namespace
}  // namespace signalbox::core::testing
