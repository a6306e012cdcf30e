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
from typing import Any

import pytest
from spikard import SpecError, Spikard
from spikard._worker import serve

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

@app.get("/interrupts-later")
async def interrupts_later() -> None:
    await asyncio.sleep(0.01)
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
        try:
            self.port = self.wait_for_banner(1)
        except AssertionError:
            self.process.kill()
            self.process.communicate()
            raise

    def wait_for_banner(self, count: int) -> int:
        """Waits until so many servers have said that they listen; the port of the last."""
        deadline = time.monotonic() + 60
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


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGHUP on Windows")
def test_sighup_ends_no_server_that_has_no_supervisor(program: Program) -> None:
    slow = program.begin("/slow")
    program.signal(signal.SIGHUP)
    assert rest(slow).endswith(b"slow")
    assert program.get("/")[0] == 200
    assert "Spikard: SIGHUP is ignored: it replaces workers, and without" in program.errors.read_text()


HEARS = "import signal\nsignal.signal(signal.SIGHUP, lambda *_: print('mine', flush=True))\napp.run()"


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGHUP on Windows")
@pytest.mark.parametrize("program", [({}, HEARS)], indirect=True)
def test_a_program_keeps_its_own_handler_of_sighup(program: Program) -> None:
    program.signal(signal.SIGHUP)
    assert program.line() == "mine"
    program.signal(signal.SIGTERM)
    assert program.status() == 0
    assert "SIGHUP" not in program.errors.read_text()


WRITES_NO_LINE = """
@app.get("/silent")
def silent() -> str:
    open("begun", "w").close()
    time.sleep(0.5)
    return "silent"

app.run()
open("over", "w").close()
"""

ON_A_TERMINAL = """
import fcntl, os, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execv(sys.executable, [sys.executable, *sys.argv[1:]])
"""


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such terminals on Windows")
@pytest.mark.parametrize("workers", [1, 2])
def test_a_server_ends_well_when_its_terminal_goes(tmp_path: Path, workers: int) -> None:
    file = tmp_path / "program.py"
    file.write_text(APP.format(config={"workers": workers}) + WRITES_NO_LINE)
    mine, its = os.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", ON_A_TERMINAL, str(file)],
        stdin=its,
        stdout=its,
        stderr=its,
        start_new_session=True,
        cwd=tmp_path,
    )
    os.close(its)
    said = b""
    while b"Ctrl-C" not in said:
        said += os.read(mine, 1000)
    found = re.search(rb"127\.0\.0\.1:(\d+)", said)
    assert found is not None
    with socket.create_connection(("127.0.0.1", int(found[1])), timeout=10) as client:
        client.sendall(b"GET /silent HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n")
        while not (tmp_path / "begun").exists():
            time.sleep(0.01)
        os.close(mine)
        assert rest(client).endswith(b"silent")
    process.wait(20)
    assert (tmp_path / "over").exists(), "run() returned"


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


@pytest.mark.parametrize("path", ["/interrupts", "/interrupts-later"])
def test_ctrl_c_inside_user_code_answers_500_and_stops_the_server(program: Program, path: str) -> None:
    assert program.get(path)[0] == 500
    assert program.status() == 0
    (_, failed) = program.errors.read_text().splitlines()
    assert re.fullmatch(rf"GET {path} failed \(request \S+\): KeyboardInterrupt", failed)


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


def refusal(app: Spikard, capsys: pytest.CaptureFixture[str], **config: Any) -> str:
    """Why the program ends at once: one line for people, and the status 1."""
    with pytest.raises(SystemExit) as ended:
        app.run(**config)
    assert ended.value.code == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("Spikard: ")
    return line.removeprefix("Spikard: ")


def test_a_port_that_is_taken_is_told_in_one_line_and_raised_by_serve(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        told = f"cannot listen on 127.0.0.1:{port}: address already in use"
        assert refusal(Spikard(), capsys, port=port) == told
        if sys.platform != "win32":
            assert refusal(Spikard(workers=2), capsys, port=port) == told
        with pytest.raises(OSError, match=told):
            asyncio.run(Spikard().serve(port=port))


def test_an_app_that_cannot_work_is_told_in_one_line_and_raised_by_serve(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    app = Spikard(port=0)

    @app.get("/items/{item}")
    def items() -> None: ...

    assert re.search(r"test_server\.py:\d+: GET /items/\{item\}: .*nobody takes", refusal(app, capsys))
    with pytest.raises(SpecError, match="nobody takes the path parameter"):
        asyncio.run(app.serve())
    monkeypatch.setenv("SPIKARD_PORT", "eighty")
    told = refusal(Spikard(), capsys)
    assert told == 'SPIKARD_PORT: must be a whole number from 0 to 65535, got "eighty"'


def test_a_variable_that_nearly_names_a_setting_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPIKARD_DATABASE_URL", "the app's own")
    monkeypatch.setenv("SPIKARD_PROT", "80")
    program = Program(tmp_path, {}, "app.run()")
    program.signal(signal.SIGTERM)
    program.process.communicate(timeout=10)
    first = program.errors.read_text().splitlines()[0]
    assert first == "Spikard: SPIKARD_PROT names no setting, did you mean SPIKARD_PORT?"


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


def test_a_loop_that_is_closed_before_serve_has_ended_keeps_nothing() -> None:
    if not os.path.isdir("/proc/self/fd"):
        pytest.skip("counts descriptors in /proc")

    def held() -> tuple[int, int]:
        gc.collect()
        return threading.active_count(), len(os.listdir("/proc/self/fd"))

    def leave_it() -> int:
        places: list[str] = []
        loop = asyncio.new_event_loop()

        async def begin() -> None:
            serving = asyncio.ensure_future(serve(Spikard(port=0), {}, places.append))
            while not places:
                await asyncio.sleep(0.01)
            assert not serving.done()
            del serving
            gc.collect()  # nobody but the loop holds it
            await asyncio.to_thread(socket.create_connection(("127.0.0.1", port_of(places)), 10).close)

        loop.run_until_complete(begin())
        loop.run_until_complete(loop.shutdown_default_executor())
        loop.close()
        return port_of(places)

    def port_of(places: list[str]) -> int:
        return int(places[0].rpartition(":")[2])

    leave_it()
    before = held()
    ports = [leave_it() for _ in range(3)]
    after = held()
    assert after[0] <= before[0]
    assert after[1] <= before[1]
    for port in ports:
        with pytest.raises(OSError, match="refused"):
            socket.create_connection(("127.0.0.1", port), 10)
