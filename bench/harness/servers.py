"""The three servers that bench/compare measures: the raw forwarder, Kamailio and Signalbox."""

import os
import pathlib
import re
import shutil
import signal
import subprocess
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
START_SECONDS_MAX = 20
STOP_SECONDS_MAX = 10
SCENARIOS = ("call", "call-lookup", "options", "message", "register", "register-auth")


class Unavailable(Exception):
    """A server cannot be run here; the text says why."""


class Settings:
    """Ports, processors and paths of one comparison."""

    def __init__(self, port, users, server_cpu, load_cpu, work, programs, signalbox):
        self.port = port
        self.caller_port = port + 11
        self.callee_port = port + 12
        self.users = users
        self.server_cpu = server_cpu
        self.load_cpu = load_cpu
        self.work = pathlib.Path(work)
        self.programs = pathlib.Path(programs)
        self.signalbox = pathlib.Path(signalbox)


class Server:
    """One server under test. start() and stop() enclose a run; each run has a fresh process and a fresh folder."""

    name = ""
    kind = "stateful"  # what the load program must expect

    def __init__(self, settings):
        self.settings = settings
        self.process = None
        self.folder = None

    def check(self):
        """Raises Unavailable when this server cannot run here."""

    def version(self):
        return ""

    def command(self, scenario):
        raise NotImplementedError

    def start(self, scenario):
        self.folder = self.settings.work / f"{self.name}-{scenario}"
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        command = pinned(self.settings.server_cpu, self.command(scenario))
        with open(self.folder / "output.txt", "wb") as output:
            self.process = subprocess.Popen(
                command, cwd=self.folder, stdin=subprocess.DEVNULL, stdout=output,
                stderr=subprocess.STDOUT, start_new_session=True)
        deadline = time.monotonic() + START_SECONDS_MAX
        while not is_bound(self.settings.port):
            if self.process.poll() is not None:
                raise Unavailable(f"{self.name} ended while starting: {self.last_output()}")
            if time.monotonic() > deadline:
                raise Unavailable(f"{self.name} did not open its port within {START_SECONDS_MAX} s.")
            time.sleep(0.02)
        time.sleep(0.2)

    def stop(self):
        """Ends the process and every descendant: they share the session that start() made."""
        if self.process is None:
            return
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(STOP_SECONDS_MAX)
            except subprocess.TimeoutExpired:
                pass
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()
        self.process = None
        deadline = time.monotonic() + STOP_SECONDS_MAX
        while is_bound(self.settings.port) and time.monotonic() < deadline:
            time.sleep(0.02)

    def last_output(self):
        text = (self.folder / "output.txt").read_text(errors="replace").strip()
        return " / ".join(text.splitlines()[-4:]) or "it printed nothing"


class Floor(Server):
    name = "floor"
    kind = "forwarder"

    def check(self):
        if not (self.settings.programs / "signalbox-forwarder").exists():
            raise Unavailable("The raw forwarder is not built.")

    def command(self, scenario):
        settings = self.settings
        return [settings.programs / "signalbox-forwarder", settings.port, settings.caller_port,
                settings.callee_port]


class Kamailio(Server):
    name = "kamailio"

    def check(self):
        if shutil.which("kamailio") is None:
            install_kamailio()

    def version(self):
        text = subprocess.run(["kamailio", "-V"], capture_output=True, text=True).stdout
        found = re.search(r"kamailio (\S+)", text)
        return found.group(1) if found else "unknown"

    def command(self, scenario):
        # -DD: the first process stays ours to end; 2 GB of shared memory hold 5 s of finished transactions.
        return ["kamailio", "-f", ROOT / "bench" / "kamailio" / f"{scenario}.cfg", "-DD", "-E",
                "-x", "tlsf", "-X", "tlsf", "-m", "2048", "-M", "32", "-w", self.folder,
                "-Y", self.folder, "-A", f"LISTEN=udp:127.0.0.1:{self.settings.port}",
                "-A", f"USERS={self.settings.users}"]


class Signalbox(Server):
    name = "signalbox"

    def check(self):
        if not self.settings.signalbox.exists():
            raise Unavailable(f"{self.settings.signalbox} does not exist: ./run --build makes it.")

    def version(self):
        result = subprocess.run([self.settings.signalbox, "version"], capture_output=True, text=True)
        return (result.stdout.strip().splitlines() or ["unknown"])[0]

    def command(self, scenario):
        config = self.folder / "signalbox.toml"
        config.write_text(signalbox_config(self.settings.port, scenario))
        users = (f"u{i},secret-{i}\n" for i in range(self.settings.users))
        (self.folder / "users.csv").write_text("".join(users))
        return [self.settings.signalbox, "--config", config, "run"]


SERVERS = {server.name: server for server in (Floor, Kamailio, Signalbox)}


def signalbox_config(port, scenario):
    """The defaults for all but domains, addresses, users, peers and engine."""
    text = f"""domains = ["example.test"]
data_dir = "data"

[[listen]]
transport = "udp"
address = "127.0.0.1:{port}"

[store]
engine = "memory"
users_file = "users.csv"
"""
    if scenario != "register-auth":
        text += '\n[[trusted]]\nnetwork = "127.0.0.0/8"\n'
    return text


def pinned(cpu, command):
    prefix = [] if cpu is None else ["taskset", "-c", str(cpu)]
    return prefix + [str(part) for part in command]


def is_bound(port):
    """True when some process holds the UDP port on 127.0.0.1 or on all addresses."""
    wanted = {f"0100007F:{port:04X}", f"00000000:{port:04X}"}
    lines = pathlib.Path("/proc/net/udp").read_text().splitlines()[1:]
    return any(line.split()[1] in wanted for line in lines)


def install_kamailio():
    """Installs Debian's package. Raises Unavailable with a plain sentence when that is impossible."""
    command = ["apt-get", "install", "-y", "--no-install-recommends", "kamailio"]
    if os.geteuid() != 0:
        if shutil.which("sudo") is None:
            raise Unavailable("Kamailio is not installed, and neither root nor sudo is at hand to install it.")
        command.insert(0, "sudo")
    print("Kamailio is absent: installing it by apt-get.", flush=True)
    environment = dict(os.environ, DEBIAN_FRONTEND="noninteractive")
    result = subprocess.run(command, env=environment, capture_output=True, text=True)
    if result.returncode != 0 or shutil.which("kamailio") is None:
        lines = (result.stderr or result.stdout).strip().splitlines()
        raise Unavailable("Kamailio could not be installed: " + (lines[-1] if lines else "apt-get gave no reason"))
