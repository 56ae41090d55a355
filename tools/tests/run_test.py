"""What ./run says and does when packages, rights, network or a good build are missing, with stand-ins for apt and the compiler."""

import os
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
PASS_ON = ("bash", "sed", "grep", "tail", "cat", "mkdir", "rm", "dirname", "readlink", "flock", "env", "touch", "chmod", "stat")


class Run(unittest.TestCase):
    def setUp(self):
        self.place = Path(tempfile.mkdtemp(prefix="signalbox run ")).resolve()
        self.addCleanup(shutil.rmtree, self.place)
        self.tree, self.bin = self.place / "a tree", self.place / "bin"
        (self.tree / "tools").mkdir(parents=True)
        self.bin.mkdir()
        shutil.copy(ROOT / "run", self.tree / "run")
        shutil.copytree(ROOT / "tools" / "lib", self.tree / "tools" / "lib")
        shutil.copytree(ROOT / "tools" / "packages", self.tree / "tools" / "packages")
        for name in PASS_ON:
            os.symlink(shutil.which(name), self.bin / name)
        self.stand_in("nproc", "echo 2")
        self.stand_in("id", "echo 1000")
        self.installed(everything=True)
        self.stand_in("apt-get", 'echo "$@" >>"$CALLS"; exit 0')
        self.stand_in("cmake", 'while [ $# -gt 0 ]; do [ "$1" = -B ] && touch "$2/build.ninja"; shift; done')
        self.stand_in("ninja", 'echo "[1/1] Linking"; mkdir -p "$2"; echo "echo program: \\"\\$@\\"; echo in: \\$PWD" >"$2/signalbox"; '
                      'chmod +x "$2/signalbox"')

    def stand_in(self, name, body):
        path = self.bin / name
        path.unlink(missing_ok=True)
        path.write_text("#!/usr/bin/env bash\n" + body + "\n", encoding="utf-8")
        path.chmod(0o755)

    def installed(self, everything):
        self.stand_in("dpkg-query", 'shift 2; for p in "$@"; do echo "installed $p"; done' if everything else
                      'shift 2; for p in "$@"; do [ "$p" = cmake ] || echo "installed $p"; done; exit 1')

    def run_it(self, *arguments, cwd=None, prefix=()):
        calls = self.place / "calls"
        calls.touch()
        result = subprocess.run([*prefix, str(self.tree / "run"), *arguments], cwd=cwd or self.place, capture_output=True, text=True,
                                env={"PATH": str(self.bin), "CALLS": str(calls)}, timeout=60, check=False)
        return result.returncode, result.stdout, result.stderr, calls.read_text(encoding="utf-8")

    def test_nothing_missing_never_calls_apt(self):
        status, out, _, calls = self.run_it()
        self.assertEqual((status, calls), (0, ""))
        self.assertIn("[1/4] packages … all present", out)
        self.assertIn("program: run", out)
        self.assertIn(f"in: {self.tree}", out)
        self.assertTrue((self.tree / "data").is_dir())

    def test_build_only_builds(self):
        status, out, _, _ = self.run_it("--build")
        self.assertEqual(status, 0)
        self.assertNotIn("program:", out)
        self.assertFalse((self.tree / "data").exists())

    def test_arguments_reach_the_program_and_its_output_stays_clean(self):
        status, out, err, _ = self.run_it("--", "calls", "--json")
        self.assertEqual((status, out), (0, f"program: calls --json\nin: {self.tree}\n"))
        self.assertIn("packages", err)

    def test_files_are_named_from_where_the_caller_stands(self):
        _, out, _, _ = self.run_it("--", "--config", "a.toml", "user", "import", "users.csv")
        self.assertIn(f"program: --config {self.place}/a.toml user import {self.place}/users.csv", out)
        _, out, _, _ = self.run_it("--", "run", "--config=/etc/a.toml")
        self.assertIn("program: run --config=/etc/a.toml", out)

    def test_the_files_of_an_import_may_stand_behind_the_configuration(self):
        _, out, _, _ = self.run_it("--", "user", "import", "--config", "a.toml", "users.csv")
        self.assertIn(f"program: user import --config {self.place}/a.toml {self.place}/users.csv", out)
        _, out, _, _ = self.run_it("--", "user", "import", "-", "--config=a.toml")
        self.assertIn(f"program: user import - --config={self.place}/a.toml", out)

    def test_data_that_is_no_folder_is_named(self):
        (self.tree / "data").write_text("", encoding="utf-8")
        status, _, err, _ = self.run_it()
        self.assertEqual(status, 1)
        self.assertIn(f"run: {self.tree}/data is not a folder.", err)

    def test_a_tree_that_somebody_else_built_is_named_with_its_owner(self):
        self.assertEqual(self.run_it("--build")[0], 0)
        # Root may write everywhere: the second user is nobody then.
        nobody = [] if os.geteuid() else [shutil.which("setpriv"), "--reuid=65534", "--regid=65534", "--clear-groups"]
        self.place.chmod(0o755)
        (self.tree / "build" / "release").chmod(0o555)
        status, _, err, _ = self.run_it("--build", prefix=nobody)
        self.assertEqual(status, 1)
        self.assertRegex(err, r"^run: What was built here belongs to \S+ and cannot be written by \S+: .*\. Run this as ")

    def test_without_root_and_sudo_names_the_package_and_the_command(self):
        self.installed(everything=False)
        status, _, err, calls = self.run_it("--build")
        self.assertEqual((status, calls), (1, ""))
        self.assertIn("neither root nor sudo", err)
        self.assertIn("apt-get install cmake", err)

    def test_sudo_installs_only_what_is_missing(self):
        self.installed(everything=False)
        self.stand_in("sudo", 'exec "$@"')
        status, out, _, calls = self.run_it("--build")
        self.assertEqual(status, 0)
        self.assertIn("installed 1", out)
        self.assertRegex(calls, r"install --no-install-recommends cmake\n")

    def test_what_another_package_provides_is_not_missing(self):
        self.stand_in("dpkg-query", 'shift 2; [ $# -gt 0 ] || echo "installed build-tools (= 1), cmake (= 3.25), make"; '
                      'for p in "$@"; do [ "$p" = cmake ] || echo "installed $p"; done; exit 1')
        status, out, _, calls = self.run_it("--build")
        self.assertEqual((status, calls), (0, ""))
        self.assertIn("packages … all present", out)

    def test_without_network_says_so(self):
        self.installed(everything=False)
        self.stand_in("id", "echo 0")
        self.stand_in("apt-get", 'echo "E: Temporary failure resolving"; exit 100')
        status, _, err, _ = self.run_it("--build")
        self.assertEqual(status, 1)
        self.assertIn("no network", err)
        self.assertIn("E: Temporary failure resolving", err)

    def test_failed_build_shows_the_end_of_its_log(self):
        self.stand_in("ninja", 'echo "[1/2] Building"; echo "a.cpp:1: error: no"; exit 1')
        status, out, err, _ = self.run_it()
        self.assertEqual(status, 1)
        self.assertIn("a.cpp:1: error: no", err)
        self.assertIn("the build failed", err)
        self.assertNotIn("error: no", out)
        self.assertNotIn("program:", out)

    def test_configures_once_and_again_after_a_failed_configuration(self):
        self.stand_in("cmake", 'echo cmake >>"$CALLS"; exit 1')
        self.assertEqual(self.run_it("--build")[0], 1)
        self.stand_in("cmake", 'echo cmake >>"$CALLS"; touch "$4/build.ninja"; '
                      'echo "CMAKE_HOME_DIRECTORY:INTERNAL=$2" >"$4/CMakeCache.txt"')
        for _ in range(3):
            self.assertEqual(self.run_it("--build")[0], 0)
        self.assertEqual((self.place / "calls").read_text(encoding="utf-8"), "cmake\ncmake\n")

    def test_unknown_option_is_refused(self):
        status, _, err, _ = self.run_it("--biuld")
        self.assertEqual(status, 2)
        self.assertIn("unknown option --biuld", err)


if __name__ == "__main__":
    unittest.main()
