"""User code on the worker's loop: tasks, threads, contexts, exceptions, and what is left of a request."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import gc
import logging
import sys
import threading
import time
import weakref
from collections.abc import Callable, Coroutine
from typing import Any

import msgspec
import pytest
from spikard import HTTPException, Spikard
from spikard.testing import TestClient, TestResponse

PROBLEM = {
    "type": "https://spikard.dev/errors/internal-server-error",
    "title": "Internal Server Error",
    "status": 500,
}


class Unwatching(asyncio.SelectorEventLoop):
    """A loop like Windows' default one: it watches no descriptors for others."""

    def add_reader(self, fd: Any, callback: Any, *args: Any) -> Any:  # type: ignore[override]
        raise NotImplementedError


class Slotted(asyncio.SelectorEventLoop):
    """A loop whose attributes nobody can replace."""

    @property
    def __dict__(self) -> Any:  # type: ignore[override]
        raise AttributeError("no attributes here")


def loops() -> list[Callable[[], asyncio.AbstractEventLoop]]:
    kinds: list[Callable[[], asyncio.AbstractEventLoop]] = [asyncio.new_event_loop, Unwatching, Slotted]
    try:
        import uvloop
    except ImportError:
        return kinds
    return [*kinds, uvloop.new_event_loop]


@pytest.fixture(params=loops(), ids=lambda kind: kind.__qualname__)
def run(request: pytest.FixtureRequest) -> Any:
    """Runs a coroutine on every kind of loop."""

    def run(main: Coroutine[Any, Any, Any], debug: bool = False) -> Any:
        loop = request.param()
        loop.set_debug(debug)
        try:
            return loop.run_until_complete(main)
        finally:
            loop.run_until_complete(loop.shutdown_default_executor())
            loop.close()

    return run


async def ask(app: Spikard, *paths: str) -> list[TestResponse]:
    async with TestClient(app) as client:
        handles = [client.get(path) for path in paths]
        return [await handle for handle in handles]


def test_waiting_handlers_wait_together(run: Any) -> None:
    app = Spikard()

    @app.get("/")
    async def sleep() -> str:
        await asyncio.sleep(0.2)
        return "slept"

    began = time.perf_counter()
    answers = run(ask(app, *["/"] * 200))
    assert time.perf_counter() - began < 4  # one after another they take 40 s
    assert [answer.text for answer in answers] == ["slept"] * 200


def test_blocking_handlers_block_threads_and_not_the_loop(run: Any) -> None:
    app, together = Spikard(), threading.Barrier(40)

    @app.get("/")
    def block() -> int:
        together.wait(20)
        return threading.get_ident()

    answers = run(ask(app, *["/"] * 40))
    used = {answer.json() for answer in answers}
    assert len(used) == 40
    assert threading.get_ident() not in used


def test_threads_are_as_many_as_configured() -> None:  # covers config: threads
    app = Spikard(threads=3)
    running: list[int] = []
    most: list[int] = []

    @app.get("/")
    def block() -> None:
        running.append(1)
        most.append(len(running))
        time.sleep(0.02)
        running.pop()

    asyncio.run(ask(app, *["/"] * 12))
    assert max(most) == 3


def test_no_call_is_lost_between_busy_and_idle_threads() -> None:
    app = Spikard(threads=1)

    @app.get("/")
    def short() -> None: ...

    async def one_after_another() -> int:
        async with TestClient(app) as client:
            answers = [await client.get("/") for _ in range(2000)]
        return sum(answer.status_code < 300 for answer in answers)

    assert asyncio.run(one_after_another()) == 2000


def test_a_non_blocking_def_is_called_on_the_loop(run: Any) -> None:
    app = Spikard()

    @app.get("/", sync_to_thread=False)
    def here() -> int:
        return threading.get_ident()

    assert run(ask(app, "/"))[0].json() == threading.get_ident()


def failing_app() -> Spikard:
    app = Spikard()

    @app.get("/raises")
    async def raises() -> None:
        raise ValueError("a secret")

    @app.get("/raises-later")
    async def raises_later() -> None:
        await asyncio.sleep(0)
        raise ValueError("a secret")

    @app.get("/raises-in-a-thread")
    def raises_in_a_thread() -> None:
        raise ValueError("a secret")

    @app.get("/unserialisable")
    async def unserialisable() -> Any:
        return object()

    @app.get("/cancels-itself")
    async def cancels_itself() -> None:
        task = asyncio.current_task()
        assert task is not None
        task.cancel()
        await asyncio.sleep(0)

    @app.get("/raises-cancelled")
    async def raises_cancelled() -> None:
        raise asyncio.CancelledError

    @app.get("/exits")
    async def exits() -> None:
        sys.exit("a secret")

    @app.get("/fine")
    async def fine() -> str:
        return "fine"

    return app


