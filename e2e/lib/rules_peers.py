"""Rules that other servers of today break, and habits of real phones that a server must bear."""

import re
import time

from link import Stream
from message import Message, new_branch, new_token, uri_of
from phone import SDP, Dialog
from rules import check, rule
from rules_validation import registered_elsewhere


@rule("§18.3: a Content-Length past 32 bits on a stream does not wrap: the octets behind it are no request")
def wrapped_length(case):
    for length in ("4294967300", "18446744073709551620"):
        callee, stranger = case.registered(), case.stranger(transport="tcp")
        hidden = stranger.request("MESSAGE", callee.aor, body=b"smuggled", kind="text/plain").render()
        request = stranger.request("MESSAGE", callee.aor, kind="text/plain").set("Content-Length", length).render(length=False)
        stranger.link.send(request + b"abcd" + hidden)
        response = stranger.next(lambda message: True, 1.5)
        check(stranger.link.is_closed or response and response.status in (400, 413, 513), f"{length}: {response}")
        callee.expect_nothing(0.3)


@rule("§18.3: a Content-Length past 32 bits in a datagram gets 400 or silence, and goes nowhere")
def wrapped_length_in_a_datagram(case):
    callee, stranger = case.registered(), case.stranger()
    request = stranger.request("MESSAGE", callee.aor, body=b"abcd", kind="text/plain").set("Content-Length", "4294967300")
    stranger.send(request, length=False)
    response = stranger.next(lambda message: True, 0.5)
    check(response is None or response.status == 400, f"{response}")
    callee.expect_nothing(0.2)


@rule("§16.7.3, §18.1.2: a forged response is not relayed to whom its second Via names, by datagram or stream")
def response_relay(case):
    victim, callee = case.stranger(), case.registered()
    for transport in ("udp", "tcp"):
        attacker = case.stranger(transport=transport)
        attacker.send(attacker.request("MESSAGE", callee.aor, body=b"x", kind="text/plain"))
        arrived = callee.expect("MESSAGE")
        guessed = arrived.branch[:-1] + ("a" if arrived.branch[-1] != "a" else "b")
        for branch in (new_branch(), guessed):
            own = f"SIP/2.0/{transport.upper()} 127.0.0.1:{attacker.server.port};branch={branch}"
            forged = Message("SIP/2.0 200 OK").add("Via", own, victim.via()).add("From", "<sip:a@example.org>;tag=1")
            forged.add("To", "<sip:b@example.org>;tag=2").add("Call-ID", new_token()).add("CSeq", "1 MESSAGE")
            attacker.send(forged)
        callee.reply(arrived, 200, "OK")
        attacker.expect(200)
    victim.expect_nothing()


@rule("RFC 5393 §4: two users who each forward to the other: 482 at once, not after seventy hops")
def loop_of_two(case):
    first = case.phone(transport="tcp")
    second = registered_elsewhere(case, first.user)
    first.register_ok(contact=f"<sip:{second.user}@127.0.0.1:{first.server.port};transport=tcp>")
    first.link.close()
    time.sleep(0.2)
    caller = case.stranger()
    began = time.monotonic()
    request = caller.request("INVITE", first.aor).set("Max-Forwards", "255")
    response = caller.ask(request, seconds=6)
    check(response.status in (482, 483), response.start)
    check(time.monotonic() - began < 2, f"after {time.monotonic() - began:.1f} s")


@rule("§10.3.7: a REGISTER for ten seconds gets 423 with Min-Expires, and is taken where the configuration allows it")
def ten_seconds(case):
    phone = case.phone()
    for contact, expires in ((None, 10), (f"{phone.contact};expires=10", None)):
        response = phone.register(contact, expires)
        check(response.status == 423 and response.get("Min-Expires") == "60", f"{response.start}, {response.get('Min-Expires')}")
    response = case.phone("quick").register(expires=10)
    check(response.status == 200 and ";expires=10" in response.get("Contact", ""), f"{response.start}, {response.lines('Contact')}")


