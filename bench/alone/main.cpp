// The core alone under the messages of the load: no socket, no other process, no kernel. Its time
// for one operation varies by a few per cent where that of a whole server varies by ten, so that
// small steps can be seen.
#include <arpa/inet.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "core/sip_core.h"
#include "crypto/digest.h"
#include "load/user_agent_client.h"
#include "load/user_agent_server.h"
#include "net/datagram_socket.h"

namespace {

using namespace signalbox;
using Clock = std::chrono::steady_clock;

/// What a datagram moves the clock on by, so that finished transactions linger by the hundred
/// thousand; and how many operations, once to warm up and once to measure, let most of them end.
constexpr std::chrono::microseconds kPace{100};
constexpr std::uint64_t kOperations = 100'000;

/// Datagrams in their order, in memory that is used again.
class Wire final {
 public:
    struct Datagram {
        std::string bytes;
        sockaddr_in from{};
    };
    void put(std::string_view bytes, const sockaddr_in& from) {
        if (size_ == datagrams_.size()) datagrams_.emplace_back();
        datagrams_[size_].bytes.assign(bytes);
        datagrams_[size_].from = from;
        ++size_;
    }
    const Datagram& at(std::size_t index) const { return datagrams_[index]; }
    std::size_t size() const { return size_; }
    void clear() { size_ = 0; }

 private:
    std::vector<Datagram> datagrams_;
    std::size_t size_ = 0;
};

/// One side of the load, whose datagrams go into a Wire.
class WireLink final : public bench::Link {
 public:
    WireLink(const sockaddr_in& local, std::string text, const sockaddr_in& server, Wire& out)
        : local_(local), text_(std::move(text)), server_(server), out_(out) {}

    Wire in;

    int descriptor() const override { return -1; }
    std::size_t receive() override { return in.size(); }
    bench::Received received(std::size_t index) const override {
        return {bench::Arrival::Message, in.at(index).bytes, {in.at(index).from, 0}};
    }
    bench::Peer to_server(std::uint32_t) const override { return {server_, 0}; }
    std::string_view local(std::uint32_t) const override { return text_; }
    void send(std::string_view bytes, const bench::Peer&) override { out_.put(bytes, local_); }
    void flush() override {}

 private:
    sockaddr_in local_;
    std::string text_;
    sockaddr_in server_;
    Wire& out_;
};

ports::Snapshot settings(const bench::Options& options) {
    ports::Snapshot snapshot;
    snapshot.domains = {options.domain};
    snapshot.own_addresses = {*IpAddress::parse("127.0.0.1")};
    snapshot.listeners.emplace_back();
    snapshot.listeners.front().bound = *Endpoint::parse(options.server_text);
    snapshot.auth.realm = options.domain;
    snapshot.timers = transaction::SipTimers{}.resolved();
    if (options.scenario == bench::Scenario::RegisterAuthSha256)
        snapshot.auth.algorithms = {ports::AuthAlgorithm::Sha256};
    if (options.server_kind == bench::Server::Stateless)
        snapshot.proxy.mode = ports::ProxyMode::Stateless;
    if (!bench::is_challenged(options.scenario))
        snapshot.trusted = {*Network::parse("127.0.0.0/8")};
    return snapshot;
}

crypto::TokenKeys token_keys() {
    crypto::TokenKey key;
    key.id = 1;
    key.secret.fill(7);
    key.not_after = WallTime::max();
    return crypto::TokenKeys({&key, 1});
}

ports::UpdateUsers users(const bench::Options& options) {
    crypto::Digester digester;
    ports::UpdateUsers update;
    for (std::uint32_t i = 0; i < options.users; ++i) {
        const std::string number = std::to_string(i);
        ports::UserRecord user;
        user.name = "u" + number;
        user.realm = user.domain = options.domain;
        for (const auto algorithm :
             {crypto::DigestAlgorithm::Md5, crypto::DigestAlgorithm::Sha256}) {
            user.ha1.plain[static_cast<std::size_t>(algorithm)] =
                digester.digest(algorithm, {user.name, ":", user.realm, ":secret-", number})
                    .bytes();
        }
        update.users.push_back(std::move(user));
    }
    return update;
}

/// The load and the core in one loop, on a clock that each datagram moves on.
class Bench final {
 public:
    explicit Bench(const bench::Options& options)
        : options_(options),
          timers_(options.t1_ms, options.hold_ms),
          operations_(options.window),
          caller_(options.caller, options.caller_text, options.server, to_server_),
          callee_(options.callee, options.callee_text, options.server, to_server_),
          stage_{options, ledger_, timers_, operations_, caller_, callee_, "c0ffee00"},
          client_(stage_),
          server_(stage_),
          keys_(token_keys()),
          snapshot_(settings(options)),
          core_(now_, {.seed = {1, 2}, .keys = &keys_, .snapshot = &snapshot_}) {
        core_.on_command(now_, users(options), out_);
        out_.clear();
        // Nonces of the moment of birth might be those of before a restart.
        move_on(std::chrono::seconds(2));
    }

