// The stateful and the stateless proxy: takes admitted requests to their targets and the responses
// back. Implements: RFC 3261 §16
#pragma once

#include <string>

#include "base/random.h"
#include "ports/port_reply.h"
#include "proxy/directory.h"
#include "proxy/incoming_response.h"
#include "proxy/large_acks.h"
#include "proxy/local_reply.h"
#include "proxy/moved_flows.h"
#include "proxy/next_hop.h"
#include "proxy/relay_policy.h"
#include "proxy/request_forwarding.h"
#include "proxy/response_context.h"
#include "proxy/shown_targets.h"
#include "proxy/stateless_choices.h"
#include "proxy/transaction_user.h"
#include "proxy/waiting_acks.h"
#include "transaction/branch.h"

namespace signalbox::proxy {

/// What the steps before found out about a request. Views: for the call.
struct Admission {
    const RelayDecision& relay;
    std::string_view user;  // who authenticated; empty: nobody had to
    uint64_t loop_hash = 0;
    bool is_proven = false;          // by our token, by credentials or by its trusted source
    std::string_view asserted = {};  // the address of record by which others are told of that user
};

/// Single-threaded; one per shard. Owns the response contexts. Steps that need another shard or a
/// resolver suspend: their context waits with a deadline, and the answer goes on where they
/// stopped.
class ProxyCore final {
 public:
    struct Setup {
        uint16_t node = 0;
        uint8_t shard = 0;
        uint8_t shards = 1;
        uint32_t contexts_max = 1'000'000;
    };
    struct Services {
        transaction::TransactionLayer& transactions;
        cdr::CallTracker& calls;
        Directory& directory;
        LocalReply& reply;
        ports::SnapshotUses& snapshots;
        TimerWheel& wheel;
        BlockPool& pool;
        Counters& counters;
        const crypto::TokenKeys& keys;
        TransactionUser& other_user;
        Random& random;
        const MovedFlows& moved_flows;
    };
    ProxyCore(const Setup& setup, const Services& services);
    ~ProxyCore();

    /// Proxies an admitted request that is neither ACK nor CANCEL: statefully, or without state
    /// where the configuration asks for it and the request needs none. Every outcome is answered.
    void start(Now now, const IncomingRequest& request, const Routing& routing,
               const Admission& admission, ports::Outbox& out);
    /// Forwards the ACK to a 2xx, or drops one that belongs to nothing (RFC 3261 §16.11, RFC 6026
    /// §7.1).
    void on_ack(Now now, const IncomingRequest& request, ports::Outbox& out);
    /// Answers a CANCEL and cancels what the INVITE `cancelled` has pending; of another method it
    /// ends nothing (RFC 3261 §9.2). Forwards or refuses one that matches nothing (§16.10).
    void on_cancel(Now now, const IncomingRequest& request, transaction::ServerHandle cancelled,
                   ports::Outbox& out);
    /// `fields` is what check_message() read of it.
    void on_response(Now now, const sip::MessageView& response, const sip::KeyFields& fields,
                     const transport::Flow& flow, ports::Outbox& out);
    void on_transaction_event(Now now, const transaction::TransactionEvent& event,
                              ports::Outbox& out);
    void on_timer(Now now, const TimerDue& due, ports::Outbox& out);
    void on_dns_reply(Now now, const ports::DnsReply& reply, ports::Outbox& out);
    void on_location_answer(Now now, const LocationAnswer& answer, ports::Outbox& out);
    /// An ACK that went by TCP for its size could not be sent: it goes by UDP (RFC 3261 §18.1.1).
    void on_ack_not_sent(Now now, uint64_t transmit_owner, ports::Outbox& out);
    /// Another shard has learned that a next hop fails, or answers again.
    void on_hop_news(Now now, const HopNews& news);
    /// Another shard's request for one of our addresses of record, or our own that came back.
    void on_stateless_request(Now now, uint8_t from, const StatelessRequest& handed,
                              ports::Outbox& out);

    /// Ends each INVITE that has no final response, a batch a turn: 503 to its caller (487 if he
    /// has cancelled it), CANCEL to whom it rings.
    void end_pending_invites(Now now);

