// What a registrar does with a REGISTER once its sender is known and allowed.
// Implements: RFC 3261 §10.3; RFC 3327 §5.3; RFC 5626 §6; RFC 5627 §5; RFC 3608 §6.3
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/counters.h"
#include "base/random.h"
#include "base/time.h"
#include "crypto/token.h"
#include "location/location.h"
#include "ports/outbox.h"
#include "ports/snapshot.h"
#include "registrar/registration_plan.h"
#include "sip/header_values.h"
#include "sip/message_view.h"
#include "sip/response_builder.h"
#include "transport/flow.h"

namespace signalbox::registrar {

/// The extensions that a REGISTER may require of us.
inline constexpr std::array<std::string_view, 3> kOptionTags = {"path", "outbound", "gruu"};

/// Limits of one request; past them it is answered 400.
inline constexpr size_t kRequestContactsMax = 256;
inline constexpr size_t kContactUriBytesMax = 1024;
inline constexpr size_t kParametersBytesMax = 1024;
inline constexpr size_t kCallIdBytesMax = 512;
inline constexpr size_t kPathBytesMax = 2048;
/// What a malformed expiration means in seconds, and the bound above which none may be refused as
/// too short (RFC 3261 §10.2.1.1, §10.3 step 7).
inline constexpr uint32_t kExpiresMalformedS = 3600;
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
    /// All must outlive it.
    struct Services {
        location::Location& location;
        Counters& counters;
        Random& random;
        const crypto::TokenKeys& keys;
        uint16_t node = 0;
    };
    explicit Registrar(const Services& services)
        : location_(services.location),
          counters_(services.counters),
          random_(services.random),
          keys_(services.keys),
          node_(services.node) {}
    Registrar(const Registrar&) = delete;
    Registrar& operator=(const Registrar&) = delete;

    /// Handles `request`, a REGISTER that passed check_message and came by `flow`: changes all
    /// bindings that it names, or none. A change is journalled in `out`. `response` receives the
    /// rendered response; returns its status: 200, 400, 403 (too many contacts, or an instance
    /// whose Contact is no SIP URI or the address of record itself), 420, 423, 439 (a first hop
    /// that keeps no flows), 500 (an old CSeq) or 503 (no room). RFC 3261 §10.3 steps 2 and 5 to 8;
    /// RFC 3327 §5.3; RFC 5626 §6.
    int process(Now now, const sip::MessageView& request, const transport::Flow& flow,
                const RegisterContext& context, ports::Outbox& out, std::string& response);

    /// The flows over which the phone of the last REGISTER was registered before it, where a NAT
    /// stands between and it came by another one now (RFC 5626 §5.3). Empty after a refusal.
    std::span<const transport::Flow> left_flows() const { return left_flows_; }

 private:
    /// Why a request is refused.
    struct Refusal {
        int status = 0;  // 0: it is not
        std::string_view reason = {};
    };
    struct Request;

    Refusal read_contacts(const Request& request);
    /// Reads the first value of `rest` and takes it off.
    Refusal read_contact(const Request& request, std::string_view& rest);
    bool is_own_address_of_record(const Request& request, const sip::Uri& contact) const;
    Refusal refuse_instance(const Request& request, const sip::Uri& contact) const;
    uint32_t granted_expires(const Request& request, uint32_t asked);
    std::string_view keep_parameters(std::string_view params);
    std::string_view unfolded(std::string_view value);
    Refusal read_path(Request& request);
    Refusal apply_outbound(Request& request);
    Refusal plan(const Request& request);
    Refusal plan_removal_of_all(const Request& request);
    Refusal plan_one(const Request& request, size_t asked_index);
    void make_room(const Request& request, const AskedContact& asked);
    void note_move(const Request& request, const AskedContact& asked,
                   const ports::BindingView& before);
    void note_new_connection(const Request& request, const AskedContact& asked);
    Refusal apply(const Request& request, ports::Outbox& out);
    void append_gruus(const Request& request, const ports::BindingView& record);
    void append_contact(const Request& request, const location::Binding& binding, bool with_gruus);
    void add_outbound(const Request& request, sip::ResponseBuilder& builder);
    int accept(const Request& request, std::string& response);
    int refuse(const Request& request, const Refusal& refusal, std::string& response);
    std::string_view date(WallTime now);

    location::Location& location_;
    Counters& counters_;
    Random& random_;
    const crypto::TokenKeys& keys_;
    uint16_t node_;
    // Scratch of one request; kept for its capacity.
    std::vector<AskedContact> asked_;
    std::vector<PlannedBinding> planned_;
    std::vector<location::Binding> kept_;
    std::vector<transport::Flow> left_flows_;
    bool has_star_ = false;
    std::string parameters_text_;
    std::string unfolded_text_;
    std::string path_text_;
    std::string line_;
    // The Date of the last response: it changes once a second.
    int64_t date_second_ = -1;
    std::string date_text_;
};

}  // namespace signalbox::registrar
