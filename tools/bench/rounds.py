"""The measurement: every contender started and gated, then rounds in which each takes its turn, A B C A B C, so that a
drift of the machine meets all of them alike.
"""

from __future__ import annotations

import dataclasses
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import gate
import wrk
from contenders import Contender, Unavailable
from processes import Server
from workloads import Workload

STARTS = 3
REST = 5
LOST = "the server ended in another workload and does not start again"


@dataclasses.dataclass(frozen=True)
class Plan:
    """What is run, for how long, and where."""

    contenders: list[Contender]
    workloads: list[Workload]
    rounds: int
    seconds: int
    warm_up: int
    server_core: int
    generator_core: int
    folder: Path


class Progress:
    """One line on stderr: how far, what now, how much longer."""

    def __init__(self, steps: int) -> None:
        self.steps = steps
        self.done = 0
        self.began = time.monotonic()

    def step(self, what: str) -> None:
        """Says what begins."""
        spent = time.monotonic() - self.began
        left = f"{spent / self.done * (self.steps - self.done):.0f} s left" if self.done else "…"
        self.done += 1
        start, end = ("\r\x1b[K", "") if sys.stderr.isatty() else ("", "\n")
        print(f"{start}[{self.done}/{self.steps}] {what} ({left})", end=end, file=sys.stderr, flush=True)

    def say(self, line: str) -> None:
        """A line that stays."""
        start = "\r\x1b[K" if sys.stderr.isatty() else ""
        print(f"{start}{line}", file=sys.stderr, flush=True)


class Run:
    """A measurement as it goes on. `cells` and `servers` are plain values, as they are written to the disk."""

    def __init__(self, plan: Plan, failed: dict[str, str], keep: Callable[[], None]) -> None:
        self.plan = plan
        self.keep = keep
        self.cells: dict[str, dict[str, dict]] = {}
        self.servers: dict[str, dict] = {name: {"failed": why} for name, why in failed.items()}
        self.running: dict[str, Server] = {}
        turns = [one for one in plan.contenders if one.name not in failed]
        self.turns = turns
        cells = len(turns) * len(plan.workloads)
        self.progress = Progress(len(turns) + 2 * cells + plan.rounds * cells)

    def all(self) -> None:
        """Everything; whatever happens, no server outlives it."""
        try:
            for contender in self.turns:
                self.progress.step(f"starting {contender.name}")
                self.start(contender)
            for workload, contender in self.pairs():
                self.progress.step(f"gate: {workload.name}, {contender.name}")
                self.judge(workload, contender)
            for workload, contender in self.pairs():
                self.progress.step(f"warm-up: {workload.name}, {contender.name}")
                self.measure(workload, contender, None)
            for number in range(1, self.plan.rounds + 1):
                for workload, contender in self.pairs():
                    self.progress.step(f"round {number}: {workload.name}, {contender.name}")
                    self.measure(workload, contender, number)
                self.keep()
            self.rest()
        finally:
            for server in self.running.values():
                server.stop()
            self.keep()

    def pairs(self) -> Iterator[tuple[Workload, Contender]]:
        """Each workload with each contender that runs, contenders changing fastest."""
        for workload in self.plan.workloads:
            for contender in self.turns:
                if contender.name in self.running:
                    yield workload, contender

    def start(self, contender: Contender) -> None:
        """Starts it several times for the time to its first answer; the last one stays."""
        log = self.plan.folder / f"{contender.name}.log"
        times: list[float] = []
        try:
            for _ in range(STARTS - 1):
                server = Server(contender, self.plan.server_core, log)
                times.append(server.first_answer)
                server.stop()
            server = Server(contender, self.plan.server_core, log)
        except Unavailable as reason:
            self.servers[contender.name] = {"failed": str(reason)}
            self.progress.say(f"{contender.name}: {reason}")
            return
        times.append(server.first_answer)
        self.running[contender.name] = server
        memory = {"start": server.usage().memory}
        self.servers[contender.name] = {"first_answer_seconds": [round(one, 4) for one in times], "memory": memory}

    def judge(self, workload: Workload, contender: Contender) -> None:
        """Opens the cell, as failed where the gate finds it wrong."""
        cell = self.cells.setdefault(workload.name, {})[contender.name] = {"rounds": {}}
        if why := contender.absent.get(workload.name):
            cell["absent"] = why
            return
        if (server := self.living(contender)) is None:
            cell["failed"] = LOST
            return
        verdict = gate.judge(server.port, workload)
        if verdict.wrong:
            cell["failed"] = verdict.wrong
            self.progress.say(f"{workload.name}, {contender.name}: {verdict.wrong}")
        if verdict.mark:
            cell["mark"] = verdict.mark

    def measure(self, workload: Workload, contender: Contender, number: int | None) -> None:
        """One turn; without a number its result is thrown away. A cell that fails stays failed."""
        cell = self.cells[workload.name][contender.name]
        if "failed" in cell or "absent" in cell:
            return
        if (server := self.living(contender)) is None:
            cell["failed"] = LOST
            return
        seconds = self.plan.warm_up if number is None else self.plan.seconds
        script = self.plan.folder / f"{workload.name}.lua"
        before = server.usage().cpu
        try:
            got = wrk.run(workload, server.port, seconds, self.plan.generator_core, script)
            if not server.alive:
                raise wrk.Failed(f"the server ended with {server.process.returncode}: {server.last_words()}")
        except (wrk.Failed, OSError, subprocess.TimeoutExpired) as reason:
            cell["failed"] = str(reason)
            self.progress.say(f"{workload.name}, {contender.name}: {reason}")
            return
        finally:
            script.unlink(missing_ok=True)
        if number is not None:
            cpu = (server.usage().cpu - before) / got.requests * 1000
            row = {"rate": got.rate, "errors": got.errors, "requests": got.requests, "cpu_per_1000": cpu}
            cell["rounds"][str(number)] = {**row, "latency_ms": got.latency}

    def living(self, contender: Contender) -> Server | None:
        """Its server, started anew where it ended in an earlier cell, which failed by that."""
        server = self.running[contender.name]
        if not server.alive:
            server.stop()
            try:
                server = Server(contender, self.plan.server_core, server.log)
            except Unavailable as reason:
                self.progress.say(f"{contender.name}: {reason}")
                return None
            self.running[contender.name] = server
        return server

    def rest(self) -> None:
        """Memory at the end, and after a rest."""
        for moment, wait in (("end", 0), ("idle", REST)):
            time.sleep(wait)
            for name, server in self.running.items():
                if server.alive:
                    self.servers[name]["memory"][moment] = server.usage().memory
