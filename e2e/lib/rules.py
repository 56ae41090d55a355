"""Runs many small checks at once against running servers and prints one line for each."""

import os
import re
import sys
import threading
import time
import traceback
from concurrent.futures import ThreadPoolExecutor

from phone import Phone

RULES = []
TRUSTED = "127.200.0.1"   # the servers' configuration trusts 127.200.0.0/16


def rule(text):
    """Declares a check. `text` names the rule and its source."""
    def keep(function):
        RULES.append((text, function))
        return function
    return keep


def check(condition, text):
    """Fails the rule with what was seen."""
    assert condition, text


class World:
    """What a rule may use: servers by name, users nobody else uses, addresses nobody else sends from."""

    def __init__(self, servers, users):
        self.servers = servers
        self.users = iter(users)
        self.hosts = iter(range(1, 60000))
        self.lock = threading.Lock()

    def user(self):
        with self.lock:
            return next(self.users)

    def host(self):
        with self.lock:
            number = next(self.hosts)
        return f"127.{10 + number // 250}.0.{number % 250 + 1}"


class Case:
    """One run of a rule: makes phones, and closes them afterwards."""

    def __init__(self, world):
        self.world = world
        self.open = []

    def server(self, name="main"):
        return self.world.servers[name]

    def keep(self, thing):
        self.open.append(thing)
        return thing

    def phone(self, server="main", transport="udp", host="127.0.0.1", **more):
        """A phone of a user of its own, not registered."""
        user, password = self.world.user()
        return self.keep(Phone(self.server(server), user, password, host=host, transport=transport, **more))

    def registered(self, *arguments, **more):
        phone = self.phone(*arguments, **more)
        phone.register_ok()
        return phone

    def pair(self, **more):
        return self.registered(**more), self.registered(**more)

    def stranger(self, server="main", transport="udp", host="127.0.0.1", user="visitor"):
        """A phone of a foreign domain without credentials."""
        return self.keep(Phone(self.server(server), user, "", host=host, transport=transport, domain="example.org"))

    def peer(self, server="main", transport="udp", user="peer"):
        """A phone at a trusted address."""
        return self.keep(Phone(self.server(server), user, "", host=TRUSTED, transport=transport, domain="example.org"))

    def again(self, phone):
        """A second phone of the same user."""
        return self.keep(Phone(phone.server, phone.user, phone.password, host=phone.link.host))

    def close(self):
        for thing in self.open:
            thing.close()


def run_one(world, text, function):
    case = Case(world)
    began = time.monotonic()
    problem = ""
    try:
        function(case)
    except AssertionError as error:
        place = traceback.extract_tb(error.__traceback__)
        line = next((f"{frame.name}:{frame.lineno}" for frame in place if frame.name == function.__name__), "")
        problem = f"{error} ({line})"
    except Exception:  # a broken check is a failed check, told with its trace
        problem = traceback.format_exc()
    finally:
        case.close()
    return text, problem, time.monotonic() - began


def run_rules(world, without=(), threads=12):
    """Runs all rules (those that match the first argument, when there is one). Gives the number of failures."""
    wanted = [(text, function) for text, function in RULES if function.__name__ not in without
              if len(sys.argv) < 2 or re.search(sys.argv[1], text + " " + function.__name__)]
    failed = []
    with ThreadPoolExecutor(threads) as pool:
        for text, problem, took in pool.map(lambda entry: run_one(world, *entry), wanted):
            mark = "not ok" if problem else "ok    "
            print(f"{mark} {text} ({took:.1f} s)" if took > 1 or os.environ.get("TIMES") else f"{mark} {text}", flush=True)
            if problem:
                failed.append((text, problem))
    for text, problem in failed:
        print(f"\nFAILED {text}\n    " + problem.strip().replace("\n", "\n    "))
    print(f"\n{len(wanted) - len(failed)} of {len(wanted)} rules hold")
    return len(failed)
