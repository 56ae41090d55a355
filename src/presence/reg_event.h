// The registration event package: tells a user's phones, and trusted peers, which contacts an
// address of record has.
// Implements: RFC 3680; RFC 5628; RFC 6665 §4.2 (notifier)
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "base/counters.h"
#include "location/location.h"
#include "ports/outbox.h"
#include "presence/notify_way.h"
#include "presence/reg_info.h"
#include "presence/subscription.h"
#include "proxy/directory.h"
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
/// How long a drain waits for watchers to answer that their subscriptions have ended.
inline constexpr Duration kDeactivationMax = std::chrono::seconds(2);
/// As Allow-Events names the package (RFC 6665 §8.2.2).
inline constexpr std::string_view kRegEventName = "reg";

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
/// its subscriptions on the shard of the address of record, in memory alone. A server that stops
/// tells its watchers to subscribe anew; after a crash a refresh gets 481, upon which they do (RFC
/// 6665 §4.1.2.2), and the first NOTIFY shows all that they have missed. A journal would save them
/// no more than the rest of one expiry, for a write with each NOTIFY: its CSeq must never repeat.
class RegEvent final : public proxy::TransactionUser {
 public:
    struct Setup {
        uint16_t node = 0;
        uint8_t shard = 0;
        uint8_t shards = 1;
        uint32_t subscriptions_max = 10'000;
    };
    struct Services {
        transaction::TransactionLayer& transactions;
        location::Location& location;
        proxy::Directory& directory;
        proxy::LocalReply& reply;
        ports::SnapshotUses& snapshots;
        TimerWheel& wheel;
        BlockPool& pool;
        Counters& counters;
        Random& random;
        const crypto::TokenKeys& keys;
    };
    RegEvent(const Setup& setup, const Services& services);
    ~RegEvent() override;

    /// True for a SUBSCRIBE within the dialog of a subscription, whatever its Event says.
    bool has_dialog(const proxy::IncomingRequest& request) const;

    /// Answers a SUBSCRIBE whose sender may watch: 200 and a NOTIFY with all contacts, or 400, 404,
    /// 406, 423, 481, 482, 489, 500 or 503.
    void subscribe(Now now, const proxy::IncomingRequest& request, const Watched& watched,
                   ports::Outbox& out);
    /// The bindings of an address of record may have changed: its watchers are told what did.
    void bindings_changed(Now now, ports::TenantId tenant, std::string_view aor,
                          ports::Outbox& out);
    /// The operator has ended all bindings of an address of record: its watchers are told so.
    void bindings_deactivated(Now now, ports::TenantId tenant, std::string_view aor,
                              ports::Outbox& out);
    /// A 2xx to a NOTIFY may move its dialog (RFC 3261 §12.2.1.2). A failure ends the subscription,
    /// but for one that says when to try again (Retry-After), and for a NOTIFY that could not be
    /// sent: it is tried by the next way (RFC 6665 §4.2.2).
    void on_response(Now now, uint64_t owner, const proxy::Outcome& outcome,
                     ports::Outbox& out) override;
    /// The shard of a watcher's address of record has answered where its phone is.
    void on_location_answer(Now now, const proxy::LocationAnswer& answer, ports::Outbox& out);
    void on_timer(Now now, const TimerDue& due, ports::Outbox& out);

    /// Ends all subscriptions, a batch a turn, so that their watchers subscribe anew, elsewhere or
    /// after the restart; refuses new ones (RFC 6665 §4.1.3: deactivated).
    void drain(Now now);
    /// True when a drain need not wait for watchers any longer.
    bool is_drained(Now now) const;

    uint32_t size() const { return subscriptions_.size(); }

 private:
    struct Asked;  // a SUBSCRIBE with what is read from it once

    proxy::Rejection read(const proxy::IncomingRequest& request, const Watched& watched,
                          Asked& asked) const;
    proxy::Rejection read_dialog(const proxy::IncomingRequest& request, const Watched& watched,
                                 Asked& asked) const;
    bool is_merged(const proxy::IncomingRequest& request, const Watched& watched) const;
    SubscriptionHandle find_dialog(const proxy::IncomingRequest& request) const;
    void begin(Now now, const Asked& asked, ports::Outbox& out);
    void refresh(Now now, const Asked& asked, ports::Outbox& out);
    void accept(Now now, const Asked& asked, SubscriptionHandle handle, ports::Outbox& out);
    void refuse(Now now, const proxy::IncomingRequest& request, const proxy::Rejection& rejection,
                ports::Outbox& out);
    void respond(Now now, const proxy::IncomingRequest& request, int status,
                 std::string_view response, ports::Outbox& out);
    void arm(Subscription& subscription);
    void forget(SubscriptionHandle handle);

    // What is told, and by which way: notifying.cpp
    void notify(Now now, SubscriptionHandle handle, ports::Outbox& out);
    void try_next_way(Now now, SubscriptionHandle handle, ports::Outbox& out);
    bool take_way(Now now, SubscriptionHandle handle, const DialogHop& hop, NotifyWay way,
                  ports::Outbox& out);
    bool ask_registration(Now now, SubscriptionHandle handle, const DialogHop& hop,
                          ports::Outbox& out);
    bool take_registration(Now now, SubscriptionHandle handle, const proxy::LocationAnswer& answer,
                           ports::Outbox& out);
    void send(Now now, SubscriptionHandle handle, ports::Outbox& out);
    std::optional<transport::Flow> stream_for_large(Now now, Subscription& subscription);
    WayContext way_context(Now now) const;
    bool find_changes(Now now, const Subscription& subscription);
    void write_document(Now now, Subscription& subscription);
    ContactGruus gruus_of(const ContactInfo& contact, const DialogText& dialog);
    void notify_failed(Now now, SubscriptionHandle handle, const proxy::Outcome& outcome,
                       ports::Outbox& out);
    void refresh_target(Subscription& subscription, const sip::MessageView& response);
    void end(Now now, SubscriptionHandle handle, ports::Outbox& out);

    Setup setup_;
    Services s_;
    Slab<Subscription> subscriptions_;
    boost::unordered_flat_map<uint64_t, SubscriptionHandle> dialogs_;
    boost::unordered_flat_map<uint64_t, Subscription*> watchers_;  // the first of each address
    // Scratch, used again.
    std::string response_, body_, request_, packed_, gruus_;
    std::vector<ContactInfo> contacts_;
    std::vector<SubscriptionHandle> due_;
    /// By which the NOTIFY in hand goes.
    struct Way {
        NotifyWay way = NotifyWay::None;
        transport::Flow flow;
        std::string target, routes;
    };
    Way way_;
    bool is_draining_ = false;
    Instant drained_at_ = kNever;
};

}  // namespace signalbox::presence
