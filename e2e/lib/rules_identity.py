"""Rules of identity and privacy (RFC 3325, RFC 3323, RFC 4916), and of session timers that are only observed (RFC 4028)."""

from phone import Dialog
from rules import check, rule

PAI, PPI = "P-Asserted-Identity", "P-Preferred-Identity"


def sent(case, sender, callee, *lines, uri=None, from_=None):
    """The MESSAGE with these header fields as it arrives at `callee`; credentials are shown where they are asked for."""
    request = sender.request("MESSAGE", uri or callee.aor, body=b"x", kind="text/plain", from_=from_)
    for name, value in lines:
        request.add(name, value)
    sender.send(request)
    response = sender.next(lambda m: m.status == 407 and m.get("Call-ID") == request.get("Call-ID"), 0.3)
    if response:
        sender.send(sender.authorise(request, response))
    arrived = callee.expect("MESSAGE", call_id=request.get("Call-ID"))
    callee.reply(arrived, 200, "OK")
    return arrived


@rule("RFC 3325 §5: an authenticated user is named by his address of record; what he claims himself is replaced")
def user_is_asserted(case):
    caller, callee = case.pair()
    arrived = sent(case, caller, callee, (PAI, "\"CEO\" <sip:ceo@example.test>"), ("Remote-Party-ID", "<sip:ceo@example.test>"))
    check(arrived.values(PAI) == [f"<{caller.aor}>"], f"{arrived.values(PAI)}")
    check(arrived.get("Remote-Party-ID") is None, "Remote-Party-ID came through")


@rule("RFC 3325 §5: a stranger's P-Asserted-Identity ends here, a trusted peer's goes on")
def strangers_claim_ends(case):
    callee, stranger, peer = case.registered(), case.stranger(), case.peer()
    arrived = sent(case, stranger, callee, (PAI, "<sip:ceo@example.test>"), ("Subject", "kept"))
    check(arrived.get(PAI) is None and arrived.get("Subject") == "kept", f"{arrived!r}")
    arrived = sent(case, peer, callee, (PAI, "\"Far\" <sip:+15550100@carrier.example.org>"))
    check(arrived.get(PAI) == "\"Far\" <sip:+15550100@carrier.example.org>", f"{arrived.get(PAI)}")


@rule("RFC 3325 §6: P-Preferred-Identity is never forwarded; what was not granted is not asserted")
def preference_ends(case):
    caller, callee = case.pair()
    arrived = sent(case, caller, callee, (PPI, f"<{callee.aor}>"))
    check(arrived.get(PPI) is None and arrived.values(PAI) == [f"<{caller.aor}>"], f"{arrived!r}")


@rule("RFC 3325 §7: with Privacy: id, a phone is not told who is calling; a trusted peer is")
def privacy_id(case):
    caller, callee, peer = case.registered(), case.registered(), case.peer()
    arrived = sent(case, caller, callee, ("Privacy", "id"))
    check(arrived.get(PAI) is None and arrived.get("Privacy") == "id", f"{arrived!r}")
    arrived = sent(case, caller, peer, ("Privacy", "id"), uri=peer.contact.strip("<>"))
    check(arrived.get(PAI) == f"<{caller.aor}>", f"{arrived!r}")


@rule("RFC 3325 §5: what a phone asserts in a response ends here")
def response_is_stripped(case):
    callee, peer = case.registered(), case.peer()
    request = peer.send(peer.request("OPTIONS", callee.aor))
    callee.reply(callee.expect("OPTIONS", call_id=request.get("Call-ID")), 200, "OK", extra=[(PAI, "<sip:ceo@example.test>")])
    check(peer.expect(200, call_id=request.get("Call-ID")).get(PAI) is None, "it came through")


@rule("RFC 3323 §4.1: an anonymous caller with valid credentials reaches a foreign domain; his From stays as it is")
def anonymous_with_credentials(case):
    caller, peer = case.registered(), case.peer()
    arrived = sent(case, caller, peer, ("Privacy", "id"), uri=peer.contact.strip("<>"),
                   from_="\"Anonymous\" <sip:anonymous@anonymous.invalid>;tag=anon")
    check(arrived.get("From") == "\"Anonymous\" <sip:anonymous@anonymous.invalid>;tag=anon", arrived.get("From"))
    check(arrived.get(PAI) == f"<{caller.aor}>", f"{arrived.get(PAI)}")


