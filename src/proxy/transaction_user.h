// A transaction user beside the proxy, for requests that this server sends for itself.
// Implements: RFC 3261 §8.1.3
#pragma once

#include <cstdint>

#include "base/time.h"
#include "ports/outbox.h"
#include "sip/message_view.h"

namespace signalbox::proxy {

/// What became of a request of a TransactionUser. Views: for the call.
struct Outcome {
    int status = 0;                              // 408 and 503 also when no response will come
    const sip::MessageView* response = nullptr;  // null: none came (RFC 3261 §8.1.3.1)

    /// The transport gave the request back: nobody has seen it.
    bool could_not_be_sent() const { return response == nullptr && status == 503; }
};

/// Its client transactions carry owner values whose two lowest bits are Owner::Kind::OtherUser;
/// what becomes of them is told here. Owned by the core; outlives the ProxyCore.
class TransactionUser {
 public:
    TransactionUser() = default;
    TransactionUser(const TransactionUser&) = delete;
    TransactionUser& operator=(const TransactionUser&) = delete;
    virtual ~TransactionUser() = default;

    virtual void on_response(Now now, uint64_t owner, const Outcome& outcome,
                             ports::Outbox& out) = 0;
};

}  // namespace signalbox::proxy
