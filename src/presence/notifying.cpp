// What watchers of registrations are told, by which way, and what becomes of it.
// Implements: RFC 6665 §4.2.2; RFC 3680 §4.7, §5; RFC 5628 §5; RFC 3261 §12.2.1, §18.1.1
#include <algorithm>
#include <utility>

#include "location/gruu.h"
#include "location/instance_id.h"
#include "ports/sharding.h"
#include "presence/dialog_text.h"
#include "presence/reg_event.h"
#include "resolver/locate_server.h"
#include "sip/header_values.h"
#include "transport/outgoing_flow.h"

namespace signalbox::presence {

using sip::HeaderId;

namespace {

constexpr std::array<std::string_view, 2> kEndReasons = {"timeout", "deactivated"};

/// A watcher that asks for less is not believed: each time it would cost a NOTIFY.
constexpr uint32_t kPutOffMinS = 5;

/// Beside the bits of the ways: a large one was tried over a stream.
constexpr uint8_t kTriedByStream = 8;

uint8_t bit_of(NotifyWay way) {
    return static_cast<uint8_t>(way);
}

/// The URI of a name-addr as it stands in From or To.
std::optional<sip::Uri> uri_of(std::string_view name_addr) {
    const auto address = sip::parse_name_addr(name_addr, ErrorCode::malformed_from);
    return address ? std::optional(address->uri) : std::nullopt;
}

}  // namespace

WayContext RegEvent::way_context(Now now) const {
    return {s_.snapshots.current(), s_.keys, now.wall, setup_.shard};
}

void RegEvent::notify(Now now, SubscriptionHandle handle, ports::Outbox& out) {
    Subscription* subscription = subscriptions_.get(handle);
    if (subscription == nullptr) return;
    const bool must_wait = subscription->is_notifying || now.monotonic < subscription->wait_until;
    if (must_wait) {
        subscription->is_changed = true;
        return;
    }
    subscription->wait_until = Instant{};
    subscription->is_changed = false;
    if (!find_changes(now, *subscription)) return;
    subscription->ways_tried = 0;
    try_next_way(now, handle, out);
}

/// Sends what is due by the first way that was not tried; without one the subscription ends: who
/// cannot be told anything watches nothing.
void RegEvent::try_next_way(Now now, SubscriptionHandle handle, ports::Outbox& out) {
    Subscription& subscription = *subscriptions_.get(handle);
    const DialogText dialog = unpack_dialog(subscription.text.view());
    const DialogHop hop =
        next_hop_of(dialog, subscription.flow, subscription.is_direct, way_context(now));
    for (const NotifyWay way : hop.ways) {
        if (way == NotifyWay::None || (subscription.ways_tried & bit_of(way)) != 0) continue;
        subscription.ways_tried |= bit_of(way);
        if (take_way(now, handle, hop, way, out)) return;
    }
    s_.counters.add(Counter::subscriptions_unreachable_total);
    forget(handle);
}

/// False when that way leads nowhere.
bool RegEvent::take_way(Now now, SubscriptionHandle handle, const DialogHop& hop, NotifyWay way,
                        ports::Outbox& out) {
    way_.way = way;
    if (way == NotifyWay::Registration) return ask_registration(now, handle, hop, out);
    const auto& flow = way == NotifyWay::SubscribeFlow ? hop.back : hop.address;
    if (!flow) return false;
    const DialogText dialog = unpack_dialog(subscriptions_.get(handle)->text.view());
    way_.flow = *flow;
    way_.target = dialog.remote_target;
    way_.routes = hop.routes;
    send(now, handle, out);
    return true;
}

/// Asks where the watcher's phone is registered: that of its GRUU, else the one of its From that
/// has its instance-id, or its Contact. False: nowhere.
bool RegEvent::ask_registration(Now now, SubscriptionHandle handle, const DialogHop& hop,
                                ports::Outbox& out) {
    Subscription& subscription = *subscriptions_.get(handle);
    const ports::Snapshot& snapshot = s_.snapshots.current();
    const DialogText dialog = unpack_dialog(subscription.text.view());
    proxy::LocationQuestion question;
    question.id = NotifyOwner::pack(handle);
    std::string aor;
    if (hop.gruu) {
        aor = hop.gruu->aor;
        question.instance = hop.gruu->instance;
        question.registration = hop.gruu->registration;
    } else {
        const auto watcher = uri_of(dialog.remote);
        if (watcher && snapshot.tenant_of_identity(*watcher) != ports::kNoTenant)
            aor = sip::canonical_user(*watcher);
        question.instance = subscription.instance;
    }
    if (aor.empty()) return false;
    question.aor = aor;
    question.tenant = subscription.tenant;
    const uint8_t shard = ports::shard_of_aor(question.tenant, aor, setup_.shards);
    if (shard == setup_.shard)
        return take_registration(now, handle, s_.directory.answer(now, question, snapshot), out);
    subscription.is_notifying = true;
    subscription.is_locating = true;
    subscription.wait_until = now.monotonic + snapshot.limits.port_timeout;
    arm(subscription);
    encode(proxy::ShardMessage(question), out.shard_message(shard));
    return true;
}

void RegEvent::on_location_answer(Now now, const proxy::LocationAnswer& answer,
                                  ports::Outbox& out) {
    const SubscriptionHandle handle = NotifyOwner::unpack(answer.id);
    Subscription* subscription = subscriptions_.get(handle);
    if (subscription == nullptr || !subscription->is_locating) {
        s_.counters.add(Counter::stale_handles_dropped_total);
        return;
    }
    subscription->is_locating = false;
    subscription->is_notifying = false;
    subscription->wait_until = Instant{};
    arm(*subscription);
    if (!take_registration(now, handle, answer, out)) try_next_way(now, handle, out);
}

/// Sends by the binding that is the watcher's; false: there is none.
bool RegEvent::take_registration(Now now, SubscriptionHandle handle,
                                 const proxy::LocationAnswer& answer, ports::Outbox& out) {
    const Subscription& subscription = *subscriptions_.get(handle);
    const DialogText dialog = unpack_dialog(subscription.text.view());
    const WayContext context = way_context(now);
    const DialogHop hop = next_hop_of(dialog, subscription.flow, subscription.is_direct, context);
    const bool is_one_phone = hop.gruu || subscription.instance != 0;
    for (proxy::Target target : answer.targets) {
        if (!is_one_phone && target.uri != dialog.remote_target) continue;
        const auto flow = flow_of_target(target, subscription.flow, context);
        if (!flow) continue;
        way_.way = NotifyWay::Registration;
        way_.flow = *flow;
        way_.target = target.uri;
        way_.routes = target.path;
        send(now, handle, out);
        return true;
    }
    return false;
}

/// Sends all that is due by way_.
void RegEvent::send(Now now, SubscriptionHandle handle, ports::Outbox& out) {
    Subscription* subscription = subscriptions_.get(handle);
    // Meanwhile it may have become what the watcher knows.
    if (!find_changes(now, *subscription)) return;
    const transaction::ClientStart start =
        s_.transactions.reserve_client(sip::Method::Notify, 0, NotifyOwner::pack(handle));
    if (!start.client) return forget(handle);
    write_document(now, *subscription);
    ++subscription->local_cseq;
    ++subscription->version;
    subscription->is_notifying = true;
    subscription->is_changed = false;
    const ports::Snapshot& snapshot = s_.snapshots.current();
    const DialogText dialog = unpack_dialog(subscription->text.view());
    Notification notification{
        dialog, way_.flow, way_.target, way_.routes, start.branch.view(), subscription->local_cseq,
        0,      {},        body_};
    if (subscription->is_over) {
        notification.end_reason = kEndReasons[static_cast<size_t>(subscription->end)];
    } else {
        const auto left =
            std::chrono::ceil<std::chrono::seconds>(subscription->expires - now.monotonic);
        notification.expires_s = static_cast<uint64_t>(std::max<int64_t>(left.count(), 1));
    }
    render_notify(notification, snapshot, request_);
    const auto stream = stream_for_large(now, *subscription);
    if (stream) {
        way_.flow = *stream;  // of the notification too
        render_notify(notification, snapshot, request_);
    }
    s_.transactions.send_request(now, start.client, way_.flow, request_, snapshot.timers,
                                 out.transmits);
    if (stream) {
        out.transmits.limit_connect(snapshot.proxy.large_connect_max);
        s_.counters.add(Counter::large_requests_by_tcp_total);
    }
    s_.counters.add(Counter::notifications_sent_total);
}

/// The same next hop by TCP, where request_ is too large for a datagram (RFC 3261 §18.1.1). When
/// that fails, the way is taken once more, by datagram.
std::optional<transport::Flow> RegEvent::stream_for_large(Now now, Subscription& subscription) {
    const WayContext context = way_context(now);
    const bool is_large = way_.flow.transport == transport::Transport::Udp &&
                          request_.size() > context.snapshot.proxy.datagram_max;
    if (!is_large || (subscription.ways_tried & kTriedByStream) != 0) return std::nullopt;
    const auto route = sip::parse_name_addr(way_.routes, ErrorCode::malformed_route);
    if (!resolver::names_address(route ? route->uri_text : way_.target, way_.flow.remote))
        return std::nullopt;
    auto stream =
        transport::outgoing_flow(context.snapshot.listeners, context.snapshot.own_addresses,
                                 way_.flow, transport::Transport::Tcp, way_.flow.remote);
    if (!stream) return std::nullopt;
    stream->shard = setup_.shard;
    subscription.ways_tried =
        static_cast<uint8_t>((subscription.ways_tried | kTriedByStream) & ~bit_of(way_.way));
    return stream;
}

/// What the watcher does not know, into contacts_; false when there is nothing to tell.
bool RegEvent::find_changes(Now now, const Subscription& subscription) {
    const DialogText dialog = unpack_dialog(subscription.text.view());
    const auto bindings = s_.location.lookup(now, subscription.tenant, dialog.aor);
    contacts_.clear();
    changed_contacts(now, bindings, subscription.known.view(), subscription.is_full_due, contacts_);
    return !contacts_.empty() || subscription.is_full_due || subscription.is_over;
}

/// The document of contacts_, into body_. From then on the watcher counts as knowing it.
void RegEvent::write_document(Now now, Subscription& subscription) {
    const DialogText dialog = unpack_dialog(subscription.text.view());
    const auto bindings = s_.location.lookup(now, subscription.tenant, dialog.aor);
    const RegistrationState state = !bindings.empty()   ? RegistrationState::Active
                                    : contacts_.empty() ? RegistrationState::Init
                                                        : RegistrationState::Terminated;
    if (std::exchange(subscription.is_deactivated, false)) {
        for (ContactInfo& contact : contacts_) {
            if (contact.event == ContactEvent::Unregistered)
                contact.event = ContactEvent::Deactivated;
        }
    }
    body_.clear();
    RegInfoWriter writer(body_, subscription.version, subscription.is_full_due);
    writer.begin_registration(dialog.aor_uri, watched_key(subscription.tenant, dialog.aor), state);
    for (const ContactInfo& contact : contacts_) writer.add(contact, gruus_of(contact, dialog));
    writer.finish();
    packed_.clear();
    pack_known(bindings, packed_);
    subscription.known = PooledBytes(s_.pool, packed_);
    subscription.is_full_due = false;
}

/// The GRUUs of a contact that names its instance, at the host by which it is watched (RFC 5628
/// §5). Valid until the next call.
ContactGruus RegEvent::gruus_of(const ContactInfo& contact, const DialogText& dialog) {
    const std::string_view instance = location::instance_of(contact.parameters);
    const auto aor = sip::parse_uri(dialog.aor_uri);
    const bool is_there = contact.event != ContactEvent::Expired &&
                          contact.event != ContactEvent::Unregistered &&
                          contact.event != ContactEvent::Deactivated;
    if (instance.empty() || !is_there || !aor || !aor->is_sip()) return {};
    std::string host_port(aor->host);
    if (aor->port) host_port += ":" + std::to_string(*aor->port);
    const location::GruuHost host{aor->scheme == sip::Scheme::Sips ? "sips" : "sip", aor->user,
                                  dialog.aor, host_port};
    gruus_.clear();
    location::append_public_gruu(host, instance, gruus_);
    const size_t pub_size = gruus_.size();
    location::append_temporary_gruu(host, location::instance_hash(instance),
                                    location::registration_hash(contact.call_id), s_.random.next(),
                                    setup_.node, s_.keys, gruus_);
    const std::string_view both = gruus_;
    return {both.substr(0, pub_size), both.substr(pub_size)};
}

void RegEvent::on_response(Now now, uint64_t owner, const proxy::Outcome& outcome,
                           ports::Outbox& out) {
    if (outcome.status < 200) return;
    const SubscriptionHandle handle = NotifyOwner::unpack(owner);
    Subscription* subscription = subscriptions_.get(handle);
    if (subscription == nullptr) {
        s_.counters.add(Counter::stale_handles_dropped_total);
        return;
    }
    subscription->is_notifying = false;
    if (outcome.status >= 300) return notify_failed(now, handle, outcome, out);
    if (outcome.response != nullptr) refresh_target(*subscription, *outcome.response);
    const bool is_more_due = subscription->is_changed || subscription->is_full_due;
    if (subscription->is_over && !is_more_due) return forget(handle);
    if (is_more_due) notify(now, handle, out);
}

/// What was lost is told again, by a document that shows everything.
void RegEvent::notify_failed(Now now, SubscriptionHandle handle, const proxy::Outcome& outcome,
                             ports::Outbox& out) {
    Subscription& subscription = *subscriptions_.get(handle);
    subscription.is_full_due = true;
    if (outcome.could_not_be_sent()) return try_next_way(now, handle, out);
    s_.counters.add(Counter::notifications_failed_total);
    const auto retry_after =
        outcome.response == nullptr
            ? fail(ErrorCode::malformed_retry_after)
            : sip::parse_retry_after(outcome.response->value(HeaderId::RetryAfter));
    const bool is_over = outcome.status == 408 || outcome.status == 481 || subscription.is_over;
    if (is_over || !retry_after) return forget(handle);
    s_.counters.add(Counter::notifications_put_off_total);
    subscription.is_changed = true;
    subscription.wait_until =
        now.monotonic + std::chrono::seconds(std::max(retry_after->seconds, kPutOffMinS));
    arm(subscription);
}

/// A NOTIFY is a target refresh (RFC 6665 §4.4.1, RFC 3261 §12.2.1.2).
void RegEvent::refresh_target(Subscription& subscription, const sip::MessageView& response) {
    if (response.first(HeaderId::Contact) == nullptr) return;
    const auto contact = sip::parse_contact(response.value(HeaderId::Contact));
    if (!contact || contact->is_star || !contact->address.uri.is_sip()) return;
    const DialogText dialog = unpack_dialog(subscription.text.view());
    if (contact->address.uri_text == dialog.remote_target) return;
    repack_target(subscription.text.view(), contact->address.uri_text, packed_);
    subscription.text = PooledBytes(s_.pool, packed_);
}

void RegEvent::on_timer(Now now, const TimerDue& due, ports::Outbox& out) {
    const SubscriptionHandle handle = SubscriptionHandle::unpack(due.owner);
    Subscription* subscription = subscriptions_.get(handle);
    if (subscription == nullptr) return;
    if (!subscription->is_over && subscription->expires <= now.monotonic) end(now, handle, out);
    subscription = subscriptions_.get(handle);
    if (subscription == nullptr) return;
    const bool is_waited_for =
        subscription->wait_until != Instant{} && subscription->wait_until <= now.monotonic;
    if (is_waited_for) {
        subscription->wait_until = Instant{};
        if (subscription->is_locating) {
            subscription->is_locating = false;
            subscription->is_notifying = false;
            s_.counters.add(Counter::port_timeouts_total);
            try_next_way(now, handle, out);
        } else {
            notify(now, handle, out);
        }
    }
    subscription = subscriptions_.get(handle);
    if (subscription != nullptr) arm(*subscription);
}

/// Its time is up: the watcher is told for the last time, whatever it wanted to be spared.
void RegEvent::end(Now now, SubscriptionHandle handle, ports::Outbox& out) {
    Subscription& subscription = *subscriptions_.get(handle);
    subscription.is_over = true;
    subscription.is_full_due = true;
    if (!subscription.is_locating) subscription.wait_until = Instant{};
    notify(now, handle, out);
}

}  // namespace signalbox::presence
