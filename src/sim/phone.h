// A scripted user agent, written from the RFC and sharing nothing with the server's transactions,
// so that it checks them. Implements: RFC 3261 §8, §9, §10.2, §12 to §15, §17 (as a user agent of
// the simulation)
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/random.h"
#include "crypto/digest.h"
#include "sim/event_queue.h"
#include "sim/network.h"
#include "sim/text_message.h"
#include "transport/flow.h"

namespace signalbox::sim {

/// What a phone does with a call that comes in.
enum class Answer : uint8_t {
    Accept,
    Busy,         // 486 at once
    Decline,      // 603 after ringing
    Unavailable,  // 480 after ringing
    Moved,        // 302
    RingForever,
    Silent,  // no response at all
};

/// What a phone does with a request other than INVITE that it understands.
enum class Reply : uint8_t {
    Ok,
    Refuse,    // 488, and 408 to INFO, which nobody but the callee's side may hear of
    Silent,    // no response at all
    Slow,      // 200 after more than the time in which a 100 is due
    Progress,  // provisional responses, which no proxy may forward, then 200
};

struct AnswerStyle {
    std::vector<Answer> answers{Answer::Accept};  // one is drawn for each call
    std::vector<Reply> replies{Reply::Ok};
    Duration ring_after = std::chrono::milliseconds(20);
    Duration answer_after_min = std::chrono::seconds(1);
    Duration answer_after_max = std::chrono::seconds(1);
    uint32_t hang_up_permille = 0;  // how often the callee ends the call, within talk_max
    Duration talk_max = std::chrono::seconds(10);
};

struct PhoneConfig {
    std::string name;  // user part; what it registers
    std::string domain;
    std::string password;
    bool has_credentials = true;
    Endpoint endpoint;  // where the network reaches it
    Endpoint contact;   // what it writes about itself: another one behind a NAT
    transport::Transport transport = transport::Transport::Udp;
    Endpoint server;
    uint32_t expires_s = 300;
    std::optional<uint16_t> q;     // of its contact, in thousandths
    std::string moved_to;          // the URI that its 302 gives; empty: its own contact
    bool is_compact = false;       // writes compact header names
    bool reuses_nonce = false;     // sends credentials before it is asked again
    bool repeats_branch = false;   // an old fault: its ACK for a 2xx carries the INVITE's branch
    bool is_lossy_tcp = false;     // resets its streams when it closes them
    std::string instance;          // its instance-id (RFC 5626 §4.1); empty: it has none
    uint32_t reg_id = 0;           // of its flow (RFC 5626 §4.2); 0: it knows no outbound
    bool moves_at_boot = false;    // writes another port into its Contact after each start
    bool refuses_streams = false;  // it speaks UDP only
    AnswerStyle style;
};

struct CallPlan {
    std::string target;                    // URI
    std::optional<Duration> cancel_after;  // from the first INVITE
    Duration talk = std::chrono::seconds(5);
    bool hangs_up = true;  // else the callee does, or the end of the run
    int reinvites = 0;     // spread over the talk
};

/// A call as its caller saw it.
struct CallReport {
    std::string call_id;
    std::string from_tag;
    std::optional<Instant> ringing;
    std::optional<Instant> answered;
    int final_status = 0;  // 0: none came
    uint32_t answers = 0;  // dialogs made by it: more than one when a fork was answered twice
    bool has_timed_out = false;
};

/// One phone at one address. Owned by the world; must not outlive its queue and network.
class Phone final : public Host {
 public:
    Phone(PhoneConfig config, EventQueue& queue, Network& network, Random random);
    Phone(const Phone&) = delete;
    Phone& operator=(const Phone&) = delete;

    // --- the script
    void register_contact();
    void unregister();
    /// Removes all bindings with "*".
    void unregister_all();
    void call(const CallPlan& plan);
    void send_request(const std::string& method, const std::string& target);
    /// A request that its phone forgets: the answer is of no interest.
    void send_raw(std::string bytes);
    /// Everything is forgotten without a word to anybody.
    void crash();
    /// After a crash: registers again, with a new Call-ID.
    void boot();
    /// Ends all calls and begins nothing any more.
    void stop();
    /// Breaks or closes its streams.
    void drop_streams();

    const PhoneConfig& config() const { return config_; }
    const std::vector<CallReport>& reports() const { return reports_; }
    bool is_up() const { return is_up_; }
    bool is_registered() const;
    uint32_t calls_received() const { return calls_received_; }
    uint32_t dialogs_up() const { return static_cast<uint32_t>(dialogs_.size()); }
    uint32_t byes_received() const { return byes_received_; }
    uint32_t cancels_received() const { return cancels_received_; }
    uint32_t requests_received() const { return requests_received_; }
    int last_register_status() const { return last_register_status_; }
    int last_request_status() const { return last_request_status_; }
    std::string aor() const { return "sip:" + config_.name + '@' + config_.domain; }
    std::string contact_uri() const;
    std::string contact_value() const;  // with its parameters, for a REGISTER

    void on_datagram(const Endpoint& from, const Endpoint& to, std::string_view bytes) override;
    void on_stream_open(StreamId stream, const Endpoint& local, const Endpoint& remote,
                        bool is_accepted) override;
    bool accepts_streams() const override { return !config_.refuses_streams; }
    void on_stream_bytes(StreamId stream, std::string_view bytes) override;
    void on_stream_end(StreamId stream, StreamEnd why) override;

