"""A test phone: builds requests and responses by the RFC, answers challenges, and waits for what the server should send."""

import time

import digest
from link import Datagrams, Stream
from link_secure import TlsStream, WebSocket
from message import Message, new_branch, new_token, uri_of

WAIT = 3.0    # for what must come
QUIET = 0.4   # for what must not come
SDP = (b"v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 40000 RTP/AVP 8\r\n"
       b"a=rtpmap:8 PCMA/8000\r\n")


def open_link(transport, to, host, port=0):
    if transport == "udp":
        return Datagrams(host, port)
    if transport in ("ws", "wss"):
        return WebSocket(to, host, is_secure=transport == "wss")
    return TlsStream(to, host) if transport == "tls" else Stream(to, host)


class Phone:
    """One user agent on one socket. Not thread-safe: a rule owns its phones."""

    def __init__(self, server, user="guest", password="", host="127.0.0.1", transport="udp", port=0, domain=None):
        self.server = server
        self.user, self.password = user, password
        self.domain = domain or server.domain
        self.to = (server.host, getattr(server, "ports", {}).get(transport, server.port))
        self.link = open_link(transport, self.to, host, port)
        self.kept = []         # received, not yet asked for
        self.repeated = set()  # Call-IDs of requests that were sent again: their responses may come twice
        self.challenge = None
        self.nonce_count = 0
        self.register_id = new_token("reg-")
        self.register_cseq = 0

    def connect_again(self):
        """Another connection in place of the one that is lost."""
        self.link = open_link(self.link.transport.lower(), self.to, self.link.host)

    # Names.
    @property
    def address(self):
        host = f"[{self.link.host}]" if ":" in self.link.host else self.link.host
        return getattr(self.link, "sent_by", f"{host}:{self.link.port}")

    @property
    def aor(self):
        return f"sip:{self.user}@{self.domain}"

    @property
    def contact(self):
        name = {"UDP": "", "TCP": ";transport=tcp", "TLS": ";transport=tls"}.get(self.link.transport, ";transport=ws")
        return f"<sip:{self.user}@{self.address}{name}>"

    def via(self, branch=None):
        return f"SIP/2.0/{self.link.transport} {self.address};branch={branch or new_branch()};rport"

    # Requests.
    def request(self, method, uri, *, to=None, from_=None, call_id=None, cseq=None, body=b"", kind="application/sdp", contact=True):
        """A request outside a dialog, whole and ready to be changed before it is sent."""
        message = Message(f"{method} {uri} SIP/2.0")
        message.add("Via", self.via()).add("Max-Forwards", "70")
        message.add("From", from_ or f"<{self.aor}>;tag={new_token()}").add("To", to or f"<{uri}>")
        message.add("Call-ID", call_id or new_token("call-")).add("CSeq", f"{cseq or 1} {method}")
        if contact and method in ("INVITE", "SUBSCRIBE"):
            message.add("Contact", self.contact)
        if body:
            message.add("Content-Type", kind)
        message.body = body
        return message

    def send(self, message, length=True):
        data = message if isinstance(message, bytes) else message.render(length)
        self.link.send(data, self.to)
        return message

    def send_to(self, message, address):
        """A datagram to somebody else than the server."""
        self.link.send(message.render(), address)

    # Waiting.
    def next(self, wanted, seconds=WAIT):
        """The first message for which wanted() holds, or None; others are kept for later questions."""
        for index, message in enumerate(self.kept):
            if wanted(message):
                return self.kept.pop(index)
        deadline = time.monotonic() + seconds
        while True:
            message = self.link.receive(max(0.0, deadline - time.monotonic()))
            if message is None:
                return None
            if wanted(message):
                return message
            self.kept.append(message)

    def expect(self, what, seconds=WAIT, call_id=None, cseq=None):
        """The next request of a method ("INVITE"), or response with a status (200) or of a class ("2xx"), of this call."""
        def wanted(message):
            if call_id and message.get("Call-ID") != call_id or cseq and message.cseq != cseq:
                return False
            if isinstance(what, int):
                return message.status == what
            if what.endswith("xx"):
                return message.status // 100 == int(what[0])
            return not message.is_response() and message.method == what
        message = self.next(wanted, seconds)
        assert message, f"{self.user} got no {what} in {seconds} s, but {self.kept}"
        return message

    def final(self, call_id, seconds=WAIT, cseq=None):
        """The next final response of a call."""
        message = self.next(lambda m: m.status >= 200 and m.get("Call-ID") == call_id and cseq in (None, m.cseq), seconds)
        assert message, f"{self.user} got no final response in {seconds} s, but {self.kept}"
        return message

    def ask(self, message, seconds=WAIT, length=True):
        """Sends a request, over UDP again while nothing comes, and gives its final response; a non-2xx to an INVITE is acknowledged."""
        self.send(message, length)
        if self.link.transport == "UDP":
            self.insist(message, length)
        response = self.final(message.get("Call-ID"), seconds, message.cseq)
        if message.method == "INVITE" and response.status >= 300:
            self.send(self.ack_for(message, response))
        return response

    def insist(self, message, length=True):
        """Repeats a request twice if it stays unanswered: a busy machine loses datagrams too (RFC 3261 §17.1)."""
        for wait in (0.5, 1.0):
            response = self.next(lambda m: m.is_response() and m.get("Call-ID") == message.get("Call-ID") and m.cseq == message.cseq, wait)
            if response:
                self.kept.append(response)
                return
            self.send(message, length)
            self.repeated.add(message.get("Call-ID"))

    def expect_nothing(self, seconds=QUIET, wanted=lambda message: True):
        """Nothing that is wanted comes; a second response to a request that was sent twice is passed over."""
        message = self.next(lambda m: wanted(m) and not (m.is_response() and m.get("Call-ID") in self.repeated), seconds)
        assert message is None, f"{self.user} got {message!r}, and nothing should have come"

    # Authentication.
    def authorise(self, message, response=None, **overrides):
        """The same request again with credentials for the challenge, as a new transaction."""
        if response is not None:
            name = "WWW-Authenticate" if response.status == 401 else "Proxy-Authenticate"
            self.challenge = digest.parse_challenge(response.get(name))
            self.challenge["header"] = "Authorization" if response.status == 401 else "Proxy-Authorization"
            self.nonce_count = 0
        self.nonce_count += 1
        credentials = digest.answer(self.challenge, message.method, overrides.pop("digest_uri", message.uri), overrides.pop("user", self.user),
                                    overrides.pop("password", self.password), overrides.pop("nc", self.nonce_count), **overrides)
        again = message.copy().set(self.challenge["header"], credentials)
        again.set("CSeq", f"{message.cseq + 1} {message.method}")
        vias = again.lines("Via")
        return again.remove("Via").push("Via", self.via()) if len(vias) == 1 else again

    def ask_with_credentials(self, message, seconds=WAIT):
        """Sends a request; answers a challenge once. Gives the request that was sent last and its final response."""
        response = self.ask(message, seconds)
        if response.status in (401, 407):
            message = self.authorise(message, response)
            response = self.ask(message, seconds)
        return message, response

    # Registration.
    def register_request(self, contact=None, expires=3600, uri=None, to=None):
        self.register_cseq += 1
        message = self.request("REGISTER", uri or f"sip:{self.domain}", to=to or f"<{self.aor}>", call_id=self.register_id,
                               cseq=self.register_cseq)
        contacts = [self.contact] if contact is None else contact if isinstance(contact, list) else [contact]
        message.add("Contact", *[value for value in contacts if value])
        return message.add("Expires", str(expires)) if expires is not None else message

    def register(self, contact=None, expires=3600, **more):
        """Registers with credentials and gives the final response, whatever it is. contact="" asks for the bindings only."""
        message, response = self.ask_with_credentials(self.register_request(contact, expires, **more))
        self.register_cseq = message.cseq
        return response

    def register_ok(self, *arguments, **more):
        response = self.register(*arguments, **more)
        assert response.status == 200, f"REGISTER of {self.user} got {response.start}"
        return response

    # Responses.
    def reply(self, request, status, reason="Fine", tag=None, contact=True, body=b"", extra=()):
        """Answers a request from where it came. Gives the response that was sent."""
        response = Message(f"SIP/2.0 {status} {reason}")
        response.add("Via", *request.lines("Via")).add("Record-Route", *request.lines("Record-Route"))
        to = request.get("To")
        response.add("From", request.get("From"))
        response.add("To", f"{to};tag={tag or self.tag_for(request)}" if status > 100 and "tag=" not in to else to)
        response.add("Call-ID", request.get("Call-ID")).add("CSeq", request.get("CSeq"))
        if contact and status < 300 and request.method in ("INVITE", "SUBSCRIBE"):
            response.add("Contact", self.contact)
        for name, value in extra:
            response.add(name, value)
        response.body = body
        if body:
            response.add("Content-Type", "application/sdp")
        self.send_response(response, request)
        return response

    def tag_for(self, request):
        return "t" + request.get("Call-ID")[-8:] + self.user[-4:]

    def send_response(self, response, request):
        if isinstance(request.source, Stream):
            request.source.send(response.render())
        else:
            self.link.send(response.render(), request.source)

    def ack_for(self, invite, response):
        """The ACK of a non-2xx response: same branch, same Request-URI, To of the response (RFC 3261 §17.1.1.3)."""
        ack = Message(f"ACK {invite.uri} SIP/2.0")
        ack.add("Via", invite.lines("Via")[0]).add("Max-Forwards", "70").add("Route", *invite.lines("Route"))
        ack.add("From", invite.get("From")).add("To", response.get("To")).add("Call-ID", invite.get("Call-ID"))
        return ack.add("CSeq", f"{invite.cseq} ACK")

    def cancel_for(self, invite):
        cancel = Message(f"CANCEL {invite.uri} SIP/2.0")
        cancel.add("Via", invite.lines("Via")[0]).add("Max-Forwards", "70").add("Route", *invite.lines("Route"))
        cancel.add("From", invite.get("From")).add("To", invite.get("To")).add("Call-ID", invite.get("Call-ID"))
        return cancel.add("CSeq", f"{invite.cseq} CANCEL")

    # Calls.
    def invite(self, uri, **more):
        """Sends an INVITE and answers a challenge; gives the INVITE that is under way."""
        message = self.send(self.request("INVITE", uri, body=more.pop("body", SDP), **more))
        if self.link.transport == "UDP":
            self.insist(message)
        response = self.next(lambda m: m.status >= 100 and m.get("Call-ID") == message.get("Call-ID"), WAIT)
        assert response, f"no response to the INVITE of {self.user}"
        if response.status in (401, 407):
            self.send(self.ack_for(message, response))
            return self.send(self.authorise(message, response))
        self.kept.append(response)
        return message

    def call(self, callee, uri=None):
        """A whole call set-up with `callee`, a phone that is registered. Gives the two ends as dialogs."""
        invite = self.invite(uri or callee.aor)
        arrived = callee.expect("INVITE", call_id=invite.get("Call-ID"))
        callee.reply(arrived, 180, "Ringing")
        answer = callee.reply(arrived, 200, "OK", body=SDP)
        answered = self.awaited(200, invite.get("Call-ID"), lambda: callee.send_response(answer, arrived))
        mine, theirs = Dialog.of_caller(self, invite, answered), Dialog.of_callee(callee, arrived, answer)
        ack = self.send(mine.request("ACK", cseq=invite.cseq))
        callee.awaited("ACK", invite.get("Call-ID"), lambda: self.send(ack))
        return mine, theirs

    def awaited(self, what, call_id, repeat, seconds=WAIT):
        """What expect() gives; the other side sends it again, each second, while it does not come."""
        for _ in range(int(seconds)):
            try:
                return self.expect(what, 1.0, call_id)
            except AssertionError:
                repeat()
        return self.expect(what, 1.0, call_id)

    def close(self):
        self.link.close()


