// The registration event package: subscriptions, as their watchers make, refresh and end them.
// Implements: RFC 3261 §20.1; RFC 3680 §4; RFC 6665 §4.2.1
#include "presence/reg_event.h"

#include <algorithm>
#include <utility>

#include "base/byte_io.h"
#include "base/random.h"
#include "base/text.h"
#include "location/instance_id.h"
#include "presence/dialog_text.h"
#include "sip/params.h"
#include "sip/response_builder.h"
#include "transport/receive.h"

namespace signalbox::presence {

using proxy::Rejection;
using sip::HeaderId;

namespace {

constexpr std::string_view kMediaType = "application/reginfo+xml";
constexpr std::array<uint64_t, 2> kDialogKey{0x7375627363726962, 0x65206469616c6f67};

uint64_t dialog_key(std::string_view call_id, std::string_view own_tag, std::string_view far_tag) {
    std::array<uint64_t, 2> key = kDialogKey;
    key[0] ^= siphash(key, call_id);
    key[1] ^= siphash(key, own_tag);
    return siphash(key, far_tag);
}

/// How closely a range of Accept names our type; 0: not at all.
int closeness(std::string_view range) {
    if (range == "*/*") return 1;
    if (text::iequals(range, "application/*")) return 2;
    return text::iequals(range, kMediaType) ? 3 : 0;
}

/// A q of 0 says that the range is not acceptable (RFC 3261 §20.1).
bool is_wanted(std::string_view value) {
    const size_t params = value.find(';');
    if (params == std::string_view::npos) return true;
    const auto q = sip::find_param(value.substr(params), "q");
    return !q || !q->value || sip::parse_q(*q->value).value_or(1) != 0;
}

/// Without Accept the package's own type is meant (RFC 3680 §4.5). The range that names it most
/// closely decides.
bool accepts_reg_info(const sip::MessageView& message) {
    const sip::HeaderField* field = message.first(HeaderId::Accept);
    if (field == nullptr) return true;
    int closest = 0;
    bool is_accepted = false;
    for (; field != nullptr; field = message.next(field)) {
        sip::ListWalker values(message.value(*field));
        while (const auto value = values.next()) {
            const int close = closeness(text::trim(value->substr(0, value->find(';'))));
            if (close == 0 || close < closest) continue;
            is_accepted = is_wanted(*value) || (close == closest && is_accepted);
            closest = close;
        }
    }
    return is_accepted;
}

/// The id that tells subscriptions of one dialog apart (RFC 6665 §4.5.2).
std::string_view event_id(std::string_view event) {
    const size_t params = event.find(';');
    if (params == std::string_view::npos) return {};
    const auto id = sip::find_param(event.substr(params), "id");
    return id && id->value ? *id->value : std::string_view{};
}

bool has_one_via(const proxy::IncomingRequest& request) {
    const sip::MessageView& message = request.message;
    const sip::HeaderField* via = message.first(HeaderId::Via);
    sip::ListWalker values(message.value(*via));
    values.next();
    return !values.next() && message.next(via) == nullptr;
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
    return text::iequals(text::trim(event.substr(0, event.find(';'))), kRegEventName);
}

bool is_for_reg_event(const proxy::IncomingRequest& request, const proxy::Routing& routing) {
    return request.method() == sip::Method::Subscribe && routing.next_route.empty() &&
           !routing.token && routing.uri.has_user && routing.tenant != ports::kNoTenant &&
           names_reg_event(request.message.value(HeaderId::Event));
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

SubscriptionHandle RegEvent::find_dialog(const proxy::IncomingRequest& request) const {
    const auto found = dialogs_.find(dialog_key(request.call_id, request.to.tag, request.from.tag));
    return found == dialogs_.end() ? SubscriptionHandle{} : found->second;
}

bool RegEvent::has_dialog(const proxy::IncomingRequest& request) const {
    return request.method() == sip::Method::Subscribe && request.is_in_dialog() &&
           find_dialog(request);
}

/// True for a SUBSCRIBE that has come by another way before: a proxy has forked it (RFC 3261
/// §8.2.2.2).
bool RegEvent::is_merged(const proxy::IncomingRequest& request, const Watched& watched) const {
    const auto found = watchers_.find(watched_key(watched.tenant, watched.aor));
    if (found == watchers_.end()) return false;
    for (const Subscription* each = found->second; each != nullptr; each = each->next) {
        const DialogText dialog = unpack_dialog(each->text.view());
        if (each->remote_cseq == request.cseq.number && dialog.call_id == request.call_id &&
            dialog.remote_tag == request.from.tag)
            return true;
    }
    return false;
}

/// Finds the subscription that the request refreshes. Status 0: nothing speaks against it.
Rejection RegEvent::read_dialog(const proxy::IncomingRequest& request, const Watched& watched,
                                Asked& asked) const {
    const std::string_view event = request.message.value(HeaderId::Event);
    if (!names_reg_event(event)) {
        Rejection rejection{489, {}, {}};
        rejection.headers[0] = {"Allow-Events", std::string(kRegEventName)};
        return rejection;
    }
    if (!request.is_in_dialog()) {
        if (is_draining_) return proxy::server_stopping();
        if (is_merged(request, watched)) return {482, "Merged Request", {}};
        return {watched.exists ? 0 : 404, {}, {}};
    }
    asked.found = find_dialog(request);
    const Subscription* subscription = subscriptions_.get(asked.found);
    if (subscription == nullptr || subscription->is_over) return {481, {}, {}};
    const DialogText dialog = unpack_dialog(subscription->text.view());
    if (dialog.aor != watched.aor) return {481, {}, {}};
    if (event_id(event) != event_id(dialog.event)) return {481, {}, {}};
    if (request.cseq.number <= subscription->remote_cseq) return {500, "CSeq is not higher", {}};
    return {0, {}, {}};
}

Rejection RegEvent::read(const proxy::IncomingRequest& request, const Watched& watched,
                         Asked& asked) const {
    if (Rejection refused = read_dialog(request, watched, asked); refused.status != 0)
        return refused;
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
    const proxy::ToTag tag = s_.reply.to_tag(request);
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
    subscription.is_direct = has_one_via(request);
    subscription.instance = location::instance_hash(location::instance_of(asked.contact.params));
    subscription.remote_cseq = request.cseq.number;
    subscription.expires = now.monotonic + std::chrono::seconds(asked.expires_s);
    subscription.is_over = asked.expires_s == 0;
    subscription.is_full_due = true;
    if (!subscription.is_locating) subscription.wait_until = Instant{};
    arm(subscription);

    std::string via;
    transport::append_stamped_via(request.via, request.flow, via);
    sip::ResponseBuilder builder(request.message, 200, {}, s_.reply.to_tag(request).view(),
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
    respond(now, request, rejection.status, s_.reply.render(request, rejection), out);
}

void RegEvent::respond(Now now, const proxy::IncomingRequest& request, int status,
                       std::string_view response, ports::Outbox& out) {
    const transport::Flow back = transport::response_flow(request.via, request.flow);
    const transaction::ServerHandle server =
        s_.transactions.create_server(now, request.received(), back, request.snapshot.timers, 0);
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

void RegEvent::bindings_deactivated(Now now, ports::TenantId tenant, std::string_view aor,
                                    ports::Outbox& out) {
    const auto found = watchers_.find(watched_key(tenant, aor));
    if (found == watchers_.end()) return;
    for (Subscription* each = found->second; each != nullptr; each = each->next)
        each->is_deactivated = true;
    bindings_changed(now, tenant, aor, out);
}

void RegEvent::arm(Subscription& subscription) {
    Instant due = subscription.is_over ? kNever : subscription.expires;
    if (subscription.wait_until != Instant{}) due = std::min(due, subscription.wait_until);
    if (due == kNever) return s_.wheel.cancel(subscription.timer);
    s_.wheel.arm(subscription.timer, due);
}

void RegEvent::drain(Now now) {
    if (is_draining_) return;
    is_draining_ = true;
    drained_at_ = now.monotonic + kDeactivationMax;
    subscriptions_.for_each([&](SubscriptionHandle, Subscription& subscription) {
        if (subscription.is_over) return;
        subscription.end = SubscriptionEnd::Deactivated;
        subscription.expires = now.monotonic;
        arm(subscription);
    });
}

bool RegEvent::is_drained(Now now) const {
    return subscriptions_.size() == 0 || now.monotonic >= drained_at_;
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
