#!/usr/bin/env python3
"""Fails when an include points up, or when the core reaches for what only an adapter may use."""

import re
import sys

from sources import ROOT, files_under, modules_in

# Folders that may use libraries, threads, clocks and sockets; every other folder is core.
ADAPTERS = {"config", "store", "sinks", "script", "numbering", "zones", "io", "media_io", "node", "admin", "sim", "main"}
FORBIDDEN_IN_CORE = {
    "thread", "mutex", "shared_mutex", "atomic", "condition_variable", "future", "semaphore", "latch", "barrier", "stop_token",
    "iostream", "fstream", "random", "locale", "regex", "filesystem", "ranges", "format", "coroutine",
}
LIBRARIES_OF_CORE = re.compile(r"tl/expected\.hpp|sanitizer/asan_interface\.h|emmintrin\.h|boost/(unordered|container|intrusive)[/_].*")
FORBIDDEN_WORDS = re.compile(r"_clock::now\b|\brandom_device\b|\bshared_ptr\b|\bmake_shared\b|\bstd::ranges::|\bstd::views::")
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.MULTILINE)
COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/", re.DOTALL)


def reachable(modules, folder):
    """The folders on which `folder` stands, itself included."""
    found, waiting = set(), [folder]
    while waiting:
        module = waiting.pop()
        if module not in found:
            found.add(module)
            waiting += modules.get(module, ())
    return found


def library_is_allowed(folder, header):
    if header.startswith("openssl/"):
        return folder == "crypto"
    if "/" not in header and not header.endswith(".h"):
        return header not in FORBIDDEN_IN_CORE
    return LIBRARIES_OF_CORE.fullmatch(header) is not None


def faults_of(folder, text, modules, below):
    """What one file of src/<folder> does that it may not, as sentences."""
    faults = []
    for bracket, header in INCLUDE.findall(text):
        top = header.split("/")[0]
        if bracket == '"' and top in modules and "/" in header:
            if top not in below:
                faults.append(f'includes "{header}", but {folder}/ does not stand on {top}/')
        elif bracket == '"':
            faults.append(f'includes "{header}", which names no folder of src/')
        elif folder not in ADAPTERS and not library_is_allowed(folder, header):
            faults.append(f"includes <{header}>, which the core may not use")
    if folder not in ADAPTERS:
        for word in FORBIDDEN_WORDS.findall(COMMENT.sub("", text)):
            faults.append(f"uses {word}, which the core may not use")
    return faults


def check(root):
    modules = modules_in((root / "CMakeLists.txt").read_text(encoding="utf-8"))
    faults, count = [], 0
    for path, text in files_under(root, "src", ".h", ".cpp", ".def"):
        folder = path.split("/")[1]
        count += 1
        if folder not in modules:
            faults.append(f"{path}: its folder is not named in CMakeLists.txt")
            continue
        faults += [f"{path}: {fault}" for fault in faults_of(folder, text, modules, reachable(modules, folder))]
    return faults, count


def main():
    faults, count = check(ROOT)
    print("\n".join(faults) if faults else f"{count} files: every include points down")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
