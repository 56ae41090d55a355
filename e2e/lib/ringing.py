"""A call that rings at one phone or several of one callee: where most rules of calls begin."""

from phone import SDP


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
