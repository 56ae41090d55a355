// The order in which services and their servers are tried. Implements: RFC 2782; RFC 3263 §4.1,
// §4.2; RFC 3403 §4.1
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "base/random.h"
#include "resolver/dns_records.h"
#include "transport/flow.h"

namespace signalbox::resolver {

/// The transports by which requests may leave: those at which we listen.
class TransportSet final {
 public:
    void add(transport::Transport transport) { bits_ |= bit(transport); }
    bool has(transport::Transport transport) const { return (bits_ & bit(transport)) != 0; }

 private:
    static uint32_t bit(transport::Transport transport) {
        return uint32_t{1} << static_cast<uint32_t>(transport);
    }
    uint32_t bits_ = 0;
};

/// How SIP over one transport is called in DNS. Views: constants.
struct Service {
    std::string_view naptr;  // "SIP+D2U"
    std::string_view srv;    // "_sip._udp."
    transport::Transport transport = transport::Transport::Udp;
    bool is_secure = false;  // the only ones for a sips URI (RFC 3263 §4.1)
};

/// Those of our transports, in the order of preference that holds where DNS names none.
std::span<const Service> services();

/// The same records in the order in which they are tried: by priority, within one by RFC 2782's
/// weighted draw from `random`. The same set and the same draws give the same order, however the
/// answer was rotated.
std::vector<SrvRecord> in_order_of_trial(std::vector<SrvRecord> records, Random& random);

/// One usable NAPTR record: look up SRV, or with flag "a" the addresses, of `replacement`.
struct ServicePointer {
    transport::Transport transport = transport::Transport::Udp;
    bool is_terminal = false;  // flag "a"
    std::string replacement;
};

/// The records that name a service of ours, by order and preference; `is_secure`: only SIPS. Left
/// out: rewriting by regular expression, unknown flags, no replacement.
std::vector<ServicePointer> usable_pointers(std::vector<NaptrRecord> records,
                                            const TransportSet& transports, bool is_secure);

}  // namespace signalbox::resolver
