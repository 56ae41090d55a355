// Covers a whole node on loopback with its threads: start, both transports over two shards, the
// control socket, reload, drain with a call that rings; this is what the thread sanitizer looks at.
// Not covered: other calls (tests/core, e2e), power loss, a second signal.
#include <gmock/gmock.h>

#include <fstream>
#include <sstream>

#include "tests/node/node_fixture.h"

namespace signalbox::node {
namespace {

using sinks::Json;
using ::testing::HasSubstr;

class Node_Behaviour : public NodeFixture {
 protected:
    Node_Behaviour() { write_config("example.test", server.to_string()); }

    /// `more`: whole lines of the top table.
    void write_config(const std::string& domain, const std::string& address,
                      const std::string& more = {}) const {
        std::ofstream file(config_path());
        file << "domains = [\"" << domain << "\"]\ndata_dir = \"data\"\nshards = 2\n"
             << "auth.realm = \"" << realm << "\"\n"
             << more;
        for (const char* transport : {"udp", "tcp"}) {
            file << "[[listen]]\ntransport = \"" << transport << "\"\naddress = \"" << address
                 << "\"\n";
        }
    }
    std::string options_request(const std::string& transport, uint16_t port, int number) const {
        const std::string id = transport + std::to_string(number);
        return "OPTIONS sip:" + server.to_string() + " SIP/2.0\r\nVia: SIP/2.0/" + transport +
               " 127.0.0.1:" + std::to_string(port) + ";branch=z9hG4bK" + id +
               ";rport\r\nMax-Forwards: 70\r\nFrom: <sip:a@example.test>;tag=1\r\nTo: <sip:" +
               server.to_string() + ">\r\nCall-ID: " + id +
               "\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n";
    }
    static std::string invite(const Endpoint& caller, const Endpoint& callee) {
        const std::string host = caller.to_string();
        return "INVITE sip:bob@" + callee.to_string() + " SIP/2.0\r\nVia: SIP/2.0/UDP " + host +
               ";branch=z9hG4bK1\r\nMax-Forwards: 70\r\nFrom: <sip:a@" + host +
               ">;tag=1\r\nTo: <sip:bob@" + callee.to_string() +
               ">\r\nCall-ID: 1\r\nCSeq: 1 INVITE\r\nContact: <sip:a@" + host +
               ">\r\nContent-Length: 0\r\n\r\n";
    }
    /// A response with what every response copies from its request.
    static std::string response(const std::string& request, const std::string& status) {
        std::string text = "SIP/2.0 " + status + "\r\n";
        std::istringstream lines(request);
        for (std::string line; std::getline(lines, line);) {
            for (const char* name : {"Via:", "From:", "To:", "Call-ID:", "CSeq:"}) {
                if (line.starts_with(name)) text += line + "\n";
            }
        }
        return text + "Content-Length: 0\r\n\r\n";
    }
    io::FileDescriptor client() const {
        io::FileDescriptor socket = io::open_or_fail(transport::Transport::Udp, io::kLoopback);
        io::SocketAddress address{};
        const socklen_t size = io::to_socket_address(server, address);
        CHECK(::connect(socket.get(), &address.any, size) == 0);
        return socket;
    }
    /// The next datagram that begins so; others before it are thrown away.
    static std::string await(const io::FileDescriptor& socket, std::string_view beginning) {
        while (io::wait_readable(socket.get())) {
            char buffer[65536];
            const ssize_t size = ::recv(socket.get(), buffer, sizeof(buffer), 0);
            if (size <= 0) break;
            const std::string_view text(buffer, static_cast<size_t>(size));
            if (text.starts_with(beginning)) return std::string(text);
        }
        ADD_FAILURE() << "no " << beginning;
        return {};
    }
    static size_t receive_answers(const io::FileDescriptor& socket, size_t wanted) {
        std::string all;
        while (count_answers(all) < wanted && io::wait_readable(socket.get())) {
            char buffer[65536];
            const ssize_t size = ::recv(socket.get(), buffer, sizeof(buffer), 0);
            if (size <= 0) break;
            all.append(buffer, static_cast<size_t>(size));
        }
        return count_answers(all);
    }

