"""Tells the outcome of bench/compare: a table for a reader, in plain text or Markdown, and JSON for later comparison."""

import datetime
import json
import os
import pathlib
import platform
import subprocess

from harness import rounds, scenarios, servers

HEADINGS = ("operation", "server", "us/op", "low", "high", "op/cpu-s", "op/s", "busy", "p50 us", "p99 us", "repeats",
            "x kamailio", "goal", "x floor", "expected")
NAME_COLUMNS = 2


def table(rows, names, is_open_loop):
    """The rows as aligned text, one line for each server of each operation, and the notes below."""
    lines = [HEADINGS] + cells_of(rows, names, is_open_loop)
    widths = [max(len(line[column]) for line in lines) for column in range(len(HEADINGS))]
    text = []
    for line in lines:
        cells = [cell.ljust(width) if column < NAME_COLUMNS else cell.rjust(width)
                 for column, (cell, width) in enumerate(zip(line, widths))]
        text.append("  ".join(cells).rstrip())
    text.insert(1, "-" * len(text[0]))
    return "\n".join(text + ["  " + note for note in notes(rows, names, is_open_loop)])


def markdown(rows, names, is_open_loop, document):
    """The same for bench/README.md, with what it was measured on."""
    options = document["options"]
    machine_then = document["machine_before"]
    versions = ", ".join(f"{name} {version}" for name, version in document["versions"].items() if version)
    text = [f"{document['time'][:10]}, commit {document['commit'][:10]}, {machine_then['processor']} with "
            f"{machine_then['processors']} processors, Linux {machine_then['kernel']}, load average before "
            f"{machine_then['load_average'][0]:.1f}; {versions}; over {options['transport'].upper()}, {options['rounds']} rounds "
            f"of {options['duration_s']:g} s after {options['warmup_s']:g} s.", ""]
    text.append("| " + " | ".join(HEADINGS) + " |")
    text.append("|" + "---|" * NAME_COLUMNS + "--:|" * (len(HEADINGS) - NAME_COLUMNS))
    text += ["| " + " | ".join(line) + " |" for line in cells_of(rows, names, is_open_loop)]
    found = notes(rows, names, is_open_loop)
    return "\n".join(text + ([""] + ["- " + note for note in found] if found else []))


def cells_of(rows, names, is_open_loop):
    return [line_of(row, name, is_open_loop) for row in rows for name in names if name in row.reports]


def line_of(row, name, is_open_loop):
    summary = row.summary(name)
    if summary is None:
        return (row.name, name, "VOID") + ("",) * (len(HEADINGS) - NAME_COLUMNS - 1)
    is_ours = name == "signalbox"
    # The goals and the expectations were stated for datagrams at saturation.
    is_stated = not is_open_loop and is_on_datagrams(row)
    return (row.name, name, f"{summary['median_us']:.1f}", f"{summary['low_us']:.1f}", f"{summary['high_us']:.1f}",
            f"{summary['per_cpu_second']:.0f}", f"{summary['per_second']:.0f}", f"{summary['busy_share']:.0%}",
            f"{summary['latency_p50_us']:.0f}", f"{summary['latency_p99_us']:.0f}", str(summary["retransmissions"]),
            factor(row.ratio("kamailio", name)) if is_ours else "",
            f"{row.scenario.goal:.1f}" if is_ours and is_stated else "",
            factor(row.ratio(name, "floor")) if name != "floor" else "",
            f"{row.scenario.kamailio_over_floor:.2f}" if name == "kamailio" and is_stated and row.ratio(name, "floor") else "")


def is_on_datagrams(row):
    return all(report.get("transport", "udp") == "udp" for reports in row.reports.values() for report in reports)


def factor(ratio):
    """How often the second cost fits into the first; Kamailio over Signalbox above 1 means that we are cheaper."""
    return "" if ratio is None else f"{ratio['median']:.2f}"


def notes(rows, names, is_open_loop):
    found = [f"{row.name}, {name}: void, {why}" for row in rows for name in names for why in sorted(set(row.voids(name)))]
    if not is_open_loop:
        found += [text for text in map(drift_of, rows) if text]
    idle = [f"{row.name} {name}" for row in rows for name in names if is_idle(row, name)]
    if idle and not is_open_loop:
        found.append(f"The server had less than {rounds.BUSY_SHARE_MIN:.0%} of its processor in: {', '.join(idle)}. The load did "
                     "not saturate it, or other programs ran beside it.")
    return found


def drift(row):
    """How far Kamailio's ratio to the floor is from the stated one, as a share of that; nothing when it is not known."""
    ratio = row.ratio("kamailio", "floor")
    expected = row.scenario.kamailio_over_floor
    return ratio["median"] / expected - 1 if ratio and expected else None


def drift_of(row):
    share = drift(row)
    if share is None or abs(share) <= scenarios.DRIFT_MAX:
        return ""
    return (f"{row.name}: Kamailio's ratio to the floor is {share:+.0%} from the stated {row.scenario.kamailio_over_floor:.2f}, more "
            f"than {scenarios.DRIFT_MAX:.0%}; the goal was set where the stated one holds.")


def is_idle(row, name):
    summary = row.summary(name)
    return summary is not None and summary["busy_share"] < rounds.BUSY_SHARE_MIN


def machine():
    model = "unknown"
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.split(":", 1)[1].strip()
            break
    return {"processor": model, "processors": os.cpu_count(), "kernel": platform.release().split("-")[0],
            "load_average": os.getloadavg()}


def commit():
    result = subprocess.run(["git", "-C", servers.ROOT, "rev-parse", "HEAD"], capture_output=True, text=True)
    return result.stdout.strip() or "unknown"


def document_of(rows, names, versions, options, before):
    """Everything that was measured."""
    return {
        "time": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        "commit": commit(),
        "machine_before": before,
        "machine_after": machine(),
        "versions": versions,
        "servers": names,
        "options": {"transport": options.transport, "rounds": options.rounds, "warmup_s": options.warmup,
                    "duration_s": options.duration, "window": options.window, "rate": options.rate,
                    "connections": options.connections, "kamailio_workers": options.kamailio_workers,
                    "kamailio_script": options.kamailio_script, "is_half_load": options.half_load},
        "rows": [{
            "scenario": row.name,
            "users": row.scenario.users or options.users,
            "summary": {name: row.summary(name) for name in names},
            "void": {name: row.voids(name) for name in names if row.voids(name)},
            "kamailio_over_signalbox": row.ratio("kamailio", "signalbox"),
            "signalbox_over_floor": row.ratio("signalbox", "floor"),
            "kamailio_over_floor": row.ratio("kamailio", "floor"),
            "kamailio_over_floor_stated": row.scenario.kamailio_over_floor,
            "goal": row.scenario.goal,
            "rounds": row.reports,
        } for row in rows],
    }


def rows_of(document):
    """The rows that write_json() wrote."""
    rows = []
    for stored in document["rows"]:
        row = rounds.Row(scenarios.BY_NAME[stored["scenario"]])
        row.reports = stored["rounds"]
        rows.append(row)
    return rows


def write_json(document):
    """Keeps it under its time and as the latest. Returns the path."""
    folder = servers.ROOT / "bench" / "results"
    folder.mkdir(parents=True, exist_ok=True)
    stamp = datetime.datetime.now().strftime("%Y%m%d-%H%M%S")
    path = folder / f"compare-{stamp}.json"
    text = json.dumps(document, indent=1)
    path.write_text(text)
    (folder / "latest.json").write_text(text)
    return path
