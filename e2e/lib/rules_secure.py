"""Rules of TLS and WebSocket: RFC 3261 §26, RFC 5922, RFC 5630, RFC 6455, RFC 7118, and the limits against slow senders."""

import shutil
import socket
import ssl
import time
from pathlib import Path

from link import Stream
from link_secure import TlsListener, TlsStream, WebSocket, connect_tls, http_answer, tls_context, upgrade_request
from message import parameters_of, uri_of
from rules import TRUSTED, check, rule
from server import Server

ORIGIN = "https://phone.example.test"


def secure_phone(case, transport):
    if transport != "ws":
        return case.registered("secure", transport)
    phone = case.phone("secure", "udp")
    phone.link.close()
    phone.to = (phone.server.host, phone.server.port_of("ws"))
    phone.link = WebSocket(phone.to, Origin=ORIGIN)
    phone.register_ok()
    return phone


def call_between(case, one, other):
    caller, callee = secure_phone(case, one), secure_phone(case, other)
    mine, theirs = caller.call(callee)
    mine.hang_up(callee)
    mine, theirs = callee.call(caller)
    theirs.hang_up(callee)
    return caller, callee


def certificate_of(server):
    return str(server.folder / "data" / "certificate.pem"), str(server.folder / "data" / "private_key.pem")


@rule("§26.3.1: phones behind TLS and UDP call each other, and either end hangs up")
def tls_and_udp(case):
    call_between(case, "tls", "udp")


@rule("RFC 7118 §5: phones behind secure WebSocket and UDP call each other, and either end hangs up")
def wss_and_udp(case):
    call_between(case, "wss", "udp")


@rule("RFC 7118 §5: phones behind WebSocket and TLS call each other, and either end hangs up")
def ws_and_tls(case):
    call_between(case, "ws", "tls")


@rule("RFC 7118 §5: two phones behind secure WebSocket call each other")
def wss_and_wss(case):
    call_between(case, "wss", "wss")


@rule("RFC 7118 §5: phones behind WebSocket and TCP call each other")
def ws_and_tcp(case):
    call_between(case, "ws", "tcp")


@rule("§20.42, RFC 7118 §5.2: our own Via names TLS, WS or WSS")
def secure_vias(case):
    for transport in ("tls", "ws", "wss"):
        callee, stranger = secure_phone(case, transport), case.stranger("secure")
        stranger.send(stranger.request("OPTIONS", callee.aor))
        via = callee.expect("OPTIONS").values("Via")[0]
        port = callee.server.port_of(transport)
        check(via.startswith(f"SIP/2.0/{transport.upper()} 127.0.0.1:{port};"), f"Via: {via}")


@rule("RFC 5658, RFC 7118 §5: Record-Route is doubled and names each side's transport")
def secure_record_route(case):
    for transport, shown in (("tls", "tls"), ("ws", "ws"), ("wss", "ws")):
        callee, caller = secure_phone(case, transport), case.registered("secure")
        caller.invite(callee.aor)
        routes = [uri_of(value) for value in callee.expect("INVITE").values("Record-Route")]
        check(len(routes) == 2, f"{transport}: {routes}")
        check(f":{callee.server.port_of(transport)};transport={shown};lr" in routes[0], f"{transport}: {routes}")
        check("transport" not in routes[1], f"{transport}: {routes}")


@rule("§26.2.2: a sips request is not carried to a phone without TLS, and reaches one with TLS")
def sips(case):
    caller, plain, secured = case.registered("secure", "tls"), case.registered("secure"), case.registered("secure", "tls")
    invite = caller.request("INVITE", f"sips:{plain.user}@example.test", body=b"")
    _, response = caller.ask_with_credentials(invite)
    check(response.status == 480, f"got {response.start}")
    plain.expect_nothing(0.2)
    caller.invite(f"sips:{secured.user}@example.test")
    routes = secured.expect("INVITE").values("Record-Route")
    check(len(routes) == 1 and routes[0].startswith("<sips:"), f"Record-Route: {routes}")


@rule("RFC 5922 §7.3: a request to a TLS peer with the right certificate is sent to it")
def outgoing_tls(case):
    server = case.server("secure")
    listener = case.keep(TlsListener(*certificate_of(server)))
    peer = case.peer("secure")
    peer.send(peer.request("OPTIONS", f"sips:x@127.0.0.1:{listener.port}"))
    accepted = listener.accept(5)
    check(accepted, "nobody connected")
    request = case.keep(accepted).receive(5)
    check(request and request.method == "OPTIONS" and request.lines("Via")[0].startswith("SIP/2.0/TLS"), f"got {request}")
    peer.reply(request, 200, "OK", contact=False)
    peer.expect(200)


