// Covers a whole node with a TLS listener over two shards: handshakes from both while a reload
// takes new certificates; this too is what the thread sanitizer looks at. Not covered: which
// certificate is shown (e2e), handshakes themselves (tests/io).
#include <gmock/gmock.h>

#include <array>
#include <fstream>
#include <thread>

#include "io/tls_engine.h"
#include "tests/node/node_fixture.h"

namespace signalbox::node {
namespace {

using ::testing::Contains;
using ::testing::Each;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class NodeTls_Behaviour : public NodeFixture {
 protected:
    /// Times that no machine exceeds, however busy: a connection that ends was dropped.
    NodeTls_Behaviour() {
        std::ofstream(config_path())
            << "domains = [\"example.test\"]\ndata_dir = \"data\"\nshards = 2\n"
            << "[[listen]]\ntransport = \"tls\"\naddress = \"" << server.to_string() << "\"\n"
            << "[limits]\nhandshake_timeout = \"5m\"\nfirst_message_timeout = \"5m\"\n"
            << "message_timeout = \"5m\"\n";
    }

    static std::string options_request(uint16_t port, size_t number) {
        const std::string id = std::to_string(port) + "-" + std::to_string(number);
        return "OPTIONS sip:example.test SIP/2.0\r\nVia: SIP/2.0/TLS 127.0.0.1:" +
               std::to_string(port) + ";branch=z9hG4bK" + id +
               "\r\nMax-Forwards: 70\r\nFrom: <sip:a@example.org>;tag=1\r\nTo: "
               "<sip:example.test>\r\nCall-ID: " +
               id + "\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n";
    }
    /// Asks over a TLS connection of its own, which verifies the server. Says what went wrong;
    /// empty: all is answered.
    std::string ask(size_t requests) const {
        const auto trust = io::TrustStore::load(directory + "/data/certificate.pem");
        const auto context = io::TlsClient::make({true, {}}, *trust, io::read_clocks().wall);
        io::TlsEngine engine(*context, "example.test", server.address);
        const io::FileDescriptor socket = io::connect_client(server);
        const uint16_t port = io::local_endpoint(socket.get()).port;
        std::string plain, wire;
        engine.begin(wire);
        io::write_all(socket, wire);
        for (bool is_asked = false; count_answers(plain) < requests;) {
            std::array<char, 65536> buffer;
            const char* const phase = is_asked ? "answering" : "the handshake";
            if (!io::wait_readable(socket.get())) return std::string("silence in ") + phase;
            const ssize_t size = ::recv(socket.get(), buffer.data(), buffer.size(), 0);
            if (size <= 0) return std::string("the connection ended in ") + phase;
            wire.clear();
            engine.receive({buffer.data(), static_cast<size_t>(size)}, plain, wire);
            if (engine.state() == io::TlsEngine::State::Failed) return engine.trouble();
            if (!is_asked && engine.state() == io::TlsEngine::State::Established) {
                is_asked = true;
                for (size_t i = 0; i < requests; ++i) engine.send(options_request(port, i), wire);
            }
            io::write_all(socket, wire);
        }
        return {};
    }
};

TEST_F(NodeTls_Behaviour, TakesNewCertificatesWhileBothShardsShakeHands) {
    ASSERT_TRUE(start());
    std::array<std::string, 4> troubles;  // of each client's thread until it has ended
    std::vector<std::thread> clients;
    for (std::string& trouble : troubles) {
        clients.emplace_back([this, &trouble] {
            for (int round = 0; round < 5 && trouble.empty(); ++round) trouble = ask(8);
        });
    }
    ::kill(::getpid(), SIGHUP);
    for (std::thread& one : clients) one.join();
    EXPECT_THAT(troubles, Each(IsEmpty()));
    sinks::Json counters;
    do {
        counters = control(R"({"command":"stats"})")["counters"];
    } while (counters["config_reloads_total"] == 0);
    EXPECT_EQ(counters["tls_handshakes_total"], 20);
    stop();
    EXPECT_EQ(exit_code, 0);
    EXPECT_THAT(lines, Contains(HasSubstr("Made the self-signed certificate")));
    EXPECT_THAT(lines, Contains(HasSubstr("Listening on tls ")));
}

}  // namespace
}  // namespace signalbox::node
