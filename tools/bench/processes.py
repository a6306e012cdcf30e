"""A server under measurement: started in a session of its own, so that its time and memory are those of every process
in that session, and stopped with all of them.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import re
import signal
import socket
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

import priority
from contenders import Contender, Unavailable
from surroundings import BENCHMARKS, sample

PATIENCE = 30
PLAINTEXT = b"GET /plaintext HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
TICKS = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclasses.dataclass(frozen=True)
class Usage:
    """What a session has used so far."""

    cpu: float
    """Seconds, in user space and in the kernel."""
    memory: int
    """Resident bytes; pages that processes share count for each of them."""


class Server:
    """A contender that runs."""

    def __init__(
        self,
        contender: Contender,
        cores: list[int],
        log: Path,
        prefix: tuple[str, ...] = (),
        environment: Mapping[str, str] | None = None,
        workers: int = 1,
        ahead: bool = False,
    ) -> None:
        self.contender = contender
        self.port = free_port()
        self.log = log
        pinned = ["taskset", "--cpu-list", ",".join(map(str, cores))]
        command = [*pinned, *prefix, *contender.started_by(self.port, workers)]
        began = time.monotonic()
        with log.open("ab") as output:
            self.process = subprocess.Popen(
                command,
                cwd=BENCHMARKS / contender.app,
                env={**os.environ, **found(), **contender.environment, **(environment or {})},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                preexec_fn=priority.go_ahead if ahead else os.setsid,
            )
        try:
            self._wait(PATIENCE * (10 if prefix else 1))
        except Unavailable:
            self.stop()
            raise
        self.first_answer = time.monotonic() - began
        """Seconds from the start of the process to its first answer."""

    def _wait(self, patience: float) -> None:
        end = time.monotonic() + patience
        while not answers(self.port):
            if self.process.poll() is not None:
                raise Unavailable(f"ended with {self.process.returncode} at its start: {self.last_words()}")
            if time.monotonic() > end:
                raise Unavailable(f"no answer within {patience:.0f} s: {self.last_words()}")
            time.sleep(0.002)

    def last_words(self) -> str:
        """The last line of its log that names an error, else the last lines."""
        lines = self.log.read_text(errors="replace").strip().splitlines()
        named = [line for line in lines if re.search(r"\berror\b|Error\b|panicked", line)]
        return " / ".join(named[-1:] or lines[-3:])[:400]

    @property
    def alive(self) -> bool:
        """Whether it still runs."""
        return self.process.poll() is None

    def usage(self) -> Usage:
        """What every process of its session has used."""
        rows = list(self._session().values())
        ticks = sum(int(row[11]) + int(row[12]) for row in rows)
        return Usage(ticks / TICKS, sum(int(row[21]) for row in rows) * PAGE)

    def pids(self) -> list[int]:
        """The processes of its session."""
        return sorted(self._session())

    def _session(self) -> dict[int, list[str]]:
        found = {int(folder.name): stat(folder) for folder in Path("/proc").glob("[0-9]*")}
        return {pid: row for pid, row in found.items() if row and int(row[3]) == self.process.pid}

    def pause(self) -> None:
        """Stops it where it is, until it may go on."""
        self._signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """Lets it run again."""
        self._signal(signal.SIGCONT)

    def _signal(self, kind: signal.Signals) -> None:
        for pid in self.pids():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, kind)

    def stop(self) -> None:
        """Ends every process of its group, kindly first."""
        for kind in (signal.SIGTERM, signal.SIGKILL):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, kind)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(3)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)


def stat(folder: Path) -> list[str] | None:
    """The fields of /proc/PID/stat from the state on; the command before them may hold blanks and brackets."""
    try:
        return (folder / "stat").read_text(errors="replace").rpartition(")")[2].split()
    except OSError:
        return None


def found() -> dict[str, str]:
    """What every server finds in its environment."""
    return {"PYTHONDONTWRITEBYTECODE": "1", "BENCH_FILE": str(sample())}


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def answers(port: int) -> bool:
    """Whether /plaintext is answered with 200."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
            connection.sendall(PLAINTEXT)
            return b" 200 " in connection.recv(64)
    except OSError:
        return False
