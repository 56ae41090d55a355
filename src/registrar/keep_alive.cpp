// Walks over the places of the location service, so that each comes up once in a round.
#include "registrar/keep_alive.h"

#include <algorithm>
#include <initializer_list>

#include "base/text.h"
#include "location/reachable_flow.h"
#include "transaction/branch.h"

namespace signalbox::registrar {

namespace {

/// Addresses of record that are looked at in one turn.
constexpr uint32_t kPlacesPerTurn = 1024;
/// A phone that registered in this part of the interval is left out once: its router has not
/// forgotten it.
constexpr int kRecentDivisor = 4;
/// The request names the Contact twice and is to stay below the size of a datagram.
constexpr size_t kContactBytesMax = 400;

/// Fit for the Request-URI of a request in a datagram: no sips, which is never carried in the clear
/// (RFC 3261 §26.2.2), and nothing that has no place there (§19.1.1).
bool is_fit_to_ask(std::string_view contact) {
    const auto uri = sip::parse_uri(contact);
    return uri && uri->scheme == sip::Scheme::Sip && uri->headers.empty() &&
           !uri->param("method") && contact.size() <= kContactBytesMax;
}

}  // namespace

void KeepAlive::begin(Now now, const ports::Snapshot& snapshot) {
    if (snapshot.registrar.nat_keep_alive == Duration{}) return;
    round_begun_ = now.monotonic;
    place_ = 0;
    s_.wheel.arm(timer_, round_begun_);
}

/// When the phones at `place` have their turn in this round.
Instant KeepAlive::due(uint32_t place, Duration interval) const {
    const uint32_t places = std::max<uint32_t>(s_.location.places(), 1);
    return round_begun_ + interval / places * std::min(place, places);
}

void KeepAlive::on_timer(Now now, const ports::Snapshot& snapshot, ports::Outbox& out) {
    const Duration interval = snapshot.registrar.nat_keep_alive;
    if (interval == Duration{} || !s_.location.has_phones_to_keep_alive()) return;
    const uint32_t places = s_.location.places();
    if (place_ >= places && now.monotonic >= round_begun_ + interval) {
        // A stalled machine does not make up for the rounds that it missed.
        round_begun_ = std::max(round_begun_ + interval, now.monotonic - interval);
        place_ = 0;
    }
    const uint32_t end = std::min(place_ + kPlacesPerTurn, places);
    for (; place_ < end && due(place_, interval) <= now.monotonic; ++place_)
        ask_phones_at(now, place_, snapshot, out);
    s_.wheel.arm(timer_, place_ < places ? due(place_, interval) : round_begun_ + interval);
}

void KeepAlive::ask_phones_at(Now now, uint32_t place, const ports::Snapshot& snapshot,
                              ports::Outbox& out) {
    const Duration recent = snapshot.registrar.nat_keep_alive / kRecentDivisor;
    for (const location::Binding& binding : s_.location.lookup_place(now, place)) {
        if (!location::needs_keep_alive(binding.record)) continue;
        if (now.wall - binding.record.updated >= recent) ask(binding, snapshot, out);
    }
}

void KeepAlive::ask(const location::Binding& binding, const ports::Snapshot& snapshot,
                    ports::Outbox& out) {
    const auto flow = location::reachable_flow(binding, snapshot, setup_.shard);
    if (!flow || !is_fit_to_ask(binding.record.contact)) return;
    transaction::BranchFields fields;
    fields.kind = transaction::BranchKind::KeepAlive;
    fields.cookie = s_.random.next();
    fields.node = setup_.node;
    fields.shard = setup_.shard;
    const transaction::BranchText branch = transaction::make_branch(fields, s_.keys);
    const auto sent_by = transport::sent_by(*flow, snapshot.listeners);
    std::string id;
    text::append_number(id, s_.random.next());
    const auto line = [this](std::initializer_list<std::string_view> parts) {
        for (const std::string_view part : parts) request_ += part;
        request_ += "\r\n";
    };
    const std::string_view contact = binding.record.contact;
    request_.clear();
    line({"OPTIONS ", contact, " SIP/2.0"});
    line({"Via: SIP/2.0/UDP ", sent_by.view(), ";rport;branch=", branch.view()});
    line({"Max-Forwards: 70"});
    line({"From: <sip:", sent_by.view(), ">;tag=", id});
    line({"To: <", contact, ">"});
    line({"Call-ID: ", id, "@", sent_by.view()});
    line({"CSeq: 1 OPTIONS"});
    line({"Accept: application/sdp"});
    line({"Content-Length: 0"});
    line({});
    out.transmits.add(*flow, request_);
    s_.counters.add(Counter::nat_keep_alives_sent_total);
}

}  // namespace signalbox::registrar
