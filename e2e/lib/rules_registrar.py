"""Rules of the registrar: RFC 3261 §10.2, §10.3, §19.1.4."""

import time

from message import parameters_of, uri_of
from phone import Phone
from rules import check, rule


def listed(response):
    """The bindings of a 200: URI to parameters."""
    return {uri_of(value): parameters_of(value) for value in response.values("Contact")}


def expires_of(response, uri):
    return int(listed(response)[uri]["expires"])


def own_uri(phone):
    return uri_of(phone.contact)


@rule("§10.3.8: a 200 lists the binding with its remaining time, and a Date")
def accepted_binding_is_listed(case):
    phone = case.phone()
    response = phone.register_ok(expires=300)
    check(295 <= expires_of(response, own_uri(phone)) <= 300, f"Contact: {response.lines('Contact')}")
    check(response.get("Date", "").endswith("GMT"), f"Date: {response.get('Date')}")


@rule("§10.3.7: without any expiry the default is an hour")
def default_expiry(case):
    phone = case.phone()
    response = phone.register_ok(expires=None)
    check(3240 <= expires_of(response, own_uri(phone)) <= 3600, f"Contact: {response.lines('Contact')}")


@rule("§10.3.7: an expiry above expires_max is lowered to it")
def long_expiry_is_lowered(case):
    phone = case.phone()
    response = phone.register_ok(expires=999999)
    check(6480 <= expires_of(response, own_uri(phone)) <= 7200, f"Contact: {response.lines('Contact')}")


@rule("§10.3.7: an expiry past 32 bits is no fault of ours: the binding is made, within expires_max")
def overlong_expiry(case):
    phone = case.phone()
    response = phone.register_ok(contact=f"{phone.contact};expires=99999999999999", expires=None)
    check(0 < expires_of(response, own_uri(phone)) <= 7200, f"Contact: {response.lines('Contact')}")


@rule("§10.3.7: an expiry below expires_min gets 423 with Min-Expires")
def too_brief(case):
    phone = case.phone()
    response = phone.register(expires=59)
    check(response.status == 423 and response.get("Min-Expires") == "60", f"{response.start}, {response.get('Min-Expires')}")
    check(phone.register_ok(contact="").values("Contact") == [], "a refused binding was kept")


@rule("§10.3.7: expires_min itself is accepted")
def just_long_enough(case):
    case.phone().register_ok(expires=60)


@rule("§10.2.1.1: the Contact's expires goes before the Expires header field")
def contact_expiry_wins(case):
    phone = case.phone()
    response = phone.register_ok(contact=f"{phone.contact};expires=120", expires=900)
    check(115 <= expires_of(response, own_uri(phone)) <= 120, f"Contact: {response.lines('Contact')}")


@rule("§10.2.1.1: a malformed expires parameter counts as an hour")
def malformed_expiry(case):
    phone = case.phone()
    response = phone.register_ok(contact=f"{phone.contact};expires=soon", expires=None)
    check(3240 <= expires_of(response, own_uri(phone)) <= 3600, f"Contact: {response.lines('Contact')}")


@rule("§10.2.2: an expiry of 0 removes the binding")
def removal(case):
    phone = case.registered()
    check(phone.register_ok(expires=0).values("Contact") == [], "the binding is still listed")


@rule("§10.2.2: a removal names one binding; the others stay")
def removal_of_one(case):
    phone = case.registered()
    phone.register_ok(contact="<sip:desk@192.0.2.44>")
    response = phone.register_ok(contact="<sip:desk@192.0.2.44>;expires=0")
    check(list(listed(response)) == [own_uri(phone)], f"Contact: {response.lines('Contact')}")


@rule("§10.3.6: * with Expires: 0 removes all bindings")
def removal_of_all(case):
    phone = case.registered()
    phone.register_ok(contact="<sip:desk@192.0.2.44>")
    check(phone.register_ok(contact="*", expires=0).values("Contact") == [], "bindings are still listed")


