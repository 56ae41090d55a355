// Puts questions to DNS on the reactor's descriptors: bounded in number and time, so that a dead
// resolver delays nobody. Implements: RFC 1035; RFC 2782; RFC 3263 §4; RFC 3403; RFC 8305 §3
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/counters.h"
#include "io/reactor.h"
#include "resolver/dns_records.h"

struct ares_channeldata;
struct ares_addrinfo;

namespace signalbox::io {

struct DnsSettings {
    std::string servers;  // "192.0.2.53:53,..." for c-ares; empty: those of /etc/resolv.conf
    Family only_family = Family::None;  // of the addresses that are of use; None: both
    Duration budget = std::chrono::seconds(5);
    uint32_t queries_max = 512;  // in flight; more fail at once
};

/// The answer to the question `id`.
struct DnsAnswer {
    uint64_t id = 0;
    resolver::RecordSet records;
};

/// One per shard; single-threaded. It remembers nothing: the core does. Addresses come from
/// /etc/hosts first, those of IPv4 in front. A and AAAA are asked for at once, and where one has
/// brought addresses the other is waited for shortly (RFC 8305 §3): a server that drops it delays
/// nobody. Such an answer is good for a short time only, so that the silent type is asked for
/// again. Truncated answers are asked for again over TCP, by c-ares.
class DnsResolver final {
 public:
    /// `wake` is called in the reactor's thread when answers stand ready outside a call of
    /// resolve() or on_time().
    DnsResolver(asio::io_context& context, const DnsSettings& settings, Counters& counters,
                void (*wake)(void*), void* wake_argument);
    ~DnsResolver();
    DnsResolver(const DnsResolver&) = delete;
    DnsResolver& operator=(const DnsResolver&) = delete;

    /// The answer comes by answers(), always, and within the budget.
    void resolve(Instant now, uint64_t id, const resolver::Question& question);
    /// Ends questions whose budget is spent, and lets c-ares send again.
    void on_time(Instant now);
    Instant next_deadline() const;
    /// The driver takes them and empties the list.
    std::vector<DnsAnswer>& answers() { return answers_; }

 private:
    struct Query;
    struct AddressQuery;
    struct Watch;
    static void addresses_came(void* argument, int status, int timeouts, ares_addrinfo* result);
    static void message_came(void* argument, int status, int timeouts, unsigned char* message,
                             int size);
    static void socket_changed(void* argument, int fd, int readable, int writable);
    void start(Query& query);
    void ask_addresses(Query& query);
    bool answer_from_hosts_file(Query& query);
    void finish_addresses(Query& query);
    void finish(Query& query, resolver::RecordSet records);
    void fail(uint64_t id);
    void await(const std::shared_ptr<Watch>& watch, bool is_write);
    void forget_finished();

    asio::io_context& context_;
    DnsSettings settings_;
    Counters& counters_;
    void (*wake_)(void*);
    void* wake_argument_;
    ares_channeldata* channel_ = nullptr;  // null: c-ares could not start; every question fails
    std::vector<std::unique_ptr<Query>> queries_;
    std::vector<std::shared_ptr<Watch>> watches_;
    std::vector<DnsAnswer> answers_;
    Instant now_;
};

}  // namespace signalbox::io
