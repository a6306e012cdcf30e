"""The regression guard's arithmetic, the slope of memory, the interval of starts."""

from __future__ import annotations

import unittest

import budget
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
