// What one run of the load program is asked to do, read from its command line.
#pragma once

#include <netinet/in.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "load/profile.h"
#include "net/transport.h"

namespace bench {

enum class Scenario {
    Call,                // INVITE 100 180 200 ACK BYE 200 to a fixed address
    CallLookup,          // the same to registered users
    Options,             // OPTIONS and 200 to a fixed address
    Message,             // MESSAGE and 200 to registered users
    Register,            // REGISTER that refreshes a binding
    RegisterAuth,        // REGISTER, 401, REGISTER with an MD5 digest, 200
    RegisterAuthSha256,  // the same with SHA-256
};

std::string_view name(Scenario scenario);
/// As the command line has it.
std::string_view name(Transport transport);
inline bool is_call(Scenario scenario) {
    return scenario == Scenario::Call || scenario == Scenario::CallLookup;
}
inline bool is_register(Scenario scenario) {
    return scenario == Scenario::Register || scenario == Scenario::RegisterAuth ||
           scenario == Scenario::RegisterAuthSha256;
}
/// True when the server demands credentials.
inline bool is_challenged(Scenario scenario) {
    return scenario == Scenario::RegisterAuth || scenario == Scenario::RegisterAuthSha256;
}
/// True when the callee is found by the bindings that the load registers first.
inline bool needs_bindings(Scenario scenario) {
    return scenario == Scenario::CallLookup || scenario == Scenario::Message;
}

enum class Server {
    Stateful,   // 100 Trying is demanded
    Stateless,  // 100 Trying may be absent
    Forwarder,  // parses nothing: no Via, Record-Route or Max-Forwards of its own
};

struct Options {
    Scenario scenario = Scenario::Call;
    Server server_kind = Server::Stateful;
    Transport transport = Transport::Udp;
    std::uint32_t connections = 16;  // of a stream transport, for each side
    std::string server_text = "127.0.0.1:15060";
    std::string caller_text = "127.0.0.1:15071";
    std::string callee_text = "127.0.0.1:15072";
    sockaddr_in server{};
    sockaddr_in caller{};
    sockaddr_in callee{};
    bool is_network_lossy = false;  // then missing and doubled datagrams are nobody's fault
    std::string domain = "example.test";
    std::uint32_t users = 10000;
    std::uint32_t window = 128;  // operations outstanding; with a rate: their limit
    std::vector<Phase> profile;  // rates that follow each other; then refusals are no failures
    std::uint32_t hold_ms = 0;   // how long a call is up before its BYE
    double rate = 0;             // operations a second; 0: closed loop
    double warmup_s = 1;
    double duration_s = 5;
    std::uint64_t operations_max = 0;  // 0: until the duration ends
    std::uint64_t failures_max = 1000;
    std::uint32_t t1_ms = 500;
    int server_pid = 0;     // 0: no measurement of the server's processor time
    std::string json_path;  // empty: none; "-": standard output instead of the text
};

/// Reads the command line. Prints what is wrong, or the help, and ends the program where it cannot
/// go on.
Options read_options(int argc, char** argv);

}  // namespace bench