@rule("RFC 7616 §3.3: an algorithm that was not offered proves nothing, not even NONE without a response")
def algorithm_none(case):
    for algorithm, answer in (("NONE", None), ("none", ""), ("NONE", "0" * 32), (None, ""), (None, "0" * 32)):
        phone = case.phone(host=case.world.host())
        request = phone.register_request()
        request = phone.authorise(request, phone.ask(request), **({"algorithm": algorithm} if algorithm else {}))
        credentials = re.sub(r'response="[^"]*"', "" if answer is None else f'response="{answer}"', request.get("Authorization"))
        response = phone.ask(request.set("Authorization", credentials.replace(", ,", ",")))
        check(response.status in (400, 401), f"{algorithm}, {answer}: {response.start}")


@rule("RFC 7616 §3.4: credentials for another host's uri or another method do not serve a call")
def credentials_for_another(case):
    caller, callee = case.phone(host=case.world.host()), case.registered()
    for changes in ({"digest_uri": "sip:other.example.org"}, {"digest_uri": f"sip:{callee.user}@other.example.org"}):
        request = caller.request("INVITE", callee.aor)
        response = caller.ask(caller.authorise(request, caller.ask(request), **changes))
        check(response.status in (400, 407), f"{changes}: {response.start}")
    request = caller.request("INVITE", callee.aor)
    response = caller.ask(request)
    stolen = caller.authorise(caller.request("MESSAGE", callee.aor), response).get("Proxy-Authorization")
    again = request.copy().set("CSeq", "2 INVITE").set("Via", caller.via()).set("Proxy-Authorization", stolen)
    check(caller.ask(again).status == 407, "credentials of a MESSAGE served an INVITE")
    callee.expect_nothing(0.2)


@rule("§7.3.1: a folded CSeq, and folded Via, From, To and Call-ID are understood")
def folded_fields(case):
    callee, caller = case.registered(), case.stranger()
    request = caller.request("OPTIONS", callee.aor)
    request.set("CSeq", "1\r\n  OPTIONS").set("Via", request.get("Via").replace(" ", "\r\n ", 1)).set("To", f"\r\n\t<{callee.aor}>")
    request.set("From", request.get("From").replace(";", "\r\n ;")).set("Call-ID", f"\r\n  {request.get('Call-ID')}")
    caller.send(request)
    arrived = callee.expect("OPTIONS")
    check(arrived.get("CSeq").split() == ["1", "OPTIONS"], f"CSeq {arrived.get('CSeq')}")
    callee.reply(arrived, 200, "OK")
    check(caller.expect(200).get("CSeq").split() == ["1", "OPTIONS"], "no 200")


@rule("§21.5.6: another SIP version gets 505 on a stream too")
def other_version_on_a_stream(case):
    stranger = case.stranger(transport="tcp")
    request = stranger.request("OPTIONS", "sip:nobody-here@example.test")
    request.start = request.start.replace("SIP/2.0", "SIP/3.0")
    check(stranger.ask(request).status == 505, "no 505")


@rule("architecture §9.6: a To tag and a Route of ours open no way to a foreign host, with any method")
def no_way_through(case):
    stranger, target = case.stranger(), case.stranger()
    for routes in ([f"<sip:127.0.0.1:{stranger.server.port};lr>"], [f"<sip:127.0.0.1:{stranger.server.port};lr>", f"<sip:{target.address};lr>"],
                   [f"<sip:{target.address};lr>"]):
        for method in ("INVITE", "BYE", "INFO", "MESSAGE", "REFER", "UPDATE", "NOTIFY", "SUBSCRIBE", "ACK"):
            dialog = Dialog(stranger, new_token(), "<sip:v@example.org>;tag=1", "<sip:w@example.org>;tag=2", f"sip:w@{target.address}", routes, 1)
            request = dialog.request(method)
            if method == "ACK":
                stranger.send(request)
                continue
            response = stranger.ask(request)
            check(response.status in (403, 404, 407, 481), f"{method}: {response.start}")
    target.expect_nothing(0.3)


