"""What must be true of each message that the server emits: RFC 3261 §7, §8.1.1, §8.2.6, §9.1, §17.1.1.3, §18.3, §20 (tables 2 and 3).

A reader of its own, with no word of the server's grammar."""

import re

from message import canonical, parameters_of

TOKEN = r"[A-Za-z0-9.!%*_+`'~-]+"
REQUEST = re.compile(rf"({TOKEN}) ([^\s<>\"]+) SIP/2\.0")
RESPONSE = re.compile(r"SIP/2\.0 [1-6]\d\d [^\r\n]*")
OWN_VIA = re.compile(rf"SIP/2\.0/(UDP|TCP|TLS|WS|WSS) (\[[0-9a-f:.]+\]|[A-Za-z0-9.-]+)(:[1-9]\d*)?((;{TOKEN}(=({TOKEN}|\[[0-9a-f:]+\]|\"[^\"]*\"))?)+)")
OWN_ROUTE = re.compile(r"<sips?:[^\s<>,;@]*@?(\[[0-9a-f:.]+\]|[A-Za-z0-9.-]+)(:[1-9]\d*)?(;[^\s<>,;]+)*;lr>")

SINGLE = {"call-id", "content-disposition", "content-length", "content-type", "cseq", "date", "event", "expires", "flow-timer", "from", "max-forwards",
          "mime-version", "min-expires", "min-se", "organization", "priority", "rack", "refer-to", "referred-by", "replaces", "reply-to", "retry-after",
          "rseq", "server", "session-expires", "sip-etag", "sip-if-match", "subject", "subscription-state", "timestamp", "to", "user-agent"}
MANDATORY = ("from", "to", "call-id", "cseq")

# What stands in a message that the server makes itself: what must, and what may besides (table 2, and the RFC of each extension).
EVERY = {"via", "from", "to", "call-id", "cseq", "content-length"}
EVERY_RESPONSE = {"server"}
OWN_REQUESTS = {
    "CANCEL": ({"max-forwards"}, {"route", "reason"}),
    "ACK": ({"max-forwards"}, {"route"}),
    "OPTIONS": ({"max-forwards"}, {"accept"}),
    "NOTIFY": ({"max-forwards", "contact", "event", "subscription-state"}, {"route", "content-type", "record-route", "supported", "allow"}),
}
OWN_RESPONSES = {
    100: (set(), {"timestamp"}), 302: ({"contact"}, set()), 401: ({"www-authenticate"}, set()), 405: ({"allow"}, set()), 407: ({"proxy-authenticate"}, set()),
    415: ({"accept"}, {"accept-encoding"}), 420: ({"unsupported"}, set()), 423: ({"min-expires"}, set()), 439: (set(), {"supported"}),
    489: ({"allow-events"}, set()), 500: (set(), {"retry-after"}), 503: (set(), {"retry-after"}),
}
OWN_2XX = {
    "REGISTER": ({"date"}, {"contact", "path", "service-route", "require", "supported", "flow-timer"}),
    "OPTIONS": ({"allow", "accept", "supported"}, {"accept-encoding", "accept-language", "allow-events", "contact"}),
    "SUBSCRIBE": ({"expires", "contact"}, {"record-route"}),
    "CANCEL": (set(), set()), "BYE": (set(), set()),
}


def faults_of(raw, message, transport):
    """What is wrong with one message, seen alone: a list of sentences, empty when nothing is."""
    is_stream = transport in ("TCP", "TLS")
    found = faults_of_lines(raw)
    if not (RESPONSE if message.is_response() else REQUEST).fullmatch(message.start):
        found.append(f"the start line {message.start!r}")
    names = [canonical(name) for name, _ in message.headers]
    found += [f"{names.count(name)} times {name}" for name in MANDATORY if names.count(name) != 1]
    found += [f"{names.count(name)} times {name}" for name in SINGLE.difference(MANDATORY) if names.count(name) > 1]
    length = message.get("Content-Length")
    if length is None and is_stream or length is not None and (not length.isdigit() or int(length) != len(message.body)):
        found.append(f"Content-Length {length} for {len(message.body)} octets")
    if message.body and message.get("Content-Type") is None:
        found.append("a body without Content-Type")
    if found:
        return found
    vias = message.values("Via")
    if not vias or not all(vias):
        return [f"Via {message.lines('Via')}"]
    sequence, method = message.get("CSeq").split()
    # A refusal of a number that is too large gives it back (§8.2.6.2).
    if int(sequence) >= 2 ** 31 and message.status != 400 or not message.is_response() and method != message.start.split()[0]:
        found.append(f"CSeq {message.get('CSeq')} of {message.start}")
    return found + (faults_of_response(message) if message.is_response() else faults_of_request(message, transport))


