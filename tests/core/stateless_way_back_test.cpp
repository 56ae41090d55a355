// The way back of a response that no transaction waits for: that of its request, and no other.
// Covers: RFC 3261 §16.11, §18.2.2 (the connection of the request), RFC 3581 §4 (the address and
// port to which the request came), in both modes. Not covered: the token as such (via_flow_test),
// responses with a transaction (stray_response_test).
#include <gtest/gtest.h>

#include "tests/core/core_harness.h"

namespace signalbox::core::testing {
namespace {

using transport::Flow;
using transport::Transport;

ports::Snapshot in_mode(ports::ProxyMode mode) {
    ports::Snapshot snapshot = default_snapshot();
    snapshot.proxy.mode = mode;
    return snapshot;
}

ports::Snapshot with_more_listeners() {
    ports::Snapshot snapshot = in_mode(ports::ProxyMode::Stateless);
    transport::Listener more = snapshot.listeners[0];
    more.bound = *Endpoint::parse("192.0.2.1:5070");
    snapshot.listeners.push_back(more);  // 4
    more.bound = *Endpoint::parse("0.0.0.0:5080");
    snapshot.listeners.push_back(more);  // 5
    snapshot.own_addresses.push_back(IpAddress::v4(192, 0, 2, 9));
    return snapshot;
}

/// The value of the header field that begins at `line`, up to its end.
size_t end_of(const std::string& text, size_t line) {
    return text.find("\r\n", line);
}

/// The response with another second Via.
std::string with_second_via(std::string response, std::string_view via) {
    const size_t second = response.find("Via: ", response.find("Via: ") + 1) + 5;
    return response.replace(second, end_of(response, second) - second, via);
}

std::string second_via(const std::string& response) {
    const size_t second = response.find("Via: ", response.find("Via: ") + 1) + 5;
    return response.substr(second, end_of(response, second) - second);
}

std::string replaced(std::string text, std::string_view what, std::string_view by) {
    EXPECT_NE(text.find(what), std::string::npos) << what << " in " << text;
    return text.replace(text.find(what), what.size(), by);
}

struct WayTest : ::testing::Test {
    explicit WayTest(ports::Snapshot snapshot = in_mode(ports::ProxyMode::Stateless),
                     uint8_t shards = 1)
        : world(std::move(snapshot), shards) {}

    bool is_nothing_sent() const {
        return alice.is_silent() && victim.is_silent() && tcp_victim.is_silent() &&
               world.undelivered.empty();
    }

