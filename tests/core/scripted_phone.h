// Phones that do what a test tells them, so that a test reads like a call.
#pragma once

#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "tests/core/text_message.h"

namespace signalbox::core::testing {

class World;
class Phone;

/// One side's view of a dialog, or of a dialog that is about to be.
struct Dialog {
    std::string call_id;
    std::string local, remote;  // From and To of our requests, tags included
    std::string remote_target;
    std::vector<std::string> routes;
    uint32_t cseq = 1;
};

/// A request that a phone received and may answer.
class Incoming final {
 public:
    Incoming(Phone& phone, Message request) : phone_(&phone), request_(std::move(request)) {}

    const Message& message() const { return request_; }
    /// Sends a response with the phone's tag and Contact; `more` are whole header lines.
    const Incoming& answers(int status, const std::vector<std::string>& more = {},
                            const std::string& body = {}) const;
    std::string response(int status, const std::vector<std::string>& more = {},
                         const std::string& body = {}) const;
    /// The dialog that a 2xx of ours makes.
    Dialog dialog() const;
    std::string to_tag = "b1";

 private:
    Phone* phone_;
    Message request_;
};

/// A request that a phone sent.
class Outgoing final {
 public:
    Outgoing(Phone& phone, RequestText request) : phone_(&phone), request_(std::move(request)) {}

    const RequestText& request() const { return request_; }
    /// The next message that the phone gets must be this response to this request.
    Outgoing& expect(int status);
    /// The last expected response.
    const Message& response() const { return response_; }
    /// The dialog that the last expected response made.
    Dialog dialog() const;
    /// The ACK to the last expected response: to a 2xx in the dialog, else in the transaction.
    Outgoing& ack();
    Outgoing& cancel(const std::vector<std::string>& more = {});
    Outgoing& retransmit();

 private:
    Phone* phone_;
    RequestText request_;
    Message response_;
};

/// A phone at one address. The World delivers what the server sends there into its inbox.
class Phone final {
 public:
    struct Place {
        std::string user;
        std::string domain;
        std::string address;  // "198.51.100.10:5060": as the server sees it
        transport::Transport transport = transport::Transport::Udp;
        std::string contact_address;  // as the phone believes; empty: the same
    };
    Phone(World& world, const Place& place, uint32_t connection);

    /// A request of a fresh dialog and transaction.
    RequestText make(std::string_view method, std::string_view uri);
    /// A request in a dialog.
    RequestText make_in(Dialog& dialog, std::string_view method);
    Outgoing send(RequestText request);
    void send_text(std::string_view text);
    Outgoing invite(const Phone& callee) { return send(make("INVITE", callee.aor())); }
    Outgoing send_in(Dialog& dialog, std::string_view method) {
        return send(make_in(dialog, method));
    }
    /// The same request with credentials for the challenge in `response`.
    RequestText with_credentials(const RequestText& request, const Message& response,
                                 std::string_view password);
    /// A REGISTER with this phone's Contact.
    RequestText registration(uint32_t expires_s = 3600);

    /// The next message must be a request of that method.
    Incoming expects(std::string_view method);
    /// The next message must be a response with that status.
    Message expect(int status);
    Message take();
    bool is_silent() const { return inbox_.empty(); }
    /// The kinds of all messages that wait, "INVITE 200 ..."; the inbox is empty afterwards.
    std::string take_kinds();

    std::string aor() const { return "sip:" + place_.user + "@" + place_.domain; }
    std::string contact() const;  // the URI
    std::string fresh_via();
    const transport::Flow& flow() const { return flow_; }
    const Place& place() const { return place_; }
    void deliver(Message message) { inbox_.push_back(std::move(message)); }

    bool asks_rport = true;
    std::string user_name;  // in credentials; the user when empty

 private:
    World& world_;
    Place place_;
    transport::Flow flow_;
    std::deque<Message> inbox_;
    uint32_t next_ = 0;
    uint32_t nonce_count_ = 0;
};

}  // namespace signalbox::core::testing