@pytest.mark.parametrize(
    ("path", "raised"),
    [
        ("/raises", "ValueError"),
        ("/raises-later", "ValueError"),
        ("/raises-in-a-thread", "ValueError"),
        ("/unserialisable", "TypeError"),
        ("/cancels-itself", "CancelledError"),
        ("/raises-cancelled", "CancelledError"),
        ("/exits", "SystemExit"),
    ],
)
def test_a_failure_is_a_500_whose_traceback_is_in_the_log(
    run: Any, caplog: pytest.LogCaptureFixture, path: str, raised: str
) -> None:
    with caplog.at_level(logging.ERROR, "spikard.error"):
        failed, fine = run(ask(failing_app(), path, "/fine"))
    assert failed.status_code == 500
    assert failed.headers["content-type"] == "application/problem+json"
    assert failed.json() == PROBLEM
    assert fine.text == "fine"
    (record,) = caplog.records
    assert record.getMessage() == f"GET {path} raised {raised} (request {failed.headers['x-request-id']})"
    assert record.exc_info is not None
    assert record.exc_info[0] is not None
    assert record.exc_info[0].__name__ == raised


def test_an_http_exception_says_what_is_answered(caplog: pytest.LogCaptureFixture) -> None:
    app = Spikard()

    @app.get("/")
    async def refuse() -> None:
        raise HTTPException(
            429, "slow down", {"retry-after": "3"}, type="https://example.com/slow", title="Slow", extra={"left": [0]}
        )

    (answer,) = asyncio.run(ask(app, "/"))
    assert answer.status_code == 429
    assert answer.headers["retry-after"] == "3"
    assert answer.json() == {
        "type": "https://example.com/slow",
        "title": "Slow",
        "status": 429,
        "detail": "slow down",
        "left": [0],
    }
    assert not caplog.records


def test_the_detail_of_an_http_exception_may_be_any_json_value() -> None:
    app = Spikard()

    @app.get("/")
    def refuse() -> None:
        raise HTTPException(400, {"why": ["a", 1]})

    (answer,) = asyncio.run(ask(app, "/"))
    assert (answer.status_code, answer.json()["detail"]) == (400, {"why": ["a", 1]})


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
            first, second = client.get("/a"), client.get("/b")
            time.sleep(0.05)  # both lie in the queue when the loop looks
            await first
            await second

    asyncio.run(main())
    assert order == ["a", "b", "tick after a", "tick after b"]


def test_an_awaitable_that_is_no_coroutine_is_awaited() -> None:
    app = Spikard()

    class Later:
        def __await__(self) -> Any:
            yield from asyncio.sleep(0).__await__()
            return "later"

    class Handler:
        __name__ = "handler"

        async def __call__(self) -> Any:
            return await Later()

    app.get("/")(Handler())
    assert asyncio.run(ask(app, "/"))[0].text == "later"


def test_a_request_timeout_cancels_the_handler(run: Any) -> None:
    log: list[str] = []
    app = Spikard(request_timeout=0.05)

    @app.get("/async")
    async def forever() -> None:
        try:
            await asyncio.sleep(1000)
        except asyncio.CancelledError:
            await asyncio.sleep(0)
            log.append("cancelled")
            raise

    async def main() -> TestResponse:
        async with TestClient(app) as client:
            answer = await client.get("/async")
            await asyncio.sleep(0.05)
            return answer

    assert run(main()).status_code == 408
    assert log == ["cancelled"]


def test_a_def_that_still_waits_for_a_thread_never_runs_once_its_request_is_over() -> None:
    ran: list[str] = []
    app = Spikard(threads=1, request_timeout=0.05)

    @app.get("/{name}")
    def block(name: str) -> None:
        ran.append(name)
        time.sleep(0.2)

    async def main() -> list[int]:
        async with TestClient(app) as client:
            running, queued = client.get("/running"), client.get("/queued")
            statuses = [(await running).status_code, (await queued).status_code]
            await asyncio.sleep(0.3)
            return statuses

    assert asyncio.run(main()) == [408, 408]
    assert ran == ["running"]


def test_more_requests_than_may_be_in_flight_are_refused() -> None:  # covers config: max_in_flight
    app = Spikard(max_in_flight=2)

    @app.get("/")
    async def wait() -> None:
        await asyncio.sleep(0.05)

    answers = asyncio.run(ask(app, "/", "/", "/"))
    assert sorted(answer.status_code for answer in answers) == [200, 200, 503]


