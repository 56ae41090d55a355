"""Runs a proof in network and mount namespaces of its own: no port is taken there, small disks can be mounted."""

import os
import subprocess
import sys

MARK = "SIGNALBOX_E2E_ISOLATED"


def isolate():
    """Starts this script again inside fresh namespaces; there, brings the loopback up. A machine that cannot do this fails the proof."""
    if os.environ.get(MARK) != "1":
        os.environ[MARK] = "1"
        options = ["--net", "--mount"] + ([] if os.geteuid() == 0 else ["--map-root-user"])
        os.execvp("unshare", ["unshare", *options, sys.executable, *sys.argv])
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)


def small_disk(folder, size):
    """Mounts a file system of that size in memory at `folder`."""
    os.makedirs(folder, exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder], check=True)