@rule("RFC 3264 §5, §13.2.1: an offer that comes late, in the 200, is answered in the ACK")
def late_offer(case):
    caller, callee = case.pair()
    invite = caller.invite(callee.aor, body=b"")
    arrived = callee.expect("INVITE", call_id=invite.get("Call-ID"))
    check(arrived.body == b"", "a body was added")
    callee.reply(arrived, 200, "OK", body=SDP)
    answered = caller.expect(200, call_id=invite.get("Call-ID"))
    check(answered.body == SDP, "the offer was changed")
    mine = Dialog.of_caller(caller, invite, answered)
    caller.send(mine.request("ACK", cseq=invite.cseq, body=SDP))
    check(callee.expect("ACK", call_id=invite.get("Call-ID")).body == SDP, "the answer was lost")
    mine.hang_up(callee)


@rule("§7.3.1: Vias joined by commas, and Vias after From, are read as those in lines of their own")
def joined_vias(case):
    callee, caller = case.registered(), case.stranger()
    below = ["SIP/2.0/TCP 192.0.2.9;branch=z9hG4bKsecond", "SIP/2.0/UDP 192.0.2.10:5070;branch=z9hG4bKthird"]
    request = caller.request("OPTIONS", callee.aor)
    top = request.get("Via")
    request.remove("Via").add("Via", ", ".join([top] + below))
    caller.send(request)
    arrived = callee.expect("OPTIONS")
    vias = arrived.values("Via")
    check(len(vias) == 4 and vias[2:] == below and f"rport={caller.link.port}" in vias[1], f"Via: {vias}")
    response = Message("SIP/2.0 200 OK").add("From", arrived.get("From")).add("v", ",".join(vias))
    response.add("To", arrived.get("To") + ";tag=joined").add("Call-ID", arrived.get("Call-ID")).add("CSeq", arrived.get("CSeq"))
    callee.send_response(response, arrived)
    back = caller.expect(200).values("Via")
    check(len(back) == 3 and back[1:] == below, f"Via: {back}")


@rule("§8.1.1: a datagram without Content-Length begins and ends a call")
def call_without_lengths(case):
    caller, callee = case.stranger(), case.registered()
    invite = caller.request("INVITE", callee.aor, body=SDP)
    caller.send(invite, length=False)
    arrived = callee.expect("INVITE")
    check(arrived.body == SDP, "the body was lost")
    answer = callee.reply(arrived, 200, "OK", body=SDP)
    mine = Dialog.of_caller(caller, invite, caller.expect(200))
    caller.send(mine.request("ACK", cseq=invite.cseq), length=False)
    callee.expect("ACK")
    theirs = Dialog.of_callee(callee, arrived, answer)
    bye = callee.send(theirs.request("BYE"), length=False)
    caller.reply(caller.expect("BYE"), 200, "OK")
    callee.expect(200, cseq=bye.cseq)


@rule("RFC 7118 §5.1, RFC 3891: a transfer reaches the .invalid Contact of a browser phone over its own connection, with its Replaces")
def transfer_to_a_browser(case):
    browser, first, second = case.registered("secure", "wss"), case.registered("secure"), case.registered("secure")
    mine, _ = first.call(browser)
    contact = uri_of(browser.contact)
    check(".invalid" in contact, contact)
    request = second.request("INVITE", contact, body=SDP).add("Replaces", f"{mine.call_id};to-tag=1;from-tag=2")
    response = second.ask(request)
    check(response.status == 407, response.start)
    again = second.send(second.authorise(request, response))
    arrived = browser.expect("INVITE", call_id=request.get("Call-ID"))
    check(arrived.get("Replaces") == request.get("Replaces") and arrived.uri == contact, f"{arrived.start}, {arrived.get('Replaces')}")
    browser.reply(arrived, 486, "Busy Here")
    second.send(second.ack_for(again, second.final(request.get("Call-ID"), cseq=again.cseq)))
    mine.hang_up(browser)


@rule("§18.2.2: a stream that is closed and opened again by the phone serves its next request")
def stream_comes_back(case):
    server = case.server()
    for _ in range(3):
        stream = case.keep(Stream((server.host, server.port)))
        stream.send(server.options(stream).replace(b"SIP/2.0/UDP", b"SIP/2.0/TCP"))
        check(stream.receive(3), "no answer")
        stream.close()
