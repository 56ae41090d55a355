// What one run of the load program is asked to do, read from its command line.
#include "load/options.h"

#include <array>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <optional>

#include "net/datagram_socket.h"

namespace bench {
namespace {

constexpr std::uint32_t kWindowMax = 1'048'576;
constexpr std::uint32_t kUsersMax = 2'000'000;
constexpr std::uint32_t kConnectionsMax = 20'000;

constexpr std::array<std::string_view, 7> kScenarioNames = {
    "call",          "call-lookup",         "options", "message", "register",
    "register-auth", "register-auth-sha256"};

constexpr std::array<std::string_view, 5> kTransportNames = {"udp", "tcp", "tls", "ws", "wss"};

constexpr const char* kHelp =
    R"(signalbox-load drives a SIP server as caller, callee and phones at once.

  --scenario NAME     call, call-lookup, options, message, register, register-auth or
                      register-auth-sha256
  --transport NAME    udp, tcp, tls, ws or wss (udp). Over streams all go through connections
                      that the load opens; with call and options the server opens one to the
                      callee's address itself, which the load does for tcp alone
  --connections N     how many of them each side has (16)
  --server A:P        the server under load (127.0.0.1:15060)
  --caller A:P        the address of the caller (127.0.0.1:15071)
  --callee A:P        the address of the callee and the phones (127.0.0.1:15072). Over streams
                      the port is the one at which the callee listens, and all else is sent
                      from ports that the kernel chooses
  --kind KIND         stateful, stateless or forwarder (stateful)
  --network KIND      clean or lossy; where datagrams may be lost or doubled, no missing 100
                      or ACK and no second final response is held against the server (clean)
  --domain NAME       the domain of the registered users u0, u1, ... (example.test)
  --users N           how many users are registered; user uN has the password secret-N (10000)
  --window N          operations outstanding, 1 to 1048576; with --rate their limit (128)
  --rate N            open loop: N operations a second; without it closed loop
  --profile LIST      open loop with rates that change: 2000x5,6000x12 is 2000 a second for
                      5 s, then 6000 for 12 s. A 503 with Retry-After and no answer at all
                      are counted, for each rate apart, and are no failures
  --hold MS           how long a call is up before its BYE (0)
  --warmup S          seconds before the measurement (1)
  --duration S        seconds of the measurement (5)
  --operations N      stop after N operations, whatever the time
  --failures-max N    give up after N failures (1000)
  --t1 MS             the timer T1 in milliseconds (500)
  --server-pid PID    report the processor time of this process and its descendants
  --json FILE         write the report as JSON; - writes it to the standard output

It ends with 0 when no operation failed and no rule of the protocol was violated, else with 1.
)";

[[noreturn]] void refuse(const std::string& why) {
    std::fprintf(stderr, "signalbox-load: %s\nsignalbox-load --help lists the options.\n",
                 why.c_str());
    std::exit(2);
}

Scenario read_scenario(const std::string& text) {
    for (std::size_t i = 0; i < kScenarioNames.size(); ++i) {
        if (kScenarioNames[i] == text) return static_cast<Scenario>(i);
    }
    refuse("there is no scenario " + text + ".");
}

Transport read_transport(const std::string& text) {
    for (std::size_t i = 0; i < kTransportNames.size(); ++i) {
        if (kTransportNames[i] == text) return static_cast<Transport>(i);
    }
    refuse("there is no transport " + text + ".");
}

Server read_kind(const std::string& text) {
    if (text == "stateful") return Server::Stateful;
    if (text == "stateless") return Server::Stateless;
    if (text == "forwarder") return Server::Forwarder;
    refuse("there is no kind of server " + text + ".");
}

template <typename Number>
Number read_number(const std::string& option, const std::string& text, Number low, Number high) {
    Number value{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size() || value < low || value > high) {
        refuse(option + " expects a number from " + std::to_string(low) + " to " +
               std::to_string(high) + ", not " + text + ".");
    }
    return value;
}

sockaddr_in read_address(const std::string& option, const std::string& text) {
    const std::optional<sockaddr_in> address = parse_address(text);
    if (!address) refuse(option + " expects an IPv4 address and a port, not " + text + ".");
    return *address;
}

void apply(Options& options, const std::string& option, const std::string& value) {
    if (option == "--scenario") {
        options.scenario = read_scenario(value);
    } else if (option == "--transport") {
        options.transport = read_transport(value);
    } else if (option == "--connections") {
        options.connections = read_number<std::uint32_t>(option, value, 1, kConnectionsMax);
    } else if (option == "--server") {
        options.server_text = value;
    } else if (option == "--caller") {
        options.caller_text = value;
    } else if (option == "--callee") {
        options.callee_text = value;
    } else if (option == "--kind") {
        options.server_kind = read_kind(value);
    } else if (option == "--network") {
        if (value != "clean" && value != "lossy")
            refuse("a network is clean or lossy, not " + value + ".");
        options.is_network_lossy = value == "lossy";
    } else if (option == "--domain") {
        options.domain = value;
    } else if (option == "--users") {
        options.users = read_number<std::uint32_t>(option, value, 1, kUsersMax);
    } else if (option == "--window") {
        options.window = read_number<std::uint32_t>(option, value, 1, kWindowMax);
    } else if (option == "--rate") {
        options.rate = read_number<double>(option, value, 0.001, 1e6);
    } else if (option == "--profile") {
        auto profile = read_profile(value);
        if (!profile) refuse("--profile expects a list such as 2000x5,6000x12, not " + value + ".");
        options.profile = std::move(*profile);
    } else if (option == "--hold") {
        options.hold_ms = read_number<std::uint32_t>(option, value, 0, 3'600'000);
    } else if (option == "--warmup") {
        options.warmup_s = read_number<double>(option, value, 0, 86400);
    } else if (option == "--duration") {
        options.duration_s = read_number<double>(option, value, 0.001, 86400);
    } else if (option == "--operations") {
        options.operations_max = read_number<std::uint64_t>(option, value, 1, 1ULL << 40);
    } else if (option == "--failures-max") {
        options.failures_max = read_number<std::uint64_t>(option, value, 1, 1ULL << 40);
    } else if (option == "--t1") {
        options.t1_ms = read_number<std::uint32_t>(option, value, 1, 60000);
    } else if (option == "--server-pid") {
        options.server_pid = read_number<int>(option, value, 1, 1 << 30);
    } else if (option == "--json") {
        options.json_path = value;
    } else {
        refuse("there is no option " + option + ".");
    }
}

}  // namespace

