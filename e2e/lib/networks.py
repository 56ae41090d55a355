"""Networks of a proof: namespaces joined by cables, and routers between them that translate addresses as those of homes and carriers do."""

import ctypes
import os
import subprocess
from pathlib import Path

CLONE_NEWNET = 0x40000000
LIBC = ctypes.CDLL(None, use_errno=True)

# What a router does to the packets that leave by "out". What it does not know, it does not let in, and says nothing.
RULES = """
flush ruleset
table ip nat {{
    chain leaving {{
        type nat hook postrouting priority 100
        oifname "out" {source}
    }}
    chain arriving {{
        type nat hook prerouting priority -100
        {forwarded}
    }}
}}
table ip filter {{
    chain input {{
        type filter hook input priority 0
        iifname "out" ct state {{ new, invalid }} drop
    }}
    chain forward {{
        type filter hook forward priority 0
        iifname "out" ct status dnat accept
        iifname "out" ct state {{ new, invalid }} drop
    }}
}}
"""


def must(result, what):
    if result != 0:
        raise OSError(ctypes.get_errno(), what)


class Network:
    """A network namespace. Inside `with`, sockets and processes are made in it, and stay in it afterwards. It lives as long as this object."""

    def __init__(self):
        self.outside = []
        with self.entered_anew():
            self.run("ip", "link", "set", "lo", "up")

    def entered_anew(self):
        here = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        must(LIBC.unshare(CLONE_NEWNET), "a network namespace")
        self.file = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        must(LIBC.setns(here, CLONE_NEWNET), "the way back")
        os.close(here)
        return self

    def __enter__(self):
        self.outside.append(os.open("/proc/thread-self/ns/net", os.O_RDONLY))
        must(LIBC.setns(self.file, CLONE_NEWNET), "another network namespace")
        return self

    def __exit__(self, *error):
        outside = self.outside.pop()
        must(LIBC.setns(outside, CLONE_NEWNET), "the way back")
        os.close(outside)

    def run(self, *command, text=None):
        with self:
            result = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
        assert result.returncode == 0, f"{' '.join(command)}: {result.stderr or result.stdout}{text or ''}"
        return result.stdout

    def batch(self, *lines):
        """Commands of ip, in one process."""
        self.run("ip", "-batch", "-", text="\n".join(lines) + "\n")

    def set(self, name, value):
        """A value below /proc/sys/net."""
        with self:
            Path("/proc/sys/net", name).write_text(str(value), encoding="ascii")

    @property
    def path(self):
        return f"/proc/{os.getpid()}/fd/{self.file}"


class PublicNetwork:
    """The namespace in which the proof runs: a switch with the server's and other public addresses on it."""

    def __init__(self, *addresses):
        lines = ["link add public type bridge", "link set public up"] + [f"addr add {address}/24 dev public" for address in addresses]
        subprocess.run(["ip", "-batch", "-"], input="\n".join(lines) + "\n", text=True, check=True)
        self.cables = 0

    def connect(self, router, address):
        self.cables += 1
        port = f"port{self.cables}"
        lines = [f"link add {port} type veth peer name out netns {router.path}", f"link set {port} master public", f"link set {port} up"]
        subprocess.run(["ip", "-batch", "-"], input="\n".join(lines) + "\n", text=True, check=True)
        router.batch(f"addr add {address}/24 dev out", "link set out up")


class Router(Network):
    """A router whose `address` is all that the network above it sees. Kinds, by what RFC 4787 calls mapping and filtering:
    "open" has one port for each phone, at which anybody reaches it; "restricted" has one too, at which only those reach it that were
    written to; "symmetric" takes another port for each destination."""

    SOURCES = {"open": "masquerade", "restricted": "masquerade", "symmetric": "masquerade fully-random"}

    def __init__(self, kind, above, address):
        super().__init__()
        self.kind, self.address = kind, address
        self.forwarded = ""
        self.inside = 0
        self.rebound = 0
        self.set("ipv4/ip_forward", 1)
        above.connect(self, address)
        self.translate()

    def translate(self, source=None):
        self.run("nft", "-f", "-", text=RULES.format(source=source or self.SOURCES[self.kind], forwarded=self.forwarded))

    def connect(self, other, address):
        """A cable to another router or a phone below, whose address is `address`; ours is the first one of its network."""
        self.inside += 1
        own = f"in{self.inside}"
        first = address.rsplit(".", 1)[0] + f".{self.inside if isinstance(other, Router) else 1}"
        self.batch(f"link add {own} type veth peer name out netns {other.path}", f"addr add {first} peer {address} dev {own}",
                   f"link set {own} up")
        other.batch(f"addr add {address} peer {first} dev out", "link set out up", f"route add default via {first}")

    def phone_network(self, address="192.168.1.10"):
        """The network of a phone at `address` below this router."""
        inner = Network()
        self.connect(inner, address)
        if self.kind == "open":
            self.forwarded = f'iifname "out" udp dport 5060-5069 dnat to {address}'
            self.translate()
        return inner

    def rebind(self):
        """What a router forgets when it starts anew: all its ports. Those that it gives out afterwards are others."""
        self.rebound += 1
        first = 20000 + 1000 * self.rebound
        if self.kind != "symmetric":
            self.translate(f"meta l4proto {{ tcp, udp }} masquerade to :{first}-{first + 999}")
        self.run("conntrack", "-F")

    def cut_off(self, is_off):
        """Nothing passes, and nobody is told."""
        self.batch(f"link set out {'down' if is_off else 'up'}")

    def forget_after(self, seconds):
        """How long the way of a silent phone is kept."""
        for name in ("udp_timeout", "udp_timeout_stream", "tcp_timeout_established"):
            self.set(f"netfilter/nf_conntrack_{name}", seconds)
