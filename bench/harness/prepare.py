"""What the scripts of the benchmark do before they measure: build the programs, choose the processors."""

import os
import shutil
import subprocess

from harness import servers


def build_programs():
    """Builds the load and the forwarder."""
    build_targets("the load program", "signalbox-load", "signalbox-forwarder")


def build_operations():
    """Builds the program whose instructions are counted."""
    build_targets("the operations", "signalbox-operations")


def build_targets(what, *targets):
    folder = servers.ROOT / "build" / "bench"
    generator = ["-G", "Ninja"] if shutil.which("ninja") else []
    run_step(what, ["cmake", "-S", servers.ROOT, "-B", folder, *generator, "-DCMAKE_BUILD_TYPE=Release",
                    "-DSIGNALBOX_BENCH=ON", "-DSIGNALBOX_TESTS=OFF"])
    run_step(what, ["cmake", "--build", folder, "-j", str(os.cpu_count()), "--target", *targets])


def build_signalbox():
    """Builds the server by the project's own command, or by CMake where that command is missing."""
    run = servers.ROOT / "run"
    if run.exists():
        return run_step("Signalbox", [run, "--build"])
    folder = servers.ROOT / "build" / "release"
    run_step("Signalbox", ["cmake", "-S", servers.ROOT, "-B", folder, "-DCMAKE_BUILD_TYPE=Release",
                           "-DSIGNALBOX_TESTS=OFF"])
    run_step("Signalbox", ["cmake", "--build", folder, "-j", str(os.cpu_count()), "--target", "signalbox"])


def run_step(what, command):
    """Runs a step of the build in silence; raises Unavailable with its last lines when it fails."""
    result = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    if result.returncode != 0:
        lines = (result.stdout + result.stderr).strip().splitlines()[-8:]
        raise servers.Unavailable(f"Building {what} failed:\n  " + "\n  ".join(lines))


def choose_processors():
    """One processor for the server, another for the load; none is pinned where there is only one."""
    available = sorted(os.sched_getaffinity(0))
    if len(available) < 2 or shutil.which("taskset") is None:
        print("Server and load share their processors: the figures are worth little.", flush=True)
        return None, None
    return available[0], available[1]
