"""Signalbox and Kamailio as servers of phones over streams, and the phones."""

import json
import shutil
import subprocess

from harness import servers

from idle import memory

# Ports beside the one for UDP and TCP.
TLS, WEB = 1, 2
PORTS = {"tcp": 0, "tls": TLS, "ws": WEB}
PHONE_SECONDS_MAX = 180


def make_certificate(folder):
    """One for both servers, with a key as Signalbox makes for itself."""
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30",
                    "-subj", "/CN=example.test", "-addext", "subjectAltName=DNS:example.test",
                    "-keyout", folder / "key.pem", "-out", folder / "certificate.pem"], check=True, capture_output=True)


class Signalbox(servers.Signalbox):
    """Its defaults for all but what a comparison must settle, and listeners for streams."""

    def __init__(self, settings, extra=""):
        super().__init__(settings)
        self.extra = extra

    def command(self, scenario):
        command = super().command(scenario)
        make_certificate(self.folder)
        config = self.folder / "signalbox.toml"
        text = config.read_text() + self.extra
        for transport, offset in PORTS.items():
            text += f'\n[[listen]]\ntransport = "{transport}"\naddress = "127.0.0.1:{self.settings.port + offset}"\n'
            if transport == "tls":
                text += 'certificate = "certificate.pem"\nprivate_key = "key.pem"\n'
        config.write_text(text)
        return command


class Kamailio(servers.Kamailio):
    def __init__(self, settings, connections):
        super().__init__(settings)
        self.connections = connections

    def check(self):
        super().check()
        modules = [path for path in ("tls.so", "websocket.so")
                   if not list(servers.pathlib.Path("/usr/lib").glob(f"*/kamailio/modules/{path}"))]
        if not modules:
            return
        print("Kamailio's modules for TLS and WebSocket are absent: installing them by apt-get.", flush=True)
        subprocess.run(["apt-get", "install", "-y", "--no-install-recommends", "-o", "DPkg::Lock::Timeout=300",
                        "kamailio-tls-modules", "kamailio-websocket-modules"], check=True, capture_output=True)

    def command(self, scenario):
        make_certificate(self.folder)
        port = self.settings.port
        config = self.folder / "streams.cfg"
        shutil.copy(servers.ROOT / "bench" / "idle" / "kamailio" / "streams.cfg", config)
        return ["kamailio", "-f", config, "-DD", "-E", "-x", "tlsf", "-X", "tlsf", "-m", "3072", "-M", "64",
                "-w", self.folder, "-Y", self.folder,
                "-A", f"LISTEN=udp:127.0.0.1:{port}", "-A", f"LISTEN_PLAIN=tcp:127.0.0.1:{port}",
                "-A", f"LISTEN_SECURE=tls:127.0.0.1:{port + TLS}", "-A", f"LISTEN_WEB=tcp:127.0.0.1:{port + WEB}",
                "-A", f"CONNECTIONS={self.connections}"]


class Phones:
    """The program signalbox-idle, told what to do. Use it as a context."""

    def __init__(self, settings, transport, count, sources=64, resumes=False):
        self.transport = transport
        command = ["nice", "-n", "5", settings.programs / "signalbox-idle", transport, "127.0.0.1",
                   settings.port + PORTS[transport], count, sources, int(resumes)]
        self.process = subprocess.Popen(servers.pinned(settings.load_cpu, command), stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def ask(self, line):
        self.tell(line)
        return self.answer()

    def tell(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def answer(self):
        text = self.process.stdout.readline()
        if not text:
            raise servers.Unavailable(f"the phones over {self.transport} ended.")
        return json.loads(text)

    def open(self, count, window):
        return self.ask(f"open {count} {window} {PHONE_SECONDS_MAX}")


def held(server):
    return memory.settled_bytes(server.process.pid)