    /// Contexts that wait for a final response, and ACKs that wait for DNS.
    uint32_t context_count() const { return contexts_.size() + waiting_acks_.size(); }

 private:
    struct Resumed;  // a stored request, parsed again
    /// Whether a request too large for a datagram may go by TCP (RFC 3261 §18.1.1).
    enum class BySize : uint8_t { Yes, No };

    // Targets: target_set.cpp
    void find_targets(Now now, ContextHandle handle, const IncomingRequest& request,
                      const Routing& routing, const RelayDecision& relay, ports::Outbox& out);
    void take_targets(Now now, ContextHandle handle, const IncomingRequest& request,
                      const Routing& routing, const LocationAnswer& answer, ports::Outbox& out);
    void redirect(Now now, ContextHandle handle, const IncomingRequest& request,
                  std::span<const Target> targets, ports::Outbox& out);
    void fork(Now now, ContextHandle handle, const IncomingRequest& request, const Routing& routing,
              std::span<const Target> targets, ports::Outbox& out);

    // Branches: forking.cpp
    void place_target(ResponseContext& context, size_t index, const Target& target,
                      bool begins_group, const Routing& routing);
    void begin_branches(Now now, ContextHandle handle, const IncomingRequest& request,
                        const Routing& routing, ports::Outbox& out);
    void admit_branch(Now now, ResponseContext& context, size_t index);
    void continue_fork(Now now, ContextHandle handle, ports::Outbox& out);
    void next_group_due(Now now, ContextHandle handle, ports::Outbox& out);
    void leave_branch(Now now, ContextHandle handle, size_t index, ports::Outbox& out);

    // The Contacts of a 3xx: redirection.cpp
    bool recurse(Now now, ContextHandle handle, size_t index, ports::Outbox& out);
    void add_targets(ResponseContext& context, std::span<const Target> targets);
    void locate_branch(Now now, ContextHandle handle, size_t index, ports::Outbox& out);
    void on_branch_located(Now now, ContextHandle handle, size_t index,
                           const LocationAnswer& answer, ports::Outbox& out);

    // Inside dialogs: dialog_next_hop.cpp
    DialogHop dialog_hop(const IncomingRequest& request, const Routing& routing) const;
    bool may_follow(const IncomingRequest& request, const DialogToken& token,
                    const sip::Uri& uri) const;
    transport::Flow nated_flow(const IncomingRequest& request, const DialogToken& token) const;
    bool is_shown(const IncomingRequest& request, uint64_t hop, bool may_be_vouched) const;
    void note_shown(const ShownTarget& target, ShownAs as);
    void note_refreshed_target(const IncomingRequest& request, const Routing& routing);
    void note_answered_target(const IncomingResponse& response, const DialogToken* token,
                              ShownTarget target);

