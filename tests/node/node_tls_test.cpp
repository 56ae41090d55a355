// Covers a whole node with a TLS listener over two shards: handshakes from both while a reload
// takes new certificates; this too is what the thread sanitizer looks at. Not covered: which
// certificate is shown (e2e), handshakes themselves (tests/io).
#include <gmock/gmock.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/un.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <thread>

#include "base/check.h"
#include "io/tls_engine.h"
#include "node/node.h"
#include "tests/io/loopback.h"

namespace signalbox::node {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;

class NodeTls_Behaviour : public ::testing::Test {
 protected:
    NodeTls_Behaviour() {
        CHECK(::mkdtemp(directory.data()) != nullptr);
        std::string trouble;
        log = sinks::Log::open({sinks::LogLevel::Error, directory + "/log"}, trouble);
        CHECK(log != nullptr);
        options.version = "test";
        options.log = log.get();
        options.progress = [this](std::string_view line) { lines.emplace_back(line); };
        const io::FileDescriptor probe = io::open_or_fail(transport::Transport::Tcp, io::kLoopback);
        server = io::local_endpoint(probe.get());
        std::ofstream file(directory + "/signalbox.toml");
        file << "domains = [\"example.test\"]\ndata_dir = \"data\"\nshards = 2\n"
             << "[[listen]]\ntransport = \"tls\"\naddress = \"" << server.to_string() << "\"\n";
    }
    ~NodeTls_Behaviour() override { std::filesystem::remove_all(directory); }

    void start() {
        auto config = config::load_config(directory + "/signalbox.toml");
        ASSERT_TRUE(config.has_value());
        thread = std::thread(
            [this, loaded = std::move(*config)] { exit_code = run_server(loaded, options); });
        while (!std::filesystem::exists(directory + "/data/control.sock")) {
            std::this_thread::yield();
        }
        await_control();
    }
    /// The signals' handlers are in place once the control socket answers.
    void await_control() const {
        const io::FileDescriptor client(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        (directory + "/data/control.sock").copy(address.sun_path, sizeof(address.sun_path) - 1);
        EXPECT_EQ(::connect(client.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)),
                  0);
        io::write_all(client, "{\"command\":\"version\"}\n");
        EXPECT_TRUE(io::wait_readable(client.get()));
    }
    static std::string options_request(uint16_t port, int number) {
        const std::string id = std::to_string(port) + "-" + std::to_string(number);
        return "OPTIONS sip:example.test SIP/2.0\r\nVia: SIP/2.0/TLS 127.0.0.1:" +
               std::to_string(port) + ";branch=z9hG4bK" + id +
               "\r\nMax-Forwards: 70\r\nFrom: <sip:a@example.org>;tag=1\r\nTo: "
               "<sip:example.test>\r\nCall-ID: " +
               id + "\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n";
    }
    static int count_answers(const std::string& text) {
        int count = 0;
        for (size_t at = 0; (at = text.find("SIP/2.0 200", at)) != std::string::npos; ++at) ++count;
        return count;
    }
    /// Asks over a TLS connection of its own, which verifies the server; true when all is answered.
    bool ask(int requests) const {
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
            if (!io::wait_readable(socket.get())) return false;
            const ssize_t size = ::recv(socket.get(), buffer.data(), buffer.size(), 0);
            if (size <= 0) return false;
            wire.clear();
            engine.receive({buffer.data(), static_cast<size_t>(size)}, plain, wire);
            if (!is_asked && engine.state() == io::TlsEngine::State::Established) {
                is_asked = true;
                for (int i = 0; i < requests; ++i) engine.send(options_request(port, i), wire);
            }
            io::write_all(socket, wire);
        }
        return true;
    }

    std::string directory = ::testing::TempDir() + "signalbox-tls-XXXXXX";
    std::unique_ptr<sinks::Log> log;
    RunOptions options;
    std::vector<std::string> lines;  // of the server's thread until it has ended
    Endpoint server;
    std::thread thread;
    int exit_code = -1;
};

TEST_F(NodeTls_Behaviour, TakesNewCertificatesWhileBothShardsShakeHands) {
    start();
    std::atomic<int> answered{0};
    std::vector<std::thread> clients;
    for (int i = 0; i < 4; ++i) {
        clients.emplace_back([&] {
            for (int round = 0; round < 5; ++round) answered += ask(8) ? 1 : 0;
        });
    }
    ::kill(::getpid(), SIGHUP);
    for (std::thread& one : clients) one.join();
    EXPECT_EQ(answered, 20);
    ::kill(::getpid(), SIGTERM);
    thread.join();
    EXPECT_EQ(exit_code, 0);
    EXPECT_THAT(lines, Contains(HasSubstr("Made the self-signed certificate")));
    EXPECT_THAT(lines, Contains(HasSubstr("Listening on tls ")));
}

}  // namespace
}  // namespace signalbox::node
