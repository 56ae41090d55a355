// What is ours, whom we trust, and what we are for whom, as the configuration says.
// Implements: RFC 3261 §16.3, §16.4, §16.5
#include "ports/snapshot.h"

#include <algorithm>
#include <optional>

namespace signalbox::ports {

namespace {

/// Whether the listener receives what is sent to `address`: its own address, or, on a wildcard, any
/// of the machine's in that family and loopback.
bool serves_address(const Snapshot& snapshot, const transport::Listener& listener,
                    const IpAddress& address) {
    const IpAddress& bound = listener.bound.address;
    if (!bound.is_unspecified()) return bound == address;
    if (bound.family != address.family) return false;
    if (address.is_loopback()) return true;
    return std::find(snapshot.own_addresses.begin(), snapshot.own_addresses.end(), address) !=
           snapshot.own_addresses.end();
}

uint16_t advertised_port(const transport::Listener& listener) {
    return listener.advertise_port == 0 ? listener.bound.port : listener.advertise_port;
}

bool is_domain(const Snapshot& snapshot, std::string_view host) {
    return std::any_of(
        snapshot.domains.begin(), snapshot.domains.end(),
        [host](const std::string& domain) { return sip::hosts_equal(domain, host); });
}

bool is_listening_port(const Snapshot& snapshot, uint16_t port) {
    return std::any_of(snapshot.listeners.begin(), snapshot.listeners.end(),
                       [port](const transport::Listener& listener) {
                           return listener.bound.port == port || advertised_port(listener) == port;
                       });
}

/// A host as it was written, read as an address once for all listeners, and only when one has its
/// port. Views: the URI.
class Host final {
 public:
    explicit Host(std::string_view name) : name_(name) {}
    std::string_view name() const { return name_; }
    const std::optional<IpAddress>& address() const {
        if (!is_read_) address_ = IpAddress::parse(name_);
        is_read_ = true;
        return address_;
    }

 private:
    std::string_view name_;
    mutable std::optional<IpAddress> address_;
    mutable bool is_read_ = false;
};

/// Whether a listener has this host, as its address or as what it advertises, with `port`; any port
/// when there is none.
bool is_listener(const Snapshot& snapshot, const Host& host, std::optional<uint16_t> port) {
    for (const transport::Listener& listener : snapshot.listeners) {
        if ((!port || listener.bound.port == *port) && host.address() &&
            serves_address(snapshot, listener, *host.address())) {
            return true;
        }
        if (listener.advertise_host && (!port || advertised_port(listener) == *port) &&
            sip::hosts_equal(*listener.advertise_host, host.name())) {
            return true;
        }
    }
    return false;
}

/// Whether the peer of this path has shown a certificate for `domain` (RFC 5922 §7).
bool has_identity(const transport::Flow& flow, std::string_view domain) {
    return flow.domain == transport::PeerDomain::of(domain);
}

/// Domains need no port of their own: without one, the name alone decides.
bool is_our_domain(const Snapshot& snapshot, const sip::Uri& uri) {
    return is_domain(snapshot, uri.host) && (!uri.port || is_listening_port(snapshot, *uri.port));
}

/// Whether the rule is for requests of this method to this host. ACK and CANCEL go the way of their
/// INVITE.
bool is_about(const ModeRule& rule, std::string_view method, std::string_view host) {
    if (!rule.domain.empty() && !sip::hosts_equal(rule.domain, host)) return false;
    if (method == "ACK" || method == "CANCEL") method = "INVITE";
    return rule.methods.empty() ||
           std::find(rule.methods.begin(), rule.methods.end(), method) != rule.methods.end();
}

}  // namespace

bool PeerMatch::matches(const transport::Flow& flow,
                        std::span<const transport::Listener> listeners) const {
    if (network && !network->contains(flow.remote.address)) return false;
    if (transport && *transport != flow.transport) return false;
    if (!identity.empty() && !has_identity(flow, identity)) return false;
    if (!listener) return true;
    return flow.listener < listeners.size() && listeners[flow.listener].bound == *listener;
}

bool Snapshot::is_trusted(const transport::Flow& flow) const {
    return std::any_of(trusted.begin(), trusted.end(), [&](const PeerMatch& peer) {
        return !peer.is_empty() && peer.matches(flow, listeners);
    });
}

ProxyMode Snapshot::mode_for(const transport::Flow& from, std::string_view method,
                             std::string_view request_uri) const {
    if (modes.empty()) return proxy.mode;
    const auto uri = sip::parse_uri(request_uri);
    const std::string_view host = uri ? uri->host : std::string_view{};
    for (const ModeRule& rule : modes) {
        if (rule.from.matches(from, listeners) && is_about(rule, method, host)) return rule.mode;
    }
    return proxy.mode;
}

TenantId Snapshot::tenant_of(const sip::Uri& uri) const {
    if (uri.scheme == sip::Scheme::Tel) return kDefaultTenant;
    return is_own_address(uri) ? kDefaultTenant : kNoTenant;
}

TenantId Snapshot::tenant_of_identity(const sip::Uri& uri) const {
    if (!uri.is_sip()) return kNoTenant;
    // Whoever writes a port of his own behind our domain still claims to be one of our users.
    const bool is_ours = is_domain(*this, uri.host) || is_listener(*this, Host(uri.host), uri.port);
    return is_ours ? kDefaultTenant : kNoTenant;
}

bool Snapshot::is_own_address(const sip::Uri& uri) const {
    if (!uri.is_sip()) return false;
    if (is_our_domain(*this, uri)) return true;
    const Host host(uri.host);
    if (is_listener(*this, host, uri.port_or_default())) return true;
    if (uri.port) return false;
    // Without a port, that of the transport that it asks for is meant (RFC 3261 §19.1.2).
    const auto transport =
        transport::transport_of_uri(uri.param("transport"), uri.scheme == sip::Scheme::Sips);
    return transport && is_listener(*this, host, transport::default_port(*transport));
}

}  // namespace signalbox::ports
