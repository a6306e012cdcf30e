"""The script of the generator, and what is read from it."""

from __future__ import annotations

import unittest

import workloads
import wrk

OUTPUT = """Running 2s test @ http://127.0.0.1:8000/
  Non-2xx or 3xx responses: 7

measured {"requests":1000,"microseconds":2000000,"bytes":5,"statuses":7,"connect":0,"read":1,"write":0,"timeout":2,"max":9000,"p50":700,"p75":800,"p90":900,"p99":1300,"p99.9":2500}
"""


class Output(unittest.TestCase):
    def test_rate_and_percentiles_are_read(self):
        got = wrk.parse(OUTPUT, refused=False)
        self.assertEqual(got.rate, 500)
        self.assertEqual(got.latency["p50"], 0.7)
        self.assertEqual(got.latency["p99.9"], 2.5)
        self.assertEqual(got.latency["max"], 9)

    def test_refusals_and_lost_connections_are_errors(self):
        self.assertEqual(wrk.parse(OUTPUT, refused=False).errors, 7 + 1 + 2)

    def test_where_refusals_are_wanted_the_others_are_errors(self):
        self.assertEqual(wrk.parse(OUTPUT, refused=True).errors, 993 + 1 + 2)

    def test_no_result_is_a_failure_that_quotes_the_output(self):
        with self.assertRaisesRegex(wrk.Failed, "unable to connect"):
            wrk.parse("unable to connect to 127.0.0.1:1\n", refused=False)


class Script(unittest.TestCase):
    def test_bytes_that_lua_would_read_otherwise_are_escaped(self):
        self.assertEqual(wrk.quoted(b'a"\\\r\n\x00\xff1'), '"a\\034\\092\\013\\010\\000\\2551"')

    def test_every_variant_stands_in_the_script(self):
        (workload,) = workloads.named(["path-int"])
        text = wrk.script(workload, "host")
        self.assertEqual(text.count("GET /path/int/"), workload.variants)
        self.assertIn("for _, one in ipairs({50, 75, 90, 99, 99.9}) do", text)


class Catalogue(unittest.TestCase):
    def test_bodies_have_their_sizes_and_differ(self):
        for workload in workloads.named(["json-small", "json-medium", "json-large", "json-very-large"]):
            bodies = [exchange.body for exchange in workload.exchanges()]
            self.assertEqual(len(set(bodies)), len(bodies), workload.name)

    def test_a_request_on_the_wire_tells_the_length_of_its_body(self):
        (workload,) = workloads.named(["json-small"])
        head, _, body = workload.exchange(3).wire("host").partition(b"\r\n\r\n")
        self.assertEqual(len(body), 86)
        self.assertIn(b"Content-Length: 86", head)

    def test_an_unknown_workload_is_told_with_the_known_ones(self):
        with self.assertRaisesRegex(SystemExit, "no such workload: json-tiny; there are json-small"):
            workloads.named(["json-tiny"])
