"""User code on the worker's loop: tasks and contexts."""

from __future__ import annotations

import asyncio
import contextvars
import gc
import logging
import sys
import threading
import time
import weakref
from typing import Any

import pytest
from spikard import Spikard
from spikard.testing import TestClient, TestResponse

from .every_loop import ask
from .every_loop import run as run

seen: contextvars.ContextVar[tuple[str, ...]] = contextvars.ContextVar("seen", default=())


def test_contextvars_of_requests_do_not_mix(run: Any) -> None:
    app = Spikard()

    @app.get("/async/{name}")
    async def in_task(name: str) -> list[str]:
        seen.set((*seen.get(), name))
        await asyncio.sleep(0.001)
        return list(seen.get())

    @app.get("/def/{name}")
    def in_thread(name: str) -> list[str]:
        seen.set((*seen.get(), name))
        time.sleep(0.001)
        return list(seen.get())

    @app.get("/inline/{name}", sync_to_thread=False)
    def inline(name: str) -> list[str]:
        seen.set((*seen.get(), name))
        return list(seen.get())

    async def main() -> list[TestResponse]:
        seen.set(("start",))
        names = [f"/{kind}/{number}" for number in range(20) for kind in ("async", "def", "inline")]
        answers = await ask(app, *names)
        assert seen.get() == ("start",)
        return answers

    for answer in run(main()):
        assert answer.json() == ["start", answer.url.rsplit("/", 1)[1]]


def test_what_a_def_sets_is_seen_on_the_loop_by_the_same_request(run: Any) -> None:
    app = Spikard()

    @app.get("/{name}")
    def set_and_raise(name: str) -> None:
        seen.set((name,))
        raise ValueError(name)

    class Noting(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:  # noqa: ARG002
            noted.append((threading.get_ident(), seen.get()))

    noted: list[tuple[int, tuple[str, ...]]] = []
    logger, handler = logging.getLogger("spikard.error"), Noting()
    logger.addHandler(handler)
    try:
        run(ask(app, "/a", "/b"))
    finally:
        logger.removeHandler(handler)
    here = threading.get_ident()
    assert sorted(noted) == [(here, ("a",)), (here, ("b",))]


def test_a_handler_runs_in_a_real_task(run: Any) -> None:
    app = Spikard()

    @app.get("/")
    async def look() -> dict[str, Any]:
        task = asyncio.current_task()
        assert isinstance(task, asyncio.Task)
        told: dict[str, Any] = {"running": repr(task)}
        try:
            await asyncio.wait_for(asyncio.sleep(5), 0.001)
        except asyncio.TimeoutError:
            told["waited"] = "timed out"
        told["same"] = task is asyncio.current_task() and task in asyncio.all_tasks()
        told["suspended"] = await asyncio.gather(describe(task))
        return told

    async def describe(task: asyncio.Task[Any]) -> str:
        await asyncio.sleep(0)
        (frame,) = task.get_stack()
        assert frame.f_code.co_name == "look"
        return repr(task)

    answer = run(ask(app, "/"), debug=True)[0].json()
    assert answer["waited"] == "timed out"
    assert answer["same"]
    assert "request() running" in answer["running"]
    assert "look" in answer["suspended"][0] or "test_worker.py" in answer["suspended"][0]


def test_the_task_of_a_request_is_listed_while_it_waits_and_kept_by_nobody_afterwards(run: Any) -> None:
    app, tasks = Spikard(), []

    @app.get("/")
    async def wait() -> list[bool]:
        task = asyncio.current_task()
        assert task is not None
        tasks.append(weakref.ref(task))
        return await asyncio.gather(asyncio.create_task(is_listed(task)))

    async def is_listed(task: asyncio.Task[Any]) -> bool:
        await asyncio.sleep(0)
        return task in asyncio.all_tasks()

    assert run(ask(app, "/"))[0].json() == [True]
    gc.collect()
    assert [task() for task in tasks] == [None]


@pytest.mark.skipif(sys.version_info < (3, 11), reason="asyncio.timeout and TaskGroup came with 3.11")
def test_timeouts_and_task_groups_work(run: Any) -> None:
    app = Spikard()

    @app.get("/")
    async def group() -> list[Any]:
        try:
            async with asyncio.timeout(0.005):
                await asyncio.sleep(5)
        except TimeoutError:
            timed_out = True
        async with asyncio.TaskGroup() as tasks:
            child = tasks.create_task(asyncio.sleep(0.001, 7))
        task = asyncio.current_task()
        assert task is not None
        return [timed_out, child.result(), task.cancelling()]

    assert run(ask(app, "/"))[0].json() == [True, 7, 0]


def test_the_first_step_of_a_task_is_eager_where_the_loop_allows_it() -> None:
    order: list[str] = []
    app = Spikard()

    @app.get("/{name}")
    async def note(name: str) -> None:
        asyncio.get_running_loop().call_soon(order.append, f"tick after {name}")
        order.append(name)

    async def main() -> None:
        async with TestClient(app) as client:
            for _ in range(20):  # whatever takes long lets answers leave first, and the second request waits for a turn
                order.clear()
                first, second = client.get("/a"), client.get("/b")
                time.sleep(0.1)  # both lie in the queue when the loop looks
                await first
                await second
                if order == ["a", "b", "tick after a", "tick after b"]:
                    return
        pytest.fail(f"the first steps came one turn after the other: {order}")

    asyncio.run(main())


def test_a_task_cannot_be_stepped_from_inside_itself() -> None:
    app = Spikard()

    @app.get("/")
    async def reenter() -> str:
        task = asyncio.current_task()
        assert task is not None
        with pytest.raises(RuntimeError, match="borrowed"):
            task.get_coro().send(None)
        return "refused"

    assert asyncio.run(ask(app, "/"))[0].text == "refused"
