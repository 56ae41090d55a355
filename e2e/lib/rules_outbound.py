"""Rules of registrations beyond RFC 3261: Path (RFC 3327), outbound (RFC 5626), GRUU (RFC 5627), reg event (RFC 3680)."""

import re
import socket

from message import new_token, uri_of
from phone import Dialog, SDP
from rules import check, rule

INSTANCE = '+sip.instance="<urn:uuid:00000000-0000-4000-8000-{:012x}>"'


def listed(response):
    return [uri_of(value) for value in response.values("Contact")]


def gruu_of(response, phone, kind):
    """The GRUU of that kind ("pub-gruu") in the Contact of this phone."""
    contact = next(value for value in response.values("Contact") if uri_of(value) == uri_of(phone.contact))
    return re.search(kind + '="([^"]+)"', contact).group(1)


def register(phone, parameters, expires=600, supported="path, outbound, gruu", call_id=None):
    """A REGISTER with Contact parameters; gives the final response."""
    if call_id:
        phone.register_id = call_id
    request = phone.register_request(f"{phone.contact};{parameters}", expires).add("Supported", supported)
    message, response = phone.ask_with_credentials(request)
    phone.register_cseq = message.cseq
    return response


def ring(caller, uri, *phones):
    """Calls `uri`: the INVITEs that the phones get, None for one that stays silent. All are refused again."""
    invite = caller.invite(uri)
    wanted = lambda m: m.method == "INVITE" and m.get("Call-ID") == invite.get("Call-ID")  # noqa: E731
    got = [phone.next(wanted, 0.7) for phone in phones]
    for phone, request in zip(phones, got):
        if request:
            phone.reply(request, 486, "Busy Here")
    final = caller.final(invite.get("Call-ID"), cseq=invite.cseq)
    caller.send(caller.ack_for(invite, final))
    return got, final


@rule("RFC 3327 §5.4: a binding's Path is the Route of its requests, and is shown in the 200")
def path_is_followed(case):
    callee, edge = case.phone(), case.peer(user="edge")
    path = f"<sip:token@{edge.address};lr>"
    request = edge.register_request("<sip:phone@10.0.0.7>", 600, uri=f"sip:{callee.domain}", to=f"<{callee.aor}>")
    response = edge.ask(request.add("Path", path).add("Supported", "path"))
    check(response.status == 200 and response.values("Path") == [path], f"{response.start}, {response.lines('Path')}")
    caller = case.registered()
    invite = caller.invite(callee.aor)
    got = edge.expect("INVITE", call_id=invite.get("Call-ID"))
    check(got.uri == "sip:phone@10.0.0.7" and got.values("Route") == [path], f"{got.uri}, {got.lines('Route')}")
    edge.reply(got, 486, "Busy Here")
    caller.send(caller.ack_for(invite, caller.final(invite.get("Call-ID"), cseq=invite.cseq)))


@rule("RFC 5626 §6: a phone that started anew at another address replaces its old binding")
def reboot_replaces(case):
    before = case.phone()
    register(before, INSTANCE.format(1))
    after = case.again(before)
    response = register(after, INSTANCE.format(1), call_id=new_token("reboot-"))
    check(listed(response) == [uri_of(after.contact)], f"Contact: {response.lines('Contact')}")


@rule("RFC 5626 §6, §7: two flows of one phone ring it once, by the newest; 430 makes the other follow")
def flows_of_one_phone(case):
    first = case.phone(transport="tcp")
    second = case.keep(type(first)(first.server, first.user, first.password, transport="tcp"))
    check(register(first, INSTANCE.format(2) + ";reg-id=1").get("Require") == "outbound", "no Require: outbound")
    response = register(second, INSTANCE.format(2) + ";reg-id=2")
    check(len(listed(response)) == 2 and response.get("Flow-Timer"), f"{response.lines('Contact')}")
    caller = case.registered()
    got, _ = ring(caller, first.aor, second, first)
    check(got[0] and not got[1], "the newest flow was not the only one")
    invite = caller.invite(first.aor)
    second.reply(second.expect("INVITE", call_id=invite.get("Call-ID")), 430, "Flow Failed")
    first.reply(first.expect("INVITE", call_id=invite.get("Call-ID")), 486, "Busy Here")
    final = caller.final(invite.get("Call-ID"), cseq=invite.cseq)
    caller.send(caller.ack_for(invite, final))
    check(final.status == 486, final.start)


