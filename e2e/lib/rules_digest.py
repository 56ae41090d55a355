"""Rules of digest authentication: RFC 3261 §22, RFC 7616, RFC 8760, and what the configuration promises."""

import time

import digest
from rules import check, rule


def challenge_of(response):
    return digest.parse_challenge(response.get("WWW-Authenticate") or response.get("Proxy-Authenticate"))


def first_challenge(phone):
    request = phone.register_request()
    return request, phone.ask(request)


def try_register(phone, **overrides):
    """A REGISTER, challenged, then answered with changed credentials: the second response."""
    request, response = first_challenge(phone)
    return phone.ask(phone.authorise(request, response, **overrides))


@rule("§22.2: a REGISTER without credentials gets 401 with a whole challenge")
def register_is_challenged(case):
    _, response = first_challenge(case.phone())
    challenge = challenge_of(response)
    check(response.status == 401, response.start)
    check(challenge["scheme"] == "Digest" and challenge["realm"] and challenge["nonce"], f"{challenge}")
    check(challenge.get("algorithm") == "MD5" and challenge.get("qop") == "auth", f"{challenge}")
    check("stale" not in challenge or challenge["stale"].lower() == "false", f"{challenge}")


@rule("§22.3: an INVITE of our user without credentials gets 407 with Proxy-Authenticate")
def invite_is_challenged(case):
    caller, callee = case.pair()
    response = caller.ask(caller.request("INVITE", callee.aor))
    check(response.status == 407 and response.get("Proxy-Authenticate"), response.start)
    callee.expect_nothing()


@rule("§22.1: the challenge has a To tag, and the ACK to it ends here")
def ack_to_challenge(case):
    caller, callee = case.pair()
    response = caller.ask(caller.request("INVITE", callee.aor))
    check(response.tag("To"), f"To: {response.get('To')}")
    callee.expect_nothing()
    caller.expect_nothing()


@rule("§22.4: right credentials are accepted")
def right_password(case):
    check(try_register(case.phone()).status == 200, "refused")


@rule("§22.4: a wrong password is challenged again, not as stale")
def wrong_password(case):
    response = try_register(case.phone(host=case.world.host()), password="not it")
    check(response.status == 401, response.start)
    check(challenge_of(response).get("stale", "false").lower() == "false", f"{challenge_of(response)}")


@rule("issue point 7: a user who does not exist gets the answer of a wrong password")
def unknown_user(case):
    host = case.world.host()
    known = try_register(case.phone(host=host), password="not it")
    ghost = case.phone(host=host)
    ghost.user = "nobody-here"
    unknown = try_register(ghost)
    shape = [name for name, _ in known.headers]
    check(unknown.start == known.start, f"{known.start} and {unknown.start}")
    check([name for name, _ in unknown.headers] == shape, f"{shape} and {[name for name, _ in unknown.headers]}")
    check(challenge_of(known).keys() == challenge_of(unknown).keys(), "the challenges differ")