@rule("§10.3.6: * with another expiry gets 400")
def star_with_time(case):
    check(case.phone().register(contact="*", expires=60).status == 400, "accepted")


@rule("§10.3.6: * without Expires gets 400")
def star_without_time(case):
    check(case.phone().register(contact="*", expires=None).status == 400, "accepted")


@rule("§10.3.6: * beside another Contact gets 400 and removes nothing")
def star_in_company(case):
    phone = case.registered()
    check(phone.register(contact=["*", phone.contact], expires=0).status == 400, "accepted")
    check(own_uri(phone) in listed(phone.register_ok(contact="")), "the binding is gone")


@rule("§10.3.8: a REGISTER without Contact lists the bindings and changes none")
def fetch(case):
    phone = case.registered()
    check(list(listed(phone.register_ok(contact="", expires=0))) == [own_uri(phone)], "the list is wrong")
    check(list(listed(phone.register_ok(contact=""))) == [own_uri(phone)], "the fetch removed the binding")


@rule("§10.3.7: the same Call-ID with a lower CSeq changes nothing and fails")
def old_cseq(case):
    phone = case.registered()
    phone.register_cseq = 500
    phone.register_ok()
    phone.register_cseq = 100
    response = phone.register(expires=0)
    check(response.status == 500, f"got {response.start}")
    phone.register_cseq = 1000
    check(own_uri(phone) in listed(phone.register_ok(contact="")), "the old request removed the binding")


@rule("§10.3.7: the same Call-ID with the same CSeq in a new transaction changes nothing")
def same_cseq(case):
    phone = case.registered()
    repeated = phone.register_request(expires=0)
    message, response = phone.ask_with_credentials(repeated)
    check(response.status == 200, f"the removal got {response.start}")
    phone.register_cseq = message.cseq
    phone.register_ok()
    latest = phone.register_request(expires=0)
    latest.set("CSeq", f"{phone.register_cseq - 2} REGISTER")
    _, response = phone.ask_with_credentials(latest)
    check(response.status == 500, f"got {response.start}")


@rule("§10.3.7: a new Call-ID, as after a restart of the phone, replaces the binding whatever its CSeq")
def new_call_id(case):
    phone = case.phone()
    phone.register_cseq = 900
    phone.register_ok()
    phone.register_id, phone.register_cseq = "rebooted-" + phone.register_id, 0
    response = phone.register_ok(expires=100)
    check(list(listed(response)) == [own_uri(phone)], f"Contact: {response.lines('Contact')}")
    check(expires_of(response, own_uri(phone)) <= 100, "the binding was not renewed")


@rule("§10.3.7: all or nothing: one Contact that is too brief refuses the other too")
def all_or_nothing(case):
    phone = case.phone()
    response = phone.register(contact=[f"{phone.contact};expires=600", "<sip:desk@192.0.2.44>;expires=5"], expires=None)
    check(response.status == 423, f"got {response.start}")
    check(phone.register_ok(contact="").values("Contact") == [], "half of it was kept")


@rule("[registrar] contacts_max: the eleventh Contact gets 403 and nothing changes")
def too_many_contacts(case):
    phone = case.phone()
    phone.register_ok(contact=[f"<sip:desk{n}@192.0.2.44>" for n in range(10)])
    check(phone.register(contact="<sip:desk10@192.0.2.44>").status == 403, "an eleventh was accepted")
    check(len(phone.register_ok(contact="").values("Contact")) == 10, "the list changed")
    phone.register_ok(contact=["<sip:desk0@192.0.2.44>;expires=0", "<sip:desk10@192.0.2.44>"])


@rule("§10.3.3-4: nobody binds another user's address: 403, and nothing is bound")
def third_party(case):
    thief, owner = case.phone(), case.registered()
    response = thief.register(to=f"<{owner.aor}>")
    check(response.status == 403, f"got {response.start}")
    check(list(listed(owner.register_ok(contact=""))) == [own_uri(owner)], "a foreign binding appeared")


