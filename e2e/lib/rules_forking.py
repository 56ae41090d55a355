"""Rules of the order in which a user's phones are tried, of Max-Breadth and of redirection: RFC 3261 §8.3, §16.6, §16.7; RFC 5393.

The server "forking" leaves a group after 1 s and tries the contacts of a 3xx; the server "redirect" forwards nothing.
"""

import time

from message import uri_of
from rules import check, rule

RING = 1.0
ELSEWHERE = 'SIP;cause=200;text="Call completed elsewhere"'


def three_phones(case, q, server="forking"):
    """Three phones of one user, registered with these q, and a stranger who calls him."""
    first = case.phone(server)
    phones = [first, case.again(first), case.again(first)]
    for phone, value in zip(phones, q):
        phone.register_ok(contact=f"{phone.contact};q={value}")
    return phones, case.stranger(server)


def rings(phone, invite):
    """The INVITE arrives and is answered with 180."""
    arrived = phone.expect("INVITE", call_id=invite.get("Call-ID"))
    phone.reply(arrived, 180, "Ringing")
    return arrived


def is_cancelled(phone, arrived):
    """The CANCEL arrives; the phone ends its call as the RFC says. Gives the CANCEL."""
    cancel = phone.expect("CANCEL", call_id=arrived.get("Call-ID"))
    phone.reply(cancel, 200, "OK")
    phone.reply(arrived, 487, "Request Terminated")
    phone.expect("ACK", call_id=arrived.get("Call-ID"))
    return cancel


@rule("§16.6: the contact of the best q rings first, the next one when its time is up or it is busy")
def rings_by_q(case):
    (desk, mobile, soft), caller = three_phones(case, ("1.0", "0.5", "0.2"))
    began = time.monotonic()
    invite = caller.invite(desk.aor)
    at_desk = rings(desk, invite)
    mobile.expect_nothing(RING / 2)
    check("Reason" not in str(is_cancelled(desk, at_desk).raw), "a CANCEL for the next group names an answer")
    at_mobile = mobile.expect("INVITE")
    check(time.monotonic() - began > RING * 0.9, "the second phone rang too early")
    soft.expect_nothing(RING / 4)
    mobile.reply(at_mobile, 486, "Busy Here")
    mobile.expect("ACK")
    at_soft = rings(soft, invite)
    soft.reply(at_soft, 200, "OK")
    caller.expect(200, call_id=invite.get("Call-ID"))


@rule("§16.6: contacts of equal q ring together, before those of a lower one")
def rings_together(case):
    (desk, mobile, soft), caller = three_phones(case, ("0.9", "0.9", "0.1"))
    invite = caller.invite(desk.aor)
    at_desk, at_mobile = rings(desk, invite), rings(mobile, invite)
    soft.expect_nothing(RING / 2)
    mobile.reply(at_mobile, 200, "OK")
    caller.expect(200, call_id=invite.get("Call-ID"))
    check(is_cancelled(desk, at_desk).get("Reason") == ELSEWHERE, "the loser is not told who won")
    soft.expect_nothing(RING)


@rule("§16.7.5: a 200 of a phone that was left for the next group is forwarded, and the next group is cancelled")
def late_success(case):
    (desk, mobile, _), caller = three_phones(case, ("1.0", "0.5", "0.2"))
    invite = caller.invite(desk.aor)
    at_desk = rings(desk, invite)
    desk.expect("CANCEL")
    at_mobile = rings(mobile, invite)
    desk.reply(at_desk, 200, "OK")
    check(caller.expect(200).get("Contact") == desk.contact, "somebody else answered")
    check(is_cancelled(mobile, at_mobile).get("Reason") == ELSEWHERE, "the loser is not told who won")