class Dialog:
    """One end of a dialog (RFC 3261 §12): tags, route set, remote target, CSeq."""

    def __init__(self, phone, call_id, local, remote, target, routes, cseq):
        self.phone, self.call_id, self.local, self.remote = phone, call_id, local, remote
        self.target, self.routes, self.cseq = target, routes, cseq

    @classmethod
    def of_caller(cls, phone, invite, answered):
        return cls(phone, invite.get("Call-ID"), invite.get("From"), answered.get("To"), uri_of(answered.get("Contact")),
                   answered.values("Record-Route")[::-1], invite.cseq)

    @classmethod
    def of_callee(cls, phone, invite, answer):
        return cls(phone, invite.get("Call-ID"), answer.get("To"), invite.get("From"), uri_of(invite.get("Contact")),
                   invite.values("Record-Route"), 1000)

    def request(self, method, cseq=None, body=b""):
        if cseq is None:
            self.cseq += 1
        message = Message(f"{method} {self.target} SIP/2.0")
        message.add("Via", self.phone.via()).add("Max-Forwards", "70").add("Route", *self.routes)
        message.add("From", self.local).add("To", self.remote).add("Call-ID", self.call_id)
        message.add("CSeq", f"{cseq or self.cseq} {method}")
        if method == "INVITE":
            message.add("Contact", self.phone.contact)
        message.body = body
        return message.add("Content-Type", "application/sdp") if body else message

    def hang_up(self, other, seconds=WAIT):
        """BYE from this end; `other` answers. Gives the 200."""
        bye = self.phone.send(self.request("BYE"))
        other.reply(other.awaited("BYE", self.call_id, lambda: self.phone.send(bye), seconds), 200, "OK")
        return self.phone.expect(200, seconds, call_id=self.call_id, cseq=bye.cseq)