    World world;
    Phone& alice = world.stranger();
    Phone& bob = world.registered("bob", "198.51.100.20:5060");
    Phone& victim = world.stranger("victim", "203.0.113.66:5060");
    Phone& tcp_victim = world.stranger("victim", "203.0.113.67:5060", Transport::Tcp);
};
struct StatefulWayTest : WayTest {
    StatefulWayTest() : WayTest(in_mode(ports::ProxyMode::Stateful)) {}
};
struct ShardsWayTest : WayTest {
    ShardsWayTest() : WayTest(in_mode(ports::ProxyMode::Stateless), 3) {}
};
struct ListenersWayTest : WayTest {
    ListenersWayTest() : WayTest(with_more_listeners()) {}
};

using AckWayBack_Rfc3261_16_11 = StatefulWayTest;
using StatelessWayBack_Rfc3261_16_11 = WayTest;
using StatelessWayBackOverShards_Rfc3261_18_2_2 = ShardsWayTest;
using StatelessWayBack_Rfc3581_4 = ListenersWayTest;

TEST_F(AckWayBack_Rfc3261_16_11, TheViaOfAnAckRelaysNothing) {
    Outgoing call = alice.invite(bob).expect(100);
    bob.expects("INVITE").answers(200);
    call.expect(200).ack();
    const std::string answer = bob.expects("ACK").response(200);
    Phone& third = world.stranger("third", "203.0.113.5:5060");
    const std::string udp = "SIP/2.0/UDP 203.0.113.66:5060;branch=z9hG4bKvictim";
    const std::string tcp = "SIP/2.0/TCP 203.0.113.67:5060;branch=z9hG4bKvictim";
    for (Phone* sender : {&bob, &third}) {
        for (const std::string& via : {udp, tcp, second_via(answer)}) {
            const std::string forged = with_second_via(answer, via);
            sender->send_text(forged);
            sender->send_text(replaced(forged, "CSeq: 1 ACK", "CSeq: 1 OPTIONS"));
        }
    }
    EXPECT_TRUE(is_nothing_sent());
    EXPECT_EQ(world.count(Counter::rx_responses_to_ack_dropped_total), 6U);
    EXPECT_EQ(world.count(Counter::rx_response_next_via_mismatch_dropped_total), 6U);
}

TEST_F(StatelessWayBack_Rfc3261_16_11, WithAnotherNextViaIsDropped) {
    for (const std::string method : {"MESSAGE", "INVITE", "OPTIONS", "BYE"}) {
        alice.send(alice.make(method, bob.aor()));
        const Incoming request = bob.expects(method);
        const std::string good = request.response(200);
        bob.send_text(with_second_via(good, "SIP/2.0/UDP 203.0.113.66;branch=z9hG4bKvictim"));
        bob.send_text(with_second_via(good, "SIP/2.0/TCP 203.0.113.67;branch=z9hG4bKvictim"));
        bob.send_text(replaced(good, "198.51.100.10:5060;branch", "203.0.113.66:5060;branch"));
        bob.send_text(replaced(good, "198.51.100.10:5060;branch", "198.51.100.10:5061;branch"));
        bob.send_text(with_second_via(good, alice.fresh_via()));
        EXPECT_TRUE(is_nothing_sent()) << method;
        bob.send_text(good);
        alice.expect(200);
    }
    EXPECT_EQ(world.count(Counter::rx_response_next_via_mismatch_dropped_total), 20U);
}

TEST_F(StatelessWayBack_Rfc3261_16_11, IsLedNowhereElseByTheParametersOfTheNextVia) {
    alice.send(alice.make("MESSAGE", bob.aor()));
    const std::string good = bob.expects("MESSAGE").response(200);
    const std::string via = second_via(good);
    const std::string bare = via.substr(0, via.find(";rport"));
    for (const std::string more : {";received=203.0.113.66;rport=5060", ";received=203.0.113.66",
                                   ";maddr=203.0.113.66", ";rport=9", ""}) {
        bob.send_text(with_second_via(good, bare + more));
        EXPECT_EQ(alice.expect(200).flow().remote, alice.flow().remote) << more;
    }
    bob.send_text(with_second_via(good, replaced(via, "/UDP", "/TCP")));
    EXPECT_EQ(alice.expect(200).flow().transport, Transport::Udp);
    EXPECT_TRUE(is_nothing_sent());
}

TEST_F(StatelessWayBack_Rfc3261_16_11, ToAnAckIsDropped) {
    Outgoing call = alice.invite(bob);
    const Incoming leg = bob.expects("INVITE");
    leg.answers(200);
    call.expect(200).ack();
    bob.expects("ACK").answers(200);
    bob.send_text(replaced(leg.response(200), "CSeq: 1 INVITE", "CSeq: 1 ACK"));
    EXPECT_TRUE(is_nothing_sent());
    EXPECT_EQ(world.count(Counter::rx_responses_to_ack_dropped_total), 2U);
}

TEST_F(StatelessWayBack_Rfc3261_16_11, OfACancelByAnotherPortHasTheBranchAndAWayOfItsOwn) {
    RequestText invite = alice.make("INVITE", bob.aor());
    alice.send_text(invite.text());
    const Incoming leg = bob.expects("INVITE");
    RequestText cancel = invite;
    cancel.method = "CANCEL";
    Phone& moved = world.stranger("alice", "198.51.100.10:41000");
    moved.send_text(cancel.text());
    const Incoming cancelled = bob.expects("CANCEL");
    EXPECT_EQ(cancelled.message().branch(), leg.message().branch());
    cancelled.answers(200);
    moved.expect(200);
    leg.answers(487);
    alice.expect(487);
}

TEST_F(StatelessWayBackOverShards_Rfc3261_18_2_2, TakesTheConnectionOfItsRequest) {
    Phone& tcp_bob = world.registered("dora", "198.51.100.40:5060", Transport::Tcp);
    Phone& tcp_alice = world.stranger("carol", "198.51.100.11:41234", Transport::Tcp);
    for (uint8_t shard = 0; shard < 3; ++shard) {
        Flow flow = tcp_alice.flow();
        flow.shard = static_cast<uint8_t>(2 - shard);
        RequestText request = tcp_alice.make("MESSAGE", tcp_bob.aor());
        request.via = "SIP/2.0/TCP 198.51.100.11:5060;branch=z9hG4bK" + std::to_string(shard);
        world.receive_at(shard, flow, request.text());
        EXPECT_TRUE(world.is_empty());
        tcp_bob.expects("MESSAGE").answers(200);
        Flow wanted = flow;
        wanted.remote.port = 5060;  // should the connection have closed
        EXPECT_EQ(tcp_alice.expect(200).flow(), wanted) << int{shard};
    }
}

TEST_F(StatelessWayBack_Rfc3581_4, LeavesFromTheAddressAndPortToWhichItsRequestCame) {
    for (const auto& [listener, local] :
         {std::pair<uint16_t, std::string_view>{4, "192.0.2.1:5070"},
          {5, "192.0.2.9:5080"},
          {5, "192.0.2.1:5080"},
          {0, "192.0.2.1:5060"}}) {
        Flow flow = alice.flow();
        flow.listener = listener;
        flow.local = *Endpoint::parse(local);
        world.receive(flow, alice.make("MESSAGE", bob.aor()).text());
        bob.expects("MESSAGE").answers(200);
        EXPECT_EQ(alice.expect(200).flow(), flow) << local;
    }
}

}  // namespace
}  // namespace signalbox::core::testing
