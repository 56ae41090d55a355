"""How ./test --all counts: what cannot run fails, and one failure does not stop the rest."""

import json
import os
import subprocess
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
PRELUDE = 'set -uo pipefail; exec 3>&1; steps=1; . "$LIB/steps.sh"; steps=1; . "$LIB/stages.sh"; build_tree() { return 0; }\n'


class Stages(unittest.TestCase):
    def setUp(self):
        place = tempfile.TemporaryDirectory(prefix="signalbox stages ")
        self.addCleanup(place.cleanup)
        self.root = Path(place.name)
        for folder in ("build/test", "build/fuzz", "e2e", "bin"):
            (self.root / folder).mkdir(parents=True)

    def executable(self, name, body):
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("#!/usr/bin/env bash\n" + body + "\n", encoding="utf-8")
        path.chmod(0o755)

    def output(self, script):
        env = dict(os.environ, root=str(self.root), LIB=str(ROOT / "tools" / "lib"), PATH=f"{self.root}/bin:{os.environ['PATH']}")
        result = subprocess.run(["bash", "-c", PRELUDE + script + "\nprint_stages"], capture_output=True, text=True, env=env,
                                timeout=60, check=False)
        return result.stdout

    def last_line(self, script):
        return self.output(script).splitlines()[-1]

    def test_stage_that_runs_nothing_fails(self):
        self.assertEqual(self.last_line("run_stage e2e"), "0 passed, 1 failed")
        self.assertEqual(self.last_line("run_stage fuzz"), "0 passed, 1 failed")

    def test_ctest_is_counted_by_its_summary_and_conformance_is_one_more(self):
        self.executable("bin/ctest", 'echo "75% tests passed, 3 tests failed out of 12"; exit 8')
        self.executable("bin/python3", "exit 0")
        self.assertEqual(self.last_line("run_stage unit"), "10 passed, 3 failed")
        self.executable("bin/python3", "exit 1")
        self.assertEqual(self.last_line("run_stage unit"), "9 passed, 4 failed")

    def test_ctest_without_a_summary_fails(self):
        self.executable("bin/ctest", "exit 1")
        self.executable("bin/python3", "exit 0")
        self.assertEqual(self.last_line("run_stage unit"), "1 passed, 1 failed")

    def test_conformance_reads_the_results_of_this_run(self):
        self.executable("bin/ctest", 'while [ "$1" != --output-junit ]; do shift; done; echo good >"$2"\n'
                        'echo "100% tests passed, 0 tests failed out of 1"')
        self.executable("bin/python3", 'while [ "$1" != --results ]; do shift; done; grep -q good "$2"')
        self.assertEqual(self.last_line("run_stage unit"), "2 passed, 0 failed")

    def test_failed_build_fails_and_the_next_stage_runs(self):
        self.executable("e2e/holds", "exit 0")
        script = "build_tree() { [ $1 != test ]; }; run_stage unit; run_stage e2e"
        self.assertEqual(self.last_line(script), "1 passed, 1 failed")

    def test_each_executable_of_e2e_is_one_proof(self):
        self.executable("e2e/holds", "exit 0")
        self.executable("e2e/breaks", "exit 1")
        (self.root / "e2e" / "notes.md").write_text("no proof", encoding="utf-8")
        self.assertEqual(self.last_line("run_stage e2e"), "1 passed, 1 failed")

    def test_browser_packages_are_fetched_once_for_each_lock_file(self):
        for name in ("package.json", "package-lock.json"):
            (self.root / "e2e" / "browser").mkdir(exist_ok=True)
            (self.root / "e2e" / "browser" / name).write_text("{}", encoding="utf-8")
        self.executable("e2e/holds", "exit 0")
        self.executable("bin/npm", 'echo "$1" >>"$root/calls"')
        self.assertEqual(self.last_line("run_stage e2e; run_stage e2e"), "2 passed, 0 failed")
        self.assertEqual((self.root / "calls").read_text(encoding="utf-8"), "ci\n")
        (self.root / "e2e" / "browser" / "package-lock.json").write_text("{ }", encoding="utf-8")
        self.executable("bin/npm", 'echo "getaddrinfo failed"; exit 1')
        for _ in range(2):
            out = self.output("run_stage e2e")
            self.assertIn("npm could not fetch them (no network?)", out)
            self.assertIn("getaddrinfo failed", out)
            self.assertTrue(out.endswith("\n1 passed, 0 failed\n"), out)

    def test_lock_file_of_the_browser_phones_names_sums_and_no_server(self):
        text = (ROOT / "e2e" / "browser" / "package-lock.json").read_text(encoding="utf-8")
        packages = {name: about for name, about in json.loads(text)["packages"].items() if name}
        self.assertIn("node_modules/jssip", packages)
        self.assertTrue(all(about["integrity"].startswith("sha512-") for about in packages.values()))
        self.assertNotIn("://", text)

    def test_each_fuzz_target_is_one_proof(self):
        self.executable("build/fuzz/fuzz/fuzz_uri", "exit 0")
        self.executable("build/fuzz/fuzz/fuzz_core", "exit 77")
        self.assertEqual(self.last_line("run_stage fuzz"), "1 passed, 1 failed")

    def test_mutants_are_counted_and_a_silent_runner_fails(self):
        self.executable("bin/python3", 'echo "30 killed, 2 survived"; exit 1')
        self.assertEqual(self.last_line("run_stage mutants"), "30 passed, 2 failed")
        self.executable("bin/python3", "exit 0")
        self.assertEqual(self.last_line("run_stage mutants"), "0 passed, 1 failed")


if __name__ == "__main__":
    unittest.main()
