"""Relays between the caller and the callee of the load program, for datagrams and for streams, that may break rules."""

import base64
import hashlib
import re
import socket
import ssl
import threading

CONTENT_LENGTH = re.compile(rb"\r\nContent-Length: *(\d+)")
WEB_SOCKET_SUFFIX = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
TEXT, PING, PONG = 1, 9, 10
PING_PAYLOAD = b"are you there"


class DatagramRelay(threading.Thread):
    """Swaps datagrams between caller and callee like the raw forwarder, after `change` had its way with them."""

    def __init__(self, change, port, caller, callee):
        super().__init__(daemon=True)
        self.change = change
        self.caller, self.callee = caller, callee
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        self.socket.bind(("127.0.0.1", port))
        self.socket.settimeout(0.1)
        self.is_stopping = False

    def run(self):
        while not self.is_stopping:
            try:
                data, source = self.socket.recvfrom(65535)
            except TimeoutError:
                continue
            target = self.callee if source[1] == self.caller else self.caller
            for datagram in self.change(data):
                self.socket.sendto(datagram, ("127.0.0.1", target))

    def stop(self):
        self.is_stopping = True
        self.join()
        self.socket.close()


class PlainCodec:
    """Messages on a stream as they are, told apart by Content-Length."""

    def __init__(self, connection):
        self.connection = connection
        self.buffer = b""

    def handshake(self):
        pass

    def messages(self):
        """Yields message after message until the load closes."""
        while True:
            message = self.take()
            if message is not None:
                yield message
                continue
            data = self.connection.recv(65536)
            if not data:
                return
            self.buffer += data

    def take(self):
        end = self.buffer.find(b"\r\n\r\n")
        found = CONTENT_LENGTH.search(self.buffer, 0, end + 2) if end >= 0 else None
        size = end + 4 + int(found.group(1)) if found else None
        if size is None or len(self.buffer) < size:
            return None
        message, self.buffer = self.buffer[:size], self.buffer[size:]
        return message

    def encode(self, message):
        return message


class WebSocketCodec(PlainCodec):
    """One message a frame. A client that does not mask, or fragments, is not understood."""

    def __init__(self, connection):
        super().__init__(connection)
        self.unanswered_pings = 0

    def handshake(self):
        while b"\r\n\r\n" not in self.buffer:
            self.buffer += self.connection.recv(65536)
        request, self.buffer = self.buffer.split(b"\r\n\r\n", 1)
        key = re.search(rb"Sec-WebSocket-Key: (\S+)", request).group(1)
        digest = base64.b64encode(hashlib.sha1(key + WEB_SOCKET_SUFFIX).digest())
        self.connection.sendall(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                                b"Sec-WebSocket-Accept: " + digest + b"\r\nSec-WebSocket-Protocol: sip\r\n\r\n")

    def take(self):
        while len(self.buffer) >= 2:
            first, second = self.buffer[0], self.buffer[1]
            if first & 0xf0 != 0x80 or not second & 0x80:
                raise ConnectionError("the load sent a frame that is fragmented or not masked")
            extra = {126: 2, 127: 8}.get(second & 0x7f, 0)
            size = int.from_bytes(self.buffer[2:2 + extra], "big") if extra else second & 0x7f
            begin = 2 + extra + 4
            if len(self.buffer) < begin + size:
                return None
            mask = self.buffer[begin - 4:begin] * (size // 4 + 1)
            masked = int.from_bytes(self.buffer[begin:begin + size], "big")
            payload = (masked ^ int.from_bytes(mask[:size], "big")).to_bytes(size, "big")
            self.buffer = self.buffer[begin + size:]
            if first & 0x0f == TEXT:
                return payload
            if first & 0x0f == PONG and payload == PING_PAYLOAD:
                self.unanswered_pings -= 1
        return None

    def encode(self, message):
        return web_socket_frame(0x80 | TEXT, message)

    def ping(self):
        self.unanswered_pings += 1
        return web_socket_frame(0x80 | PING, PING_PAYLOAD)


def web_socket_frame(first, payload):
    size = len(payload)
    head = bytes([first, size]) if size < 126 else bytes([first, 126]) + size.to_bytes(2, "big")
    return head + payload


class StreamRelay(threading.Thread):
    """Joins the first connection, the caller's, to the second, the callee's. `change` turns one message into what is written
    in its place: a list of octets, or None for the end of both connections."""

    def __init__(self, change, port, codec=PlainCodec, certificate=None):
        super().__init__(daemon=True)
        self.change = change
        self.codec = codec
        self.context = None
        if certificate:
            self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.context.load_cert_chain(*certificate)
        self.listener = socket.create_server(("127.0.0.1", port))
        self.lock = threading.Lock()
        self.connections = []

    def run(self):
        ends = []
        try:
            for _ in range(2):
                connection, _ = self.listener.accept()
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                if self.context:
                    connection = self.context.wrap_socket(connection, server_side=True)
                self.connections.append(connection)
                ends.append(self.codec(connection))
                ends[-1].handshake()
        except OSError:
            return
        ways = [threading.Thread(target=self.carry, args=way, daemon=True) for way in (ends, ends[::-1])]
        for way in ways:
            way.start()
        for way in ways:
            way.join()

    def carry(self, source, target):
        try:
            for message in source.messages():
                with self.lock:
                    pieces = self.change(message, target)
                if pieces is None:
                    break
                for piece in pieces:
                    target.connection.sendall(piece)
        except OSError:
            pass
        for connection in list(self.connections):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def stop(self):
        # A listener that is only closed leaves its accept() waiting.
        try:
            self.listener.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.join()
        for connection in [*self.connections, self.listener]:
            connection.close()


def on_stream(change):
    """A change of datagrams, for a stream: each message is written by itself."""
    return lambda message, target: [target.encode(changed) for changed in change(message)]
