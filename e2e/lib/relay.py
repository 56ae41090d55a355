"""A lossy wire: a UDP relay between a phone and the server that drops a share of all datagrams, the same ones for the same seed."""

import random
import socket
import threading


class LossyWire:
    """Binds `port`; what comes from the server goes to the phone, all else to the server."""

    def __init__(self, port, phone, server, percent, seed):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        self.socket.bind(("127.0.0.1", port))
        self.phone, self.server = phone, server
        self.chance, self.random = percent / 100, random.Random(seed)
        self.passed = self.dropped = 0
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while True:
            try:
                data, source = self.socket.recvfrom(65535)
            except ConnectionError:
                continue
            except OSError:
                return
            if self.random.random() < self.chance:
                self.dropped += 1
                continue
            self.passed += 1
            self.socket.sendto(data, self.phone if source == self.server else self.server)
