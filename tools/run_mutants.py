#!/usr/bin/env python3
"""Breaks one named rule at a time and demands that a test notices: tests/mutants/*.toml says what, where and which test.

The tree is copied to build/mutants/tree and built there; the working tree is never changed. The last line is
"N killed, N survived"; a mutant that cannot be judged (its text is not found exactly once, it does not compile, or its tests
fail without it) is an error, and the exit status is 1 as it is for a survivor. Arguments: words that select mutants.
"""

import argparse
import os
import shutil
import subprocess
import sys
import time
import tomllib
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
WORK = ROOT / "build" / "mutants"
TREE, BUILD = WORK / "tree", WORK / "build"
COPIED = ("CMakeLists.txt", "cmake", "src", "tests", "tools", "docs", ".clang-format")
TEST_SECONDS = 120
# A breakage may leave a name unused: a test has to notice it, not the compiler.
LENIENT = " ".join(f"-Wno-error=unused-{what}" for what in ("variable", "parameter", "function", "but-set-variable", "but-set-parameter",
                                                           "const-variable", "value"))
KEYS = {"rule", "file", "search", "replace", "program", "filter"}


@dataclass(frozen=True)
class Mutant:
    """One breakage: `search` in `file` becomes `replace`, and of `program` a test that matches `filter` must fail."""
    rule: str
    file: str
    search: str
    replace: str
    program: str
    filter: str


class MutantError(Exception):
    """A mutant that cannot be judged."""


def read_mutants(folder, words=()):
    """All mutants of the folder in order; raises MutantError for one that is not whole."""
    found = []
    for path in sorted(folder.glob("*.toml")):
        with path.open("rb") as file:
            entries = tomllib.load(file).get("mutant", [])
        for entry in entries:
            if set(entry) != KEYS:
                raise MutantError(f"{path.name}: a mutant has the keys {sorted(entry)}, expected {sorted(KEYS)}")
            found.append(Mutant(**entry))
    return [mutant for mutant in found if all(word.lower() in f"{mutant.rule} {mutant.file}".lower() for word in words)]


def break_rule(text, mutant):
    """The text with the one change; raises MutantError unless the place is unique and the change is one."""
    count = text.count(mutant.search)
    if count != 1:
        raise MutantError(f"its text stands {count} times in {mutant.file}, expected once")
    if mutant.search == mutant.replace:
        raise MutantError("it changes nothing")
    return text.replace(mutant.search, mutant.replace)


def copy_tree():
    """Brings the copy up to date; files that are the same keep their times, so that little is built again."""
    wanted = set()
    for name in COPIED:
        source = ROOT / name
        files = [source] if source.is_file() else [path for path in source.rglob("*") if path.is_file()] if source.is_dir() else []
        for path in files:
            if "__pycache__" in path.parts:
                continue
            target = TREE / path.relative_to(ROOT)
            wanted.add(target)
            if not target.exists() or target.read_bytes() != path.read_bytes():
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, target)
    for path in [path for path in TREE.rglob("*") if path.is_file() and path not in wanted]:
        path.unlink()


def run(command, seconds=None):
    """The exit status (-1: it took too long) and the output."""
    try:
        result = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", timeout=seconds,
                                check=False)
        return result.returncode, result.stdout
    except subprocess.TimeoutExpired:
        return -1, ""


def build(programs):
    status, output = run(["ninja", "-C", str(BUILD), "-j", str(os.cpu_count() or 1), *sorted(programs)])
    if status != 0:
        raise MutantError("it does not compile:\n" + output[-2000:])


def tests_pass(mutant):
    """Runs the mutant's tests. A filter that selects none is an error: it could never notice anything."""
    program = BUILD / "tests" / mutant.program
    command = [str(program), f"--gtest_filter={mutant.filter}", "--gtest_brief=1"]
    _, listed = run([*command, "--gtest_list_tests"], TEST_SECONDS)
    if "  " not in listed:
        raise MutantError(f"no test of {mutant.program} matches {mutant.filter}")
    status, _ = run(command, TEST_SECONDS)
    return status == 0


def judge(mutant):
    """True when the breakage is noticed."""
    path = TREE / mutant.file
    if not path.is_file():
        raise MutantError(f"there is no {mutant.file}")
    whole = path.read_text(encoding="utf-8")
    broken = break_rule(whole, mutant)
    try:
        path.write_text(broken, encoding="utf-8")
        build({mutant.program})
        return not tests_pass(mutant)
    finally:
        path.write_text(whole, encoding="utf-8")


def prepare(mutants):
    copy_tree()
    if not (BUILD / "build.ninja").exists():
        status, output = run(["cmake", "-S", str(TREE), "-B", str(BUILD), "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Debug", "-DCMAKE_GTEST_DISCOVER_TESTS_DISCOVERY_MODE=PRE_TEST",
                              "-DCMAKE_CXX_FLAGS=" + LENIENT])
        if status != 0:
            shutil.rmtree(BUILD, ignore_errors=True)
            raise MutantError("the copy cannot be configured:\n" + output[-3000:])
    build({mutant.program for mutant in mutants})


def whole_tests_fail(mutants):
    """The tests that fail without any breakage: they prove nothing."""
    selections = sorted({(mutant.program, mutant.filter) for mutant in mutants})
    return {f"{program} {selection}" for program, selection in selections
            if not tests_pass(Mutant("", "", "", "", program, selection))}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("word", nargs="*", help="only mutants whose rule or file contains each word")
    words = parser.parse_args().word
    killed, survived, errors = 0, [], []
    try:
        mutants = read_mutants(ROOT / "tests" / "mutants", words)
        prepare(mutants)
        unsound = whole_tests_fail(mutants)
    except MutantError as error:
        print(f"error: {error}\n0 killed, 0 survived")
        return 1
    for number, mutant in enumerate(mutants, 1):
        began = time.monotonic()
        try:
            if f"{mutant.program} {mutant.filter}" in unsound:
                raise MutantError(f"{mutant.program} {mutant.filter} fails without it")
            noticed = judge(mutant)
            killed += noticed
            verdict = "killed" if noticed else "SURVIVED"
            if not noticed:
                survived.append(mutant)
        except MutantError as error:
            verdict = "ERROR"
            errors.append((mutant, error))
        print(f"{number:3}/{len(mutants)} {verdict:8} {time.monotonic() - began:5.1f} s  {mutant.rule}", flush=True)
    for mutant, error in errors:
        print(f"\nerror in {mutant.file}: {mutant.rule}\n  {error}")
    for mutant in survived:
        print(f"\nsurvived in {mutant.file}: {mutant.rule}\n  {mutant.search}\n  became\n  {mutant.replace}\n  and {mutant.program} {mutant.filter} passed")
    print(f"\n{killed} killed, {len(survived)} survived")
    return 1 if survived or errors or not mutants else 0


if __name__ == "__main__":
    sys.exit(main())
