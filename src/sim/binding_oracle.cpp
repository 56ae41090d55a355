// A registrar's model, fed by what the server acknowledged.
#include "sim/binding_oracle.h"

#include <algorithm>

#include "base/text.h"

namespace signalbox::sim {

namespace {

/// Expiry is told in whole seconds and handled in ticks: about such a moment either answer is
/// right.
constexpr Duration kTolerance = std::chrono::milliseconds(1500);

bool is_behind_nat(const std::string& uri, const transport::Flow& flow) {
    const auto shown = endpoint_of(uri);
    return shown && shown->address.octets[0] == 10 && shown->address != flow.remote.address;
}

bool is_due(uint32_t granted, const std::optional<uint32_t>& asked,
            const ports::RegistrarSettings& settings) {
    const uint32_t due =
        std::min(asked.value_or(settings.expires_default_s), settings.expires_max_s);
    const uint32_t least = due > 600 ? due - due / 10 : due;
    return granted >= least && granted <= due;
}

/// The request of another phone with the same private address (binding_match.cpp).
bool is_other_phone(const std::string& uri, const KnownBinding& known, const KnownBinding& by) {
    if (!known.instance.empty() && !by.instance.empty()) return known.instance != by.instance;
    return is_behind_nat(uri, known.flow) && is_behind_nat(uri, by.flow) &&
           known.call_id != by.call_id && known.flow.remote != by.flow.remote;
}

}  // namespace

void BindingOracle::forget(Contacts& contacts, const std::string& uri, const KnownBinding& by) {
    const auto [begin, end] = contacts.equal_range(uri);
    for (auto each = begin; each != end;) {
        each = is_other_phone(uri, each->second, by) ? std::next(each) : contacts.erase(each);
    }
}

void BindingOracle::confirmed(const TextMessage& request, const TextMessage& response,
                              const transport::Flow& flow,
                              const std::optional<ports::RegistrarSettings>& settings) {
    const Instant now = queue_.now().monotonic;
    const std::string user = user_of(uri_of(request.header("To")));
    Contacts& contacts = users_[user];
    for (const std::string& value : request.values("Contact")) {
        if (value == "*") {
            contacts.clear();
            continue;
        }
        const std::string uri = uri_of(value);
        std::optional<uint32_t> asked = text::to_u32(parameter(value, "expires").value_or(""));
        if (!asked) asked = text::to_u32(request.header("Expires"));
        const KnownBinding asker{flow,
                                 now,
                                 now,
                                 std::string(request.header("Call-ID")),
                                 parameter(value, "+sip.instance").value_or(""),
                                 parameter(value, "q").value_or("1")};
        forget(contacts, uri, asker);
        if (asked && *asked == 0) continue;
        // A phone that has moved has one place: its new one (RFC 5626 §6).
        std::erase_if(contacts, [&asker](const auto& known) {
            return !asker.instance.empty() && known.second.instance == asker.instance;
        });
        ever_shown_[user].push_back(flow.remote);
        if (const auto shown = endpoint_of(uri)) ever_shown_[user].push_back(*shown);
        uint32_t granted = 0;
        for (const std::string& told : response.values("Contact")) {
            if (uri_of(told) != uri) continue;
            granted = text::to_u32(parameter(told, "expires").value_or("")).value_or(0);
            // Of two bindings of one URI the later is the one that has just been made.
            if (contacts.count(uri) == 0 || !settings || is_due(granted, asked, *settings)) break;
        }
        if (settings) {
            const uint32_t due =
                std::min(asked.value_or(settings->expires_default_s), settings->expires_max_s);
            if (!is_due(granted, asked, *settings)) {
                report_.broken("registrar", "granted " + std::to_string(granted) +
                                                " s instead of " + std::to_string(due) + " s to " +
                                                uri);
            }
        }
        KnownBinding binding = asker;
        binding.expires = now + std::chrono::seconds(granted);
        contacts.emplace(uri, binding);
    }
    Told told;
    for (const std::string& value : response.values("Contact")) {
        const uint32_t left = text::to_u32(parameter(value, "expires").value_or("")).value_or(0);
        told.emplace(uri_of(value), now + std::chrono::seconds(left));
    }
    compare_list(user, told, "the 200 to a REGISTER");
}

void BindingOracle::compare_list(const std::string& user, const Told& told,
                                 const std::string& where) {
    const Instant now = queue_.now().monotonic;
    const Contacts& contacts = users_[user];
    for (const auto& [uri, expires] : told) {
        const auto [begin, end] = contacts.equal_range(uri);
        const auto is_same = [&expires = expires](const auto& known) {
            return std::chrono::abs(known.second.expires - expires) <= kTolerance;
        };
        if (begin == end) {
            report_.broken("registrar",
                           where + " shows " + uri + " of " + user + ", which is not bound");
        } else if (std::none_of(begin, end, is_same)) {
            report_.broken("registrar", where + " shows a wrong expiry of " + uri + " of " + user);
        }
    }
    for (const auto& [uri, known] : contacts) {
        if (known.expires < now + kTolerance || told.contains(uri)) continue;
        report_.broken("registrar", where + " lacks " + uri + " of " + user);
    }
}

std::vector<KnownBinding> BindingOracle::bindings_of(const std::string& user) const {
    std::vector<KnownBinding> live;
    const auto found = users_.find(user);
    if (found == users_.end()) return live;
    for (const auto& [uri, known] : found->second) {
        if (known.expires > queue_.now().monotonic + kTolerance) live.push_back(known);
    }
    return live;
}

std::optional<double> BindingOracle::q_of(const std::string& user, const Endpoint& remote) const {
    const auto found = users_.find(user);
    if (found == users_.end()) return std::nullopt;
    for (const auto& [uri, known] : found->second) {
        if (known.flow.remote == remote) return std::stod(known.q);
    }
    return std::nullopt;
}

bool BindingOracle::is_shown_by(const std::string& user, const Endpoint& remote) const {
    const auto found = ever_shown_.find(user);
    return found != ever_shown_.end() &&
           std::find(found->second.begin(), found->second.end(), remote) != found->second.end();
}

void BindingOracle::compare(const std::vector<ports::BindingsEvent>& registrations) {
    std::map<std::string, Told> told;
    for (const auto& [user, contacts] : users_) told[user];
    for (const ports::BindingsEvent& event : registrations) {
        for (const ports::BindingRecord& binding : event.bindings) {
            told[event.aor].emplace(binding.contact, queue_.wall_to_monotonic(binding.expires));
        }
    }
    for (const auto& [user, list] : told) compare_list(user, list, "the list of registrations");
}

}  // namespace signalbox::sim
