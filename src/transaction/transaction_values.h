// What the transaction layer tells its user: handles, matches and events.
// Implements: RFC 3261 §17.1.3, §17.2.3; RFC 6026 §7; RFC 4320 §4.1
#pragma once

#include <cstdint>

#include "base/slab.h"
#include "sip/header_values.h"
#include "sip/message_view.h"
#include "transaction/branch.h"

namespace signalbox::transaction {

struct ServerTransaction;
struct ClientTransaction;
using ServerHandle = Handle<ServerTransaction>;
using ClientHandle = Handle<ClientTransaction>;

/// By what a server transaction is found: a keyed hash of what must be equal, and a second one by
/// which an accident of the first is noticed.
struct ServerKey {
    uint64_t hash = 0;
    uint64_t check = 0;
    friend bool operator==(const ServerKey&, const ServerKey&) = default;
};

/// A request as it arrived, with its top Via.
struct ReceivedRequest {
    const sip::MessageView& message;
    const sip::Via& via;
    ServerKey key = {};  // what expect_request() gave; without it, it is made when it is needed
};

/// What a received request is to the layer.
struct RequestMatch {
    enum class Kind : uint8_t {
        New,       // no transaction knows it: the transaction user decides (also every ACK that no
                   // INVITE server absorbs)
        Absorbed,  // a retransmission (the last response was repeated, if there was one), or the
                   // ACK of a non-2xx final response
    };
    Kind kind = Kind::New;
    ServerHandle cancelled;  // for a new CANCEL: the server transaction that it names, if one lives
    ServerHandle
        acknowledged;  // for a New ACK with the INVITE's branch in Accepted state (RFC 6026 §7.1)
};

/// What a received response is to the layer.
struct ResponseMatch {
    enum class Kind : uint8_t {
        Pass,      // for the transaction user: `owner` of `client`
        Absorbed,  // a retransmission, a response to our CANCEL, or a provisional that nobody waits
                   // for
        Stray,     // no transaction of ours: dropped and counted (RFC 6026 §8.4 also for 2xx)
    };
    Kind kind = Kind::Stray;
    ClientHandle client;  // has ended already where a final response ends its transaction at once
                          // (reliable transports)
    uint64_t owner = 0;
};

/// What happened to a transaction by time or by the transport: the core takes them with pop_event()
/// after each call.
struct TransactionEvent {
    enum class Kind : uint8_t {
        ClientTimeout,  // Timer B or F, or 64*T1 after a CANCEL (RFC 3261 §9.1): no final response
                        // will come
        ClientTransportError,  // the request could not be sent, or, after a failure was passed, its
                               // ACK
        TryingDue,    // a non-INVITE server transaction has no final response when Timer E would
                      // reach T2: answer 100 (RFC 4320 §4.1)
        ServerEnded,  // an INVITE or non-INVITE server transaction without a final response was
                      // terminated by a transport error
    };
    Kind kind;
    uint64_t owner;
    ClientHandle client;
    ServerHandle server;
};

/// A client transaction that has its place and branch but has not sent yet: the caller renders the
/// request with `branch`.
struct ClientStart {
    ClientHandle client;  // null: the limit is reached
    BranchText branch;
};

}  // namespace signalbox::transaction
