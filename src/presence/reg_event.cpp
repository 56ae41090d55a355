// The registration event package: subscriptions and what their watchers are told.
#include "presence/reg_event.h"

#include <algorithm>

#include "base/byte_io.h"
#include "base/random.h"
#include "base/text.h"
#include "presence/dialog_text.h"
#include "sip/params.h"
#include "sip/response_builder.h"
#include "transport/receive.h"

namespace signalbox::presence {

using proxy::Rejection;
using sip::HeaderId;

namespace {

constexpr std::string_view kEvent = "reg";
constexpr std::string_view kMediaType = "application/reginfo+xml";
constexpr std::array<uint64_t, 2> kDialogKey{0x7375627363726962, 0x65206469616c6f67};

uint64_t dialog_key(std::string_view call_id, std::string_view own_tag, std::string_view far_tag) {
    std::array<uint64_t, 2> key = kDialogKey;
    key[0] ^= siphash(key, call_id);
    key[1] ^= siphash(key, own_tag);
    return siphash(key, far_tag);
}

uint64_t watched_key(ports::TenantId tenant, std::string_view aor) {
    return siphash({kDialogKey[1] ^ tenant, kDialogKey[0]}, aor);
}

/// Without Accept the package's own type is meant (RFC 3680 §4.5).
bool accepts_reg_info(const sip::MessageView& message) {
    const sip::HeaderField* field = message.first(HeaderId::Accept);
    if (field == nullptr) return true;
    for (; field != nullptr; field = message.next(field)) {
        sip::ListWalker values(message.value(*field));
        while (const auto value = values.next()) {
            const std::string_view type = text::trim(value->substr(0, value->find(';')));
            if (text::iequals(type, kMediaType) || type == "*/*" ||
                text::iequals(type, "application/*"))
                return true;
        }
    }
    return false;
}

}  // namespace

/// Views: the request.
struct RegEvent::Asked {
    const proxy::IncomingRequest& request;
    const Watched& watched;
    sip::NameAddr contact;
    uint32_t expires_s = kDefaultExpiresS;
    SubscriptionHandle found;  // in a dialog
};

bool names_reg_event(std::string_view event) {
    return text::iequals(text::trim(event.substr(0, event.find(';'))), kEvent);
}

bool is_for_reg_event(const proxy::IncomingRequest& request, const proxy::Routing& routing) {
    return request.method() == sip::Method::Subscribe && routing.next_route.empty() &&
           !routing.token && routing.uri.has_user &&
           names_reg_event(request.message.value(HeaderId::Event)) &&
           request.snapshot.tenant_of(routing.uri) != ports::kNoTenant;
}

RegEvent::RegEvent(const Setup& setup, const Services& services)
    : setup_(setup),
      s_(services),
      subscriptions_(std::min(setup.subscriptions_max, NotifyOwner::kIndexMax)) {}

RegEvent::~RegEvent() = default;

void RegEvent::subscribe(Now now, const proxy::IncomingRequest& request, const Watched& watched,
                         ports::Outbox& out) {
    Asked asked{request, watched, {}, kDefaultExpiresS, {}};
    const Rejection rejection = read(request, watched, asked);
    if (rejection.status != 0) return refuse(now, request, rejection, out);
    if (asked.found) return refresh(now, asked, out);
    begin(now, asked, out);
}

/// Status 0: nothing speaks against it.
Rejection RegEvent::read(const proxy::IncomingRequest& request, const Watched& watched,
                         Asked& asked) const {
    if (request.is_in_dialog()) {
        const auto found =
            dialogs_.find(dialog_key(request.call_id, request.to.tag, request.from.tag));
        if (found == dialogs_.end()) return {481, {}, {}};
        asked.found = found->second;
        const Subscription* subscription = subscriptions_.get(asked.found);
        if (subscription->is_over) return {481, {}, {}};
        if (request.cseq.number <= subscription->remote_cseq)
            return {500, "CSeq is not higher", {}};
    } else if (!watched.exists) {
        return {404, {}, {}};
    }
    if (!accepts_reg_info(request.message)) {
        Rejection rejection{406, {}, {}};
        rejection.headers[0] = {"Accept", std::string(kMediaType)};
        return rejection;
    }
    const auto contact = sip::parse_contact(request.message.value(HeaderId::Contact));
    if (!contact || contact->is_star || !contact->address.uri.is_sip())
        return {400, error_text(ErrorCode::malformed_contact), {}};
    asked.contact = contact->address;
    if (const sip::HeaderField* field = request.message.first(HeaderId::Expires)) {
        const auto expires = sip::parse_expires(request.message.value(*field));
        if (!expires) return {400, error_text(expires.error().code), {}};
        asked.expires_s = std::min(*expires, kExpiresMaxS);
    }
    const uint32_t shortest = request.snapshot.registrar.expires_min_s;
    if (asked.expires_s != 0 && asked.expires_s < shortest && asked.expires_s < 3600) {
        Rejection rejection{423, {}, {}};
        rejection.headers[0] = {"Min-Expires", std::to_string(shortest)};
        return rejection;
    }
    return {0, {}, {}};
}

void RegEvent::begin(Now now, const Asked& asked, ports::Outbox& out) {
    const proxy::IncomingRequest& request = asked.request;
    Subscription*& first = watchers_[watched_key(asked.watched.tenant, asked.watched.aor)];
    size_t watchers = 0;
    for (const Subscription* each = first; each != nullptr; each = each->next) ++watchers;
    const SubscriptionHandle handle =
        watchers < kWatchersOfOneMax ? subscriptions_.emplace() : SubscriptionHandle{};
    if (!handle) {
        if (first == nullptr) watchers_.erase(watched_key(asked.watched.tenant, asked.watched.aor));
        s_.counters.add(Counter::subscriptions_refused_total);
        Rejection full{503, {}, {}};
        full.headers[0] = {"Retry-After", "60"};
        return refuse(now, request, full, out);
    }
    Subscription& subscription = *subscriptions_.get(handle);
    subscription.tenant = asked.watched.tenant;
    subscription.timer.kind = kSubscriptionTimer;
    subscription.timer.owner = handle.packed();
    subscription.next = first;
    first = &subscription;
    const proxy::ToTag tag = s_.reply.to_tag(request.message);
    dialogs_[dialog_key(request.call_id, tag.view(), request.from.tag)] = handle;
    pack_dialog(request, tag.view(), asked.watched.aor, asked.contact.uri_text, packed_);
    subscription.text = PooledBytes(s_.pool, packed_);
    s_.counters.add(Counter::subscriptions_begun_total);
    accept(now, asked, handle, out);
}

void RegEvent::refresh(Now now, const Asked& asked, ports::Outbox& out) {
    Subscription& subscription = *subscriptions_.get(asked.found);
    // Only the remote target may change within a dialog (RFC 6665 §4.4.1, RFC 3261 §12.2.2).
    repack_target(subscription.text.view(), asked.contact.uri_text, packed_);
    subscription.text = PooledBytes(s_.pool, packed_);
    accept(now, asked, asked.found, out);
}

void RegEvent::accept(Now now, const Asked& asked, SubscriptionHandle handle, ports::Outbox& out) {
    const proxy::IncomingRequest& request = asked.request;
    Subscription& subscription = *subscriptions_.get(handle);
    subscription.flow = request.flow;
    subscription.remote_cseq = request.cseq.number;
    subscription.expires = now.monotonic + std::chrono::seconds(asked.expires_s);
    subscription.is_over = asked.expires_s == 0;
    subscription.is_full_due = true;
    s_.wheel.arm(subscription.timer, subscription.expires);

    std::string via;
    transport::append_stamped_via(request.via, request.flow, via);
    sip::ResponseBuilder builder(request.message, 200, {}, s_.reply.to_tag(request.message).view(),
                                 response_, via);
    for (const sip::HeaderField* field = request.message.first(HeaderId::RecordRoute);
         field != nullptr; field = request.message.next(field)) {
        builder.add("Record-Route", request.message.value(*field));
    }
    const DialogText dialog = unpack_dialog(subscription.text.view());
    builder.add("Contact", own_contact(dialog, request.flow, request.snapshot));
    builder.add("Expires", std::to_string(asked.expires_s));
    if (!request.snapshot.server_name.empty()) builder.add("Server", request.snapshot.server_name);
    builder.finish();
    respond(now, request, 200, response_, out);
    notify(now, handle, out);
}

void RegEvent::refuse(Now now, const proxy::IncomingRequest& request, const Rejection& rejection,
                      ports::Outbox& out) {
    s_.counters.add(Counter::requests_refused_total);
    respond(now, request, rejection.status,
            s_.reply.render(request.message, request.flow, request.snapshot, rejection), out);
}

void RegEvent::respond(Now now, const proxy::IncomingRequest& request, int status,
                       std::string_view response, ports::Outbox& out) {
    const transport::Flow back = transport::response_flow(request.via, request.flow);
    const transaction::ServerHandle server = s_.transactions.create_server(
        now, request.message, request.via, back, request.snapshot.timers, 0);
    if (!server) return out.transmits.add(back, response);
    s_.transactions.respond(now, server, status, response, out.transmits);
}

void RegEvent::bindings_changed(Now now, ports::TenantId tenant, std::string_view aor,
                                ports::Outbox& out) {
    if (watchers_.empty()) return;
    const auto found = watchers_.find(watched_key(tenant, aor));
    if (found == watchers_.end()) return;
    due_.clear();
    for (Subscription* each = found->second; each != nullptr; each = each->next) {
        if (!each->is_over) due_.push_back(SubscriptionHandle::unpack(each->timer.owner));
    }
    // The oldest first: the order in which they were told before.
    for (size_t i = due_.size(); i-- > 0;) notify(now, due_[i], out);
}

void RegEvent::notify(Now now, SubscriptionHandle handle, ports::Outbox& out) {
    Subscription* subscription = subscriptions_.get(handle);
    if (subscription == nullptr) return;
    if (subscription->is_notifying) {
        subscription->is_changed = true;
        return;
    }
    if (!write_document(now, *subscription)) return;
    const transaction::ClientStart start =
        s_.transactions.reserve_client(sip::Method::Notify, 0, NotifyOwner::pack(handle));
    if (!start.client) return forget(handle);
    ++subscription->local_cseq;
    ++subscription->version;
    subscription->is_notifying = true;
    subscription->is_changed = false;
    const ports::Snapshot& snapshot = s_.snapshots.current();
    const DialogText dialog = unpack_dialog(subscription->text.view());
    const transport::Flow flow = notify_flow(dialog, subscription->flow);
    const uint64_t left =
        subscription->is_over
            ? 0
            : static_cast<uint64_t>(std::max<int64_t>(
                  std::chrono::ceil<std::chrono::seconds>(subscription->expires - now.monotonic)
                      .count(),
                  1));
    render_notify({dialog, flow, start.branch.view(), subscription->local_cseq, left, body_},
                  snapshot, request_);
    s_.transactions.send_request(now, start.client, flow, request_, snapshot.timers, out.transmits);
    s_.counters.add(Counter::notifications_sent_total);
}

/// The document that is due, into body_; false when nothing has changed since the last one.
bool RegEvent::write_document(Now now, Subscription& subscription) {
    const DialogText dialog = unpack_dialog(subscription.text.view());
    const auto bindings = s_.location.lookup(now, subscription.tenant, dialog.aor);
    contacts_.clear();
    changed_contacts(now, bindings, subscription.known.view(), subscription.is_full_due, contacts_);
    if (contacts_.empty() && !subscription.is_full_due && !subscription.is_over) return false;
    const RegistrationState state = !bindings.empty()   ? RegistrationState::Active
                                    : contacts_.empty() ? RegistrationState::Init
                                                        : RegistrationState::Terminated;
    body_.clear();
    RegInfoWriter writer(body_, subscription.version, subscription.is_full_due);
    writer.begin_registration(dialog.aor_uri, watched_key(subscription.tenant, dialog.aor), state);
    for (const ContactInfo& contact : contacts_) writer.add(contact);
    writer.finish();
    packed_.clear();
    pack_known(bindings, packed_);
    subscription.known = PooledBytes(s_.pool, packed_);
    subscription.is_full_due = false;
    return true;
}

void RegEvent::on_response(Now now, uint64_t owner, int status, ports::Outbox& out) {
    if (status < 200) return;
    const SubscriptionHandle handle = NotifyOwner::unpack(owner);
    Subscription* subscription = subscriptions_.get(handle);
    if (subscription == nullptr) {
        s_.counters.add(Counter::stale_handles_dropped_total);
        return;
    }
    subscription->is_notifying = false;
    if (status >= 300) {
        s_.counters.add(Counter::notifications_failed_total);
        return forget(handle);
    }
    const bool is_more_due = subscription->is_changed || subscription->is_full_due;
    if (subscription->is_over && !is_more_due) return forget(handle);
    if (is_more_due) notify(now, handle, out);
}

void RegEvent::on_timer(Now now, const TimerDue& due, ports::Outbox& out) {
    const SubscriptionHandle handle = SubscriptionHandle::unpack(due.owner);
    Subscription* subscription = subscriptions_.get(handle);
    if (subscription == nullptr) return;
    const bool was_over = subscription->is_over;
    subscription->is_over = true;
    if (was_over) return;
    subscription->is_full_due = true;
    notify(now, handle, out);
}

void RegEvent::forget(SubscriptionHandle handle) {
    Subscription* subscription = subscriptions_.get(handle);
    const DialogText dialog = unpack_dialog(subscription->text.view());
    dialogs_.erase(dialog_key(dialog.call_id, dialog.local_tag, dialog.remote_tag));
    const auto found = watchers_.find(watched_key(subscription->tenant, dialog.aor));
    Subscription** place = &found->second;
    while (*place != subscription) place = &(*place)->next;
    *place = subscription->next;
    if (found->second == nullptr) watchers_.erase(found);
    subscriptions_.erase(handle);
}

}  // namespace signalbox::presence
