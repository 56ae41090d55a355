"""What bench/compare measures: one operation a row, with what each server is told and what is expected of Kamailio."""

import dataclasses

REGISTERED_STREAMS = ("tcp", "tls", "ws", "wss")


@dataclasses.dataclass(frozen=True)
class Scenario:
    """One row of the table."""

    name: str
    load: str  # the scenario of the load program
    kamailio: str = ""  # its configuration; empty: that of `load`
    kind: str = "stateful"  # what the load expects of Kamailio and of Signalbox
    engine: str = "memory"  # of Signalbox's store
    signalbox: str = ""  # further lines of Signalbox's configuration
    transports: tuple = ("udp",) + REGISTERED_STREAMS
    is_challenged: bool = False
    users: int = 0  # registered, for longer than a short run may take; 0: as many as --users says
    # Kamailio's cost over the floor's where the goals of this project were set: the median of that table.
    kamailio_over_floor: float = 0.0
    # How often Signalbox's cost must fit into Kamailio's.
    goal: float = 0.0

    @property
    def configuration(self):
        return self.kamailio or self.load


ALL = (
    Scenario("call", "call", transports=("udp", "tcp"), kamailio_over_floor=159 / 21, goal=4.4),
    Scenario("call-lookup", "call-lookup", kamailio_over_floor=161 / 21, goal=4.2),
    Scenario("call-lookup-million", "call-lookup", transports=("udp",), users=1_000_000, kamailio_over_floor=194 / 21, goal=4.3),
    Scenario("call-stateless", "call", kamailio="call-stateless", kind="stateless", transports=("udp", "tcp"),
             signalbox='\n[proxy]\nmode = "stateless"\n', kamailio_over_floor=111 / 19, goal=4.1),
    Scenario("options", "options", transports=("udp", "tcp"), kamailio_over_floor=52 / 6.5, goal=4.0),
    Scenario("options-stateless", "options", kamailio="options-stateless", kind="stateless", transports=("udp", "tcp"),
             signalbox='\n[proxy]\nmode = "stateless"\n', kamailio_over_floor=32 / 6.5, goal=3.2),
    Scenario("message", "message", kamailio_over_floor=58 / 6.5, goal=4.1),
    Scenario("register", "register", kamailio_over_floor=22.5 / 3.3, goal=3.2),
    Scenario("register-auth", "register-auth", is_challenged=True, kamailio_over_floor=47 / 6.5, goal=3.3),
    Scenario("register-auth-sha256", "register-auth-sha256", is_challenged=True,
             signalbox='\n[auth]\nalgorithms = ["SHA-256"]\n', kamailio_over_floor=49 / 6.5, goal=3.5),
    # Kamailio keeps no record here: its plain call to a registered user is what Signalbox is held against.
    Scenario("call-lookup-sqlite", "call-lookup", engine="sqlite", kamailio_over_floor=161 / 21, goal=3.2),
)
BY_NAME = {scenario.name: scenario for scenario in ALL}

# Kamailio's ratio to the floor may differ so much from what is expected.
DRIFT_MAX = 0.15


def of_transport(transport):
    return [scenario.name for scenario in ALL if transport in scenario.transports]