    std::string realm = "example.test";  // of write_config()
};

TEST_F(Node_Behaviour, AnswersOverBothTransportsFromBothShardsThenReloadsAndDrains) {
    constexpr int kRequests = 40;
    ASSERT_TRUE(start());
    EXPECT_EQ(control(R"({"command":"version"})")["version"], "test");

    const io::FileDescriptor udp = client();
    const io::FileDescriptor tcp = io::connect_client(server);
    for (int i = 0; i < kRequests; ++i) {
        io::write_all(udp, options_request("UDP", io::local_endpoint(udp.get()).port, i));
        io::write_all(tcp, options_request("TCP", io::local_endpoint(tcp.get()).port, i));
    }
    EXPECT_EQ(receive_answers(udp, kRequests), static_cast<size_t>(kRequests));
    EXPECT_EQ(receive_answers(tcp, kRequests), static_cast<size_t>(kRequests));

    write_config("example.org", server.to_string());
    ::kill(::getpid(), SIGHUP);
    Json stats;
    do {
        stats = control(R"({"command":"stats"})");
    } while (stats["counters"]["config_reloads_total"] == 0);
    EXPECT_EQ(stats["shards"], 2);
    EXPECT_EQ(stats["counters"]["rx_packets_total"], 2 * kRequests);
    EXPECT_EQ(stats["counters"]["tx_packets_total"], 2 * kRequests);
    EXPECT_GT(stats["counters"]["steered_packets_total"], 0);
    EXPECT_FALSE(stats.contains("silent_shards"));

    write_config("example.org", "127.0.0.2:5060");
    ::kill(::getpid(), SIGHUP);
    do {
        stats = control(R"({"command":"stats"})");
    } while (stats["counters"]["config_reloads_refused_total"] == 0);
    EXPECT_EQ(stats["counters"]["config_reloads_total"], 1);

    EXPECT_TRUE(control(R"({"command":"registrations"})")["registrations"].empty());
    EXPECT_TRUE(control(R"({"command":"calls"})")["calls"].empty());
    EXPECT_TRUE(control(R"({"command":"calls","live":true})")["calls"].empty());
    EXPECT_EQ(control(R"({"command":"calls","after":"x"})")["ok"], false);
    EXPECT_EQ(control(R"({"command":"users-changed"})")["ok"], true);
    EXPECT_EQ(control(R"({"command":"nonsense"})")["ok"], false);

    stop();
    EXPECT_EQ(exit_code, 0);
    EXPECT_EQ(lines.back(), "Stopped.");
    EXPECT_FALSE(std::filesystem::exists(directory + "/data/control.sock"));
}

TEST_F(Node_Behaviour, RefusesAReloadThatWouldMakeEveryPasswordWrong) {
    ASSERT_TRUE(start());
    const auto reload = [&](const std::string& domain) {
        write_config(domain, server.to_string());
        ::kill(::getpid(), SIGHUP);
    };
    const auto count = [&](const char* counter) -> int {
        return control(R"({"command":"stats"})")["counters"][counter];
    };
    realm = "other.test";
    reload("example.test");
    while (count("config_reloads_refused_total") == 0) {
    }
    EXPECT_EQ(count("config_reloads_total"), 0);
    realm = "example.test";
    reload("other.test");
    while (count("config_reloads_total") == 0) {
    }
    EXPECT_EQ(count("config_reloads_refused_total"), 1);
    stop();
}

TEST_F(Node_Behaviour, TellsThePhonesOfACallThatRingsBeforeItEnds) {
    write_config("example.test", server.to_string(),
                 "shutdown_max = \"2s\"\ntrusted = [{ network = \"127.0.0.0/8\" }]\n");
    ASSERT_TRUE(start());
    const io::FileDescriptor caller = client();
    const io::FileDescriptor callee = client();
    io::write_all(caller,
                  invite(io::local_endpoint(caller.get()), io::local_endpoint(callee.get())));
    const std::string arrived = await(callee, "INVITE ");
    io::write_all(callee, response(arrived, "180 Ringing"));
    await(caller, "SIP/2.0 180");
    stop();
    EXPECT_EQ(exit_code, 0);
    EXPECT_THAT(await(caller, "SIP/2.0 503"), HasSubstr("\r\nRetry-After: "));
    EXPECT_THAT(await(callee, "CANCEL "), HasSubstr("\r\nCSeq: 1 CANCEL\r\n"));
}

TEST_F(Node_Behaviour, SaysWhoHoldsThePortAndStartsNothing) {
    const io::FileDescriptor taken = io::open_or_fail(transport::Transport::Tcp, server);
    const auto config = config::load_config(config_path());
    ASSERT_TRUE(config.has_value());
    EXPECT_EQ(run_server(*config, options), 1);
    ASSERT_EQ(lines.size(), 1u);
    EXPECT_THAT(lines[0], ::testing::AllOf(HasSubstr("Error: TCP " + server.to_string()),
                                           HasSubstr("(pid " + std::to_string(::getpid()) + ")")));
}

}  // namespace
}  // namespace signalbox::node
