"""Plans, records that go on, sets and their names, the turns of an open loop."""

from __future__ import annotations

import contextlib
import io
import json
import tempfile
import unittest
from pathlib import Path
from unittest import mock

import contenders
import load
import turns
import workloads
import wrk
from plan import Plan
from processes import Usage
from record import Record, beside, put_beside
from rounds import Run
from sets import SETS, chosen, options

HEAD = {
    "began": "now",
    "machine": {},
    "versions": {},
    "settings": {
        "seconds": 2,
        "warm_up": 1,
        "base": "a",
        "contenders": {},
        "notes": {},
        "workloads": {},
        "only": {},
        "groups": {},
    },
}


def head(**settings: object) -> dict:
    return {**HEAD, "settings": {**HEAD["settings"], **settings}}


class Parts(unittest.TestCase):
    def run_of(self, folder: str, part: float) -> tuple[list[tuple[str, int]], bool]:
        """The turns that a part of a run takes, and whether nothing was left."""
        wanted = [contenders.load(name) for name in ("raw-hyper", "granian-rsgi")]
        plan = Plan(wanted, workloads.named(["json-hello", "json-small"]), 2, 1, 1, Path(folder))
        run = Run(plan, Record(Path(folder), head()), part)
        taken: list[tuple[str, int]] = []

        def turn(workload, contender, number):
            taken.append((contender.name, number))
            if number:
                run.record.cell(workload.name, contender.name)["rounds"][str(number)] = {}

        with (
            contextlib.redirect_stderr(io.StringIO()),
            mock.patch.object(run, "turn", turn),
            mock.patch.object(run, "judge", return_value=True),
            mock.patch.object(run, "start", return_value=None),
        ):
            return taken, run.all()

    def test_contenders_take_turns_in_a_workload_behind_their_warm_up(self):
        with tempfile.TemporaryDirectory() as name:
            taken, whole = self.run_of(name, 0)
        self.assertTrue(whole)
        self.assertEqual([number for _, number in taken], [0, 0, 1, 1, 2, 2] * 2)
        self.assertEqual([name for name, _ in taken], ["raw-hyper", "granian-rsgi"] * 6)

    def test_a_part_without_time_for_a_round_begins_none(self):
        with tempfile.TemporaryDirectory() as name:
            self.assertEqual(self.run_of(name, 1), ([], False))

    def test_what_the_record_holds_is_not_done_again(self):
        with tempfile.TemporaryDirectory() as name:
            self.run_of(name, 0)
            self.assertEqual(self.run_of(name, 0), ([], True))


class Plans(unittest.TestCase):
    def plan(self, names: list[str], asked: list[str], rounds: int = 3) -> Plan:
        wanted = [contenders.load(name) for name in names]
        return Plan(wanted, workloads.named(asked), rounds, 2, 1, Path("nowhere"))

    def test_what_a_contender_lacks_is_left_out_and_counted(self):
        told = self.plan(["raw-hyper", "robyn"], ["json-hello", "sync-handler"]).told()
        self.assertIn("= 3 cells (1 left out", told)

    def test_more_rounds_take_longer(self):
        few, many = (self.plan(["raw-hyper"], ["json-hello"], rounds) for rounds in (1, 9))
        self.assertAlmostEqual(many.minutes() - few.minutes(), 8 * 2.5 / 60)

    def test_the_server_and_the_generator_do_not_share_a_core(self):
        plan = self.plan(["raw-hyper"], ["json-hello"])
        self.assertNotIn(plan.generator_core, plan.server_cores())

    def test_the_headline_set_fits_into_half_an_hour(self):
        given = options(["--set", "headline"], "")
        plan = self.plan(contenders.names("python"), chosen(given.workloads, []), given.rounds)
        self.assertLess(plan.minutes(), 31)


