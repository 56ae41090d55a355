// Test helper: a whole node in a thread of the test's process, with a directory and a control
// socket of its own.
#pragma once

#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/un.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/check.h"
#include "node/node.h"
#include "tests/io/loopback.h"

namespace signalbox::node {

/// A test writes config_path(), starts, and stops before it looks at `lines` and `exit_code`.
class NodeFixture : public ::testing::Test {
 protected:
    NodeFixture() {
        CHECK(::mkdtemp(directory.data()) != nullptr);
        std::string trouble;
        log = sinks::Log::open({sinks::LogLevel::Error, directory + "/log"}, trouble);
        CHECK(log != nullptr);
        options.version = "test";
        options.log = log.get();
        options.progress = [this](std::string_view line) { lines.emplace_back(line); };
    }
    ~NodeFixture() override {
        if (thread.joinable()) stop();
        std::filesystem::remove_all(directory);
    }

    std::string config_path() const { return directory + "/signalbox.toml"; }

    /// Returns when the control socket has answered: then the shards receive and the handlers of
    /// signals are in place. False: the server did not come so far; the log says why.
    [[nodiscard]] bool start() {
        auto config = config::load_config(config_path());
        if (!config) return false;
        has_ended = false;
        thread = std::thread([this, loaded = std::move(*config)] {
            exit_code = run_server(loaded, options);
            has_ended = true;
        });
        const auto deadline = std::chrono::steady_clock::now() + io::kPatience;
        // Its name is there a moment before it can be connected to.
        while (control(R"({"command":"version"})").is_discarded()) {
            if (has_ended || std::chrono::steady_clock::now() > deadline) {
                ADD_FAILURE() << std::ifstream(directory + "/log").rdbuf();
                return false;
            }
            std::this_thread::yield();
        }
        return true;
    }
    void stop() {
        if (!has_ended) ::kill(::getpid(), SIGTERM);
        thread.join();
    }

    /// The answer to one command; discarded: there is none.
    sinks::Json control(const std::string& request) const {
        const io::FileDescriptor client(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        (directory + "/data/control.sock").copy(address.sun_path, sizeof(address.sun_path) - 1);
        std::string line;
        if (::connect(client.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0) {
            io::write_all(client, request + "\n");
            char octet = 0;
            while (io::wait_readable(client.get()) && ::recv(client.get(), &octet, 1, 0) == 1 &&
                   octet != '\n') {
                line.push_back(octet);
            }
        }
        return sinks::Json::parse(line, nullptr, false);
    }

    static size_t count_answers(std::string_view text) {
        size_t count = 0;
        for (size_t at = 0; (at = text.find("SIP/2.0 200", at)) != std::string_view::npos; ++at) {
            ++count;
        }
        return count;
    }

    std::string directory = ::testing::TempDir() + "signalbox-node-XXXXXX";
    std::unique_ptr<sinks::Log> log;
    RunOptions options;
    std::vector<std::string> lines;  // of the server's thread until it has ended
    Endpoint server = free_port();
    std::thread thread;
    int exit_code = -1;
    std::atomic<bool> has_ended = false;

 private:
    static Endpoint free_port() {
        const auto tcp = io::open_or_fail(transport::Transport::Tcp, io::own_loopback());
        const Endpoint free = io::local_endpoint(tcp.get());
        const auto udp = io::open_or_fail(transport::Transport::Udp, free);
        return free;
    }
};

}  // namespace signalbox::node
