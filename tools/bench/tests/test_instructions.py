"""Answers on the wire and the dumps of callgrind."""

from __future__ import annotations

import unittest

import instructions
import surroundings


class Answers(unittest.TestCase):
    def test_an_answer_ends_with_its_length(self):
        answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
        self.assertEqual(instructions.whole(answer + b"HTTP"), len(answer))
        self.assertIsNone(instructions.whole(answer[:-1]))

    def test_a_chunked_answer_ends_with_its_last_chunk(self):
        answer = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"
        self.assertEqual(instructions.whole(answer), len(answer))
        self.assertIsNone(instructions.whole(answer[:-3]))

    def test_a_head_that_is_not_complete_is_no_answer(self):
        self.assertIsNone(instructions.whole(b"HTTP/1.1 200 OK\r\nContent-Le"))


class Dumps(unittest.TestCase):
    def test_the_total_of_a_dump_is_read(self):
        self.assertEqual(instructions.total("events: Ir\nfn=a\n1 2\n\ntotals: 5342\n"), 5342)
        self.assertEqual(instructions.total("summary: 17\n"), 17)

    def test_a_dump_without_a_total_is_a_failure(self):
        with self.assertRaises(instructions.Broken):
            instructions.total("events: Ir\n")

    def test_a_failed_count_is_told(self):
        self.assertEqual(instructions.cell("no answer"), "failed: no answer")
        self.assertEqual(instructions.cell([100.0, 102.0, 101.0]), "101 ±1.0 %")


class Commands(unittest.TestCase):
    """What is said where callgrind cannot be told anything."""

    def test_the_last_line_of_one_that_fails_is_told(self):
        self.assertEqual(instructions.said(["sh", "-c", "echo first; echo why >&2; exit 1"], 10), "why")

    def test_one_that_is_not_there_is_named(self):
        with self.assertRaisesRegex(instructions.Broken, "no-such-command is not there"):
            instructions.said(["no-such-command", "--dump"], 10)

    def test_one_that_does_not_end_is_given_up(self):
        with self.assertRaisesRegex(instructions.Broken, "no end of `sleep 100` within"):
            instructions.said(["sleep", "100"], 0.1)


class Locks(unittest.TestCase):
    def test_the_versions_that_matter_are_read_from_a_lock_file(self):
        lock = '[[package]]\nname = "hyper"\nversion = "1.2.3"\n\n[[package]]\nname = "itoa"\nversion = "1.0.0"\n'
        self.assertEqual(surroundings.locked(lock), {"hyper": "1.2.3"})
