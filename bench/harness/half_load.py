"""Half load: both servers get half of the calls that saturate Kamailio, and their latencies are compared."""

import statistics

from harness import rounds, servers


def rate(scenario, usable, options):
    """Half of what Kamailio does in closed loop, as measured now, operations a second."""
    kamailio = next((server for server in usable if server.name == "kamailio"), None)
    if kamailio is None:
        raise servers.Unavailable("Half load is half of Kamailio's saturation, and Kamailio cannot run here.")
    outcomes = [rounds.measure(kamailio, scenario, options) for _ in range(min(options.rounds, 3))]
    for outcome in outcomes:
        if "void" in outcome:
            raise servers.Unavailable("Kamailio's saturation was not measured: " + outcome["void"])
    saturation = statistics.median(outcome["measured"] / outcome["seconds"] for outcome in outcomes)
    print(f"  {scenario.name}: Kamailio's saturation is {saturation:.0f} a second; both get {saturation / 2:.0f}.", flush=True)
    return round(saturation / 2, 1)


def holds(row):
    """Says how the latencies compare. True when Signalbox's p99 is no worse than Kamailio's."""
    ours, theirs = row.summary("signalbox"), row.summary("kamailio")
    if ours is None or theirs is None:
        return False
    is_no_worse = ours["latency_p99_us"] <= theirs["latency_p99_us"]
    for name in ("p50", "p99"):
        first, second = ours[f"latency_{name}_us"], theirs[f"latency_{name}_us"]
        print(f"{row.name}, {name} of the set-up: Signalbox {first:.0f} us, Kamailio {second:.0f} us, {second / first:.2f} x")
    print(f"{'ok  ' if is_no_worse else 'MISS'} p99 no worse than Kamailio's")
    return is_no_worse
