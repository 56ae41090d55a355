"""Rules of the transport and of framing: RFC 3261 §18, RFC 3581, RFC 5626 §4.4.1."""

import socket
import time

from link import Stream, StreamListener
from message import parameters_of
from phone import QUIET
from rules import TRUSTED, check, rule


def nobody(phone):
    return phone.request("OPTIONS", "sip:nobody-here@example.test")


@rule("RFC 3581 §4: rport is filled in, and received names the source")
def rport(case):
    stranger = case.stranger()
    request = nobody(stranger)
    request.set("Via", request.get("Via").replace(stranger.address, "192.0.2.1:5999"))
    via = parameters_of(stranger.ask(request).values("Via")[0])
    check(via.get("rport") == str(stranger.link.port) and via.get("received") == "127.0.0.1", f"Via: {via}")


@rule("§18.2.1: received is added when sent-by is a host name")
def received_for_a_name(case):
    stranger = case.stranger()
    request = nobody(stranger)
    request.set("Via", request.get("Via").replace("127.0.0.1", "phone.example.org"))
    via = parameters_of(stranger.ask(request).values("Via")[0])
    check(via.get("received") == "127.0.0.1", f"Via: {via}")


@rule("RFC 3581 §4: the Via that is forwarded carries received and rport")
def forwarded_via(case):
    callee, stranger = case.registered(), case.stranger()
    request = stranger.request("OPTIONS", callee.aor)
    request.set("Via", request.get("Via").replace(stranger.address, "192.0.2.1:5999"))
    stranger.send(request)
    via = callee.expect("OPTIONS").values("Via")[1]
    check(f"rport={stranger.link.port}" in via and "received=127.0.0.1" in via, f"Via: {via}")


@rule("§18.1.1: our own Via names our address, our transport, a branch with the cookie, and rport")
def own_via(case):
    callee, stranger = case.registered(), case.stranger()
    stranger.send(stranger.request("OPTIONS", callee.aor))
    via = callee.expect("OPTIONS").values("Via")[0]
    check(via.startswith(f"SIP/2.0/UDP 127.0.0.1:{callee.server.port};"), f"Via: {via}")
    check(parameters_of(via)["branch"].startswith("z9hG4bK") and "rport" in parameters_of(via), f"Via: {via}")


@rule("§18.2.2: a response goes back to the source port also from a forked request")
def response_to_the_source(case):
    callee, stranger = case.registered(), case.stranger()
    request = stranger.request("OPTIONS", callee.aor)
    request.set("Via", request.get("Via").replace(stranger.address, "192.0.2.1:5999"))
    stranger.send(request)
    callee.reply(callee.expect("OPTIONS"), 200, "OK")
    stranger.expect(200)


@rule("§18.3: without Content-Length a datagram's body reaches to its end")
def body_without_length(case):
    callee, stranger = case.registered(), case.stranger()
    body = bytes(range(256)) * 3
    stranger.send(stranger.request("MESSAGE", callee.aor, body=body, kind="application/octet-stream").render(length=False))
    check(callee.expect("MESSAGE").body == body, "the body changed")


@rule("§18.3: octets past Content-Length in a datagram are not part of the message")
def body_cut_at_length(case):
    callee, stranger = case.registered(), case.stranger()
    request = stranger.request("MESSAGE", callee.aor, body=b"first", kind="text/plain")
    stranger.send(request.render() + b" and garbage")
    check(callee.expect("MESSAGE").body == b"first", "the garbage was forwarded")


@rule("§18.3: a datagram shorter than its Content-Length gets 400")
def body_too_short(case):
    callee, stranger = case.registered(), case.stranger()
    request = stranger.request("MESSAGE", callee.aor, body=b"first", kind="text/plain").set("Content-Length", "50")
    response = stranger.ask(request, length=False)
    check(response.status == 400, f"got {response.start}")
    callee.expect_nothing(0.2)


@rule("§20.14: a negative Content-Length gets 400")
def negative_length(case):
    stranger = case.stranger()
    response = stranger.ask(nobody(stranger).set("Content-Length", "-1"), length=False)
    check(response.status == 400, f"got {response.start}")


@rule("§20.14: two Content-Lengths that differ get 400")
def two_lengths(case):
    stranger = case.stranger()
    response = stranger.ask(nobody(stranger).add("Content-Length", "0", "4"), length=False)
    check(response.status == 400, f"got {response.start}")


@rule("§18.2.2: a response returns by the connection of its request")
def response_on_the_connection(case):
    stranger = case.stranger(transport="tcp")
    check(stranger.ask(nobody(stranger)).status == 404, "no 404")


