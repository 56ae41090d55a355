// Looks up A and AAAA records on the reactor's descriptors: bounded in number and time, so that a
// dead resolver delays nobody. Implements: RFC 3263 §4.2 (A and AAAA)
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <memory>
#include <string>
#include <vector>

#include "base/counters.h"
#include "base/ip_endpoint.h"
#include "base/time.h"
#include "io/reactor.h"

struct ares_channeldata;
struct ares_addrinfo;

namespace signalbox::io {

struct DnsSettings {
    std::string servers;  // "192.0.2.53:53,..." for c-ares; empty: those of /etc/resolv.conf
    Duration budget = std::chrono::seconds(3);
    uint32_t queries_max = 256;  // names in flight; more are answered at once with nothing
    uint32_t cache_max = 4096;   // names
    Duration ttl_min = std::chrono::seconds(1);
    Duration ttl_max = std::chrono::hours(1);
    Duration ttl_negative = std::chrono::seconds(10);
};

/// The answer to the question `id`. No addresses: the name has none, or nobody answered in time.
struct DnsAnswer {
    uint64_t id = 0;
    std::vector<IpAddress> addresses;
};

/// One per shard; single-threaded. Names of /etc/hosts come first. Questions for one name share one
/// lookup.
class DnsResolver final {
 public:
    /// `wake` is called in the reactor's thread when answers stand ready outside a call of
    /// resolve() or on_time().
    DnsResolver(asio::io_context& context, const DnsSettings& settings, Counters& counters,
                void (*wake)(void*), void* wake_argument);
    ~DnsResolver();
    DnsResolver(const DnsResolver&) = delete;
    DnsResolver& operator=(const DnsResolver&) = delete;

    /// The answer comes by answers(): at once when it is known, within the budget in any case.
    void resolve(Instant now, uint64_t id, const std::string& host);
    /// Ends lookups whose budget is spent, and lets c-ares send again.
    void on_time(Instant now);
    Instant next_deadline() const;
    /// The driver takes them and empties the list.
    std::vector<DnsAnswer>& answers() { return answers_; }

 private:
    struct Lookup;
    struct Watch;
    struct Cached {
        std::vector<IpAddress> addresses;
        Instant expires;
    };
    static void answered(void* argument, int status, int timeouts, ares_addrinfo* result);
    static void socket_changed(void* argument, int fd, int readable, int writable);
    void finish(Lookup& lookup, const std::vector<IpAddress>& addresses);
    void remember(const std::string& host, const std::vector<IpAddress>& addresses, Duration ttl);
    void await(const std::shared_ptr<Watch>& watch, bool is_write);

    asio::io_context& context_;
    DnsSettings settings_;
    Counters& counters_;
    void (*wake_)(void*);
    void* wake_argument_;
    ares_channeldata* channel_ =
        nullptr;  // null: c-ares could not start; every question is answered with nothing
    std::vector<std::unique_ptr<Lookup>> lookups_;
    std::vector<std::shared_ptr<Watch>> watches_;
    boost::unordered_flat_map<std::string, Cached> cache_;
    std::vector<DnsAnswer> answers_;
    Instant now_;
};

}  // namespace signalbox::io
