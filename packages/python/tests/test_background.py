"""Background tasks: when they run, where, in which context, and what bounds them."""

from __future__ import annotations

import asyncio
import contextvars
import logging
import threading
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from spikard import (
    BackgroundConfig,
    BackgroundTasks,
    HTTPException,
    Request,
    Response,
    Spikard,
    StreamingResponse,
    TestClient,
)
from spikard import background as module
from spikard.background import run

from .serving import serving

user: contextvars.ContextVar[str] = contextvars.ContextVar("user", default="nobody")


def test_the_function_is_found_in_the_package_and_in_its_module() -> None:
    import spikard

    assert spikard.background is module
    assert module.run is run


def seen(app: Spikard, path: str = "/") -> int:
    """The status of the answer, once its tasks have run."""
    with TestClient(app) as client:
        return client.get(path).status_code


async def coroutine(out: list[Any], *said: Any) -> None:
    await asyncio.sleep(0)
    out.append(("loop", *said, user.get()))


def function(out: list[Any], *said: Any) -> None:
    out.append(("loop" if asyncio._get_running_loop() else "thread", *said, user.get()))


@pytest.mark.parametrize("is_async", [True, False])
def test_coroutines_functions_and_lambdas_run_in_the_context_of_their_request(is_async: bool) -> None:
    app = Spikard()
    out: list[Any] = []

    def ask() -> None:
        user.set("ada")
        run(coroutine(out, 1))
        run(coroutine, out, 2)
        run(function, out, 3)
        run(lambda: function(out, 4))
        run(lambda: coroutine(out, 5))
        user.set("later")

    async def asynchronous() -> str:
        ask()
        return "sent"

    def synchronous() -> str:
        ask()
        return "sent"

    app.get("/")(asynchronous if is_async else synchronous)
    assert seen(app) == 200
    assert sorted(out, key=lambda one: one[1]) == [
        ("loop", 1, "ada"),
        ("loop", 2, "ada"),
        ("thread", 3, "ada"),
        ("thread", 4, "ada"),
        ("loop", 5, "ada"),
    ]


def test_a_task_begins_when_the_whole_response_has_been_sent() -> None:
    app = Spikard()
    out: list[str] = []

    async def pieces() -> AsyncIterator[str]:
        for piece in "abc":
            await asyncio.sleep(0.01)
            out.append(piece)
            yield piece
        run(out.append, "asked for by the stream")

    @app.get("/")
    async def handler() -> StreamingResponse:
        run(out.append, "task")
        return StreamingResponse(pieces())

    assert seen(app) == 200
    assert out[:3] == ["a", "b", "c"]
    assert sorted(out[3:]) == ["asked for by the stream", "task"]


def test_a_task_asked_for_within_a_task_group_waits_for_the_response_too() -> None:
    app = Spikard()
    out: list[str] = []

    @app.get("/")
    async def handler() -> str:
        async def child() -> None:
            run(out.append, "task")

        await asyncio.gather(child(), asyncio.to_thread(run, out.append, "task"))
        await asyncio.sleep(0.02)
        out.append("handler")
        return "x"

    assert seen(app) == 200
    assert out == ["handler", "task", "task"]


def test_a_task_may_ask_for_another() -> None:
    app = Spikard()
    out: list[str] = []

    def first() -> None:
        out.append("first")
        run(second)

    async def second() -> None:
        out.append("second")
        run(out.append, "third")

    @app.get("/")
    async def handler() -> None:
        run(first)

    assert seen(app) == 200
    assert out == ["first", "second", "third"]


@pytest.mark.parametrize("fault", [HTTPException(409), ValueError("x")])
def test_a_request_that_fails_takes_back_what_it_asked_for(fault: Exception) -> None:
    app = Spikard()
    out: list[Any] = []

    @app.get("/")
    async def handler() -> None:
        run(out.append, "task")
        run(coroutine(out))
        raise fault

    assert seen(app) in (409, 500)
    assert out == []


