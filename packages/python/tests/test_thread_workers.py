"""Several workers in one process, each on a thread and loop of its own: what `workers` means where the interpreter has no
lock. With one the machinery is the same, so these tests have it used there too.
"""

from __future__ import annotations

import http.client
import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from .supervised import Start, check_drain, children, is_gone, load, until
from .supervised import start as start
from .test_server import Program

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there is no supervisor on Windows")

THREADS = """
import contextlib
from spikard import _processes

_processes.has_lock = lambda: False
app.state.of_the_module = "of the module"

@app.get("/worker")
async def worker() -> list[int]:
    return [os.getpid(), threading.get_ident()]

@app.get("/blocks")
async def blocks() -> None:
    print("slow", flush=True)
    time.sleep(1000)

@app.get("/state")
async def state() -> list[object]:
    return [app.state.of_the_module, app.state.loop is asyncio.get_running_loop()]

@app.get("/state-def")
def state_def() -> list[object]:
    return [app.state.of_the_module, app.state.thread in threading.enumerate()]
"""
ALIVE = """
@contextlib.asynccontextmanager
async def life(app):
    print("up\\n", end="", flush=True)
    yield {"loop": asyncio.get_running_loop(), "thread": threading.current_thread()}
    # In one piece: another worker's line may come at the same time.
    print(f"down {app.state.loop is asyncio.get_running_loop()}\\n", end="", flush=True)

app.lifespan = life
"""


def workers(program: Program, count: int) -> tuple[set[int], set[int]]:
    """Waits until so many threads have answered: their processes, and they themselves."""
    found: set[tuple[int, int]] = set()

    def enough() -> bool:
        process, thread = map(int, program.get("/worker")[1].strip(b"[]").split(b","))
        found.add((process, thread))
        return len({thread for _, thread in found}) >= count

    until(enough)
    return {process for process, _ in found}, {thread for _, thread in found}


@contextmanager
def on_each(program: Program, count: int) -> Iterator[list[http.client.HTTPConnection]]:
    """A connection to each worker."""
    connections: dict[bytes, http.client.HTTPConnection] = {}

    def enough() -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", program.port, timeout=20)
        worker = ask(connection, "/worker")
        if worker in connections:
            connection.close()
        return len(connections.setdefault(worker, connection) and connections) >= count

    until(enough)
    try:
        yield list(connections.values())
    finally:
        for connection in connections.values():
            connection.close()


def ask(connection: http.client.HTTPConnection, path: str) -> bytes:
    connection.request("GET", path)
    return connection.getresponse().read()


def test_workers_are_threads_of_one_process(start: Start) -> None:
    program = start({"workers": 3}, THREADS + "app.run()")
    processes, threads = workers(program, 3)
    assert processes == children(program.process.pid)
    assert len(threads) == 3
    lines = program.errors.read_text().splitlines()
    assert len(lines) == 1
    assert "with 3 workers" in lines[0]


def test_a_signal_under_load_drains_all_of_them(start: Start) -> None:
    program = start({"workers": 2}, THREADS + "app.run()")
    workers(program, 2)
    check_drain(program)


def test_sighup_replaces_the_process_and_loses_no_request(start: Start) -> None:
    program = start({"workers": 2}, THREADS + "app.run()")
    (before,), _ = workers(program, 2)
    with load(program) as clients:
        program.signal(signal.SIGHUP)
        until(lambda: is_gone(before))
    assert (clients.refused, clients.broken) == (0, 0)
    (after,), _ = workers(program, 2)
    until(lambda: children(program.process.pid) == {after})


def test_a_process_that_is_killed_is_started_again(start: Start) -> None:
    program = start({"workers": 2}, THREADS + "app.run()")
    (before,), _ = workers(program, 2)
    os.kill(before, signal.SIGKILL)
    (after,), _ = workers(program, 2)
    assert after != before


@pytest.mark.parametrize("path", ["/forever", "/forever-def", "/blocks"])
def test_a_second_signal_cuts_all_of_them_off(start: Start, path: str) -> None:
    program = start({"workers": 2}, THREADS + "app.run()")
    (process,), _ = workers(program, 2)
    with program.begin(path):
        program.signal(signal.SIGTERM)
        time.sleep(0.3)
        assert program.process.poll() is None
        program.signal(signal.SIGTERM)
        assert program.status() == 1
        assert is_gone(process)


@pytest.mark.parametrize("path", ["/forever", "/forever-def", "/blocks"])
def test_what_does_not_end_in_time_on_any_of_them_makes_the_status_1(start: Start, path: str) -> None:
    program = start({"workers": 2, "shutdown_timeout": 0.3}, THREADS + "app.run()")
    with on_each(program, 2) as each:
        for connection in each:
            connection.request("GET", path)
            assert program.line() == "slow"
        program.signal(signal.SIGTERM)
        assert program.status() == 1


def test_the_others_answer_while_one_is_blocked_in_its_end(start: Start) -> None:
    program = start({"workers": 2, "shutdown_timeout": 2}, THREADS + "app.run()")
    with on_each(program, 2) as (blocked, other):
        blocked.request("GET", "/blocks")
        assert program.line() == "slow"
        other.request("GET", "/slow")
        assert program.line() == "slow"
        program.signal(signal.SIGTERM)
        assert other.getresponse().read() == b"slow"
        assert program.status() == 1


def test_each_has_its_start_up_its_state_and_its_shut_down(start: Start) -> None:
    program = start({"workers": 2}, THREADS + ALIVE + "app.run()")
    assert [program.line(), program.line()] == ["up", "up"]
    with on_each(program, 2) as each:
        for connection in each:
            assert ask(connection, "/state") == b'["of the module",true]'
            assert ask(connection, "/state-def") == b'["of the module",true]'
    program.signal(signal.SIGTERM)
    assert [program.line(), program.line()] == ["down True", "down True"]
    assert program.status() == 0


def test_a_start_up_that_fails_on_one_ends_all_and_they_are_started_again(start: Start) -> None:
    fails = """
@app.on_startup
def fail():
    if threading.current_thread() is not threading.main_thread() and not os.path.exists("mended"):
        open("mended", "w").close()
        raise RuntimeError("on purpose")
"""
    program = start({"workers": 2}, "os.chdir(os.path.dirname(__file__))\n" + THREADS + fails + "app.run()")
    until(lambda: "ended with status 1, another is started" in program.errors.read_text())
    workers(program, 2)
    assert "on purpose" in program.errors.read_text()


def test_a_signal_during_a_start_up_gives_it_up(start: Start) -> None:
    hangs = """
@app.on_startup
async def hang():
    if threading.current_thread() is not threading.main_thread():
        print("slow", flush=True)
        await asyncio.sleep(1000)
"""
    program = start({"workers": 2}, THREADS + hangs + "app.run()")
    assert program.line() == "slow"
    program.signal(signal.SIGTERM)
    assert program.status() == 0


def test_a_bound_that_one_of_them_reaches_replaces_all(start: Start) -> None:
    program = start({"workers": 2, "max_requests": 50}, THREADS + "app.run()")
    (before,), _ = workers(program, 2)
    with on_each(program, 2) as each:
        for _ in range(60):
            ask(each[-1], "/worker")
    until(lambda: is_gone(before))
    workers(program, 2)
    assert "Spikard: " not in program.errors.read_text()
