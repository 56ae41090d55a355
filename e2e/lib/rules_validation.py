"""Rules of request validation and of the server as a user agent: RFC 3261 §8.2, §16.3, §18.3, §20, §21; RFC 5393."""

import time

from message import Message, new_token
from rules import check, rule


def status_of(case, method, uri, change=lambda request: None, length=True, phone=None):
    """What a stranger's request gets."""
    phone = phone or case.stranger()
    request = phone.request(method, uri)
    change(request)
    return phone.ask(request, length=length)


def refused(text, status, change, method="OPTIONS", uri=None, reason=None):
    """A request for a registered user that must be refused and must not reach the phone."""
    @rule(text)
    def run(case):
        callee = case.registered()
        response = status_of(case, method, uri or callee.aor, change)
        check(response.status == status, f"got {response.start}")
        check(reason is None or reason.lower() in response.reason.lower(), f"the reason does not name {reason}: {response.start}")
        callee.expect_nothing(0.2)
    run.__name__ = "refused_" + str(status)


refused("§16.3.3: Max-Forwards 0 gets 483", 483, lambda r: r.set("Max-Forwards", "0"), "INVITE")
refused("§16.3.3: Max-Forwards 0 gets 483 on other methods too", 483, lambda r: r.set("Max-Forwards", "0"), "MESSAGE")
refused("§16.3.2: an unknown URI scheme gets 416", 416, lambda r: None, uri="gopher:hole@example.test")
refused("§16.3.5: an unknown Proxy-Require gets 420", 420, lambda r: r.add("Proxy-Require", "time-travel"))
refused("§16.3.1: a CSeq of another method gets 400", 400, lambda r: r.set("CSeq", "1 INVITE"), reason="CSeq")
refused("§20.16: a CSeq past 31 bits gets 400", 400, lambda r: r.set("CSeq", "4294967296 OPTIONS"), reason="CSeq")
refused("§20.22: Max-Forwards that is no number gets 400", 400, lambda r: r.set("Max-Forwards", "many"), reason="Max-Forwards")
refused("§20.20: a From that cannot be read gets 400", 400, lambda r: r.set("From", "<sip:a@example.org"), reason="From")
refused("§20.39: a To that cannot be read gets 400", 400, lambda r: r.set("To", '"open <sip:b@example.test>'), reason="To")
refused("§7.3.1: two From header fields get 400", 400, lambda r: r.add("From", "<sip:c@example.org>;tag=2"), reason="From")
refused("§7.3.1: two Call-ID header fields get 400", 400, lambda r: r.add("Call-ID", "another"), reason="Call-ID")
refused("§21.5.6: another SIP version gets 505", 505, lambda r: setattr(r, "start", r.start.replace("SIP/2.0", "SIP/3.0")))


@rule("§16.3.5: 420 names what is unsupported")
def unsupported_is_named(case):
    callee = case.registered()
    response = status_of(case, "OPTIONS", callee.aor, lambda r: r.add("Proxy-Require", "time-travel"))
    check("time-travel" in (response.get("Unsupported") or ""), f"Unsupported: {response.get('Unsupported')}")


@rule("§16.3: Require is no concern of a proxy: it passes")
def require_passes(case):
    callee, caller = case.registered(), case.stranger()
    caller.send(caller.request("OPTIONS", callee.aor).add("Require", "time-travel"))
    check(callee.expect("OPTIONS").get("Require") == "time-travel", "changed")


def missing(name):
    @rule(f"§8.1.1: a request without {name} gets 400, or silence, and goes nowhere")
    def run(case):
        callee, caller = case.registered(), case.stranger()
        request = caller.request("OPTIONS", callee.aor).remove(name)
        caller.send(request)
        response = caller.next(lambda message: True, 0.6)
        check(response is None or response.status == 400, f"got {response}")
        callee.expect_nothing(0.2)
    run.__name__ = "missing_" + name


for header in ("From", "To", "Call-ID", "CSeq", "Via"):
    missing(header)


@rule("§16.6.3: Max-Forwards is decremented")
def hop_count_falls(case):
    callee, caller = case.registered(), case.stranger()
    caller.send(caller.request("OPTIONS", callee.aor).set("Max-Forwards", "17"))
    check(callee.expect("OPTIONS").get("Max-Forwards") == "16", "not 16")


