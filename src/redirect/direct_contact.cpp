// Tells Contacts that anybody can call from those that only this server reaches.
#include "redirect/direct_contact.h"

#include <algorithm>
#include <array>

namespace signalbox::redirect {

namespace {

bool is_private(const IpAddress& address) {
    static constexpr std::array<std::string_view, 7> kPrivate = {
        "10.0.0.0/8",     "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10",
        "169.254.0.0/16", "fc00::/7",      "fe80::/10"};
    return std::any_of(kPrivate.begin(), kPrivate.end(), [&](std::string_view text) {
        const auto network = Network::parse(text);
        return network && network->contains(address);
    });
}

}  // namespace

bool is_direct(const sip::Uri& contact, const IpAddress& seen_at, bool is_sips_asked) {
    if (is_sips_asked && contact.scheme != sip::Scheme::Sips) return false;
    const auto address = IpAddress::parse(contact.host);
    return !address || *address == seen_at || !is_private(*address);
}

}  // namespace signalbox::redirect
