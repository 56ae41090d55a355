// The configuration as one immutable value: every call keeps the one with which it began.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/ip_endpoint.h"
#include "base/time.h"
#include "sip/uri.h"
#include "transaction/sip_timers.h"
#include "transport/listener.h"

namespace signalbox::ports {

using TenantId = uint32_t;
inline constexpr TenantId kNoTenant = 0;
inline constexpr TenantId kDefaultTenant = 1;

enum class ProxyMode : uint8_t { Stateful, Stateless };
enum class Inbound : uint8_t { Anyone, Trusted };
/// As in crypto::DigestAlgorithm, in the same order.
enum class AuthAlgorithm : uint8_t { Md5, Sha256, Sha512_256 };

/// RegistrarSettings::service_route: this server itself.
inline constexpr std::string_view kServiceRouteSelf = "self";

struct RegistrarSettings {
    uint32_t expires_default_s = 3600;
    uint32_t expires_min_s = 60;
    uint32_t expires_max_s = 7200;
    uint32_t contacts_max = 10;
    uint32_t expires_spread_percent = 10;  // of a long registration: it may end so much earlier
    std::string service_route;  // of Service-Route: name-addrs, or kServiceRouteSelf; empty: none
};

struct AuthSettings {
    std::vector<AuthAlgorithm> algorithms{AuthAlgorithm::Md5};
    Duration nonce_lifetime = std::chrono::minutes(5);
    std::string realm;
};

struct ProxySettings {
    ProxyMode mode = ProxyMode::Stateful;
    bool record_route = true;
    Inbound inbound = Inbound::Anyone;
};

struct LimitSettings {
    uint32_t auth_failures_max = 20;  // wrong credentials of one source address within ...
    Duration auth_failures_window =
        std::chrono::minutes(1);  // ... this time: then it stays unanswered for ...
    Duration auth_block_time = std::chrono::minutes(5);  // ... this
    uint32_t transactions_max = 2'000'000;               // of all shards, each side
    uint32_t calls_max = 1'000'000;                      // of all shards, tracked for the record
    Duration call_max = std::chrono::hours(24);  // an answered call without a BYE is taken as ended
    Duration port_timeout =
        std::chrono::seconds(5);  // an answer that another shard, the store or DNS owes
    Duration connect_timeout = std::chrono::seconds(5);
    Duration stream_idle_timeout = std::chrono::minutes(65);  // longer than a default registration
    uint32_t connections_max = 100'000;
    uint32_t connections_per_source = 1000;  // accepted from one address that is not trusted
    Duration handshake_timeout = std::chrono::seconds(10);      // TLS and WebSocket together
    Duration first_message_timeout = std::chrono::seconds(30);  // for the first valid SIP message
    Duration message_timeout = std::chrono::seconds(30);        // from its first octet on a stream
};

/// Made by config/, shared by pointer, never changed. The main thread frees it when no shard uses
/// it any more.
struct Snapshot {
    uint64_t version = 1;
    std::vector<std::string> domains;      // lower case; all of the default tenant
    std::vector<IpAddress> own_addresses;  // of the machine, for wildcard listeners
    std::vector<transport::Listener> listeners;
    std::vector<Network> trusted;
    RegistrarSettings registrar;
    AuthSettings auth;
    ProxySettings proxy;
    transaction::SipTimers timers;  // resolved
    LimitSettings limits;
    std::string server_name;  // Server header field of our own responses; empty: none

    bool is_trusted(const IpAddress& source) const;

    /// The tenant whose space of addresses `uri` lies in: a configured domain, or an address at
    /// which we listen. A port that is written must be one of ours; without one, an address counts
    /// as ours only when we listen at the scheme's default port. kNoTenant: foreign. tel URIs are
    /// the default tenant's.
    TenantId tenant_of(const sip::Uri& uri) const;
    /// The same for an identity (From; To of a REGISTER): a missing port is no reason to call an
    /// address foreign.
    TenantId tenant_of_identity(const sip::Uri& uri) const;
    /// True when host and port name one of our listeners (a Route or Request-URI that means this
    /// server itself).
    bool is_own_address(const sip::Uri& uri) const;
};

}  // namespace signalbox::ports
