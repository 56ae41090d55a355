// The registration event package: tells a user's phones, and trusted peers, which contacts an
// address of record has.
// Implements: RFC 3680; RFC 6665 §4.2 (notifier)
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "base/counters.h"
#include "location/location.h"
#include "ports/outbox.h"
#include "presence/reg_info.h"
#include "presence/subscription.h"
#include "proxy/incoming_request.h"
#include "proxy/local_reply.h"
#include "proxy/route_preprocessing.h"
#include "proxy/transaction_user.h"
#include "transaction/transaction_layer.h"

namespace signalbox::presence {

/// Limits; past them a SUBSCRIBE gets 503.
inline constexpr size_t kWatchersOfOneMax = 32;
/// Of a SUBSCRIBE without Expires, in seconds (RFC 3680 §4.4).
inline constexpr uint32_t kDefaultExpiresS = 3761;
inline constexpr uint32_t kExpiresMaxS = 86'400;

/// True when the value of an Event header field names this package.
bool names_reg_event(std::string_view event);

/// True for a SUBSCRIBE to the reg event of one of our addresses of record, or in a dialog that
/// such a one made: it is ours, whatever phones that user has.
bool is_for_reg_event(const proxy::IncomingRequest& request, const proxy::Routing& routing);

/// The user whose address of record is watched. Views: for the call.
struct Watched {
    ports::TenantId tenant = ports::kDefaultTenant;
    std::string_view aor;  // the canonical user part of the Request-URI
    bool exists = false;   // a user of that name is known
};

/// A user agent over the transaction layer. Single-threaded; one per shard; deterministic. It keeps
/// its subscriptions on the shard of the address of record, in memory alone: after a restart a
/// refresh gets 481 and the watcher subscribes anew (RFC 6665 §4.1.2.2).
class RegEvent final : public proxy::TransactionUser {
 public:
    struct Setup {
        uint32_t subscriptions_max = 10'000;
    };
    struct Services {
        transaction::TransactionLayer& transactions;
        location::Location& location;
        proxy::LocalReply& reply;
        ports::SnapshotUses& snapshots;
        TimerWheel& wheel;
        BlockPool& pool;
        Counters& counters;
    };
    RegEvent(const Setup& setup, const Services& services);
    ~RegEvent() override;

    /// Answers a SUBSCRIBE whose sender may watch: 200 and a NOTIFY with all contacts, or 400, 404,
    /// 406, 423, 481, 500 or 503.
    void subscribe(Now now, const proxy::IncomingRequest& request, const Watched& watched,
                   ports::Outbox& out);
    /// The bindings of an address of record may have changed: its watchers are told what did.
    void bindings_changed(Now now, ports::TenantId tenant, std::string_view aor,
                          ports::Outbox& out);
    /// `status` answered a NOTIFY. Any failure ends the subscription (RFC 6665 §4.2.2).
    void on_response(Now now, uint64_t owner, int status, ports::Outbox& out) override;
    void on_timer(Now now, const TimerDue& due, ports::Outbox& out);

    uint32_t size() const { return subscriptions_.size(); }

 private:
    struct Asked;  // a SUBSCRIBE with what is read from it once

    proxy::Rejection read(const proxy::IncomingRequest& request, const Watched& watched,
                          Asked& asked) const;
    void begin(Now now, const Asked& asked, ports::Outbox& out);
    void refresh(Now now, const Asked& asked, ports::Outbox& out);
    void accept(Now now, const Asked& asked, SubscriptionHandle handle, ports::Outbox& out);
    void refuse(Now now, const proxy::IncomingRequest& request, const proxy::Rejection& rejection,
                ports::Outbox& out);
    void respond(Now now, const proxy::IncomingRequest& request, int status,
                 std::string_view response, ports::Outbox& out);
    void notify(Now now, SubscriptionHandle handle, ports::Outbox& out);
    bool write_document(Now now, Subscription& subscription);
    void forget(SubscriptionHandle handle);

    Setup setup_;
    Services s_;
    Slab<Subscription> subscriptions_;
    boost::unordered_flat_map<uint64_t, SubscriptionHandle> dialogs_;
    boost::unordered_flat_map<uint64_t, Subscription*> watchers_;  // the first of each address
    // Scratch, used again.
    std::string response_, body_, request_, packed_;
    std::vector<ContactInfo> contacts_;
    std::vector<SubscriptionHandle> due_;
};

}  // namespace signalbox::presence
