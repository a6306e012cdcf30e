"""A real server: its start, its signals, its drain and the exit status of its program."""

from __future__ import annotations

import asyncio
import gc
import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from spikard import Spikard

APP = """
import asyncio, os, sys, threading, time
from spikard import Spikard

app = Spikard(port=0, **{config})

@app.get("/")
async def hello() -> dict[str, str]:
    return {{"hello": "world"}}

@app.get("/pid")
def pid() -> int:
    return os.getpid()

@app.get("/brief")
async def brief() -> str:
    await asyncio.sleep(0.005)
    return "brief"

@app.get("/slow")
async def slow() -> str:
    print("slow", flush=True)
    await asyncio.sleep(0.5)
    return "slow"

@app.get("/slow-def")
def slow_def() -> str:
    print("slow", flush=True)
    time.sleep(0.5)
    return "slow"

@app.get("/forever")
async def forever() -> None:
    print("slow", flush=True)
    await asyncio.sleep(1000)

@app.get("/forever-def")
def forever_def() -> None:
    print("slow", flush=True)
    time.sleep(1000)

@app.get("/waits")
@app.get("/leaves", cancel_on_disconnect=True)
async def leaves() -> None:
    print("slow", flush=True)
    try:
        await asyncio.sleep(1000)
    except asyncio.CancelledError:
        print("cancelled", flush=True)
        raise

@app.get("/interrupts")
async def interrupts() -> None:
    raise KeyboardInterrupt
"""