@rule("§10.3.4: nobody reads another user's bindings")
def third_party_fetch(case):
    thief, owner = case.phone(), case.registered()
    response = thief.register(contact="", to=f"<{owner.aor}>")
    check(response.status == 403 and not response.values("Contact"), f"got {response.start}")


@rule("[[trusted]]: a trusted peer registers any address of record without credentials")
def trusted_registers(case):
    owner, peer = case.phone(), case.peer()
    request = peer.register_request(uri="sip:example.test", to=f"<{owner.aor}>", contact="<sip:desk@192.0.2.44>")
    check(peer.ask(request).status == 200, "refused")
    check("sip:desk@192.0.2.44" in listed(owner.register_ok(contact="")), "not bound")


@rule("§19.1.4: host case and escapes make no new binding")
def equal_uris(case):
    phone = case.phone()
    phone.register_ok(contact="<sip:desk@Phones.Example.ORG:5070;transport=UDP>")
    response = phone.register_ok(contact="<sip:%64esk@phones.example.org:5070;Transport=udp>")
    check(len(response.values("Contact")) == 1, f"Contact: {response.lines('Contact')}")


@rule("§19.1.4: a different port, user case or transport is another binding")
def different_uris(case):
    phone = case.phone()
    response = phone.register_ok(contact=["<sip:desk@192.0.2.44>", "<sip:desk@192.0.2.44:5060>", "<sip:Desk@192.0.2.44>",
                                          "<sip:desk@192.0.2.44;transport=tcp>"])
    check(len(response.values("Contact")) == 4, f"Contact: {response.lines('Contact')}")


@rule("§10.2.1.2: q and other Contact parameters come back as they were given")
def parameters_are_kept(case):
    phone = case.phone()
    response = phone.register_ok(contact='<sip:desk@192.0.2.44;line=7>;q=0.7;+sip.instance="<urn:uuid:00000000-0000-4000-8000-00000000abcd>"')
    line = response.lines("Contact")[0]
    check("line=7" in line and "q=0.7" in line, f"Contact: {line}")
    check('+sip.instance="<urn:uuid:00000000-0000-4000-8000-00000000abcd>"' in line, f"Contact: {line}")


@rule("§20.10: many Contacts in one line, and the compact form, are understood")
def contacts_in_one_line(case):
    phone = case.phone()
    request = phone.register_request(contact="").add("m", '"Desk, left" <sip:a@192.0.2.44>, <sip:b@192.0.2.44>;q=0.5')
    _, response = phone.ask_with_credentials(request)
    check(sorted(listed(response)) == ["sip:a@192.0.2.44", "sip:b@192.0.2.44"], f"Contact: {response.lines('Contact')}")


@rule("§10.3.5: the domain of the address of record compares without case")
def domain_case(case):
    phone = case.registered()
    response = phone.register_ok(contact="", to=f"<sip:{phone.user}@EXAMPLE.Test>")
    check(own_uri(phone) in listed(response), "another address of record was made")


@rule("§9.7 of the architecture: a phone may register at the server's own address")
def register_at_the_address(case):
    phone, caller = case.phone(), case.registered()
    here = f"127.0.0.1:{phone.server.port}"
    phone.register_ok(uri=f"sip:{here}", to=f"<sip:{phone.user}@{here}>")
    caller.call(phone)


@rule("§10.3.2: an extension that we do not support gets 420 with Unsupported")
def unknown_extension(case):
    phone = case.phone()
    _, response = phone.ask_with_credentials(phone.register_request().add("Require", "path, time-travel"))
    check(response.status == 420 and "time-travel" in (response.get("Unsupported") or ""), f"{response.start}, {response.get('Unsupported')}")


@rule("§17.2.2: a retransmitted REGISTER is answered with the same octets")
def retransmitted_register(case):
    phone = case.phone()
    request = phone.register_request()
    authorised = phone.authorise(request, phone.ask(request))
    first = phone.ask(authorised)
    second = phone.ask(authorised)
    check(first.status == 200, f"got {first.start}")
    check(first.raw == second.raw, f"{first.raw!r} and then {second.raw!r}")


