// Which process holds a port, for the message that says why a start failed.
#pragma once

#include <string>
#include <string_view>

#include "transport/flow.h"

namespace signalbox::node {

/// "kamailio (pid 123)"; "a program of the user asterisk" where the system shows no more of other
/// users' processes; "another program" when it tells nothing.
std::string port_holder(transport::Transport transport, const Endpoint& endpoint);

/// One line of /proc/net/udp, udp6, tcp or tcp6. False when it is none (the heading).
struct ProcSocket {
    Endpoint local;
    bool is_listening = false;  // TCP in state LISTEN; UDP always
    uint64_t inode = 0;
    uint32_t user = 0;  // whose it is
};
bool parse_proc_socket(std::string_view line, transport::Transport transport, ProcSocket& out);

/// True when a socket bound to `held` keeps another from binding `wanted`.
bool is_conflicting(const Endpoint& held, const Endpoint& wanted);

/// The sentence for a listener that could not be opened: what, why (`error` is an errno), and the
/// way out.
std::string listen_failure(transport::Transport transport, const Endpoint& endpoint, int error);

}  // namespace signalbox::node
