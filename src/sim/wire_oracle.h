// Watches every message that enters and leaves the cores, and holds the server to the rules that
// the RFC sets on the wire. Implements: RFC 3261 §9.1, §16.6, §16.7, §17.1.1.3, §17.2; RFC 6026;
// RFC 4320 (as checks)
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "sim/binding_oracle.h"
#include "sim/oracle_report.h"
#include "sim/record_oracle.h"
#include "sim/server.h"
#include "sim/text_message.h"

namespace signalbox::sim {

/// Rules are checked in the turn that breaks them; those that give the server a little time are
/// checked when it has passed.
class WireOracle final : public TurnWatcher {
 public:
    WireOracle(OracleReport& report, EventQueue& queue, BindingOracle& bindings,
               RecordOracle& records)
        : report_(report), queue_(queue), bindings_(bindings), records_(records) {}

    /// The server must exist for the oracle's life.
    void watch(const Server& server, const Endpoint& address, std::string domain) {
        server_ = &server;
        address_ = address;
        domain_ = std::move(domain);
    }
    /// A source that may be left unanswered: too many wrong passwords.
    void may_be_ignored(const IpAddress& source) { ignorable_.insert(source); }
    void reloaded() { reloaded_at_ = queue_.now().monotonic; }

    void on_turn(const Turn& turn) override;
    void on_output_lost(std::string_view bytes) override;
    void on_driver_fault(const std::string& what) override { report_.broken("driver", what); }

    uint64_t requests_in() const { return requests_in_; }
    uint64_t requests_out() const { return requests_out_; }

 private:
    /// A request that reached a core, with what was sent back.
    struct Configured {
        ports::ForkingSettings forking;
        Duration timer_c;
    };
    struct Received {
        TextMessage message;
        std::string bytes;
        transport::Flow flow;
        Instant at;
        /// As it was then: a call keeps its configuration. None in the moments of a reload.
        std::optional<Configured> configured;
        uint32_t incarnation = 0;
        bool has_trying = false;
        bool is_cut_off = false;  // a response could not be sent: its transaction may have ended
        int final_status = 0;
        Instant final_at;
        std::string final_bytes;
        std::vector<Endpoint> forwarded_to;
        std::vector<std::string> invites;  // keys of the branches of an INVITE
    };
    /// A request that a core sent, with what came back.
    struct Sent {
        std::string bytes;
        transport::Flow flow;
        std::string origin;  // key of the Received that it forwards; empty: our own CANCEL or ACK
        Instant at;
        std::optional<Instant> first_heard;  // any response
        bool has_provisional = false;
        bool is_cancelled = false;  // by a CANCEL that we sent
        std::optional<double> q;    // of the binding that it goes to
        int final_status = 0;
        Instant final_at;
    };

    /// All shards have the configuration that the server has.
    bool is_settled(Instant at) const;
    void request_in(const Turn& turn, const TextMessage& message);
    void response_in(const Turn& turn, const TextMessage& message);
    void request_out(const Turn& turn, const transport::Transmit& transmit, std::string_view bytes,
                     const TextMessage& message);
    void response_out(const Turn& turn, const transport::Transmit& transmit, std::string_view bytes,
                      const TextMessage& message);
    void check_invite_response(Received& request, std::string_view bytes,
                               const TextMessage& message);
    void check_other_response(Received& request, std::string_view bytes,
                              const TextMessage& message);
    RecordOracle::Call call_kind(const Received& request) const;
    void check_not_refused(const Received& request, const TextMessage& message);
    void check_return_path(const Received& request, const transport::Flow& flow,
                           const TextMessage& message);
    void check_forwarded(const Turn& turn, Received& origin, const transport::Flow& flow,
                         std::string_view bytes, const TextMessage& message);
    void check_keep_alive(const transport::Flow& flow, const TextMessage& message);
    void check_destination(const Received& origin, const Endpoint& reached,
                           const TextMessage& message);
    void check_success_passed(const Turn& turn, const TextMessage& success);
    void check_admission(const std::string& key, Instant at);
    void check_targets(const Received& invite);
    void check_fork(const Turn& turn, Received& origin, const std::string& key,
                    const std::string& name);
    bool may_still_ring(const Turn& turn, const Received& origin, const Sent& branch) const;
    void remember_party(const Turn& turn, const TextMessage& message);
    bool is_ours(const TextMessage& request) const;
    bool is_current(const Received& request) const;
    std::string sent_key(const Turn& turn, const std::string& branch,
                         const std::string& method) const;

    OracleReport& report_;
    EventQueue& queue_;
    BindingOracle& bindings_;
    RecordOracle& records_;
    const Server* server_ = nullptr;
    Endpoint address_;
    std::string domain_;
    std::set<IpAddress> ignorable_;
    std::optional<Instant> reloaded_at_;
    std::map<std::string, Received> received_;
    std::map<std::string, Sent> sent_;
    std::map<std::string, std::set<Endpoint>>
        parties_;  // by Call-ID: who spoke, and the Contacts shown
    std::map<std::string, std::set<std::string>>
        redirected_;                // by Call-ID: users of ours that a 3xx named
    bool is_ack_absorbed_ = false;  // this turn's packet acknowledges a failure of ours
    uint64_t requests_in_ = 0;
    uint64_t requests_out_ = 0;
};

}  // namespace signalbox::sim
