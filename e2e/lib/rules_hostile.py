"""What hostile input gets: an answer or silence, never a crash, a leak or a stalled server."""

import random
import socket
import time

from link import Stream
from message import Message, new_branch, new_token
from phone import SDP
from rules import check, rule
from server import resident_kib

SERVER = "hostile"


def still_serves(case):
    """A whole call goes through, promptly."""
    began = time.monotonic()
    caller, callee = case.pair(server=SERVER)
    mine, _ = caller.call(callee)
    mine.hang_up(callee)
    check(time.monotonic() - began < 2, f"a call took {time.monotonic() - began:.1f} s")


def hostile(text, seconds=0.3):
    """A rule that sends something with a stranger's phone; afterwards the server must still serve."""
    def keep(function):
        @rule("bad input: " + text)
        def run(case):
            stranger, callee = case.stranger(SERVER), case.registered(SERVER)
            function(stranger, callee)
            stranger.expect_nothing(seconds, lambda message: False)
            check(case.server(SERVER).is_alive(), "the server ended")
            still_serves(case)
        run.__name__ = function.__name__
        return function
    return keep


@hostile("random octets of all lengths")
def random_octets(stranger, callee):
    source = random.Random(1)
    for _ in range(1500):
        stranger.link.send(source.randbytes(source.randrange(1, 1400)), stranger.to)


@hostile("every truncation of a good INVITE")
def truncations(stranger, callee):
    data = stranger.request("INVITE", callee.aor, body=SDP).render()
    for end in range(1, len(data)):
        stranger.link.send(data[:end], stranger.to)
        if end % 50 == 0:
            time.sleep(0.005)


@hostile("a good INVITE with one octet changed, at every place")
def changed_octets(stranger, callee):
    source = random.Random(2)
    for place in range(len(stranger.request("INVITE", callee.aor, body=SDP).render())):
        data = bytearray(stranger.request("INVITE", callee.aor, body=SDP).render())
        data[place % len(data)] = source.choice(b"\0\r\n<>\";:,@= \xff%?[]()")
        stranger.link.send(bytes(data), stranger.to)
        if place % 50 == 0:
            time.sleep(0.005)


@hostile("a header field of 60,000 octets")
def huge_field(stranger, callee):
    stranger.send(stranger.request("OPTIONS", callee.aor).add("X-Huge", "x" * 60000))


@hostile("ten thousand header fields")
def many_fields(stranger, callee):
    stranger.send(stranger.request("OPTIONS", callee.aor).add("a", *["1"] * 10000))


@hostile("a thousand Vias, in one line and in many")
def many_vias(stranger, callee):
    below = ["SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKa"] * 700
    stranger.send(stranger.request("OPTIONS", callee.aor).add("Via", *below))
    stranger.send(stranger.request("OPTIONS", callee.aor).add("Via", ", ".join(below)))


@hostile("a thousand Routes to itself")
def many_routes(stranger, callee):
    stranger.send(stranger.request("OPTIONS", callee.aor).add("Route", *["<sip:127.0.0.1:15860;lr>"] * 1000))


@hostile("a REGISTER of a thousand Contacts")
def many_contacts(stranger, callee):
    request = callee.register_request(contact=[f"<sip:a{n}@192.0.2.1>" for n in range(1000)])
    callee.send(request)
    response = callee.next(lambda message: message.status >= 200 and message.get("Call-ID") == callee.register_id, 1)
    if response and response.status == 401:
        callee.send(callee.authorise(request, response))


@hostile("deeply nested comments, quotes and brackets")
def nesting(stranger, callee):
    for value in ("(" * 20000, '"' * 20001, "<" * 20000, "[" * 20000, "\\" * 20000, ";" * 20000, "," * 20000, "%" * 20000):
        for name in ("To", "From", "Via", "Contact", "Route", "Proxy-Authorization", "CSeq", "Call-ID"):
            stranger.send(stranger.request("INVITE", callee.aor).set(name, value))


