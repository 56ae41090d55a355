// Looks up A and AAAA records on the reactor's descriptors: bounded in number and time, so that a
// dead resolver delays nobody. Implements: RFC 3263 §4.2 (A and AAAA)
#include "io/dns_resolver.h"

#include <ares.h>
#include <netdb.h>

#include <algorithm>

#include "io/socket_address.h"

namespace signalbox::io {

/// A name in flight. It lives until c-ares has called back, even when its askers were answered
/// before.
struct DnsResolver::Lookup {
    DnsResolver* resolver;
    std::string host;
    std::vector<uint64_t> ids;  // empty: answered already
    Instant deadline;
    bool is_over = false;
};

/// A socket of c-ares on the reactor. c-ares closes it; a wait that ends later finds is_gone.
struct DnsResolver::Watch {
    Watch(asio::io_context& context, int fd) : descriptor(context, fd) {}
    ~Watch() { descriptor.release(); }
    Descriptor descriptor;
    bool is_gone = false;
    bool wants_read = false;
    bool wants_write = false;
    bool is_reading = false;
    bool is_writing = false;
};

namespace {

constexpr size_t kHostMax = 253;  // RFC 1035 §2.3.4, as text
constexpr int kTryTimeoutMs = 1000;
constexpr int kTries = 3;
constexpr Duration kTick = std::chrono::milliseconds(100);  // how often c-ares may send again

std::vector<IpAddress> addresses_of(const ares_addrinfo& result, Duration& ttl) {
    std::vector<IpAddress> addresses;
    for (const ares_addrinfo_node* node = result.nodes; node != nullptr; node = node->ai_next) {
        SocketAddress address{};
        if (node->ai_addrlen > sizeof(address)) continue;
        std::copy_n(reinterpret_cast<const char*>(node->ai_addr), node->ai_addrlen,
                    reinterpret_cast<char*>(&address));
        const IpAddress found = from_socket_address(address).address;
        if (found.family == Family::None) continue;
        if (std::find(addresses.begin(), addresses.end(), found) != addresses.end()) continue;
        addresses.push_back(found);
        ttl = std::min<Duration>(ttl, std::chrono::seconds(std::max(0, node->ai_ttl)));
    }
    return addresses;
}

}  // namespace

DnsResolver::DnsResolver(asio::io_context& context, const DnsSettings& settings, Counters& counters,
                         void (*wake)(void*), void* wake_argument)
    : context_(context),
      settings_(settings),
      counters_(counters),
      wake_(wake),
      wake_argument_(wake_argument) {
    ares_options options{};
    options.timeout = kTryTimeoutMs;
    options.tries = kTries;
    options.sock_state_cb = &DnsResolver::socket_changed;
    options.sock_state_cb_data = this;
    if (ares_init_options(&channel_, &options,
                          ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_SOCK_STATE_CB) !=
        ARES_SUCCESS) {
        channel_ = nullptr;
        return;
    }
    if (!settings_.servers.empty()) {
        ares_set_servers_ports_csv(channel_, settings_.servers.c_str());
    }
}

DnsResolver::~DnsResolver() {
    if (channel_ != nullptr) ares_destroy(channel_);
}

void DnsResolver::resolve(Instant now, uint64_t id, const std::string& host) {
    now_ = now;
    counters_.add(Counter::dns_lookups_total);
    const auto cached = cache_.find(host);
    if (cached != cache_.end() && cached->second.expires > now) {
        if (cached->second.addresses.empty()) counters_.add(Counter::dns_failures_total);
        answers_.push_back({id, cached->second.addresses});
        return;
    }
    for (const auto& lookup : lookups_) {
        if (!lookup->ids.empty() && lookup->host == host) return lookup->ids.push_back(id);
    }
    // Lookups that c-ares still holds count too: a resolver that never answers must not gather
    // them.
    const bool is_name = !host.empty() && host.size() <= kHostMax;
    if (!is_name || channel_ == nullptr || lookups_.size() >= settings_.queries_max) {
        counters_.add(Counter::dns_failures_total);
        answers_.push_back({id, {}});
        return;
    }
    lookups_.push_back(
        std::make_unique<Lookup>(Lookup{this, host, {id}, now + settings_.budget, false}));
    ares_addrinfo_hints hints{};
    hints.ai_family = AF_UNSPEC;
    hints.ai_socktype = SOCK_STREAM;  // one node an address
    ares_getaddrinfo(channel_, host.c_str(), nullptr, &hints, &DnsResolver::answered,
                     lookups_.back().get());
    std::erase_if(lookups_, [](const auto& lookup) { return lookup->is_over; });
}

void DnsResolver::answered(void* argument, int status, int, ares_addrinfo* result) {
    Lookup& lookup = *static_cast<Lookup*>(argument);
    DnsResolver& resolver = *lookup.resolver;
    Duration ttl = resolver.settings_.ttl_max;
    std::vector<IpAddress> addresses;
    if (status == ARES_SUCCESS && result != nullptr) addresses = addresses_of(*result, ttl);
    if (result != nullptr) ares_freeaddrinfo(result);
    lookup.is_over = true;
    if (status == ARES_EDESTRUCTION) return;
    ttl = addresses.empty() ? resolver.settings_.ttl_negative
                            : std::max(ttl, resolver.settings_.ttl_min);
    resolver.remember(lookup.host, addresses, ttl);
    resolver.finish(lookup, addresses);
}

void DnsResolver::finish(Lookup& lookup, const std::vector<IpAddress>& addresses) {
    if (addresses.empty()) counters_.add(Counter::dns_failures_total, lookup.ids.size());
    for (const uint64_t id : lookup.ids) answers_.push_back({id, addresses});
    lookup.ids.clear();
}

void DnsResolver::remember(const std::string& host, const std::vector<IpAddress>& addresses,
                           Duration ttl) {
    if (cache_.size() >= settings_.cache_max) {
        boost::unordered::erase_if(
            cache_, [this](const auto& entry) { return entry.second.expires <= now_; });
        if (cache_.size() >= settings_.cache_max) cache_.clear();
    }
    cache_[host] = {addresses, now_ + ttl};
}

void DnsResolver::on_time(Instant now) {
    now_ = now;
    if (lookups_.empty()) return;
    ares_process_fd(channel_, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
    for (const auto& lookup : lookups_) {
        if (!lookup->is_over && lookup->deadline <= now && !lookup->ids.empty()) {
            remember(lookup->host, {}, settings_.ttl_negative);
            finish(*lookup, {});
        }
    }
    std::erase_if(lookups_, [](const auto& lookup) { return lookup->is_over; });
}

Instant DnsResolver::next_deadline() const {
    return lookups_.empty() ? kNever : now_ + kTick;
}

void DnsResolver::socket_changed(void* argument, int fd, int readable, int writable) {
    DnsResolver& resolver = *static_cast<DnsResolver*>(argument);
    auto& watches = resolver.watches_;
    auto found = std::find_if(watches.begin(), watches.end(), [fd](const auto& watch) {
        return watch->descriptor.native_handle() == fd;
    });
    if (readable == 0 && writable == 0) {
        if (found == watches.end()) return;
        (*found)->is_gone = true;
        (*found)->descriptor.release();
        watches.erase(found);
        return;
    }
    if (found == watches.end()) {
        watches.push_back(std::make_shared<Watch>(resolver.context_, fd));
        found = watches.end() - 1;
    }
    const std::shared_ptr<Watch> watch = *found;
    watch->wants_read = readable != 0;
    watch->wants_write = writable != 0;
    if (watch->wants_read && !watch->is_reading) resolver.await(watch, false);
    if (watch->wants_write && !watch->is_writing) resolver.await(watch, true);
}

void DnsResolver::await(const std::shared_ptr<Watch>& watch, bool is_write) {
    (is_write ? watch->is_writing : watch->is_reading) = true;
    const auto ready = [this, watch, is_write](const boost::system::error_code& error) {
        (is_write ? watch->is_writing : watch->is_reading) = false;
        if (error || watch->is_gone) return;
        const ares_socket_t fd = watch->descriptor.native_handle();
        now_ = read_clocks().monotonic;
        ares_process_fd(channel_, is_write ? ARES_SOCKET_BAD : fd, is_write ? fd : ARES_SOCKET_BAD);
        std::erase_if(lookups_, [](const auto& lookup) { return lookup->is_over; });
        const bool wants = is_write ? watch->wants_write : watch->wants_read;
        const bool is_waiting = is_write ? watch->is_writing : watch->is_reading;
        if (!watch->is_gone && wants && !is_waiting) await(watch, is_write);
        if (!answers_.empty()) wake_(wake_argument_);
    };
    watch->descriptor.async_wait(
        is_write ? descriptor_base::wait_write : descriptor_base::wait_read, ready);
}

}  // namespace signalbox::io
