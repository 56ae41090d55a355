// The token of our Record-Route: what goes in comes out, and nobody else makes one.
// Covers: RFC 3261 §16.6 step 4 (a URI that resolves to this proxy). Not covered: rotation of keys
// (token_test).
#include "proxy/dialog_token.h"

#include <gtest/gtest.h>

#include "tests/proxy/support.h"

namespace signalbox::proxy {
namespace {

using testing::kNow;

struct TokenTest : ::testing::Test {
    crypto::TokenKeys keys = testing::token_keys();
    ports::Snapshot snapshot = testing::snapshot();

    std::optional<DialogToken> reopened(const DialogToken& token) {
        return open_dialog_token(seal_dialog_token(token, 1, keys).view(), keys, kNow,
                                 snapshot.listeners);
    }
};

using DialogToken_Rfc3261_16_6 = TokenTest;

TEST_F(DialogToken_Rfc3261_16_6, KeepsEverythingThatItSays) {
    using enum transport::Transport;
    for (const auto transport : {Udp, Tcp, Tls, Ws, Wss}) {
        for (const bool is_nated : {false, true}) {
            DialogToken token{11, 22, is_nated, testing::flow("203.0.113.9:40000", transport), 33};
            token.flow.shard = 2;
            token.caller_identity = 44;
            token.callee_identity = 55;
            token.leads_to_caller = is_nated;
            token.is_at_contact = !is_nated;
            if (is_nated) token.flow.domain = transport::PeerDomain::of("example.test");
            const auto again = reopened(token);
            ASSERT_TRUE(again.has_value());
            EXPECT_EQ(again->dialog, 11U);
            EXPECT_EQ(again->next_hop, 22U);
            EXPECT_EQ(again->is_nated, is_nated);
            EXPECT_EQ(again->flow, token.flow);
            EXPECT_EQ(again->passage, 33U);
            EXPECT_EQ(again->caller_identity, 44U);
            EXPECT_EQ(again->callee_identity, 55U);
            EXPECT_EQ(again->leads_to_caller, is_nated);
            EXPECT_EQ(again->is_at_contact, !is_nated);
            EXPECT_EQ(again->key_id, keys.current().id);
        }
    }
}

TEST_F(DialogToken_Rfc3261_16_6, HasRoomForIpv6Streams) {
    transport::Listener listener;
    listener.transport = transport::Transport::Tls;
    listener.bound = *Endpoint::parse("[2001:db8::1]:5060");
    snapshot.listeners.push_back(listener);
    DialogToken token{UINT64_MAX, UINT64_MAX, true, {}, UINT32_MAX};
    token.flow.transport = transport::Transport::Tls;
    token.flow.listener = 5;
    token.flow.domain = transport::PeerDomain::of("example.test");
    token.flow.connection = 0xfffffffe;
    token.flow.generation = 0xffffffff;
    token.flow.local = listener.bound;
    token.flow.remote = *Endpoint::parse("[2001:db8:ffff:ffff:ffff:ffff:ffff:ffff]:65535");
    const auto again = reopened(token);
    ASSERT_TRUE(again.has_value());
    EXPECT_EQ(again->flow, token.flow);
}

TEST_F(DialogToken_Rfc3261_16_6, FindsItsListenerAgainWhenTheListHasChanged) {
    const DialogToken token{1, 2, false, testing::flow()};
    const std::string sealed(seal_dialog_token(token, 1, keys).view());
    std::swap(snapshot.listeners[0], snapshot.listeners[1]);
    EXPECT_EQ(open_dialog_token(sealed, keys, kNow, snapshot.listeners)->flow.listener, 1);
    snapshot.listeners.erase(snapshot.listeners.begin() + 1);
    EXPECT_FALSE(open_dialog_token(sealed, keys, kNow, snapshot.listeners).has_value());
}

TEST_F(DialogToken_Rfc3261_16_6, EveryChangedCharacterIsNoticed) {
    const std::string sealed(seal_dialog_token({1, 2, false, testing::flow()}, 1, keys).view());
    for (size_t i = 0; i < sealed.size(); ++i) {
        std::string forged = sealed;
        forged[i] = forged[i] == 'a' ? 'b' : 'a';
        EXPECT_FALSE(open_dialog_token(forged, keys, kNow, snapshot.listeners).has_value()) << i;
    }
    for (const std::string& text :
         {std::string(), std::string("bob"), sealed + "a", sealed.substr(1)})
        EXPECT_FALSE(open_dialog_token(text, keys, kNow, snapshot.listeners).has_value()) << text;
}

TEST_F(DialogToken_Rfc3261_16_6, AnotherKeyOrALaterTimeOpensNothing) {
    const std::string sealed(seal_dialog_token({1, 2, false, testing::flow()}, 1, keys).view());
    EXPECT_FALSE(open_dialog_token(sealed, testing::token_keys(9), kNow, snapshot.listeners));
    EXPECT_FALSE(
        open_dialog_token(sealed, keys, kNow + std::chrono::hours(25), snapshot.listeners));
}

TEST_F(DialogToken_Rfc3261_16_6, TheDialogIsCallIdAndTag) {
    const uint64_t hash = dialog_hash("call", "tag");
    EXPECT_NE(dialog_hash("call", "tah"), hash);
    EXPECT_NE(dialog_hash("cal", "ltag"), hash);
    EXPECT_NE(dialog_hash("tag", "call"), hash);
}

TEST_F(DialogToken_Rfc3261_16_6, AnIdentityIsItsUserHoweverTheUriIsWritten) {
    const auto hash = [&](std::string_view uri, uint64_t dialog = 7) {
        return identity_hash(dialog, dialog_identity(*sip::parse_uri(uri), snapshot),
                             keys.current());
    };
    const uint32_t dora = hash("sip:dora@example.test");
    for (const char* same : {"SIP:dora@EXAMPLE.test", "sips:dora@example.test:5099",
                             "sip:%64ora@192.0.2.1;transport=tcp"})
        EXPECT_EQ(hash(same), dora) << same;
    for (const char* other :
         {"sip:bob@example.test", "sip:example.test", "sip:dora@elsewhere.test", "im:dora"})
        EXPECT_NE(hash(other), dora) << other;
    EXPECT_EQ(hash("sip:a@elsewhere.test"), hash("sip:b@foreign.test"));
    EXPECT_NE(hash("sip:a@elsewhere.test"), hash("im:a@elsewhere.test"));
    EXPECT_NE(hash("sip:dora@example.test", 8), dora);
    keys = testing::token_keys(9);
    EXPECT_NE(hash("sip:dora@example.test"), dora);
}

TEST_F(DialogToken_Rfc3261_16_6, AHopIsHostPortAndTransport) {
    const auto hash = [](std::string_view text) { return hop_hash(*sip::parse_uri(text)); };
    const uint64_t base = hash("sip:a@192.0.2.9");
    EXPECT_EQ(hash("sip:b@192.0.2.9:5060;ob"), base);
    EXPECT_EQ(hash("sip:Host.TEST"), hash("sip:host.test"));
    EXPECT_NE(hash("sip:a@192.0.2.9:5061"), base);
    EXPECT_NE(hash("sip:a@192.0.2.8"), base);
    EXPECT_NE(hash("sip:a@192.0.2.9;transport=tcp"), base);
    EXPECT_NE(hash("sip:a@192.0.2.9;maddr=192.0.2.8"), base);
    // The octets of the ports 13106 and 31354 are "23" and "zz".
    EXPECT_NE(hash("sip:s@192.0.2.1:13106;transport=zzudp"),
              hash("sip:s@192.0.2.123:31354;transport=udp"));
}

}  // namespace
}  // namespace signalbox::proxy
