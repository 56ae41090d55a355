"""A baresip phone: its configuration, its commands, what it heard."""

import contextlib
import json
import re
import socket
import subprocess
import time
from pathlib import Path

from tones import write_tone

TONES = {0: 440, 1: 1000, 2: 1500}
CONFIG = """sip_listen {host}:{port}
net_interface {host}
audio_path /usr/share/baresip
audio_player aubridge,sink
audio_source aufile,{folder}/tone.wav
audio_alert aubridge,alert
ausrc_srate 8000
auplay_srate 8000
ausrc_channels 1
auplay_channels 1
snd_path {folder}/heard
rtp_ports {rtp}-{rtp_end}
module_path {modules}
module g711.so
module aufile.so
module aubridge.so
module sndfile.so
module_tmp account.so
module_app menu.so
module_app ctrl_tcp.so
ctrl_tcp_listen 127.0.0.1:{control}
"""


class Baresip:
    """One phone with a configuration directory of its own, commanded over its control port."""

    def __init__(self, place, number, user, password, address, settings="", keys="", host="127.0.0.1", network=None):
        """`address`: of the account, between the user and the closing bracket. `settings`: lines of the configuration. `keys`: of the account.
        `host`: its own address. `network`: in which it lives."""
        self.folder = Path(place) / f"phone{number}"
        (self.folder / "heard").mkdir(parents=True)
        self.user = user
        self.network = network or contextlib.nullcontext()
        self.control = 16440 + number
        modules = next(Path("/usr/lib").rglob("baresip/modules/g711.so")).parent
        port = 16060 + 2 * number
        config = CONFIG.format(host=host, port=port, folder=self.folder, rtp=17000 + 100 * number, rtp_end=17090 + 100 * number, modules=modules,
                               control=self.control)
        (self.folder / "config").write_text(config + settings, encoding="utf-8")
        mode = "auto" if number else "manual"
        (self.folder / "accounts").write_text(
            f"<sip:{user}@{address}>;auth_user={user};auth_pass={password};regint=600;answermode={mode};audio_codecs=PCMA{keys}\n", encoding="utf-8")
        (self.folder / "contacts").write_text("", encoding="utf-8")
        write_tone(self.folder / "tone.wav", TONES[number])
        self.log = self.folder / "log"
        with self.log.open("wb") as log, self.network:
            self.process = subprocess.Popen(["baresip", "-f", str(self.folder)], stdout=log, stderr=log, stdin=subprocess.DEVNULL)

    def said(self, pattern, seconds=8, times=1):
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if len(re.findall(pattern, self.log.read_text(encoding="utf-8", errors="replace"))) >= times:
                return True
            time.sleep(0.05)
        return False

    def command(self, name, parameters=""):
        data = json.dumps({"command": name, "params": parameters, "token": "e2e"}).encode()
        with self.network:
            connection = socket.create_connection(("127.0.0.1", self.control), timeout=5)
        with connection:
            connection.sendall(b"%d:%s," % (len(data), data))
            connection.recv(4096)

    def has_heard(self, octets, seconds=15):
        """Until so much is recorded."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if any(path.stat().st_size >= octets for path in (self.folder / "heard").glob("*-dec.wav")):
                return True
            time.sleep(0.05)
        return False

    def heard(self):
        found = list((self.folder / "heard").glob("*-dec.wav"))
        assert found, f"{self.user} recorded nothing: {self.log.read_text(encoding='utf-8', errors='replace')[-1500:]}"
        return found[0]

    def end(self):
        self.process.terminate()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
