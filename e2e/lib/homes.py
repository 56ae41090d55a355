"""Homes with phones behind routers of every kind, and a server in the public network."""

from networks import PublicNetwork, Router
from phone import Phone
from server import Server

SERVER, OUTSIDE = "203.0.113.1", "203.0.113.2"
PRIVATE = "192.168.1.10"  # of every phone at home


class Home:
    """A router with the network of one phone below it, and the public address that others see."""

    def __init__(self, name, router, address):
        self.name, self.router, self.address = name, router, address
        self.network = router.phone_network(PRIVATE)


class World:
    """The public network with the server, and the homes. `left` and `right` have the same private address and one public one."""

    def __init__(self):
        self.public = PublicNetwork(SERVER, OUTSIDE)
        self.carrier = Router("restricted", self.public, "203.0.113.40")
        self.homes = [Home(kind, Router(kind, self.public, address), address)
                      for kind, address in (("open", "203.0.113.10"), ("restricted", "203.0.113.20"), ("symmetric", "203.0.113.30"))]
        self.homes += [Home(name, Router("restricted", self.carrier, address), "203.0.113.40")
                       for name, address in (("left", "100.64.0.12"), ("right", "100.64.0.13"))]
        self.users = {}
        self.server = Server(5060, [(f"user{number}", f"secret{number}") for number in range(60)], host=SERVER,
                             more={"tls": (5061, ""), "ws": (5080, "")})
        self.base = self.server.text
        self.server.start()
        self.phones = []

    def set_up(self, settings):
        """The configuration with these settings, from now on."""
        before = len(self.server.output())
        self.server.write_config(self.base + settings)
        self.server.hang_up()
        assert self.server.wait_output("config_loaded", after=before), self.server.output()[before:]

    def home(self, name):
        return next(home for home in self.homes if home.name == name)

    def phone(self, home, transport="udp", port=5060, user=None):
        """A phone in that home, as another user than all before it unless it is told as whom."""
        user = user or f"user{len(self.users)}"
        self.users[user] = True
        with home.network:
            phone = Phone(self.server, user, user.replace("user", "secret"), host=PRIVATE, transport=transport, port=port if transport == "udp" else 0)
        self.phones.append(phone)
        return phone

    def outsider(self):
        """A phone with a public address, registered."""
        user = f"user{len(self.users)}"
        self.users[user] = True
        phone = Phone(self.server, user, user.replace("user", "secret"), host=OUTSIDE)
        phone.register_ok()
        self.phones.append(phone)
        return phone

    def bindings(self, phone):
        """What the server knows of the phone's user: the sources of the bindings."""
        return [contact["source"] for entry in self.server.registrations() if phone.user in entry["aor"] for contact in entry["contacts"]]

    def hang_all_up(self):
        for phone in self.phones:
            phone.close()
        self.phones.clear()

    def close(self):
        self.hang_all_up()
        self.server.close()
