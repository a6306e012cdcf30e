"""What counts as a failure of a conformance run."""

from __future__ import annotations

import unittest

from corpus import Case, read_patterns
from drivers import Run
from report import junit, markdown, plain
from verdict import judge, useless


def ran(case: str, outcome: str, door: str = "socket") -> Run:
    return Run("rust", "query", case, door, None, outcome, "the detail")


class Verdicts(unittest.TestCase):
    def judged(self, outcomes: list[Run], listed: str = ""):
        return judge([Case("query", "a")], outcomes, read_patterns("rust.txt", listed))[0]

    def test_one_failed_door_fails_the_case(self):
        verdict = self.judged([ran("a", "passed"), ran("a", "failed", "in-process")])
        self.assertEqual(verdict.outcome, "failed")
        self.assertEqual(verdict.unexpected, "[in-process] the detail")

    def test_a_listed_case_may_fail(self):
        self.assertIsNone(self.judged([ran("a", "failed")], "query/*  # not yet").unexpected)

    def test_a_listed_case_that_passes_is_a_failure(self):
        verdict = self.judged([ran("a", "passed")], "query/a  # not yet")
        self.assertEqual(verdict.unexpected, "passes, though rust.txt:1 lists it: not yet")

    def test_a_case_that_was_not_reported_is_a_failure(self):
        self.assertEqual(self.judged([]).unexpected, "the driver did not report this case")

    def test_a_skipped_case_is_neither(self):
        self.assertIsNone(self.judged([ran("a", "skipped")]).unexpected)

    def test_a_pattern_that_matches_nothing_is_found(self):
        patterns = read_patterns("server.txt", "# a comment\nquery/b  # gone\nquery/?  # matches\n")
        self.assertEqual([each.text for each in useless([Case("query", "a")], patterns)], ["query/b"])

    def test_a_star_stays_within_its_part(self):
        (pattern,) = read_patterns("server.txt", "que*/a  # reason")
        self.assertTrue(pattern.matches(Case("query", "a")))
        self.assertFalse(pattern.matches(Case("query", "ab")))

    def test_a_pattern_needs_a_reason(self):
        with self.assertRaises(SystemExit):
            read_patterns("rust.txt", "query/a")


class Reports(unittest.TestCase):
    def test_tables_count_passed_of_all(self):
        cases = [Case("query", "a"), Case("query", "b"), Case("path", "c")]
        verdicts = judge(cases, [ran("a", "passed"), ran("b", "skipped")], [])
        table = plain({"rust": verdicts}).splitlines()
        self.assertEqual([line.split() for line in table[1:3]], [["path", "0/1"], ["query", "1/2", "(1", "skipped)"]])
        self.assertIn("| all | 1/3 (1 skipped) |", markdown({"rust": verdicts}))

    def test_junit_counts_what_failed(self):
        import tempfile
        import xml.etree.ElementTree as ET
        from pathlib import Path

        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "out", "junit.xml")
            junit({"rust": judge([Case("query", "a")], [ran("a", "failed"), ran("a", "passed")], [])}, path)
            suite = ET.parse(path).getroot()[0]
        self.assertEqual((suite.get("tests"), suite.get("failures")), ("2", "1"))


if __name__ == "__main__":
    unittest.main()