    // Next hops: next_hop_selection.cpp, branch_sending.cpp, hop_failover.cpp
    void resolve_or_send(Now now, ContextHandle handle, size_t index, const Target& target,
                         const IncomingRequest& request, const Routing& routing,
                         ports::Outbox& out);
    void send_branch(Now now, ContextHandle handle, size_t index, const transport::Flow& flow,
                     const IncomingRequest& request, const Routing& routing, BySize by_size,
                     ports::Outbox& out);
    std::optional<transport::Flow> stream_for_large(Now now, const transport::Flow& flow,
                                                    std::string_view next_uri, bool is_looked_up,
                                                    const IncomingRequest& request) const;
    bool is_too_large(Now now, const transport::Flow& flow, const Routing& routing,
                      std::string_view target, bool is_looked_up,
                      const IncomingRequest& request) const;
    std::optional<transport::Flow> known_flow(Now now, const IncomingRequest& request,
                                              const Routing& routing, uint64_t draw);
    void begin_lookup(Now now, const ports::Snapshot& snapshot, const resolver::NextHop& name,
                      uint64_t draw, uint64_t owner, HopAttempts& attempts, ports::Outbox& out);
    void send_by_dialog_flow(Now now, ContextHandle handle, size_t index, ports::Outbox& out);
    void forget_target(Branch& branch);
    static HopAttempts& attempts_of(ResponseContext& context, Branch& branch);
    std::optional<transport::Flow> next_flow(Now now, const ports::Snapshot& snapshot,
                                             const transport::Flow& incoming, HopAttempts& attempts,
                                             resolver::Progress& progress, ports::Outbox& out);
    resolver::Progress try_next_hop(Now now, ContextHandle handle, size_t index,
                                    ports::Outbox& out);
    void try_next_hop_or_fail(Now now, ContextHandle handle, size_t index, int status,
                              ports::Outbox& out);
    void put_questions(ports::Outbox& out);
    void leave_hop(Now now, const ResponseContext& context, Branch& branch, std::string_view reason,
                   ports::Outbox& out);
    void hold_down(Now now, const resolver::ResolverSettings& settings, const resolver::Hop& hop,
                   Duration time, ports::Outbox& out);
    void tell_hop_news(Now now, const resolver::Hop& hop, Instant until, ports::Outbox& out);
    void attempt_failed(Now now, const transaction::TransactionEvent& event, int status,
                        ports::Outbox& out);
    void send_large_by_datagram(Now now, ContextHandle handle, size_t index, ports::Outbox& out);
    void hop_overdue(Now now, ContextHandle handle, size_t index, ports::Outbox& out);
    bool leave_overloaded_hop(Now now, ContextHandle handle, size_t index,
                              const IncomingResponse& response, ports::Outbox& out);
    void note_hop_answered(Now now, Branch& branch, int status, ports::Outbox& out);
    void on_left_hop_response(Now now, ContextHandle handle, size_t index,
                              transaction::ClientHandle client, const IncomingResponse& response,
                              ports::Outbox& out);
    void end_attempts(const ResponseContext& context, const Branch& branch);

    void start_stateful(Now now, const IncomingRequest& request, const Routing& routing,
                        const Admission& admission, ports::Outbox& out);

    // Flows of phones: phone_flows.cpp
    std::optional<LocationQuestion> location_question(ContextHandle handle,
                                                      const IncomingRequest& request,
                                                      const Routing& routing,
                                                      const RelayDecision& relay) const;
    std::optional<LocationQuestion> gruu_question(const IncomingRequest& request,
                                                  const Routing& routing) const;
    bool is_shown_gruu(const IncomingRequest& request, const Routing& routing) const;
    void find_contact(Now now, ContextHandle handle, const IncomingRequest& request,
                      const Routing& routing, ports::Outbox& out);
    void fork_in_dialog(Now now, ContextHandle handle, const IncomingRequest& request,
                        const Routing& routing, ports::Outbox& out);
    void sort_targets(Now now, const IncomingRequest& request, const LocationAnswer& answer);
    void keep_way(ResponseContext& context, size_t index, const Target& target,
                  const Routing& routing);
    bool try_other_flow(Now now, ContextHandle handle, size_t index, ports::Outbox& out);

    // Stateless: stateless_forwarding.cpp
    bool start_stateless(Now now, const IncomingRequest& request, const Routing& routing,
                         const Admission& admission, ports::Outbox& out);
    bool render_stateless(const IncomingRequest& request, const Routing& routing,
                          std::string_view target, const transport::Flow& flow, uint64_t loop_hash);
    bool forward_stateless(const IncomingRequest& request, const Routing& routing,
                           std::string_view target, const transport::Flow& flow, uint64_t loop_hash,
                           ports::Outbox& out);
    void send_stateless(const transport::Flow& flow, ports::Outbox& out);
    bool start_stateless_to_user(Now now, const IncomingRequest& request, const Routing& routing,
                                 const Admission& admission, ports::Outbox& out);
    bool forward_to_only_target(Now now, const IncomingRequest& request, const Routing& routing,
                                const LocationQuestion& question, uint64_t loop_hash,
                                ports::Outbox& out);
    void take_back(Now now, const IncomingRequest& request, const Routing& routing,
                   const StatelessRequest& handed, ports::Outbox& out);
    bool can_go_on(Now now, const IncomingRequest& request, uint64_t loop_hash) const;
    void forward_stateless_response(Now now, const IncomingResponse& response, ports::Outbox& out);

