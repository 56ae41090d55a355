"""SIP messages as the tests read and write them: independent of the server's own grammar, kept simple and exact (RFC 3261 §7)."""

import secrets

COMPACT = {"i": "call-id", "m": "contact", "e": "content-encoding", "l": "content-length", "c": "content-type", "f": "from",
           "s": "subject", "k": "supported", "t": "to", "v": "via"}
COOKIE = "z9hG4bK"


def canonical(name):
    name = name.strip().lower()
    return COMPACT.get(name, name)


def split_values(text):
    """The comma-separated values of a header field; commas in quotes and angle brackets separate nothing."""
    values, current, quoted, depth, escaped = [], "", False, 0, False
    for letter in text:
        if escaped:
            escaped = False
        elif quoted:
            escaped = letter == "\\"
            quoted = letter != '"'
        elif letter == '"':
            quoted = True
        elif letter in "<>":
            depth += 1 if letter == "<" else -1
        elif letter == "," and depth == 0:
            values.append(current.strip())
            current = ""
            continue
        current += letter
    return values + [current.strip()]


def uri_of(value):
    """The URI of a name-addr or addr-spec."""
    if "<" in value:
        return value[value.index("<") + 1:value.index(">", value.index("<"))]
    return value.split(";")[0].strip()


def parameters_of(value):
    """The header parameters after the URI: a dict of lower-case names; a parameter without a value has None."""
    rest = value[value.rindex(">") + 1:] if ">" in value else value.partition(";")[1] + value.partition(";")[2]
    found = {}
    for part in rest.split(";")[1:]:
        name, equals, text = part.partition("=")
        found[name.strip().lower()] = text.strip().strip('"') if equals else None
    return found


def new_token(prefix=""):
    return prefix + secrets.token_hex(6)


def new_branch():
    return COOKIE + secrets.token_hex(8)


class Message:
    """A request or a response. Header fields keep their order and their names as written; `raw` is what arrived."""

    def __init__(self, start, headers=(), body=b""):
        self.start = start
        self.headers = list(headers)
        self.body = body
        self.raw = b""
        self.source = None  # where it came from: an address, or the Stream

    @classmethod
    def parse(cls, raw, source=None):
        head, separator, body = raw.partition(b"\r\n\r\n")
        if not separator:
            raise ValueError(f"no empty line in {raw!r}")
        lines = head.decode("utf-8", "surrogateescape").split("\r\n")
        message = cls(lines[0], body=body)
        for line in lines[1:]:
            if line[:1] in (" ", "\t"):
                name, value = message.headers[-1]
                message.headers[-1] = (name, value + " " + line.strip())
            else:
                name, _, value = line.partition(":")
                message.headers.append((name, value.strip()))
        message.raw, message.source = raw, source
        return message

    def copy(self):
        twin = Message(self.start, self.headers, self.body)
        twin.source = self.source
        return twin

    # Reading.
    def is_response(self):
        return self.start.startswith("SIP/2.0 ")

    @property
    def status(self):
        return int(self.start.split(" ")[1]) if self.is_response() else 0

    @property
    def reason(self):
        return self.start.split(" ", 2)[2] if self.is_response() else ""

    @property
    def method(self):
        return self.get("CSeq").split()[-1] if self.is_response() else self.start.split(" ")[0]

    @property
    def uri(self):
        return "" if self.is_response() else self.start.split(" ")[1]

    def get(self, name, default=None):
        for own, value in self.headers:
            if canonical(own) == canonical(name):
                return value
        return default

    def lines(self, name):
        """The header fields of that name, one entry for each line."""
        return [value for own, value in self.headers if canonical(own) == canonical(name)]

    def values(self, name):
        """The comma-separated values of all lines of that name."""
        return [value for line in self.lines(name) if line for value in split_values(line)]

    def tag(self, name):
        return parameters_of(self.get(name, "")).get("tag")

    @property
    def branch(self):
        return parameters_of(self.values("Via")[0]).get("branch")

    @property
    def cseq(self):
        return int(self.get("CSeq").split()[0])

    # Writing. Each returns the message, so that they chain.
    def set(self, name, value):
        """Replaces the first field of that name in its place and removes the others; adds it when there is none."""
        kept, done = [], False
        for own, old in self.headers:
            if canonical(own) != canonical(name):
                kept.append((own, old))
            elif not done:
                kept.append((own, value))
                done = True
        self.headers = kept if done else kept + [(name, value)]
        return self

    def add(self, name, *values):
        self.headers += [(name, value) for value in values]
        return self

    def push(self, name, value):
        """Puts a field on top."""
        self.headers.insert(0, (name, value))
        return self

    def remove(self, name):
        self.headers = [field for field in self.headers if canonical(field[0]) != canonical(name)]
        return self

    def render(self, length=True):
        """The octets. With `length`, Content-Length is set to the body's size."""
        if length:
            self.set("Content-Length", str(len(self.body)))
        head = "\r\n".join([self.start] + [f"{name}: {value}" for name, value in self.headers]) + "\r\n\r\n"
        return head.encode("utf-8", "surrogateescape") + self.body

    def __repr__(self):
        return self.start + " [" + (self.get("CSeq") or "no CSeq") + "]"