def test_a_handler_that_ignores_its_cancellation_is_given_up_after_the_grace() -> None:  # covers config: cancel_grace
    app = Spikard(request_timeout=0.02, cancel_grace=0.1, max_in_flight=1)
    ended: list[float] = []

    @app.get("/stubborn")
    async def stubborn() -> None:
        for _ in range(6):
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.sleep(0.1)
        ended.append(time.perf_counter())

    @app.get("/next")
    async def following() -> str:
        return "next"

    async def main() -> None:
        async with TestClient(app) as client:
            began = time.perf_counter()
            assert (await client.get("/stubborn")).status_code == 408
            while (await client.get("/next")).status_code == 503:
                await asyncio.sleep(0.01)
            assert 0.1 < time.perf_counter() - began < 0.4
            assert not ended
            while not ended:
                await asyncio.sleep(0.01)

    asyncio.run(main())


class Order(msgspec.Struct):
    id: int
    tags: list[str]


def test_a_body_reaches_the_handler_as_its_type_and_goes_back_uncopied() -> None:
    app = Spikard()

    @app.post("/")
    async def echo(order: Order) -> Order:
        assert type(order) is Order
        return order

    order = {"id": 7, "tags": ["x" * 1000] * 50}
    with TestClient(app) as client:
        assert client.post("/", json=order).json() == order
        refused = client.post("/", json={"id": "x", "tags": []})
    assert refused.status_code == 422
    assert [error["loc"] for error in refused.json()["errors"]] == [["body", "id"]]


def test_nothing_of_a_request_outlives_it(run: Any) -> None:
    class Holder(Exception):
        pass

    holders: weakref.WeakSet[Holder] = weakref.WeakSet()
    app = Spikard()

    def hold() -> Holder:
        holder = Holder()
        holder.task = asyncio.current_task()  # type: ignore[attr-defined]
        holders.add(holder)
        return holder

    @app.get("/local")
    async def local() -> str:
        held = hold()
        await asyncio.sleep(0)
        return type(held).__name__

    @app.get("/raised")
    async def raised() -> str:
        await asyncio.sleep(0)
        raise hold()

    @app.get("/forever")
    async def forever() -> str:
        held = hold()
        await asyncio.sleep(1000)
        return type(held).__name__

    async def main() -> None:
        client = TestClient(app)
        await client.__aenter__()
        for path in ("/local", "/raised") * 3:
            await client.get(path)
        unheard = client.get("/forever")
        while not holders:
            await asyncio.sleep(0)
        await client.__aexit__(KeyError, KeyError(), None)
        with pytest.raises(RuntimeError, match="closed"):
            await unheard

    logging.getLogger("spikard.error").addHandler(quiet := logging.NullHandler())
    logging.getLogger("spikard.error").propagate = False
    try:
        run(main())
    finally:
        logging.getLogger("spikard.error").removeHandler(quiet)
        logging.getLogger("spikard.error").propagate = True
    gc.collect()
    assert not list(holders)


def test_ten_thousand_requests_leave_nothing_behind() -> None:
    app = Spikard()

    @app.get("/{number}")
    async def task(number: int) -> dict[str, int]:
        if number % 2:
            await asyncio.sleep(0)
        return {"number": number}

    @app.get("/def/{number}")
    def thread(number: int) -> dict[str, int]:
        return {"number": number}

    async def some(client: TestClient, count: int) -> None:
        for start in range(0, count, 100):
            handles = [client.get(f"{'/def' * (number % 10 == 0)}/{number}") for number in range(start, start + 100)]
            for handle in handles:
                await handle

    async def main() -> tuple[int, int]:
        async with TestClient(app) as client:
            await some(client, 2_000)
            gc.collect()
            blocks, objects = sys.getallocatedblocks(), len(gc.get_objects())
            await some(client, 10_000)
            gc.collect()
            return sys.getallocatedblocks() - blocks, len(gc.get_objects()) - objects

    blocks, objects = asyncio.run(main())
    assert blocks < 1_000
    assert objects < 200


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


def test_several_workers_share_a_loop(run: Any) -> None:
    def numbered(number: int) -> Spikard:
        app = Spikard()

        @app.get("/")
        async def which() -> int:
            await asyncio.sleep(0)
            return number

        return app

    async def main() -> list[int]:
        async with TestClient(numbered(1)) as first, TestClient(numbered(2)) as second:
            handles = [first.get("/"), second.get("/"), first.get("/")]
            return [(await handle).json() for handle in handles]

    assert run(main()) == [1, 2, 1]
