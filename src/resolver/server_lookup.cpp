// From a domain to the ordered list of next hops. Implements: RFC 3263 §4.1, §4.2; RFC 2782
#include "resolver/server_lookup.h"

#include <algorithm>
#include <iterator>

#include "base/text.h"

namespace signalbox::resolver {
namespace {

using transport::Transport;

constexpr int kQuestionsMax = 48;       // of one lookup
constexpr size_t kCandidatesMax = 128;  // hops and places for them
constexpr size_t kAddressesMax = 8;     // of one name
constexpr int kAhead = 3;               // hops known or asked for in advance

std::string canonical_name(std::string_view host) {
    std::string name = text::to_lower(host);
    if (!name.empty() && name.back() == '.') name.pop_back();
    return name;
}

}  // namespace

ServerLookup::ServerLookup(const NextHop& destination, const TransportSet& transports,
                           const Order& order)
    : host_(canonical_name(destination.host)),
      transport_(destination.transport),
      port_(destination.port),
      is_secure_(destination.is_secure),
      is_stable_(order.is_stable),
      transports_(transports),
      random_({order.draw, 0x5352562d64726177}),
      draw_(order.draw) {
    if (destination.has_port) {
        has_fallen_back_ = true;
        candidates_.push_back(place(Kind::Addresses, transport_, port_, host_));
    } else if (destination.has_transport) {
        for (const Service& service : services()) {
            if (service.transport != transport_) continue;
            candidates_.push_back(
                place(Kind::Services, transport_, 0, std::string(service.srv) + host_));
        }
        settle();
    } else {
        if (!transports_.has(transport_)) take_first_service();
        candidates_.push_back(place(Kind::Pointers, transport_, 0, host_));
    }
}

void ServerLookup::take_first_service() {
    for (const Service& service : services()) {
        if (service.is_secure != is_secure_ || !transports_.has(service.transport)) continue;
        transport_ = service.transport;
        port_ = transport::default_port(transport_);
        return;
    }
}

ServerLookup::Candidate ServerLookup::place(Kind kind, Transport transport, uint16_t port,
                                            std::string name) const {
    Candidate candidate;
    candidate.kind = kind;
    candidate.transport = transport;
    candidate.port = port;
    candidate.name = std::move(name);
    return candidate;
}

RecordType ServerLookup::type_of(Kind kind) {
    switch (kind) {
        case Kind::Pointers:
            return RecordType::Naptr;
        case Kind::Services:
            return RecordType::Srv;
        case Kind::Addresses:
        case Kind::Hop:
            break;
    }
    return RecordType::Address;
}

Question ServerLookup::question_of(const Candidate& candidate) {
    return {type_of(candidate.kind), candidate.name};
}

ServerLookup::Candidate* ServerLookup::first_unasked() {
    int ahead = 0;
    for (Candidate& candidate : candidates_) {
        if (candidate.state == State::Tried) continue;
        // Which services there are decides the order: all are asked for at once.
        const bool is_worth_it =
            candidate.is_wanted || candidate.kind == Kind::Services || ahead < kAhead;
        if (candidate.state == State::Unasked && is_worth_it) return &candidate;
        ++ahead;
    }
    return nullptr;
}

std::optional<Question> ServerLookup::next_question() {
    while (Candidate* candidate = first_unasked()) {
        candidate->state = State::Asked;
        Question question = question_of(*candidate);
        if (questions_++ < kQuestionsMax) return question;
        answer(question, {});
    }
    return std::nullopt;
}

void ServerLookup::answer(const Question& question, const RecordSet& records) {
    Candidates next;
    next.reserve(candidates_.size());
    for (Candidate& candidate : candidates_) {
        const bool is_asking =
            candidate.state == State::Asked && question_of(candidate) == question;
        if (!is_asking) {
            next.push_back(std::move(candidate));
            continue;
        }
        Candidates brought = expand(candidate, records);
        std::move(brought.begin(), brought.end(), std::back_inserter(next));
    }
    if (next.size() > kCandidatesMax) next.resize(kCandidatesMax);
    candidates_ = std::move(next);
    settle();
}

ServerLookup::Candidates ServerLookup::expand(const Candidate& candidate,
                                              const RecordSet& records) {
    switch (candidate.kind) {
        case Kind::Pointers:
            return expand_pointers(records);
        case Kind::Services:
            return expand_services(candidate, records);
        case Kind::Addresses:
            return expand_addresses(candidate, records);
        case Kind::Hop:
            break;
    }
    return {};
}

ServerLookup::Candidates ServerLookup::expand_pointers(const RecordSet& records) {
    Candidates out;
    for (ServicePointer& pointer : usable_pointers(records.pointers, transports_, is_secure_)) {
        const Kind kind = pointer.is_terminal ? Kind::Addresses : Kind::Services;
        const uint16_t port = transport::default_port(pointer.transport);
        if (out.empty()) {
            transport_ = pointer.transport;
            port_ = port;
        }
        out.push_back(place(kind, pointer.transport, port, canonical_name(pointer.replacement)));
    }
    if (out.empty()) add_services(out);
    return out;
}

/// Without NAPTR, SRV says which transports there are (RFC 3263 §4.1).
void ServerLookup::add_services(Candidates& out) {
    for (const Service& service : services()) {
        if (service.is_secure != is_secure_ || !transports_.has(service.transport)) continue;
        out.push_back(
            place(Kind::Services, service.transport, 0, std::string(service.srv) + host_));
    }
}

ServerLookup::Candidates ServerLookup::expand_services(const Candidate& candidate,
                                                       const RecordSet& records) {
    Candidates out;
    if (!records.services.empty()) is_service_known_ = true;
    for (SrvRecord& record : in_order_of_trial(records.services, random_)) {
        if (record.target.empty() || record.port == 0) continue;
        out.push_back(place(Kind::Addresses, candidate.transport, record.port,
                            canonical_name(record.target)));
    }
    return out;
}

ServerLookup::Candidates ServerLookup::expand_addresses(const Candidate& candidate,
                                                        const RecordSet& records) {
    std::vector<IpAddress> addresses = records.addresses;
    if (is_stable_ && !addresses.empty()) {
        std::sort(addresses.begin(), addresses.end());
        const auto first = static_cast<std::ptrdiff_t>(draw_ % addresses.size());
        std::rotate(addresses.begin(), addresses.begin() + first, addresses.end());
    }
    if (addresses.size() > kAddressesMax) addresses.resize(kAddressesMax);
    Candidates out;
    for (const IpAddress& address : addresses) {
        Candidate hop = place(Kind::Hop, candidate.transport, candidate.port, {});
        hop.state = State::Untried;
        hop.address = address;
        out.push_back(std::move(hop));
    }
    return out;
}

/// Without any SRV record the domain itself is the server (RFC 3263 §4.2).
void ServerLookup::settle() {
    if (!candidates_.empty() || is_service_known_ || has_fallen_back_) return;
    has_fallen_back_ = true;
    candidates_.push_back(place(Kind::Addresses, transport_, port_, host_));
}

bool ServerLookup::was_given_out(const Hop& hop) const {
    return std::any_of(candidates_.begin(), candidates_.end(), [&hop](const Candidate& each) {
        return each.kind == Kind::Hop && each.state == State::Tried &&
               each.transport == hop.transport && each.port == hop.remote.port &&
               each.address == hop.remote.address;
    });
}

/// The candidate to give out; null: there is none, or, with `is_waiting`, not yet.
ServerLookup::Candidate* ServerLookup::first_untried(Instant now, const HopHealth* health,
                                                     bool& is_waiting) {
    Candidate* held_down = nullptr;
    bool is_any_late = false;
    for (Candidate& candidate : candidates_) {
        if (candidate.state == State::Tried) continue;
        if (candidate.is_late && candidate.state == State::Asked) {
            is_any_late = true;
            continue;
        }
        if (candidate.state != State::Untried) {
            candidate.is_wanted = true;
            is_waiting = true;
            return nullptr;
        }
        const Hop here{candidate.transport, {candidate.address, candidate.port}};
        if (was_given_out(here)) {
            candidate.state = State::Tried;
        } else if (health == nullptr || !health->is_held_down(now, here)) {
            return &candidate;
        } else if (held_down == nullptr) {
            held_down = &candidate;
        }
    }
    is_waiting = held_down == nullptr && is_any_late;
    return held_down;
}

Progress ServerLookup::next(Instant now, const HopHealth* health, Hop& hop) {
    bool is_waiting = false;
    Candidate* chosen = first_untried(now, health, is_waiting);
    if (chosen == nullptr) return is_waiting ? Progress::Waiting : Progress::Exhausted;
    chosen->state = State::Tried;
    hop = {chosen->transport, {chosen->address, chosen->port}};
    return Progress::Ready;
}

bool ServerLookup::has_more() const {
    return std::any_of(candidates_.begin(), candidates_.end(),
                       [](const Candidate& each) { return each.state != State::Tried; });
}

const ServerLookup::Candidate* ServerLookup::first_waiting() const {
    const Candidate* late = nullptr;
    for (const Candidate& candidate : candidates_) {
        if (candidate.state != State::Asked) continue;
        if (!candidate.is_late) return &candidate;
        if (late == nullptr) late = &candidate;
    }
    return late;
}

bool ServerLookup::pass_over_awaited() {
    const auto question = awaited();
    bool is_first_time = false;
    for (Candidate& candidate : candidates_) {
        if (candidate.state != State::Asked || question_of(candidate) != question) continue;
        is_first_time = is_first_time || !candidate.is_late;
        candidate.is_late = true;
    }
    return is_first_time;
}

std::optional<Question> ServerLookup::awaited() const {
    const Candidate* waiting = first_waiting();
    return waiting == nullptr ? std::nullopt : std::optional(question_of(*waiting));
}

int ServerLookup::stage() const {
    const Candidate* waiting = first_waiting();
    if (waiting == nullptr || waiting->kind == Kind::Addresses) return 2;
    return waiting->kind == Kind::Pointers ? 0 : 1;
}

bool ServerLookup::has_hop() const {
    return std::any_of(candidates_.begin(), candidates_.end(),
                       [](const Candidate& each) { return each.state == State::Untried; });
}

}  // namespace signalbox::resolver