@rule("issue point 7: a user who does not exist is not told apart by time")
def unknown_user_takes_as_long(case):
    def cost(name):
        times = []
        for _ in range(9):
            phone = case.phone(host=case.world.host())
            phone.user = name or phone.user
            request, response = first_challenge(phone)
            answer = phone.authorise(request, response, password="not it")
            began = time.perf_counter()
            phone.ask(answer)
            times.append(time.perf_counter() - began)
        return sorted(times)[len(times) // 2]
    known, unknown = cost(None), cost("nobody-here")
    check(abs(known - unknown) < 0.02, f"{known * 1e3:.2f} ms and {unknown * 1e3:.2f} ms")


@rule("RFC 7616 §3.4: a nonce serves again with a higher nc, without a new challenge")
def nonce_serves_again(case):
    phone = case.registered()
    for _ in range(3):
        check(phone.ask(phone.authorise(phone.register_request())).status == 200, "challenged again")
        phone.register_cseq += 1


@rule("RFC 7616 §3.4: a repeated nc is a replay and is not accepted")
def replayed_count(case):
    phone = case.registered()
    phone.register_cseq += 1
    response = phone.ask(phone.authorise(phone.register_request(), nc=1))
    check(response.status == 401, f"the replay got {response.start}")


@rule("architecture §9.4: nc may come out of order within the window, once each")
def counts_out_of_order(case):
    phone = case.registered()
    statuses = []
    for count in (5, 3, 4, 3, 5):
        statuses.append(phone.ask(phone.authorise(phone.register_request(), nc=count)).status)
        phone.register_cseq += 2
    check(statuses == [200, 200, 200, 401, 401], f"got {statuses}")


@rule("RFC 7616 §3.3: an nc far outside the window is a replay")
def count_below_window(case):
    phone = case.registered()
    check(phone.ask(phone.authorise(phone.register_request(), nc=1000)).status == 200, "a jump ahead was refused")
    phone.register_cseq += 2
    check(phone.ask(phone.authorise(phone.register_request(), nc=700)).status == 401, "accepted")


@rule("RFC 7616 §3.3: of a burst over one connection each request is accepted, though the shards shuffle it; none works twice")
def burst_is_no_replay(case):
    caller = case.registered(transport="tcp")
    request = caller.request("OPTIONS", "sip:nobody@example.test")
    challenge = caller.ask(request)
    check(challenge.status == 407, challenge.start)
    caller.authorise(request, challenge)
    burst = [caller.authorise(caller.request("OPTIONS", f"sip:nobody{n}@example.test")) for n in range(200)]
    for one in burst:
        caller.send(one)
    statuses = {caller.final(one.get("Call-ID")).status for one in burst}
    check(statuses == {404}, f"{statuses}")
    again = burst[-1]
    again.remove("Via")
    again.push("Via", caller.via())
    check(caller.ask(again).status == 407, "a replay was accepted")


@rule("RFC 7616 §3.3: a nonce that we never made is challenged with a new one")
def invented_nonce(case):
    phone = case.phone()
    request, response = first_challenge(phone)
    phone.authorise(request, response)
    phone.challenge["nonce"] = "a" * len(phone.challenge["nonce"])
    second = phone.ask(phone.authorise(phone.register_request()))
    check(second.status == 401 and challenge_of(second)["nonce"] != phone.challenge["nonce"], second.start)


@rule("RFC 7616 §3.3: an expired nonce with a right answer gets stale=true, and the new one serves")
def stale_nonce(case):
    phone = case.registered(server="quick")
    time.sleep(2.6)
    phone.register_cseq += 1
    request = phone.authorise(phone.register_request())
    response = phone.ask(request)
    check(response.status == 401 and challenge_of(response).get("stale", "").lower() == "true", f"{challenge_of(response)}")
    phone.register_cseq = request.cseq
    check(phone.ask(phone.authorise(phone.register_request(), response)).status == 200, "the new nonce was refused")


@rule("issue point 7: of the digest's uri the host must be ours: else 400")
def foreign_digest_uri(case):
    response = try_register(case.phone(host=case.world.host()), digest_uri="sip:other.example.org")
    check(response.status in (400, 401), f"accepted with {response.start}")


@rule("issue point 7: the digest's uri may name our address instead of our domain")
def other_digest_uri(case):
    phone = case.phone()
    check(try_register(phone, digest_uri=f"sip:127.0.0.1:{phone.server.port}").status == 200, "refused")


@rule("issue point 7: user@domain is a user name too")
def name_with_domain(case):
    phone = case.phone()
    check(try_register(phone, user=f"{phone.user}@example.test").status == 200, "refused")


@rule("RFC 2069: an answer without qop is accepted, once")
def without_qop(case):
    phone = case.phone()
    request, response = first_challenge(phone)
    check(phone.ask(phone.authorise(request, response, qop=None)).status == 200, "refused")
    phone.register_cseq += 3
    check(phone.ask(phone.authorise(phone.register_request(), qop=None)).status == 401, "the nonce served twice")


@rule("RFC 7616 §3.4: an nc of another form gets 400")
def malformed_count(case):
    phone = case.phone(host=case.world.host())
    request, response = first_challenge(phone)
    request = phone.authorise(request, response)
    value = request.get("Authorization").replace("nc=00000001", "nc=1")
    check(phone.ask(request.set("Authorization", value)).status == 400, "not refused as malformed")


@rule("RFC 7616 §3.4: qop without cnonce gets 400")
def missing_cnonce(case):
    phone = case.phone(host=case.world.host())
    request, response = first_challenge(phone)
    request = phone.authorise(request, response, cnonce="abc")
    value = request.get("Authorization").replace(', cnonce="abc"', "")
    check(phone.ask(request.set("Authorization", value)).status == 400, "not refused as malformed")


@rule("RFC 7616 §3.4: a qop that was not offered gets 400")
def unknown_qop(case):
    check(try_register(case.phone(host=case.world.host()), qop="auth-int").status == 400, "not refused as malformed")


@rule("RFC 7616 §3.4: a parameter given twice gets 400")
def doubled_parameter(case):
    phone = case.phone(host=case.world.host())
    request, response = first_challenge(phone)
    request = phone.authorise(request, response)
    request.set("Authorization", request.get("Authorization") + ', username="somebody"')
    check(phone.ask(request).status == 400, "not refused as malformed")


@rule("RFC 3261 §25.1: quoted pairs in a user name are resolved, parameter names compare without case")
def quoted_pairs(case):
    phone = case.phone()
    request, response = first_challenge(phone)
    request = phone.authorise(request, response)
    value = request.get("Authorization").replace(f'username="{phone.user}"', f'USERNAME="\\{phone.user}"')
    check(phone.ask(request.set("Authorization", value)).status == 200, "refused")


@rule("RFC 7616: the algorithm's name compares without case; the scheme's too")
def algorithm_case(case):
    phone = case.phone()
    request, response = first_challenge(phone)
    request = phone.authorise(request, response, algorithm="md5")
    check(phone.ask(request.set("Authorization", request.get("Authorization").replace("Digest", "DIGEST"))).status == 200, "refused")


@rule("RFC 8760 §2.6: an algorithm that was not offered is challenged again")
def algorithm_not_offered(case):
    check(try_register(case.phone(host=case.world.host()), algorithm="SHA-512-256").status == 401, "accepted")


@rule("§22.2: another scheme than Digest is challenged")
def basic_scheme(case):
    phone = case.phone()
    response = phone.ask(phone.register_request().add("Authorization", "Basic dTpw"))
    check(response.status == 401, response.start)


@rule("RFC 8760 §2.4: each algorithm has its own header line, in the configured order")
def two_algorithms(case):
    _, response = first_challenge(case.phone(server="strong"))
    names = [digest.parse_challenge(line).get("algorithm") for line in response.lines("WWW-Authenticate")]
    check(names == ["SHA-256", "MD5"], f"offered {names}")


@rule("RFC 8760 §2.6: a phone may answer SHA-256")
def sha_256(case):
    phone = case.phone(server="strong")
    request, response = first_challenge(phone)
    check(phone.ask(phone.authorise(request, response)).status == 200, "refused")
    check(phone.challenge["algorithm"] == "SHA-256", "the first challenge was another")


@rule("RFC 8760 §2.6: a phone that knows only MD5 answers the second challenge")
def md5_beside_sha(case):
    phone = case.phone(server="strong")
    request, response = first_challenge(phone)
    response.headers = [field for field in response.headers if "SHA" not in field[1]]
    check(phone.ask(phone.authorise(request, response)).status == 200, "refused")


@rule("issue point 7: a From of our domains must be the authenticated user: else 403")
def stolen_from(case):
    caller, callee, victim = case.phone(), case.registered(), case.registered()
    request = caller.request("INVITE", callee.aor, from_=f"<{victim.aor}>;tag=stolen")
    _, response = caller.ask_with_credentials(request)
    check(response.status == 403, response.start)
    callee.expect_nothing()


@rule("§22.3: another realm's Proxy-Authorization is forwarded untouched and does not disturb ours")
def foreign_credentials(case):
    caller, callee = case.pair()
    foreign = 'Digest username="x", realm="far.example.org", nonce="n", uri="sip:far.example.org", response="' + "0" * 32 + '"'
    request = caller.request("MESSAGE", callee.aor, body=b"hello", kind="text/plain")
    response = caller.ask(request)
    authorised = caller.authorise(request, response)
    authorised.headers.insert(2, ("Proxy-Authorization", foreign))
    caller.send(authorised)
    arrived = callee.expect("MESSAGE")
    check(foreign in arrived.lines("Proxy-Authorization"), f"{arrived.lines('Proxy-Authorization')}")
    callee.reply(arrived, 200, "OK")
    caller.expect(200, call_id=request.get("Call-ID"))


@rule("§22.3: Authorization for the callee is forwarded untouched")
def end_to_end_credentials(case):
    caller, callee = case.stranger(), case.registered()
    value = 'Digest username="x", realm="callee", nonce="n", uri="sip:callee", response="' + "0" * 32 + '"'
    caller.send(caller.request("OPTIONS", callee.aor).add("Authorization", value))
    check(callee.expect("OPTIONS").get("Authorization") == value, "changed")


@rule("[limits]: twenty wrong answers in a minute silence their source, and nobody else")
def guesses_are_silenced(case):
    host = case.world.host()
    guesser, neighbour = case.phone(server="guard", host=host), case.phone(server="guard", host=case.world.host())
    answered = 0
    for _ in range(20):
        request, response = first_challenge(guesser)
        answered += guesser.ask(guesser.authorise(request, response, password="guess")).status == 401
        guesser.register_cseq += 2
    check(answered >= 19, f"only {answered} of 20 guesses were answered")
    guesser.send(guesser.register_request())
    guesser.expect_nothing(1.0)
    neighbour.register_ok()


@rule("RFC 7616 §3.3: an answer to a nonce that was sent to another address gets stale=true, and silences nobody")
def foreign_nonces(case):
    attacker, victim = case.phone(server="guard", host=case.world.host()), case.phone(server="guard", host=case.world.host())
    for password in ["guess"] * 25 + [victim.password]:
        _, response = first_challenge(attacker)
        attacker.register_cseq += 1
        second = victim.ask(victim.authorise(victim.register_request(), response, password=password))
        check(second.status == 401 and challenge_of(second).get("stale", "").lower() == "true", second.start)
        victim.register_cseq += 2
    request = victim.register_request()
    check(victim.ask(victim.authorise(request, second)).status == 200, "the new nonce was refused")


@rule("RFC 7616 §3.4: nc counts from 1")
def count_of_zero(case):
    response = try_register(case.phone(), nc=0)
    check(response.status == 400, response.start)


@rule("[limits]: a user with a live binding at that source is still served")
def neighbours_of_a_guesser(case):
    host = case.world.host()
    user = case.phone(server="guard", host=host)
    user.register_ok()
    guesser = case.phone(server="guard", host=host)
    for _ in range(20):
        request, response = first_challenge(guesser)
        guesser.ask(guesser.authorise(request, response, password="guess"))
        guesser.register_cseq += 2
    user.register_cseq += 1
    user.send(user.authorise(user.register_request()))
    user.expect(200)


@rule("issue point 7: a first challenge is no failure: hundreds of them silence nobody")
def challenges_are_no_failures(case):
    phone = case.phone(server="guard", host=case.world.host())
    for _ in range(100):
        first_challenge(phone)
    check(phone.register().status == 200, "refused")