class Program:
    """An app in a process of its own."""

    def __init__(self, folder: Path, config: dict[str, object], start: str) -> None:
        file = folder / "program.py"
        file.write_text(APP.format(config=config) + textwrap.dedent(start))
        self.errors = folder / "stderr"
        with self.errors.open("w") as errors:
            command = [sys.executable, str(file)]
            self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True)
        self.port = self.wait_for_banner(1)

    def wait_for_banner(self, count: int) -> int:
        """Waits until so many servers have said that they listen; the port of the last."""
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline and self.process.poll() is None:
            ports = re.findall(r"^Spikard \S+ on http://127\.0\.0\.1:(\d+) ", self.errors.read_text(), re.MULTILINE)
            if len(ports) == count:
                return int(ports[-1])
            time.sleep(0.01)
        raise AssertionError(self.errors.read_text())

    def get(self, path: str) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def begin(self, path: str) -> socket.socket:
        """Sends a request whose handler says that it has begun."""
        connection = socket.create_connection(("127.0.0.1", self.port), timeout=10)
        connection.sendall(f"GET {path} HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\r\n".encode())
        assert self.line() == "slow"
        return connection

    def line(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def signal(self, number: int) -> None:
        self.process.send_signal(number)

    def status(self) -> int:
        return self.process.wait(10)


def rest(connection: socket.socket) -> bytes:
    """What is answered until the connection closes."""
    with connection:
        read = b""
        while piece := connection.recv(65536):
            read += piece
        return read


@pytest.fixture
def program(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Program]:
    config, start = getattr(request, "param", ({}, "app.run()"))
    running = Program(tmp_path, config, start)
    try:
        yield running
    finally:
        running.process.kill()
        running.process.wait()
        assert running.process.stdout is not None
        running.process.stdout.close()


def test_a_server_answers(program: Program) -> None:
    assert program.get("/") == (200, b'{"hello":"world"}')
    assert json.loads(program.get("/pid")[1]) == program.process.pid


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("path", ["/slow", "/slow-def"])
def test_a_signal_ends_the_server_when_what_runs_is_answered(program: Program, number: int, path: str) -> None:
    slow = program.begin(path)
    program.signal(number)
    assert rest(slow).endswith(b"slow")
    assert program.status() == 0
    with pytest.raises(OSError, match="refused"):
        program.get("/")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_under_load_breaks_no_answer(program: Program, number: int) -> None:
    answers: list[bytes] = []
    broken: list[str] = []

    def load() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", program.port, timeout=10)
        while True:
            try:
                connection.request("GET", "/")
                answer = connection.getresponse()
            except (ConnectionError, http.client.RemoteDisconnected):
                return connection.close()  # between two answers
            try:
                answers.append(answer.read())
            except http.client.IncompleteRead as error:
                return broken.append(str(error))

    threads = [threading.Thread(target=load) for _ in range(8)]
    for thread in threads:
        thread.start()
    while len(answers) < 200:
        time.sleep(0.01)
    program.signal(number)
    assert program.status() == 0
    for thread in threads:
        thread.join()
    assert set(answers) == {b'{"hello":"world"}'}
    assert not broken


@pytest.mark.parametrize("path", ["/forever", "/forever-def"])
def test_a_second_signal_ends_the_program_at_once(program: Program, path: str) -> None:
    with program.begin(path):
        program.signal(signal.SIGINT)
        time.sleep(0.1)
        assert program.process.poll() is None
        program.signal(signal.SIGINT)
        assert program.status() == 1


@pytest.mark.parametrize("path", ["/forever", "/forever-def"])
@pytest.mark.parametrize("program", [({"shutdown_timeout": 0.2}, "app.run()")], indirect=True)
def test_what_does_not_end_within_the_shutdown_timeout_is_cut_off(program: Program, path: str) -> None:
    # covers config: shutdown_timeout
    with program.begin(path):
        program.signal(signal.SIGTERM)
        assert program.status() == 1


@pytest.mark.parametrize("program", [({"cancel_on_disconnect": True}, "app.run()")], indirect=True)
def test_a_client_that_leaves_cancels_its_handler_where_the_app_says_so(program: Program) -> None:
    # covers config: cancel_on_disconnect
    program.begin("/waits").close()
    assert program.line() == "cancelled"


def test_a_client_that_leaves_cancels_its_handler_where_the_route_says_so(program: Program) -> None:
    program.begin("/leaves").close()
    assert program.line() == "cancelled"
    assert program.get("/")[0] == 200


def test_ctrl_c_inside_user_code_answers_500_and_stops_the_server(program: Program) -> None:
    assert program.get("/interrupts")[0] == 500
    assert program.status() == 0


AGAIN = """
app.run()
print("again", flush=True)
app.run()
print("over", flush=True)
"""


@pytest.mark.parametrize("program", [({}, AGAIN)], indirect=True)
def test_run_may_be_called_again(program: Program) -> None:
    program.signal(signal.SIGINT)
    assert program.line() == "again"
    program.wait_for_banner(2)
    program.signal(signal.SIGTERM)
    assert program.line() == "over"
    assert program.status() == 0


OFF_THE_MAIN_THREAD = """
threading.Thread(target=app.run, daemon=True).start()
sys.stdin.read()
time.sleep(1000)
"""


@pytest.mark.parametrize("program", [({}, OFF_THE_MAIN_THREAD)], indirect=True)
def test_run_works_off_the_main_thread(program: Program) -> None:
    assert program.get("/")[0] == 200


def test_serve_runs_handlers_on_the_callers_loop_and_drains_when_it_is_cancelled(
    capfd: pytest.CaptureFixture[str],
) -> None:
    app = Spikard(port=0)
    loops: list[asyncio.AbstractEventLoop] = []

    @app.get("/")
    async def slow() -> str:
        loops.append(asyncio.get_running_loop())
        await asyncio.sleep(0.1)
        return "slow"

    async def main() -> None:
        serving = asyncio.ensure_future(app.serve())
        told = ""
        while not (found := re.search(r"http://127\.0\.0\.1:(\d+)", told)):
            await asyncio.sleep(0.01)
            told += capfd.readouterr().err
        reader, writer = await asyncio.open_connection("127.0.0.1", int(found[1]))
        writer.write(b"GET / HTTP/1.1\r\nhost: test\r\n\r\n")
        while not loops:
            await asyncio.sleep(0.01)
        serving.cancel()
        assert (await reader.read()).endswith(b"slow")
        writer.close()
        with pytest.raises(asyncio.CancelledError):
            await serving
        assert loops == [asyncio.get_running_loop()]

    asyncio.run(main())


def test_a_port_that_is_taken_is_an_os_error_that_names_it() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(OSError, match=f"cannot listen on 127.0.0.1:{port}: address already in use"):
            Spikard().run(port=port)


def test_run_inside_a_running_loop_says_what_to_do() -> None:
    async def main() -> None:
        Spikard(port=0).run()

    with pytest.raises(RuntimeError, match=r"await app\.serve\(\)"):
        asyncio.run(main())


def test_a_server_leaves_no_thread_and_no_descriptor(capfd: pytest.CaptureFixture[str]) -> None:
    def held() -> tuple[int, int]:
        gc.collect()  # what other tests have left
        return threading.active_count(), len(os.listdir("/proc/self/fd"))

    async def serve_shortly() -> None:
        serving = asyncio.ensure_future(Spikard(port=0).serve())
        while "Ctrl-C" not in capfd.readouterr().err:
            await asyncio.sleep(0.01)
        serving.cancel()
        with pytest.raises(asyncio.CancelledError):
            await serving

    if not os.path.isdir("/proc/self/fd"):
        pytest.skip("counts descriptors in /proc")
    asyncio.run(serve_shortly())
    before = held()
    for _ in range(5):
        asyncio.run(serve_shortly())
    threads, descriptors = held()  # fewer, where something of another test has ended meanwhile
    assert threads <= before[0]
    assert descriptors <= before[1]