@hostile("numbers past every width")
def huge_numbers(stranger, callee):
    for number in ("-1", "0", "255", "256", "65536", "2147483648", "4294967295", "4294967296", "18446744073709551616", "9" * 400, "1e9", "0x10", "+1", " "):
        for name in ("Max-Forwards", "Content-Length", "Expires", "Min-Expires", "Timestamp"):
            stranger.send(stranger.request("INVITE", callee.aor).set(name, number), length=False)
        stranger.send(stranger.request("INVITE", callee.aor).set("CSeq", f"{number} INVITE"))
        stranger.send(stranger.request("INVITE", f"sip:x@127.0.0.1:{number}"))
        request = stranger.request("OPTIONS", callee.aor)
        stranger.send(request.set("Via", f"SIP/2.0/UDP 127.0.0.1:{number};branch={new_branch()};rport={number}"))


@hostile("URIs of every odd form")
def odd_uris(stranger, callee):
    for uri in ("sip:", "sip:@", "sip:@@", "sip:a@", "sip:a@:5060", "sip:a@[::", "sip:a@[::1]:", "sip:%@x", "sip:%zz@x", "sip:a@x;;;", "sip:a@x?", "sip:a@x?=&&",
                "sip:a:b:c@x", "tel:", "tel:+", "sips:a@x", "*", "sip", ":", "<sip:a@x>", "sip:a@x;lr=;lr;maddr=;ttl=999", "sip:" + "a" * 25000 + "@x",
                "sip:a@" + "x." * 10000, "sip:a@example.test;maddr=127.0.0.1", "urn:service:sos", "sip:\xff@x", "sip:a@255.255.255.255", "sip:a@0.0.0.0"):
        stranger.send(stranger.request("OPTIONS", uri))
        stranger.send(stranger.request("INVITE", callee.aor).set("From", f"<{uri}>;tag=1"))
        stranger.send(stranger.request("REGISTER", "sip:example.test", to=f"<{uri}>").add("Contact", f"<{uri}>"))
        stranger.send(stranger.request("INVITE", callee.aor).add("Route", f"<{uri}>"))


@hostile("responses that nobody asked for, of every odd status")
def odd_responses(stranger, callee):
    for status in ("0", "99", "100", "199", "200", "699", "700", "999", "1000", "-1", "abc", ""):
        response = Message(f"SIP/2.0 {status} X").add("Via", f"SIP/2.0/UDP 127.0.0.1:15860;branch={new_branch()}", stranger.via())
        response.add("From", "<sip:a@example.org>;tag=1").add("To", "<sip:b@example.test>;tag=2").add("Call-ID", new_token())
        stranger.send(response.add("CSeq", "1 INVITE"))


@hostile("odd responses to a live INVITE", seconds=0.5)
def odd_answers(stranger, callee):
    stranger.send(stranger.request("INVITE", callee.aor))
    request = callee.expect("INVITE")
    source = random.Random(3)
    good = callee.reply(request, 180, "Ringing").render()
    for place in range(len(good)):
        data = bytearray(good)
        data[place] = source.choice(b"\0\r\n<>\";:,@= \xff%?[]()")
        callee.link.send(bytes(data), request.source)
    callee.send_response(callee.reply(request, 999, "Odd"), request)
    callee.reply(request, 486, "Busy Here", tag="x" * 30000)
    stranger.next(lambda message: message.status >= 300, 1)


@hostile("digests of every odd form")
def odd_digests(stranger, callee):
    for value in ("", "Digest", "Digest ", "Digest ,", "Digest =", 'Digest username="', 'Digest nonce="' + "a" * 50000 + '"', "Digest " + "a=b," * 5000,
                  'Digest username="u", realm="example.test", nonce="n", uri="sip:x", response="r", nc=zz', "Digest username*=UTF-8''%ff%00%zz"):
        stranger.send(stranger.request("REGISTER", "sip:example.test", to=f"<{callee.aor}>").add("Authorization", value))
        stranger.send(stranger.request("INVITE", "sip:a@example.org").add("Proxy-Authorization", value))


