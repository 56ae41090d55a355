"""Kamailio as a peer's server: carrier.test on a trusted address, with the configuration e2e/kamailio/peer.cfg."""

import os
import signal
import subprocess
import time
from pathlib import Path

from link import Datagrams
from message import Message, new_branch, new_token

CONFIG = Path(__file__).resolve().parent.parent / "kamailio" / "peer.cfg"
TLS_CONFIG = """[server:default]
method = TLSv1.2+
verify_certificate = no
certificate = {folder}/carrier.pem
private_key = {folder}/carrier.key
[client:default]
method = TLSv1.2+
verify_certificate = yes
ca_list = {authority}
certificate = {folder}/carrier.pem
private_key = {folder}/carrier.key
"""


def make_certificate(folder, domain, address):
    """A self-signed certificate that names the domain and the address; gives its file."""
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", f"/CN={domain}",
                    "-addext", f"subjectAltName=DNS:{domain},IP:{address}", "-keyout", str(folder / "carrier.key"), "-out", str(folder / "carrier.pem")],
                   check=True, capture_output=True)
    return folder / "carrier.pem"


class Kamailio:
    """The running peer. A Phone takes it for its server."""

    host, port, domain, ports = "127.200.0.1", 5060, "carrier.test", {"tls": 5061}

    def __init__(self, folder):
        self.folder = folder
        self.certificate = make_certificate(folder, self.domain, self.host)
        self.log = folder / "kamailio.log"
        self.process = None

    def start(self, authority):
        """Starts it; `authority` is the file of whose certificate it believes. Comes back when it answers."""
        (self.folder / "tls.cfg").write_text(TLS_CONFIG.format(folder=self.folder, authority=authority), encoding="ascii")
        command = ["kamailio", "-f", str(CONFIG), "-DD", "-E", "-m", "64", "-M", "8", "-w", str(self.folder), "-Y", str(self.folder),
                   "-A", f'FOLDER="{self.folder}/tls.cfg"']
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True)
        self.wait_ready()
        return self

    def wait_ready(self, seconds=20):
        probe = Datagrams()
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            assert self.process.poll() is None, f"Kamailio ended with {self.process.returncode}:\n{self.output()}"
            options = Message(f"OPTIONS sip:nobody@{self.domain} SIP/2.0").add("Via", f"SIP/2.0/UDP 127.0.0.1:{probe.port};branch={new_branch()}")
            options.add("Max-Forwards", "70").add("From", f"<sip:probe@example.org>;tag={new_token()}").add("To", f"<sip:nobody@{self.domain}>")
            probe.send(options.add("Call-ID", new_token()).add("CSeq", "1 OPTIONS").render(), (self.host, self.port))
            if probe.receive(0.1):
                return probe.close()
        raise AssertionError(f"Kamailio does not answer after {seconds} s:\n{self.output()}")

    def output(self):
        return self.log.read_text(encoding="utf-8", errors="replace")[-4000:]

    def close(self):
        """Ends it and all its processes: they share the session that start() made."""
        if self.process and self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
