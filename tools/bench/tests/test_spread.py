"""Statistics over rounds."""

from __future__ import annotations

import math
import unittest

import spread


class Ratios(unittest.TestCase):
    def test_the_interval_of_a_steady_gap_excludes_one(self):
        base = dict(enumerate([100.0, 140.0, 90.0, 120.0, 110.0]))
        twice = {number: 2 * value for number, value in base.items()}
        against = spread.ratio(twice, base)
        self.assertAlmostEqual(against.value, 2)
        self.assertAlmostEqual(against.low, 2)
        self.assertFalse(against.tie)

    def test_a_gap_inside_the_interval_is_a_tie(self):
        base = dict(enumerate([100.0, 100.0, 100.0, 100.0, 100.0]))
        against = spread.ratio(dict(enumerate([120.0, 85.0, 110.0, 90.0, 104.0])), base)
        self.assertLess(against.low, 1)
        self.assertGreater(against.high, 1)
        self.assertTrue(against.tie)
        self.assertTrue(str(against).endswith(" tie"))

    def test_rounds_are_paired_by_their_number(self):
        self.assertAlmostEqual(spread.ratio({1: 50.0, 3: 30.0}, {1: 100.0, 2: 1.0, 3: 60.0}).value, 0.5)

    def test_one_round_alone_is_a_tie_whatever_its_gap(self):
        against = spread.ratio({1: 900.0}, {1: 100.0})
        self.assertAlmostEqual(against.value, 9)
        self.assertTrue(against.tie)
        self.assertEqual(str(against), "9.00 [one round]")

    def test_nothing_in_common_has_no_ratio(self):
        self.assertIsNone(spread.ratio({1: 5.0}, {2: 5.0}))

    def test_the_mean_of_ratios_is_geometric(self):
        self.assertAlmostEqual(spread.geometric([0.5, 2.0]), 1)

    def test_the_bootstrap_repeats(self):
        values = [1.0, 1.3, 0.9, 1.1]
        self.assertEqual(spread.interval(values), spread.interval(values))

    def test_a_wider_confidence_is_a_wider_interval(self):
        values = [1.0, 1.3, 0.9, 1.1, 1.7]
        low, high = spread.interval(values, 0.5)
        lower, higher = spread.interval(values, 0.99)
        self.assertLess(lower, low)
        self.assertGreater(higher, high)

    def test_a_quantile_lies_between_its_neighbours(self):
        self.assertEqual(spread.quantile([1.0, 2.0, 3.0], 0.25), 1.5)
        self.assertEqual(spread.quantile([1.0, 2.0, 3.0], 1.0), 3.0)
        self.assertFalse(math.isnan(spread.quantile([4.0], 0.9)))