@rule("§9.1: a phone that has sent nothing yet is not cancelled, also when the next group rings")
def no_early_cancel(case):
    (desk, mobile, _), caller = three_phones(case, ("1.0", "0.5", "0.2"))
    invite = caller.invite(desk.aor)
    at_desk = desk.expect("INVITE")
    at_mobile = rings(mobile, invite)
    desk.expect_nothing(0.2, lambda message: message.method == "CANCEL")
    desk.reply(at_desk, 180, "Ringing")
    is_cancelled(desk, at_desk)
    mobile.reply(at_mobile, 200, "OK")
    caller.expect(200)


@rule("§16.7.5: after a 603 no further group rings")
def decline_ends_all(case):
    (desk, mobile, soft), caller = three_phones(case, ("1.0", "0.5", "0.2"))
    invite = caller.invite(desk.aor)
    desk.reply(desk.expect("INVITE"), 603, "Decline")
    check(caller.final(invite.get("Call-ID")).status == 603, "another final response")
    mobile.expect_nothing(RING * 1.5)
    soft.expect_nothing(0)


@rule("§16.10: the caller's CANCEL, with its Reason, ends the search: no further group rings")
def cancel_ends_all(case):
    (desk, mobile, _), caller = three_phones(case, ("1.0", "0.5", "0.2"))
    invite = caller.invite(desk.aor)
    at_desk = rings(desk, invite)
    caller.expect(180)
    caller.send(caller.cancel_for(invite).add("Reason", 'SIP;cause=600;text="Busy Everywhere"'))
    check(is_cancelled(desk, at_desk).get("Reason") == 'SIP;cause=600;text="Busy Everywhere"', "the Reason is lost")
    check(caller.final(invite.get("Call-ID")).status in (200, 487), "no end")
    mobile.expect_nothing(RING * 1.5)


@rule("§16.7.6: when nobody of any group answers well, the best of all failures is told")
def best_of_all_groups(case):
    (desk, mobile, soft), caller = three_phones(case, ("1.0", "0.5", "0.2"))
    invite = caller.invite(desk.aor)
    desk.reply(desk.expect("INVITE"), 480, "Temporarily Unavailable")
    mobile.reply(mobile.expect("INVITE"), 486, "Busy Here")
    soft.reply(soft.expect("INVITE"), 503, "Service Unavailable")
    check(caller.final(invite.get("Call-ID")).status == 486, "another final response")


@rule("RFC 5393 §5.3.3: Max-Breadth is added, and shared by phones that ring together")
def breadth_is_shared(case):
    phones, caller = three_phones(case, ("1.0", "1.0", "1.0"))
    caller.invite(phones[0].aor)
    shares = [int(phone.expect("INVITE").get("Max-Breadth")) for phone in phones]
    check(sum(shares) == 60 and min(shares) == 20, f"shares {shares}")


@rule("RFC 5393 §5.3.3: a Max-Breadth of 1 makes them ring one after the other, 0 gets 440, nonsense 400")
def breadth_is_small(case):
    (desk, mobile, soft), caller = three_phones(case, ("1.0", "1.0", "1.0"))
    invite = caller.send(caller.request("INVITE", desk.aor).add("Max-Breadth", "1"))
    phones = [desk, mobile, soft]
    for _ in range(3):
        arrived = []
        deadline = time.monotonic() + 3
        while not arrived and time.monotonic() < deadline:
            arrived = [(phone, message) for phone in phones
                       if (message := phone.next(lambda m: m.method == "INVITE" and not m.is_response(), 0.1))]
        check(len(arrived) == 1, f"{len(arrived)} phones ring")
        phone, message = arrived[0]
        check(message.get("Max-Breadth") == "1", message.get("Max-Breadth"))
        phones.remove(phone)
        phone.reply(message, 486, "Busy Here")
    caller.final(invite.get("Call-ID"))
    for value, status in (("0", 440), ("many", 400)):
        refused = caller.ask(caller.request("OPTIONS", desk.aor).add("Max-Breadth", value))
        check(refused.status == status, f"Max-Breadth: {value} got {refused.status}")


