"""What makes a row of docs/conformance.md hold, and what must not pass for implemented."""

import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import conformance
import conformance_rows

SUITE = "// A test. Covers: RFC 3261 §18.3.\nTEST(Frame_Rfc3261_16_3, Holds) {}\nTEST(Frame_Rfc3261_16_3, Breaks) {}\n"
RESULTS = """<testsuite><testcase name="Frame_Rfc3261_16_3.Holds" status="run"/>
<testcase name="Frame_Rfc3261_16_3.Breaks" status="fail"><failure message=""/></testcase></testsuite>"""


class Page(unittest.TestCase):
    def setUp(self):
        place = tempfile.TemporaryDirectory(prefix="signalbox conformance ")
        self.addCleanup(place.cleanup)
        self.root = Path(place.name)
        self.write("src/frame.cpp", "// Frames.\n// Implements: RFC 3261 §16.3\n")
        self.write("tests/frame_test.cpp", SUITE)
        self.write("e2e/rules.py", '@rule("a text")\ndef frames(case):\n    pass\n')
        self.write("results.xml", RESULTS)

    def write(self, name, text):
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def document(self, *lines, results=None):
        self.write("docs/conformance/rfc3261_16.txt", "\n".join(lines) + "\n")
        return conformance.document(self.root, results and self.root / results)

    def test_row_with_a_test_that_names_the_section_holds(self):
        text, faults = self.document("16.3-1 | proxy | implemented | It frames. | Frame_Rfc3261_16_3.Holds, rule frames")
        self.assertEqual(faults, [])
        self.assertIn("| 16.3-1 | proxy | It frames. | implemented | `Frame_Rfc3261_16_3.Holds`, `wire_rules: frames` |", text)

    def test_first_lines_of_the_file_may_name_the_section(self):
        self.assertEqual(self.document("18.3-1 | proxy | implemented | x | Frame_Rfc3261_16_3.Holds")[1], [])

    def test_test_of_another_section_is_no_proof(self):
        self.assertEqual(len(self.document("16.4-1 | proxy | implemented | x | Frame_Rfc3261_16_3.Holds")[1]), 1)
        self.assertEqual(len(self.document("16.3-1 | proxy | implemented | x | -")[1]), 1)

    def test_missing_tests_and_rules_are_faults(self):
        self.assertEqual(self.document("16.3-1 | proxy | implemented | x | Frame_Rfc3261_16_3.Gone, Frame_Rfc3261_16_3.Holds, rule gone")[1],
                         ["16.3-1: there is no test Frame_Rfc3261_16_3.Gone", "16.3-1: there is no end-to-end rule gone"])

    def test_test_that_did_not_pass_implements_nothing(self):
        line = "16.3-1 | proxy | implemented | x | Frame_Rfc3261_16_3.Breaks"
        self.assertEqual(self.document(line)[1], [])
        text, faults = self.document(line, results="results.xml")
        self.assertEqual(faults, ["16.3-1: Frame_Rfc3261_16_3.Breaks did not pass"])
        self.assertIn("| not: Frame_Rfc3261_16_3.Breaks did not pass |", text)
        self.assertNotIn("| §16.3 | implemented |", text)

    def test_deviation_needs_its_mark_in_a_source(self):
        line = "16.3-1 | proxy | deviates: better so | x | Frame_Rfc3261_16_3.Holds"
        self.assertEqual(len(self.document(line)[1]), 1)
        self.write("src/frame.cpp", "// Frames.\n\n// Deviation: RFC 3261 §16.3 step 1 — better so\n")
        self.assertEqual(self.document(line)[1], [])

    def test_every_other_status_says_why(self):
        for status in ("deviates", "not", "n/a", "implemented: of course", "perhaps"):
            self.assertEqual(len(self.document(f"16.3-1 | proxy | {status} | x | Frame_Rfc3261_16_3.Holds")[1]), 1, status)

    def test_number_is_given_once(self):
        line = "16.3-1 | proxy | not: later | x | -"
        self.assertEqual(self.document(line, line)[1], ["rfc3261_16.txt: 16.3-1 is there twice"])

    def test_rows_stand_in_the_order_of_their_sections(self):
        text, _ = self.document(*(f"{identity} | proxy | not: later | x | -" for identity in ("16.10-1", "16.3-10", "16.3-9")))
        self.assertLess(text.index("16.3-9"), text.index("16.3-10"))
        self.assertLess(text.index("16.3-10"), text.index("16.10-1"))

    def test_section_is_implemented_by_source_and_suite(self):
        self.assertIn("| §16.3 | implemented | `frame.cpp` | `Frame_Rfc3261_16_3` |", self.document()[0])
        self.write("tests/frame_test.cpp", "")
        self.assertIn("| §16.3 | not: no test names it |", self.document()[0])

    def test_listed_section_waits_until_sources_and_tests_speak_of_it(self):
        self.write("docs/conformance/sections.txt", "RFC 5626 §5 | flows | no tokens yet\nRFC 3261 §16.3 | validation | not there\n")
        text = self.document()[0]
        self.assertIn("| §5 flows | not: no tokens yet | – | – |", text)
        self.assertIn("| §16.3 validation | implemented |", text)

    def test_sentence_may_hold_no_bar_unnoticed(self):
        self.assertIsInstance(conformance_rows.row_of("16.3-1 | proxy | implemented | a | b | c"), str)


if __name__ == "__main__":
    unittest.main()
