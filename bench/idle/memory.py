"""How much memory a server holds: its own, process by process without what they share, and the kernel's for its sockets."""

import pathlib
import time

PAGE_BYTES = 4096


def process_tree(root):
    """The process and all its descendants."""
    children = {}
    for stat in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        children.setdefault(int(fields[1]), []).append(int(stat.parent.name))
    found, waiting = [], [root]
    while waiting:
        found.append(waiting.pop())
        waiting += children.get(found[-1], [])
    return found


def held_bytes(root):
    """Resident octets of the process tree; what several processes share counts once. Files that are mapped count apart."""
    own = files = 0
    for process in process_tree(root):
        try:
            lines = pathlib.Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()[1:]
        except OSError:
            continue
        sizes = {line.split(":")[0]: int(line.split()[1]) * 1024 for line in lines}
        own += sizes["Pss_Anon"] + sizes["Pss_Shmem"]
        files += sizes["Pss_File"]
    return own, files


def settled_bytes(root, seconds_max=20):
    """held_bytes() once it has stopped to change: a server may tidy up behind a burst."""
    deadline = time.monotonic() + seconds_max
    last = held_bytes(root)
    while time.monotonic() < deadline:
        time.sleep(1)
        now = held_bytes(root)
        if abs(now[0] - last[0]) < 64 * 1024:
            return now
        last = now
    return last


def kernel_bytes():
    """Octets of the kernel's memory for all sockets of the machine: their objects (slab) and their buffers."""
    total = 0
    for line in pathlib.Path("/proc/slabinfo").read_text().splitlines()[2:]:
        fields = line.split()
        if fields[0] in ("TCP", "sock_inode_cache", "eventpoll_epi", "eventpoll_pwq", "filp", "dentry"):
            total += int(fields[1]) * int(fields[3])
    for line in pathlib.Path("/proc/net/sockstat").read_text().splitlines():
        fields = line.split()
        if fields[0] == "TCP:":
            total += int(fields[fields.index("mem") + 1]) * PAGE_BYTES
    return total
