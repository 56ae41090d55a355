"""Rules of a call with several branches, and of the response that its caller gets: RFC 3261 §16.6, §16.7."""

from message import parameters_of
from phone import SDP, Dialog
from ringing import reply, ringing
from rules import check, rule


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


@rule("§16.7.8: a 2xx carries a Record-Route of ours for the caller, and only his Via")
def record_route_in_the_answer(case):
    caller, invite, (callee,), (request,) = ringing(case)
    reply(callee, request, 200, body=SDP)
    answered = caller.expect(200)
    routes = answered.values("Record-Route")
    check(len(routes) == 1 and f"@127.0.0.1:{caller.server.port};lr" in routes[0], f"Record-Route: {routes}")
    check(parameters_of(answered.values("Via")[0])["branch"] == invite.branch, "another Via")