@rule("§10.3.7: a Contact that is no SIP URI is refused and nothing is bound")
def contact_without_uri(case):
    phone = case.phone()
    check(phone.register(contact="<desk>").status == 400, "accepted")
    check(phone.register_ok(contact="").values("Contact") == [], "something was bound")


@rule("§10: a binding that is not refreshed ends")
def binding_ends(case):
    phone, caller = case.phone(server="quick"), case.stranger(server="quick")
    phone.register_ok(expires=1)
    time.sleep(1.6)
    check(caller.ask(caller.request("OPTIONS", phone.aor)).status == 480, "the phone can still be reached")
    check(phone.register_ok(contact="").values("Contact") == [], "the binding is still listed")


@rule("§10: a refresh prolongs a binding")
def binding_is_prolonged(case):
    phone = case.phone(server="quick")
    phone.register_ok(expires=2)
    time.sleep(1)
    phone.register_ok(expires=30)
    time.sleep(1.5)
    check(own_uri(phone) in listed(phone.register_ok(contact="")), "the binding ended in spite of the refresh")


@rule("§10.3: a REGISTER for a domain that is not ours makes no binding here")
def foreign_domain(case):
    stranger = case.stranger()
    request = stranger.register_request(uri="sip:example.org", to="<sip:visitor@example.org>")
    check(stranger.ask(request).status in (401, 403, 407), "accepted")


@rule("§19.1.1, §16.6.2: header fields in a Contact do not get into the Request-URI")
def contact_with_headers(case):
    phone, caller = case.phone(), case.stranger()
    phone.register(contact=f"<{own_uri(phone)}?Subject=hello>")
    caller.send(caller.request("OPTIONS", phone.aor))
    arrived = phone.next(lambda message: message.method == "OPTIONS" and not message.is_response(), 1.5)
    check(arrived is None or "?" not in arrived.uri, f"Request-URI {arrived and arrived.uri}")


@rule("§10.2, §8.2.2.1: a REGISTER to a telephone number is for no registrar: 416")
def number_is_no_registrar(case):
    phone = case.phone()
    response = phone.ask(phone.register_request(uri="tel:+15550100"))
    check(response.status == 416, response.start)


@rule("§10.3.3: a granted address that is a user is nobody else's to register; one that is no user may be bound")
def granted_user_stays_his_own(case):
    server, victim = case.server(), case.phone()
    name = "granted-" + victim.user
    told = server.must("user", "add", name, "--password", "pw", "--address", victim.user, "--address", "free-" + victim.user)
    check("not register" in told, told)
    phone = case.keep(Phone(server, name, "pw"))
    deadline = time.monotonic() + 10
    while phone.register().status != 200:   # the server reads new users when it is told, and each second
        check(time.monotonic() < deadline, "the new user is not known")
    for to, status in ((victim.aor, 403), (f"sip:free-{victim.user}@example.test", 200)):
        _, response = phone.ask_with_credentials(phone.register_request(to=f"<{to}>"))
        check(response.status == status, f"{to}: {response.start}")
    refused = server.command("user", "add", "x" + name, "--password", "pw", "--address", "sip:boss@foreign.test")
    check(refused.returncode == 1 and "foreign.test" in refused.stderr, refused.stdout + refused.stderr)


@rule("§10.3: who is removed is reached no more; a call that is up is ended as usual")
def removed_user_is_gone(case):
    server, caller, phone = case.server(), case.stranger(), case.registered()
    mine, _ = caller.call(phone)
    server.must("user", "remove", phone.user)
    deadline = time.monotonic() + 10
    while [each for each in server.registrations() if each["aor"] == phone.user]:
        check(time.monotonic() < deadline, "his bindings are still there")
    response = caller.ask(caller.request("MESSAGE", phone.aor))
    check(response.status == 404, response.start)
    mine.hang_up(phone)
