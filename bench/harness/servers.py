"""The three servers that bench/compare measures: the raw forwarder, Kamailio and Signalbox."""

import os
import pathlib
import re
import shutil
import signal
import subprocess
import time

from harness import certificates, scenarios
from harness.unavailable import Unavailable

ROOT = pathlib.Path(__file__).resolve().parents[2]
START_SECONDS_MAX = 20
STOP_SECONDS_MAX = 10
TCP_LISTENING = "0A"  # in /proc/net/tcp
# Longer than the kernel remembers a connection that the server of the run before closed itself: Kamailio cannot listen then.
PORT_SECONDS_MAX = 70
# Processes of Kamailio that read from streams: on one processor each more than this made it dearer or no cheaper.
KAMAILIO_WORKERS = 1
# Octets that Kamailio reads at once from a stream; its own 4096 made it a little dearer.
KAMAILIO_READ_BYTES = 16384
# Of the size of its table of registrations: about as many lines as there are users.
KAMAILIO_HASH_BITS_MIN = 14


class Settings:
    """Ports, processors and paths of one comparison."""

    def __init__(self, port, users, server_cpu, load_cpu, work, programs, signalbox, transport="udp",
                 kamailio_workers=KAMAILIO_WORKERS, kamailio_script="equal"):
        self.port = port
        self.caller_port = port + 11
        self.callee_port = port + 12
        self.users = users
        self.server_cpu = server_cpu
        self.load_cpu = load_cpu
        self.work = pathlib.Path(work)
        self.programs = pathlib.Path(programs)
        self.signalbox = pathlib.Path(signalbox)
        self.transport = transport
        self.kamailio_workers = kamailio_workers
        self.kamailio_script = kamailio_script
        self.shards = 0  # of Signalbox; 0: its default, one for each processor it may use


class Server:
    """One server under test. start() and stop() enclose a run; each run has a fresh process and a fresh folder."""

    name = ""

    def kind(self, scenario):
        """What the load program must expect."""
        return scenario.kind

    def __init__(self, settings):
        self.settings = settings
        self.process = None
        self.folder = None

    def check(self):
        """Raises Unavailable when this server cannot run here."""

    def version(self):
        return ""

    def can(self, scenario):
        """Whether the row has a place for this server."""
        return self.settings.transport in scenario.transports

    def command(self, scenario):
        raise NotImplementedError

    def is_bound(self):
        return is_bound(self.settings.port, self.settings.transport)

    def start(self, name):
        """Starts it for the scenario of that name and waits until it listens."""
        scenario = scenarios.BY_NAME[name]
        self.folder = self.settings.work / f"{self.name}-{name}"
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        command = pinned(self.settings.server_cpu, self.command(scenario))
        wait_until(lambda: not has_connections(self.settings.port), PORT_SECONDS_MAX)
        with open(self.folder / "output.txt", "wb") as output:
            self.process = subprocess.Popen(
                command, cwd=self.folder, stdin=subprocess.DEVNULL, stdout=output,
                stderr=subprocess.STDOUT, start_new_session=True)
        # Users are read before the port opens.
        patience = START_SECONDS_MAX + self.settings.users / 5000
        deadline = time.monotonic() + patience
        while not self.is_bound():
            if self.process.poll() is not None:
                raise Unavailable(f"{self.name} ended while starting: {self.last_output()}")
            if time.monotonic() > deadline:
                raise Unavailable(f"{self.name} did not open its port within {patience:.0f} s.")
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
        wait_until(lambda: not self.is_bound(), STOP_SECONDS_MAX)

    def last_output(self):
        text = (self.folder / "output.txt").read_text(errors="replace").strip()
        return " / ".join(text.splitlines()[-4:]) or "it printed nothing"


class Floor(Server):
    name = "floor"

    def kind(self, scenario):
        return "forwarder"

    def can(self, scenario):
        return self.settings.transport == "udp"

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
        packages = ["kamailio"]
        if self.settings.transport in ("tls", "wss"):
            packages.append("kamailio-tls-modules")
        if self.settings.transport in ("ws", "wss"):
            packages.append("kamailio-websocket-modules")
        missing = [package for package in packages if not is_installed(package)]
        if missing:
            install(missing)

    def version(self):
        text = subprocess.run(["kamailio", "-V"], capture_output=True, text=True).stdout
        found = re.search(r"kamailio (\S+)", text)
        return found.group(1) if found else "unknown"

    def command(self, scenario):
        # -DD: the first process stays ours to end; 4 GB of shared memory hold 5 s of finished transactions.
        return ["kamailio", "-f", ROOT / "bench" / "kamailio" / f"{scenario.configuration}.cfg", "-DD", "-E",
                "-x", "tlsf", "-X", "tlsf", "-m", "4096", "-M", "32", "-w", self.folder, "-Y", self.folder,
                *self.definitions()]

    def definitions(self):
        settings = self.settings
        socket = {"udp": "udp", "tcp": "tcp", "ws": "tcp", "tls": "tls", "wss": "tls"}[settings.transport]
        values = [f"LISTEN={socket}:127.0.0.1:{settings.port}", f"USERS={settings.users}",
                  f"HASH_BITS={max(KAMAILIO_HASH_BITS_MIN, settings.users.bit_length())}"]
        if settings.kamailio_script == "equal":
            values.append("EQUAL_WORK")
        if settings.transport != "udp":
            values += ["WITH_STREAM", f"WORKERS={settings.kamailio_workers}", f"READ_BYTES={KAMAILIO_READ_BYTES}"]
        if socket == "tls":
            certificate, key = certificates.make(settings.work)
            values += ["WITH_TLS", f'CERTIFICATE="{certificate}"', f'PRIVATE_KEY="{key}"']
        if settings.transport in ("ws", "wss"):
            values.append("WITH_WEB_SOCKET")
        return [part for value in values for part in ("-A", value)]


