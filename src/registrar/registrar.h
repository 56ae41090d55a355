// What a registrar does with a REGISTER once its sender is known and allowed.
// Implements: RFC 3261 §10.3
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/counters.h"
#include "base/time.h"
#include "location/location.h"
#include "ports/outbox.h"
#include "ports/snapshot.h"
#include "sip/header_values.h"
#include "sip/message_view.h"
#include "transport/flow.h"

namespace signalbox::registrar {

/// Limits of one request; past them it is answered 400.
inline constexpr size_t kRequestContactsMax = 256;
inline constexpr size_t kContactUriBytesMax = 1024;
inline constexpr size_t kParametersBytesMax = 1024;
inline constexpr size_t kCallIdBytesMax = 512;
/// A longer User-Agent is kept up to here.
inline constexpr size_t kUserAgentBytesMax = 128;

/// What the core knows of a REGISTER that it has authenticated and authorised. Views: valid for the
/// call.
struct RegisterContext {
    ports::TenantId tenant = ports::kDefaultTenant;
    std::string_view aor;  // the canonical user part of To
    const ports::Snapshot& snapshot;
    std::string_view to_tag;
    std::string_view top_via = {};  // the stamped top Via for the response; empty: as received
};

/// Single-threaded; one per shard; owned by the core. Keeps nothing but scratch memory: the
/// bindings are the Location's.
class Registrar final {
 public:
    /// Both must outlive it.
    Registrar(location::Location& location, Counters& counters)
        : location_(location), counters_(counters) {}
    Registrar(const Registrar&) = delete;
    Registrar& operator=(const Registrar&) = delete;

    /// Handles `request`, a REGISTER that passed check_message and came by `flow`: changes all
    /// bindings that it names, or none. A change is journalled in `out`. `response` receives the
    /// rendered response; returns its status: 200, 400, 403 (too many contacts), 420, 423, 500 (an
    /// old CSeq) or 503 (no room). RFC 3261 §10.3 steps 2 and 5 to 8.
    int process(Now now, const sip::MessageView& request, const transport::Flow& flow,
                const RegisterContext& context, ports::Outbox& out, std::string& response);

 private:
    /// One Contact of the request, with what it comes to.
    struct Asked {
        sip::NameAddr address;
        std::string_view parameters;  // Views: parameters_text_
        uint32_t expires = 0;         // seconds; 0: remove
        uint16_t q = 1000;
        bool has_q = false;
    };
    /// One binding as it will be if nothing speaks against the request.
    struct Planned {
        location::Binding binding;
        bool is_touched = false;  // named by this request: its Call-ID and CSeq were compared
        bool is_removed = false;
        bool is_new = false;  // not there before this request
    };
    /// Why a request is refused.
    struct Refusal {
        int status = 0;  // 0: it is not
        std::string_view reason = {};
    };
    struct Request;

    Refusal read_contacts(const Request& request);
    /// Reads the first value of `rest` and takes it off.
    Refusal read_contact(const Request& request, std::string_view& rest);
    std::string_view keep_parameters(std::string_view params);
    std::string_view unfolded(std::string_view value);
    Refusal plan(const Request& request);
    Refusal plan_removal_of_all(const Request& request);
    Refusal plan_one(const Request& request, const Asked& asked);
    size_t find_planned(const sip::NameAddr& address) const;
    Refusal apply(const Request& request, ports::Outbox& out);
    int accept(const Request& request, std::string& response);
    int refuse(const Request& request, const Refusal& refusal, std::string& response);
    std::string_view date(WallTime now);

    location::Location& location_;
    Counters& counters_;
    // Scratch of one request; kept for its capacity.
    std::vector<Asked> asked_;
    std::vector<Planned> planned_;
    std::vector<location::Binding> kept_;
    bool has_star_ = false;
    std::string parameters_text_;
    std::string unfolded_text_;
    std::string line_;
    // The Date of the last response: it changes once a second.
    int64_t date_second_ = -1;
    std::string date_text_;
};

}  // namespace signalbox::registrar