@rule("§16.6.3: a request without Max-Forwards leaves with 70")
def hop_count_is_inserted(case):
    callee, caller = case.registered(), case.stranger()
    caller.send(caller.request("OPTIONS", callee.aor).remove("Max-Forwards"))
    check(callee.expect("OPTIONS").get("Max-Forwards") == "70", "not 70")


def registered_elsewhere(case, user):
    """A user whose only Contact leads back to the server, as `user`: his connection is closed, so the Contact is tried."""
    phone = case.phone(transport="tcp")
    phone.register_ok(contact=f"<sip:{user or phone.user}@127.0.0.1:{phone.server.port};transport=tcp>")
    phone.link.close()
    time.sleep(0.2)
    return phone


@rule("§16.3.4: a request that comes back unchanged gets 482")
def loop(case):
    callee, caller = registered_elsewhere(case, None), case.stranger()
    response = caller.ask(caller.request("INVITE", callee.aor), seconds=6)
    check(response.status == 482, f"got {response.start}")


@rule("§16.3.4: a spiral, which comes back with another Request-URI, is no loop")
def spiral(case):
    second, caller = case.registered(), case.stranger()
    first = registered_elsewhere(case, second.user)
    caller.send(caller.request("MESSAGE", first.aor, body=b"x", kind="text/plain"))
    arrived = second.expect("MESSAGE")
    check(len(arrived.values("Via")) == 3, f"Via: {arrived.values('Via')}")
    second.reply(arrived, 200, "OK")
    caller.expect(200)


@rule("§16.5: a user of ours who does not exist gets 404")
def unknown_callee(case):
    check(status_of(case, "INVITE", "sip:nobody-here@example.test").status == 404, "no 404")


@rule("§16.5, §21.4.18: a user who has no binding gets 480")
def absent_callee(case):
    check(status_of(case, "INVITE", case.phone().aor).status == 480, "no 480")


@rule("§19.1.4: the user part compares with case, the host without")
def case_of_the_callee(case):
    callee, caller = case.registered(), case.stranger()
    caller.send(caller.request("OPTIONS", callee.aor.replace("example.test", "EXAMPLE.Test")))
    callee.expect("OPTIONS")
    check(status_of(case, "OPTIONS", callee.aor.replace(callee.user, callee.user.upper())).status == 404, "another user was found")


@rule("§19.1.2: an escaped user part names the same user")
def escaped_callee(case):
    callee, caller = case.registered(), case.stranger()
    caller.send(caller.request("OPTIONS", callee.aor.replace(callee.user, "%" + format(ord(callee.user[0]), "02x") + callee.user[1:])))
    callee.expect("OPTIONS")


@rule("issue point 8: our domain with a port that is not ours is not us")
def foreign_port(case):
    callee = case.registered()
    response = status_of(case, "INVITE", f"sip:{callee.user}@127.0.0.1:9")
    check(response.status in (403, 407), f"got {response.start}")
    callee.expect_nothing(0.2)


@rule("§11.2: OPTIONS for the server itself gets 200 with Allow, Accept and Supported")
def options_of_the_server(case):
    stranger = case.stranger()
    response = status_of(case, "OPTIONS", f"sip:127.0.0.1:{stranger.server.port}", phone=stranger)
    check(response.status == 200 and response.get("Allow") is not None, f"{response.start}, Allow {response.get('Allow')}")
    check(response.get("Accept") is not None and response.get("Supported") is not None, "Accept or Supported is missing")


@rule("§8.2.1: a method that the server itself does not take gets 405 with Allow")
def method_not_allowed(case):
    response = status_of(case, "MESSAGE", "sip:example.test")
    check(response.status == 405 and response.get("Allow"), f"{response.start}, Allow {response.get('Allow')}")


@rule("§12.2.2: a BYE for no dialog of the server gets 481")
def stray_bye(case):
    stranger = case.stranger()
    request = stranger.request("BYE", f"sip:127.0.0.1:{stranger.server.port}", to="<sip:127.0.0.1>;tag=never")
    response = stranger.ask(request)
    check(response.status in (405, 481), f"got {response.start}")


