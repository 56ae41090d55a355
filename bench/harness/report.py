"""Tells the outcome of bench/compare: a table for a reader and JSON for later comparison."""

import datetime
import json
import os
import pathlib
import platform
import subprocess

from harness import rounds, servers

HEADINGS = ("operation", "server", "us/op", "low", "high", "op/s", "busy", "p50 us", "p99 us", "repeats",
            "x kamailio", "x floor")


def table(rows, names):
    """The rows as aligned text, one line for each server of each operation, and the notes below."""
    lines = [HEADINGS]
    notes = []
    for row in rows:
        for name in names:
            lines.append(line_of(row, name))
            notes += notes_of(row, name)
    widths = [max(len(line[column]) for line in lines) for column in range(len(HEADINGS))]
    text = []
    for line in lines:
        cells = [cell.ljust(width) if column < 2 else cell.rjust(width)
                 for column, (cell, width) in enumerate(zip(line, widths))]
        text.append("  ".join(cells).rstrip())
    text.insert(1, "-" * len(text[0]))
    text += notes
    idle = [f"{row.scenario} {name}" for row in rows for name in names if is_idle(row, name)]
    if idle:
        text.append(f"  The server had less than {rounds.BUSY_SHARE_MIN:.0%} of its processor in: {', '.join(idle)}. The load "
                    "did not saturate it, or other programs ran beside it.")
    return "\n".join(text)


def is_idle(row, name):
    summary = row.summary(name)
    return summary is not None and summary["busy_share"] < rounds.BUSY_SHARE_MIN


def line_of(row, name):
    summary = row.summary(name)
    if summary is None:
        state = "VOID" if row.voids(name) else "absent"
        return (row.scenario, name, state) + ("",) * (len(HEADINGS) - 3)
    return (row.scenario, name, f"{summary['median_us']:.1f}", f"{summary['low_us']:.1f}",
            f"{summary['high_us']:.1f}", f"{summary['per_second']:.0f}", f"{summary['busy_share']:.0%}",
            f"{summary['latency_p50_us']:.0f}", f"{summary['latency_p99_us']:.0f}",
            str(summary["retransmissions"]),
            factor(row.ratio("kamailio", name)) if name == "signalbox" else "",
            factor(row.ratio(name, "floor")) if name != "floor" else "")


def factor(ratio):
    """How often the second cost fits into the first; Kamailio over Signalbox above 1 means that we are cheaper."""
    return "" if ratio is None else f"{ratio['median']:.2f}"


def notes_of(row, name):
    return [f"  {row.scenario}, {name}: void, {why}" for why in sorted(set(row.voids(name)))]


def machine():
    model = "unknown"
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.split(":", 1)[1].strip()
            break
    return {"processor": model, "processors": os.cpu_count(), "kernel": platform.release(),
            "load_average": os.getloadavg()}


def commit():
    result = subprocess.run(["git", "-C", servers.ROOT, "rev-parse", "HEAD"], capture_output=True, text=True)
    return result.stdout.strip() or "unknown"


def write_json(rows, names, versions, options, before):
    """Writes everything that was measured. Returns the path."""
    document = {
        "time": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        "commit": commit(),
        "machine_before": before,
        "machine_after": machine(),
        "versions": versions,
        "options": {"rounds": options.rounds, "warmup_s": options.warmup, "duration_s": options.duration,
                    "window": options.window, "rate": options.rate, "users": options.users},
        "rows": [{
            "scenario": row.scenario,
            "summary": {name: row.summary(name) for name in names},
            "void": {name: row.voids(name) for name in names if row.voids(name)},
            "kamailio_over_signalbox": row.ratio("kamailio", "signalbox"),
            "signalbox_over_floor": row.ratio("signalbox", "floor"),
            "kamailio_over_floor": row.ratio("kamailio", "floor"),
            "rounds": row.reports,
        } for row in rows],
    }
    folder = servers.ROOT / "bench" / "results"
    folder.mkdir(parents=True, exist_ok=True)
    stamp = datetime.datetime.now().strftime("%Y%m%d-%H%M%S")
    path = folder / f"compare-{stamp}.json"
    text = json.dumps(document, indent=1)
    path.write_text(text)
    (folder / "latest.json").write_text(text)
    return path
