"""The server under test: a data directory, a configuration, a process, and the program's own commands."""

import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

from link import Datagrams
from message import Message, new_branch, new_token

PROGRAM = os.environ.get("SIGNALBOX") or str(Path(__file__).resolve().parents[2] / "build" / "release" / "signalbox")
READY_SECONDS = 10


class Server:
    """One server with its configuration in a folder of its own, which close() removes."""

    def __init__(self, port=15060, users=(), settings="", domain="example.test", host="127.0.0.1", transports=("udp", "tcp"),
                 domains=None, folder=None, more=None):
        """`more`: other listeners, {"wss": (port, "origins = [...]\\n")}."""
        self.host, self.port, self.domain = "127.0.0.1" if host == "0.0.0.0" else host, port, domain
        self.folder = Path(folder or tempfile.mkdtemp(prefix="signalbox-e2e-"))
        self.owns_folder = folder is None
        self.config = self.folder / "signalbox.toml"
        self.log = self.folder / "server.log"
        self.process = None
        bound = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        listens = "".join(f'[[listen]]\ntransport = "{name}"\naddress = "{bound}"\n' for name in transports)
        self.ports = {name: other for name, (other, _) in (more or {}).items()}
        listens += "".join(f'[[listen]]\ntransport = "{name}"\naddress = "{host}:{other}"\n{keys}' for name, (other, keys) in (more or {}).items())
        self.base = f"domains = {json.dumps(domains or [domain])}\ndata_dir = \"data\"\n"
        self.write_config(self.base + listens + settings)
        if users:
            self.import_users(users)

    def port_of(self, transport):
        return self.ports.get(transport, self.port)

    # The program.
    def write_config(self, text):
        self.text = text
        self.config.write_text(text, encoding="utf-8")

    def command(self, *arguments, text=None, seconds=60):
        return subprocess.run([PROGRAM, "--config", str(self.config), *arguments], input=text, capture_output=True, text=True,
                              timeout=seconds, check=False)

    def must(self, *arguments, **more):
        result = self.command(*arguments, **more)
        assert result.returncode == 0, f"signalbox {' '.join(arguments)} ended with {result.returncode}: {result.stderr}{result.stdout}"
        return result.stdout

    def import_users(self, users):
        """Users as (name, password) pairs."""
        path = self.folder / "import.csv"
        path.write_text("".join(f"{name},{password}\n" for name, password in users), encoding="utf-8")
        self.must("user", "import", str(path))

    def json(self, *arguments):
        return json.loads(self.must(*arguments, "--json") or "null")

    def calls(self):
        found = self.json("calls")
        return found["calls"] if isinstance(found, dict) else found

    def registrations(self):
        found = self.json("registrations")
        return found["registrations"] if isinstance(found, dict) else found

    def stats(self):
        found = self.json("stats")
        return {**found.get("counters", {}), **found.get("gauges", {}), **{k: v for k, v in found.items() if isinstance(v, (int, float))}}

    # The process.
    def start(self, wait=True):
        with self.log.open("ab") as log:
            self.process = subprocess.Popen([PROGRAM, "--config", str(self.config), "run"], stdout=log, stderr=log,
                                            stdin=subprocess.DEVNULL)
        if wait:
            self.wait_ready()
        return self

    def wait_ready(self):
        """Until an OPTIONS is answered. Gives the seconds it took."""
        began = time.monotonic()
        probe = Datagrams(self.host)
        try:
            while time.monotonic() - began < READY_SECONDS:
                assert self.process.poll() is None, f"the server ended with {self.process.returncode}:\n{self.output()}"
                try:
                    probe.send(self.options(probe), (self.host, self.port))
                except ConnectionError:
                    pass
                if probe.receive(0.05):
                    return time.monotonic() - began
            raise AssertionError(f"the server does not answer after {READY_SECONDS} s:\n{self.output()}")
        finally:
            probe.close()

    def options(self, probe):
        host = f"[{self.host}]" if ":" in self.host else self.host
        message = Message(f"OPTIONS sip:{host}:{self.port} SIP/2.0")
        message.add("Via", f"SIP/2.0/UDP {host}:{probe.port};branch={new_branch()};rport").add("Max-Forwards", "70")
        message.add("From", f"<sip:probe@example.org>;tag={new_token()}").add("To", f"<sip:{host}:{self.port}>")
        return message.add("Call-ID", new_token("probe-")).add("CSeq", "1 OPTIONS").render()

    def is_alive(self):
        return self.process.poll() is None

    def output(self):
        return self.log.read_text(encoding="utf-8", errors="replace") if self.log.exists() else ""

    def wait_output(self, pattern, seconds=5, after=0):
        """Until the output from offset `after` on matches; gives the match or None."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            found = re.search(pattern, self.output()[after:], re.IGNORECASE)
            if found:
                return found
            time.sleep(0.02)
        return None

    def hang_up(self):
        """SIGHUP: reads the configuration again."""
        self.process.send_signal(signal.SIGHUP)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self, seconds=10):
        """SIGTERM; gives the exit status."""
        if self.process.poll() is None:
            self.process.terminate()
        return self.process.wait(seconds)

    def close(self):
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        if self.owns_folder:
            shutil.rmtree(self.folder, ignore_errors=True)


def resident_kib(process):
    """The resident memory of a process in KiB."""
    for line in Path(f"/proc/{process.pid}/status").read_text(encoding="utf-8").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    return 0
