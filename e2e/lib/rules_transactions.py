"""Rules of transactions: RFC 3261 §16.2, §17; RFC 4320; RFC 6026."""

import time

from phone import SDP, Dialog
from ringing import reply, ringing
from rules import check, rule


@rule("§16.2: an INVITE gets 100 at once, without a To tag of ours")
def trying(case):
    callee, caller = case.registered(), case.stranger()
    began = time.monotonic()
    caller.send(caller.request("INVITE", callee.aor))
    response = caller.expect(100)
    check(time.monotonic() - began < 0.2, "not at once")
    check(response.tag("To") is None, f"To: {response.get('To')}")
    callee.reply(callee.expect("INVITE"), 486, "Busy Here")
    caller.expect(486)


@rule("§16.7.5: the callee's 100 is not forwarded")
def trying_is_not_forwarded(case):
    callee, caller = case.registered(), case.stranger()
    caller.send(caller.request("INVITE", callee.aor))
    caller.expect(100)
    arrived = callee.expect("INVITE")
    callee.reply(arrived, 100, "Trying")
    caller.expect_nothing()
    callee.reply(arrived, 486, "Busy Here")
    caller.expect(486)


@rule("§16.7.5: each provisional response is forwarded, also several of one phone")
def provisionals(case):
    callee, caller = case.registered(), case.stranger()
    caller.send(caller.request("INVITE", callee.aor))
    arrived = callee.expect("INVITE")
    for status in (180, 181, 183, 180):
        callee.reply(arrived, status, "Progress")
        caller.expect(status)
    callee.reply(arrived, 486, "Busy Here")
    caller.expect(486)


@rule("RFC 4320 §4.1: a request that is no INVITE gets no provisional response at once")
def silent_non_invite(case):
    callee, caller = case.registered(), case.stranger()
    caller.send(caller.request("MESSAGE", callee.aor, body=b"x", kind="text/plain"))
    arrived = callee.expect("MESSAGE")
    caller.expect_nothing(0.8)
    callee.reply(arrived, 200, "OK")
    caller.expect(200)


@rule("RFC 4320 §4.1: a provisional response other than 100 to a non-INVITE is not forwarded")
def non_invite_provisional(case):
    callee, caller = case.registered(), case.stranger()
    caller.send(caller.request("MESSAGE", callee.aor, body=b"x", kind="text/plain"))
    arrived = callee.expect("MESSAGE")
    callee.reply(arrived, 183, "Progress")
    caller.expect_nothing(0.3, lambda message: message.status > 100)
    callee.reply(arrived, 200, "OK")
    caller.expect(200)


@rule("RFC 4320 §4.2: a non-INVITE that nobody answers gets no 408, ever")
def no_408_to_non_invite(case):
    callee, caller = case.registered("quick"), case.stranger("quick")
    caller.send(caller.request("MESSAGE", callee.aor, body=b"x", kind="text/plain"))
    caller.expect_nothing(5.0, lambda message: message.status != 100)


@rule("§16.8, §17.1.1.2: an INVITE that nobody answers ends with 408 after 64*T1")
def silent_callee(case):
    callee, caller = case.registered("quick"), case.stranger("quick")
    began = time.monotonic()
    caller.send(caller.request("INVITE", callee.aor))
    response = caller.next(lambda message: message.status >= 200, 6)
    check(response is not None and response.status == 408, f"got {response}")
    check(2.5 < time.monotonic() - began < 4.5, f"after {time.monotonic() - began:.1f} s")


@rule("§16.8: a phone that rings longer than Timer C is cancelled, and the caller gets a final response")
def timer_c(case):
    caller, invite, (callee,), (request,) = ringing(case, server="quick")
    cancel = callee.expect("CANCEL", 8)
    callee.reply(cancel, 200, "OK")
    callee.reply(request, 487, "Request Terminated", tag=f"tag{callee.link.port}")
    response = caller.final(invite.get("Call-ID"))
    check(response.status in (408, 487), response.start)


@rule("§17.1.1.2: an INVITE is sent again after T1, 2*T1, 4*T1, with the same octets, until a provisional response")
def invite_is_repeated(case):
    callee, caller = case.registered(), case.stranger()
    caller.send(caller.request("INVITE", callee.aor))
    first, began = callee.expect("INVITE"), time.monotonic()
    times = []
    for _ in range(2):
        again = callee.expect("INVITE", 3)
        times.append(time.monotonic() - began)
        check(again.raw == first.raw, "the octets changed")
    check(0.4 < times[0] < 0.7 and 1.3 < times[1] < 1.8, f"after {times}")
    callee.reply(first, 180, "Ringing")
    callee.expect_nothing(2.4)
    callee.reply(first, 486, "Busy Here")
    caller.expect(486)


@rule("§17.1.2.2: another request is sent again with the same octets until its final response")
def request_is_repeated(case):
    callee, caller = case.registered(), case.stranger()
    caller.send(caller.request("MESSAGE", callee.aor, body=b"x", kind="text/plain"))
    first = callee.expect("MESSAGE")
    check(callee.expect("MESSAGE", 1).raw == first.raw, "the octets changed")
    callee.reply(first, 200, "OK")
    callee.expect_nothing(1.5)


