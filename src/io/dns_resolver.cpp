// Puts questions to DNS on the reactor's descriptors. Implements: RFC 1035; RFC 2782; RFC 3263 §4;
// RFC 3403; RFC 8305 §3
#include "io/dns_resolver.h"

#include <ares.h>
#include <netdb.h>

#include <algorithm>
#include <array>

#include "io/dns_message.h"
#include "io/socket_address.h"

namespace signalbox::io {

using resolver::Outcome;
using resolver::RecordSet;
using resolver::RecordType;

/// The question for the addresses of one family.
struct DnsResolver::AddressQuery {
    Query* query = nullptr;
    bool is_asked = false;
    bool is_over = false;
    RecordSet records;
};

/// A question in flight. It lives until c-ares has called back for all of it, even when it was
/// answered before.
struct DnsResolver::Query {
    Query(DnsResolver* owner, uint64_t number, const resolver::Question& asked, Instant end)
        : resolver(owner), id(number), question(asked), deadline(end) {}

    DnsResolver* resolver;
    uint64_t id;
    resolver::Question question;
    Instant deadline;
    std::array<AddressQuery, 2> families{};  // of a question for addresses: A and AAAA
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
/// How long the addresses of one family wait for those of the other. RFC 8305 §3 gives AAAA 50 ms
/// behind A; a call is worth twice that either way, because what is missed is missed for a while.
constexpr Duration kResolutionDelay = std::chrono::milliseconds(100);
/// How long an answer without the silent family is good: then that one is asked for again.
constexpr Duration kSilentFamilyTtl = std::chrono::seconds(30);

/// How long a name of /etc/hosts is good: then the file is read again.
constexpr Duration kHostsFileTtl = std::chrono::seconds(10);

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

/// Adds what /etc/hosts says of a name. ares_getaddrinfo() would look there too, and with some
/// releases of c-ares leaves a copy of the name behind each time.
void add_from_hosts_file(ares_channel channel, const std::string& name, int family,
                         RecordSet& records) {
    hostent* found = nullptr;
    if (ares_gethostbyname_file(channel, name.c_str(), family, &found) != ARES_SUCCESS) return;
    for (char** each = found->h_addr_list; *each != nullptr; ++each) {
        if (records.addresses.size() == RecordSet::kRecordsMax) break;
        IpAddress address;
        address.family = family == AF_INET ? Family::V4 : Family::V6;
        std::copy_n(*each, found->h_length, reinterpret_cast<char*>(address.octets.data()));
        records.addresses.push_back(address);
    }
    ares_free_hostent(found);
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
    std::array<char, 2> dns_only = {'b', 0};  // add_from_hosts_file() has been asked before
    options.lookups = dns_only.data();
    options.sock_state_cb = &DnsResolver::socket_changed;
    options.sock_state_cb_data = this;
    if (ares_init_options(&channel_, &options,
                          ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_DOMAINS |
                              ARES_OPT_LOOKUPS | ARES_OPT_SOCK_STATE_CB) != ARES_SUCCESS) {
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
    queries_.push_back(std::make_unique<Query>(this, id, question, now + settings_.budget));
    start(*queries_.back());
    forget_finished();
}

void DnsResolver::start(Query& query) {
    if (query.question.type == RecordType::Address) return ask_addresses(query);
    const int type = query.question.type == RecordType::Srv ? kTypeSrv : kTypeNaptr;
    ares_query(channel_, query.question.name.c_str(), kClassIn, type, &DnsResolver::message_came,
               &query);
}

void DnsResolver::ask_addresses(Query& query) {
    AddressQuery& a = query.families[0];
    AddressQuery& aaaa = query.families[1];
    a.is_asked = settings_.only_family != Family::V6;
    aaaa.is_asked = settings_.only_family != Family::V4;
    if (answer_from_hosts_file(query)) return;
    for (AddressQuery* each : {&a, &aaaa}) {
        each->query = &query;
        if (!each->is_asked) continue;
        ares_addrinfo_hints hints{};
        hints.ai_family = each == &a ? AF_INET : AF_INET6;
        hints.ai_socktype = SOCK_STREAM;  // one node an address
        ares_getaddrinfo(channel_, query.question.name.c_str(), nullptr, &hints,
                         &DnsResolver::addresses_came, each);
    }
}

/// True when the name stands there: then DNS has nothing to add.
bool DnsResolver::answer_from_hosts_file(Query& query) {
    RecordSet records;
    if (query.families[0].is_asked)
        add_from_hosts_file(channel_, query.question.name, AF_INET, records);
    if (query.families[1].is_asked)
        add_from_hosts_file(channel_, query.question.name, AF_INET6, records);
    if (records.addresses.empty()) return false;
    records.outcome = Outcome::Found;
    records.ttl = kHostsFileTtl;
    query.is_over = true;
    finish(query, std::move(records));
    return true;
}

void DnsResolver::addresses_came(void* argument, int status, int, ares_addrinfo* result) {
    AddressQuery& family = *static_cast<AddressQuery*>(argument);
    Query& query = *family.query;
    RecordSet& records = family.records;
    records.outcome = outcome_of(status);
    if (status == ARES_SUCCESS && result != nullptr) add_addresses(*result, records);
    if (result != nullptr) ares_freeaddrinfo(result);
    if (records.outcome != Outcome::Failed && records.addresses.empty()) {
        records.outcome = Outcome::None;
        records.ttl = kNegativeDefault;
    }
    family.is_over = true;
    const auto is_waiting = [](const AddressQuery& each) { return each.is_asked && !each.is_over; };
    query.is_over = std::none_of(query.families.begin(), query.families.end(), is_waiting);
    if (status == ARES_EDESTRUCTION) return;
    DnsResolver& resolver = *query.resolver;
    if (query.is_over) return resolver.finish_addresses(query);
    if (records.outcome == Outcome::Found)
        query.deadline = std::min(query.deadline, resolver.now_ + kResolutionDelay);
}

/// Answers with what has come; nothing yet counts as a failure.
void DnsResolver::finish_addresses(Query& query) {
    RecordSet all;
    bool is_any_silent = false;
    bool is_any_failed = false;
    all.ttl = Duration::max();
    for (const AddressQuery& family : query.families) {
        if (!family.is_asked) continue;
        is_any_silent = is_any_silent || !family.is_over;
        is_any_failed = is_any_failed || family.records.outcome == Outcome::Failed;
        if (family.records.outcome == Outcome::Failed) continue;
        const auto& more = family.records.addresses;
        all.addresses.insert(all.addresses.end(), more.begin(), more.end());
        if (family.records.outcome == Outcome::Found)
            all.ttl = std::min(all.ttl, family.records.ttl);
    }
    if (!all.addresses.empty()) {
        all.outcome = Outcome::Found;
        if (is_any_failed) all.ttl = std::min(all.ttl, kSilentFamilyTtl);
        if (is_any_silent && !query.is_answered)
            counters_.add(Counter::dns_questions_overdue_total);
    } else {
        all.outcome = is_any_failed ? Outcome::Failed : Outcome::None;
        all.ttl = is_any_failed ? Duration{} : kNegativeDefault;
    }
    if (all.addresses.size() > RecordSet::kRecordsMax) all.addresses.resize(RecordSet::kRecordsMax);
    finish(query, std::move(all));
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
        if (query->is_over || query->deadline > now) continue;
        if (query->question.type == RecordType::Address) {
            finish_addresses(*query);
        } else {
            finish(*query, {});
        }
    }
    forget_finished();
}

Instant DnsResolver::next_deadline() const {
    if (queries_.empty()) return kNever;
    Instant next = now_ + kTick;
    for (const auto& query : queries_) {
        if (!query->is_answered) next = std::min(next, query->deadline);
    }
    return next;
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
