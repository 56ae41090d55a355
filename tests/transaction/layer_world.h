// A transaction layer with a hand-made clock, and peers that speak to it in real messages.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "sip/header_values.h"
#include "sip/message_view.h"
#include "transaction/transaction_layer.h"

namespace signalbox::transaction::testing {

/// A message and its index.
struct Parsed {
    explicit Parsed(std::string text);
    Parsed(const Parsed&) = delete;
    Parsed& operator=(const Parsed&) = delete;

    std::string bytes;
    sip::MessageView view;
    sip::Via via;
};

/// The parts of a request that matching looks at.
struct RequestText {
    std::string method = "INVITE";
    std::string uri = "sip:bob@example.test";
    std::string via = "SIP/2.0/UDP 192.0.2.10:5060;branch=z9hG4bKone";
    std::string from_tag = "alice1";
    std::string to_tag;
    std::string call_id = "call-1@192.0.2.10";
    uint32_t cseq = 1;
    std::string more;  // whole header lines
    std::string body;

    std::string text() const;
    /// The same with another method, the CSeq number kept.
    RequestText as(std::string_view other_method) const;
};

/// A response to `request`; `cseq_method` empty means the request's method.
std::string response_text(const RequestText& request, int status, std::string_view to_tag,
                          std::string_view cseq_method = {});

/// What the layer wanted sent.
struct Sent {
    int64_t at_ms;  // since the world began
    transport::Flow flow;
    std::string bytes;
    uint64_t owner;

    std::string method_or_status() const;  // "INVITE", "200"
};

class ClientPeer;
class ServerPeer;

class LayerWorld {
 public:
    struct Options {
        uint32_t transactions_max = 1000;
        SipTimers timers{};
    };
    LayerWorld() : LayerWorld(Options{}) {}
    explicit LayerWorld(const Options& options);

    /// Lets time pass, tick by tick of the timers.
    void wait(Duration duration);
    int64_t elapsed_ms() const;

    /// A client transaction whose request is sent at once.
    ClientPeer client(std::string_view method,
                      transport::Transport transport = transport::Transport::Udp);
    /// A peer whose request has not arrived yet.
    ServerPeer server(const RequestText& request,
                      transport::Transport transport = transport::Transport::Udp);

    void collect();
    std::vector<std::string> sent_kinds() const;
    std::vector<int64_t> sent_times() const;
    std::vector<TransactionEvent> events();
    uint64_t count(Counter counter) const { return counters.value(counter); }
    ResponseMatch receive_response(const std::string& text);
    RequestMatch receive_request(const std::string& text);

    static transport::Flow flow(transport::Transport transport);

    Now now;
    SipTimers timers;
    TimerWheel wheel;
    BlockPool pool;
    Random random;
    crypto::TokenKeys keys;
    Counters counters;
    MachineCoverage coverage;
    std::unique_ptr<TransactionLayer> layer;
    transport::Transmits out;
    std::vector<Sent> sent;
    uint64_t next_owner = 100;
};

/// The far side of a client transaction of ours.
class ClientPeer {
 public:
    ClientPeer(LayerWorld& world, std::string_view method, transport::Transport transport);

    ResponseMatch answers(int status, std::string_view to_tag = "bob1");
    ResponseMatch answers_cancel(int status);
    void cancel(std::string_view reason = {});
    void fail_transmit(uint64_t transmit_owner);
    bool is_live() const;

    LayerWorld* world;
    uint64_t owner;
    ClientStart start;
    RequestText request;
};

/// The far side of a server transaction of ours.
class ServerPeer {
 public:
    ServerPeer(LayerWorld& world, const RequestText& request, transport::Transport transport);

    /// The request arrives; a New one that is no ACK gets its transaction.
    RequestMatch sends();
    RequestMatch acks(std::string_view to_tag = "bob1");
    bool respond(int status, std::string_view to_tag = "bob1");
    bool is_live() const { return world->layer->is_live(server); }
    bool is_pending() const { return world->layer->is_pending(server); }

    LayerWorld* world;
    uint64_t owner;
    RequestText request;
    transport::Flow flow;
    ServerHandle server;
};

}  // namespace signalbox::transaction::testing
