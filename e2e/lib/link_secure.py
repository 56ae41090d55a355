"""TLS and WebSocket connections of the test phones: the standard library's ssl, and a small WebSocket client (RFC 6455, RFC 7118)."""

import base64
import hashlib
import os
import socket
import ssl
import struct

from link import Stream, listen, unused_tls
from message import Message, new_token

GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


def tls_context(authority=None, own=None):
    """A client's context that believes `authority` (a file); None: anybody. `own`: files of a certificate and its key."""
    context = ssl.create_default_context(cafile=authority) if authority else ssl.create_default_context()
    if not authority:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if own:
        context.load_cert_chain(*own)
    return context


def connect_tls(to, host="127.0.0.1", context=None, name=None):
    plain = socket.create_connection(to, timeout=5, source_address=(host, 0))
    return (context or tls_context()).wrap_socket(plain, server_hostname=name or to[0])


class TlsStream(Stream):
    """SIP over TLS."""

    transport = "TLS"

    def __init__(self, to=None, host="127.0.0.1", connected=None, **more):
        super().__init__(connected=connected or connect_tls(to, host, **more))


class TlsListener:
    """A peer that listens with a certificate."""

    def __init__(self, certificate, key, host="127.0.0.1"):
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(certificate, key)
        self.context.keylog_filename = os.environ.get("SSLKEYLOGFILE")   # as the standard library's default contexts have it
        self.socket = listen(host, ports=unused_tls)
        self.host, self.port = self.socket.getsockname()[:2]

    def accept(self, seconds):
        """The next connection whose handshake succeeds, or None."""
        self.socket.settimeout(seconds)
        try:
            plain = self.socket.accept()[0]
            plain.settimeout(seconds)
            return TlsStream(connected=self.context.wrap_socket(plain, server_side=True))
        except (TimeoutError, OSError):
            return None

    def close(self):
        self.socket.close()


def upgrade_request(**changes):
    """The request of RFC 7118 §8.1; a change to None leaves a field out."""
    fields = {"Host": "example.test", "Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13",
              "Sec-WebSocket-Key": base64.b64encode(os.urandom(16)).decode(), "Sec-WebSocket-Protocol": "sip"}
    fields.update({name.replace("_", "-"): value for name, value in changes.items()})
    lines = [f"{name}: {value}" for name, value in fields.items() if value is not None]
    return ("GET / HTTP/1.1\r\n" + "\r\n".join(lines) + "\r\n\r\n").encode(), fields


def http_answer(connected, request, seconds=5):
    """Sends an HTTP request; gives the header of the response."""
    connected.sendall(request)
    connected.settimeout(seconds)
    head = b""
    while b"\r\n\r\n" not in head:
        data = connected.recv(1)
        if not data:
            break
        head += data
    return head.decode()


class WebSocket(Stream):
    """SIP over a WebSocket: one message is one frame."""

    def __init__(self, to, host="127.0.0.1", is_secure=False, **changes):
        connected = connect_tls(to, host) if is_secure else socket.create_connection(to, timeout=5, source_address=(host, 0))
        request, fields = upgrade_request(**changes)
        head = http_answer(connected, request)
        assert head.startswith("HTTP/1.1 101 "), f"the upgrade got {head!r}"
        wanted = base64.b64encode(hashlib.sha1((fields["Sec-WebSocket-Key"] + GUID).encode()).digest()).decode()
        assert f"Sec-WebSocket-Accept: {wanted}\r\n" in head and "Sec-WebSocket-Protocol: sip\r\n" in head, head
        super().__init__(connected=connected)
        self.transport = "WSS" if is_secure else "WS"
        self.sent_by = new_token("") + ".invalid"
        self.frames = []  # of other kinds than messages: (opcode, payload)

    def send_frame(self, opcode, payload, fin=True, masked=True):
        size = len(payload)
        length = bytes([size]) if size < 126 else b"\x7e" + struct.pack(">H", size) if size < 65536 else b"\x7f" + struct.pack(">Q", size)
        head = bytes([(0x80 if fin else 0) | opcode, length[0] | (0x80 if masked else 0)]) + length[1:]
        mask = os.urandom(4) if masked else b""
        body = bytes(octet ^ mask[at % 4] for at, octet in enumerate(payload)) if masked else payload
        self.socket.settimeout(10)
        self.socket.sendall(head + mask + body)

    def send(self, data, to=None):
        del to
        self.send_frame(1, data)

    def take(self):
        while len(self.buffer) >= 2:
            size, at = self.buffer[1] & 0x7F, 2
            if size == 126:
                size, at = struct.unpack(">H", self.buffer[2:4])[0] if len(self.buffer) >= 4 else 1 << 40, 4
            elif size == 127:
                size, at = struct.unpack(">Q", self.buffer[2:10])[0] if len(self.buffer) >= 10 else 1 << 40, 10
            if len(self.buffer) < at + size:
                return None
            opcode, payload = self.buffer[0] & 0x0F, self.buffer[at:at + size]
            assert self.buffer[1] & 0x80 == 0, "the server masked a frame"
            self.buffer = self.buffer[at + size:]
            if opcode in (1, 2) and payload.strip(b"\r\n"):
                return Message.parse(payload, self)
            self.frames.append((opcode, payload))
        return None