std::string_view name(Transport transport) {
    return kTransportNames[static_cast<std::size_t>(transport)];
}

std::string_view name(Scenario scenario) {
    return kScenarioNames[static_cast<std::size_t>(scenario)];
}

Options read_options(int argc, char** argv) {
    Options options;
    for (int i = 1; i < argc; i += 2) {
        const std::string option = argv[i];
        if (option == "--help") {
            std::fputs(kHelp, stdout);
            std::exit(0);
        }
        if (i + 1 == argc) refuse(option + " needs a value, or does not exist.");
        apply(options, option, argv[i + 1]);
    }
    options.server = read_address("--server", options.server_text);
    options.caller = read_address("--caller", options.caller_text);
    options.callee = read_address("--callee", options.callee_text);
    // Two operations on one user at a time would race for the same binding and CSeq.
    const bool registers = is_register(options.scenario) || needs_bindings(options.scenario);
    if (registers && options.users < options.window) {
        refuse("a scenario that registers needs at least as many users as the window is wide.");
    }
    const bool is_to_address = !registers && options.server_kind != Server::Forwarder;
    if (is_to_address && is_stream(options.transport) && options.transport != Transport::Tcp) {
        refuse("over this transport the callee is reached by its registration only.");
    }
    return options;
}

}  // namespace bench
