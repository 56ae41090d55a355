"""Rules of CANCEL: RFC 3261 §9, §16.10."""

from phone import SDP, Dialog
from ringing import reply, ringing
from rules import check, rule


@rule("§9.2, §16.10: CANCEL gets 200, the phone gets CANCEL, the INVITE ends with 487 and its ACK")
def cancel(case):
    caller, invite, (callee,), (request,) = ringing(case)
    caller.send(caller.cancel_for(invite))
    caller.next(lambda message: message.status == 200 and message.method == "CANCEL", 2) or check(False, "no 200 to CANCEL")
    arrived = callee.expect("CANCEL")
    check(arrived.branch == request.branch and arrived.uri == request.uri and arrived.cseq == request.cseq, f"{arrived.start}")
    check(len(arrived.values("Via")) == 1, f"Via: {arrived.values('Via')}")
    callee.reply(arrived, 200, "OK")
    reply(callee, request, 487)
    callee.expect("ACK")
    response = caller.expect(487)
    check(response.method == "INVITE", f"{response}")
    caller.send(caller.ack_for(invite, response))
    caller.expect_nothing(0.3)


@rule("§9.1: CANCEL waits until the phone has sent a provisional response")
def cancel_waits(case):
    callee, caller = case.registered(), case.stranger()
    invite = caller.send(caller.request("INVITE", callee.aor))
    arrived = callee.expect("INVITE")
    caller.send(caller.cancel_for(invite))
    check(caller.expect(200).method == "CANCEL", "no 200 to CANCEL")
    callee.expect_nothing(0.3, lambda message: message.method == "CANCEL")
    callee.reply(arrived, 180, "Ringing")
    callee.reply(callee.expect("CANCEL"), 200, "OK")
    callee.reply(arrived, 487, "Request Terminated")
    caller.expect(487)


@rule("§16.10: a CANCEL goes to all phones that ring")
def cancel_forks(case):
    caller, invite, callees, arrived = ringing(case, 3)
    caller.send(caller.cancel_for(invite))
    for callee, request in zip(callees, arrived):
        callee.reply(callee.expect("CANCEL"), 200, "OK")
        reply(callee, request, 487)
    check(caller.expect(487).method == "INVITE", "no 487")
    caller.expect_nothing(0.3, lambda message: message.method == "INVITE" and message.status not in (487, 180, 100))


@rule("§9.2: a retransmitted CANCEL gets 200 again")
def repeated_cancel(case):
    caller, invite, (callee,), (request,) = ringing(case)
    for _ in range(2):
        caller.send(caller.cancel_for(invite))
        check(caller.expect(200).method == "CANCEL", "no 200")
    callee.expect("CANCEL")
    reply(callee, request, 487)
    caller.expect(487)


@rule("§9.2: a CANCEL after the answer gets 200 and changes nothing")
def cancel_after_answer(case):
    caller, invite, (callee,), (request,) = ringing(case)
    reply(callee, request, 200, body=SDP)
    answered = caller.expect(200)
    caller.send(caller.cancel_for(invite))
    check(caller.expect("2xx", 2).method == "CANCEL", "no 200 to CANCEL")
    callee.expect_nothing(0.3, lambda message: message.method == "CANCEL")
    mine = Dialog.of_caller(caller, invite, answered)
    caller.send(mine.request("ACK", cseq=invite.cseq))
    callee.expect("ACK")
    mine.hang_up(callee)


@rule("§16.7.5, glare: an answer that crosses the CANCEL is forwarded")
def answer_crosses_cancel(case):
    caller, invite, (callee,), (request,) = ringing(case)
    caller.send(caller.cancel_for(invite))
    callee.reply(callee.expect("CANCEL"), 200, "OK")
    reply(callee, request, 200, body=SDP)
    check(caller.next(lambda message: message.status == 200 and message.method == "INVITE", 2), "the 200 was lost")
