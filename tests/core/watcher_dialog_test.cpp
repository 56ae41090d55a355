// The dialog between a watcher and the server, the only one that the server opens: it answers the
// SUBSCRIBE and sends the NOTIFYs. Covers: RFC 3261 §8.1.1 (our NOTIFY as a request), §8.2.2.3,
// §8.2.3 (SUBSCRIBE), §12.1, §12.1.1, §12.2.1.1, §12.2.1.2, §12.2.2; RFC 5626 §4.3. Not covered:
// what is told (reg_event_test).
#include <gtest/gtest.h>

#include "tests/core/core_harness.h"

namespace signalbox::core::testing {
namespace {

using std::chrono::seconds;
using transport::Transport;

ports::Snapshot trusting() {
    ports::Snapshot snapshot = default_snapshot();
    snapshot.trusted = {*Network::parse("198.51.100.0/24")};
    return snapshot;
}

struct WatcherTest : ::testing::Test {
    World world{trusting()};
    Phone& watcher = world.stranger("watcher", "198.51.100.40:5060");
    Phone& bob = world.registered("bob", "198.51.100.20:5060");

    RequestText subscribe() {
        return watcher.make("SUBSCRIBE", "sip:bob@example.test")
            .with("Event: reg")
            .with("Expires: 600");
    }
    RequestText refresh(Dialog& dialog) {
        return watcher.make_in(dialog, "SUBSCRIBE").with("Event: reg").with("Expires: 600");
    }
    Message notified() {
        const Incoming got = watcher.expects("NOTIFY");
        got.answers(200);
        return got.message();
    }
    /// Something to tell.
    void changes() {
        world.wait(seconds(1));
        RequestText request = bob.registration();
        request.cseq = ++cseq;
        request.call_id = "changes";
        bob.send(request).expect(200);
    }
    /// More than a datagram may tell.
    void registers_much() {
        RequestText many = bob.registration();
        for (int i = 0; i < 5; ++i)
            many.with("Contact: <sip:bob@198.51.100.20:" + std::to_string(5070 + i) + ";" +
                      std::string(200, 'x') + ">");
        many.call_id = "changes";
        many.cseq = ++cseq;
        bob.send(many).expect(200);
    }
    uint32_t cseq = 0;
};

using WatcherRequest_Rfc3261_8_1_1 = WatcherTest;
using WatcherRequest_Rfc3261_8_1_1_8 = WatcherTest;
using WatcherAnswer_Rfc3261_8_2_2_3 = WatcherTest;
using WatcherDialog_Rfc3261_12_1_1 = WatcherTest;
using WatcherDialog_Rfc3261_12_2_1_1 = WatcherTest;
using WatcherDialog_Rfc3261_12_2_1_2 = WatcherTest;
using WatcherDialog_Rfc3261_12_2_2 = WatcherTest;
using WatcherDialog_Rfc3261_18_1_1 = WatcherTest;
using WatcherDialog_Rfc5626_4_3 = WatcherTest;

TEST_F(WatcherRequest_Rfc3261_8_1_1, ANotifyHasWhatARequestMustHave) {
    watcher.send(subscribe()).expect(200);
    const Message notify = notified();
    for (const char* name : {"To", "From", "CSeq", "Call-ID", "Max-Forwards", "Via"})
        EXPECT_EQ(notify.values(name).size(), 1U) << name;
    EXPECT_EQ(notify.header("Max-Forwards"), "70");
    EXPECT_EQ(notify.header("Via").substr(0, 26), "SIP/2.0/UDP 192.0.2.1:5060");
    EXPECT_EQ(notify.branch().substr(0, 7), "z9hG4bK");
    EXPECT_NE(notify.header("CSeq").find(" NOTIFY"), std::string::npos);
    changes();
    EXPECT_NE(notified().branch(), notify.branch());
}

TEST_F(WatcherRequest_Rfc3261_8_1_1_8, ANotifyHasOneContact) {
    watcher.send(subscribe()).expect(200);
    EXPECT_EQ(notified().values("Contact"), std::vector<std::string>{"<sip:bob@192.0.2.1:5060>"});
}

TEST_F(WatcherAnswer_Rfc3261_8_2_2_3, ARequiredExtensionOrAnUnknownBodyIsRefused) {
    const Outgoing refused = watcher.send(subscribe().with("Require: time-travel")).expect(420);
    EXPECT_EQ(refused.response().header("Unsupported"), "time-travel");
    RequestText filtered = subscribe().with("Content-Type: application/unheardof");
    filtered.body = "x";
    watcher.send(filtered).expect(415);
    EXPECT_TRUE(watcher.is_silent());
}

TEST_F(WatcherDialog_Rfc3261_12_1_1, TheAnswerCopiesRecordRouteAsItCame) {
    RequestText request = subscribe();
    request.with("Record-Route: <sip:198.51.100.40;lr;odd=1>;par=\"a,b\" , <sip:inner.test;lr>")
        .with("Record-Route: <sip:last.test;lr;x>");
    const Outgoing accepted = watcher.send(request).expect(200);
    const std::string text = accepted.response().text();
    EXPECT_NE(
        text.find("Record-Route: <sip:198.51.100.40;lr;odd=1>;par=\"a,b\" , <sip:inner.test;lr>\r\n"
                  "Record-Route: <sip:last.test;lr;x>\r\n"),
        std::string::npos);
    EXPECT_EQ(notified().values("Route"),
              (std::vector<std::string>{"<sip:198.51.100.40;lr;odd=1>;par=\"a,b\"",
                                        "<sip:inner.test;lr>", "<sip:last.test;lr;x>"}));
}

TEST_F(WatcherDialog_Rfc3261_12_1_1, TheAnswerHasAContactAndATag) {
    const Outgoing accepted = watcher.send(subscribe()).expect(200);
    EXPECT_EQ(accepted.response().values("Contact"),
              std::vector<std::string>{"<sip:bob@192.0.2.1:5060>"});
    EXPECT_FALSE(accepted.response().tag("To").empty());
}

TEST_F(WatcherDialog_Rfc3261_12_1_1, TheContactIsSipsWhereTheRequestWas) {
    for (const char* line : {"Contact: <sips:watcher@198.51.100.40:5060>",
                             "Record-Route: <sips:198.51.100.40:5060;lr>"}) {
        RequestText request = subscribe();
        request.contact.clear();
        request.with(line);
        if (request.more.back().front() == 'R')
            request.with("Contact: <sip:watcher@198.51.100.40>");
        const Outgoing accepted = watcher.send(request).expect(200);
        EXPECT_EQ(accepted.response().header("Contact").substr(0, 10), "<sips:bob@") << line;
        EXPECT_EQ(notified().header("Contact").substr(0, 10), "<sips:bob@") << line;
    }
}

TEST_F(WatcherDialog_Rfc3261_12_1_1, AWatcherWithoutATagIsServed) {
    RequestText request = subscribe();
    request.from = request.from.substr(0, request.from.find(";tag="));
    watcher.send(request).expect(200);
    EXPECT_EQ(notified().header("To"), request.from);
}

TEST_F(WatcherDialog_Rfc3261_12_2_1_1, ANotifyIsOfTheDialog) {
    const Outgoing accepted = watcher.send(subscribe()).expect(200);
    const Message notify = notified();
    EXPECT_EQ(notify.header("To"), accepted.request().from);
    EXPECT_EQ(notify.header("From"), accepted.response().header("To"));
    EXPECT_EQ(notify.header("Call-ID"), accepted.request().call_id);
    EXPECT_EQ(notify.uri(), watcher.contact());
    EXPECT_FALSE(notify.has("Route"));
}

TEST_F(WatcherDialog_Rfc3261_12_2_1_1, CSeqGrowsByOne) {
    watcher.send(subscribe()).expect(200);
    const auto first = sip::parse_cseq(notified().header("CSeq"));
    ASSERT_TRUE(first);
    const uint32_t number = first->number;
    for (uint32_t i = 1; i <= 3; ++i) {
        changes();
        const Message next = notified();
        EXPECT_EQ(next.header("CSeq"), std::to_string(number + i) + " NOTIFY");
    }
}

TEST_F(WatcherDialog_Rfc3261_12_2_1_1, AStrictRouterGetsItsUriAndTheTargetLast) {
    RequestText request = subscribe();
    request.with("Record-Route: <sip:198.51.100.40;x=1?Subject=a>, <sip:inner.test;lr>");
    watcher.send(request).expect(200);
    const Message notify = notified();
    EXPECT_EQ(notify.uri(), "sip:198.51.100.40;x=1");
    EXPECT_EQ(notify.values("Route"),
              (std::vector<std::string>{"<sip:inner.test;lr>", "<" + watcher.contact() + ">"}));
}

TEST_F(WatcherDialog_Rfc3261_12_2_2, AnUnknownDialogGets481) {
    RequestText request = subscribe();
    request.to += ";tag=invented";
    watcher.send(request).expect(481);
}

TEST_F(WatcherDialog_Rfc3261_12_2_2, ALowerCSeqGets500AndAHigherOneIsKept) {
    const Outgoing accepted = watcher.send(subscribe()).expect(200);
    notified();
    Dialog dialog = accepted.dialog();
    dialog.cseq = 40;
    watcher.send(refresh(dialog)).expect(200);
    notified();
    dialog.cseq = 20;
    watcher.send(refresh(dialog)).expect(500);
    dialog.cseq = 41;
    watcher.send(refresh(dialog)).expect(200);
    notified();
}

TEST_F(WatcherDialog_Rfc3261_12_2_2, ATargetRefreshMovesTheDialog) {
    const Outgoing accepted = watcher.send(subscribe()).expect(200);
    notified();
    Dialog dialog = accepted.dialog();
    RequestText moved = refresh(dialog);
    moved.contact = "<sip:moved@198.51.100.40:5060;x=2>";
    watcher.send(moved).expect(200);
    const Incoming got = watcher.expects("NOTIFY");
    EXPECT_EQ(got.message().uri(), "sip:moved@198.51.100.40:5060;x=2");
    std::string without_contact = got.response(200);
    const size_t contact = without_contact.find("Contact:");
    without_contact.erase(contact, without_contact.find("\r\n", contact) + 2 - contact);
    watcher.send_text(without_contact);
    changes();
    EXPECT_EQ(notified().uri(), "sip:moved@198.51.100.40:5060;x=2");
}

TEST_F(WatcherDialog_Rfc3261_12_2_1_2, TheContactInTheAnswerToANotifyMovesTheDialog) {
    watcher.send(subscribe()).expect(200);
    const Incoming got = watcher.expects("NOTIFY");
    std::string answer = got.response(200);
    const size_t contact = answer.find("Contact: <") + 10;
    answer.replace(contact, answer.find('>', contact) - contact, "sip:moved@198.51.100.40:5060");
    watcher.send_text(answer);
    changes();
    EXPECT_EQ(watcher.expects("NOTIFY").message().uri(), "sip:moved@198.51.100.40:5060");
}

TEST_F(WatcherDialog_Rfc3261_12_2_1_1, TheNextHopIsTheFirstRouteAndElseTheRemoteTarget) {
    Phone& proxy = world.stranger("proxy", "198.51.100.77:5070");
    Phone& elsewhere = world.stranger("elsewhere", "198.51.100.78:5060", Transport::Tcp);
    RequestText routed = subscribe();
    routed.with("Record-Route: <sip:198.51.100.77:5070;lr>");
    watcher.send(routed).expect(200);
    EXPECT_EQ(proxy.expects("NOTIFY").message().uri(), watcher.contact());
    // Without a route, from another proxy than the watcher: the Contact is the way.
    RequestText direct = subscribe();
    direct.contact = "<sip:w@198.51.100.78:5060;transport=tcp>";
    direct.with("Via: SIP/2.0/UDP 198.51.100.99;branch=z9hG4bKfar");
    watcher.send(direct).expect(200);
    const Message notify = elsewhere.expects("NOTIFY").message();
    EXPECT_EQ(notify.header("Via").substr(0, 11), "SIP/2.0/TCP");
    EXPECT_TRUE(watcher.is_silent());
}

TEST_F(WatcherDialog_Rfc5626_4_3, BehindANatOrWithObTheFlowIsTheWay) {
    for (const char* contact :
         {"<sip:w@10.0.0.7:5060>", "<sip:w@198.51.100.40:5999;ob>", "<sip:w@name.test>"}) {
        RequestText request = subscribe();
        request.contact = contact;
        watcher.send(request).expect(200);
        notified();
    }
}

TEST_F(WatcherDialog_Rfc3261_18_1_1, ALargeNotifyGoesByTcpAndByUdpWhereThatFails) {
    registers_much();
    Phone& by_stream = world.stranger("watcher", "198.51.100.40:5060", Transport::Tcp);
    watcher.send(subscribe()).expect(200);
    EXPECT_TRUE(watcher.is_silent());
    EXPECT_EQ(by_stream.expects("NOTIFY").message().header("Via").substr(0, 11), "SIP/2.0/TCP");
    EXPECT_EQ(world.last_connect_max, std::chrono::milliseconds(500));
    world.fail_last_request();
    const Message notify = notified();
    EXPECT_EQ(notify.header("Via").substr(0, 11), "SIP/2.0/UDP");
    EXPECT_EQ(world.count(Counter::large_requests_by_tcp_total), 1U);
    EXPECT_EQ(world.count(Counter::notifications_sent_total), 2U);
}

TEST_F(WatcherDialog_Rfc3261_18_1_1, BehindANatItStaysOnTheFlow) {
    registers_much();
    RequestText request = subscribe();
    request.contact = "<sip:w@10.0.0.7:5060>";
    watcher.send(request).expect(200);
    EXPECT_EQ(notified().header("Via").substr(0, 11), "SIP/2.0/UDP");
}

}  // namespace
}  // namespace signalbox::core::testing
