"""The measurement: every contender started, then one workload after another: a gate, a warm-up, and rounds in which each
takes its turn, A B C A B C, so that a drift of the machine meets all of them alike. What a turn found is on the disk before
the next one begins.
"""

from __future__ import annotations

import math
import subprocess
import time

import gate
import turns
from contenders import Contender, Unavailable
from exchanges import Workload
from fleet import Fleet
from plan import REST, Plan
from processes import Server
from progress import Progress
from record import Record
from wrk import Failed


class Over(Exception):
    """The time of this part of the run is over: what is left is done when the run is begun again."""


class Run:
    """A measurement as it goes on. `part` is how many seconds of it are done now, 0 for all."""

    def __init__(self, plan: Plan, record: Record, part: float = 0) -> None:
        self.plan = plan
        self.record = record
        self.fleet = Fleet(plan)
        self.progress = Progress(0)
        self.end = time.monotonic() + part if part else math.inf

    def all(self) -> bool:
        """Does what the record does not hold yet; answers whether nothing is left. No server outlives it."""
        steps = len(self.plan.contenders) + (2 + self.plan.rounds) * len(self.plan.timed())
        self.progress = Progress(steps)
        try:
            for contender in self.plan.contenders:
                self.start(contender)
            for workload in self.plan.workloads:
                self.rounds(workload)
        except Over:
            return False
        finally:
            try:
                self.rest()
            finally:
                self.fleet.end()
                self.record.keep()
        return True

    def rounds(self, workload: Workload) -> None:
        """Every round of a workload that is missing. A round is begun only where there is time for all of it."""
        left = [contender for contender in self.plan.contenders if self.missing(workload, contender)]
        if left:
            self.enough(self.plan.seconds_of(workload, len(left), warm_up=True))
        left = [contender for contender in left if self.judge(workload, contender)]
        for number in range(self.plan.rounds + 1 if self.plan.rounds else 0):
            takers = [contender for contender in left if not number or self.missing(workload, contender, number)]
            if number and takers:
                self.enough(self.plan.seconds_of(workload, len(takers)))
            for contender in takers:
                what = f"round {number}" if number else "warm-up"
                self.progress.step(f"{what}: {workload.name}, {contender.name}")
                self.turn(workload, contender, number)

    def enough(self, seconds: float) -> None:
        """Ends this part where the time left does not suffice."""
        if time.monotonic() + seconds > self.end:
            raise Over

    def missing(self, workload: Workload, contender: Contender, number: int = 0) -> bool:
        """Whether a round of a cell, or any, is still to be done."""
        if "failed" in self.record.servers.get(contender.name, {}):
            return False
        cell = self.record.cell(workload.name, contender.name)
        cell.pop("absent", None)
        if why := contender.lacks(workload):
            cell["absent"] = why
        if "failed" in cell or why:
            return False
        wanted = [number] if number else range(1, self.plan.rounds + 1)
        return not wanted or any(str(one) not in cell["rounds"] for one in wanted)

    def start(self, contender: Contender) -> None:
        """Starts a contender for its times; one that cannot be started is told with the reason."""
        if contender.name in self.record.servers:
            return
        self.progress.step(f"starting {contender.name}")
        try:
            started = self.fleet.begin(contender)
        except Unavailable as reason:
            self.record.servers[contender.name] = {"failed": str(reason)}
            self.progress.say(f"{contender.name}: {reason}")
            return
        memory = {"start": started.memory}
        self.record.servers[contender.name] = {"first_answer_seconds": started.first_answer_seconds, "memory": memory}

    def judge(self, workload: Workload, contender: Contender) -> bool:
        """Opens the cell and answers whether it is to be timed: not where the gate finds it wrong."""
        cell = self.record.cell(workload.name, contender.name)
        self.progress.step(f"gate: {workload.name}, {contender.name}")
        if (server := self.server(workload, contender, cell)) is None:
            return False
        verdict = gate.judge(server.port, workload)
        if verdict.wrong:
            self.fail(workload, contender, verdict.wrong)
            return False
        marks = [verdict.mark, "the generator has no core to itself" if self.plan.shares(workload) else ""]
        cell.pop("mark", None)
        if mark := "; ".join(filter(None, marks)):
            cell["mark"] = mark
        return True

    def turn(self, workload: Workload, contender: Contender, number: int) -> None:
        """One turn; number 0 warms up. A cell that fails stays failed."""
        cell = self.record.cell(workload.name, contender.name)
        if "failed" in cell:
            return
        if (server := self.server(workload, contender, cell)) is None:
            return
        try:
            row = turns.take(self.plan, workload, server, number, cell)
            if not server.alive:
                raise Failed(f"the server ended with {server.process.returncode}: {server.last_words()}")
        except (Failed, OSError, subprocess.TimeoutExpired) as reason:
            self.fail(workload, contender, str(reason))
            return
        if number:
            cell["rounds"][str(number)] = row
        self.record.keep()

    def server(self, workload: Workload, contender: Contender, cell: dict) -> Server | None:
        """The server of a cell, which fails where there is none any more."""
        try:
            return self.fleet.wake(contender, workload)
        except Unavailable as reason:
            cell["failed"] = str(reason)
            self.progress.say(f"{workload.name}, {contender.name}: {reason}")
            return None

    def fail(self, workload: Workload, contender: Contender, reason: str) -> None:
        """Ends a cell."""
        self.record.cell(workload.name, contender.name)["failed"] = reason
        self.progress.say(f"{workload.name}, {contender.name}: {reason}")
        self.record.keep()

    def rest(self) -> None:
        """Memory at the end, and after a rest; of a run in parts, that of the part that left most."""
        for moment, wait in (("end", 0), ("idle", REST)):
            servers = self.fleet.plain()
            time.sleep(wait if servers else 0)
            for name, server in servers.items():
                if server.alive:
                    memory = self.record.servers[name]["memory"]
                    memory[moment] = max(memory.get(moment, 0), server.usage().memory)
