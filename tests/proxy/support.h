// What the proxy's unit tests share: a snapshot, keys, flows, and requests read from text.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/dialog_token.h"
#include "proxy/resumed_request.h"

namespace signalbox::proxy::testing {

inline constexpr WallTime kNow = WallTime(std::chrono::seconds(1'700'000'000));

inline ports::Snapshot snapshot() {
    ports::Snapshot made;
    made.domains = {"example.test"};
    made.auth.realm = "example.test";
    for (const auto transport : {transport::Transport::Udp, transport::Transport::Tcp}) {
        transport::Listener listener;
        listener.transport = transport;
        listener.bound = *Endpoint::parse("192.0.2.1:5060");
        made.listeners.push_back(listener);
    }
    uint16_t port = 5060;
    for (const auto transport :
         {transport::Transport::Tls, transport::Transport::Ws, transport::Transport::Wss}) {
        transport::Listener listener;
        listener.transport = transport;
        listener.bound = {IpAddress::v4(192, 0, 2, 1), ++port};
        made.listeners.push_back(listener);
    }
    return made;
}

inline crypto::TokenKeys token_keys(uint8_t fill = 7) {
    crypto::TokenKey key;
    key.id = 1;
    key.secret.fill(fill);
    key.not_after = kNow + std::chrono::hours(24);
    return crypto::TokenKeys(std::span<const crypto::TokenKey>(&key, 1));
}

inline transport::Flow flow(std::string_view remote = "198.51.100.10:5060",
                            transport::Transport transport = transport::Transport::Udp) {
    transport::Flow made;
    made.transport = transport;
    made.local = *Endpoint::parse("192.0.2.1:5060");
    made.remote = *Endpoint::parse(remote);
    if (transport::is_reliable(transport)) {
        made.listener = static_cast<uint16_t>(transport);
        made.local.port = snapshot().listeners[made.listener].bound.port;
        made.connection = 3;
        made.generation = 9;
    }
    return made;
}

/// A request: start line and header lines in between, "METHOD uri", then lines without line ends.
inline std::string request_text(std::string_view start, const std::vector<std::string>& lines,
                                std::string_view to_tag = "", std::string_view body = "") {
    const std::string method(start.substr(0, start.find(' ')));
    std::string text = std::string(start) + " SIP/2.0\r\n";
    text += "Via: SIP/2.0/UDP 198.51.100.10:5060;branch=z9hG4bKone\r\n";
    for (const std::string& line : lines) text += line + "\r\n";
    text += "From: <sip:alice@elsewhere.test>;tag=a1\r\nTo: <sip:bob@example.test>";
    if (!to_tag.empty()) text += ";tag=" + std::string(to_tag);
    return text + "\r\nCall-ID: call-1\r\nCSeq: 1 " + method + "\r\n\r\n" + std::string(body);
}

/// A request and everything that its views need.
class Read final {
 public:
    explicit Read(std::string text, const ports::Snapshot& given = snapshot(),
                  const transport::Flow& by = flow())
        : text_(std::move(text)), snapshot_(given), flow_(by) {
        request_.emplace(text_, flow_, snapshot_);
    }
    Read(const Read&) = delete;
    const IncomingRequest& operator*() const { return request_->request(); }
    const IncomingRequest* operator->() const { return &request_->request(); }

 private:
    std::string text_;
    ports::Snapshot snapshot_;
    transport::Flow flow_;
    std::optional<ResumedRequest> request_;
};

}  // namespace signalbox::proxy::testing
