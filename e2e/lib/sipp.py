"""Hundreds of calls by sipp: a caller with digest credentials, a callee at a port where a phone has registered."""

import subprocess
import time
from pathlib import Path

from phone import Phone
from proof import demand, shown
from relay import LossyWire
from server import Server
from tls_bridge import TlsBridges

SCENARIOS = Path(__file__).resolve().parent.parent / "sipp"
SERVER = ("127.0.0.1", 15060)
CALLEE_PORT, CALLER_PORT = 15070, 15080
CALLEE_WIRE, CALLER_WIRE = 15071, 15081  # where the lossy wires are, when there are any, or the bridges to TLS: Debian's sipp speaks none
TLS_SERVER = ("127.0.0.1", 15061)

FIELDS = "SEQUENTIAL\nalice;{};[authentication username=alice password=a-secret]\n"   # SEQUENTIAL: sipp reads them again for each call


def register_callee(server, transport, user="bob"):
    """Registers the callee at its port, and leaves the port to sipp."""
    if transport == "udp":
        phone = Phone(server, user, "b-secret", port=CALLEE_PORT)
        phone.register_ok()
    else:
        port = CALLEE_WIRE if transport == "tls" else CALLEE_PORT
        phone = Phone(server, user, "b-secret", transport=transport)
        phone.register_ok(contact=f"<sip:{user}@127.0.0.1:{port};transport={transport}>")
    phone.close()


def register_over_wire(server):
    """Registers the callee through its wire, as often as the loss makes it necessary."""
    phone = Phone(server, "bob", "b-secret", port=CALLEE_PORT)
    phone.to = ("127.0.0.1", CALLEE_WIRE)
    for _ in range(20):
        try:
            phone.register_ok(contact=f"<sip:bob@127.0.0.1:{CALLEE_WIRE}>")
            break
        except AssertionError:
            continue
    phone.close()


def bridges_to(server):
    """Bridges before both ends of sipp: the caller's verifies the server's certificate, the callee's shows one that the server verifies."""
    certificate, key = (str(server.folder / "data" / name) for name in ("certificate.pem", "private_key.pem"))
    bridges = TlsBridges()
    bridges.from_plain(CALLER_WIRE, TLS_SERVER, certificate)
    bridges.from_tls(CALLEE_WIRE, ("127.0.0.1", CALLEE_PORT), certificate, key)
    return bridges


def start_sipp(folder, scenario, transport, port, contact_port, *arguments):
    log = (folder / f"{scenario}.log").open("wb")
    command = ["sipp", "-sf", str(SCENARIOS / f"{scenario}.xml"), "-t", "u1" if transport == "udp" else "t1", "-i", "127.0.0.1", "-p", str(port),
               "-key", "contact_port", str(contact_port), "-key", "way", transport.upper(),
               "-auth_uri", "example.test", "-nostdin", "-trace_err", "-error_file", str(folder / f"{scenario}.errors"), *arguments]
    return subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, cwd=folder)


def records_of(server, calls):
    """The records once there are that many, or what there is after twenty seconds: they are folded from the journal behind the calls, late on
    a busy machine."""
    for _ in range(200):
        records = server.calls()
        if len(records) >= calls:
            break
        time.sleep(0.1)
    return records


def run_calls(transport, calls, rate, lost_percent=0):
    """Makes the calls through a server of its own; all must be well, with one answered record each."""
    secure = {"settings": '[tls]\nca_file = "data/certificate.pem"\n', "more": {"tls": (TLS_SERVER[1], "")}} if transport == "tls" else {}
    server = Server(SERVER[1], [("alice", "a-secret"), ("bob", "b-secret")], **secure)
    callee, wires, bridges = None, [], None
    try:
        server.start()
        if lost_percent:
            wires = [LossyWire(CALLER_WIRE, ("127.0.0.1", CALLER_PORT), SERVER, lost_percent, 1),
                     LossyWire(CALLEE_WIRE, ("127.0.0.1", CALLEE_PORT), SERVER, lost_percent, 2)]
            register_over_wire(server)
        else:
            register_callee(server, transport)
        bridges = bridges_to(server) if transport == "tls" else None
        ways = (CALLER_WIRE, CALLEE_WIRE, CALLER_WIRE) if wires or bridges else (CALLER_PORT, CALLEE_PORT, SERVER[1])
        (server.folder / "fields.csv").write_text(FIELDS.format("bob@example.test"), encoding="utf-8")
        callee = start_sipp(server.folder, "callee_lossy" if wires else "callee", transport, CALLEE_PORT, ways[1])
        time.sleep(0.3)
        caller = start_sipp(server.folder, "caller", transport, CALLER_PORT, ways[0], f"127.0.0.1:{ways[2]}", "-inf", "fields.csv", "-m", str(calls),
                            "-r", str(rate), "-recv_timeout", "34000", "-timeout", "120")
        status = caller.wait(150)
        errors = server.folder / "caller.errors"
        told = errors.read_text(encoding="utf-8", errors="replace")[:2000] if errors.exists() else ""
        demand(status == 0, f"all of {calls} calls over {transport} are well (sipp ended with {status}) {told}")
        records = records_of(server, calls)
        answered = [record for record in records if record["is_answered"] and record["status"] == 200 and record["ended_by"] == "caller"]
        demand(len(records) == calls and len(answered) == calls, f"{len(answered)} answered records of {len(records)} for {calls} calls")
        stats = server.stats()
        shown(f"retransmissions absorbed: {stats['rx_request_retransmissions_total']} requests, {stats['rx_response_retransmissions_total']} responses")
        if wires:
            demand(all(wire.dropped > 20 for wire in wires), f"lost datagrams: {[wire.dropped for wire in wires]}")
        if bridges:
            demand(bridges.passed >= 2, f"{bridges.passed} connections over TLS: the caller's, and one to the callee from each shard that had calls")
        demand(server.stop() == 0, "SIGTERM ends the server with 0")
    finally:
        if bridges:
            bridges.close()
        if callee:
            callee.kill()
            callee.wait()
        server.close()


def run_callee_and_caller(server, transport, calls, rate, register_at, callee, callee_uri):
    """Makes calls from alice, a user of `server`, to a callee who registers somewhere else. Gives the number of calls; all must be well."""
    register_callee(register_at, transport, callee)
    folder = server.folder / f"sipp-{transport}"
    folder.mkdir()
    (folder / "fields.csv").write_text(FIELDS.format(callee_uri), encoding="utf-8")
    called = start_sipp(folder, "callee", transport, CALLEE_PORT, CALLEE_PORT)
    try:
        time.sleep(0.3)
        caller = start_sipp(folder, "caller", transport, CALLER_PORT, CALLER_PORT, f"127.0.0.1:{SERVER[1]}", "-inf", "fields.csv", "-m", str(calls),
                            "-r", str(rate), "-recv_timeout", "34000", "-timeout", "60")
        status = caller.wait(90)
        errors = folder / "caller.errors"
        assert status == 0, f"sipp ended with {status}: {errors.read_text(encoding='utf-8', errors='replace')[:2000] if errors.exists() else ''}"
    finally:
        called.kill()
        called.wait()
    return calls
