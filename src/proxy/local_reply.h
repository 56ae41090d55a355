// Responses that the server makes itself: statelessly until a request is admitted, through its
// transaction from then on. Implements: RFC 3261 §8.2.6, §8.2.7, §16.2, §26.3.2.4
#pragma once

#include <array>
#include <span>
#include <string>
#include <string_view>

#include "base/counters.h"
#include "proxy/incoming_request.h"
#include "transport/transmits.h"

namespace signalbox::proxy {

/// A header field to add.
struct ExtraHeader {
    std::string_view name;
    std::string value;
};

/// What to answer. Views: static text or the packet.
struct Rejection {
    int status = 500;
    std::string_view reason;             // empty: the RFC's phrase
    std::array<ExtraHeader, 7> headers;  // those with a name
};

/// 503 with Retry-After, while the server is being stopped: the caller may try another one, or this
/// one again a little later (RFC 3261 §21.5.4).
Rejection server_stopping();

/// A To tag of ours: sixteen hexadecimal digits.
struct ToTag {
    std::array<char, 16> text;
    std::string_view view() const { return {text.data(), text.size()}; }
};

/// Makes and recognises our own responses. Single-threaded; one per shard. A stateless response's
/// To tag is a keyed hash of the request, the same for each retransmission, by which the ACK is
/// known.
class LocalReply final {
 public:
    LocalReply(std::array<uint64_t, 2> key, Counters& counters) : key_(key), counters_(counters) {}

    /// The response as text, with received and rport stamped into the top Via; valid until the next
    /// call.
    std::string_view render(const IncomingRequest& request, const Rejection& rejection);
    std::string_view render(const IncomingRequest& request, int status) {
        return render(request, Rejection{status, {}, {}});
    }
    /// The same for a request that may be malformed.
    std::string_view render(const sip::MessageView& request, const transport::Flow& flow,
                            const ports::Snapshot& snapshot, const Rejection& rejection);
    std::string_view render(const sip::MessageView& request, const transport::Flow& flow,
                            const ports::Snapshot& snapshot, int status) {
        return render(request, flow, snapshot, Rejection{status, {}, {}});
    }

    /// Sends a response without a transaction, to the source where the top Via cannot be read. Does
    /// nothing for an ACK.
    void send_stateless(const sip::MessageView& request, const transport::Flow& flow,
                        const ports::Snapshot& snapshot, const Rejection& rejection,
                        transport::Transmits& out);

    /// A 401 or 407 as text, with a challenge for each configured algorithm (RFC 3261 §22.1); valid
    /// until the next call.
    std::string_view render_challenge(const IncomingRequest& request, int status,
                                      std::string_view nonce, bool stale);

    /// True when `ack` acknowledges a stateless non-2xx final response of ours: it ends here.
    bool is_ack_to_stateless(const IncomingRequest& ack) const;

    /// The To tag that render() gives this request.
    ToTag to_tag(const IncomingRequest& request) const;

 private:
    ToTag to_tag(const sip::MessageView& request) const;
    std::string_view stamp(const sip::Via& via, const transport::Flow& flow);
    std::string_view render_as(const sip::MessageView& request, const ToTag& tag,
                               std::string_view stamped_via, const ports::Snapshot& snapshot,
                               const Rejection& rejection);

    std::array<uint64_t, 2> key_;
    Counters& counters_;
    std::string text_;
    std::string via_;
};

}  // namespace signalbox::proxy
