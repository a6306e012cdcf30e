"""Start-up, shut-down and lifespan: in one task, under every way to run an app."""

from __future__ import annotations

import asyncio
import contextvars
import http.client
import re
import signal
import subprocess
import sys
import textwrap
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from spikard import Provide, Request, Spikard, TestClient

variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable", default="unset")


def traced(trace: list[str]) -> Spikard:
    """An app that notes its life."""

    @asynccontextmanager
    async def lifespan(app: Spikard) -> AsyncIterator[dict[str, Any]]:
        variable.set("lifespan")
        tasks.append(asyncio.current_task())
        trace.append("enter")
        yield {"db": "connected"}
        trace.append(f"leave {variable.get()} {asyncio.current_task() is tasks[-1]}")

    tasks: list[Any] = []
    app = Spikard(lifespan=lifespan)

    @app.on_startup
    async def first() -> None:
        variable.set(variable.get() + " first")
        trace.append(f"first {app.state.db}")

    @app.on_startup
    def second(given: Spikard) -> None:
        given.state.second = True
        trace.append("second")

    app.on_shutdown(lambda: trace.append("down first"))

    @app.on_shutdown
    async def down_second() -> None:
        await asyncio.sleep(0)
        trace.append("down second")

    def pool() -> Any:
        yield "pool"
        trace.append("close pool")

    app.provide("pool", Provide(pool, singleton=True))

    @app.get("/")
    async def index(pool: str) -> str:
        trace.append("request")
        return f"{app.state.db} {pool}"

    return app


LIFE = ["enter", "first connected", "second", "request", "close pool", "down second", "down first",
        "leave lifespan first True"]  # fmt: skip


@pytest.mark.parametrize("kind", ["async", "sync"])
def test_a_bare_generator_as_lifespan_is_told_its_decorator(kind: str) -> None:
    async def asynchronous(app: Spikard) -> AsyncIterator[None]:
        yield

    def synchronous(app: Spikard) -> Iterator[None]:
        yield

    lifespan: Any = asynchronous if kind == "async" else synchronous
    with pytest.raises(TypeError, match=r"a bare generator: write @asynccontextmanager above \S+chronous$"):
        Spikard(lifespan=lifespan)


def test_a_lifespan_takes_the_app() -> None:
    @asynccontextmanager
    async def lifespan() -> AsyncIterator[None]:
        yield

    with pytest.raises(TypeError, match=r"a lifespan takes the app: \S+\.lifespan does not"):
        Spikard(lifespan=lifespan)  # type: ignore[arg-type]


def test_a_lifespan_that_yields_what_nobody_could_use_is_an_error() -> None:
    @asynccontextmanager
    async def lifespan(app: Spikard) -> AsyncIterator[int]:
        yield 5

    words = "a lifespan yields a dict of what app.state gets, or nothing, got 5"
    with pytest.raises(TypeError, match=words), TestClient(Spikard(lifespan=lifespan)):
        raise AssertionError


@pytest.mark.parametrize("phase", ["on_startup", "on_shutdown"])
def test_a_hook_that_takes_too_much_is_refused_where_it_is_written(phase: str) -> None:
    def hook(app: Spikard, pool: int) -> None: ...

    def goes_on() -> Iterator[None]:
        yield

    with pytest.raises(TypeError, match=rf"a hook of {phase} takes the app, or nothing: \S+\.hook does not"):
        getattr(Spikard(), phase)(hook)
    with pytest.raises(TypeError, match=r"\.goes_on is a generator: what goes on at shut-down is for lifespan="):
        getattr(Spikard(), phase)(goes_on)


def test_who_looks_for_the_apps_state_in_the_requests_is_told_where_it_is() -> None:
    app, told = Spikard(), list[str]()
    app.state.pool = "p"

    @app.get("/")
    def handler(request: Request) -> None:
        for name in ("pool", "other"):
            with pytest.raises(AttributeError) as caught:
                getattr(request.state, name)
            told.append(str(caught.value))

    TestClient(app).get("/").assert_status(200)
    assert told == [
        "request.state has no 'pool', but app.state has: write request.app.state.pool",
        "request.state has no 'other': a hook or a dependency has to set it",
    ]


def test_what_start_up_has_not_set_is_told_with_where_to_set_it() -> None:
    app = Spikard()
    words = "app.state has no 'pool': the lifespan or an on_startup hook sets it, which `with TestClient(app)` runs too"
    with pytest.raises(AttributeError, match=re.escape(words)):
        app.state.pool  # noqa: B018


def test_with_a_test_client() -> None:
    app = traced(trace := [])
    with TestClient(app) as client:
        assert trace == LIFE[:3]
        assert client.get("/").text == "connected pool"
    assert trace == LIFE
    with TestClient(app) as client:
        client.get("/").assert_status_ok()
    assert trace == LIFE * 2, "a client may be opened again"


@pytest.mark.asyncio
async def test_async_with_a_test_client() -> None:
    app = traced(trace := [])
    async with TestClient(app) as client:
        await client.get("/")
    assert trace == LIFE


