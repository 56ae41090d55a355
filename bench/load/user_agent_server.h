// The server side of every operation: the callee, which answers at once.
// Implements: RFC 3261 §13.3.1.4; RFC 3261 §12.1.1
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "load/message_scan.h"
#include "load/user_agent_client.h"

namespace bench {

/// Answers INVITE with 180 and 200, and BYE, OPTIONS and MESSAGE with 200; checks what the server
/// made of the request.
class UserAgentServer final {
 public:
    explicit UserAgentServer(Stage& stage) : stage_(stage) {}

    /// `link` is where the request arrived; the answer leaves from there to `source`.
    void on_request(Link& link, const MessageScan& message, std::string_view bytes,
                    const Peer& source, std::uint64_t now_ns);
    void on_timer(std::uint32_t slot, std::uint32_t serial, std::uint64_t now_ns);

 private:
    void check_path(const Link& link, const MessageScan& message, std::string_view bytes,
                    const Peer& source);
    void check_in_dialog(const MessageScan& message, std::string_view bytes);
    void on_repeated(Operation& operation, Link& link, const Peer& source);
    void on_invite(std::uint32_t slot, const MessageScan& message, std::string_view bytes,
                   const Peer& source, std::uint64_t now_ns);
    void on_ack(Operation& operation, const MessageScan& message, std::string_view bytes);
    void on_bye(Operation& operation, const MessageScan& message, std::string_view bytes,
                const Peer& source);
    void on_single(Operation& operation, const MessageScan& message, std::string_view bytes,
                   const Peer& source);
    void respond(std::string& out, const MessageScan& message, const Peer& source,
                 std::string_view status, std::string_view body);
    void arm(std::uint32_t slot, std::uint64_t now_ns);

    Stage& stage_;
    std::string scratch_;
    std::string contact_;
};

}  // namespace bench