@rule("§18.3: messages on a stream are found whatever the segments")
def torn_stream(case):
    stranger = case.stranger(transport="tcp")
    request = nobody(stranger)
    data = request.render()
    for start in range(0, len(data), 7):
        stranger.link.send(data[start:start + 7])
        if start % 70 == 0:
            time.sleep(0.002)
    check(stranger.final(request.get("Call-ID")).status == 404, "no 404")


@rule("§18.3: a stream torn inside the body and inside the empty line is put together")
def torn_body(case):
    callee, stranger = case.registered(), case.stranger(transport="tcp")
    data = stranger.request("MESSAGE", callee.aor, body=b"in two parts", kind="text/plain").render()
    empty_line = data.index(b"\r\n\r\n")
    for part in (data[:empty_line + 1], data[empty_line + 1:empty_line + 3], data[empty_line + 3:-5], data[-5:]):
        stranger.link.send(part)
        time.sleep(0.02)
    check(callee.expect("MESSAGE").body == b"in two parts", "another body")


@rule("§18.3: several messages in one segment are all served, in order")
def joined_stream(case):
    stranger = case.stranger(transport="tcp")
    requests = [nobody(stranger) for _ in range(20)]
    stranger.link.send(b"".join(request.render() for request in requests))
    for request in requests:
        check(stranger.final(request.get("Call-ID")).status == 404, "no 404")


@rule("§7.5: CRLF before a message on a stream is skipped")
def leading_line_ends(case):
    stranger = case.stranger(transport="tcp")
    request = nobody(stranger)
    stranger.link.send(b"\r\n\r\n" + request.render())
    check(stranger.final(request.get("Call-ID")).status == 404, "no 404")


@rule("RFC 5626 §4.4.1: a double CRLF on a stream is answered with one CRLF")
def pong(case):
    stranger = case.stranger(transport="tcp")
    stranger.link.send(b"\r\n\r\n")
    stranger.link.socket.settimeout(2)
    check(stranger.link.socket.recv(10) == b"\r\n", "no pong")


@rule("§7.5: CRLF before a message in a datagram is skipped; an empty datagram is a keep-alive")
def keepalives(case):
    stranger = case.stranger()
    for ping in (b"\r\n\r\n", b"\0", b"", b"\r\n"):
        stranger.link.send(ping, stranger.to)
    stranger.expect_nothing(0.2)
    request = nobody(stranger)
    stranger.send(b"\r\n" + request.render())
    check(stranger.final(request.get("Call-ID")).status == 404, "no 404")


@rule("§18.3: a stream message without Content-Length gets 400 or ends the stream")
def stream_without_length(case):
    stranger = case.stranger(transport="tcp")
    stranger.send(nobody(stranger), length=False)
    response = stranger.next(lambda message: True, 1.5)
    check(stranger.link.is_closed or response is not None, "neither an answer nor an end")
    check(response is None or response.status in (400, 404), f"got {response}")


