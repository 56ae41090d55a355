"""A capture of the loopback: dumpcap writes it, and the messages that passed are read from it here, each with who sent it."""

import collections
import ipaddress
import re
import struct
import subprocess
import time

from link import LENGTH, PHONE_PORTS
from message import Message

SYN, ACK = 0x02, 0x10
Packet = collections.namedtuple("Packet", "is_stream source target sequence flags payload")
Passed = collections.namedtuple("Passed", "message transport source target is_emitted")


class Capture:
    """Captures the loopback of this namespace into a file, from the constructor to stop()."""

    def __init__(self, path):
        self.path, self.log = path, path.with_suffix(".log")
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(["dumpcap", "-q", "-P", "-i", "lo", "-B", "64", "-w", str(path)], stdout=log, stderr=log,
                                            stdin=subprocess.DEVNULL)
        self.wait_for(r"File: ")

    def wait_for(self, pattern, seconds=15):
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            found = re.search(pattern, self.log.read_text(encoding="utf-8", errors="replace"))
            if found:
                return found
            assert self.process.poll() is None, f"dumpcap ended:\n{self.log.read_text(encoding='utf-8', errors='replace')}"
            time.sleep(0.02)
        raise AssertionError(f"dumpcap did not say {pattern!r}:\n{self.log.read_text(encoding='utf-8', errors='replace')}")

    def stop(self):
        """Ends the capture; gives how many packets it holds and how many it missed."""
        if self.process.poll() is None:
            time.sleep(0.3)   # what the kernel still holds for dumpcap
            self.process.terminate()
            self.process.wait(20)
        told = self.log.read_text(encoding="utf-8", errors="replace")
        captured, missed = re.search(r"received/dropped on interface .*?: (\d+)/(\d+)", told).groups()
        return int(captured), int(missed)


def packets_of(path):
    """The UDP and TCP packets of a file in the classic format, of Ethernet frames."""
    data = path.read_bytes()
    assert data[:4] == b"\xd4\xc3\xb2\xa1" and data[20:24] == b"\1\0\0\0", f"another format: {data[:24].hex()}"
    at = 24
    while at + 16 <= len(data):
        size, whole = struct.unpack_from("<II", data, at + 8)
        assert size == whole, "a packet was cut off"
        packet = packet_of(data[at + 16:at + 16 + size])
        if packet:
            yield packet
        at += 16 + size


def packet_of(frame):
    kind, packet = struct.unpack_from(">H", frame, 12)[0], frame[14:]
    if kind == 0x0800:
        protocol, rest = packet[9], packet[(packet[0] & 15) * 4:struct.unpack_from(">H", packet, 2)[0]]
        addresses = packet[12:16], packet[16:20]
    elif kind == 0x86DD:
        protocol, rest = packet[6], packet[40:40 + struct.unpack_from(">H", packet, 4)[0]]
        addresses = packet[8:24], packet[24:40]
    else:
        return None
    if protocol not in (6, 17):
        return None
    ports = struct.unpack_from(">HH", rest)
    source, target = ((str(ipaddress.ip_address(address)), port) for address, port in zip(addresses, ports))
    if protocol == 17:
        return Packet(False, source, target, 0, 0, rest[8:])
    return Packet(True, source, target, struct.unpack_from(">I", rest, 4)[0], rest[13], rest[(rest[12] >> 4) * 4:])


class OneWay:
    """What one end of a connection sent, put together from its segments."""

    def __init__(self, source, target, first, is_opener):
        self.source, self.target, self.first, self.is_opener = source, target, first, is_opener
        self.segments = {}

    def take(self, packet):
        if packet.payload:
            place = (packet.sequence - self.first) & 0xFFFFFFFF
            if len(packet.payload) > len(self.segments.get(place, b"")):
                self.segments[place] = packet.payload

    def octets(self):
        whole = b""
        for place, payload in sorted(self.segments.items()):
            assert place <= len(whole), f"octets {len(whole)} to {place} of {self.source} -> {self.target} are missing"
            whole += payload[len(whole) - place:]
        return whole


