// A server, a peer that sends it what it likes, and a phone that is called: each torture message is
// one text and what must come of it.
#pragma once

#include <gtest/gtest.h>

#include <initializer_list>
#include <string>
#include <string_view>

#include "tests/core/core_harness.h"

namespace signalbox::torture {

using core::testing::Incoming;
using core::testing::Message;
using core::testing::Outgoing;
using core::testing::Phone;
using core::testing::RequestText;

/// Lines of a message, each ended by CRLF, then the empty line and the body.
inline std::string message(std::initializer_list<std::string_view> lines,
                           std::string_view body = {}) {
    std::string text;
    for (const std::string_view line : lines) text.append(line).append("\r\n");
    return text.append("\r\n").append(body);
}

inline std::string replaced(std::string text, std::string_view what, std::string_view by) {
    text.replace(text.find(what), what.size(), by);
    return text;
}

/// The peer at 198.51.100.10 is trusted: no challenge stands between a message and its rule. bob is
/// registered at 198.51.100.20, and the host 203.0.113.5 is somebody else's.
struct TortureTest : ::testing::Test {
    static ports::Snapshot trusting() {
        ports::Snapshot snapshot = core::testing::default_snapshot();
        snapshot.proxy.datagram_max = 65'535;  // size alone sends nothing over a stream
        snapshot.trusted = {*Network::parse("198.51.100.10"), *Network::parse("2001:db8::10/128")};
        return snapshot;
    }

    core::testing::World world{trusting()};
    Phone& peer = world.stranger();
    Phone& bob = world.registered("bob", "198.51.100.20:5060");
    Phone& far = world.stranger("far", "203.0.113.5:5060");

    /// What the peer gets for a text: "400", "" for silence. Nothing may have gone on.
    std::string answer(const std::string& text) {
        peer.send_text(text);
        EXPECT_TRUE(bob.is_silent() && far.is_silent()) << "it was forwarded";
        return peer.take_kinds();
    }
    /// The request as it arrives at bob, or at `callee`.
    Message forwarded(const std::string& text, std::string_view method, Phone* callee = nullptr) {
        peer.send_text(text);
        return (callee == nullptr ? bob : *callee).expects(method).message();
    }
    /// bob's response to a call of the peer, changed by `what` and `by`; gives what the peer gets.
    std::string answer_to_response(std::string_view what, std::string_view by, int status = 183) {
        const Outgoing call = peer.invite(bob).expect(100);
        bob.send_text(replaced(bob.expects("INVITE").response(status), what, by));
        return peer.take_kinds();
    }
};

}  // namespace signalbox::torture