    /// Runs that many operations to their ends. Returns the core's time. Throws when one fails.
    std::chrono::nanoseconds run(bench::Scenario scenario, std::uint64_t count) {
        busy_ = {};
        for (std::uint64_t started = 0; started < count || client_.outstanding() > 0;) {
            for (; started < count && client_.has_room(); ++started)
                client_.start(scenario, load_now());
            take_turn();
            if (ledger_.counters.failure_total() + ledger_.counters.violation_total() != 0)
                throw std::runtime_error(ledger_.samples.front());
        }
        return busy_;
    }

 private:
    static constexpr std::size_t kBatch = 64;

    std::uint64_t load_now() const {
        return static_cast<std::uint64_t>(now_.monotonic.time_since_epoch().count());
    }
    void move_on(std::chrono::nanoseconds time) {
        now_.monotonic += time;
        now_.wall = WallTime(std::chrono::duration_cast<std::chrono::microseconds>(
            kWallStart + now_.monotonic.time_since_epoch()));
    }
    void take_turn() {
        for (WireLink* link : {&callee_, &caller_}) {
            for (std::size_t i = 0; i < link->receive(); ++i) hand_over(*link, link->received(i));
            link->in.clear();
        }
        for (std::size_t begin = 0; begin < to_server_.size(); begin += kBatch)
            serve(begin, std::min(begin + kBatch, to_server_.size()));
        to_server_.clear();
    }
    void hand_over(bench::Link& link, const bench::Received& received) {
        const auto message = bench::scan_message(received.bytes);
        if (!message) throw std::runtime_error("the core sent what is no message");
        if (message->is_response) return client_.on_response(*message, received.bytes, load_now());
        server_.on_request(link, *message, received.bytes, received.source, load_now());
    }
    void serve(std::size_t begin, std::size_t end) {
        transport::Flow flow;
        flow.local = snapshot_.listeners.front().bound;
        flow.remote.address = *IpAddress::parse("127.0.0.1");
        const auto before = Clock::now();
        for (std::size_t i = begin; i < end; ++i) {
            flow.remote.port = ntohs(to_server_.at(i).from.sin_port);
            core_.on_packet(now_, {flow, to_server_.at(i).bytes, {}, false}, out_);
        }
        while (core_.next_deadline() <= now_.monotonic) core_.on_time(now_, out_);
        busy_ += Clock::now() - before;
        const std::uint16_t caller_port = ntohs(options_.caller.sin_port);
        for (const transport::Transmit& transmit : out_.transmits.list()) {
            WireLink& link = transmit.flow.remote.port == caller_port ? caller_ : callee_;
            link.in.put(out_.transmits.bytes(transmit), options_.server);
        }
        out_.clear();
        move_on(kPace * (end - begin));
    }

    static constexpr std::chrono::seconds kWallStart{1'700'000'000};

    const bench::Options& options_;
    bench::Ledger ledger_;
    bench::RetransmitQueue timers_;
    std::vector<bench::Operation> operations_;
    Wire to_server_;
    WireLink caller_, callee_;
    bench::Stage stage_;
    bench::UserAgentClient client_;
    bench::UserAgentServer server_;
    crypto::TokenKeys keys_;
    ports::Snapshot snapshot_;
    Now now_{Instant(std::chrono::seconds(1)), WallTime(kWallStart)};
    ports::Outbox out_;
    core::SipCore core_;
    std::chrono::nanoseconds busy_{};
};

}  // namespace

int main(int argc, char** argv) {
    const bench::Options options = bench::read_options(argc, argv);
    const std::uint64_t count = options.operations_max == 0 ? kOperations : options.operations_max;
    try {
        Bench world(options);
        if (bench::needs_bindings(options.scenario))
            world.run(bench::Scenario::Register, options.users);
        world.run(options.scenario, count);
        const auto busy = world.run(options.scenario, count);
        std::printf("%.2f us of the core for one operation\n",
                    static_cast<double>(busy.count()) / 1e3 / static_cast<double>(count));
        return 0;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "signalbox-alone: %s.\n", error.what());
        return 1;
    }
}
