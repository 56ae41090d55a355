// A transaction user beside the proxy, for requests that this server sends for itself.
#pragma once

#include <cstdint>

#include "base/time.h"
#include "ports/outbox.h"

namespace signalbox::proxy {

/// Its client transactions carry owner values whose two lowest bits are Owner::Kind::OtherUser;
/// what becomes of them is told here. Owned by the core; outlives the ProxyCore.
class TransactionUser {
 public:
    TransactionUser() = default;
    TransactionUser(const TransactionUser&) = delete;
    TransactionUser& operator=(const TransactionUser&) = delete;
    virtual ~TransactionUser() = default;

    /// A response with `status` came to the request of `owner`; 408 and 503 also when none will
    /// come (RFC 3261 §8.1.3.1).
    virtual void on_response(Now now, uint64_t owner, int status, ports::Outbox& out) = 0;
};

}  // namespace signalbox::proxy
