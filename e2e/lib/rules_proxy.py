"""Rules of the stateful proxy: RFC 3261 §16.4 to §16.7, §16.12; who may reach whom; what a forwarded message keeps."""

from message import Message, new_branch, new_token, uri_of
from phone import SDP, Dialog
from rules import check, rule

KEPT = ["Subject: folded\r\n   over\r\n\t lines", "X-Unknown:   spaces  and\ttabs kept  ", "x-odd-CASE: 1", "X-Empty:",
        "s: second subject, compact", "Warning: 399 example.org \"quoted, comma; semicolon\"", "Accept: a/b;q=0.1 ,c/d",
        "X-Utf8: Grüße, 世界", "X-Quote: \"a\\\"b\""]


def kept_in(raw, lines):
    """True when each of the lines stands in the head, byte by byte, in their order."""
    head = raw.partition(b"\r\n\r\n")[0] + b"\r\n"
    place = 0
    for line in lines:
        place = head.find(b"\r\n" + line.encode() + b"\r\n", place)
        if place < 0:
            return False
    return True


@rule("§16.6: unknown, folded, compact and oddly written header fields are forwarded byte by byte, in order")
def headers_are_kept(case):
    callee, caller = case.registered(), case.stranger()
    request = caller.request("MESSAGE", callee.aor, body=b"x", kind="text/plain").render()
    head, _, body = request.partition(b"\r\n\r\n")
    caller.send(head + b"\r\n" + "\r\n".join(KEPT).encode() + b"\r\n\r\n" + body)
    arrived = callee.expect("MESSAGE")
    check(kept_in(arrived.raw, KEPT), f"{arrived.raw!r}")


@rule("§16.6: From, To, Call-ID, CSeq and Contact are forwarded byte by byte")
def dialog_fields_are_kept(case):
    callee, caller = case.registered(), case.stranger()
    own = ['f:  "Ann \\"A\\" , x"  <sip:ann@example.org> ; tag=Xy-1', f"TO: Bob<{callee.aor}>", "i: odd{}call?id@" + new_token(),
           "CSeq:   7   INVITE", "m: <sip:ann@127.0.0.1:9;x=y?h=v>;q=0.3"]
    data = f"INVITE {callee.aor} SIP/2.0\r\nVia: {caller.via()}\r\n" + "\r\n".join(own) + "\r\nl: 0\r\n\r\n"
    caller.send(data.encode())
    arrived = callee.expect("INVITE")
    check(kept_in(arrived.raw, own), f"{arrived.raw!r}")
    callee.reply(arrived, 486, "Busy Here")
    caller.expect(486)


@rule("§16.6: a body of any type passes byte by byte, NUL and line ends too")
def body_is_kept(case):
    callee, caller = case.registered(), case.stranger()
    body = bytes(range(256)) * 40 + b"\r\n\r\nOPTIONS sip:x SIP/2.0\r\n\r\n" + b"\0" * 100
    caller.send(caller.request("INFO", callee.aor, body=body, kind="application/x-any"))
    arrived = callee.expect("INFO")
    check(arrived.body == body and arrived.get("Content-Type") == "application/x-any", "changed")


@rule("§16.7: a response's header fields and body are forwarded byte by byte; only the top Via goes")
def response_is_kept(case):
    callee, caller = case.registered(), case.stranger()
    request = caller.send(caller.request("OPTIONS", callee.aor))
    arrived = callee.expect("OPTIONS")
    lines = [f"Via: {arrived.lines('Via')[0]}"] + [f"v:{value}" for value in arrived.lines("Via")[1:]]
    rest = [f"f: {arrived.get('From')}", f"To:{arrived.get('To')};tag=Zz", f"Call-ID: {arrived.get('Call-ID')}",
            f"CSeq: {arrived.get('CSeq')}"] + KEPT
    body = bytes(range(256))
    text = "SIP/2.0 200 Tout à fait\r\n" + "\r\n".join(lines + rest) + f"\r\nContent-Length:   {len(body)}\r\n\r\n"
    callee.link.send(text.encode() + body, arrived.source)
    response = caller.final(request.get("Call-ID"))
    check(response.start == "SIP/2.0 200 Tout à fait" and response.body == body, response.start)
    check(kept_in(response.raw, rest), f"{response.raw!r}")
    check(len(response.values("Via")) == 1, f"Via: {response.values('Via')}")