@pytest.mark.asyncio
async def test_serve() -> None:
    app = traced(trace := [])
    serving = asyncio.create_task(app.serve(port=0))
    while len(trace) < 3:
        await asyncio.sleep(0.001)
    await asyncio.sleep(0.02)
    serving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await serving
    assert trace == LIFE[:3] + LIFE[5:]


def test_a_client_without_with_runs_no_hook() -> None:
    app = traced(trace := [])
    app.state.db = "none"
    client = TestClient(app)
    assert client.get("/").text == "none pool"
    client.close()
    assert trace == ["request", "close pool"]


def test_a_start_up_that_fails_is_raised_and_leaves_the_lifespan() -> None:
    app, trace = Spikard(), []

    @asynccontextmanager
    async def lifespan(_: Spikard) -> AsyncIterator[None]:
        try:
            yield
        finally:
            trace.append("left")

    app.lifespan = lifespan
    app.on_startup(lambda: 1 / 0)
    app.on_shutdown(lambda: trace.append("down"))
    with pytest.raises(ZeroDivisionError), TestClient(app):
        pass
    assert trace == ["left"]


def test_a_shut_down_hook_that_fails_keeps_none_of_the_others() -> None:
    app, trace = Spikard(), []
    app.on_shutdown(lambda: trace.append("first"))
    app.on_shutdown(lambda: 1 / 0)
    with pytest.raises(ZeroDivisionError), TestClient(app):
        pass
    assert trace == ["first"]


def test_an_anyio_scope_may_span_the_lifespan() -> None:
    anyio = pytest.importorskip("anyio")
    trace: list[str] = []

    @asynccontextmanager
    async def lifespan(_: Spikard) -> AsyncIterator[None]:
        async def beat() -> None:
            trace.append("beat")
            await anyio.sleep_forever()

        async with anyio.create_task_group() as group:
            group.start_soon(beat)
            yield
            group.cancel_scope.cancel()

    app = Spikard(lifespan=lifespan)
    app.get("/")(lambda: 1)
    with TestClient(app) as client:
        assert client.get("/").json() == 1
    assert trace == ["beat"]


@pytest.mark.parametrize("hook", [1, None])
def test_a_hook_is_a_function(hook: Any) -> None:
    with pytest.raises(TypeError, match="a hook is a function"):
        Spikard().on_startup(hook)
    with pytest.raises(TypeError, match="lifespan must be"):
        Spikard(lifespan=1)  # type: ignore[arg-type]


PROGRAM = """
import asyncio, sys
from contextlib import asynccontextmanager
from spikard import Spikard

@asynccontextmanager
async def lifespan(app):
    print("enter", flush=True)
    yield {{"ready": True}}
    print("leave", flush=True)

app = Spikard(port=0, lifespan=lifespan, {config})

@app.on_startup
async def connect():
    {startup}

@app.on_shutdown
async def disconnect():
    {shutdown}

@app.get("/")
def index():
    return app.state.ready

app.run()
"""


def program(
    tmp_path: Path, startup: str = "pass", shutdown: str = "print('down', flush=True)", config: str = ""
) -> Any:
    """An app in a process of its own."""
    file = tmp_path / "program.py"
    file.write_text(textwrap.dedent(PROGRAM).format(startup=startup, shutdown=shutdown, config=config))
    return subprocess.Popen(
        [sys.executable, str(file)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, bufsize=1
    )


def test_run_starts_up_before_it_listens_and_shuts_down_after_the_drain(tmp_path: Path) -> None:
    process = program(tmp_path)
    assert process.stdout.readline() == "enter\n"
    banner = process.stderr.readline()
    connection = http.client.HTTPConnection("127.0.0.1", int(banner.rsplit(":", 1)[1].split()[0]), timeout=10)
    connection.request("GET", "/")
    assert connection.getresponse().read() == b"true"
    connection.close()
    process.send_signal(signal.SIGTERM)
    assert process.communicate(timeout=20)[0] == "down\nleave\n"
    assert process.returncode == 0


def test_run_ends_with_1_and_a_message_where_the_start_up_fails(tmp_path: Path) -> None:
    out, errors = program(tmp_path, startup="raise RuntimeError('no database')").communicate(timeout=20)
    assert out == "enter\n"
    assert "the start-up hook connect at" in errors
    assert "program.py:" in errors
    assert "no database" in errors
    assert " on http://" not in errors, "it listened"


def test_the_status_of_a_failed_start_up_is_1(tmp_path: Path) -> None:
    process = program(tmp_path, startup="raise RuntimeError('no database')")
    process.communicate(timeout=20)
    assert process.returncode == 1


def test_a_shut_down_that_takes_too_long_is_given_up(tmp_path: Path) -> None:
    process = program(tmp_path, shutdown="await asyncio.sleep(1000)", config="shutdown_timeout=0.3")
    process.stderr.readline()
    process.send_signal(signal.SIGTERM)
    _, errors = process.communicate(timeout=20)
    assert "the shut-down given up after 0.3 s" in errors
    assert process.returncode == 1


def test_a_signal_ends_a_start_up(tmp_path: Path) -> None:
    process = program(tmp_path, startup="await asyncio.sleep(1000)")
    assert process.stdout.readline() == "enter\n"
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=20)
    assert process.returncode == 0
