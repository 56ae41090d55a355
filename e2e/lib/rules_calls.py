"""Rules of transactions, forking, CANCEL and responses: RFC 3261 §9, §16.7, §16.10, §17; RFC 4320; RFC 6026."""

import time

from message import parameters_of
from phone import SDP, Dialog
from rules import check, rule


def ringing(case, phones=1, server="main"):
    """A caller, his INVITE, and what arrived at each phone of one callee; all ring."""
    caller, first = case.stranger(server), case.registered(server)
    callees = [first] + [case.again(first) for _ in range(phones - 1)]
    for other in callees[1:]:
        other.register_ok()
    invite = caller.send(caller.request("INVITE", first.aor, body=SDP))
    caller.expect(100)
    arrived = [callee.expect("INVITE") for callee in callees]
    for callee, request in zip(callees, arrived):
        callee.reply(request, 180, "Ringing", tag=f"tag{callee.link.port}")
        caller.expect(180)
    return caller, invite, callees, arrived


def reply(callee, request, status, **more):
    return callee.reply(request, status, tag=f"tag{callee.link.port}", **more)


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


@rule("§16.6: all phones of the callee ring at once, each by its own branch")
def fork(case):
    caller, invite, callees, arrived = ringing(case, 3)
    check(len({request.branch for request in arrived}) == 3, "two branches are the same")
    for callee, request in zip(callees, arrived):
        reply(callee, request, 486)
    caller.send(caller.ack_for(invite, caller.expect(486)))


@rule("§16.7.10: when one phone answers the others are cancelled, and their 487 goes no further")
def fork_is_answered(case):
    caller, invite, callees, arrived = ringing(case, 3)
    reply(callees[0], arrived[0], 200, body=SDP)
    mine = Dialog.of_caller(caller, invite, caller.expect(200))
    caller.send(mine.request("ACK", cseq=invite.cseq))
    callees[0].expect("ACK")
    for callee, request in list(zip(callees, arrived))[1:]:
        callee.reply(callee.expect("CANCEL"), 200, "OK")
        reply(callee, request, 487)
        callee.expect("ACK")
    caller.expect_nothing(0.4)
    mine.hang_up(callees[0])


@rule("§16.7.5: when two phones answer at once both answers reach the caller, and both dialogs live")
def two_answers(case):
    caller, invite, callees, arrived = ringing(case, 2)
    for callee, request in zip(callees, arrived):
        reply(callee, request, 200, body=SDP)
    answers = [caller.expect(200), caller.expect(200)]
    check(len({answer.tag("To") for answer in answers}) == 2, "one of them came twice")
    for answer in answers:
        callee = next(phone for phone in callees if answer.tag("To") == f"tag{phone.link.port}")
        mine = Dialog.of_caller(caller, invite, answer)
        caller.send(mine.request("ACK", cseq=invite.cseq))
        callee.expect("ACK")
        mine.hang_up(callee)


def best(text, statuses, wanted):
    @rule(f"§16.7.6: of {' and '.join(map(str, statuses))} the caller gets {wanted}: {text}")
    def run(case):
        caller, invite, callees, arrived = ringing(case, len(statuses))
        extra = {401: [("WWW-Authenticate", 'Digest realm="r1", nonce="n1"')], 407: [("Proxy-Authenticate", 'Digest realm="r2", nonce="n2"')]}
        for callee, request, status in zip(callees, arrived, statuses):
            reply(callee, request, status, extra=extra.get(status, ()))
        response = caller.final(invite.get("Call-ID"))
        check(response.status == wanted, response.start)
        caller.send(caller.ack_for(invite, response))
        caller.expect_nothing(0.3, lambda message: message.status >= 200)
        if wanted in (401, 407) and set(statuses) == {401, 407}:
            check(response.get("WWW-Authenticate") and response.get("Proxy-Authenticate"), "a challenge was lost")
    run.__name__ = "best_of_" + "_".join(map(str, statuses))


best("the lowest class", (500, 486), 486)
best("the lowest class", (404, 302), 302)
best("a 6xx before all", (486, 603), 603)
best("what can be repaired before what cannot", (404, 484), 484)
best("503 does not speak for the server", (503,), 500)
best("503 is the worst of its class", (486, 503), 486)
best("challenges are merged", (401, 407), 401)


@rule("§16.7.5: a 6xx ends the search: the other phones are cancelled, and the caller waits for them")
def decline_everywhere(case):
    caller, invite, callees, arrived = ringing(case, 2)
    reply(callees[0], arrived[0], 603)
    callees[1].reply(callees[1].expect("CANCEL"), 200, "OK")
    caller.expect_nothing(0.2, lambda message: message.status >= 200)
    reply(callees[1], arrived[1], 487)
    check(caller.final(invite.get("Call-ID")).status == 603, "no 603")


@rule("§16.7.6: the caller gets nothing final while a phone still rings")
def waits_for_all(case):
    caller, invite, callees, arrived = ringing(case, 2)
    reply(callees[0], arrived[0], 486)
    caller.expect_nothing(0.4, lambda message: message.status >= 200)
    reply(callees[1], arrived[1], 404)
    check(caller.final(invite.get("Call-ID")).status in (404, 486), "no final response")


@rule("§16.7: a phone that is gone does not keep the others from being called")
def dead_contact(case):
    caller, callee = case.stranger(), case.registered()
    dead = case.again(callee)
    dead.register_ok()
    dead.link.close()
    caller.send(caller.request("INVITE", callee.aor))
    arrived = callee.expect("INVITE")
    callee.reply(arrived, 200, "OK", body=SDP)
    caller.expect(200)


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


@rule("§16.7.8: a 2xx carries a Record-Route of ours for the caller, and only his Via")
def record_route_in_the_answer(case):
    caller, invite, (callee,), (request,) = ringing(case)
    reply(callee, request, 200, body=SDP)
    answered = caller.expect(200)
    routes = answered.values("Record-Route")
    check(len(routes) == 1 and f"@127.0.0.1:{caller.server.port};lr" in routes[0], f"Record-Route: {routes}")
    check(parameters_of(answered.values("Via")[0])["branch"] == invite.branch, "another Via")
