"""The servers that the rules ask, each with a configuration of its own, and all modules of rules."""

from rules import World, run_rules
from server import Server

import rules_cancel  # noqa: F401
import rules_digest  # noqa: F401
import rules_forking  # noqa: F401
import rules_identity  # noqa: F401
import rules_outbound  # noqa: F401
import rules_peers  # noqa: F401
import rules_proxy  # noqa: F401
import rules_registrar  # noqa: F401
import rules_responses  # noqa: F401
import rules_secure  # noqa: F401
import rules_transactions  # noqa: F401
import rules_transport  # noqa: F401
import rules_validation  # noqa: F401

TRUST = '[[trusted]]\nnetwork = "127.200.0.0/16"\n'
QUICK = '[registrar]\nexpires_min = "1s"\n[auth]\nnonce_lifetime = "2s"\n[timers]\nt1 = "50ms"\nc = "4s"\n'
SECURE = '[tls]\nca_file = "data/certificate.pem"\n'
IMPATIENT = '[limits]\nhandshake_timeout = "1s"\nfirst_message_timeout = "1s"\nmessage_timeout = "1s"\nconnections_per_source = 5\n'
# Which ports of these servers speak what, for those who read a capture.
PORTS = {"udp": {15060, 15160, 15260, 15360, 15460, 15560, 15660, 15760, 15860, 15960, 16360, 16460, 14060},
         "tcp": {15060, 15160, 15260, 15360, 15460, 15560, 15660, 15860, 15960, 16360, 16460, 14060},
         "ws": {15962, 14062}, "tls": {15961, 14061, 14161}, "wss": {15963}}
UNRECORDED = {"127.0.0.1:15460"}   # does not stay in the path of calls
FOUR = '[[listen]]\ntransport = "udp"\naddress = "127.0.0.1:{port}"\n'


def make_servers():
    """The servers by name, not started, and their users."""
    users = [(f"u{number:04}", f"secret-{number}") for number in range(2000)]
    servers = {
        "main": Server(15060, users, TRUST),
        "quick": Server(15160, users, TRUST + QUICK),
        "strong": Server(15260, users, '[auth]\nalgorithms = ["SHA-256", "MD5"]\n'),
        "guard": Server(15360, users),
        "hostile": Server(15860, users, TRUST),
        "forking": Server(16360, users, TRUST + '[proxy]\nrecurse = true\n[forking]\nring_time = "1s"\n'),
        "redirect": Server(16460, users, TRUST + '[proxy]\nmode = "redirect"\n'),
        "closed": Server(15460, users, TRUST + '[proxy]\ninbound = "trusted"\nrecord_route = false\n'),
        "secure": Server(15960, users, TRUST + SECURE, more={"tls": (15961, ""), "ws": (15962, 'origins = ["https://phone.example.test"]\n'),
                                                             "wss": (15963, "")}),
        "impatient": Server(14060, users, IMPATIENT, more={"tls": (14061, ""), "ws": (14062, "")}),
        "six": Server(15560, users, FOUR.format(port=15560), host="::1"),
        "wild": Server(15660, users, host="0.0.0.0"),
        "advertised": Server(15760, users, transports=(), settings='[[listen]]\ntransport = "udp"\naddress = "127.0.0.1:15760"\n'
                             'advertise = "203.0.113.7:5060"\n'),
    }
    return servers, users


def ask_all(without=()):
    """Starts the servers, runs the rules, and stops them. Gives the number of failures, those of servers that did not end well too.
    `without`: names of rules that are left out."""
    servers, users = make_servers()
    try:
        for server in servers.values():
            server.start()
        failed = run_rules(World(servers, users), without)
        for name, server in servers.items():
            if not server.is_alive():
                print(f"the server {name} ended with {server.process.returncode}:\n{server.output()[-2000:]}")
                failed += 1
            elif server.stop() != 0:
                print(f"the server {name} did not end well: {server.process.returncode}")
                failed += 1
    finally:
        for server in servers.values():
            server.close()
    return failed