    // ACKs to 2xx: ack_forwarding.cpp
    bool forward_ack_to_gruu(Now now, const IncomingRequest& request, const Routing& routing,
                             uint64_t loop_hash, ports::Outbox& out);
    bool forward_ack_to_phone(Now now, const IncomingRequest& request, const Routing& routing,
                              const LocationQuestion& question, uint64_t loop_hash,
                              ports::Outbox& out);
    struct AckTarget {
        std::string_view uri;
        uint64_t loop_hash = 0;
        bool is_looked_up = false;  // its server was, by DNS
    };
    bool send_ack(Now now, const IncomingRequest& request, const Routing& routing,
                  const AckTarget& target, const transport::Flow& flow, ports::Outbox& out);

    // ACKs to a name: waiting_acks.cpp
    bool look_up_ack(Now now, const IncomingRequest& request, const Routing& routing,
                     uint64_t loop_hash, ports::Outbox& out);
    void go_on_with_ack(Now now, WaitingAckHandle handle, ports::Outbox& out);
    bool send_looked_up_ack(Now now, const IncomingRequest& request, const Routing& routing,
                            uint64_t loop_hash, const std::optional<transport::Flow>& flow,
                            ports::Outbox& out);
    void end_waiting_ack(WaitingAckHandle handle);

    // Responses: response_processing.cpp
    void on_provisional(Now now, ContextHandle handle, size_t index,
                        const IncomingResponse& response, ports::Outbox& out);
    void on_final(Now now, ContextHandle handle, size_t index, const IncomingResponse& response,
                  ports::Outbox& out);
    void on_success(Now now, ContextHandle handle, size_t index, const IncomingResponse& response,
                    ports::Outbox& out);
    void on_late_success(Now now, uint64_t owner, const IncomingResponse& response,
                         ports::Outbox& out);
    static bool end_branch(ResponseContext& context, size_t index);
    void branch_failed(Now now, ContextHandle handle, size_t index, int status, ports::Outbox& out);
    void send_best_if_done(Now now, ContextHandle handle, ports::Outbox& out);
    void send_upstream(Now now, ContextHandle handle, int status, std::string_view response,
                       ports::EndedBy by, std::string_view reason, ports::Outbox& out);
    std::string_view with_all_challenges(const ResponseContext& context, size_t best);
    void note_final(Now now, ResponseContext& context, int status, ports::EndedBy by,
                    std::string_view reason, ports::Outbox& out);
    void finish_if_done(ContextHandle handle);
    void note_contacts(Now now, const ResponseContext& context, const IncomingResponse& response);

    // Ends made here: cancel_processing.cpp, timer_c.cpp, pending_invites.cpp
    void cancel_pending(Now now, ContextHandle handle, std::string_view reason, ports::Outbox& out);
    void reply_final(Now now, ContextHandle handle, const Rejection& rejection, ports::Outbox& out);
    void reply_trying(Now now, ContextHandle handle, ports::Outbox& out);
    void branch_overdue(Now now, ContextHandle handle, size_t index, ports::Outbox& out);
    void arm(ContextHandle handle);
    void end_invite(Now now, ContextHandle handle, ports::Outbox& out);

    ContextHandle begin(Now now, const IncomingRequest& request, const Admission& admission,
                        ports::Outbox& out);
    void begin_call(ResponseContext& context, const IncomingRequest& request,
                    const Admission& admission, ports::Outbox& out);
    void record_call(ResponseContext& context, const IncomingRequest& request,
                     std::string_view user, ports::Outbox& out);
    void settle_record(ResponseContext& context, const IncomingRequest& request, bool reaches_user,
                       ports::Outbox& out);

    Setup setup_;
    Services s_;
    Slab<ResponseContext> contexts_;
    std::string rendered_;  // scratch, used again
    std::string challenged_;
    std::vector<Target> targets_;
    std::vector<Target> other_flows_;  // of the phones among targets_
    LargeAcks large_acks_;
    Slab<WaitingAck> waiting_acks_{kWaitingAcksMax};
    ShownTargets shown_targets_;
    std::vector<uint64_t> waiting_owners_;
    resolver::Resolver resolver_;
    StatelessChoices stateless_choices_;
    StatelessHops stateless_hops_;
    Instant hop_news_second_{};  // in which hop_news_told_ were told
    uint32_t hop_news_told_ = 0;
    bool are_invites_ending_ = false;
};

}  // namespace signalbox::proxy
