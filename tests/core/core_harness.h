// Cores of one to three shards in a world with a hand-made clock: what they want sent is delivered
// at once, and nothing else happens by itself.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "cdr/call_fold.h"
#include "core/sip_core.h"
#include "tests/core/scripted_phone.h"

namespace signalbox::core::testing {

/// The configuration of most tests: the domain example.test at 192.0.2.1 and 2001:db8::1, UDP and
/// TCP.
ports::Snapshot default_snapshot();

/// A user whose password is "secret".
ports::UserRecord user_record(std::string_view name, std::vector<std::string> addresses = {});

class World {
 public:
    explicit World(ports::Snapshot snapshot = default_snapshot(), uint8_t shards = 1);
    World(const World&) = delete;
    World& operator=(const World&) = delete;

    // --- who takes part

    /// A phone of our domain that is registered, unless the test lets it register itself.
    Phone& registered(std::string_view user, std::string_view address,
                      transport::Transport transport = transport::Transport::Udp);
    Phone& phone(const Phone::Place& place);
    /// A phone of elsewhere.test: whom it calls needs no credentials of it.
    Phone& stranger(std::string_view user = "alice",
                    std::string_view address = "198.51.100.10:5060",
                    transport::Transport transport = transport::Transport::Udp);
    void add_user(const ports::UserRecord& user);
    /// A binding as if it had been registered by that phone.
    void bind(std::string_view user, const Phone& phone, uint16_t q = 1000);

    // --- what happens

    void receive(const transport::Flow& flow, std::string_view bytes);
    /// The same at a shard of the test's choice.
    void receive_at(uint8_t shard, const transport::Flow& flow, std::string_view bytes);
    void wait(Duration duration);
    void command(uint8_t shard, const ports::Command& command);
    /// Answers one question: the addresses where it asks for addresses, else that there is nothing.
    void answer_dns(const ports::DnsRequest& request, const std::vector<std::string>& addresses);
    /// Answers from `zone` until nothing is asked any more.
    void answer_dns();
    void close_flow(const Phone& phone);
    /// The driver could not send the last message whose sender wanted to know.
    void fail_last_transmit();
    /// The same of the last request.
    void fail_last_request();
    void deliver_shard_messages();

    // --- what can be seen

    SipCore& core(uint8_t shard = 0) { return *cores_[shard]; }
    uint64_t count(Counter counter) const;
    ports::Gauges gauges() const;
    std::vector<ports::CallRecord> records();
    std::vector<std::string> record_lines();  // "200 Caller BYE"
    /// True when no transaction, context, call or suspended request lives.
    bool is_empty() const;
    uint8_t shards() const { return static_cast<uint8_t>(cores_.size()); }

    Now now;
    crypto::TokenKeys keys;
    ports::Snapshot snapshot;
    std::vector<ports::DnsRequest> dns;
    std::vector<std::string> tls_domains;
    std::map<std::string, resolver::RecordSet> zone;  // the records of all types of each name
    std::vector<ports::CommandReply> replies;
    std::vector<const ports::Snapshot*> released;
    std::vector<std::string> journal;
    std::vector<Message> undelivered;  // nobody is at that address
    uint64_t core_allocations = 0;     // calls of operator new within the cores
    Duration last_connect_max{};       // of the last message whose sender wanted to know
    std::vector<ports::OverloadLevelChange> level_changes;
    Duration waited{};  // of each message before it is received
    bool holds_shard_messages = false;
    bool drops_shard_messages = false;

 private:
    struct Carried {
        uint8_t from, to;
        std::string bytes;
    };
    void take(uint8_t shard);
    void route(const transport::Transmit& transmit, std::string_view bytes);
    void call(uint8_t shard, const std::function<void(SipCore&, ports::Outbox&)>& action);

    std::vector<std::unique_ptr<SipCore>> cores_;
    std::vector<std::unique_ptr<ports::Outbox>> outs_;
    std::vector<std::unique_ptr<Phone>> phones_;
    std::deque<Carried> carried_;
    cdr::CallFold fold_;
    uint64_t last_owner_ = 0;
    uint8_t last_owner_shard_ = 0;
    uint64_t last_request_owner_ = 0;
};

}  // namespace signalbox::core::testing
