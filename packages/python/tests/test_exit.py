"""The end of the interpreter while user code still runs."""

from __future__ import annotations

import json
import re
import socket
import subprocess
import sys
import textwrap
import time
import urllib.request
from pathlib import Path

import pytest

from .supervised import until

OUTLIVES_SERVE = """
import asyncio, socket, threading, time
from spikard import Spikard

app = Spikard(port=0, shutdown_timeout=0.1)
running = threading.Event()

@app.get("/")
def slow() -> None:
    running.set()
    for _ in range({turns}):
        time.sleep(0.01)
    print("returned", flush=True)

async def main() -> None:
    server = asyncio.create_task(app.serve(port={port}))
    while True:
        await asyncio.sleep(0.01)
        try:
            client = socket.create_connection(("127.0.0.1", {port}))
            break
        except OSError:
            pass
    client.sendall(b"GET / HTTP/1.1\\r\\nhost: test\\r\\n\\r\\n")
    while not running.is_set():
        await asyncio.sleep(0.01)
    server.cancel()
    await asyncio.wait([server])

asyncio.run(main())
print("leaving", flush=True)
"""

OUTLIVES_CLOSE = """
import threading, time
from spikard import Spikard, TestClient

app = Spikard()
running = threading.Event()

@app.get("/")
def slow() -> None:
    running.set()
    for _ in range(50):
        time.sleep(0.01)
    print("returned", flush=True)

client = TestClient(app)
client.get("/")
running.wait()
threading.Thread(target=client.close, daemon=True).start()
time.sleep(0.1)
print("leaving", flush=True)
"""

FORKED = """
import os, threading
from spikard import Spikard, TestClient

app = Spikard()
running, free = threading.Event(), threading.Event()

@app.get("/")
def slow() -> str:
    running.set()
    free.wait()
    return "slow"

client = TestClient(app)
handle = client.get("/")
running.wait()
if child := os.fork():
    print(os.waitpid(child, 0)[1], flush=True)
    free.set()
    print(handle.text, flush=True)
"""

LOADED_IN_A_THREAD = """
import importlib, threading

loader = threading.Thread(target=importlib.import_module, args=("spikard._spikard",))
loader.start()
loader.join()

from spikard import Spikard, TestClient

app = Spikard()

@app.get("/")
async def hello() -> str:
    return "hello"

for _ in range(20):
    with TestClient(app) as client:
        assert client.get("/").text == "hello"
"""


def left(program: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)], capture_output=True, text=True, timeout=20, check=False
    )


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.mark.parametrize(
    "program", [OUTLIVES_SERVE.format(turns=50, port=free_port()), OUTLIVES_CLOSE], ids=["serve", "close"]
)
def test_the_exit_waits_for_def_code_that_still_runs(program: str) -> None:
    ended = left(program)
    assert (ended.returncode, ended.stdout) == (0, "leaving\nreturned\n"), ended.stderr


def test_a_long_wait_at_the_exit_is_told() -> None:
    began = time.monotonic()
    ended = left(OUTLIVES_SERVE.format(turns=200, port=free_port()))
    assert (ended.returncode, ended.stdout) == (0, "leaving\nreturned\n"), ended.stderr
    assert "spikard: the exit waits for `def` code that still runs, on 1 thread\n" in ended.stderr
    assert time.monotonic() - began > 1


@pytest.mark.skipif(sys.platform == "win32", reason="there is no fork")
def test_a_forked_child_does_not_wait_for_threads_that_it_has_not() -> None:
    ended = left(FORKED)
    assert (ended.returncode, ended.stdout) == (0, "0\nslow\n"), ended.stderr


def test_the_thread_that_loaded_the_package_may_end_before_all_others() -> None:
    ended = left(LOADED_IN_A_THREAD)
    assert ended.returncode == 0, ended.stderr


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("kind", ["async def", "def"])
def test_ctrl_c_out_of_the_start_up_ends_the_program(kind: str, workers: int) -> None:
    program = f"""
from spikard import Spikard
app = Spikard(port=0, workers={workers})
@app.on_startup
{kind} start():
    raise KeyboardInterrupt
app.run()
"""
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, timeout=20, check=False)
    assert ran.returncode != 0


ENDS_ITSELF = """
import contextlib, os, signal, sys
from spikard import Spikard

@contextlib.asynccontextmanager
async def lifespan(app):
    if {when!r} == "start-up":
        sys.exit("no database")
    yield
    sys.exit("no database")

app = Spikard(port=0, lifespan=lifespan)
app.on_startup(lambda: os.kill(os.getpid(), signal.SIGTERM))
app.run()
"""


@pytest.mark.parametrize("when", ["start-up", "shut-down"])
def test_an_app_that_ends_the_program_says_what_it_says_and_no_more(when: str) -> None:
    command = [sys.executable, "-c", ENDS_ITSELF.format(when=when)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60)
    told = [line for line in ended.stderr.splitlines() if not line.startswith("Spikard ")]
    assert (ended.returncode, told) == (1, ["no database"])


CLOSED = """
import os, signal
from spikard import Spikard

app = Spikard(port=0, workers={workers}, access_log=True)

@app.get("/")
async def standard() -> list[str]:
    return [os.readlink(f"/proc/self/fd/{{number}}") for number in range(2)]

app.run()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="asks what descriptors are")
@pytest.mark.parametrize("workers", [1, 2])
def test_nothing_takes_the_place_of_standard_streams_that_are_closed(workers: int, tmp_path: Path) -> None:
    file, told = tmp_path / "program.py", tmp_path / "stderr"
    file.write_text(CLOSED.format(workers=workers))
    with told.open("w") as errors:
        command = ["sh", "-c", 'exec "$@" <&- >&-', "sh", sys.executable, str(file)]
        process = subprocess.Popen(command, stderr=errors)
    try:
        until(lambda: re.search(r"http://127\.0\.0\.1:\d+", told.read_text()))
        (address,) = re.findall(r"http://127\.0\.0\.1:\d+", told.read_text())
        with urllib.request.urlopen(address, timeout=20) as answer:
            assert json.load(answer) == ["/dev/null", "/dev/null"]
    finally:
        process.terminate()
        assert process.wait(20) == 0, told.read_text()
