// What the server answers to an upgrade request.
// Covers RFC 6455 §1.3 (the example), §4.2.1, §4.2.2, §10.2, RFC 7118 §4. Not covered: cookies and
// authentication by HTTP, which are not read.
#include "io/web_socket_handshake.h"

#include <gmock/gmock.h>

namespace signalbox::io {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

struct Change {
    std::string name;
    std::string value;  // empty: without the field
};

/// The request of RFC 7118 §8.1 with one field changed.
std::string request(const Change& change = {"", ""}, const std::string& line = "GET / HTTP/1.1") {
    std::string text = line + "\r\n";
    const Change fields[] = {
        {"Host", "sip-ws.example.test"},       {"Upgrade", "websocket"},
        {"Connection", "keep-alive, Upgrade"}, {"Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="},
        {"Origin", "http://www.example.test"}, {"Sec-WebSocket-Protocol", "chat, sip"},
        {"Sec-WebSocket-Version", "13"}};
    for (const auto& [name, value] : fields) {
        const std::string& shown = name == change.name ? change.value : value;
        if (!shown.empty()) text += name + ": " + shown + "\r\n";
    }
    return text + "\r\n";
}

std::string answer(const std::string& head, std::vector<std::string> origins = {}) {
    const UpgradeAnswer made = answer_upgrade(head, origins);
    EXPECT_EQ(made.is_accepted, made.response.starts_with("HTTP/1.1 101 "));
    EXPECT_TRUE(made.response.ends_with("\r\n\r\n"));
    return made.response;
}

TEST(WebSocketHandshake_Rfc6455_4_2_2, TheExampleKeyGetsItsAnswer) {
    EXPECT_EQ(answer(request()),
              "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
              "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"
              "Sec-WebSocket-Protocol: sip\r\n\r\n");
}

TEST(WebSocketHandshake_Rfc7118_4, WithoutTheSubprotocolSipItIsRefused) {
    for (const char* protocols : {"", "chat", "sips", "xsip, chat", "SIP", "Sip, chat"}) {
        EXPECT_THAT(answer(request({"Sec-WebSocket-Protocol", protocols})),
                    StartsWith("HTTP/1.1 400 "));
    }
}

TEST(WebSocketHandshake_Rfc6455_10_2, AnOriginThatIsNotAllowedIsForbidden) {
    const std::vector<std::string> allowed{"https://a.test", "http://www.example.test"};
    EXPECT_THAT(answer(request(), allowed), StartsWith("HTTP/1.1 101 "));
    EXPECT_THAT(answer(request(), {"https://a.test"}), StartsWith("HTTP/1.1 403 "));
    EXPECT_THAT(answer(request({"Origin", ""}), allowed), StartsWith("HTTP/1.1 403 "));
    EXPECT_THAT(answer(request({"Origin", "https://a.test\r\nOrigin: https://a.test"}), allowed),
                StartsWith("HTTP/1.1 403 "));
    EXPECT_THAT(answer(request({"Origin", ""})), StartsWith("HTTP/1.1 101 "));
}

TEST(WebSocketHandshake_Rfc6455_4_2_1, WhoAsksForNoWebSocketIsToldHow) {
    for (const char* field : {"Upgrade", "Connection"}) {
        const std::string response = answer(request({field, ""}));
        EXPECT_THAT(response, StartsWith("HTTP/1.1 426 "));
        EXPECT_THAT(response, HasSubstr("\r\nUpgrade: websocket\r\n"));
    }
    EXPECT_THAT(answer(request({"Upgrade", "h2c"})), StartsWith("HTTP/1.1 426 "));
}

TEST(WebSocketHandshake_Rfc6455_4_4, AnotherVersionIsToldOurs) {
    for (const char* version : {"8", "130", ""}) {
        const std::string response = answer(request({"Sec-WebSocket-Version", version}));
        EXPECT_THAT(response, StartsWith("HTTP/1.1 426 "));
        EXPECT_THAT(response, HasSubstr("\r\nSec-WebSocket-Version: 13\r\n"));
    }
}

TEST(WebSocketHandshake_Rfc6455_4_2_1, ARequestThatIsNotWellFormedGets400) {
    for (const std::string& head :
         {request({"Host", ""}), request({"Host", "a\r\nHost: b"}),
          request({"Sec-WebSocket-Key", ""}), request({"Sec-WebSocket-Key", "dGhlIHNhbXBsZQ=="}),
          request({"Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=*"}),
          request({}, "POST / HTTP/1.1"), request({}, "GET / HTTP/1.0"), request({}, "GET /"),
          request({"Origin", "x\r\nContent-Length: 4"}), std::string("\r\n\r\n"),
          request({"Origin", "x\r\nTransfer-Encoding: chunked"}),
          std::string("OPTIONS sip:a SIP/2.0\r\n\r\n")}) {
        EXPECT_THAT(answer(head), StartsWith("HTTP/1.1 400 ")) << head;
    }
    EXPECT_THAT(refuse_upgrade(), StartsWith("HTTP/1.1 400 "));
}

}  // namespace
}  // namespace signalbox::io
