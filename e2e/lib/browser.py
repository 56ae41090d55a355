"""Chromium without a window, commanded over its DevTools pipe: messages in JSON, each ended by a zero octet."""

import json
import re
import subprocess
import threading
import time

PROGRAM = "/usr/bin/chromium"
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync", "--disable-default-apps", "--disable-extensions", "--disable-breakpad", "--mute-audio",
         # Every page is in the background, and all of them talk.
         "--disable-background-timer-throttling", "--disable-renderer-backgrounding", "--disable-backgrounding-occluded-windows",
         "--autoplay-policy=no-user-gesture-required",
         # Calls stay inside the namespace, where there is nothing but the loopback.
         "--allow-loopback-in-peer-connection", "--disable-features=WebRtcHideLocalIpsWithMdns"]


class BrowserError(AssertionError):
    """The browser, or a script in a page, said no."""


class Browser:
    """One process with a profile of its own in `folder`; pages in it share nothing."""

    def __init__(self, folder, names=None):
        """`names`: host names that the browser shall believe to be on the loopback."""
        self.folder = folder
        rules = ",".join(f"MAP {name} 127.0.0.1" for name in names or ())
        self.log = folder / "chromium.log"
        command = [PROGRAM, *FLAGS, f"--user-data-dir={folder / 'profile'}", f"--host-resolver-rules={rules}", "--remote-debugging-pipe"]
        with self.log.open("wb") as log:
            # The browser reads commands from descriptor 3 and answers on descriptor 4.
            self.process = subprocess.Popen(["sh", "-c", 'exec "$@" 3<&0 4>&1 </dev/null >&2', "sh", *command], stdin=subprocess.PIPE,
                                            stdout=subprocess.PIPE, stderr=log, env={"PATH": "/usr/bin:/bin", "HOME": str(folder), "TMPDIR": str(folder)})
        self.sent = 0
        self.answers = {}
        self.pages = []
        self.said = {}  # by page
        self.news = threading.Condition()
        self.is_gone = False
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        rest = b""
        while data := self.process.stdout.read1(65536):
            *whole, rest = (rest + data).split(b"\0")
            with self.news:
                for message in map(json.loads, whole):
                    if "id" in message:
                        self.answers[message["id"]] = message
                    else:
                        self._note(message)
                self.news.notify_all()
        with self.news:
            self.is_gone = True
            self.news.notify_all()

    def _note(self, event):
        """Keeps what pages write to their console, and what the browser writes there about them."""
        said = self.said.setdefault(event.get("sessionId"), [])
        parameters = event.get("params", {})
        if event["method"] == "Runtime.consoleAPICalled":
            # Colours come as further values; of descriptions of sessions one line in ten matters to SIP.
            text = str(parameters["args"][0].get("value", "")).replace("%c", "") if parameters["args"] else ""
            said.extend(line for line in text.splitlines() if line and not line.startswith("a="))
        elif event["method"] == "Runtime.exceptionThrown":
            details = parameters["exceptionDetails"]
            said.append(f"exception: {details.get('exception', {}).get('description', details['text'])}")
        elif event["method"] == "Log.entryAdded":
            said.append(f"{parameters['entry']['level']}: {parameters['entry']['text']}")

    def ask(self, method, session=None, seconds=30, **parameters):
        """Sends one command and gives its result."""
        self.sent += 1
        number = self.sent
        message = {"id": number, "method": method, "params": parameters, **({"sessionId": session} if session else {})}
        try:
            self.process.stdin.write(json.dumps(message).encode() + b"\0")
            self.process.stdin.flush()
        except OSError:
            pass
        with self.news:
            self.news.wait_for(lambda: number in self.answers or self.is_gone, seconds)
            answer = self.answers.pop(number, None)
        if answer is None:
            state = "has ended" if self.is_gone else f"said nothing for {seconds} s"
            raise BrowserError(f"Chromium {state} after {method}:\n{self.log.read_text(encoding='utf-8', errors='replace')[-3000:]}")
        if "error" in answer:
            raise BrowserError(f"{method}: {answer['error']}")
        return answer["result"]

    def page(self, url, permissions=(), name=""):
        """Opens a page in a context of its own and waits until its scripts have run. `name`: by which story() tells of it."""
        context = self.ask("Target.createBrowserContext")["browserContextId"]
        self.ask("Browser.grantPermissions", browserContextId=context, permissions=list(permissions))
        target = self.ask("Target.createTarget", url="about:blank", browserContextId=context)["targetId"]
        session = self.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        page = Page(self, session)
        self.pages.append((name or url, session))
        for domain in ("Runtime", "Log", "Page"):
            page.ask(f"{domain}.enable")
        page.open(url)
        return page

    def story(self, lines=150):
        """What the pages wrote to their consoles, the last lines of each."""
        with self.news:
            return "\n".join(f"--- {name}\n" + "\n".join(self.said.get(session, [])[-lines:]) for name, session in self.pages)

    def end(self):
        try:
            self.ask("Browser.close", seconds=5)
            self.process.wait(5)
        except (BrowserError, subprocess.TimeoutExpired):
            self.process.kill()
            self.process.wait()
        self.reader.join(5)


class Page:
    """One page."""

    def __init__(self, browser, session):
        self.browser, self.session = browser, session

    def ask(self, method, **parameters):
        return self.browser.ask(method, session=self.session, **parameters)

    def open(self, url, seconds=30):
        """Leaves what it shows and opens another page, or the same one anew; waits until its scripts have run."""
        self.evaluate("window.isLeft = true")
        self.ask("Page.navigate", url=url)
        deadline = time.monotonic() + seconds
        while not self._is_open():
            assert time.monotonic() < deadline, f"{url} is not there after {seconds} s"
            time.sleep(0.05)

    def _is_open(self):
        try:
            return self.evaluate("!window.isLeft && document.readyState === 'complete'")
        except BrowserError:  # what was asked went away with the page that was left
            return False

    def evaluate(self, expression):
        """The value of an expression, or of the promise that it is."""
        result = self.ask("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in result:
            details = result["exceptionDetails"]
            raise BrowserError(f"{expression[:200]}: {details.get('exception', {}).get('description', details['text'])}")
        return result["result"].get("value")

    def call(self, function, *arguments):
        """Calls a function of the page with values that JSON can carry."""
        return self.evaluate(f"{function}({', '.join(map(json.dumps, arguments))})")

    def said(self, pattern, seconds=5):
        """The last line of its console that matches, once there is one."""
        deadline = time.monotonic() + seconds
        while True:
            with self.browser.news:
                lines = [line for line in self.browser.said.get(self.session, []) if re.search(pattern, line)]
            if lines:
                return lines[-1]
            assert time.monotonic() < deadline, f"the page did not say {pattern}"
            time.sleep(0.05)