@rule("§16.6.2: the Request-URI becomes the binding's Contact, with its parameters")
def request_uri_is_the_contact(case):
    callee, caller = case.phone(), case.stranger()
    uri = f"sip:line-7@{callee.address};ob;x=%41"
    callee.register_ok(contact=f"<{uri}>")
    caller.send(caller.request("OPTIONS", callee.aor))
    check(callee.expect("OPTIONS").uri == uri, "another Request-URI")


@rule("issue point 6: a request goes over the flow of the REGISTER, though the Contact is unreachable")
def flow_before_contact(case):
    callee, caller = case.phone(), case.stranger()
    callee.register_ok(contact=f"<sip:{callee.user}@192.0.2.99:5060>")
    caller.send(caller.request("OPTIONS", callee.aor))
    check(callee.expect("OPTIONS").uri == f"sip:{callee.user}@192.0.2.99:5060", "another Request-URI")


@rule("§16.6.4: Record-Route is added with our address and lr, to requests that begin a dialog")
def record_route(case):
    callee, caller = case.registered(), case.stranger()
    caller.send(caller.request("INVITE", callee.aor))
    arrived = callee.expect("INVITE")
    routes = arrived.values("Record-Route")
    check(len(routes) == 1 and ";lr" in routes[0] and f"127.0.0.1:{callee.server.port}" in routes[0], f"Record-Route: {routes}")
    callee.reply(arrived, 486, "Busy Here")
    caller.expect(486)


@rule("§16.6.4: a Record-Route that stands there already stays, below ours")
def record_route_of_others(case):
    callee, caller = case.registered(), case.stranger()
    caller.send(caller.request("INVITE", callee.aor).add("Record-Route", "<sip:192.0.2.3;lr>"))
    arrived = callee.expect("INVITE")
    check(arrived.values("Record-Route")[1:] == ["<sip:192.0.2.3;lr>"], f"{arrived.values('Record-Route')}")
    callee.reply(arrived, 486, "Busy Here")
    caller.expect(486)


@rule("§16.12: BYE, re-INVITE and its ACK pass both ways by their Route sets, unchallenged")
def in_dialog_both_ways(case):
    caller, callee = case.pair()
    mine, theirs = caller.call(callee)
    for one, other, end in ((theirs, mine, caller), (mine, theirs, callee)):
        again = one.phone.send(one.request("INVITE", body=SDP))
        arrived = end.expect("INVITE", call_id=one.call_id)
        check(not arrived.values("Route"), f"Route: {arrived.values('Route')}")
        check(arrived.uri == uri_of(end.contact), f"Request-URI {arrived.uri}")
        end.reply(arrived, 200, "OK", body=SDP)
        one.phone.expect(200, call_id=one.call_id, cseq=again.cseq)
        one.phone.send(one.request("ACK", cseq=again.cseq))
        end.expect("ACK", call_id=one.call_id)
        del other
    mine.hang_up(callee)


@rule("§16.12: the callee hangs up along the Record-Route")
def callee_hangs_up(case):
    caller, callee = case.pair()
    _, theirs = caller.call(callee)
    theirs.hang_up(caller)


@rule("architecture §9.6: Record-Route is doubled from TCP to UDP, and BYE passes both ways")
def doubled_for_transport(case):
    for from_callee in (False, True):
        caller, callee = case.registered(transport="tcp"), case.registered()
        mine, theirs = caller.call(callee)
        check(len(mine.routes) == 2, f"{mine.routes}")
        check("transport=tcp" in mine.routes[0].lower(), f"the TCP side is not on the caller's side: {mine.routes}")
        theirs.hang_up(caller) if from_callee else mine.hang_up(callee)


@rule("architecture §9.6: Record-Route is doubled from IPv6 to IPv4, and BYE passes both ways")
def doubled_for_family(case):
    for from_callee in (False, True):
        caller, callee = case.registered("six", host="::1"), case.phone("six", host="127.0.0.1")
        callee.to = ("127.0.0.1", callee.server.port)
        callee.register_ok()
        mine, theirs = caller.call(callee)
        check(len(mine.routes) == 2 and "[::1]" in mine.routes[0], f"{mine.routes}")
        theirs.hang_up(caller) if from_callee else mine.hang_up(callee)