@pytest.mark.parametrize(
    ("target", "status", "kept"),
    [
        ("/items/1", 200, ["in", "handler", "out"]),
        ("/items/x", 422, ["in", "out"]),
        ("/nowhere", 404, ["in", "out"]),
        ("/items/1?fault=gone", 410, ["out"]),
        ("/items/1?fault=broken", 500, ["out"]),
        ("/recovered", 409, ["recovered", "out"]),
    ],
)
def test_a_refusal_takes_nothing_back_and_an_exception_all_that_came_before(
    target: str, status: int, kept: list[str]
) -> None:
    class Odd(Exception):
        pass

    # Two more than a request takes: a task that has run may not have given its place back yet.
    app, out = Spikard(background_tasks=BackgroundConfig(max_queue=5)), list[str]()
    app.on_request(lambda _: run(out.append, "in"))
    app.on_response(lambda _: run(out.append, "out"))

    @app.get("/items/{number}")
    def item(number: int, fault: str | None = None) -> None:
        run(out.append, "handler")
        if fault is not None:
            raise HTTPException(410) if fault == "gone" else RuntimeError(fault)

    @app.get("/recovered")
    def odd() -> None:
        raise Odd

    @app.exception_handler(Odd)
    def recover(request: Request, error: Odd) -> Response:
        run(out.append, "recovered")
        return Response(status_code=409)

    with TestClient(app, raise_server_exceptions=False) as client:
        for times in range(1, 9):  # more than the queue holds: each gives its places back
            assert client.get(target).status_code == status
            for _ in range(200):
                if len(out) == times * len(kept):
                    break
                time.sleep(0.01)
    assert sorted(out) == sorted(kept * 8)


def test_a_result_that_cannot_be_sent_takes_the_tasks_back() -> None:
    app = Spikard()
    out: list[Any] = []

    @app.get("/")
    async def handler() -> object:
        run(out.append, "task")
        return object()

    assert seen(app) == 500
    assert out == []


@pytest.mark.parametrize("raised", [LookupError, SystemExit])
@pytest.mark.parametrize("kind", ["async", "sync", "returned"])
def test_what_a_task_raises_is_logged_with_route_and_request(
    kind: str, raised: type[BaseException], caplog: pytest.LogCaptureFixture
) -> None:
    app = Spikard()

    async def asynchronous() -> None:
        raise raised("secret")

    def synchronous() -> None:
        raise raised("secret")

    work = {"async": asynchronous, "sync": synchronous, "returned": lambda: asynchronous()}[kind]

    @app.get("/items")
    async def handler() -> str:
        run(work)
        return "sent"

    with caplog.at_level(logging.ERROR, "spikard.error"):
        assert seen(app, "/items") == 200
    [record] = caplog.records
    assert f"GET /items raised {raised.__name__} (request " in record.getMessage()


# covers config: background_tasks
def test_a_full_queue_is_a_503_and_takes_the_tasks_back() -> None:
    app = Spikard(background_tasks=BackgroundConfig(max_queue=2))
    out: list[int] = []

    @app.get("/{count}")
    async def handler(count: int) -> str:
        for number in range(count):
            run(out.append, number)
        return "sent"

    with TestClient(app) as client:
        for _ in range(3):
            refused = client.get("/3")
            assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
        assert client.get("/2").status_code == 200
    assert sorted(out) == [0, 1]


def test_a_full_queue_may_be_handled() -> None:
    app = Spikard(background_tasks={"max_queue": 1})

    @app.get("/")
    async def handler() -> str:
        run(print, "", end="")
        try:
            run(print)
        except module.QueueFull as full:
            return str(full)
        return "not full"

    with TestClient(app) as client:
        assert client.get("/").text == "the queue of background tasks is full"


def test_no_more_tasks_run_than_may() -> None:
    app = Spikard(background_tasks=BackgroundConfig(max_concurrent=2))
    running, most = 0, 0

    async def work() -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.005)
        running -= 1

    @app.get("/")
    async def handler() -> None:
        for _ in range(10):
            run(work)

    assert seen(app) == 200
    assert (running, most) == (0, 2)


def test_without_a_request_nothing_can_be_asked_for() -> None:
    for work in (print, coroutine([])):
        with pytest.raises(RuntimeError, match="belongs to a request of a running app"):
            run(work)  # type: ignore[arg-type]


@pytest.mark.parametrize("work", [5, None, "text"])
def test_what_cannot_be_run_is_refused(work: Any) -> None:
    with pytest.raises(TypeError, match="a function or a coroutine"):
        run(work)


