"""The figures of the goals."""

from __future__ import annotations

import unittest

import goals


def cell(*rates: float, p99: float = 2.0, cpu: float = 0.01, **more: object) -> dict:
    one = {"cpu_per_1000": cpu, "latency_ms": {"p99": p99}, "generator_busy": 0.5}
    return {"rounds": {str(number): {**one, "rate": rate, **more} for number, rate in enumerate(rates, 1)}}


def made(cells: dict, **more: object) -> dict:
    about = {
        name: {"load": "closed", "axis": name.partition("-")[0] if name[-1].isdigit() else "", "at": at}
        for at, name in enumerate(cells)
    }
    names = {name: name.title() for found in cells.values() for name in found}
    return {"cells": cells, "settings": {"contenders": names, "workloads": about}, **more}


class Goals(unittest.TestCase):
    def test_a_ratio_is_held_from_its_figure_on(self):
        run = made({"json-hello": {"spikard-python": cell(60, 60), "raw-hyper": cell(100, 100)}})
        self.assertEqual(goals.times(0.6, "json-hello", "raw-hyper")(run), ("0.60 [0.60–0.60]", True))
        self.assertFalse(goals.times(0.61, "json-hello", "raw-hyper")(run)[1])

    def test_what_was_not_measured_is_neither_held_nor_missed(self):
        for goal, judge in (*goals.GOALS, *goals.NODE_GOALS):
            self.assertIsNone(judge(made({})), goal)

    def test_every_other_framework_counts_and_the_bare_server_does_not(self):
        cells = {"spikard-python": cell(90), "granian-rsgi": cell(80), "raw-hyper": cell(200)}
        run = made({"json-hello": {**cells, "robyn": cell(40), "litestar-granian": cell(20)}})
        self.assertEqual(goals.all_times(3, "json-hello")(run), ("below: Robyn 2.25", False))
        self.assertEqual(goals.all_times(2, "json-hello")(run), ("the nearest: Robyn, 2.25", True))

    def test_idle_connections_are_judged_round_by_round(self):
        held = {"spikard-python": cell(90, 80, p99=2.1, alone={"p99": 2.0})}
        self.assertEqual(goals.idle_latency(made({"connections-5000": held})), ("1.05 [1.05–1.05]", True))
        missed = {"spikard-python": cell(90, 80, p99=2.4, alone={"p99": 2.0})}
        self.assertEqual(goals.idle_latency(made({"connections-5000": missed})), ("1.20 [1.20–1.20]", False))

    def test_contenders_of_another_language_in_the_same_run_are_no_peers(self):
        run = made({"json-hello": {"spikard-python": cell(90), "hono": cell(80), "robyn": cell(20)}})
        run["settings"]["groups"] = {"spikard-python": "python", "hono": "node", "robyn": "python"}
        self.assertEqual(goals.all_times(3, "json-hello")(run), ("the nearest: Robyn, 4.50", True))

    def test_a_lower_latency_of_another_one_in_python_is_told(self):
        lost = {"spikard-python": cell(9, p99=3), "robyn": cell(9, p99=2), "raw-hyper": cell(9, p99=1)}
        won = {"spikard-python": cell(9, p99=1), "robyn": cell(9, p99=2)}
        said, held = goals.lowest_p99(made({"plaintext": lost, "json-hello": won}))
        self.assertEqual((said, held), ("1 of 2; not in plaintext (3.00 ms, Robyn 2.00)", False))

    def test_the_latency_of_long_answers_counts_and_that_under_overload_does_not(self):
        lost = {"spikard-python": cell(9, p99=3), "robyn": cell(9, p99=2)}
        run = made({"stream": lost, "overload": lost})
        run["settings"]["workloads"]["stream"]["load"] = "bulk"
        run["settings"]["workloads"]["overload"]["load"] = "open"
        self.assertEqual(goals.lowest_p99(run), ("0 of 1; not in stream (3.00 ms, Robyn 2.00)", False))

    def test_two_workers_are_compared_by_what_the_generator_leaves(self):
        run = made({"workers-1": {"spikard-python": cell(100)}, "workers-2": {"spikard-python": cell(150)}})
        self.assertEqual(goals.scaling(run), ("2.00 (1.50 with 1.50 cores left by the generator)", True))

    def test_bodies_grow_no_faster_than_the_floor(self):
        small = {"spikard-python": cell(1, cpu=0.02), "msgspec-floor": cell(1, cpu=0.01)}
        large = {"spikard-python": cell(1, cpu=1.02), "msgspec-floor": cell(1, cpu=0.81)}
        said, held = goals.growth(made({"body-1": small, "body-2": large}))
        self.assertEqual((said, held), ("1,000 µs more, 800 µs of them by the floor: 1.25", False))

    def test_on_node_every_validated_workload_counts(self):
        won = {"spikard-node": cell(20, p99=1), "fastify": cell(10, p99=2), "hono": cell(10, p99=3)}
        lost = {"spikard-node": cell(12, p99=3), "fastify": cell(10, p99=2)}
        run = made({"json-small": won, "path-int": lost, "json-hello": lost})
        self.assertEqual(goals.each_times(1.3, "fastify")(run), ("below: path-int 1.20", False))
        self.assertEqual(goals.each_times(1.0, "hono")(run), ("the nearest: json-small, 2.00", True))
        self.assertEqual(goals.lower_p99(run), ("1 of 2; not in path-int (3.00 ms against 2.00)", False))

    def test_a_run_tells_the_goals_of_its_own_field(self):
        run = made({"json-small": {"spikard-node": cell(20, p99=1.0), "fastify": cell(10), "raw-hyper": cell(30)}})
        told = list(goals.told(run))
        self.assertEqual([line.split(" | ")[0] for line in told[2:-2]], [f"| {goals.NODE_GOALS[n][0]}" for n in (0, 2)])
        self.assertEqual(told[-1], "The other goals were not measured in this run.")

    def test_figures_beside_the_run_are_told_with_their_unit(self):
        judge = goals.kept("rss_mb", 40, "MB", "{:.1f}")
        self.assertEqual(judge(made({}, beside={"rss_mb": 40.5})), ("40.5 MB", False))

    def test_a_goal_that_is_missed_says_so_in_the_table(self):
        run = made({}, beside={"import_ms": 90})
        self.assertIn("| `import spikard` within 80 ms | 90 ms | missed |", list(goals.told(run)))