@rule("architecture §9.6: a token of another call is no pass: such a request is treated as outside a dialog")
def stolen_token(case):
    caller, callee = case.pair()
    mine, _ = caller.call(callee)
    thief, target = case.stranger(), case.stranger()
    request = thief.request("MESSAGE", f"sip:x@{target.address}", body=b"x", kind="text/plain").add("Route", *mine.routes)
    check(thief.ask(request).status in (403, 407), "the token served another call")
    target.expect_nothing(0.2)
    mine.hang_up(callee)


@rule("architecture §9.6: even within a call a request goes only where the call has been")
def token_reaches_only_the_call(case):
    caller, callee, target = case.registered(), case.registered(), case.stranger()
    mine, _ = caller.call(callee)
    mine.target, kept = f"sip:x@{target.address}", mine.target
    caller.send(mine.request("INFO"))
    target.expect_nothing(0.5)
    mine.target = kept
    mine.hang_up(callee)


@rule("architecture §9.6: a changed token is refused")
def forged_token(case):
    caller, callee, target = case.registered(), case.registered(), case.stranger()
    mine, _ = caller.call(callee)
    user = uri_of(mine.routes[0])
    at = len(user) // 2 if "@" not in user else user.index("@") - 3
    forged = user[:at] + ("a" if user[at] != "a" else "b") + user[at + 1:]
    mine.routes, kept = [f"<{forged}>"], mine.routes
    mine.target, kept_target = f"sip:x@{target.address}", mine.target
    caller.send(mine.request("INFO"))
    target.expect_nothing(0.5)
    mine.routes, mine.target = kept, kept_target
    mine.hang_up(callee)


@rule("§16.4: a strict router before us put our URI into the Request-URI: it is repaired")
def strict_router_before_us(case):
    caller, callee = case.pair()
    mine, _ = caller.call(callee)
    bye = mine.request("BYE").remove("Route")
    bye.start = f"BYE {uri_of(mine.routes[0])} SIP/2.0"
    caller.send(bye.add("Route", f"<{mine.target}>"))
    arrived = callee.expect("BYE")
    check(arrived.uri == mine.target and not arrived.values("Route"), f"{arrived.start}, Route {arrived.values('Route')}")
    callee.reply(arrived, 200, "OK")
    caller.expect(200, cseq=bye.cseq)


@rule("§16.6.6: a strict router after us gets the Request-URI as the last Route")
def strict_router_after_us(case):
    peer, router = case.peer(), case.stranger()
    peer.send(peer.request("OPTIONS", "sip:far@192.0.2.5").add("Route", f"<sip:{router.address}>"))
    arrived = router.expect("OPTIONS")
    check(arrived.uri == f"sip:{router.address}", arrived.start)
    check([uri_of(value) for value in arrived.values("Route")] == ["sip:far@192.0.2.5"], f"Route: {arrived.values('Route')}")


@rule("§16.4, §16.6.7: our own Route is taken off and the next one followed; the Request-URI stays")
def loose_route(case):
    peer, router = case.peer(), case.stranger()
    request = peer.request("OPTIONS", "sip:far@192.0.2.5")
    request.add("Route", f"<sip:127.0.0.1:{peer.server.port};lr>, <sip:{router.address};lr>", "<sip:192.0.2.6;lr>")
    peer.send(request)
    arrived = router.expect("OPTIONS")
    check(arrived.uri == "sip:far@192.0.2.5", arrived.start)
    check(arrived.values("Route") == [f"<sip:{router.address};lr>", "<sip:192.0.2.6;lr>"], f"Route: {arrived.values('Route')}")


@rule("issue point 7: a stranger relays nothing to a foreign domain")
def stranger_relays_nothing(case):
    stranger, target = case.stranger(), case.stranger()
    response = stranger.ask(stranger.request("INVITE", f"sip:x@{target.address}"))
    check(response.status in (403, 407), response.start)
    target.expect_nothing(0.2)


@rule("issue point 7: a stranger relays nothing by a Route either, not even past a user of ours")
def stranger_relays_nothing_by_route(case):
    stranger, target, callee = case.stranger(), case.stranger(), case.registered()
    for uri in (callee.aor, "sip:x@example.org"):
        response = stranger.ask(stranger.request("INVITE", uri).add("Route", f"<sip:{target.address};lr>"))
        check(response.status in (403, 407), f"{uri}: {response.start}")
    target.expect_nothing(0.2)


@rule("issue point 7: a user of ours who proves himself may call foreign domains")
def user_calls_abroad(case):
    caller, target = case.phone(), case.stranger()
    request = caller.request("MESSAGE", f"sip:x@{target.address}", body=b"x", kind="text/plain")
    response = caller.ask(request)
    check(response.status == 407, response.start)
    caller.send(caller.authorise(request, response))
    target.reply(target.expect("MESSAGE"), 200, "OK")
    caller.expect(200)