def test_tasks_where_they_are_off_are_a_503() -> None:
    app = Spikard(background_tasks=False)

    @app.get("/")
    async def handler() -> None:
        run(print)

    assert seen(app) == 503


@pytest.mark.parametrize("make", [lambda out: lambda: function(out), lambda out: coroutine(out)])
def test_a_response_brings_its_own_task(make: Callable[[list[Any]], Any]) -> None:
    app = Spikard()
    out: list[Any] = []

    @app.get("/")
    async def handler() -> Response:
        return Response("x", background=make(out))

    assert seen(app) == 200
    assert len(out) == 1


@pytest.mark.parametrize("is_async", [True, False])
def test_background_tasks_run_in_their_order(is_async: bool) -> None:
    app = Spikard()
    out: list[Any] = []

    def fill(tasks: BackgroundTasks) -> None:
        tasks.add_task(coroutine, out, 1)
        tasks.add_task(function, out, 2)
        tasks.add_task(coroutine, out, 3)

    async def asynchronous(tasks: BackgroundTasks) -> None:
        fill(tasks)

    def synchronous(tasks: BackgroundTasks) -> None:
        fill(tasks)

    app.get("/")(asynchronous if is_async else synchronous)
    assert seen(app) == 200
    assert [one[1] for one in out] == [1, 2, 3]


def test_a_shut_down_waits_for_the_tasks_and_then_ends_them() -> None:
    out: list[str] = []

    async def work(seconds: float) -> None:
        try:
            await asyncio.sleep(seconds)
            out.append("done")
        except asyncio.CancelledError:
            out.append("cancelled")
            raise

    for seconds, drain, said in ((0.05, 20, "done"), (600, 0.05, "cancelled")):
        app = Spikard(background_tasks=BackgroundConfig(drain_timeout=drain), shutdown_timeout=20)

        @app.get("/{seconds}")
        async def handler(seconds: float) -> None:
            run(work, seconds)

        import http.client

        with serving(app) as served:
            connection = http.client.HTTPConnection(*served.address)
            connection.request("GET", f"/{seconds}")
            assert connection.getresponse().status == 200
            connection.close()
        assert out.pop() == said


def test_a_client_that_is_left_waits_for_functions_of_background_tasks() -> None:
    app = Spikard()
    out: list[str] = []
    free = threading.Event()

    def blocks() -> None:
        out.append("begun")
        free.wait(20)
        out.append("done")

    @app.get("/")
    async def handler(tasks: BackgroundTasks) -> None:
        tasks.add_task(blocks)
        tasks.add_task(out.append, "behind it")

    @app.on_shutdown
    def shut_down() -> None:
        out.append("shut-down")

    def leave() -> None:
        with TestClient(app) as client:
            client.get("/")
            while not out:
                time.sleep(0.001)
            threading.Timer(1.0, free.set).start()  # by then it has been cancelled
            raise KeyError

    with pytest.raises(KeyError):
        leave()
    assert out == ["begun", "done", "shut-down"]


def test_thousands_of_tasks_leave_nothing_behind() -> None:
    app = Spikard(background_tasks=BackgroundConfig(max_queue=100_000))
    count, lock = [0], threading.Lock()

    def work() -> None:
        with lock:
            count[0] += 1

    @app.get("/")
    async def handler() -> None:
        for _ in range(50):
            run(work)

    async def main() -> None:
        async with TestClient(app) as client:
            await asyncio.gather(*(client.get("/") for _ in range(60)))
        assert len(asyncio.all_tasks()) == 1

    asyncio.run(main())
    assert count == [3000]


@pytest.mark.parametrize("is_own", [True, False])
def test_a_response_may_name_the_tasks_of_its_handler(is_own: bool) -> None:
    app = Spikard()
    out: list[str] = []

    @app.get("/")
    async def mail(tasks: BackgroundTasks) -> Response:
        tasks = BackgroundTasks() if is_own else tasks
        tasks.add_task(out.append, "first")
        tasks.add_task(out.append, "second")
        return Response("x", background=tasks)

    assert seen(app) == 200
    assert out == ["first", "second"]