def faults_of_lines(raw):
    head = raw.partition(b"\r\n\r\n")[0]
    found = []
    for line in head.split(b"\r\n")[1:]:
        name, colon, value = line.partition(b":")
        if b"\r" in line or b"\n" in line or b"\0" in line:
            found.append(f"a control character in {line!r}")
        elif line[:1] not in b" \t" and (not colon or not re.fullmatch(TOKEN + r"[ \t]*", name.decode("latin-1")) or value.startswith(b":")):
            found.append(f"the line {line!r}")
    return found


def faults_of_request(message, transport):
    found = []
    top = message.values("Via")[0]
    shape = OWN_VIA.fullmatch(top)
    if not shape or shape.group(1) != transport or not (parameters_of(top).get("branch") or "").startswith("z9hG4bK"):
        found.append(f"the top Via {top} over {transport}")
    names = [part.partition("=")[0].lower() for part in top.split(";")[1:]]
    if len(names) != len(set(names)):
        found.append(f"a parameter twice in {top}")
    hops = message.get("Max-Forwards", "")
    if not hops.isdigit() or int(hops) > 255:
        found.append(f"Max-Forwards {hops!r}")
    for name in ("Route", "Record-Route"):
        found += [f"{name} {value!r}" for value in message.values(name) if not re.fullmatch(r"[^<>]*<[^<>\s]+>[^<>]*", value)]
    return found


def faults_of_response(message):
    found = []
    tag = message.tag("To")
    if message.status > 100 and not tag:
        found.append(f"no To tag in {message.start}")
    if message.status == 100 and (message.body or message.get("Contact") or message.get("Record-Route")):
        found.append("100 with a body, Contact or Record-Route")
    if message.method == "INVITE" and message.status // 100 == 2 and not message.get("Contact"):
        found.append("2xx to INVITE without Contact")
    for name in ("WWW-Authenticate", "Proxy-Authenticate"):
        found += [f"{name}: {line}" for line in message.lines(name) if not re.fullmatch(r'\w+ .*realm="[^"]*".*', line)]
    return found


def faults_of_own_request(message):
    """A request that the server made itself: one Via, and what table 2 asks for and allows."""
    must, may = OWN_REQUESTS.get(message.method, (set(), set()))
    found = faults_of_names(message, EVERY | must, may)
    if message.method not in OWN_REQUESTS:
        found.append(f"{message.method} of the server's own")
    if message.method in ("CANCEL", "ACK") and message.body:
        found.append(f"{message.method} with a body")
    if message.method == "NOTIFY" and not (message.tag("From") and message.tag("To")):
        found.append("NOTIFY outside a dialog")
    return found


def faults_of_own_response(message):
    """A response that the server made itself."""
    two_hundred = message.status // 100 == 2
    must, may = OWN_2XX.get(message.method, (set(), set())) if two_hundred else OWN_RESPONSES.get(message.status, (set(), set()))
    if two_hundred and message.method == "REGISTER":
        if not all(re.search(r";expires=\d+", value) for value in message.values("Contact")):
            may = may - {"contact"}
    return faults_of_names(message, EVERY | must, EVERY_RESPONSE | may)


def faults_of_names(message, must, may):
    names = {canonical(name) for name, _ in message.headers}
    found = [f"{message.start} without {name}" for name in sorted(must - names)]
    return found + [f"{message.start} with {name}" for name in sorted(names - must - may)]


