"""The ways in which an app can be reached: a program that serves, by `run()` or `serve()`, on either loop, and the test
client.
"""

from __future__ import annotations

import importlib.util
import os
import re
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx
from spikard import Spikard
from spikard.testing import TestClient

HANDLERS = Path(__file__).with_name("handlers.py")
BANNER = re.compile(r"^Spikard \S+ on http://127\.0\.0\.1:(\d+) ", re.MULTILINE)
TIME = 60.0


class Served:
    """A program that serves."""

    def __init__(
        self, folder: Path, command: list[str], environment: dict[str, str] | None = None, file: Path = HANDLERS
    ) -> None:
        self.errors = folder / "stderr"
        with self.errors.open("w") as errors:
            self.process = subprocess.Popen(
                [sys.executable, *command[:-2], str(file), *command[-2:]],
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                env={**os.environ, **(environment or {})},
            )
        self.port = self._listens()
        self._client = httpx.Client(base_url=f"http://127.0.0.1:{self.port}", trust_env=False, timeout=TIME)

    def _listens(self) -> int:
        deadline = time.monotonic() + TIME
        while time.monotonic() < deadline and self.process.poll() is None:
            if found := BANNER.search(self.errors.read_text()):
                return int(found[1])
            time.sleep(0.01)
        self.process.kill()
        raise AssertionError(self.errors.read_text())

    def get(self, path: str) -> tuple[int, Any]:
        """Status and body, parsed where it is JSON."""
        answer = self._client.get(path)
        return answer.status_code, answer.json() if "json" in answer.headers.get("content-type", "") else answer.text

    def send(self, path: str) -> socket.socket:
        """Sends a request and does not wait for the answer."""
        connection = socket.create_connection(("127.0.0.1", self.port), timeout=TIME)
        connection.sendall(f"GET {path} HTTP/1.1\r\nhost: test\r\n\r\n".encode())
        return connection

    def line(self) -> str:
        """What a handler printed."""
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def stop(self) -> int:
        """Asks the program to end; its status."""
        self._client.close()
        self.process.terminate()
        try:
            self.process.communicate(timeout=TIME)
        finally:
            self.process.kill()
        return self.process.returncode


class InProcess:
    """The test client, with a thread and loop of its own."""

    def __init__(self) -> None:
        # A module of its own: its state must not be that of another door.
        spec = importlib.util.spec_from_file_location("compat_handlers_in_process", HANDLERS)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        app: Spikard = module.app
        self._client = TestClient(app, timeout=TIME)

    def get(self, path: str) -> tuple[int, Any]:
        """Status and body, parsed where it is JSON."""
        answer = self._client.get(path)
        return answer.status_code, answer.json() if "json" in answer.headers.get("content-type", "") else answer.text

    def stop(self) -> int:
        """Ends the app."""
        self._client.close()
        return 0


Door = Served | InProcess


def until(door: Door, wanted: list[str]) -> None:
    """Waits until the handlers have noted this."""
    noted: list[str] = []
    deadline = time.monotonic() + TIME
    while noted != wanted:
        assert time.monotonic() < deadline, noted
        noted += door.get("/events")[1]
        time.sleep(0.01)


def no_task_is_left(door: Door) -> None:
    """Waits until the tasks of all requests but this one have ended: their answers may be earlier."""
    deadline = time.monotonic() + TIME
    while (left := door.get("/tasks-left")) != (200, 0):
        assert time.monotonic() < deadline, left
        time.sleep(0.01)
