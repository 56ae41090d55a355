"""Calls with all that can happen in them, between two phones wherever they are: each message must arrive, with its Contact as it was written."""

from message import uri_of
from phone import SDP, Dialog


def same(got, wanted, what):
    assert got == wanted, f"{what}: {got!r}, and not {wanted!r}"


def ring(caller, uri, *callees):
    """Calls `uri` until all of these ring. Gives the INVITE as it was sent and as it arrived at each."""
    invite = caller.invite(uri)
    call_id = invite.get("Call-ID")
    arrived = []
    for callee in callees:
        request = callee.expect("INVITE", call_id=call_id)
        same(request.get("Contact"), caller.contact, "the caller's Contact")
        same(request.uri, uri_of(callee.contact), "the Request-URI")
        callee.reply(request, 180, "Ringing")
        same(caller.expect(180, call_id=call_id).get("Contact"), callee.contact, "the Contact of the 180")
        arrived.append(request)
    return invite, arrived


def is_cancelled(callee, arrived):
    """Takes the CANCEL and ends the ringing."""
    callee.reply(callee.expect("CANCEL", call_id=arrived.get("Call-ID")), 200, "OK")
    callee.reply(arrived, 487, "Request Terminated")
    callee.expect("ACK", call_id=arrived.get("Call-ID"))


def cancel(caller, callee):
    """It rings, and the caller gives up."""
    invite, (arrived,) = ring(caller, callee.aor, callee)
    caller.send(caller.cancel_for(invite))
    is_cancelled(callee, arrived)
    final = caller.final(invite.get("Call-ID"), cseq=invite.cseq)
    while final.method == "CANCEL":
        final = caller.final(invite.get("Call-ID"), cseq=invite.cseq)
    same(final.status, 487, "the end of the INVITE")
    caller.send(caller.ack_for(invite, final))


def answer(caller, callee, invite, arrived):
    """The callee answers what rings. Gives both ends of the dialog."""
    response = callee.reply(arrived, 200, "OK", body=SDP)
    answered = caller.expect(200, call_id=invite.get("Call-ID"))
    mine, theirs = Dialog.of_caller(caller, invite, answered), Dialog.of_callee(callee, arrived, response)
    caller.send(mine.request("ACK", cseq=invite.cseq))
    callee.expect("ACK", call_id=invite.get("Call-ID"))
    return mine, theirs


def refresh(own, other_phone):
    """A re-INVITE of this end of a dialog, up to its ACK."""
    phone = own.phone
    invite = phone.send(own.request("INVITE", body=SDP))
    arrived = other_phone.expect("INVITE", call_id=own.call_id, cseq=invite.cseq)
    same(arrived.uri, uri_of(other_phone.contact), "the Request-URI in the dialog")
    same(arrived.get("Contact"), phone.contact, "the Contact in the dialog")
    other_phone.reply(arrived, 200, "OK", body=SDP)
    answer = phone.expect(200, call_id=own.call_id, cseq=invite.cseq)
    same(answer.get("Contact"), other_phone.contact, "the Contact of the answer in the dialog")
    phone.send(own.request("ACK", cseq=invite.cseq))
    other_phone.expect("ACK", call_id=own.call_id, cseq=invite.cseq)


def talk(caller, callee, ended_by_caller=True):
    """Both see each other's Contact, both send a re-INVITE, one of them hangs up."""
    mine, theirs = caller.call(callee)
    same(mine.target, uri_of(callee.contact), "the callee's Contact")
    same(theirs.target, uri_of(caller.contact), "the caller's Contact")
    refresh(mine, callee)
    refresh(theirs, caller)
    if ended_by_caller:
        mine.hang_up(callee)
    else:
        theirs.hang_up(caller)


def all_calls(one, other):
    """Both directions: a call that is cancelled, and one that is ended by whom was called."""
    for caller, callee in ((one, other), (other, one)):
        cancel(caller, callee)
        talk(caller, callee, ended_by_caller=False)
    talk(one, other)
