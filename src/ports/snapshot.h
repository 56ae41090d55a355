// The configuration as one immutable value: every call keeps the one with which it began.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/ip_endpoint.h"
#include "base/time.h"
#include "resolver/resolver_settings.h"
#include "sip/uri.h"
#include "transaction/sip_timers.h"
#include "transport/listener.h"

namespace signalbox::ports {

using TenantId = uint32_t;
inline constexpr TenantId kNoTenant = 0;
inline constexpr TenantId kDefaultTenant = 1;

enum class ProxyMode : uint8_t { Stateful, Stateless, Redirect };
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
    /// How often a phone behind a NAT is asked for a sign of life; nothing: never.
    Duration nat_keep_alive = std::chrono::seconds(20);
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
    bool recurse = false;  // the Contacts of a 3xx are tried here
    /// With another next hop left: how long one may be silent before the next is tried.
    Duration failover_wait = std::chrono::seconds(4);
    /// All next hops of one branch together, without any response.
    Duration failover_max = std::chrono::seconds(32);
    /// A request larger than this, in octets, goes by TCP where it can (RFC 3261 §18.1.1).
    uint32_t datagram_max = 1300;
    /// How long that connection may take before the request goes by UDP after all.
    Duration large_connect_max = std::chrono::milliseconds(500);
};

/// How the targets of one request become groups that are tried one after the other.
enum class ForkOrder : uint8_t {
    ByQ,         // targets of equal q together, the best q first
    Parallel,    // all together
    Sequential,  // each alone, the best q first
};

struct ForkingSettings {
    ForkOrder order = ForkOrder::ByQ;
    Duration ring_time = std::chrono::seconds(20);  // of all groups but the last; 0: no limit
    Duration delay{};          // from a group's beginning to the next one's; 0: when it has ended
    bool keep_ringing = true;  // while the next group, begun after `delay`, rings
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
    Duration stream_idle_timeout = std::chrono::minutes(125);  // longer than any registration
    Duration stream_dead_timeout = std::chrono::seconds(30);   // for the peer's acknowledgement
    uint32_t connections_max = 100'000;
    uint32_t connections_per_source = 1000;  // accepted from one address that is not trusted
    Duration handshake_timeout = std::chrono::seconds(10);      // TLS and WebSocket together
    Duration first_message_timeout = std::chrono::seconds(30);  // for the first valid SIP message
    Duration message_timeout = std::chrono::seconds(30);        // from its first octet on a stream
};

/// When new work is refused, so that what is in progress goes on (overload/).
struct OverloadSettings {
    bool is_enabled =
        true;  // by the queue's delay; tables that are nearly full refuse all the same
    /// How long messages may wait before they are handled, as a lasting mean.
    Duration delay_target = std::chrono::milliseconds(30);
    uint32_t retry_after_s = 5;  // in a refusal at least; at most twice as long
};

/// A peer, as a rule over the path by which he is reached: every part that is given must be right.
struct PeerMatch {
    std::optional<Network> network;                 // his address lies in it
    std::optional<Endpoint> listener;               // the path ends at the listener bound here
    std::optional<transport::Transport> transport;  // the path is of this transport
    std::string identity;  // his certificate was verified for this domain; empty: any

    PeerMatch() = default;
    /// A network alone is the common rule, so that it may stand for one.
    PeerMatch(const Network& given) : network(given) {}

    /// Without any part: it says nothing about a peer.
    bool is_empty() const { return !network && !listener && !transport && identity.empty(); }
    /// Of a path by which something came, or by which it will leave.
    /// One without any part matches every path.
    bool matches(const transport::Flow& flow, std::span<const transport::Listener> listeners) const;
};

/// What the server is for some of the requests: all that is given must be right.
struct ModeRule {
    PeerMatch from;                    // who sends
    std::string domain;                // the host of the Request-URI; empty: any
    std::vector<std::string> methods;  // none: any. INVITE means the ACK and CANCEL of one too
    ProxyMode mode = ProxyMode::Stateful;

    /// Without any part: no rule behind it is ever asked.
    bool takes_all() const { return from.is_empty() && domain.empty() && methods.empty(); }
};

/// Made by config/, shared by pointer, never changed. The main thread frees it when no shard uses
/// it any more.
struct Snapshot {
    uint64_t version = 1;
    std::vector<std::string> domains;      // lower case; all of the default tenant
    std::vector<IpAddress> own_addresses;  // of the machine, for wildcard listeners
    std::vector<transport::Listener> listeners;
    std::vector<PeerMatch> trusted;  // whom we trust (RFC 3325 §2.3); one without any part: nobody
    std::vector<ModeRule> modes;     // the first that matches decides; none: proxy.mode
    RegistrarSettings registrar;
    AuthSettings auth;
    ProxySettings proxy;
    ForkingSettings forking;
    resolver::ResolverSettings resolver;
    transaction::SipTimers timers;  // resolved
    LimitSettings limits;
    OverloadSettings overload;
    std::string server_name;  // Server header field of our own responses; empty: none

    /// Whether one of `trusted` is at the other end of this path.
    bool is_trusted(const transport::Flow& flow) const;

    /// What the server is for a request that came by this path: a stateful or stateless proxy, or a
    /// redirect server. The same for a request, its retransmissions, its CANCEL and the ACK to its
    /// failure (RFC 3261 §16, §16.11, §8.3).
    ProxyMode mode_for(const transport::Flow& from, std::string_view method,
                       std::string_view request_uri) const;

    /// The tenant whose space of addresses `uri` lies in: a configured domain, or an address at
    /// which we listen. A port that is written must be one of ours; without one, an address counts
    /// as ours only when we listen at the scheme's default port. kNoTenant: foreign. tel URIs are
    /// the default tenant's.
    TenantId tenant_of(const sip::Uri& uri) const;
    /// The same for an identity (From; To of a REGISTER): a missing port is no reason to call an
    /// address foreign, and a telephone number is no address in a domain of ours, whoever shows it.
    TenantId tenant_of_identity(const sip::Uri& uri) const;
    /// True when host and port name one of our listeners (a Route or Request-URI that means this
    /// server itself).
    bool is_own_address(const sip::Uri& uri) const;
};

}  // namespace signalbox::ports
