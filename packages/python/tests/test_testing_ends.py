"""How a test client ends: closed, left by an exception, interrupted, forgotten; and what it leaves behind."""

from __future__ import annotations

import asyncio
import gc
import os
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import AsyncIterator
from typing import Annotated

import pytest
from spikard import Depends, Spikard
from spikard.testing import TestClient

from .client_app import app


def test_closing_the_client_from_a_def_of_its_own_app_is_refused() -> None:
    closing = Spikard()
    client = TestClient(closing)

    @closing.get("/")
    def close() -> str:
        with pytest.raises(RuntimeError, match="cannot be closed by `def` code of its own app"):
            client.close()
        return "refused"

    assert client.get("/").text == "refused"
    assert client.get("/").text == "refused"
    client.close()


def test_a_program_that_keeps_no_client_ends_well() -> None:
    program = """if True:
        from spikard import Spikard, TestClient
        for _ in range(2):
            app = Spikard()
            app.get("/")(lambda: 1)
            TestClient(app).get("/")
    """
    ran = [subprocess.run([sys.executable, "-c", program], capture_output=True, check=False) for _ in range(8)]
    assert [(run.returncode, run.stderr) for run in ran] == [(0, b"")] * 8


def test_an_async_def_may_close_the_client_of_its_own_app() -> None:
    closing = Spikard()
    client = TestClient(closing)

    @closing.get("/")
    async def close() -> str:
        client.close()
        return "closed"

    assert client.get("/").text == "closed"


def test_ctrl_c_in_a_handler_reaches_whoever_waits_for_an_answer_at_once() -> None:
    interrupted = Spikard()

    @interrupted.get("/interrupts")
    async def interrupts() -> None:
        await asyncio.sleep(0.05)
        raise KeyboardInterrupt

    @interrupted.get("/interrupts-in-a-thread")
    def interrupts_in_a_thread() -> None:
        time.sleep(0.05)
        raise KeyboardInterrupt

    @interrupted.get("/waits")
    async def waits() -> None:
        await asyncio.sleep(1000)

    for path in ("/interrupts", "/interrupts-in-a-thread"):
        began = time.perf_counter()
        with TestClient(interrupted) as client:
            handles = [client.get("/waits"), client.get(path)]
            for handle in handles:
                with pytest.raises(KeyboardInterrupt):
                    _ = handle.status_code
            with pytest.raises(RuntimeError, match="the app of the test client has ended") as late:
                _ = client.get("/waits").status_code
            assert isinstance(late.value.__cause__, KeyboardInterrupt)
        assert time.perf_counter() - began < 5
    gc.collect()  # asyncio complains then that nobody retrieved it from the task: here, and not in a later test


def test_a_loop_that_user_code_stopped_is_told_to_whoever_waits() -> None:
    stopping = Spikard()

    @stopping.get("/")
    async def stop() -> None:
        asyncio.get_running_loop().stop()
        await asyncio.sleep(1000)

    with TestClient(stopping) as client, pytest.raises(RuntimeError, match="user code stopped the event loop"):
        _ = client.get("/").status_code


def test_the_end_of_with_waits_for_what_is_on_its_way() -> None:
    with TestClient(app) as client:
        response = client.get("/slow")
    assert response.text == "slow"


def test_an_exception_in_with_does_not_wait() -> None:
    client = TestClient(app)
    response = client.get("/slow")
    client.__exit__(KeyError, KeyError(), None)
    with pytest.raises(RuntimeError, match="the test client was closed before the answer came"):
        _ = response.status_code


def an_app_that_is_busy(seconds: float) -> tuple[Spikard, list[str]]:
    """One whose handler takes so long, with a dependency that cleans up for a while."""
    busy, log = Spikard(), list[str]()

    async def opened() -> AsyncIterator[str]:
        try:
            yield "x"
        finally:
            await asyncio.sleep(0.02)
            log.append("cleaned up")

    @busy.get("/")
    async def work(opened: Annotated[str, Depends(opened)]) -> str:
        log.append("begun")
        await asyncio.sleep(seconds)
        log.append("done")
        return opened

    busy.on_shutdown(lambda: log.append("shut down"))
    return busy, log


