"""A small DNS server (RFC 1035) over UDP and TCP: it answers from a table, or is silent about names that hang."""

import ipaddress
import socket
import struct
import threading

A, SOA, AAAA, SRV, NAPTR = 1, 6, 28, 33, 35


def name_octets(name):
    labels = [label.encode() for label in name.strip(".").split(".") if label]
    return b"".join(bytes([len(label)]) + label for label in labels) + b"\0"


def text_octets(text):
    return bytes([len(text)]) + text.encode()


def srv(priority, weight, port, target):
    return SRV, struct.pack(">HHH", priority, weight, port) + name_octets(target)


def naptr(order, preference, service, replacement, flags="s"):
    return NAPTR, (struct.pack(">HH", order, preference) + text_octets(flags) + text_octets(service) + text_octets("")
                   + name_octets(replacement))


def address(text):
    parsed = ipaddress.ip_address(text)
    return (A if parsed.version == 4 else AAAA), parsed.packed


class NameServer:
    """Serves in threads of its own until close(). `zone`: name -> list of records; `hangs`: texts that stand in names left unanswered."""

    def __init__(self, host="127.0.0.53", port=53, ttl=1):
        self.host, self.port, self.ttl = host, port, ttl
        self.zone, self.hangs = {}, set()
        self.truncates = set()   # names whose answers fit no datagram
        self.asked = []          # (name, type, "udp" or "tcp")
        self.datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.datagrams.bind((host, port))
        self.streams = socket.create_server((host, port))
        for serve in (self.serve_datagrams, self.serve_streams):
            threading.Thread(target=serve, daemon=True).start()

    def close(self):
        self.datagrams.close()
        self.streams.close()

    def serve_datagrams(self):
        while True:
            try:
                question, client = self.datagrams.recvfrom(4096)
                answer = self.answer(question, "udp")
                if answer:
                    self.datagrams.sendto(answer, client)
            except OSError:
                return

    def serve_streams(self):
        while True:
            try:
                stream, _ = self.streams.accept()
            except OSError:
                return
            threading.Thread(target=self.serve_stream, args=(stream,), daemon=True).start()

    def serve_stream(self, stream):
        with stream, stream.makefile("rb") as octets:
            while len(size := octets.read(2)) == 2:
                answer = self.answer(octets.read(struct.unpack(">H", size)[0]), "tcp")
                if answer:
                    stream.sendall(struct.pack(">H", len(answer)) + answer)

    def answer(self, question, transport):
        labels, at = [], 12
        while question[at]:
            labels.append(question[at + 1:at + 1 + question[at]].decode())
            at += 1 + question[at]
        name = ".".join(labels).lower()
        kind = struct.unpack(">H", question[at + 1:at + 3])[0]
        self.asked.append((name, kind, transport))
        if any(part in name for part in self.hangs):
            return None
        asked = question[12:at + 5]
        records = [data for record, data in self.zone.get(name, []) if record == kind]
        if transport == "udp" and name in self.truncates:
            return question[:2] + struct.pack(">HHHHH", 0x8380, 1, 0, 0, 0) + asked
        body = b"".join(b"\xc0\x0c" + struct.pack(">HHIH", kind, 1, self.ttl, len(data)) + data for data in records)
        code = 0 if name in self.zone else 3
        return question[:2] + struct.pack(">HHHHH", 0x8180 | code, 1, len(records), 0, 0) + asked + body
