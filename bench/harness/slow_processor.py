"""Makes a process slow on purpose: it gets a share of its processor and no more, by the kernel's bandwidth control."""

import os
import pathlib

from harness import servers

ROOT = pathlib.Path("/sys/fs/cgroup")
# The server works for one period's quota and then rests: a period well below the delay at which it refuses.
PERIOD_US = 10_000
QUOTA_US_MIN = 1_000


class SlowProcessor:
    """A control group with a quota. close() removes it when its processes have ended."""

    def __init__(self, share):
        self.quota_us = max(int(PERIOD_US * share), QUOTA_US_MIN)
        name = f"signalbox-bench-{os.getpid()}"
        try:
            if (ROOT / "cpu" / "cpu.cfs_quota_us").exists():
                self.folder = ROOT / "cpu" / name
                self.folder.mkdir()
                (self.folder / "cpu.cfs_period_us").write_text(str(PERIOD_US))
                (self.folder / "cpu.cfs_quota_us").write_text(str(self.quota_us))
            else:
                self.folder = ROOT / name
                self.folder.mkdir()
                (self.folder / "cpu.max").write_text(f"{self.quota_us} {PERIOD_US}")
        except OSError as error:
            raise servers.Unavailable(
                f"No control group with a processor quota can be made here ({error}). Run it as root, or with "
                "--share 1 on a machine whose load program is faster than the server.") from error

    def add(self, pid):
        """Takes the process, and every process and thread that it will start."""
        (self.folder / "cgroup.procs").write_text(str(pid))

    def close(self):
        try:
            self.folder.rmdir()
        except OSError:
            pass
