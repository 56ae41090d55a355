"""Runs the load against one server and gathers what the rounds of a row gave."""

import json
import statistics
import subprocess

from harness import servers

# Below this share of its processor a closed loop did not saturate the server, and the figure is one of medium load.
BUSY_SHARE_MIN = 0.85
# Operations that may be outstanding in open loop: a queue as long as this is a fault of the server.
OPEN_WINDOW = 8192


def measure(server, scenario, options, rate=0):
    """One run with a fresh server, in closed loop or at a rate. Returns the load's report; a report without figures says why in "void"."""
    settings = server.settings
    settings.users = scenario.users or options.users
    report_path = settings.work / "report.json"
    report_path.unlink(missing_ok=True)
    load = None
    try:
        server.start(scenario.name)
        command = [settings.programs / "signalbox-load", "--scenario", scenario.load, "--kind", server.kind(scenario),
                   "--transport", settings.transport, "--connections", options.connections,
                   "--server", f"127.0.0.1:{settings.port}",
                   "--caller", f"127.0.0.1:{settings.caller_port}",
                   "--callee", f"127.0.0.1:{settings.callee_port}",
                   "--users", settings.users,
                   "--window", min(OPEN_WINDOW, settings.users) if rate else options.window,
                   "--warmup", options.warmup, "--duration", options.duration,
                   "--failures-max", 100, "--server-pid", server.process.pid, "--json", report_path]
        if rate:
            command += ["--rate", rate]
        load = subprocess.Popen(servers.pinned(settings.load_cpu, command), stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        output, _ = load.communicate(timeout=options.warmup + options.duration + 150)
        if not report_path.exists():
            return {"void": "the load gave no report: " + output.strip()[-300:]}
        report = json.loads(report_path.read_text())
        why = why_void(report, load.returncode, server)
        if why:
            report["void"] = why
        return report
    except servers.Unavailable as error:
        return {"void": str(error)}
    except subprocess.TimeoutExpired:
        return {"void": "the load did not end in time."}
    finally:
        if load is not None and load.poll() is None:
            load.kill()
            load.wait()
        server.stop()


def why_void(report, status, server):
    """The reason for which a run does not count, or an empty text."""
    if server.process.poll() is not None:
        return f"{server.name} ended during the run: {server.last_output()}"
    if report["clean"] and status == 0 and report["measured"] > 0:
        return ""
    broken = {rule: count for rule, count in report["violations"].items() if count}
    parts = [f"{count} × {rule}" for rule, count in broken.items()]
    parts += [f"{report[key]} {key}" for key in ("failed", "timeouts", "overruns") if report[key]]
    return ", ".join(parts) or "nothing was completed"


class Row:
    """The rounds of one scenario: for each server a list of reports in the order of the rounds."""

    def __init__(self, scenario):
        self.scenario = scenario
        self.reports = {}

    @property
    def name(self):
        return self.scenario.name

    def add(self, name, report):
        self.reports.setdefault(name, []).append(report)

    def voids(self, name):
        return [report["void"] for report in self.reports.get(name, []) if "void" in report]

    def costs(self, name):
        """Processor microseconds an operation, round by round; empty when a round was void."""
        if self.voids(name):
            return []
        return [report["server_cpu_us_per_operation"] for report in self.reports.get(name, [])]

    def summary(self, name):
        costs = self.costs(name)
        if not costs:
            return None
        reports = self.reports[name]
        busy = [report["server_cpu_us"] / (report["seconds"] * 1e6) for report in reports]
        latency = "setup_us" if reports[0]["setup_us"]["count"] else "operation_us"
        return {
            "median_us": statistics.median(costs),
            "low_us": min(costs),
            "high_us": max(costs),
            "per_cpu_second": 1e6 / statistics.median(costs),
            "busy_share": statistics.median(busy),
            "per_second": statistics.median(r["measured"] / r["seconds"] for r in reports),
            "latency_p50_us": statistics.median(r[latency]["p50"] for r in reports),
            "latency_p99_us": statistics.median(r[latency]["p99"] for r in reports),
            "retransmissions": sum(
                r["retransmissions_sent"] + r["retransmissions_received"] for r in reports),
        }

    def ratio(self, dividend, divisor):
        """The median of the ratios of paired rounds, with the lowest and the highest."""
        pairs = list(zip(self.costs(dividend), self.costs(divisor)))
        ratios = [above / below for above, below in pairs if below > 0]
        if not ratios:
            return None
        return {"median": statistics.median(ratios), "low": min(ratios), "high": max(ratios)}
