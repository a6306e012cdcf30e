"""A run as Markdown and as a picture."""

from __future__ import annotations

import unittest
from xml.etree import ElementTree

import plots
import table


def turns(*rates: float) -> dict:
    latency = {"p50": 1.0, "p99": 2.0, "p99.9": 3.0, "max": 4.0}
    one = {"errors": 0, "cpu_per_1000": 0.01, "latency_ms": latency}
    return {"rounds": {str(number): {**one, "rate": rate} for number, rate in enumerate(rates, 1)}}


def made(**cells: dict) -> dict:
    names = {name: name.title() for name in cells}
    settings = {"rounds": 3, "seconds": 1, "warm_up": 1, "server_cores": [1], "generator_core": 0, "base": "first"}
    about = {"title": "GET & more", "connections": 64, "load": "closed", "axis": "", "at": 0}
    settings |= {"contenders": names, "notes": {}, "workloads": {"hello": about}, "later": {"sse": "waits"}}
    servers = {name: {"first_answer_seconds": [0.2], "memory": {"start": 2**20}} for name in cells}
    head = {"began": "today", "machine": {"cores": 2}, "versions": {"first": {"hyper": "1.0"}}, "settings": settings}
    return {**head, "cells": {"hello": cells}, "servers": servers}


def line(document: str, begin: str) -> str:
    return next(one for one in document.splitlines() if one.startswith(begin))


class Tables(unittest.TestCase):
    def test_ratios_are_to_the_base_and_the_quickest_stands_first(self):
        document = table.render(made(first=turns(100, 100, 100), second=turns(150, 160, 140)))
        self.assertIn("1.50 [1.4", line(document, "| Second"))
        self.assertLess(document.index("| Second"), document.index("| First"))

    def test_a_failed_cell_stays_with_its_reason(self):
        document = table.render(made(first=turns(100), second={"rounds": {}, "failed": "gate | status 500"}))
        self.assertIn("failed: gate \\| status 500", line(document, "| Second"))

    def test_a_contender_that_is_not_there_stays_with_its_reason(self):
        run = made(first=turns(100), second={})
        run["servers"]["second"] = {"failed": "cannot be installed: no compiler"}
        document = table.render(run)
        self.assertEqual(document.count("failed: cannot be installed: no compiler"), 2)

    def test_one_that_does_not_validate_is_not_compared(self):
        cell = {**turns(500, 500), "mark": "does not validate: /x"}
        document = table.render(made(first=turns(100, 100), second=cell))
        self.assertIn("not compared", line(document, "| Second"))

    def test_where_the_base_has_no_part_the_first_that_has_is_the_base(self):
        document = table.render(made(first={"rounds": {}, "absent": "no streams"}, second=turns(6), third=turns(3)))
        self.assertIn("| Second | 6 | 1 |", document)
        self.assertIn("| 0.50 ", line(document, "| Third"))

    def test_a_base_that_failed_gives_no_ratio(self):
        document = table.render(made(first={"rounds": {}, "failed": "gone"}, second=turns(5, 6)))
        self.assertIn("| – |", line(document, "| Second"))

    def test_machine_and_versions_are_told(self):
        document = table.render(made(first=turns(1)))
        self.assertIn("- cores: 2", document)
        self.assertIn("- first: hyper 1.0", document)


class Pictures(unittest.TestCase):
    def test_a_picture_has_a_bar_for_each_that_was_timed(self):
        run = made(first=turns(100, 200, 300), second=turns(50, 60), third={"rounds": {}, "failed": "gone"})
        picture = ElementTree.fromstring(plots.bars(run, "hello"))
        bars = [one for one in picture if one.tag.endswith("rect")][1:]
        self.assertEqual(len(bars), 2)
        widest, other = (float(one.get("width")) for one in bars)
        self.assertAlmostEqual(widest / other, 200 / 55, places=1)

    def test_a_picture_without_a_result_is_a_picture(self):
        run = made(first={"rounds": {}, "failed": "gone"})
        self.assertIsNotNone(ElementTree.fromstring(plots.bars(run, "hello")))