@pytest.mark.parametrize(
    ("seconds", "ends"),
    [(0.1, ["begun", "done", "cleaned up", "shut down"]), (60.0, ["begun", "cleaned up", "shut down"])],
)
@pytest.mark.parametrize("on_the_callers_loop", [True, False])
def test_a_client_that_is_left_by_an_exception_cleans_up(
    seconds: float, ends: list[str], on_the_callers_loop: bool, caplog: pytest.LogCaptureFixture
) -> None:
    busy, log = an_app_that_is_busy(seconds)

    async def leave_the_loop() -> None:
        async with TestClient(busy) as client:
            client.get("/")
            while not log:
                await asyncio.sleep(0.001)
            raise KeyError

    def leave() -> None:
        with TestClient(busy) as client:
            client.get("/")
            while not log:
                time.sleep(0.001)
            raise KeyError

    with pytest.raises(KeyError):
        asyncio.run(leave_the_loop()) if on_the_callers_loop else leave()
    gc.collect()
    assert (log, caplog.messages) == (ends, [])


@pytest.mark.parametrize("on_the_callers_loop", [True, False])
def test_a_shut_down_that_fails_is_told_beside_the_exception_that_left(on_the_callers_loop: bool) -> None:
    failing = Spikard()

    @failing.on_shutdown
    def fail() -> None:
        raise OSError("the pool is gone")

    async def leave_the_loop() -> None:
        async with TestClient(failing):
            raise KeyError

    def leave() -> None:
        with TestClient(failing):
            raise KeyError

    with pytest.raises(OSError, match="the pool is gone") as raised:
        asyncio.run(leave_the_loop()) if on_the_callers_loop else leave()
    assert isinstance(raised.value.__context__, KeyError)


def test_what_is_cut_off_ends_in_silence(caplog: pytest.LogCaptureFixture) -> None:
    cut_off = Spikard()
    log: list[str] = []

    @cut_off.get("/")
    async def wait() -> None:
        log.append("begun")
        try:
            await asyncio.sleep(0.05)
        finally:
            log.append("ended")

    async def main() -> None:
        client = TestClient(cut_off)
        await client.__aenter__()
        client.get("/")
        while not log:
            await asyncio.sleep(0)
        await client.__aexit__(KeyError, KeyError(), None)
        assert log == ["begun", "ended"]
        await asyncio.sleep(0.06)
        gc.collect()

    asyncio.run(main())
    client = TestClient(cut_off)
    client.get("/")
    while len(log) == 2:
        time.sleep(0.001)
    client.__exit__(KeyError, KeyError(), None)
    gc.collect()
    assert log == ["begun", "ended"] * 2
    assert not caplog.records


def test_a_forgotten_client_ends_its_thread() -> None:
    client = TestClient(app)
    assert client.get("/query").status_code == 200
    here = weakref.ref(client)
    before = set(threading.enumerate())
    del client
    gc.collect()
    assert here() is None
    assert len(before - set(threading.enumerate())) >= 1


def test_a_thousand_clients_leave_threads_and_memory_flat() -> None:
    def held() -> tuple[int, int, int]:
        gc.collect()
        with open("/proc/self/statm") as statm:
            pages = int(statm.read().split()[1])
        return len(os.listdir("/proc/self/task")), len(os.listdir("/proc/self/fd")), pages * os.sysconf("SC_PAGE_SIZE")

    def some(count: int) -> None:
        for _ in range(count):
            with TestClient(app) as client:
                assert client.get("/query").status_code == 200

    if not os.path.isdir("/proc/self/task"):
        pytest.skip("counts threads in /proc")
    # Where there is no lock, the memory of threads that have ended comes back late.
    some(200 if getattr(sys, "_is_gil_enabled", lambda: True)() else 2_000)
    growth = []
    while not growth or growth[-1] >= 2 * 1024 * 1024:
        # What is kept for ever grows each time; what a collector or an allocator keeps grows until it has settled.
        assert len(growth) < 6, growth
        threads, descriptors, memory = held()
        some(500)
        threads_after, descriptors_after, memory_after = held()
        assert threads_after <= threads + 1  # the system forgets an ended thread a moment later
        assert descriptors_after == descriptors
        growth.append(memory_after - memory)
    print(f"growth of memory in each 500 clients: {growth}")
