"""The end of a server whose user code does not want to end."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from spikard import Spikard, _worker

from .every_loop import loops
from .supervised import until
from .test_server import Program

STUBBORN = """
async def swallow() -> None:
    print("slow", flush=True)
    while True:
        try:
            await asyncio.sleep(1000)
        except asyncio.CancelledError:
            pass

@app.get("/swallows")
async def swallows() -> None:
    await swallow()

@app.get("/spawns")
async def spawns() -> None:
    app.kept = asyncio.create_task(swallow(), name="stubborn")

@app.get("/executes")
async def executes() -> None:
    asyncio.get_running_loop().run_in_executor(None, time.sleep, 1000)
    print("slow", flush=True)

@app.get("/blocks")
async def blocks() -> None:
    print("slow", flush=True)
    time.sleep(1000)

@app.get("/stops-the-loop")
async def stops_the_loop() -> None:
    asyncio.get_running_loop().stop()

@app.get("/cancels-all")
async def cancels_all() -> None:
    for task in asyncio.all_tasks() - {asyncio.current_task()}:
        task.cancel()

app.run()
"""

SHORT: dict[str, object] = {"shutdown_timeout": 0.3}
# Time to begin in, for a thread on a machine that is busy.
GIVEN_UP: dict[str, object] = {"shutdown_timeout": 0.3, "request_timeout": 0.3, "cancel_grace": 0.05}
LONG: dict[str, object] = {"shutdown_timeout": 60}


Start = Callable[[dict[str, object]], Program]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    programs: list[Program] = []

    def start(config: dict[str, object]) -> Program:
        programs.append(Program(tmp_path, config, STUBBORN))
        return programs[-1]

    yield start
    for program in programs:
        program.process.kill()
        program.process.communicate()


@pytest.mark.parametrize(
    ("path", "config", "told"),
    [
        ("/swallows", SHORT, "1 request given up"),
        ("/swallows", GIVEN_UP, "Spikard: task "),
        ("/spawns", SHORT, "Spikard: task stubborn given up"),
        ("/executes", SHORT, "Spikard: code in the loop's default executor given up"),
        ("/forever-def", GIVEN_UP, "Spikard: `def` code given up"),
    ],
)
def test_what_does_not_end_is_given_up_after_the_shutdown_timeout(
    start: Start, path: str, config: dict[str, object], told: str
) -> None:
    program = start(config)
    with program.begin(path):
        time.sleep(0.6)
        began = time.monotonic()
        program.signal(signal.SIGTERM)
        assert program.status() == 1
        assert 0.25 < time.monotonic() - began < 3
    line = program.errors.read_text().splitlines()[-1]
    assert told in line
    assert line.endswith(" given up after 0.3 s")


@pytest.mark.parametrize("path", ["/swallows", "/spawns", "/executes", "/blocks"])
def test_a_second_signal_ends_the_program_whatever_it_waits_for(start: Start, path: str) -> None:
    program = start(LONG)
    with program.begin(path):
        time.sleep(0.1)  # Python runs one handler for two signals that come before a sleep has begun
        program.signal(signal.SIGTERM)
        time.sleep(0.3)
        assert program.process.poll() is None
        program.signal(signal.SIGTERM)
        assert program.status() == 1
    assert program.errors.read_text().endswith(" given up at the second signal\n")


@pytest.mark.parametrize("workers", [1, 2])
def test_a_server_that_waits_says_for_how_long(start: Start, workers: int) -> None:
    program = start({**LONG, "workers": workers})
    with program.begin("/swallows"):
        program.signal(signal.SIGTERM)
        said = "Spikard: waits up to 60 s for what is in flight; a second signal ends it at once\n"
        until(lambda: program.errors.read_text().count(said) == 1)
        program.signal(signal.SIGTERM)
        assert program.status() == 1


@pytest.mark.parametrize(
    ("path", "fault"),
    [
        ("/stops-the-loop", "RuntimeError: user code stopped the event loop"),
        ("/cancels-all", "RuntimeError: user code cancelled the server's task"),
    ],
)
def test_a_server_that_user_code_ended_says_so(start: Start, path: str, fault: str) -> None:
    program = start(LONG)
    assert program.get(path)[0] == 200
    assert program.status() == 1
    assert program.errors.read_text().splitlines()[-1].startswith(fault)


@pytest.mark.parametrize("make", loops(), ids=lambda make: make.__qualname__)
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_before_the_first_turn_of_the_loop_ends_the_server_in_order(
    make: Callable[[], asyncio.AbstractEventLoop], number: signal.Signals, monkeypatch: pytest.MonkeyPatch
) -> None:
    app, told = Spikard(port=0), list[str]()

    @app.on_startup
    async def start_up() -> None:
        told.append("up")

    @app.on_shutdown
    async def shut_down() -> None:
        told.append("down")

    serve = _worker._until

    def interrupted(loop: asyncio.AbstractEventLoop, server: _worker.Server) -> tuple[int, int]:
        os.kill(os.getpid(), number)
        loop.call_later(60, server.worker.shutdown)  # a lost signal is no test that hangs
        began = time.monotonic()
        cut = serve(loop, server)
        told.append("in time" if time.monotonic() - began < 50 else "late")
        return cut

    monkeypatch.setattr(_worker, "_new_loop", make)
    monkeypatch.setattr(_worker, "_until", interrupted)
    app.run()
    assert told[-2:] == ["in time", "down"]


def test_run_leaves_no_descriptor_until_a_collection() -> None:
    if not os.path.isdir("/proc/self/fd"):
        pytest.skip("counts descriptors in /proc")

    def run_shortly() -> int:
        app = Spikard(port=0)

        @app.on_startup
        async def end_soon() -> None:
            threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGTERM)).start()

        app.run()
        return len(os.listdir("/proc/self/fd"))

    run_shortly()
    gc.collect()
    gc.disable()
    try:
        assert len({run_shortly() for _ in range(4)}) == 1
    finally:
        gc.enable()