class Conversation:
    """What was received and emitted, to compare one with the other. `unrecorded`: sent-bys of servers that add no Record-Route."""

    def __init__(self, passed, unrecorded=()):
        self.unrecorded = unrecorded
        self.requests, self.answered_to, self.invites, self.sent = {}, {}, {}, {}
        for entry in passed:
            message = entry.message
            if entry.is_emitted and message.method == "INVITE" and not message.is_response():
                self.invites.setdefault(message.branch, message)
            elif not entry.is_emitted:
                self.note(message)

    def note(self, message):
        """Remembers a message that a server got, as far as it can be read."""
        try:
            key = plain(message.get("Call-ID")), plain(message.get("CSeq")), message.branch
            if message.is_response():
                self.answered_to.setdefault(message.branch, set()).add(message.get("To"))
            else:
                self.requests.setdefault(key, []).append(message)
        except (AttributeError, IndexError, ValueError):
            return

    def faults_of(self, message):
        """What is wrong with an emitted message beside those that it belongs to."""
        return self.faults_of_response(message) if message.is_response() else self.faults_of_request(message)

    def faults_of_response(self, message):
        asked = self.requests.get((plain(message.get("Call-ID")), plain(message.get("CSeq")), message.branch))
        if not asked:
            return [f"{message.start} to a request that never came"]
        found = []
        if not any(same_vias(message, request) and plain(message.get("From")) == plain(request.get("From")) for request in asked):
            found.append(f"Via or From are not the request's: {message.values('Via')}, {asked[0].values('Via')}")
        if not any(request.tag("To") in (None, message.tag("To")) for request in asked):
            found.append("another To tag than the request's")
        is_own = message.get("Server", "").startswith("Signalbox") or message.status == 100
        return found + (faults_of_own_response(message) if is_own else [])

    def faults_of_request(self, message):
        found = []
        key = message.branch, message.method
        if self.sent.setdefault(key, message.raw) != message.raw:
            found.append(f"the second {message.method} with branch {message.branch} has other octets")
        if len(message.values("Via")) == 1:
            found += faults_of_own_request(message)
            if message.method in ("CANCEL", "ACK"):
                found += self.faults_beside_invite(message)
        elif message.method == "INVITE" and not self.is_recorded(message):
            found.append(f"a forwarded INVITE whose first Record-Route is {message.values('Record-Route')[:1]}")
        return found

    def is_recorded(self, invite):
        """The first Record-Route is one of the server's, unless it stays out of dialogs."""
        routes = invite.values("Record-Route") or [""]
        return OWN_ROUTE.fullmatch(routes[0]) or any(sent_by in invite.values("Via")[0] for sent_by in self.unrecorded)

    def faults_beside_invite(self, message):
        invite = self.invites.get(message.branch)
        if invite is None:
            return [f"{message.method} of no INVITE"]
        kept = ["From", "Call-ID"] + (["To"] if message.method == "CANCEL" else [])
        found = [f"{message.method} with another {name} than the INVITE's" for name in kept if message.get(name) != invite.get(name)]
        if message.uri != invite.uri or message.cseq != invite.cseq or message.values("Route") != invite.values("Route") \
                or message.values("Via") != invite.values("Via")[:1]:
            found.append(f"{message.method} with another URI, CSeq, Route or Via than the INVITE's")
        if message.method == "ACK" and message.get("To") not in self.answered_to.get(message.branch, ()):
            found.append("ACK with a To that no response had")
        return found


def plain(value):
    """A value without the folds and the white space around it that somebody wrote."""
    return " ".join(value.split())


def same_vias(response, request):
    """The Vias came back: the top one with received and rport filled in, the others as they were."""
    ours, theirs = response.values("Via"), request.values("Via")
    if len(ours) != len(theirs) or ours[1:] != theirs[1:]:
        return False
    return ours[0].split(";")[0] == theirs[0].split(";")[0] and parameters_of(ours[0]).get("branch") == parameters_of(theirs[0]).get("branch")

