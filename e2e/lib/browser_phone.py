"""A browser phone as a proof drives it: the page of e2e/browser, its calls by number, and what it hears."""

import time

WAIT = 20  # seconds for what must come; a busy machine needs long for media


class BrowserPhone:
    """One user in one page."""

    def __init__(self, browser, pages, user, hertz):
        self.user, self.hertz = user, hertz
        self.page = browser.page(pages.url("phone.html"), ["audioCapture"], user)
        self.claimed = set()
        self.contact = None

    def reload(self, pages):
        """Loads the page anew: it has no calls, and is not registered."""
        self.page.open(pages.url("phone.html"))
        self.claimed.clear()

    def state(self):
        return self.page.call("phone.state")

    def until(self, what, seconds=WAIT):
        """Until what(state) gives something; gives that, or fails with the state."""
        deadline = time.monotonic() + seconds
        while True:
            state = self.state()
            found = what(state)
            if found:
                return found
            assert time.monotonic() < deadline, f"{self.user} waited {seconds} s in vain: {state}"
            time.sleep(0.05)

    def register(self, url, domain, password):
        """Begins to register; registration() says how it went."""
        self.page.call("phone.register", {"url": url, "user": self.user, "password": password, "domain": domain, "hertz": self.hertz})

    def registration(self):
        """How the registration ended, and why or with which Contact."""
        found = self.until(lambda state: state["registration"]["state"] != "none" and state["registration"])
        self.contact = found["why"].strip("<>")
        return found["state"]

    def forget_gruus(self):
        """From now on this phone is one that has never heard of GRUUs: its Contact is the .invalid one."""
        self.page.call("phone.forgetGruus")

    # Calls.
    def dial(self, target):
        """Begins a call and gives its number."""
        number = self.page.call("phone.dial", target)
        self.claimed.add(number)
        return number

    def next_call(self):
        """The number of the next call that this phone did not dial."""
        number = self.until(lambda state: next((call["number"] + 1 for call in state["calls"] if call["number"] not in self.claimed), None)) - 1
        self.claimed.add(number)
        return number

    def call(self, number):
        return self.state()["calls"][number]

    def is_up(self, number):
        """Until a call is up; True then, False when it ended instead."""
        return self.until(lambda state: state["calls"][number]["state"] in ("up", "over") and state["calls"][number])["state"] == "up"

    def is_over(self, number):
        """Until a call is over; gives why."""
        return self.until(lambda state: state["calls"][number]["state"] == "over" and state["calls"][number])["cause"]

    def hang_up(self, number):
        self.page.call("phone.hangUp", number)

    def refer(self, number, target=None, replaced=None):
        """Asks the peer of a call to call `target`, or the peer of the call `replaced` in its stead, and waits until it has got through."""
        self.page.call("phone.refer", number, target, *(() if replaced is None else (replaced,)))
        end = self.until(lambda state: state["calls"][number]["referral"] not in ("sent", "trying") and state["calls"][number])["referral"]
        assert end == "accepted", f"the REFER of {self.user}: {end}"

    def strengths(self, number, frequencies):
        """The share of each frequency in what the peer of a call sends now."""
        return self.page.call("phone.strengths", number, frequencies)


def tones_heard(*ears, nobody, seconds=WAIT):
    """Until each ear (phone, number of its call, phone of the peer) has heard a second of its peer's tone. Gives what is wrong, or
    None. No ear may hear itself or the phone `nobody`."""
    good, deadline = {phone: 0 for phone, _, _ in ears}, time.monotonic() + seconds
    while min(good.values()) < 6:
        for phone, number, peer in ears:
            wanted, *unwanted = phone.strengths(number, [peer.hertz, phone.hertz, nobody.hertz])
            good[phone] += wanted > 0.8
            if max(unwanted) > 0.2:
                return f"{phone.user} hears {unwanted} of the {phone.hertz} Hz of its own and the {nobody.hertz} Hz of {nobody.user}"
        if time.monotonic() > deadline:
            return f"of six times, the peer was heard {[(phone.user, count) for phone, count in good.items()]} in {seconds} s"
        time.sleep(0.18)
    return None
