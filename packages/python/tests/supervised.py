"""A program with several workers, and the clients that load it."""

from __future__ import annotations

import http.client
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from .test_server import Program, rest

Start = Callable[..., Program]

# Where the interpreter has no lock either, these tests are of processes.
AS_PROCESSES = "from spikard import _processes\n_processes.has_lock = lambda: True\n"


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    programs: list[Program] = []

    def start(config: dict[str, object], run: str = "app.run()") -> Program:
        programs.append(Program(tmp_path, config, AS_PROCESSES + run))
        return programs[-1]

    yield start
    for program in programs:
        program.process.terminate()
        try:
            program.process.communicate(timeout=5)
        except subprocess.TimeoutExpired:
            program.process.kill()
            program.process.communicate()


def pid(program: Program) -> int:
    status, body = program.get("/pid")
    assert status == 200
    return int(body)


def pids(program: Program, count: int, known: frozenset[int] = frozenset()) -> set[int]:
    """Waits until so many workers have answered that are not known."""
    found: set[int] = set()

    def enough() -> bool:
        found.add(pid(program))
        return len(found - known) >= count

    until(enough)
    return found - known


def children(process: int) -> set[int]:
    """Those of all its threads."""
    listings = Path(f"/proc/{process}/task").glob("*/children")
    return {int(child) for listing in listings for child in listing.read_text().split()}


def until(holds: Callable[[], object], patience: float = 20) -> None:
    deadline = time.monotonic() + patience
    while not holds():
        assert time.monotonic() < deadline, "it did not come to hold"
        time.sleep(0.01)


def is_gone(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


class Load:
    """Clients that ask again and again, each on one connection, which they renew when the server closes it."""

    def __init__(self, port: int) -> None:
        self.answered = 0
        self.refused = 0
        self.broken = 0
        """Requests that were sent and not answered, though the connection had not been closed before."""
        self.open = True
        self._port = port
        self.threads = [threading.Thread(target=self._ask) for _ in range(8)]

    def _ask(self) -> None:
        while self.open:
            connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=10)
            try:
                connection.connect()
            except OSError:
                self.refused += 1
                time.sleep(0.01)
                continue
            try:
                while self.open:
                    connection.request("GET", "/brief")
                    answer = connection.getresponse()
                    assert answer.read() == b"brief"
                    self.answered += 1
                    if answer.will_close:
                        break
            except (http.client.HTTPException, OSError):
                self.broken += 1
            finally:
                connection.close()


@contextmanager
def load(program: Program) -> Iterator[Load]:
    clients = Load(program.port)
    for thread in clients.threads:
        thread.start()
    try:
        until(lambda: clients.answered > 100)
        yield clients
    finally:
        clients.open = False
        for thread in clients.threads:
            thread.join()
        numbers = f"{clients.answered} answered, {clients.broken} broken, {clients.refused} refused"
        print(f"under load: {numbers}")


def ask(connection: socket.socket) -> bytes:
    connection.sendall(b"GET / HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\r\n")
    return rest(connection)


def check_drain(program: Program) -> None:
    """A SIGTERM under load: what is in flight is finished, and the status is 0."""
    with load(program) as clients:
        slow = [program.begin("/slow") for _ in range(8)]
        program.signal(signal.SIGTERM)
        assert all(rest(one).endswith(b"slow") for one in slow)
        assert program.status() == 0
    # One that was on its way to a connection which closed, idle, may be lost; the server has not begun it.
    assert clients.broken <= len(clients.threads)
