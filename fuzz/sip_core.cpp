// Fuzz target: timed sequences of packets, timers and answers into one SipCore with a few users. It
// must not crash or leak, its deadlines must move on, and what it sends must stay bounded.
#include <array>
#include <string>
#include <vector>

#include "core/sip_core.h"
#include "fuzz/input.h"
#include "sip/message_view.h"

namespace signalbox {
namespace {

constexpr size_t kStepsMax = 200;
constexpr size_t kSentMax = 64;
constexpr size_t kTransmitsMax = 256;
constexpr int kBatchesMax = 10'000;

using sip::HeaderId;

/// What the messages are made from.
constexpr std::array<std::string_view, 10> kMethods{"INVITE",   "ACK",     "BYE",     "CANCEL",
                                                    "REGISTER", "OPTIONS", "MESSAGE", "SUBSCRIBE",
                                                    "PRACK",    "FROB"};
constexpr std::array<std::string_view, 8> kUris{"sip:alice@example.test",
                                                "sip:bob@example.test",
                                                "sip:example.test",
                                                "sip:192.0.2.1:5060;lr",
                                                "sip:carol@192.0.2.77:5070;transport=tcp",
                                                "sip:dave@host.example.org",
                                                "tel:+15550100",
                                                "sip:bob@[2001:db8::1]:5060"};
constexpr std::array<int, 12> kStatuses{100, 180, 183, 200, 200, 202, 302, 401, 407, 486, 503, 603};

Endpoint source_of(uint8_t choice) {
    // The first half is trusted (see the snapshot), the other half is not.
    return Endpoint{IpAddress::v4(198, 51, 100, choice % 8),
                    static_cast<uint16_t>(5060 + choice / 64)};
}

ports::Snapshot make_snapshot(uint64_t version) {
    ports::Snapshot snapshot;
    snapshot.version = version;
    snapshot.domains = {"example.test"};
    snapshot.own_addresses = {IpAddress::v4(192, 0, 2, 1)};
    for (const auto transport : {transport::Transport::Udp, transport::Transport::Tcp}) {
        transport::Listener listener;
        listener.transport = transport;
        listener.bound = Endpoint{IpAddress::v4(192, 0, 2, 1), 5060};
        snapshot.listeners.push_back(listener);
    }
    snapshot.trusted = {Network{IpAddress::v4(198, 51, 100, 0), 30}};
    snapshot.auth.realm = "example.test";
    snapshot.proxy.recurse = version % 2 == 0;
    snapshot.forking.order = static_cast<ports::ForkOrder>(version % 3);
    snapshot.forking.ring_time = std::chrono::seconds(2);
    snapshot.forking.delay = std::chrono::seconds(version / 3);
    snapshot.timers = transaction::SipTimers{}.resolved();
    snapshot.limits.transactions_max = 32;  // so that the limit is met
    snapshot.limits.calls_max = 8;
    snapshot.limits.auth_failures_max = 2;
    return snapshot;
}

/// One core, its driver's part, and what was sent last.
class Session final {
 public:
    explicit Session(fuzz::Input& input) : input_(input) {
        core::CoreSetup setup;
        setup.shards = 2;  // so that questions to another shard are asked, which nobody answers
        setup.seed = {1, 2};
        setup.keys = &keys_;
        setup.snapshot = snapshots_.data();
        core_ = std::make_unique<core::SipCore>(now_, setup);
        ports::UpdateUsers users;
        for (const char* name : {"alice", "bob"}) {
            ports::UserRecord user;
            user.name = name;
            user.realm = "example.test";
            user.ha1.plain[0] = std::string(16, 'x');
            users.users.push_back(user);
        }
        core_->on_command(now_, std::move(users), out_);
        take_output();
    }

    void run() {
        for (size_t step = 0; step < kStepsMax && !input_.at_end(); ++step) {
            one_step();
            take_output();
            run_timers();
        }
        now_.monotonic += std::chrono::hours(1);
        now_.wall += std::chrono::hours(1);
        for (int i = 0; i < 64 && core_->next_deadline() <= now_.monotonic; ++i) run_timers();
    }

 private:
    void one_step() {
        switch (input_.octet() % 12) {
            case 0:
            case 1:
            case 2:
                receive(request());
                return;
            case 3:
            case 4:
            case 5:
                receive(response());
                return;
            case 6:
                advance(std::chrono::milliseconds(input_.number()));
                return;
            case 7:
                receive(last_);
                return;
            case 8:
                receive(std::string(input_.text(input_.octet())));
                return;
            case 9:
                lose();
                return;
            case 10:
                answer_port();
                return;
            default:
                command();
        }
    }

    transport::Flow flow() {
        const uint8_t choice = input_.octet();
        transport::Flow flow;
        if (choice % 4 == 3) {
            flow.transport = transport::Transport::Tcp;
            flow.listener = 1;
            flow.connection = choice / 4 % 3;
            flow.generation = 1;
        }
        flow.local = Endpoint{IpAddress::v4(192, 0, 2, 1), 5060};
        flow.remote = source_of(choice);
        return flow;
    }

