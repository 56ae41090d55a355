// The server's side of the WebSocket handshake. Implements: RFC 6455 §4.2; RFC 7118 §4
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace signalbox::io {

inline constexpr size_t kUpgradeBytesMax = 8192;

/// The answer to an upgrade request.
struct UpgradeAnswer {
    bool is_accepted = false;
    std::string response;  // the whole HTTP response
};

/// Answers `head`: an HTTP request with its empty line and nothing behind it. 101 when it asks for
/// a WebSocket of the subprotocol "sip" as RFC 6455 §4.2.1 and RFC 7118 §4 demand. 403 when
/// `origins` is not empty and its Origin is missing or none of them (RFC 6455 §10.2). 426 when it
/// asks for no WebSocket, or for another version. 400 for anything else.
UpgradeAnswer answer_upgrade(std::string_view head, std::span<const std::string> origins);

/// The answer to a request whose header is longer than kUpgradeBytesMax, or that is no HTTP.
std::string refuse_upgrade();

}  // namespace signalbox::io
