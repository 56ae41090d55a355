// Test helper: the streams of a shard over loopback sockets, with TLS and WebSocket peers that a
// test drives by hand.
#pragma once

#include <gmock/gmock.h>

#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "io/stream_set.h"
#include "tests/io/loopback.h"
#include "tests/io/test_certificates.h"

namespace signalbox::io {

using transport::Flow;
using transport::FlowError;
using transport::PeerDomain;
using transport::Transport;

inline const std::string kOptions =
    "OPTIONS sip:a@example.test SIP/2.0\r\nVia: SIP/2.0/TLS a;branch=z9hG4bK1\r\nMax-Forwards: "
    "70\r\n"
    "From: <sip:b@example.test>;tag=1\r\nTo: <sip:a@example.test>\r\nCall-ID: 1\r\n"
    "CSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n";
inline const std::string kUpgrade =
    "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nOrigin: https://a.test\r\n"
    "Sec-WebSocket-Protocol: sip\r\nSec-WebSocket-Version: 13\r\n\r\n";

/// A masked frame of at most 65535 octets.
inline std::string masked(uint8_t opcode, std::string payload) {
    std::string out{static_cast<char>(0x80 | opcode), static_cast<char>(0xfe),
                    static_cast<char>(payload.size() >> 8),
                    static_cast<char>(payload.size() & 0xff)};
    if (payload.size() <= 125) {
        out = {static_cast<char>(0x80 | opcode), static_cast<char>(0x80 | payload.size())};
    }
    const std::string mask = "abcd";
    for (size_t i = 0; i < payload.size(); ++i)
        payload[i] = static_cast<char>(payload[i] ^ mask[i % 4]);
    return out + mask + payload;
}

class LayersTest : public ::testing::Test, public StreamSink {
 protected:
    LayersTest() {
        streams = std::make_unique<StreamSet>(context, uint8_t{3}, limits, counters, *this);
    }

    /// A listener of the transport; its number is the transport's.
    Endpoint listen(Transport transport, std::vector<std::string> origins = {}) {
        FileDescriptor socket = open_or_fail(transport, kLoopback);
        const Endpoint bound = local_endpoint(socket.get());
        streams->add_listener(static_cast<uint16_t>(transport), bound, std::move(socket), transport,
                              security("server", "example.test", std::move(origins)));
        return bound;
    }
    StreamSecurity security(const std::string& file, const std::string& domain,
                            std::vector<std::string> origins = {}) {
        const CertificateFiles files = certificates.issue(file, {.alternative = "DNS:" + domain});
        return {*TlsServer::make({{files}, ClientCertificate::Ask}, trust, clock()),
                *TlsClient::make({true, files}, trust, clock()), std::move(origins)};
    }
    static WallTime clock() { return read_clocks().wall; }
    Now begin_turn() override { return {now, {}}; }
    bool on_stream_message(const transport::Packet& packet) override {
        if (room == 0) return false;
        --room;
        flow = packet.flow;
        received.emplace_back(packet.bytes);
        return true;
    }
    void end_turn() override { streams->flush(); }
    Instant time() const override { return now; }
    template <class Condition>
    bool run(Condition&& holds) {
        return run_until(context, holds);
    }
    bool is_received(size_t count) {
        return run([this, count] { return received.size() == count; });
    }
    bool is_counted(Counter counter, uint64_t value = 1) {
        return run([&] { return counters.value(counter) == value; });
    }
    void pass(Duration time) {
        now += time;
        streams->on_time(now);
    }
    /// What has come from `socket` and not been read; empty at its end.
    std::string read_some(int fd) {
        pollfd entry{fd, POLLIN, 0};
        if (!run([&entry] { return ::poll(&entry, 1, 0) == 1; })) return {};
        std::string buffer(65536, '\0');
        const ssize_t count = ::recv(fd, buffer.data(), buffer.size(), 0);
        buffer.resize(static_cast<size_t>(std::max<ssize_t>(count, 0)));
        return buffer;
    }
    bool is_ended(const FileDescriptor& client) {
        for (int i = 0; i < 100; ++i) {
            if (read_some(client.get()).empty()) return true;
        }
        return false;
    }
    std::string read(const FileDescriptor& client, size_t size) {
        std::string out;
        while (out.size() < size) {
            const std::string more = read_some(client.get());
            if (more.empty()) break;
            out += more;
        }
        return out;
    }

    TestCertificates certificates;
    TrustStore trust = std::move(*TrustStore::load(certificates.authority_file()));
    asio::io_context context{1};
    StreamLimits limits;
    Counters counters;
    Instant now{std::chrono::hours(1)};
    size_t room = SIZE_MAX;
    Flow flow;
    std::deque<std::string> received;
    std::unique_ptr<StreamSet> streams;
};

/// The far end of a TLS connection, a blocking socket under an engine.
template <class Test>
struct TlsEnd {
    TlsEnd(Test& owner, FileDescriptor connected, std::unique_ptr<TlsEngine> made)
        : test(owner), socket(std::move(connected)), engine(std::move(made)) {}

    /// Until the handshake is over; true when it succeeded.
    bool agree() {
        std::string out;
        engine->begin(out);
        write_all(socket, out);
        while (engine->state() == TlsEngine::State::Handshaking && take()) {
        }
        return engine->state() == TlsEngine::State::Established;
    }
    bool take() {
        const std::string wire = test.read_some(socket.get());
        if (wire.empty()) return false;
        std::string out;
        engine->receive(wire, plain, out);
        write_all(socket, out);
        return true;
    }
    void send(std::string_view text) {
        std::string out;
        ASSERT_TRUE(engine->send(text, out));
        write_all(socket, out);
    }
    std::string read(size_t size) {
        while (plain.size() < size && take()) {
        }
        return std::exchange(plain, {});
    }

    Test& test;
    FileDescriptor socket;
    std::unique_ptr<TlsEngine> engine;
    std::string plain;
};

class Layers : public LayersTest {
 public:
    using LayersTest::read_some;
    using End = TlsEnd<Layers>;

 protected:
    std::unique_ptr<End> connect_tls(const Endpoint& server, const CertificateFiles& own = {},
                                     std::string_view domain = "example.test") {
        auto client = *TlsClient::make({true, own}, trust, clock());
        return std::make_unique<End>(
            *this, connect_client(server),
            std::make_unique<TlsEngine>(client, domain, kLoopback.address));
    }
    /// A peer that listens: what we open arrives there.
    std::unique_ptr<End> accept_tls(const FileDescriptor& peer, const std::string& domain) {
        EXPECT_TRUE(run([&peer] {
            pollfd entry{peer.get(), POLLIN, 0};
            return ::poll(&entry, 1, 0) == 1;
        }));
        FileDescriptor accepted(::accept4(peer.get(), nullptr, nullptr, SOCK_CLOEXEC));
        return std::make_unique<End>(*this, std::move(accepted),
                                     std::make_unique<TlsEngine>(security("peer", domain).server));
    }
    Flow flow_to(const Endpoint& remote, std::string_view domain) {
        Flow made{
            Transport::Tls, 3, static_cast<uint16_t>(Transport::Tls), Flow::kNoConnection, 0, {},
            remote};
        if (!domain.empty()) made.domain = PeerDomain::of(domain);
        return made;
    }
    std::vector<uint64_t> failed() {
        std::vector<uint64_t> ids;
        for (const StreamOwner& owner : streams->failed_owners()) ids.push_back(owner.id);
        return ids;
    }
};

}  // namespace signalbox::io
