// Puts questions to DNS on the reactor's descriptors. Implements: RFC 1035; RFC 2782; RFC 3263 §4;
// RFC 3403
#include "io/dns_resolver.h"

#include <ares.h>
#include <netdb.h>

#include <algorithm>

#include "io/dns_message.h"
#include "io/socket_address.h"

namespace signalbox::io {

using resolver::Outcome;
using resolver::RecordSet;
using resolver::RecordType;

/// A question in flight. It lives until c-ares has called back, even when it was answered before.
struct DnsResolver::Query {
    DnsResolver* resolver;
    uint64_t id;
    resolver::Question question;
    Instant deadline;
    bool is_answered = false;
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

constexpr size_t kNameMax = 253;  // RFC 1035 §2.3.4, as text
constexpr int kTryTimeoutMs = 500;
constexpr int kTries = 3;
constexpr int kClassIn = 1, kTypeSrv = 33, kTypeNaptr = 35;
constexpr Duration kTick = std::chrono::milliseconds(100);  // how often c-ares may send again
constexpr Duration kNegativeDefault = std::chrono::seconds(10);

/// None for what DNS says does not exist, Failed for all that says nothing.
Outcome outcome_of(int status) {
    switch (status) {
        case ARES_SUCCESS:
            return Outcome::Found;
        case ARES_ENODATA:
        case ARES_ENOTFOUND:
        case ARES_EBADNAME:
            return Outcome::None;
        default:
            return Outcome::Failed;
    }
}

int family_to_ask(Family only) {
    switch (only) {
        case Family::V4:
            return AF_INET;
        case Family::V6:
            return AF_INET6;
        case Family::None:
            break;
    }
    return AF_UNSPEC;
}

void add_addresses(const ares_addrinfo& result, RecordSet& records) {
    records.ttl = Duration::max();
    for (const ares_addrinfo_node* node = result.nodes; node != nullptr; node = node->ai_next) {
        SocketAddress address{};
        if (node->ai_addrlen > sizeof(address)) continue;
        std::copy_n(reinterpret_cast<const char*>(node->ai_addr), node->ai_addrlen,
                    reinterpret_cast<char*>(&address));
        const IpAddress found = from_socket_address(address).address;
        auto& all = records.addresses;
        if (found.family == Family::None || all.size() == RecordSet::kRecordsMax) continue;
        if (std::find(all.begin(), all.end(), found) != all.end()) continue;
        all.push_back(found);
        records.ttl =
            std::min<Duration>(records.ttl, std::chrono::seconds(std::max(0, node->ai_ttl)));
    }
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
    options.ndomains = 0;  // a name of SIP is never completed by the machine's own domains
    options.sock_state_cb = &DnsResolver::socket_changed;
    options.sock_state_cb_data = this;
    if (ares_init_options(&channel_, &options,
                          ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_DOMAINS |
                              ARES_OPT_SOCK_STATE_CB) != ARES_SUCCESS) {
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

void DnsResolver::resolve(Instant now, uint64_t id, const resolver::Question& question) {
    now_ = now;
    const bool is_name = !question.name.empty() && question.name.size() <= kNameMax;
    // Questions that c-ares still holds count too: a resolver that never answers must not gather
    // them.
    if (!is_name || channel_ == nullptr || queries_.size() >= settings_.queries_max)
        return fail(id);
    queries_.push_back(
        std::make_unique<Query>(Query{this, id, question, now + settings_.budget, false, false}));
    start(*queries_.back());
    forget_finished();
}

void DnsResolver::start(Query& query) {
    const char* const name = query.question.name.c_str();
    if (query.question.type != RecordType::Address) {
        const int type = query.question.type == RecordType::Srv ? kTypeSrv : kTypeNaptr;
        ares_query(channel_, name, kClassIn, type, &DnsResolver::message_came, &query);
        return;
    }
    ares_addrinfo_hints hints{};
    hints.ai_family = family_to_ask(settings_.only_family);
    hints.ai_socktype = SOCK_STREAM;  // one node an address
    ares_getaddrinfo(channel_, name, nullptr, &hints, &DnsResolver::addresses_came, &query);
}

void DnsResolver::addresses_came(void* argument, int status, int, ares_addrinfo* result) {
    Query& query = *static_cast<Query*>(argument);
    RecordSet records;
    records.outcome = outcome_of(status);
    if (status == ARES_SUCCESS && result != nullptr) add_addresses(*result, records);
    if (result != nullptr) ares_freeaddrinfo(result);
    if (records.outcome != Outcome::Failed && records.addresses.empty()) {
        records.outcome = Outcome::None;
        records.ttl = kNegativeDefault;
    }
    query.is_over = true;
    if (status != ARES_EDESTRUCTION) query.resolver->finish(query, std::move(records));
}

void DnsResolver::message_came(void* argument, int status, int, unsigned char* message, int size) {
    Query& query = *static_cast<Query*>(argument);
    query.is_over = true;
    if (status == ARES_EDESTRUCTION) return;
    RecordSet records;
    records.outcome = outcome_of(status);
    if (records.outcome != Outcome::Failed && message != nullptr && size > 0) {
        const std::string_view bytes(reinterpret_cast<const char*>(message),
                                     static_cast<size_t>(size));
        auto read = read_dns_answer(bytes, query.question.type);
        if (!read) query.resolver->counters_.add(Counter::dns_malformed_answers_total);
        records = read ? std::move(*read) : RecordSet{};
    } else if (records.outcome != Outcome::Failed) {
        records.outcome = Outcome::None;
        records.ttl = kNegativeDefault;
    }
    query.resolver->finish(query, std::move(records));
}

void DnsResolver::finish(Query& query, RecordSet records) {
    if (query.is_answered) return;
    query.is_answered = true;
    if (records.outcome == Outcome::Failed) counters_.add(Counter::dns_server_failures_total);
    answers_.push_back({query.id, std::move(records)});
}

void DnsResolver::fail(uint64_t id) {
    counters_.add(Counter::dns_server_failures_total);
    answers_.push_back({id, {}});
}

void DnsResolver::forget_finished() {
    std::erase_if(queries_, [](const auto& query) { return query->is_over; });
}

void DnsResolver::on_time(Instant now) {
    now_ = now;
    if (queries_.empty()) return;
    ares_process_fd(channel_, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
    for (const auto& query : queries_) {
        if (!query->is_over && query->deadline <= now) finish(*query, {});
    }
    forget_finished();
}

Instant DnsResolver::next_deadline() const {
    return queries_.empty() ? kNever : now_ + kTick;
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
        forget_finished();
        const bool wants = is_write ? watch->wants_write : watch->wants_read;
        const bool is_waiting = is_write ? watch->is_writing : watch->is_reading;
        if (!watch->is_gone && wants && !is_waiting) await(watch, is_write);
        if (!answers_.empty()) wake_(wake_argument_);
    };
    watch->descriptor.async_wait(
        is_write ? descriptor_base::wait_write : descriptor_base::wait_read, ready);
}

}  // namespace signalbox::io
