// A registrar's model, fed by what the server acknowledged.
#include "sim/binding_oracle.h"

#include <algorithm>

#include "base/text.h"

namespace signalbox::sim {

namespace {

/// Expiry is told in whole seconds and handled in ticks: about such a moment either answer is
/// right.
constexpr Duration kTolerance = std::chrono::milliseconds(1500);

}  // namespace

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
        if (asked && *asked == 0) {
            contacts.erase(uri);
            continue;
        }
        ever_shown_[user].push_back(flow.remote);
        if (const auto shown = endpoint_of(uri)) ever_shown_[user].push_back(*shown);
        uint32_t granted = 0;
        for (const std::string& told : response.values("Contact")) {
            if (uri_of(told) != uri) continue;
            granted = text::to_u32(parameter(told, "expires").value_or("")).value_or(0);
        }
        if (settings) {
            const uint32_t due =
                std::min(asked.value_or(settings->expires_default_s), settings->expires_max_s);
            const uint32_t least = due > 600 ? due - due / 10 : due;
            if (granted > due || granted < least) {
                report_.broken("registrar", "granted " + std::to_string(granted) +
                                                " s instead of " + std::to_string(due) + " s to " +
                                                uri);
            }
        }
        contacts[uri] = KnownBinding{flow, now, now + std::chrono::seconds(granted)};
    }
    std::map<std::string, Instant> told;
    for (const std::string& value : response.values("Contact")) {
        const uint32_t left = text::to_u32(parameter(value, "expires").value_or("")).value_or(0);
        told[uri_of(value)] = now + std::chrono::seconds(left);
    }
    compare_list(user, told, "the 200 to a REGISTER");
}

void BindingOracle::compare_list(const std::string& user,
                                 const std::map<std::string, Instant>& told,
                                 const std::string& where) {
    const Instant now = queue_.now().monotonic;
    const Contacts& contacts = users_[user];
    for (const auto& [uri, expires] : told) {
        const auto found = contacts.find(uri);
        if (found == contacts.end()) {
            report_.broken("registrar",
                           where + " shows " + uri + " of " + user + ", which is not bound");
        } else if (std::chrono::abs(found->second.expires - expires) > kTolerance) {
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

bool BindingOracle::is_shown_by(const std::string& user, const Endpoint& remote) const {
    const auto found = ever_shown_.find(user);
    return found != ever_shown_.end() &&
           std::find(found->second.begin(), found->second.end(), remote) != found->second.end();
}

void BindingOracle::compare(const std::vector<ports::BindingsEvent>& registrations) {
    std::map<std::string, std::map<std::string, Instant>> told;
    for (const auto& [user, contacts] : users_) told[user];
    for (const ports::BindingsEvent& event : registrations) {
        for (const ports::BindingRecord& binding : event.bindings) {
            told[event.aor][binding.contact] = queue_.wall_to_monotonic(binding.expires);
        }
    }
    for (const auto& [user, list] : told) compare_list(user, list, "the list of registrations");
}

}  // namespace signalbox::sim
