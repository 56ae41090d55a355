"""What the tests of the tree are called, which sections they name, and how ctest's last run of them ended."""

import re
import xml.etree.ElementTree as ElementTree

from sources import ROOT, cases_in, covered_in, files_under, sections_of_suite

RULE = re.compile(r"^@rule\(.*\n(?:[ \t].*\n)*def (\w+)\(", re.MULTILINE)


def is_within(inner, outer):
    """Whether a section is another one or a part of it."""
    return not outer or inner == outer or inner.startswith(outer + ".")


class Tests:
    """The unit tests and the end-to-end rules of a tree. `passed` holds the names that ctest reported as passed, or is None."""

    def __init__(self, root=ROOT, results=None):
        self.cases, self.named, self.carried, self.rules = {}, {}, {}, set()
        for _, text in files_under(root, "tests", ".cpp"):
            covered = covered_in(text)
            for suite, case in cases_in(text):
                self.cases.setdefault(suite, {})[case] = True
                if suite not in self.carried:
                    self.carried[suite] = sections_of_suite(suite)
                self.named.setdefault(suite, set()).update(self.carried[suite] + covered)
        for _, text in files_under(root, "e2e", ".py"):
            self.rules.update(RULE.findall(text))
        self.passed = passed_in(results) if results else None

    def suites_of(self, rfc, section):
        """The suites whose names carry a section or a part of it, in their order."""
        return [suite for suite in self.cases
                if any(other_rfc == rfc and is_within(other, section) and (other or not section)
                       for other_rfc, other in self.carried[suite])]

    def names_section(self, suite, rfc, section):
        """Whether a suite, by its name or by its file's first lines, speaks of a section, a part of it or what it is part of."""
        return any(other_rfc == rfc and other and (is_within(other, section) or is_within(section, other))
                   for other_rfc, other in self.named.get(suite, ()))

    def fault_of(self, suite, case):
        """None when the test (or with case "*" every test of the suite) is there and, where results were read, passed."""
        if suite not in self.cases:
            return f"there is no suite {suite}"
        if case != "*" and case not in self.cases[suite]:
            return f"there is no test {suite}.{case}"
        wanted = self.cases[suite] if case == "*" else [case]
        for one in wanted if self.passed is not None else ():
            if f"{suite}.{one}" not in self.passed:
                return f"{suite}.{one} did not pass"
        return None


def passed_in(path):
    """The names "Suite.Case" of the tests that passed by a JUnit file of ctest, without what a parameter adds to a name."""
    passed, others = set(), set()
    for test in ElementTree.parse(path).getroot().iter("testcase"):
        name = re.sub(r"^[^./]+/(?=\w+\.)|/.*$", "", test.get("name", "").split(" ")[0])
        good = test.get("status") == "run" and test.find("failure") is None and test.find("skipped") is None
        (passed if good else others).add(name)
    return passed - others