class Signalbox(Server):
    name = "signalbox"

    def check(self):
        if not self.settings.signalbox.exists():
            raise Unavailable(f"{self.settings.signalbox} does not exist: ./run --build makes it.")

    def version(self):
        result = subprocess.run([self.settings.signalbox, "version"], capture_output=True, text=True)
        return (result.stdout.strip().splitlines() or ["unknown"])[0].removeprefix("signalbox ")

    def command(self, scenario):
        config = self.folder / "signalbox.toml"
        config.write_text(signalbox_config(self.settings, scenario))
        users = (f"u{i},secret-{i}\n" for i in range(self.settings.users))
        (self.folder / "users.csv").write_text("".join(users))
        if scenario.engine == "sqlite":
            self.import_users(config)
        return [self.settings.signalbox, "--config", config, "run"]

    def import_users(self, config):
        result = subprocess.run([self.settings.signalbox, "--config", config, "user", "import", "users.csv"],
                                cwd=self.folder, capture_output=True, text=True)
        if result.returncode != 0:
            raise Unavailable("signalbox did not import the users: " + (result.stdout + result.stderr).strip()[-200:])


SERVERS = {server.name: server for server in (Floor, Kamailio, Signalbox)}


def signalbox_config(settings, scenario):
    """The defaults for all but domains, addresses, users, peers, mode, algorithms, engine and, where it is measured, shards."""
    text = f"""domains = ["example.test"]
data_dir = "data"
shards = {settings.shards}

[[listen]]
transport = "{settings.transport}"
address = "127.0.0.1:{settings.port}"
"""
    if settings.transport in ("tls", "wss"):
        certificate, key = certificates.make(settings.work)
        text += f'certificate = "{certificate}"\nprivate_key = "{key}"\n'
    text += f'\n[store]\nengine = "{scenario.engine}"\n'
    if scenario.engine == "memory":
        text += 'users_file = "users.csv"\n'
    if not scenario.is_challenged:
        text += '\n[[trusted]]\nnetwork = "127.0.0.0/8"\n'
    return text + scenario.signalbox


def pinned(cpu, command):
    prefix = [] if cpu is None else ["taskset", "-c", str(cpu)]
    return prefix + [str(part) for part in command]


def is_bound(port, transport="udp"):
    """True when some process holds the port on 127.0.0.1 or on all addresses; of streams, when it listens there."""
    wanted = {f"0100007F:{port:04X}", f"00000000:{port:04X}"}
    is_udp = transport == "udp"
    lines = pathlib.Path("/proc/net/udp" if is_udp else "/proc/net/tcp").read_text().splitlines()[1:]
    fields = (line.split() for line in lines)
    return any(field[1] in wanted and (is_udp or field[3] == TCP_LISTENING) for field in fields)


def has_connections(port):
    """True while the kernel knows a TCP connection whose local port this is, open or closed just now."""
    lines = pathlib.Path("/proc/net/tcp").read_text().splitlines()[1:]
    return any(line.split()[1].endswith(f":{port:04X}") and line.split()[3] != TCP_LISTENING for line in lines)


def wait_until(holds, seconds_max):
    deadline = time.monotonic() + seconds_max
    while not holds() and time.monotonic() < deadline:
        time.sleep(0.02)


def is_installed(package):
    result = subprocess.run(["dpkg-query", "-W", "-f", "${Status}", package], capture_output=True, text=True)
    return result.stdout.endswith("ok installed")


def install(packages):
    """Installs Debian's packages. Raises Unavailable with a plain sentence when that is impossible."""
    names = " and ".join(packages)
    command = ["apt-get", "install", "-y", "--no-install-recommends", "-o", "DPkg::Lock::Timeout=300", *packages]
    if os.geteuid() != 0:
        if shutil.which("sudo") is None:
            raise Unavailable(f"{names} is not installed, and neither root nor sudo is at hand to install it.")
        command.insert(0, "sudo")
    print(f"{names} is absent: installing it by apt-get.", flush=True)
    environment = dict(os.environ, DEBIAN_FRONTEND="noninteractive")
    result = subprocess.run(command, env=environment, capture_output=True, text=True)
    if result.returncode != 0 or not all(is_installed(package) for package in packages):
        lines = (result.stderr or result.stdout).strip().splitlines()
        raise Unavailable(f"{names} could not be installed: " + (lines[-1] if lines else "apt-get gave no reason"))
