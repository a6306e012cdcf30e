"""Requests that end otherwise than by an answer leave the server as it was."""

from __future__ import annotations

import os
import time

import pytest

from .doors import TIME, Door, Served, no_task_is_left, until


def test_a_handler_that_never_ends_is_answered_408_and_ended(door: Door) -> None:
    assert door.get("/never")[0] == 408
    assert door.get("/plain") == (200, "plain")
    until(door, ["never"])
    no_task_is_left(door)


def test_a_handler_that_swallows_its_cancellation_answers_nobody(door: Door) -> None:
    assert door.get("/swallows")[0] == 408
    until(door, ["swallowed"])
    no_task_is_left(door)


def test_a_handler_that_cancels_itself_is_a_500(door: Door) -> None:
    status, problem = door.get("/cancels-itself")
    assert (status, problem["title"]) == (500, "Internal Server Error")
    assert door.get("/plain") == (200, "plain")


@pytest.mark.parametrize("path", ["/returns-late", "/returns-late-def"])
def test_a_handler_whose_client_has_left_goes_on_to_its_end(server: Served, path: str) -> None:
    with server.send(path):
        assert server.line() == "returns"
    until(server, ["returns", "returned"])
    assert server.get("/plain") == (200, "plain")


def test_a_handler_that_asks_for_it_is_cancelled_when_its_client_leaves(server: Served) -> None:
    with server.send("/leaves"):
        assert server.line() == "leaves"
    until(server, ["leaves", "cancelled"])


@pytest.mark.skipif(not os.path.isdir("/proc/self/task"), reason="counts threads and descriptors in /proc")
def test_ten_thousand_cancelled_requests_leave_nothing_behind(server: Served) -> None:
    leave(server, 1_000)
    growth: list[int] = []
    while len(growth) < 2 or growth[-1] >= 3 * 1024 * 1024:
        # What is kept for ever grows each time; what a collector or an allocator keeps grows until it has settled.
        assert len(growth) < 6, growth
        before = server.get("/held")[1]
        leave(server, 5_000)
        after = server.get("/held")[1]
        assert after["tasks"] <= before["tasks"]
        assert after["threads"] <= before["threads"]
        assert after["descriptors"] <= before["descriptors"] + 1  # a socket that closes meanwhile
        assert after["objects"] - before["objects"] < 1_000
        growth.append(after["memory"] - before["memory"])
    print(f"growth of memory in each 5,000 requests: {growth}")


def leave(server: Served, count: int) -> None:
    """Sends so many requests and leaves as soon as their handlers run."""
    for start in range(0, count, 100):
        connections = [server.send("/leaves") for _ in range(start, start + 100)]
        for _ in connections:
            assert server.line() == "leaves"
        for connection in connections:
            connection.close()
        deadline = time.monotonic() + TIME
        cancelled = 0
        while cancelled < 100:
            assert time.monotonic() < deadline, cancelled
            cancelled += server.get("/events")[1].count("cancelled")