@hostile("a hundred streams that send half a message and stay")
def half_messages(stranger, callee):
    streams = [Stream(stranger.to, stranger.link.host) for _ in range(100)]
    for stream in streams:
        stream.send(b"INVITE sip:a@example.test SIP/2.0\r\nVia: SIP/2.0/TCP 1")
    time.sleep(0.2)
    for stream in streams[::2]:
        stream.close()
    for stream in streams[1::2]:
        stream.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        stream.close()


@hostile("a stream that asks and never reads", seconds=0.5)
def never_reads(stranger, callee):
    stream = Stream(stranger.to, stranger.link.host)
    stream.socket.setblocking(False)
    data = stranger.request("OPTIONS", "sip:nobody-here@example.test").add("X-Fill", "x" * 2000).render().replace(b"SIP/2.0/UDP", b"SIP/2.0/TCP")
    ends = time.monotonic() + 2
    while time.monotonic() < ends:
        try:
            stream.socket.send(data)
        except BlockingIOError:
            time.sleep(0.01)
        except OSError:
            break
    stream.close()


@hostile("random octets on streams")
def random_streams(stranger, callee):
    source = random.Random(4)
    for _ in range(100):
        stream = Stream(stranger.to, stranger.link.host)
        try:
            stream.send(source.randbytes(source.randrange(1, 3000)) + b"\r\n\r\n" * source.randrange(2))
        except OSError:
            pass
        stream.close()


@hostile("one transaction's branch, used by another method and another Call-ID")
def branch_collisions(stranger, callee):
    branch = new_branch()
    for method in ("INVITE", "MESSAGE", "CANCEL", "ACK", "REGISTER", "BYE"):
        for _ in range(3):
            stranger.send(stranger.request(method, callee.aor).set("Via", stranger.via(branch)))


@hostile("guessed branches of ours in responses")
def guessed_branches(stranger, callee):
    source = random.Random(5)
    stranger.send(stranger.request("MESSAGE", callee.aor, body=b"x", kind="text/plain"))
    request = callee.expect("MESSAGE")
    for _ in range(500):
        branch = list(request.branch)
        branch[source.randrange(7, len(branch))] = source.choice("abcdefghijklmnopqrstuvwxyz234567")
        forged = request.copy().set("Via", request.values("Via")[0].replace(request.branch, "".join(branch)))
        callee.reply(forged, 200, "Forged")
    callee.reply(request, 200, "OK")


@rule("bad input: 30,000 strange requests leave no memory behind")
def memory_stays(case):
    stranger = case.stranger(SERVER)

    def flood(count):
        for number in range(count):
            request = stranger.request("OPTIONS" if number % 2 else "INVITE", "sip:nobody-here@example.test")
            stranger.send(request if number % 3 else stranger.request("MESSAGE", "sip:x@example.org"))
            if number % 20 == 0:
                stranger.next(lambda message: True, 0.05)
                stranger.kept.clear()
    flood(10000)
    before = resident_kib(case.server(SERVER).process)
    flood(20000)
    after = resident_kib(case.server(SERVER).process)
    check(after - before < 16 * 1024, f"{before} KiB grew to {after} KiB")


@rule("bad input: a flood of one stranger does not hold up the calls of others")
def calls_go_on(case):
    stranger = case.stranger(SERVER)
    data = [stranger.request("INVITE", "sip:nobody-here@example.test").render() for _ in range(200)]
    ends = time.monotonic() + 1.5
    sent = 0
    while time.monotonic() < ends:
        for packet in data:
            stranger.link.send(packet, stranger.to)
        sent += len(data)
        still_serves(case)
    check(sent >= 400, f"only {sent} requests were sent")