@rule("RFC 5393 §4.2: a phone that sends each call back to its own address of record gets 482, whatever it adds to the URI")
def mirror_is_found(case):
    phones, caller = three_phones(case, ("1.0", "1.0", "1.0"))
    caller.invite(phones[0].aor)
    branches = set()
    for number, phone in enumerate(phones):
        arrived = phone.expect("INVITE")
        branches.add(arrived.lines("Via")[0])
        back = arrived.copy()
        back.start = f"INVITE {phone.aor};turn={number} SIP/2.0"
        phone.send(back.push("Via", phone.via()))
        check(phone.final(arrived.get("Call-ID")).status == 482, "no 482")
    for phone in phones:
        phone.expect_nothing(0.2, lambda m: m.method == "INVITE" and not m.is_response() and m.lines("Via")[0] not in branches)


@rule("§16.7.4: [proxy] recurse: an address of record in a 302 is called, a foreign host only for who may leave")
def follows_redirections(case):
    (desk, _, _), caller = three_phones(case, ("1.0", "0.5", "0.2"))
    other = case.registered("forking")
    invite = caller.invite(desk.aor)
    desk.reply(desk.expect("INVITE"), 302, "Moved", extra=[("Contact", f"<{other.aor}>")])
    other.reply(other.expect("INVITE"), 200, "OK")
    check(caller.final(invite.get("Call-ID")).status == 200, "the other user was not called")
    stray = case.stranger("forking", user="stray")
    lone = case.registered("forking")
    invite = caller.invite(lone.aor)
    lone.reply(lone.expect("INVITE"), 302, "Moved", extra=[("Contact", f"<sip:stray@{stray.address}>")])
    check(caller.final(invite.get("Call-ID")).status == 302, "a stranger was led to a foreign host")
    peer = case.peer("forking")
    invite = peer.invite(lone.aor)
    lone.reply(lone.expect("INVITE"), 302, "Moved", extra=[("Contact", f"<sip:stray@{stray.address}>")])
    stray.reply(stray.expect("INVITE"), 200, "OK")
    check(peer.final(invite.get("Call-ID")).status == 200, "a trusted peer was not led there")


@rule("§8.3: [proxy] mode = redirect: 302 with every contact, its q and its time; nothing is forwarded")
def redirects(case):
    (desk, mobile, soft), caller = three_phones(case, ("1.0", "0.5", "0.25"), "redirect")
    response = caller.ask(caller.request("INVITE", desk.aor))
    check(response.status == 302, response.start)
    found = response.values("Contact")
    check([uri_of(value) for value in found] == [uri_of(phone.contact) for phone in (desk, mobile, soft)], f"{found}")
    check(all(";expires=" in value for value in found) and ";q=0.25" in found[2], f"{found}")
    for phone in (desk, mobile, soft):
        phone.expect_nothing(0.1)
    caller.expect_nothing(1.0, lambda message: message.status != 100)


@rule("§8.3, §22.1: the redirect server challenges with 401, answers 404 and 480, and a CANCEL with 200")
def redirect_refusals(case):
    desk, absent = case.registered("redirect"), case.phone("redirect")
    caller = case.stranger("redirect")
    check(caller.ask(caller.request("INVITE", f"sip:nobody@{caller.server.domain}")).status == 404, "nobody")
    check(caller.ask(caller.request("INVITE", absent.aor)).status == 480, "absent")
    user = case.phone("redirect")
    challenged = user.ask(user.request("INVITE", desk.aor))
    check(challenged.status == 401 and challenged.get("WWW-Authenticate"), challenged.start)
    check(user.ask_with_credentials(user.request("INVITE", desk.aor))[1].status == 302, "no 302 for a user")
    invite = caller.send(caller.request("INVITE", desk.aor))
    caller.expect(302, call_id=invite.get("Call-ID"))
    caller.send(caller.cancel_for(invite))
    caller.expect(200, call_id=invite.get("Call-ID"))
