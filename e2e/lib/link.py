"""The sockets of the test phones: a datagram socket and a stream, both giving whole SIP messages with a deadline."""

import errno
import re
import socket
import threading
import time

from message import Message

LENGTH = re.compile(rb"(?im)^(?:content-length|l)[ \t]*:[ \t]*(\d+)")

# A phone's port is never given to another phone of the same proof: the server may still call, or repeat a request to, one that is gone.
# They lie below the ports that the kernel hands out, which clients of streams have.
PHONE_PORTS = range(20000, 32000)
TLS_PORTS = range(19000, 20000)   # of peers that listen with a certificate
unused, unused_tls = iter(PHONE_PORTS), iter(TLS_PORTS)
port_lock = threading.Lock()
observers = []   # each is called with every message that a phone gets by a stream, and with the stream


def bind_unused(sock, host, ports=None):
    """Binds the socket to a port that no phone had before. Ports in use by somebody else are passed over."""
    while True:
        with port_lock:
            port = next(unused if ports is None else ports, None)
        assert port, "this proof has used up all ports for its phones"
        try:
            return sock.bind((host, port))
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise


def listen(host, port=0, ports=None):
    """A listening stream socket: at that port, or at one that no phone had before."""
    if port:
        return socket.create_server((host, port))
    sock = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    bind_unused(sock, host, ports)
    sock.listen(128)
    return sock


class Datagrams:
    """A UDP socket of a phone. What is not SIP (keep-alives) is left out."""

    transport = "UDP"
    is_closed = False

    def __init__(self, host="127.0.0.1", port=0):
        self.socket = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        if port:
            self.socket.bind((host, port))
        else:
            bind_unused(self.socket, host)
        self.host, self.port = self.socket.getsockname()[:2]

    def send(self, data, to):
        self.socket.sendto(data, to)

    def receive(self, seconds):
        """The next message, or None when none came in time."""
        deadline = time.monotonic() + seconds
        while True:
            self.socket.settimeout(max(0.0001, deadline - time.monotonic()))
            try:
                data, source = self.socket.recvfrom(65535)
            except (TimeoutError, BlockingIOError):
                return None
            except ConnectionError:
                continue
            if data.strip(b"\r\n\0 "):
                return Message.parse(data, source[:2])

    def close(self):
        self.socket.close()


class Stream:
    """A TCP connection of a phone, framed by Content-Length (RFC 3261 §18.3)."""

    transport = "TCP"

    def __init__(self, to=None, host="127.0.0.1", connected=None):
        self.socket = connected or socket.create_connection(to, timeout=5, source_address=(host, 0))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.host, self.port = self.socket.getsockname()[:2]
        self.buffer = b""
        self.pongs = 0
        self.is_closed = False

    def send(self, data, to=None):
        del to
        self.socket.settimeout(10)
        self.socket.sendall(data)

    def take(self):
        """A whole message of the buffer, or None."""
        while self.buffer.startswith(b"\r\n"):
            self.buffer = self.buffer[2:]
            self.pongs += 1
        head, separator, rest = self.buffer.partition(b"\r\n\r\n")
        if not separator:
            return None
        found = LENGTH.search(head)
        if not found:
            raise ValueError(f"a message on a stream without Content-Length: {head!r}")
        length = int(found.group(1))
        if len(rest) < length:
            return None
        self.buffer = rest[length:]
        return Message.parse(head + separator + rest[:length], self)

    def receive(self, seconds):
        deadline = time.monotonic() + seconds
        while True:
            message = self.take()
            if message:
                for observe in observers:
                    observe(message, self)
            if message or self.is_closed:
                return message
            self.socket.settimeout(max(0.0001, deadline - time.monotonic()))
            try:
                data = self.socket.recv(65535)
            except (TimeoutError, BlockingIOError):
                return None
            except ConnectionError:
                data = b""
            self.is_closed = not data
            self.buffer += data

    def close(self):
        self.socket.close()


class StreamListener:
    """A phone's TCP listener: what is tried at its Contact arrives here."""

    def __init__(self, host="127.0.0.1", port=0):
        self.socket = listen(host, port)
        self.host, self.port = self.socket.getsockname()[:2]

    def accept(self, seconds):
        self.socket.settimeout(seconds)
        try:
            return Stream(connected=self.socket.accept()[0])
        except TimeoutError:
            return None

    def close(self):
        self.socket.close()