@rule("RFC 5922 §7.3: a TLS peer whose certificate nobody vouches for gets no request, and the sender learns of it")
def outgoing_tls_refused(case):
    listener = case.keep(TlsListener(*certificate_of(case.server("impatient"))))
    peer = case.peer("secure")
    request = peer.send(peer.request("OPTIONS", f"sip:x@127.0.0.1:{listener.port};transport=tls"))
    accepted = listener.accept(5)
    check(accepted is None or accepted.receive(2) is None, "the request was sent")
    check(peer.final(request.get("Call-ID"), 5).status >= 500, "no failure")
    check(case.server("secure").wait_output("tls_connect_failed"), "no line in the log")


@rule("RFC 7118 §5: a WebSocket phone whose connection has ended is not called at once")
def gone_web_socket(case):
    callee, caller = case.registered("secure", "wss"), case.registered("secure")
    callee.link.close()
    deadline = time.monotonic() + 5
    while True:
        _, response = caller.ask_with_credentials(caller.request("INVITE", callee.aor))
        if response.status == 480 or time.monotonic() > deadline:
            break
    check(response.status in (480, 404), f"got {response.start}")


@rule("RFC 7118 §5: a message without Content-Length, in fragments, and as octets is served")
def web_socket_forms(case):
    callee, stranger = case.registered("secure"), case.stranger("secure", "wss")
    data = stranger.request("MESSAGE", callee.aor, body=b"caf\xe9", kind="text/plain").render(length=False)
    stranger.link.send_frame(2, data[:50], fin=False)
    stranger.link.send_frame(9, b"between")
    stranger.link.send_frame(0, data[50:])
    request = callee.expect("MESSAGE")
    check(request.body == b"caf\xe9", f"body {request.body!r}")
    callee.reply(request, 200, "OK")
    stranger.expect(200)
    check((10, b"between") in stranger.link.frames, "no pong")


@rule("RFC 7118 §6, RFC 5626 §3.5.1: a double CRLF in a WebSocket message is answered with one CRLF")
def web_socket_keepalive(case):
    stranger = case.stranger("secure", "wss")
    stranger.link.send(b"\r\n\r\n")
    deadline = time.monotonic() + 3
    while (1, b"\r\n") not in stranger.link.frames and time.monotonic() < deadline:
        stranger.link.receive(0.1)
    check((1, b"\r\n") in stranger.link.frames, f"frames {stranger.link.frames}")


@rule("RFC 6455 §4.2, RFC 7118 §4: wrong upgrade requests are answered 400, 403 and 426")
def web_socket_upgrades(case):
    server = case.server("secure")
    for changes, status in ((dict(Origin=ORIGIN), 101), (dict(Origin="https://evil.test"), 403), ({}, 403),
                            (dict(Origin=ORIGIN, Sec_WebSocket_Protocol="chat"), 400), (dict(Origin=ORIGIN, Sec_WebSocket_Protocol=None), 400),
                            (dict(Origin=ORIGIN, Sec_WebSocket_Version="8"), 426), (dict(Origin=ORIGIN, Upgrade=None), 426),
                            (dict(Origin=ORIGIN, Sec_WebSocket_Key="short"), 400)):
        connected = case.keep(socket.create_connection((server.host, server.port_of("ws")), timeout=5))
        head = http_answer(connected, upgrade_request(**changes)[0])
        check(head.startswith(f"HTTP/1.1 {status} "), f"{changes}: {head!r}")


@rule("RFC 6455 §5.1, §5.5, §8.1: broken frames are answered with a closing frame that says why")
def web_socket_errors(case):
    server = case.server("secure")
    for frame, code in (((1, b"x", True, False), 1002), ((1, b"\xff"), 1007), ((3, b""), 1002), ((9, b"x" * 126), 1002),
                        ((1, b"x" * 66000), 1009)):
        link = case.keep(WebSocket((server.host, server.port_of("wss")), is_secure=True))
        link.send_frame(*frame)
        link.receive(3)
        check(link.frames[-1:] == [(8, code.to_bytes(2, "big"))], f"{frame[0]}: {link.frames}")


