// The client side of every operation: the caller of calls and the phones that register.
// Implements: RFC 3261 §17.1.1.2; RFC 3261 §17.1.2.2; RFC 3261 §13.2.2.4; RFC 3261 §12.2.1.1
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "load/message_scan.h"
#include "load/message_writer.h"
#include "load/operation.h"
#include "load/report.h"
#include "load/retransmit_queue.h"
#include "net/link.h"

namespace bench {

/// What the client and the server side share; the run owns it all.
struct Stage {
    const Options& options;
    Ledger& ledger;
    RetransmitQueue& timers;
    std::vector<Operation>& operations;
    Link& caller;
    Link& callee;
    std::string run;  // eight hexadecimal digits that differ from run to run
};

/// A URI of ours: sip:user@address, with the transport where it is not UDP.
void assign_uri(std::string& out, const Stage& stage, std::string_view user,
                std::string_view address);

class UserAgentClient final {
 public:
    explicit UserAgentClient(Stage& stage);

    bool has_room() const { return !free_.empty(); }
    std::size_t outstanding() const { return stage_.operations.size() - free_.size(); }

    /// Begins one operation; has_room() must hold.
    void start(Scenario scenario, std::uint64_t now_ns);
    void on_response(const MessageScan& message, std::string_view bytes, std::uint64_t now_ns);
    /// A REGISTER of ours that the forwarder brought back: with the floor it ends the operation.
    void on_reflected_register(const MessageScan& message, std::uint64_t now_ns);
    void on_timer(std::uint32_t slot, std::uint32_t serial, std::uint64_t now_ns);

 private:
    enum class Outcome { Completed, Failed, TimedOut, Refused };

    // user_agent_client.cpp: what every operation shares
    Operation* operation_of(const MessageScan& message, std::string_view bytes, Identity& identity);
    Link& link_of(const Operation& operation) const;
    Peer peer_of(const Operation& operation) const;
    std::string_view sent_by(const Operation& operation) const;
    RequestParts begin_parts(const Operation& operation, std::string_view method) const;
    void send(const Operation& operation, std::string_view bytes);
    void begin_request(std::uint32_t slot, ClientState state, std::uint64_t now_ns);
    void repeat_request(std::uint32_t slot, std::uint64_t now_ns);
    void arm(std::uint32_t slot, std::uint64_t now_ns);
    void finish(std::uint32_t slot, Outcome outcome, std::uint64_t now_ns);
    void book(const Operation& operation, Outcome outcome);
    void blame_duplicate(bool was_repeated, std::string_view bytes);
    void refuse(std::uint32_t slot, std::string_view bytes, std::uint64_t now_ns);
    void set_branch(Kind kind, std::uint32_t slot);
    std::uint32_t slot_of(const Operation& operation) const;
    bool are_tags_right(const MessageScan& message) const;

    // call_client.cpp: INVITE, ACK, BYE
    void start_call(std::uint32_t slot, std::uint64_t now_ns);
    void on_invite_response(Operation& operation, const MessageScan& message,
                            std::string_view bytes, std::uint64_t now_ns);
    void on_answer(Operation& operation, const MessageScan& message, std::string_view bytes,
                   std::uint64_t now_ns);
    void hang_up(std::uint32_t slot, std::uint64_t now_ns);
    void on_repeated_answer(Operation& operation, std::string_view bytes);
    void acknowledge_refusal(const Operation& operation, const MessageScan& message);
    void on_bye_response(Operation& operation, const MessageScan& message, std::string_view bytes,
                         std::uint64_t now_ns);
    void name_dialog(std::uint32_t slot);

    // request_client.cpp: OPTIONS, MESSAGE, REGISTER
    void start_request(std::uint32_t slot, std::uint64_t now_ns);
    void start_register(std::uint32_t slot, std::uint64_t now_ns);
    void send_register(std::uint32_t slot, Kind kind, std::string_view credentials,
                       ClientState state, std::uint64_t now_ns);
    void on_request_response(Operation& operation, const MessageScan& message,
                             std::string_view bytes, std::uint64_t now_ns);
    void on_register_response(Operation& operation, const MessageScan& message,
                              std::string_view bytes, std::uint64_t now_ns);
    void authenticate(Operation& operation, const MessageScan& message, std::string_view bytes,
                      std::uint64_t now_ns);
    bool shows_binding(const MessageScan& message) const;
    void set_target(const Operation& operation);
    void set_contact(const Operation& operation);

    Stage& stage_;
    std::vector<std::uint32_t> free_;
    std::vector<std::uint32_t> user_cseq_;
    std::vector<std::uint8_t> is_user_busy_;
    std::vector<std::string> user_ha1_;
    std::string ha1_realm_;
    std::uint64_t lookups_ = 0;
    std::uint32_t next_user_ = 0;

    // Scratch for the message under construction; they keep their room from message to message.
    std::string branch_;
    std::string local_;  // the left part of the Call-ID, which is the From tag too
    std::string call_id_;
    std::string from_;
    std::string to_;
    std::string uri_;
    std::string routes_;
    std::string user_name_;
    std::string contact_;
};

}  // namespace bench
