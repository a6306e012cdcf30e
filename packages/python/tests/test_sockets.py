"""Which sockets workers listen at, and which of them gets a connection."""

from __future__ import annotations

import contextlib
import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
from spikard import Spikard

from .supervised import Start, ask, pids, until
from .supervised import start as start
from .test_server import Program, refusal, rest

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there is no supervisor on Windows")


BLOCKS = """
@app.get("/block")
async def block() -> str:
    print("slow", flush=True)
    time.sleep(3)
    return "over"

app.run()
"""


@pytest.mark.parametrize("io_thread", [False, True], ids=["loop", "io_thread"])
def test_a_worker_whose_loop_is_blocked_leaves_connections_to_the_others(start: Start, io_thread: bool) -> None:
    program = start({"workers": 2, "io_thread": io_thread}, BLOCKS)
    pids(program, 2)
    with program.begin("/block") as blocked:
        began = time.monotonic()
        clients = [socket.create_connection(("127.0.0.1", program.port), timeout=10) for _ in range(100)]
        assert all(ask(client).endswith(b'{"hello":"world"}') for client in clients)
        took = time.monotonic() - began
        print(f"100 answers in {took:.2f} s beside a blocked worker")
        assert took < 2
        assert rest(blocked).endswith(b"over")
    assert len(pids(program, 2)) == 2


def spread(program: Program) -> Counter[int]:
    """Which workers have accepted 100 connections that stay."""
    with contextlib.ExitStack() as stack:
        connections = [http.client.HTTPConnection("127.0.0.1", program.port, timeout=10) for _ in range(100)]
        for connection in connections:
            stack.callback(connection.close)
            # All come at once: whoever is awake could have them all.
            connection.connect()
        found: Counter[int] = Counter()
        for connection in connections:
            connection.request("GET", "/pid")
            found[int(connection.getresponse().read())] += 1
        return found


@pytest.mark.parametrize("io_thread", [False, True], ids=["loop", "io_thread"])
def test_connections_that_stay_are_spread_over_the_workers(start: Start, io_thread: bool) -> None:
    program = start({"workers": 2, "io_thread": io_thread})
    both = pids(program, 2)
    found = spread(program)
    assert set(found) == both
    assert min(found.values()) >= 35, found
    killed = found.most_common()[0][0]
    os.kill(killed, signal.SIGKILL)
    [successor] = pids(program, 1, known=frozenset(both))
    found = spread(program)
    assert set(found) == both - {killed} | {successor}
    assert min(found.values()) >= 35, found


class Elsewhere(Program):
    """A program that listens at no port of its own."""

    def wait_for_banner(self, count: int) -> int:
        until(lambda: self.errors.read_text().count("Ctrl-C") == count or self.process.poll() is not None)
        assert self.process.poll() is None, self.errors.read_text()
        return 0


@pytest.mark.parametrize("workers", [1, 2])
def test_a_unix_socket_serves_and_is_taken_away(
    tmp_path: Path, workers: int, capsys: pytest.CaptureFixture[str]
) -> None:
    # covers config: uds
    path = tmp_path / "app.sock"
    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind(str(path))
    program = Elsewhere(tmp_path, {"uds": str(path), "workers": workers}, "app.run()")
    try:
        assert f"on unix:{path} " in program.errors.read_text()
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(str(path))
            assert ask(client).endswith(b'{"hello":"world"}')
        assert refusal(Spikard(uds=str(path)), capsys) == f"cannot listen on unix:{path}: another server listens there"
        program.signal(signal.SIGTERM)
        assert program.status() == 0
        assert not path.exists()
    finally:
        program.process.kill()
        program.process.communicate()


def test_a_path_that_is_no_socket_is_left_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "app.sock"
    path.write_text("precious")
    assert refusal(Spikard(uds=str(path)), capsys).endswith("the path is there and is no socket")
    assert path.read_text() == "precious"


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("handed_over", [False, True], ids=["fd", "LISTEN_FDS"])
def test_an_inherited_socket_serves(tmp_path: Path, workers: int, handed_over: bool) -> None:
    # covers config: fd
    program = tmp_path / "program.py"
    call = "" if handed_over else "fd=3, "
    program.write_text(
        "from spikard import Spikard\napp = Spikard()\n"
        "@app.get('/')\ndef hello() -> str:\n    return 'inherited'\n"
        f"app.run({call}workers={workers})\n"
    )
    launch = "import os, sys\nos.dup2({number}, 3)\nos.environ.update(LISTEN_FDS='1', LISTEN_PID=str(os.getpid()))\n"
    launch += "os.set_inheritable(3, True)\nos.execv(sys.executable, [sys.executable, sys.argv[1]])\n"
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port, number = listener.getsockname()[1], listener.fileno()
        command = [sys.executable, "-c", launch.format(number=number), str(program)]
        process = subprocess.Popen(command, pass_fds=[number], stderr=subprocess.DEVNULL)
    try:
        answer = b""
        with socket.create_connection(("127.0.0.1", port), timeout=20) as client:  # the kernel has it wait
            answer = ask(client)
        assert answer.endswith(b"inherited")
    finally:
        process.terminate()
        assert process.wait(10) == 0


@pytest.mark.skipif(sys.platform == "darwin", reason="macOS does not say whether a socket listens")
def test_a_descriptor_that_does_not_listen_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as idle:
        assert refusal(Spikard(fd=idle.fileno()), capsys).startswith("cannot listen on descriptor")