def framed(octets):
    """The messages of a stream, as far as they can be told apart; then what is left."""
    found = []
    while True:
        octets = octets.lstrip(b"\r\n")
        head, separator, rest = octets.partition(b"\r\n\r\n")
        length = LENGTH.search(head + b"\r\n")
        if not separator or not length or len(rest) < int(length.group(1)):
            return found, octets
        found.append(head + separator + rest[:int(length.group(1))])
        octets = rest[int(length.group(1)):]


def unframed(octets):
    """The messages in the WebSocket frames of one end, after the upgrade; fragments are put together."""
    _, _, octets = octets.partition(b"\r\n\r\n")
    found, whole = [], b""
    while len(octets) >= 2:
        size, at = octets[1] & 0x7F, 2
        if size > 125:
            at = 4 if size == 126 else 10
            size = int.from_bytes(octets[2:at], "big")
        mask = octets[at:at + 4] if octets[1] & 0x80 else b"\0\0\0\0"
        at += 4 if octets[1] & 0x80 else 0
        payload = bytes(octet ^ mask[place % 4] for place, octet in enumerate(octets[at:at + size]))
        if octets[0] & 15 < 3:
            whole += payload
            if octets[0] & 0x80:
                found.append(whole)
                whole = b""
        octets = octets[at + size:]
    return [message for message in found if message.strip(b"\r\n")]


class Reader:
    """Tells what the servers sent from what they got, by their ports. `ports`: transport -> the ports of their listeners."""

    def __init__(self, ports):
        self.ports = ports
        self.streams = {}      # both addresses -> the newest OneWay between them
        self.passed = []
        self.unread = []       # octets of a server that are no messages

    def read(self, path):
        """All messages of a capture, in the order of their packets; those of streams come after the datagrams."""
        every = []
        for packet in packets_of(path):
            if not packet.is_stream:
                self.datagram(packet)
                continue
            ends = packet.source, packet.target
            if packet.flags & SYN:
                self.streams[ends] = OneWay(*ends, packet.sequence + 1, not packet.flags & ACK)
                every.append(self.streams[ends])
            elif ends in self.streams:
                self.streams[ends].take(packet)
        for one_way in every:
            self.stream(one_way)
        return self.passed

    def datagram(self, packet):
        is_emitted = packet.source[1] in self.ports["udp"]
        if (is_emitted or packet.target[1] in self.ports["udp"]) and packet.payload.strip(b"\r\n\0 ") and packet.payload[0] > 3:
            self.message(packet.payload, "UDP", packet.source, packet.target, is_emitted)

    def stream(self, one_way):
        """`ours`: the port of this end, `theirs`: of the other one."""
        ours, theirs = one_way.source[1], one_way.target[1]
        is_emitted = ours in self.ports["tcp"] | self.ports["ws"] or one_way.is_opener and theirs in PHONE_PORTS
        if {ours, theirs} & self.ports["ws"]:
            found, left = unframed(one_way.octets()), b""
        elif {ours, theirs} & self.ports["tcp"] or {ours, theirs} & set(PHONE_PORTS):
            found, left = framed(one_way.octets())
        else:
            return
        if left and not is_emitted:
            found.append(left)   # a message whose end never came, or that does not say where it is
        elif left:
            self.unread.append((one_way.source, one_way.target, left))
        for raw in found:
            self.message(raw, "WS" if {ours, theirs} & self.ports["ws"] else "TCP", one_way.source, one_way.target, is_emitted)

    def message(self, raw, transport, source, target, is_emitted):
        try:
            message = Message.parse(raw)
        except ValueError:
            message = None
        if message:
            self.passed.append(Passed(message, transport, source, target, is_emitted))
        elif is_emitted:
            self.unread.append((source, target, raw))
