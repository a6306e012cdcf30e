"""What the gate takes for right."""

from __future__ import annotations

import json
import unittest

import corpus
import gate
import workloads
from exchanges import Exchange, get

WRONG = Exchange("GET", "/x", refused=("page", "sale"))


class Answers(unittest.TestCase):
    def test_the_value_counts_and_not_its_spelling(self):
        self.assertEqual(gate.difference(get("/x", {"a": 1, "b": 2}), 200, "application/json", b'{"b": 2,"a":1}'), "")

    def test_another_value_is_wrong(self):
        self.assertIn("another value", gate.difference(get("/x", {"a": 1}), 200, "application/json", b'{"a":"1"}'))

    def test_a_body_that_is_no_json_is_wrong(self):
        self.assertIn("another value", gate.difference(get("/x", {"a": 1}), 200, "application/json", b"{"))

    def test_another_content_type_is_wrong(self):
        self.assertIn("wanted text/plain", gate.difference(get("/x", "hi"), 200, "application/json", b"hi"))

    def test_another_status_is_wrong(self):
        self.assertIn("status 500", gate.difference(get("/x", "hi"), 500, "text/plain", b"hi"))


class Cases(unittest.TestCase):
    def test_a_case_is_asked_as_any_contender_answers_it(self):
        fine, wrong = corpus.exchanges("json-small")
        self.assertEqual(fine.answer, {**json.loads(fine.body)})
        self.assertEqual(wrong.refused, ("name", "price", "quantity"))

    def test_types_that_echo_names_are_left_out(self):
        self.assertEqual(corpus.plain({"value": {"$date": "2026-01-31"}}), {"value": "2026-01-31"})

    def test_every_case_asks_a_route_of_its_workload(self):
        for name, cases in workloads.CASES.items():
            (workload,) = workloads.named([name])
            routes = {one.target.split("/")[1] for one in workload.exchanges()}
            told = {one.target.split("/")[1] for case in cases for one in corpus.exchanges(case)}
            self.assertTrue(routes <= told, name)


class Refusals(unittest.TestCase):
    def test_all_fields_named_leaves_no_mark(self):
        self.assertEqual(gate.marked([(WRONG, 422, "", b"page, sale")], whole=False), ("", ""))

    def test_fields_that_are_not_named_are_counted(self):
        answers = [(WRONG, 400, "", b"page"), (Exchange("GET", "/y", refused=("",)), 400, "", b"")]
        self.assertEqual(gate.marked(answers, whole=False), ("", "names 1 of 2 wrong fields"))

    def test_what_passes_is_marked_as_not_validated(self):
        wrong, mark = gate.marked([(WRONG, 200, "", b"page, sale")], whole=False)
        self.assertEqual(wrong, "")
        self.assertTrue(mark.startswith("does not validate"))

    def test_what_passes_is_not_timed_where_refusing_is_the_workload(self):
        self.assertIn("status 200", gate.marked([(WRONG, 200, "", b"")], whole=True)[0])

    def test_a_crash_is_no_refusal(self):
        self.assertIn("status 500", gate.marked([(WRONG, 500, "", b"page, sale")], whole=False)[0])