@rule("issue point 7: an anonymous From that needs rights is challenged, and any user's credentials serve")
def anonymous_caller(case):
    caller, target = case.phone(), case.stranger()
    request = caller.request("MESSAGE", f"sip:x@{target.address}", from_='"Anonymous" <sip:anonymous@anonymous.invalid>;tag=1')
    response = caller.ask(request)
    check(response.status == 407, response.start)
    caller.send(caller.authorise(request, response))
    target.expect("MESSAGE")


@rule("[proxy] inbound = \"anyone\": a stranger calls a local user without credentials")
def stranger_calls(case):
    callee, stranger = case.registered(), case.stranger()
    mine, _ = stranger.call(callee)
    mine.hang_up(callee)


@rule("[proxy] inbound = \"trusted\": a stranger is challenged, a trusted peer is not")
def inbound_trusted(case):
    callee, stranger, peer = case.registered("closed"), case.stranger("closed"), case.peer("closed")
    response = stranger.ask(stranger.request("INVITE", callee.aor))
    check(response.status in (403, 407), response.start)
    callee.expect_nothing(0.2)
    peer.call(callee)


@rule("issue point 7: a stranger who claims to be one of our users is challenged")
def stranger_with_our_name(case):
    victim, callee, stranger = case.registered(), case.registered(), case.stranger()
    response = stranger.ask(stranger.request("INVITE", callee.aor, from_=f"<{victim.aor}>;tag=1"))
    check(response.status == 407, response.start)
    callee.expect_nothing(0.2)


@rule("[proxy] record_route = false: none is added")
def no_record_route(case):
    callee, stranger = case.registered("closed"), case.peer("closed")
    stranger.send(stranger.request("INVITE", callee.aor))
    arrived = callee.expect("INVITE")
    check(not arrived.values("Record-Route"), f"{arrived.values('Record-Route')}")
    callee.reply(arrived, 486, "Busy Here")
    stranger.expect(486)


@rule("§16.11 and §17: a dialog that the server never saw is no reason to crash: BYE with a made-up Route gets an answer")
def made_up_dialog(case):
    stranger = case.stranger()
    dialog = Dialog(stranger, new_token(), "<sip:v@example.org>;tag=1", "<sip:w@example.test>;tag=2", "sip:w@192.0.2.8",
                    [f"<sip:127.0.0.1:{stranger.server.port};lr>"], 1)
    response = stranger.ask(dialog.request("BYE"))
    check(response.status in (403, 404, 407, 481), response.start)


@rule("§8.1.3.3, §16.7.3: a response with a single Via that is ours goes nowhere")
def response_without_a_way(case):
    callee, caller = case.registered(), case.stranger()
    request = caller.send(caller.request("OPTIONS", callee.aor))
    arrived = callee.expect("OPTIONS")
    lonely = Message("SIP/2.0 200 OK").add("Via", arrived.values("Via")[0]).add("From", arrived.get("From"))
    lonely.add("To", arrived.get("To") + ";tag=1").add("Call-ID", arrived.get("Call-ID")).add("CSeq", arrived.get("CSeq"))
    callee.send_response(lonely, arrived)
    caller.expect_nothing(0.3, lambda message: not message.values("Via"))
    callee.reply(arrived, 200, "OK")
    caller.next(lambda message: message.status == 200 and message.get("Call-ID") == request.get("Call-ID"), 1)


@rule("§16.7.1: a response whose branch is not ours is dropped")
def response_of_another_branch(case):
    callee, caller = case.registered(), case.stranger()
    caller.send(caller.request("OPTIONS", callee.aor))
    arrived = callee.expect("OPTIONS")
    forged = arrived.copy()
    top = arrived.values("Via")[0]
    forged.set("Via", top.replace(arrived.branch, new_branch())).add("Via", *arrived.values("Via")[1:])
    forged.headers = [field for field in forged.headers if field[0] == "Via"]
    forged.start = "SIP/2.0 200 Forged"
    forged.body = b""
    for name in ("From", "To", "Call-ID", "CSeq"):
        forged.add(name, arrived.get(name))
    callee.send_response(forged, arrived)
    caller.expect_nothing(0.4, lambda message: message.reason == "Forged")
