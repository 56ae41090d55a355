// The order in which services and their servers are tried. Implements: RFC 2782; RFC 3263 §4.1,
// §4.2; RFC 3403 §4.1
#include "resolver/service_order.h"

#include <algorithm>
#include <array>

#include "base/text.h"

namespace signalbox::resolver {
namespace {

using transport::Transport;

constexpr size_t kPointersMax = 4;

/// The first is preferred where neither NAPTR nor the URI decides. WebSocket has no service: only
/// its client can open one (RFC 7118 §5).
constexpr std::array kServices{
    Service{"SIP+D2U", "_sip._udp.", Transport::Udp, false},
    Service{"SIP+D2T", "_sip._tcp.", Transport::Tcp, false},
    Service{"SIPS+D2T", "_sips._tcp.", Transport::Tls, true},
};

const Service* find_service(std::string_view naptr) {
    const auto all = services();
    const auto found = std::find_if(all.begin(), all.end(), [naptr](const Service& service) {
        return text::iequals(service.naptr, naptr);
    });
    return found == all.end() ? nullptr : &*found;
}

/// Moves one record to the front of [first, last), by weight; those of weight 0 stand first.
template <class Iterator>
void draw_next(Iterator first, Iterator last, Random& random) {
    uint64_t sum = 0;
    for (Iterator each = first; each != last; ++each) sum += each->weight;
    const uint64_t drawn = random.below(sum + 1);
    uint64_t running = 0;
    Iterator chosen = first;
    for (; chosen != last; ++chosen) {
        running += chosen->weight;
        if (running >= drawn) break;
    }
    std::rotate(first, chosen, chosen + 1);
}

}  // namespace

std::span<const Service> services() {
    return kServices;
}

std::vector<SrvRecord> in_order_of_trial(std::vector<SrvRecord> records, Random& random) {
    std::sort(records.begin(), records.end());
    for (auto first = records.begin(); first != records.end();) {
        const auto end = std::find_if(first, records.end(), [first](const SrvRecord& record) {
            return record.priority != first->priority;
        });
        for (; first != end; ++first) draw_next(first, end, random);
    }
    return records;
}

std::vector<ServicePointer> usable_pointers(std::vector<NaptrRecord> records,
                                            const TransportSet& transports, bool is_secure) {
    std::sort(records.begin(), records.end());
    std::vector<ServicePointer> usable;
    for (NaptrRecord& record : records) {
        const Service* service = find_service(record.service);
        const bool is_address = text::iequals(record.flags, "a");
        const bool is_known = is_address || text::iequals(record.flags, "s");
        if (service == nullptr || !transports.has(service->transport) || !is_known) continue;
        if (is_secure && !service->is_secure) continue;
        if (!record.regexp.empty() || record.replacement.empty()) continue;
        usable.push_back({service->transport, is_address, std::move(record.replacement)});
        if (usable.size() == kPointersMax) break;
    }
    return usable;
}

}  // namespace signalbox::resolver
