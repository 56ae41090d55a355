// Every edit of a forwarded request, and that nothing else changes.
// Covers: RFC 3261 §16.6 steps 1 to 4, 6, 8, 9, §19.1.1 (our URIs), §20.22, §18.2.1, RFC 3581 §4
// (stamps), RFC 5658, RFC 7118 §5. Not covered: step 5 (no service adds header fields), step 7
// (target_set_test), steps 10 and 11 (transactions, timer_c_test).
#include "proxy/request_forwarding.h"

#include <gmock/gmock.h>

#include "tests/proxy/support.h"

namespace signalbox::proxy {
namespace {

using testing::kNow;
using testing::Read;
using testing::request_text;
using transport::Transport;

struct ForwardingTest : ::testing::Test {
    crypto::TokenKeys keys = testing::token_keys();
    transport::Flow out_flow = testing::flow("203.0.113.9:5060");
    bool record_route = false;
    uint64_t loop_hash = 0x500000077;

    std::string forward(const Read& read, std::string_view target = "sip:bob@203.0.113.9") {
        const auto routing = preprocess_route(*read, keys, kNow);
        CHECK(routing.has_value());
        std::string out;
        const Forwarding forwarding{*read,     *routing,     target, out_flow, "z9hG4bKours",
                                    loop_hash, record_route, 1,      keys};
        CHECK(render_request(forwarding, out));
        return out;
    }
    std::string forward(const std::string& text) { return forward(Read(text)); }
    static std::string line(const std::string& text, std::string_view name, size_t nth = 0) {
        size_t at = 0;
        const std::string start = "\r\n" + std::string(name) + ": ";
        for (size_t i = 0; i <= nth; ++i) {
            at = text.find(start, at);
            if (at == std::string::npos) return {};
            at += start.size();
        }
        return text.substr(at, text.find("\r\n", at) - at);
    }
};

using Forwarding_Rfc3261_16_6 = ForwardingTest;
using Forwarding_Rfc5658 = ForwardingTest;

TEST_F(Forwarding_Rfc3261_16_6, ChangesNothingButWhatItMust) {
    const std::string text =
        "MESSAGE sip:bob@example.test SIP/2.0\r\n"
        "v: SIP/2.0/UDP 198.51.100.10:5060 ;branch=z9hG4bKone\r\n"
        "vIa : SIP/2.0/UDP 10.0.0.1;branch=z9hG4bKtwo\r\n"
        "X-Folded: one\r\n\ttwo\r\n"
        "f:\t<sip:alice@elsewhere.test>;tag=a1\r\n"
        "t: \"B\xc3\xb6\" <sip:bob@example.test>\r\n"
        "i: call-1\r\n"
        "Max-forwards:  17 \r\n"
        "CSEQ: 0001 MESSAGE\r\n"
        "Authorization: Digest realm=\"example.test\"\r\n"
        "Subject :\r\n"
        "l: 4\r\n\r\n\r\n\x01\xff";
    const std::string expected =
        "MESSAGE sip:bob@203.0.113.9 SIP/2.0\r\n"
        "Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKours;rport\r\n"
        "v: SIP/2.0/UDP 198.51.100.10:5060 ;branch=z9hG4bKone\r\n"
        "vIa : SIP/2.0/UDP 10.0.0.1;branch=z9hG4bKtwo\r\n"
        "X-Folded: one\r\n\ttwo\r\n"
        "f:\t<sip:alice@elsewhere.test>;tag=a1\r\n"
        "t: \"B\xc3\xb6\" <sip:bob@example.test>\r\n"
        "i: call-1\r\n"
        "Max-forwards:  16 \r\n"
        "CSEQ: 0001 MESSAGE\r\n"
        "Authorization: Digest realm=\"example.test\"\r\n"
        "Subject :\r\n"
        "l: 4\r\nMax-Breadth: 60\r\n\r\n\r\n\x01\xff";
    EXPECT_EQ(forward(text), expected);
}

TEST_F(Forwarding_Rfc3261_16_6, PutsOurViaOnTopAndStampsTheOneBelow) {
    const std::string out = forward(Read(request_text("MESSAGE sip:bob@example.test", {}),
                                         testing::snapshot(), testing::flow("203.0.113.30:40000")));
    EXPECT_EQ(line(out, "Via"), "SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKours;rport");
    EXPECT_EQ(line(out, "Via", 1),
              "SIP/2.0/UDP 198.51.100.10:5060;branch=z9hG4bKone;received=203.0.113.30");
}

TEST_F(Forwarding_Rfc3261_16_6, TheViaFollowsTransportAndAdvertisedAddress) {
    ports::Snapshot snapshot = testing::snapshot();
    snapshot.listeners[1].advertise_host = "sip.example.test";
    snapshot.listeners[1].advertise_port = 5061;
    out_flow = testing::flow("203.0.113.9:5060", Transport::Tcp);
    const std::string out =
        forward(Read(request_text("MESSAGE sip:bob@example.test", {}), snapshot));
    EXPECT_EQ(line(out, "Via"), "SIP/2.0/TCP sip.example.test:5061;branch=z9hG4bKours;rport");
}

TEST_F(Forwarding_Rfc3261_16_6, MaxForwardsIsLoweredOrInsertedAs70) {
    const auto with = [&](const std::vector<std::string>& lines) {
        return line(forward(request_text("MESSAGE sip:bob@example.test", lines)), "Max-Forwards");
    };
    EXPECT_EQ(with({}), "70");
    EXPECT_EQ(with({"Max-Forwards: 70"}), "69");
    EXPECT_EQ(with({"Max-Forwards: 1"}), "0");
    EXPECT_EQ(with({"Max-Forwards: 255"}), "254");
}

TEST_F(Forwarding_Rfc3261_16_6, RecordRoutesOnlyWhatBeginsADialog) {
    record_route = true;
    for (const char* method : {"INVITE", "SUBSCRIBE", "REFER", "NOTIFY"}) {
        const std::string out = forward(request_text(std::string(method) + " sip:bob@example.test",
                                                     {"Contact: <sip:alice@198.51.100.10>"}));
        const std::string value = line(out, "Record-Route");
        EXPECT_EQ(value.substr(0, 5), "<sip:") << method;
        EXPECT_NE(value.find("@192.0.2.1:5060;lr>"), std::string::npos) << value;
        EXPECT_EQ(value.find(','), std::string::npos);
    }
    for (const char* method : {"MESSAGE", "OPTIONS", "BYE", "ACK", "PUBLISH"}) {
        EXPECT_EQ(line(forward(request_text(std::string(method) + " sip:bob@example.test", {})),
                       "Record-Route"),
                  "");
    }
    record_route = false;
    EXPECT_EQ(line(forward(request_text("INVITE sip:bob@example.test", {})), "Record-Route"), "");
}

TEST_F(Forwarding_Rfc3261_16_6, OurRecordRouteStandsAboveTheOthers) {
    record_route = true;
    const std::string out = forward(
        request_text("INVITE sip:bob@example.test", {"Record-Route: <sip:203.0.113.1;lr>"}));
    EXPECT_NE(line(out, "Record-Route").find("192.0.2.1"), std::string::npos);
    EXPECT_EQ(line(out, "Record-Route", 1), "<sip:203.0.113.1;lr>");
}

TEST_F(Forwarding_Rfc3261_16_6, TheTokenNamesTheCallersFlowAndContact) {
    record_route = true;
    const auto token_of = [&](const std::vector<std::string>& lines) {
        const std::string value =
            line(forward(request_text("INVITE sip:bob@example.test", lines)), "Record-Route");
        const std::string user = value.substr(5, value.find('@') - 5);
        const auto token = open_dialog_token(user, keys, kNow, testing::snapshot().listeners);
        CHECK(token.has_value());
        return *token;
    };
    const DialogToken direct = token_of({"Contact: <sip:alice@198.51.100.10>"});
    EXPECT_EQ(direct.flow, testing::flow());
    EXPECT_EQ(direct.dialog, dialog_hash("call-1", "a1"));
    EXPECT_EQ(direct.next_hop, hop_hash(*sip::parse_uri("sip:198.51.100.10")));
    EXPECT_EQ(direct.passage, passage_of(loop_hash));
    EXPECT_FALSE(direct.is_nated);
    EXPECT_TRUE(token_of({"Contact: <sip:alice@10.0.0.7>"}).is_nated);
    EXPECT_TRUE(token_of({}).is_nated);
    const DialogToken behind =
        token_of({"Contact: <sip:alice@10.0.0.7>", "Record-Route: <sip:203.0.113.1;lr>"});
    EXPECT_EQ(behind.next_hop, hop_hash(*sip::parse_uri("sip:203.0.113.1;lr")));
    EXPECT_FALSE(behind.is_nated);
}

TEST_F(Forwarding_Rfc5658, RecordRouteIsDoubledOnATransportChange) {
    record_route = true;
    out_flow = testing::flow("203.0.113.9:5060", Transport::Tcp);
    const std::string value =
        line(forward(request_text("INVITE sip:bob@example.test", {})), "Record-Route");
    const size_t comma = value.find(", ");
    ASSERT_NE(comma, std::string::npos);
    EXPECT_NE(value.substr(0, comma).find(";transport=tcp;lr>"), std::string::npos);
    EXPECT_EQ(value.substr(comma).find("transport"), std::string::npos);
}

/// Our Record-Routes without their tokens: "<sip:@192.0.2.1:5060;lr>".
std::vector<std::string> own_routes(std::string value) {
    std::vector<std::string> routes;
    while (!value.empty()) {
        const size_t end = std::min(value.find(", "), value.size());
        std::string route = value.substr(0, end);
        const size_t user = route.find(':') + 1;
        routes.push_back(route.erase(user, route.find('@') - user));
        value.erase(0, std::min(end + 2, value.size()));
    }
    return routes;
}

using Forwarding_Rfc7118_5 = ForwardingTest;

TEST_F(Forwarding_Rfc5658, EachSideIsNamedByItsTransport) {
    record_route = true;
    const auto invite = request_text("INVITE sip:bob@example.test", {});
    out_flow = testing::flow("203.0.113.9:5061", Transport::Tls);
    EXPECT_THAT(own_routes(line(forward(invite), "Record-Route")),
                ::testing::ElementsAre("<sip:@192.0.2.1:5061;transport=tls;lr>",
                                       "<sip:@192.0.2.1:5060;lr>"));
    out_flow = testing::flow("203.0.113.9:40000", Transport::Ws);
    EXPECT_THAT(own_routes(line(forward(invite), "Record-Route")),
                ::testing::ElementsAre("<sip:@192.0.2.1:5062;transport=ws;lr>",
                                       "<sip:@192.0.2.1:5060;lr>"));
    out_flow = testing::flow("203.0.113.9:40000", Transport::Wss);
    const Read by_tls(invite, testing::snapshot(),
                      testing::flow("203.0.113.8:40000", Transport::Tls));
    EXPECT_THAT(own_routes(line(forward(by_tls), "Record-Route")),
                ::testing::ElementsAre("<sip:@192.0.2.1:5063;transport=ws;lr>",
                                       "<sip:@192.0.2.1:5061;transport=tls;lr>"));
}

TEST_F(Forwarding_Rfc5658, AListenerAtTwoAddressesHasTwoSides) {
    record_route = true;
    transport::Flow by_other_address = testing::flow();
    by_other_address.local = *Endpoint::parse("192.0.2.7:5060");
    const Read invite(request_text("INVITE sip:bob@example.test", {}), testing::snapshot(),
                      by_other_address);
    EXPECT_THAT(own_routes(line(forward(invite), "Record-Route")),
                ::testing::ElementsAre("<sip:@192.0.2.1:5060;lr>", "<sip:@192.0.2.7:5060;lr>"));
}

TEST_F(Forwarding_Rfc3261_16_6, SipsIsRecordedAsSipsOnTheSidesThatTlsProtects) {
    record_route = true;
    const auto recorded = [&](const char* uri, const char* target, Transport from, Transport to) {
        out_flow = testing::flow("203.0.113.9:40000", to);
        const Read read(request_text(std::string("INVITE ") + uri, {}), testing::snapshot(),
                        testing::flow("203.0.113.8:40000", from));
        return own_routes(line(forward(read, target), "Record-Route"));
    };
    const char* const sips = "sips:bob@example.test";
    EXPECT_THAT(recorded(sips, "sips:bob@203.0.113.9", Transport::Tls, Transport::Tls),
                ::testing::ElementsAre("<sips:@192.0.2.1:5061;lr>"));
    EXPECT_THAT(recorded(sips, "sips:bob@x.invalid;transport=ws", Transport::Tls, Transport::Wss),
                ::testing::ElementsAre("<sips:@192.0.2.1:5063;transport=ws;lr>",
                                       "<sips:@192.0.2.1:5061;lr>"));
    EXPECT_THAT(
        recorded("sip:bob@example.test", "sips:bob@203.0.113.9", Transport::Udp, Transport::Tls),
        ::testing::ElementsAre("<sips:@192.0.2.1:5061;lr>", "<sip:@192.0.2.1:5060;lr>"));
}

TEST_F(Forwarding_Rfc3261_16_6, StaysInThePathWhereTlsBeginsOrEnds) {
    const auto recorded = [&](const char* target, Transport from, Transport to) {
        out_flow = testing::flow("203.0.113.9:40000", to);
        const Read read(request_text("INVITE sip:bob@example.test", {}), testing::snapshot(),
                        testing::flow("203.0.113.8:40000", from));
        return !line(forward(read, target), "Record-Route").empty();
    };
    EXPECT_TRUE(recorded("sip:bob@203.0.113.9", Transport::Tls, Transport::Udp));
    EXPECT_TRUE(recorded("sips:bob@203.0.113.9", Transport::Udp, Transport::Tls));
    EXPECT_FALSE(recorded("sips:bob@203.0.113.9", Transport::Tls, Transport::Tls));
    EXPECT_FALSE(recorded("sip:bob@203.0.113.9", Transport::Tcp, Transport::Udp));
}

TEST_F(Forwarding_Rfc7118_5, StaysInThePathOfAWebSocketClient) {
    out_flow = testing::flow("203.0.113.9:40000", Transport::Ws);
    const auto routes =
        own_routes(line(forward(request_text("INVITE sip:bob@example.test", {})), "Record-Route"));
    EXPECT_THAT(routes, ::testing::ElementsAre("<sip:@192.0.2.1:5062;transport=ws;lr>",
                                               "<sip:@192.0.2.1:5060;lr>"));
}

TEST_F(Forwarding_Rfc3261_16_6, OurRoutesAreRemovedAndTheOthersStay) {
    const std::string out =
        forward(request_text("INVITE sip:bob@example.test",
                             {"Route: <sip:192.0.2.1;lr>,  <sip:192.0.2.1:5060;transport=tcp;lr>",
                              "Route:  <sip:203.0.113.1;lr>"}));
    EXPECT_EQ(out.find("192.0.2.1;lr"), std::string::npos);
    EXPECT_EQ(out.find("transport=tcp"), std::string::npos);
    EXPECT_NE(out.find("Route:  <sip:203.0.113.1;lr>\r\n"), std::string::npos);
}

TEST_F(Forwarding_Rfc3261_16_6, AStrictNextHopGetsItsUriAndTheTargetLast) {
    const std::string out = forward(request_text(
        "INVITE sip:bob@example.test",
        {"Route: <sip:192.0.2.1;lr>, <sip:strict@203.0.113.1>, <sip:203.0.113.2;lr>"}));
    EXPECT_EQ(out.substr(0, out.find("\r\n")), "INVITE sip:strict@203.0.113.1 SIP/2.0");
    EXPECT_EQ(line(out, "Route"), "<sip:203.0.113.2;lr>");
    EXPECT_EQ(line(out, "Route", 1), "<sip:bob@203.0.113.9>");
}

TEST_F(Forwarding_Rfc3261_16_6, AStrictRouterUpstreamIsRepaired) {
    DialogToken token;
    token.dialog = dialog_hash("call-1", "a1");
    token.flow = testing::flow();
    const std::string us =
        "sip:" + std::string(seal_dialog_token(token, 1, keys).view()) + "@192.0.2.1:5060;lr";
    const auto repaired = [&](const std::vector<std::string>& lines) {
        return forward(Read(request_text("BYE " + us, lines, "b1")), "sip:bob@203.0.113.9");
    };
    std::string out = repaired({"Route: <sip:203.0.113.1;lr>, <sip:bob@203.0.113.9>"});
    EXPECT_EQ(out.substr(0, out.find("\r\n")), "BYE sip:bob@203.0.113.9 SIP/2.0");
    EXPECT_EQ(line(out, "Route"), "<sip:203.0.113.1;lr>");
    out = repaired({"Route: <sip:bob@203.0.113.9>"});
    EXPECT_EQ(line(out, "Route"), "");
    out = repaired({"Route: <" + us + ">, <sip:bob@203.0.113.9>"});
    EXPECT_EQ(line(out, "Route"), "");
    out = repaired({"Route: <" + us + ">", "Route: <sip:203.0.113.1;lr> , <sip:bob@203.0.113.9>"});
    EXPECT_EQ(line(out, "Route"), "<sip:203.0.113.1;lr> ");
}

TEST_F(Forwarding_Rfc3261_16_6, ContentLengthIsAddedOnStreamsOnly) {
    const std::string text = request_text("MESSAGE sip:bob@example.test", {}, "", "hello");
    EXPECT_EQ(line(forward(text), "Content-Length"), "");
    out_flow = testing::flow("203.0.113.9:5060", Transport::Tcp);
    EXPECT_EQ(line(forward(text), "Content-Length"), "5");
    const std::string has = request_text("MESSAGE sip:bob@example.test", {"l: 5"}, "", "hello");
    EXPECT_EQ(line(forward(has), "Content-Length"), "");
}

TEST_F(Forwarding_Rfc3261_16_6, CredentialsForOurRealmEndHere) {
    const std::string out =
        forward(request_text("MESSAGE sip:bob@example.test",
                             {"Proxy-Authorization: Digest username=\"a\", realm=\"example.test\", "
                              "nonce=\"1\", uri=\"sip:x\", response=\"0\"",
                              "Proxy-Authorization: Digest username=\"a\", realm=\"next.test\", "
                              "nonce=\"1\", uri=\"sip:x\", response=\"0\""}));
    EXPECT_EQ(out.find("realm=\"example.test\""), std::string::npos);
    EXPECT_NE(out.find("realm=\"next.test\""), std::string::npos);
}

TEST_F(Forwarding_Rfc3261_16_6, ARequestWithMoreEditsThanFitIsRefused) {
    std::vector<std::string> lines;
    for (int i = 0; i < 180; ++i) {
        lines.emplace_back(
            "Proxy-Authorization: Digest username=\"a\", realm=\"example.test\", nonce=\"1\", "
            "uri=\"sip:x\", response=\"0\"");
    }
    const std::string out = forward(request_text("MESSAGE sip:bob@example.test", lines));
    EXPECT_EQ(out.find("Proxy-Authorization"), std::string::npos);
    const Read read(request_text("MESSAGE sip:bob@example.test", {}));
    const auto routing = preprocess_route(*read, keys, kNow);
    std::string rendered;
    const std::string huge = "sip:bob@203.0.113.9;x=" + std::string(9000, 'x');
    const Forwarding forwarding{*read, *routing, huge, out_flow, "z9hG4bKours", 0, false, 1, keys};
    EXPECT_FALSE(render_request(forwarding, rendered));
}

}  // namespace
}  // namespace signalbox::proxy
