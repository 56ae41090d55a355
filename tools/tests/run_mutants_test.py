"""The mutants' runner: a breakage must be whole, and its place unique."""

import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from run_mutants import Mutant, MutantError, break_rule, read_mutants  # noqa: E402


def mutant(search, replace):
    return Mutant("a rule", "src/x.cpp", search, replace, "test_x", "X*")


class RunMutants(unittest.TestCase):
    def test_the_one_place_is_changed(self):
        self.assertEqual(break_rule("a < b; c < d;", mutant("a < b", "a <= b")), "a <= b; c < d;")

    def test_a_text_that_is_not_there_or_not_unique_is_an_error(self):
        for search in ("e < f", "<"):
            with self.assertRaises(MutantError):
                break_rule("a < b; c < d;", mutant(search, "="))

    def test_a_change_of_nothing_is_an_error(self):
        with self.assertRaises(MutantError):
            break_rule("a < b", mutant("a < b", "a < b"))

    def test_mutants_are_selected_by_words_and_must_be_whole(self):
        with tempfile.TemporaryDirectory() as place:
            path = Path(place) / "one.toml"
            keys = 'file = "f"\nsearch = "s"\nreplace = "r"\nprogram = "p"\nfilter = "*"\n'
            path.write_text(f'[[mutant]]\nrule = "Timer A doubles"\n{keys}[[mutant]]\nrule = "Timer B ends"\n{keys}', encoding="utf-8")
            self.assertEqual(len(read_mutants(Path(place))), 2)
            self.assertEqual([found.rule for found in read_mutants(Path(place), ["timer", "doubles"])], ["Timer A doubles"])
            path.write_text('[[mutant]]\nrule = "half"\n', encoding="utf-8")
            with self.assertRaises(MutantError):
                read_mutants(Path(place))

    def test_the_kept_mutants_are_whole_and_each_place_is_unique(self):
        root = Path(__file__).resolve().parent.parent.parent
        for kept in read_mutants(root / "tests" / "mutants"):
            with self.subTest(rule=kept.rule):
                break_rule((root / kept.file).read_text(encoding="utf-8"), kept)


if __name__ == "__main__":
    unittest.main()