 private:
    /// Where a request goes, or where a response goes back to.
    struct Path {
        transport::Transport transport = transport::Transport::Udp;
        Endpoint remote;
        StreamId stream = 0;
    };
    /// Null: no final response came.
    using Handler = std::function<void(const TextMessage*)>;
    struct ClientRequest {
        enum class State : uint8_t { Calling, Proceeding, Accepted, Completed };
        TextMessage message;
        Path path;
        std::string bytes;
        std::string ack;
        State state = State::Calling;
        Duration interval{};
        bool is_cancel_wanted = false;
        bool is_cancelled = false;
        Handler handler;
    };
    struct ServerRequest {
        TextMessage message;
        Path path;
        std::string to_tag;
        std::string last_response;
        int last_status = 0;
        bool is_acknowledged = false;
    };
    struct Dialog {
        std::string call_id, local_tag, remote_tag;
        std::string local, remote;  // From and To without tags
        std::string remote_target;
        std::vector<std::string> routes;
        uint32_t cseq = 0;
        std::string ack;  // of the last 2xx that we received
        uint32_t ack_cseq = 0;
        bool awaits_ack = false;  // of our 2xx: no BYE before it (§15)
        bool has_pending_invite = false;
        bool is_ending = false;
    };
    struct OutgoingCall {
        CallPlan plan;
        size_t report = 0;
        TextMessage invite;
        std::string client;  // key of the current transaction
        int challenges = 0;
        bool is_cancelled = false;
        bool is_over = false;  // a final response was taken
    };
    struct InputStream {
        Endpoint remote;
        std::string buffer;
        bool is_open = false;
        std::vector<std::string> waiting;
    };

    // --- phone.cpp: transport and dispatch
    /// Does nothing when the phone has crashed meanwhile.
    void after(Duration delay, EventQueue::Action action);
    std::string token(std::string_view prefix);
    Path server_path() const;
    void send(const Path& path, const std::string& bytes);
    void receive(std::string_view bytes, const Path& path);
    void take_stream(StreamId stream);
    std::string write(const TextMessage& message) const;
    Duration draw(Duration min, Duration max);
    TextMessage new_request(const std::string& method, const std::string& target);

    // --- phone_transactions.cpp
    std::string start_client(TextMessage message, const Path& path, Handler handler);
    void retransmit(const std::string& key);
    void give_up(const std::string& key);
    void on_response(const TextMessage& response);
    void on_invite_response(const std::string& key, ClientRequest& client,
                            const TextMessage& response);
    void acknowledge_failure(ClientRequest& client, const TextMessage& response);
    void cancel(const std::string& key);
    void send_cancel(ClientRequest& client);
    void on_request(const TextMessage& request, const Path& path);
    void respond(const std::string& key, int status, std::string_view phrase,
                 bool with_contact = false);
    void repeat_final(const std::string& key, Duration interval);
    void forget_server(const std::string& key, Duration delay);

    // --- phone_calls.cpp
    void start_invite(const std::shared_ptr<OutgoingCall>& call);
    void on_call_response(const std::shared_ptr<OutgoingCall>& call, const TextMessage* response);
    void on_call_answered(OutgoingCall& call, const TextMessage& response);
    void on_invite(const std::string& key);
    void carry_out(const std::string& key, Answer answer);
    void accept(const std::string& key);
    void on_cancel(const TextMessage& request, const Path& path);
    void on_ack(const TextMessage& request);
    void on_bye(const std::string& key);
    void on_other_request(const std::string& key);

    // --- phone_dialogs.cpp
    static std::string dialog_key(const std::string& call_id, const std::string& local_tag,
                                  const std::string& remote_tag);
    Dialog* dialog_of(const TextMessage& request);
    TextMessage dialog_request(Dialog& dialog, const std::string& method);
    Path dialog_path(const Dialog& dialog) const;
    void send_ack(Dialog& dialog, const TextMessage& success);
    void hang_up(const std::string& key);
    void reinvite(const std::string& key);
    void on_reinvite(const std::string& key, Dialog& dialog);

    // --- phone_registration.cpp
    void send_register(const std::string& contact, std::optional<uint32_t> expires, int challenges);
    void on_register_response(const TextMessage* response, const TextMessage& request,
                              const std::string& contact, std::optional<uint32_t> expires,
                              int challenges);
    bool add_credentials(TextMessage& request, const TextMessage& challenge);
    void add_known_credentials(TextMessage& request, std::string_view header);
    std::string credentials(const TextMessage& request);

    PhoneConfig config_;
    EventQueue& queue_;
    Network& network_;
    Random random_;
    crypto::Digester digester_;
    bool is_up_ = false;
    bool is_stopping_ = false;
    uint32_t incarnation_ = 0;
    uint64_t next_token_ = 0;
    std::map<std::string, ClientRequest> clients_;
    std::map<std::string, ServerRequest> servers_;
    std::map<std::string, Dialog> dialogs_;
    std::vector<std::weak_ptr<OutgoingCall>> calls_;
    std::map<StreamId, InputStream> streams_;
    std::vector<CallReport> reports_;
    std::string register_call_id_;
    uint32_t register_cseq_ = 0;
    Instant registered_until_{};
    int last_register_status_ = 0;
    int last_request_status_ = 0;
    uint32_t calls_received_ = 0;
    uint32_t byes_received_ = 0;
    uint32_t cancels_received_ = 0;
    uint32_t requests_received_ = 0;
    std::string realm_, nonce_, algorithm_;  // of the last challenge
    bool has_qop_ = false;
    uint32_t nonce_count_ = 0;
};

}  // namespace signalbox::sim