@rule("§9.2: a CANCEL that matches nothing gets 481")
def stray_cancel(case):
    callee, stranger = case.registered(), case.stranger()
    request = stranger.request("INVITE", callee.aor)
    check(stranger.ask(stranger.cancel_for(request)).status == 481, "no 481")
    callee.expect_nothing(0.2)


@rule("§17.1.1.3: a stray ACK is never answered")
def stray_ack(case):
    stranger = case.stranger()
    request = stranger.request("ACK", "sip:nobody-here@example.test").set("Max-Forwards", "0")
    stranger.send(request)
    stranger.send(stranger.request("ACK", f"sip:127.0.0.1:{stranger.server.port}"))
    stranger.expect_nothing()


@rule("§18.1.2: a stray response is dropped")
def stray_response(case):
    callee, stranger = case.registered(), case.stranger()
    response = Message("SIP/2.0 200 OK")
    response.add("Via", f"SIP/2.0/UDP 127.0.0.1:{stranger.server.port};branch=z9hG4bKnever", callee.via())
    response.add("From", "<sip:a@example.test>;tag=1").add("To", "<sip:b@example.test>;tag=2")
    stranger.send(response.add("Call-ID", new_token()).add("CSeq", "1 INVITE"))
    callee.expect_nothing()


@rule("§8.2.6.2: From, Call-ID, CSeq and all Vias come back in a response as they were sent")
def response_copies(case):
    stranger = case.stranger()
    request = stranger.request("INVITE", "sip:nobody-here@example.test", from_='"Ann, at home" <sip:ann@example.org>;tag=x;other=1')
    request.add("Via", "SIP/2.0/TCP 192.0.2.9;branch=z9hG4bKbelow")
    response = stranger.ask(request)
    for name in ("From", "Call-ID", "CSeq"):
        check(response.get(name) == request.get(name), f"{name}: {response.get(name)}")
    check(response.values("Via")[1] == "SIP/2.0/TCP 192.0.2.9;branch=z9hG4bKbelow", f"Via: {response.values('Via')}")
    check(response.get("To").startswith(request.get("To")) and response.tag("To"), f"To: {response.get('To')}")


@rule("§8.2.7: a stateless refusal repeats itself octet by octet, with the same To tag")
def refusal_repeats(case):
    stranger = case.stranger()
    request = stranger.request("INVITE", "sip:nobody-here@example.test").set("Max-Forwards", "0")
    stranger.send(request)
    first = stranger.expect(483)
    stranger.send(request)
    check(first.raw == stranger.expect(483).raw and first.tag("To"), "the second is another")
    stranger.send(stranger.ack_for(request, first))
    stranger.expect_nothing()


@rule("§7.3.3: compact header names are understood everywhere")
def compact_forms(case):
    callee, caller = case.registered(), case.stranger()
    request = caller.request("MESSAGE", callee.aor, body=b"hi", kind="text/plain").add("Subject", "s")
    names = {"Via": "v", "From": "f", "To": "t", "Call-ID": "i", "Content-Type": "c", "Subject": "s", "Content-Length": "l"}
    request.set("Content-Length", "2")
    request.headers = [(names.get(name, name), value) for name, value in request.headers]
    caller.send(request)
    arrived = callee.expect("MESSAGE")
    callee.reply(arrived, 200, "OK")
    check(caller.final(request.get("Call-ID")).status == 200, "no 200")


@rule("§7.3.1: header names compare without case; white space before the colon is allowed")
def header_case(case):
    callee, caller = case.registered(), case.stranger()
    request = caller.request("OPTIONS", callee.aor)
    request.headers = [(name.upper() + " ", value) for name, value in request.headers]
    caller.send(request.render(length=False))
    callee.expect("OPTIONS")


@rule("§16.3: an unknown method is proxied as any other")
def unknown_method(case):
    callee, caller = case.registered(), case.stranger()
    request = caller.send(caller.request("JUGGLE", callee.aor))
    callee.reply(callee.expect("JUGGLE"), 200, "OK")
    check(caller.final(request.get("Call-ID")).status == 200, "no 200")


@rule("§7.1: method names compare with case: 'options' is another method")
def method_case(case):
    callee, caller = case.registered(), case.stranger()
    caller.send(caller.request("options", callee.aor))
    callee.expect("options")