    void receive(std::string bytes) {
        last_ = std::move(bytes);
        // A few octets are overwritten, cut out or doubled.
        for (int i = input_.octet() % 4; i > 1 && !last_.empty(); --i) {
            const size_t at = input_.number() % last_.size();
            const uint8_t octet = input_.octet();
            if (octet == 0) {
                last_.erase(at, 1 + input_.octet());
            } else if (octet == 1) {
                last_.insert(at, last_.substr(at, 40));
            } else {
                last_[at] = static_cast<char>(octet);
            }
        }
        const std::string copy = last_;
        core_->on_packet(now_, transport::Packet{flow(), copy, {}}, out_);
    }

    std::string small(std::string_view prefix, uint8_t bound) {
        return std::string(prefix) + static_cast<char>('a' + input_.octet() % bound);
    }

    std::string request() {
        const std::string_view method = kMethods[input_.octet() % kMethods.size()];
        std::string text(method);
        text += ' ';
        text += kUris[input_.octet() % kUris.size()];
        text +=
            " SIP/2.0\r\nVia: SIP/2.0/UDP 198.51.100.1:5060;rport;branch=" + small("z9hG4bK", 6);
        text += "\r\nFrom: <" + std::string(kUris[input_.octet() % 2]) + ">;tag=" + small("f", 3);
        text += "\r\nTo: <" + std::string(kUris[input_.octet() % 2]) + '>';
        if (input_.octet() % 3 == 0) text += ";tag=" + small("t", 3);
        text += "\r\nCall-ID: " + small("c", 4) +
                "\r\nCSeq: " + std::to_string(1 + input_.octet() % 3) + ' ';
        text += method;
        text +=
            "\r\nMax-Forwards: " + std::to_string(input_.octet() % 4 == 0 ? input_.octet() : 70) +
            "\r\n";
        if (input_.octet() % 2 == 0) {
            text += "Contact: <sip:alice@198.51.100.";
            text += static_cast<char>('0' + input_.octet() % 8);
            text += ":5060>;expires=" + std::to_string(input_.octet() * 16) + "\r\n";
        }
        if (const uint8_t extra = input_.octet(); extra % 8 == 0) {
            text += "Contact: *\r\nExpires: 0\r\n";
        } else if (extra % 8 == 1 && !routes_.empty()) {
            text += "Route: " + routes_[extra / 8 % routes_.size()] + "\r\n";
        } else if (extra % 8 == 2) {
            text += "Route: <" + std::string(kUris[extra / 8 % kUris.size()]) + ">\r\n";
        } else if (extra % 8 == 3) {
            text += "Authorization: Digest username=\"alice\", realm=\"example.test\", nonce=\"" +
                    nonce_ + "\", uri=\"sip:example.test\", response=\"" + std::string(32, 'a') +
                    "\"\r\n";
        }
        const size_t body = input_.octet() % 32;
        return text + "Content-Length: " + std::to_string(body) + "\r\n\r\n" +
               std::string(body, 'x');
    }

    /// To a request that the core sent, with its Vias.
    std::string response() {
        if (sent_.empty()) return {};
        const std::string& bytes = sent_[input_.octet() % sent_.size()];
        sip::MessageView view;
        if (!sip::parse_message(bytes, view)) return {};
        const int status = kStatuses[input_.octet() % kStatuses.size()];
        std::string text = "SIP/2.0 " + std::to_string(status) + " Fuzzed\r\n";
        for (const sip::HeaderField& field : view.headers()) {
            const bool is_copied = field.id == HeaderId::Via || field.id == HeaderId::From ||
                                   field.id == HeaderId::CallId || field.id == HeaderId::CSeq ||
                                   field.id == HeaderId::RecordRoute;
            const std::string line = bytes.substr(field.begin, field.end - field.begin);
            if (is_copied) text += line;
            if (field.id != HeaderId::To) continue;
            text += line.substr(0, line.size() - 2);
            if (line.find("tag=") == std::string::npos) text += ";tag=" + small("t", 3);
            text += "\r\n";
        }
        if (input_.octet() % 2 == 0) text += "Contact: <sip:bob@198.51.100.2:5060>\r\n";
        return text + "Content-Length: 0\r\n\r\n";
    }

    void advance(Duration duration) {
        now_.monotonic += duration;
        now_.wall += std::chrono::duration_cast<std::chrono::microseconds>(duration);
    }

    void lose() {
        if (input_.octet() % 2 == 0) {
            core_->on_flow_closed(now_, flow(), transport::FlowError::Reset, out_);
        } else if (!owners_.empty()) {
            const uint64_t owner = owners_[input_.octet() % owners_.size()];
            core_->on_port_reply(now_, ports::TransmitFailed{owner}, out_);
        }
    }