@rule("RFC 8996: TLS 1.1 is refused, TLS 1.2 and 1.3 are spoken")
def tls_versions(case):
    server = case.server("secure")
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        context = tls_context(certificate_of(server)[0])
        context.minimum_version = context.maximum_version = version
        case.keep(connect_tls((server.host, server.port_of("tls")), context=context))
    context = tls_context()
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = ssl.TLSVersion.TLSv1
    context.maximum_version = ssl.TLSVersion.TLSv1_1
    try:
        case.keep(connect_tls((server.host, server.port_of("tls")), context=context))
    except OSError:
        return
    check(False, "TLS 1.1 was spoken")


@rule("a reload takes new certificates, drops no connection, and refuses bad ones")
def certificate_reload(case):
    first, second = (certificate_of(case.server(name)) for name in ("secure", "impatient"))
    server = Server(14160, [("u1", "s1")], more={"tls": (
        14161, 'certificate = "cert.pem"\nprivate_key = "key.pem"\n')})
    try:
        def put(pair):
            for source, name in zip(pair, ("cert.pem", "key.pem")):
                shutil.copy(source, server.folder / name)

        def shown():
            with connect_tls((server.host, 14161)) as connected:
                return ssl.DER_cert_to_PEM_cert(connected.getpeercert(binary_form=True)).strip()

        put(first)
        server.start()
        check(shown() == Path(first[0]).read_text(encoding="ascii").strip(), "not the first certificate")
        old = TlsStream((server.host, 14161))
        put(second)
        server.hang_up()
        check(server.wait_output("config_loaded"), "no reload")
        deadline = time.monotonic() + 5
        while shown() != Path(second[0]).read_text(encoding="ascii").strip() and time.monotonic() < deadline:
            time.sleep(0.02)
        check(shown() == Path(second[0]).read_text(encoding="ascii").strip(), "not the second certificate")
        old.send(server.options(old).replace(b"SIP/2.0/UDP", b"SIP/2.0/TLS"))
        check(old.receive(5), "the old connection was dropped")
        (server.folder / "cert.pem").write_text("nonsense", encoding="ascii")
        after = len(server.output())
        server.hang_up()
        check(server.wait_output(r"config_refused.*cert\.pem", after=after), "no refusal that names the file")
        check(shown() == Path(second[0]).read_text(encoding="ascii").strip(), "the old certificate went")
        told = server.command("check")
        check(told.returncode != 0 and "cert.pem" in told.stderr, f"check said {told.stderr!r}")
        old.close()
    finally:
        server.close()


@rule("the self-signed certificate holds the server's names, and its key is its owner's")
def self_signed(case):
    server = case.server("secure")
    certificate, key = certificate_of(server)
    case.keep(connect_tls((server.host, server.port_of("tls")), context=tls_context(certificate), name="example.test"))
    case.keep(connect_tls((server.host, server.port_of("tls")), context=tls_context(certificate)))
    check(Path(key).stat().st_mode & 0o777 == 0o600, "others can read the key")
    check("Made the self-signed certificate" in server.output(), "not told")


@rule("a handshake that stalls, and a stream that says nothing valid, end in time")
def slow_senders(case):
    server = case.server("impatient")
    host = case.world.host()
    opened = []
    for transport, octets in (("tls", b""), ("tls", b"\x16\x03\x01\x02\x00\x01"), ("ws", b"GET / HTTP/1.1\r\nHo"), ("tcp", b""),
                              ("tcp", b"OPTIONS sip:x SIP/2.0\r\n")):
        connected = case.keep(socket.create_connection((server.host, server.port_of(transport)), timeout=5, source_address=(host, 0)))
        connected.sendall(octets)
        opened.append(connected)
    began = time.monotonic()
    for connected in opened:
        connected.settimeout(6)
        while connected.recv(1000):
            pass
    check(0.5 < time.monotonic() - began < 5, f"it took {time.monotonic() - began} s")


@rule("one source address has so many connections and no more; another is not touched by it")
def connections_per_source(case):
    server = case.server("impatient")
    host = case.world.host()
    streams = [case.keep(Stream((server.host, server.port), host)) for _ in range(6)]
    for stream in streams:  # which one it is depends on the order in which the shards accept
        stream.receive(0.1)
    check(sum(stream.is_closed for stream in streams) == 1, f"closed are {[stream.is_closed for stream in streams]}")
    other = case.keep(Stream((server.host, server.port), case.world.host()))
    other.send(server.options(other).replace(b"SIP/2.0/UDP", b"SIP/2.0/TCP"))
    check(other.receive(3), "another address was refused")