@rule("§18.3: a stream whose framing is lost is closed")
def lost_framing(case):
    for garbage in (b"\x16\x03\x01" + bytes(200) + b"\r\n\r\n", b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"):
        stranger = case.stranger(transport="tcp")
        stranger.link.send(garbage)
        stranger.next(lambda message: False, 5)
        check(stranger.link.is_closed, f"{garbage[:20]!r} was borne")


@rule("bad input: headers without an end on a stream are cut off")
def endless_headers(case):
    stranger = case.stranger(transport="tcp")
    try:
        stranger.link.send(b"OPTIONS sip:example.test SIP/2.0\r\n")
        for _ in range(400):
            stranger.link.send(b"X-Filler: " + b"x" * 1000 + b"\r\n")
    except OSError:
        return
    stranger.next(lambda message: False, 2)
    check(stranger.link.is_closed, "400,000 octets of headers were borne")


@rule("§18.3: a body longer than any message may be ends the stream, or gets 400 or 413, and is not waited for")
def huge_length(case):
    stranger = case.stranger(transport="tcp")
    stranger.send(nobody(stranger).set("Content-Length", "99999999"), length=False)
    response = stranger.next(lambda message: True, 2)
    check(stranger.link.is_closed or response and response.status in (400, 413, 513), f"got {response}")


@rule("§21.4.11: a whole message whose body is larger than a message may be gets 413 on a stream")
def too_large_body(case):
    callee, stranger = case.registered(), case.stranger(transport="tcp")
    request = stranger.request("MESSAGE", callee.aor, body=b"x" * 70000, kind="text/plain")
    response = stranger.ask(request)
    check(response.status == 413, f"got {response.start}")


@rule("§18.3: a request on a stream without Content-Length gets 400, reaches nobody and ends the stream")
def endless_message(case):
    callee, stranger = case.registered(), case.stranger(transport="tcp")
    stranger.send(stranger.request("MESSAGE", callee.aor, body=b"lost", kind="text/plain"), length=False)
    stranger.expect(400)
    callee.expect_nothing()
    stranger.next(lambda message: False, 5)
    check(stranger.link.is_closed, "the stream goes on behind a message without an end")


@rule("§18.2.2: a caller that closed both ways gets his answer at the port of his sent-by")
def closed_caller(case):
    callee, stranger, listener = case.registered(), case.stranger(transport="tcp"), case.keep(StreamListener())
    message = stranger.request("MESSAGE", callee.aor, body=b"x", kind="text/plain")
    message.set("Via", message.get("Via").replace(stranger.address, f"127.0.0.1:{listener.port}"))
    stranger.send(message)
    arrived = callee.expect("MESSAGE")
    before = stranger.server.stats()["stream_half_closed_total"]
    stranger.link.socket.close()
    deadline = time.monotonic() + 5
    while stranger.server.stats()["stream_half_closed_total"] == before and time.monotonic() < deadline:
        time.sleep(0.05)
    callee.reply(arrived, 200, "OK")
    stream = listener.accept(5)
    check(stream is not None, "nobody connected to the sent-by")
    response = stream.receive(5)
    check(response is not None and response.status == 200, f"got {response}")


@rule("§18.2.2: a caller that shuts down his sending side still gets his answers over the connection")
def half_closed(case):
    callee, stranger = case.registered(), case.stranger(transport="tcp")
    invite = stranger.send(stranger.request("INVITE", callee.aor))
    arrived = callee.expect("INVITE")
    callee.reply(arrived, 180, "Ringing")
    stranger.expect(180)
    before = stranger.server.stats()["stream_half_closed_total"]
    stranger.link.socket.shutdown(socket.SHUT_WR)
    deadline = time.monotonic() + 5
    while stranger.server.stats()["stream_half_closed_total"] == before and time.monotonic() < deadline:
        time.sleep(0.05)
    callee.reply(arrived, 486, "Busy Here")
    response = stranger.final(invite.get("Call-ID"))
    check(response.status == 486, f"got {response.start}")
    stranger.next(lambda message: False, 5)
    check(stranger.link.is_closed, "the connection stays open with nothing left to say")


@rule("§18: a call between two TCP phones uses their connections, both ways")
def call_over_streams(case):
    caller, callee = case.registered(transport="tcp"), case.registered(transport="tcp")
    mine, theirs = caller.call(callee)
    theirs.hang_up(caller)
    check(mine.call_id == theirs.call_id, "two calls")


@rule("§16.6.8: a TCP phone that keeps its connection is reached over it")
def connection_is_reused(case):
    callee, stranger = case.registered(transport="tcp"), case.stranger()
    stranger.send(stranger.request("OPTIONS", callee.aor))
    arrived = callee.expect("OPTIONS")
    check(arrived.values("Via")[0].startswith("SIP/2.0/TCP"), f"Via: {arrived.values('Via')[0]}")
    callee.reply(arrived, 200, "OK")
    stranger.expect(200)


@rule("issue point 6: a closed connection whose phone stands behind a NAT: 480")
def closed_connection(case):
    callee, stranger = case.phone(transport="tcp"), case.stranger()
    callee.register_ok(contact=f"<sip:{callee.user}@192.0.2.77;transport=tcp>")
    callee.link.close()
    time.sleep(0.2)
    response = stranger.ask(stranger.request("OPTIONS", callee.aor))
    check(response.status == 480, f"got {response.start}")


@rule("issue point 6: a closed connection without a NAT: the phone is tried at its Contact")
def contact_is_tried(case):
    listener = case.keep(StreamListener())
    callee, stranger = case.phone(transport="tcp"), case.stranger()
    callee.register_ok(contact=f"<sip:{callee.user}@127.0.0.1:{listener.port};transport=tcp>")
    callee.link.close()
    time.sleep(0.2)
    stranger.send(stranger.request("OPTIONS", callee.aor))
    stream = listener.accept(3)
    check(stream is not None, "nobody connected")
    case.keep(stream)
    arrived = stream.receive(3)
    check(arrived is not None and arrived.method == "OPTIONS", f"got {arrived}")
    callee.reply(arrived, 200, "OK")
    stranger.expect(200)


@rule("§18.1.1: a connection that is refused is a 4xx or 5xx soon, not a wait")
def refused_connection(case):
    peer = case.peer()
    response = peer.ask(peer.request("OPTIONS", "sip:x@127.0.0.1:9;transport=tcp"), seconds=4)
    check(response.status >= 400, f"got {response.start}")


@rule("§18.1.1: transport=tcp of a Request-URI is honoured")
def transport_parameter(case):
    listener, peer = case.keep(StreamListener()), case.peer()
    peer.send(peer.request("OPTIONS", f"sip:x@127.0.0.1:{listener.port};transport=tcp"))
    stream = listener.accept(3)
    check(stream is not None, "nobody connected")
    case.keep(stream)
    arrived = stream.receive(3)
    check(arrived is not None and arrived.get("Content-Length") == "0", f"got {arrived}")


@rule("§16.6: a stream needs Content-Length: it is added when a datagram without one goes on by TCP")
def length_is_added(case):
    callee, stranger = case.registered(transport="tcp"), case.stranger()
    request = stranger.request("MESSAGE", callee.aor, body=b"plain", kind="text/plain")
    stranger.send(request.render(length=False))
    check(callee.expect("MESSAGE").body == b"plain", "another body")


@rule("§18.2.1: IPv6: a phone registers and is called over it")
def over_ipv6(case):
    caller, callee = case.registered("six", host="::1"), case.registered("six", host="::1")
    mine, _ = caller.call(callee, uri=callee.aor)
    mine.hang_up(callee)


@rule("architecture §9.11: a wildcard listener answers from the address that was asked")
def answer_from_the_asked_address(case):
    stranger = case.stranger("wild")
    for address in ("127.0.0.1", "127.0.0.77"):
        request = stranger.request("OPTIONS", "sip:nobody-here@example.test")
        stranger.link.send(request.render(), (address, stranger.server.port))
        response = stranger.final(request.get("Call-ID"))
        check(response.source[0] == address, f"asked {address}, answered from {response.source}")


@rule("architecture §9.11: behind a wildcard listener Via names the address that the phone knows")
def wildcard_via(case):
    callee, stranger = case.registered("wild"), case.stranger("wild")
    stranger.send(stranger.request("OPTIONS", callee.aor))
    via = callee.expect("OPTIONS").values("Via")[0]
    check(f"127.0.0.1:{callee.server.port}" in via, f"Via: {via}")


@rule("[[listen]] advertise: Via and Record-Route name the advertised address")
def advertised_address(case):
    callee, stranger = case.registered("advertised"), case.stranger("advertised")
    stranger.send(stranger.request("INVITE", callee.aor))
    arrived = callee.expect("INVITE")
    check("203.0.113.7:5060" in arrived.values("Via")[0], f"Via: {arrived.values('Via')[0]}")
    check("203.0.113.7:5060" in arrived.values("Record-Route")[0], f"Record-Route: {arrived.values('Record-Route')[0]}")
    callee.reply(arrived, 486, "Busy Here")
    stranger.expect(486)


@rule("RFC 3263 §4.2: a host name of a target is resolved without holding up other calls")
def host_name(case):
    peer, target, other = case.peer(), case.stranger(), case.registered()
    slow = peer.send(peer.request("OPTIONS", "sip:x@does-not-exist.invalid"))
    peer.send(peer.request("OPTIONS", other.aor))
    other.expect("OPTIONS", 1)
    peer.send(peer.request("OPTIONS", f"sip:x@localhost:{target.link.port}"))
    target.expect("OPTIONS")
    response = peer.final(slow.get("Call-ID"), seconds=10)
    check(response.status in (404, 480, 500, 502, 503, 504), f"got {response.start}")


@rule("[[trusted]]: the trusted network is recognised by its source address")
def trusted_by_source(case):
    peer, target = case.peer(), case.stranger()
    check(peer.link.host == TRUSTED, "the phone is elsewhere")
    peer.send(peer.request("MESSAGE", f"sip:x@127.0.0.1:{target.link.port}", body=b"x", kind="text/plain"))
    target.expect("MESSAGE")


@rule("§18.3: one connection carries 2,000 requests without waiting for answers")
def pipelined(case):
    stranger = case.stranger(transport="tcp")
    count, answered = 2000, 0
    for _ in range(count // 50):
        stranger.link.send(b"".join(nobody(stranger).render() for _ in range(50)))
        while stranger.next(lambda message: True, QUIET):
            answered += 1
            if answered % 50 == 0:
                break
    check(answered == count, f"{answered} of {count}")


@rule("§18.3: a stream that brings a message in the bytes after a keep-alive goes on")
def keepalive_between(case):
    stream = case.keep(Stream((case.server().host, case.server().port)))
    stranger = case.stranger()
    for _ in range(3):
        stream.send(b"\r\n\r\n" + nobody(stranger).render().replace(b"SIP/2.0/UDP", b"SIP/2.0/TCP"))
        check(stream.receive(2).status == 404, "no 404")