class Records(unittest.TestCase):
    def test_a_run_goes_on_with_the_rounds_that_it_has(self):
        with tempfile.TemporaryDirectory() as name:
            first = Record(Path(name), head())
            first.cell("hello", "a")["rounds"]["1"] = {"rate": 5}
            first.servers["b"] = {"failed": "no compiler"}
            first.keep()
            again = Record(Path(name), head())
            self.assertTrue(again.resumed)
            self.assertEqual(again.cell("hello", "a")["rounds"], {"1": {"rate": 5}})
            self.assertEqual(again.servers, {"b": {"failed": "no compiler"}})

    def test_what_failed_is_tried_again_where_that_is_asked_for(self):
        with tempfile.TemporaryDirectory() as name:
            first = Record(Path(name), head())
            first.cell("hello", "a")["failed"] = "status 500"
            first.servers["b"] = {"failed": "no compiler"}
            first.keep()
            again = Record(Path(name), head(), again=True)
            self.assertEqual((again.servers, again.cell("hello", "a")), ({}, {"rounds": {}}))

    def test_a_round_that_others_disturbed_is_taken_again_by_all(self):
        with tempfile.TemporaryDirectory() as name:
            first = Record(Path(name), head())
            first.cell("hello", "a")["rounds"] = {"1": {"foreign": 0.5}, "2": {"foreign": 0.0}}
            first.cell("hello", "b")["rounds"] = {"1": {"foreign": 0.0}, "2": {"foreign": 0.1}}
            first.keep()
            again = Record(Path(name), head(), again=True)
            self.assertEqual([list(again.cell("hello", one)["rounds"]) for one in "ab"], [["2"], ["2"]])

    def test_figures_of_other_measurements_are_put_beside_a_run(self):
        with tempfile.TemporaryDirectory() as name:
            put_beside(Path(name), {"rss_mb": 30.0}, "memory", ["| a |"])
            put_beside(Path(name), {"import_ms": 60.0}, "starts", ["- b"])
            self.assertEqual(
                beside(Path(name)),
                {"rss_mb": 30.0, "import_ms": 60.0, "text": {"memory": ["| a |"], "starts": ["- b"]}},
            )

    def test_rounds_of_another_length_are_not_mixed(self):
        with tempfile.TemporaryDirectory() as name:
            Record(Path(name), head()).keep()
            with self.assertRaisesRegex(SystemExit, "begun with seconds 2, not 9"):
                Record(Path(name), head(seconds=9))

    def test_rounds_of_another_congestion_control_are_not_mixed(self):
        with tempfile.TemporaryDirectory() as name:
            Record(Path(name), {**head(), "machine": {"congestion": "bbr"}}).keep()
            with self.assertRaisesRegex(SystemExit, "begun with congestion bbr, not cubic"):
                Record(Path(name), {**head(), "machine": {"congestion": "cubic"}})

    def test_a_record_is_written_whole(self):
        with tempfile.TemporaryDirectory() as name:
            Record(Path(name), head()).keep()
            self.assertEqual([one.name for one in Path(name).iterdir()], ["results.json"])
            self.assertEqual(json.loads((Path(name) / "results.json").read_text())["cells"], {})


class Names(unittest.TestCase):
    def test_all_without_one(self):
        self.assertEqual(chosen("all,-b", ["a", "b", "c"]), ["a", "c"])
        self.assertEqual(chosen("-b", ["a", "b"]), ["a"])

    def test_a_curve_stands_for_its_points(self):
        self.assertEqual(
            chosen("hello,routes", [], {"routes": ["routes-1", "routes-2"]}), ["hello", "routes-1", "routes-2"]
        )

    def test_every_set_names_what_there_is(self):
        groups = {name: [one.name for one in curve] for name, curve in workloads.points().items()}
        for one in SETS.values():
            workloads.named(chosen(one.workloads, [workload.name for workload in workloads.ALL], groups))
            for name in chosen(one.contenders, contenders.names(one.group)):
                self.assertIn(contenders.load(name).group, {one.group, "python"})

    def test_what_a_contender_has_not_is_a_workload(self):
        known = {workload.name for workload in workloads.ALL} | set(workloads.points())
        for name in contenders.names():
            contender = contenders.load(name)
            self.assertLessEqual({*contender.absent, *contender.pending}, known, name)

    def test_an_option_goes_over_its_set(self):
        given = options(["--set", "paired", "--rounds", "9"], "")
        self.assertEqual((given.rounds, given.workloads), (9, SETS["paired"].workloads))


class Generator(unittest.TestCase):
    def test_its_line_is_read_among_others(self):
        self.assertEqual(load.parse('warning\n{"offered":4,"statuses":{"200":4}}\n')["statuses"], {"200": 4})

    def test_of_long_answers_those_are_counted_that_were_served_in_time(self):
        told = {
            "seconds": 2.0,
            "statuses": {"200": 400, "500": 3},
            "broken": 1,
            "busy": 0.5,
            "latency_ms": {"p99": 7.0},
        }
        server = mock.Mock(port=1)
        server.usage.side_effect = [Usage(1.0, 0), Usage(2.0, 0)]
        [workload] = workloads.named(["stream"])
        with mock.patch.object(load, "bulk", return_value=told):
            row = turns.taken(mock.Mock(seconds=2, generator_core=0), workload, server, 1, {})
        self.assertEqual(
            (row["rate"], row["errors"], row["cpu_per_1000"], row["latency_ms"]["p99"]), (200, 4, 2.5, 7.0)
        )

    def test_no_line_is_a_failure_that_quotes_the_output(self):
        with self.assertRaisesRegex(wrk.Failed, "refused"):
            load.parse("connection refused\n")