@rule("§17.2.1: a retransmitted INVITE is absorbed, and answered with the latest provisional response")
def invite_is_absorbed(case):
    caller, invite, (callee,), (request,) = ringing(case)
    caller.kept.clear()
    caller.send(invite)
    check(caller.expect("1xx").status == 180, "another response")
    callee.expect_nothing(0.3)
    reply(callee, request, 486)
    caller.expect(486)


@rule("§17.2.2: a retransmitted request gets the same octets again and reaches the phone once")
def request_is_absorbed(case):
    callee, caller = case.registered(), case.stranger()
    request = caller.send(caller.request("MESSAGE", callee.aor, body=b"x", kind="text/plain"))
    arrived = callee.expect("MESSAGE")
    caller.send(request)
    callee.expect_nothing(0.3)
    callee.reply(arrived, 200, "OK")
    first = caller.expect(200)
    caller.send(request)
    check(caller.expect(200).raw == first.raw, "the octets changed")
    callee.expect_nothing(0.3)


@rule("§17.2.1: a refusal is sent again until its ACK comes, and no longer")
def refusal_until_ack(case):
    caller, invite, (callee,), (request,) = ringing(case)
    reply(callee, request, 486)
    first = caller.expect(486)
    again = caller.expect(486, 1.2)
    check(again.raw == first.raw, "the octets changed")
    caller.send(caller.ack_for(invite, first))
    caller.expect_nothing(2.2)


@rule("§17.1.1.3: the ACK to a refusal goes hop by hop: the server sends one, the caller's ends at the server")
def ack_hop_by_hop(case):
    caller, invite, (callee,), (request,) = ringing(case)
    reply(callee, request, 486)
    ack = callee.expect("ACK")
    check(ack.branch == request.branch and ack.uri == request.uri, f"{ack.start}, branch {ack.branch}")
    check(len(ack.values("Via")) == 1 and ack.get("To").endswith(f"tag=tag{callee.link.port}"), f"Via {ack.values('Via')}, To {ack.get('To')}")
    caller.send(caller.ack_for(invite, caller.expect(486)))
    callee.expect_nothing()


@rule("§17.1.1.2: a repeated refusal is acknowledged again and not forwarded again after the caller's ACK")
def repeated_refusal(case):
    caller, invite, (callee,), (request,) = ringing(case)
    response = reply(callee, request, 486)
    callee.expect("ACK")
    caller.send(caller.ack_for(invite, caller.expect(486)))
    callee.send_response(response, request)
    callee.expect("ACK")
    caller.expect_nothing(0.3)


@rule("RFC 6026 §7: a retransmitted 2xx is forwarded each time; its ACK passes end to end")
def repeated_answer(case):
    caller, invite, (callee,), (request,) = ringing(case)
    answer = reply(callee, request, 200, body=SDP)
    answered = caller.expect(200)
    callee.send_response(answer, request)
    caller.expect(200)
    mine = Dialog.of_caller(caller, invite, answered)
    for _ in range(2):
        caller.send(mine.request("ACK", cseq=invite.cseq))
        check(callee.expect("ACK").branch != request.branch, "the ACK has the INVITE's branch")
    mine.hang_up(callee)


@rule("RFC 6026 §8.4: a retransmitted INVITE after the 2xx is absorbed")
def invite_after_answer(case):
    caller, invite, (callee,), (request,) = ringing(case)
    reply(callee, request, 200, body=SDP)
    caller.expect(200)
    caller.send(invite)
    callee.expect_nothing(0.4)


@rule("§17.1.3: a response of a wrong method for its branch is dropped")
def response_of_another_method(case):
    caller, invite, (callee,), (request,) = ringing(case)
    forged = request.copy().set("CSeq", f"{request.cseq} MESSAGE")
    reply(callee, forged, 200)
    caller.expect_nothing(0.3, lambda message: message.status == 200)
    reply(callee, request, 486)
    check(caller.final(invite.get("Call-ID")).status == 486, "no 486")


@rule("§17.2.3: requests with one branch from two senders are two transactions")
def same_branch_of_two_senders(case):
    callee, one, two = case.registered(), case.stranger(), case.stranger()
    for caller in (one, two):
        request = caller.request("MESSAGE", callee.aor, body=b"x", kind="text/plain")
        caller.send(request.set("Via", caller.via("z9hG4bKshared" + str(callee.link.port))))
        callee.reply(callee.expect("MESSAGE"), 200, "OK")
        caller.expect(200)


@rule("§17.2.3: a request of RFC 2543, without the branch's cookie, is served; its retransmission is absorbed")
def rfc_2543_sender(case):
    callee, caller = case.registered(), case.stranger()
    request = caller.request("INVITE", callee.aor)
    request.set("Via", f"SIP/2.0/UDP {caller.address}")
    caller.send(request)
    arrived = callee.expect("INVITE")
    caller.send(request)
    callee.expect_nothing(0.3)
    callee.reply(arrived, 486, "Busy Here")
    response = caller.expect(486)
    caller.send(caller.ack_for(request, response))
    callee.expect("ACK")
    caller.expect_nothing(1.2, lambda message: message.status == 486)