@rule("RFC 5626 §6: a first hop that keeps no flows gets 439")
def first_hop_lacks_outbound(case):
    phone = case.phone()
    request = phone.register_request(f"{phone.contact};{INSTANCE.format(3)};reg-id=1", 600).add("Supported", "path, outbound")
    request.add("Via", "SIP/2.0/UDP 192.0.2.9;branch=z9hG4bKfirst").add("Path", "<sip:192.0.2.9;lr>")
    response = phone.ask(request)
    if response.status == 401:
        response = phone.ask(phone.authorise(request, response).set("Call-ID", new_token()))
    check(response.status == 439, response.start)


@rule("RFC 5627 §5.1: a GRUU reaches one of two phones; without its phone it gets 480")
def gruu_reaches_one(case):
    desk = case.phone()
    mobile = case.again(desk)
    response = register(desk, INSTANCE.format(4))
    gruu, temporary = gruu_of(response, desk, "pub-gruu"), gruu_of(response, desk, "temp-gruu")
    register(mobile, INSTANCE.format(5))
    caller = case.registered()
    for uri in (gruu, temporary):
        got, _ = ring(caller, uri, desk, mobile)
        check(got[0] and not got[1], f"{uri} rang {got}")
    register(desk, INSTANCE.format(4), expires=0)
    for uri, status in ((gruu, 480), (temporary, 404)):
        _, final = ring(caller, uri, desk, mobile)
        check(final.status == status, f"{uri}: {final.start}")


@rule("RFC 5627 §5.4: another Call-ID ends the temporary GRUUs of a phone")
def temporary_gruu_ends(case):
    phone, caller = case.phone(), case.registered()
    temporary = gruu_of(register(phone, INSTANCE.format(6)), phone, "temp-gruu")
    register(phone, INSTANCE.format(6), call_id=new_token("again-"))
    got, final = ring(caller, temporary, phone)
    check(not got[0] and final.status == 404, final.start)


@rule("RFC 5627 §4.4: a BYE to a GRUU finds the phone on the connection that it opened since")
def bye_finds_new_connection(case):
    before, caller = case.phone(transport="tcp"), case.registered()
    gruu = gruu_of(register(before, INSTANCE.format(7)), before, "pub-gruu")
    invite = caller.invite(before.aor)
    arrived = before.expect("INVITE", call_id=invite.get("Call-ID"))
    before.reply(arrived, 200, "OK", contact=False, body=SDP, extra=[("Contact", f"<{gruu}>")])
    answered = caller.expect(200, call_id=invite.get("Call-ID"))
    mine = Dialog.of_caller(caller, invite, answered)
    caller.send(mine.request("ACK", cseq=invite.cseq))
    before.expect("ACK", call_id=invite.get("Call-ID"))
    after = case.keep(type(before)(before.server, before.user, before.password, transport="tcp"))
    before.close()
    check(register(after, INSTANCE.format(7)).status == 200, "the phone could not come back")
    mine.hang_up(after)


@rule("RFC 3680: a phone is told what is registered, and each change; others get 403")
def registrations_are_told(case):
    watcher = case.registered()
    other = case.again(watcher)
    request = watcher.request("SUBSCRIBE", watcher.aor).add("Event", "reg").add("Expires", "600")
    request, response = watcher.ask_with_credentials(request)
    check(response.status == 200 and response.get("Expires") == "600", response.start)
    first = watcher.expect("NOTIFY")
    watcher.reply(first, 200, "OK")
    check(b'state="full"' in first.body and watcher.contact[1:-1].encode() in first.body, str(first.body))
    other.register_ok()
    change = watcher.expect("NOTIFY")
    watcher.reply(change, 200, "OK")
    check(b'state="partial"' in change.body and b'event="created"' in change.body, str(change.body))
    stranger = case.phone()
    _, refused = stranger.ask_with_credentials(stranger.request("SUBSCRIBE", watcher.aor).add("Event", "reg"))
    check(refused.status == 403, refused.start)


@rule("RFC 5626 §3.5.2: a STUN Binding request on the SIP port is answered with its source")
def stun_is_answered(case):
    server = case.server()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        sock.settimeout(3)
        header = b"\x00\x01\x00\x00\x21\x12\xa4\x42" + b"0123456789ab"
        for _ in range(3):
            sock.sendto(header, (server.host, server.port))
            try:
                answer = sock.recv(200)
                break
            except TimeoutError:
                continue
        port = int.from_bytes(answer[26:28], "big") ^ 0x2112
        check(answer[:2] == b"\x01\x01" and answer[4:20] == header[4:] and port == sock.getsockname()[1], answer.hex())
