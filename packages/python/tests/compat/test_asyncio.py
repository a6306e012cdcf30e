"""What asyncio promises to a coroutine holds inside a handler."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from .doors import Door, InProcess, Served

from_311 = pytest.mark.skipif(sys.version_info < (3, 11), reason="came with 3.11")


def test_a_handler_is_the_current_task_and_one_of_all_tasks(door: Door) -> None:
    assert door.get("/task") == (200, [True] * 5)


def test_no_task_is_left_when_its_request_has_its_answer(door: Door) -> None:
    for path in ("/task", "/wait-for", "/executor"):
        door.get(path)
    assert door.get("/tasks-left") == (200, 0)


def test_wait_for_times_out(door: Door) -> None:
    assert door.get("/wait-for") == (200, "timed out")


@from_311
def test_timeout_cancels_the_block_and_not_the_handler(door: Door) -> None:
    assert door.get("/timeout") == (200, ["timed out", 0])


@from_311
def test_a_task_group_waits_for_its_tasks_and_cancels_the_others_of_one_that_fails(door: Door) -> None:
    assert door.get("/group") == (200, [1, 2, ["ValueError('failed')"]])


def test_what_is_shielded_goes_on(door: Door) -> None:
    assert door.get("/shield") == (200, ["timed out", True])


def test_locks_events_and_queues_work(door: Door) -> None:
    assert door.get("/primitives") == (200, [0, 1, 2])


def test_the_executor_runs_elsewhere_and_its_exceptions_come_back(door: Door) -> None:
    assert door.get("/executor") == (200, [False, "raised", 7])


def test_a_subprocess_is_talked_to_and_waited_for(door: Door) -> None:
    assert door.get("/subprocess") == (200, ["told", 3])


def test_a_signal_handler_of_the_loop_is_called(server: Served) -> None:
    assert server.get("/signal") == (200, "heard")
    assert server.get("/plain") == (200, "plain")


def test_a_child_that_is_cancelled_does_not_cancel_the_handler(door: Door) -> None:
    assert door.get("/interrupts-a-child") == (200, "the child was cancelled")


@pytest.mark.parametrize("path", ["/context", "/context-def"])
def test_context_variables_of_requests_do_not_mix(door: Door, path: str) -> None:
    names = [f"r{number}" for number in range(40)]
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(door.get, [f"{path}/{name}" for name in names]))
    seen = 3 if path == "/context" else 1
    assert answers == [(200, ["unset", *[name] * seen]) for name in names]


def test_the_loop_answers_others_when_one_handler_has_blocked_it(door: Door) -> None:
    with ThreadPoolExecutor(3) as pool:
        blocked = pool.submit(door.get, "/blocks-the-loop")
        if isinstance(door, InProcess):
            blocked.result()
        else:
            assert door.line() == "blocks"
        others = pool.map(door.get, ["/plain", "/plain-def"])
        assert list(others) == [(200, "plain")] * 2
        assert blocked.result() == (200, "blocked")
    door.get("/events")