    /// Whatever was asked: an answer of any type, with or without records.
    ports::DnsReply dns_reply(uint8_t choice) {
        ports::DnsReply reply{dns_id_, {}};
        resolver::RecordSet& records = reply.records;
        records.outcome = static_cast<resolver::Outcome>(choice % 3);
        records.ttl = std::chrono::seconds(choice);
        if (records.outcome != resolver::Outcome::Found) return reply;
        for (uint8_t i = 0; i < choice % 5; ++i) {
            const auto number = static_cast<uint8_t>(choice + i);
            records.addresses.push_back(IpAddress::v4(198, 51, 100, number));
            records.services.push_back({i, number, 5060, "server.example.org"});
            records.pointers.push_back(
                {i, 1, "s", i % 2 == 0 ? "SIP+D2U" : "SIP+D2T", "", "_sip._udp.example.org"});
        }
        return reply;
    }

    void answer_port() {
        const uint8_t choice = input_.octet();
        if (choice % 2 == 0) {
            core_->on_port_reply(now_, dns_reply(choice / 2), out_);
            return;
        }
        // What another shard sends is ours: only messages that a core has made are sent back, as if
        // this were the other shard.
        if (shard_messages_.empty()) return;
        const std::string bytes = shard_messages_[choice / 2 % shard_messages_.size()];
        core_->on_port_reply(now_, ports::ShardMessageIn{1, bytes}, out_);
    }

    void command() {
        switch (input_.octet() % 5) {
            case 0:
                if (next_snapshot_ == snapshots_.size()) return;
                core_->on_command(now_, ports::InstallSnapshot{&snapshots_[next_snapshot_++]},
                                  out_);
                return;
            case 1:
                core_->on_command(now_, ports::QueryStats{1}, out_);
                return;
            case 2:
                core_->on_command(now_, ports::QueryRegistrations{2, input_.octet(), 2}, out_);
                return;
            case 3:
                core_->on_command(now_, ports::QueryLiveCalls{3, input_.octet(), 2}, out_);
                return;
            default:
                if (input_.octet() == 7) core_->on_command(now_, ports::Drain{}, out_);
        }
    }

    void run_timers() {
        int batches = 0;
        while (core_->next_deadline() <= now_.monotonic) {
            CHECK(++batches < kBatchesMax);
            core_->on_time(now_, out_);
            take_output();
        }
    }

    void keep(std::vector<std::string>& list, std::string text) {
        if (list.size() == kSentMax) list.erase(list.begin());
        list.push_back(std::move(text));
    }

    void take_output() {
        CHECK(out_.transmits.list().size() <= kTransmitsMax * 16);
        for (const transport::Transmit& transmit : out_.transmits.list()) {
            const std::string bytes(out_.transmits.bytes(transmit));
            sip::MessageView view;
            CHECK(sip::parse_message(bytes, view).has_value());
            if (transmit.owner != 0) owners_.push_back(transmit.owner);
            if (view.is_request()) {
                keep(sent_, bytes);
                const std::string_view route = view.value(HeaderId::RecordRoute);
                if (!route.empty()) keep(routes_, std::string(route));
            } else if (const size_t at = bytes.find("nonce=\""); at != std::string::npos) {
                nonce_ = bytes.substr(at + 7, bytes.find('"', at + 7) - at - 7);
            }
        }
        for (size_t i = 0; i < out_.shard_message_count(); ++i) {
            CHECK(out_.shard_message_to(i) < 2);
            keep(shard_messages_, std::string(out_.shard_message_bytes(i)));
        }
        for (const ports::DnsRequest& request : out_.dns_requests) dns_id_ = request.id;
        if (owners_.size() > kSentMax) owners_.erase(owners_.begin(), owners_.end() - kSentMax);
        out_.clear();
    }

    static crypto::TokenKeys make_keys() {
        crypto::TokenKey key;
        key.id = 1;
        key.not_after = WallTime::max();
        return crypto::TokenKeys(std::span(&key, 1));
    }

    fuzz::Input& input_;
    crypto::TokenKeys keys_ = make_keys();
    std::array<ports::Snapshot, 4> snapshots_{make_snapshot(1), make_snapshot(2), make_snapshot(3),
                                              make_snapshot(4)};
    size_t next_snapshot_ = 1;
    Now now_{Instant{std::chrono::seconds(1000)}, WallTime{std::chrono::seconds(1'700'000'000)}};
    ports::Outbox out_;
    std::unique_ptr<core::SipCore> core_;
    std::string last_;
    std::string nonce_ = "none";
    std::vector<std::string> sent_, routes_, shard_messages_;
    std::vector<uint64_t> owners_;
    uint64_t dns_id_ = 0;
};

}  // namespace
}  // namespace signalbox

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    signalbox::fuzz::Input input(data, size);
    signalbox::Session session(input);
    session.run();
    return 0;
}
