"""The regression guard's arithmetic, the slope of memory, the interval of starts."""

from __future__ import annotations

import contextlib
import io
import unittest
from collections.abc import Sequence
from unittest import mock

import budget
import instructions
import memory
import starts


class Budgets(unittest.TestCase):
    def judged(self, name: str, count: float) -> budget.Verdict:
        return budget.compared({name: count}, {name: 1000})[0]

    def test_three_percent_more_is_over_where_nothing_suspends(self):
        self.assertEqual(self.judged("hello", 1029).word, "ok")
        self.assertEqual(self.judged("hello", 1031).word, "over the budget")

    def test_five_percent_more_is_over_where_a_handler_suspends(self):
        self.assertEqual(self.judged("sleep-0", 1049).word, "ok")
        self.assertEqual(self.judged("sleep-0", 1051).word, "over the budget")

    def test_much_less_asks_for_a_lower_budget(self):
        self.assertIn("--update", self.judged("hello", 900).word)

    def test_a_case_without_a_budget_is_over_it(self):
        self.assertEqual(budget.compared({"new": 20_000.0}, {})[0].word, "over the budget")

    def test_a_budget_of_another_interpreter_or_processor_says_nothing(self):
        here = {"python": budget.version(), "machine": budget.platform.machine()}
        self.assertEqual(budget.other(here), "")
        self.assertIn("CPython 3.9 on", budget.other({**here, "python": "3.9"}))
        self.assertIn("on pdp11, this is", budget.other({**here, "machine": "pdp11"}))

    def test_without_valgrind_it_fails_and_says_so(self):
        said = io.StringIO()
        with mock.patch("shutil.which", return_value=None), contextlib.redirect_stdout(said):
            self.assertEqual(budget.main([]), 1)
        self.assertIn("missing: valgrind", said.getvalue())


class Attempts(unittest.TestCase):
    """What is counted again, and what stands in the end."""

    def counted(self, *runs: dict[str, float] | Exception) -> tuple[dict[str, float], list[list[str]]]:
        """The counts that `runs` come to against a budget of 1000 for each case, and what each run was asked for."""
        left, asked = list(runs), []

        def counting(names: Sequence[str]) -> dict[str, float]:
            asked.append(list(names))
            run = left.pop(0)
            if isinstance(run, Exception):
                raise run
            return run

        with contextlib.redirect_stdout(io.StringIO()):
            return budget.lowest(dict.fromkeys(budget.CASES, 1000), counting), asked

    def test_what_is_within_its_budget_is_counted_once(self):
        found = dict.fromkeys(budget.CASES, 1000.0)
        self.assertEqual(self.counted(found), (found, [list(budget.CASES)]))

    def test_one_that_is_over_is_counted_again_alone_and_its_lowest_stands(self):
        found = {**dict.fromkeys(budget.CASES, 1000.0), "post": 1100.0}
        counts, asked = self.counted(found, {"post": 1120.0}, {"post": 1010.0})
        self.assertEqual((counts["post"], asked[1:]), (1010.0, [["post"], ["post"]]))

    def test_one_that_stays_over_is_over(self):
        found = {**dict.fromkeys(budget.CASES, 1000.0), "post": 1100.0}
        self.assertEqual(self.counted(found, {"post": 1120.0}, {"post": 1090.0})[0]["post"], 1090.0)

    def test_a_server_that_fails_once_is_started_again_and_the_last_failure_is_raised(self):
        broken = instructions.Broken("no dump")
        self.assertEqual(len(self.counted(broken, dict.fromkeys(budget.CASES, 1000.0))[1]), 2)
        with self.assertRaises(instructions.Broken):
            self.counted(broken, broken, broken)


class Memory(unittest.TestCase):
    def test_a_line_has_its_slope(self):
        self.assertAlmostEqual(memory.slope([(0, 5), (10, 25), (20, 45)]), 2)

    def test_one_point_is_no_line(self):
        self.assertEqual(memory.slope([(3, 4)]), 0)

    def test_growth_of_the_first_half_is_warming_up(self):
        points = [(0.0, 0.0), (100_000.0, 5e6), (200_000.0, 6e6), (300_000.0, 6e6), (400_000.0, 6e6)]
        self.assertEqual(memory.grown(points), 0)

    def test_a_row_tells_start_end_and_rest(self):
        points = [(0.0, 2.0**20), (1e6, 3 * 2.0**20), (1e6, 2 * 2.0**20)]
        self.assertTrue(memory.row("X", points).startswith("| X | 1.0 | 3.0 | 2.0 | 1,000,000 |"))


class Starts(unittest.TestCase):
    def test_the_difference_is_that_of_neighbours(self):
        said = starts.told([20.0, 40.0, 30.0], [30.0, 50.0, 40.0])
        self.assertIn("more: 10.0 ms [10.0–10.0]", said)