@rule("RFC 3323 §5: critical privacy that a proxy cannot give is refused with 500; without \"critical\" it goes on")
def critical_privacy(case):
    callee, stranger = case.registered(), case.stranger()
    response = stranger.ask(stranger.request("INVITE", callee.aor).add("Privacy", "header;session;critical"))
    check(response.status == 500 and "header" in response.reason, response.start)
    callee.expect_nothing(0.2)
    check(sent(case, stranger, callee, ("Privacy", "header;session")).get("Privacy") == "header;session", "changed")


@rule("RFC 4028 §8.2: Session-Expires and Min-SE pass both ways; 422 is the caller's to mend")
def session_timers_pass(case):
    callee, stranger = case.registered(), case.stranger()
    request = stranger.request("INVITE", callee.aor).add("Session-Expires", "90;refresher=uac").add("Min-SE", "90")
    stranger.send(request.add("Supported", "timer"))
    arrived = callee.expect("INVITE", call_id=request.get("Call-ID"))
    check(arrived.get("Session-Expires") == "90;refresher=uac" and arrived.get("Min-SE") == "90", f"{arrived!r}")
    callee.reply(arrived, 422, "Session Interval Too Small", extra=[("Min-SE", "3600")])
    response = stranger.final(request.get("Call-ID"))
    stranger.send(stranger.ack_for(request, response))
    check(response.status == 422 and response.get("Min-SE") == "3600", response.start)


def indialog_as(phone, dialog, method, shown):
    """A request in the dialog whose From shows somebody; it keeps the dialog's tag."""
    request = dialog.request(method, body=b"hello").set("Content-Type", "text/plain")
    request.set("From", f"{shown};tag=" + dialog.local.split("tag=")[1])
    return phone.send(request)


@rule("RFC 4916 §4: inside his call a stranger shows no user of ours in From; what he showed at its beginning goes on")
def stranger_shows_no_user_in_a_call(case):
    stranger, callee, victim = case.stranger(), case.registered(), case.phone()
    dialog, _ = stranger.call(callee)
    for method in ("MESSAGE", "UPDATE", "REFER", "BYE"):
        request = indialog_as(stranger, dialog, method, f"\"The Boss\" <{victim.aor}>")
        response = stranger.final(dialog.call_id, cseq=request.cseq)
        check(response.status == 407, f"{method}: {response.start}")
    callee.expect_nothing(0.2)
    stranger.send(dialog.request("MESSAGE", body=b"hello").set("Content-Type", "text/plain"))
    callee.reply(callee.expect("MESSAGE", call_id=dialog.call_id), 200, "OK")


@rule("RFC 4916 §4: inside a call a user shows nobody but himself, and himself as soon as he has proven it")
def user_shows_himself_in_a_call(case):
    stranger, callee, victim = case.stranger(), case.registered(), case.phone()
    invite = stranger.request("INVITE", callee.aor, to="<sip:sales@example.test>", body=b"")
    stranger.send(invite)
    arrived = callee.expect("INVITE", call_id=invite.get("Call-ID"))
    answer = callee.reply(arrived, 200, "OK")
    stranger.expect(200, call_id=invite.get("Call-ID"))
    for shown, status in ((victim.aor, 403), (callee.aor, None)):
        dialog = Dialog.of_callee(callee, arrived, answer)
        request = indialog_as(callee, dialog, "MESSAGE", f"<{shown}>")
        challenge = callee.final(dialog.call_id, cseq=request.cseq)
        check(challenge.status == 407, challenge.start)
        again = callee.send(callee.authorise(request, challenge))
        if status:
            response = callee.final(dialog.call_id, cseq=again.cseq)
            check(response.status == status, response.start)
        else:
            check(shown in stranger.expect("MESSAGE", call_id=dialog.call_id).get("From"), "another From")


@rule("RFC 3261 §26.3.2: a domain of ours without a user is nobody's identity: 403")
def domain_is_nobody(case):
    caller, callee = case.pair()
    _, response = caller.ask_with_credentials(caller.request("MESSAGE", callee.aor, from_="<sip:example.test>;tag=1"))
    check(response.status == 403, response.start)
    callee.expect_nothing(0.2)


@rule("RFC 3966: a telephone number in From is foreign: a stranger who shows one reaches our users and nobody else")
def number_is_foreign(case):
    stranger, callee = case.stranger(), case.registered()
    sent(case, stranger, callee, from_="<tel:+4930123456>;tag=1")
    response = stranger.ask(stranger.request("MESSAGE", "sip:any@127.0.9.9:5999", from_="<tel:+4930123456>;tag=2"))
    check(response.status == 407, response.start)
