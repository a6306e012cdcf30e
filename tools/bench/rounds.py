"""The measurement: every contender started and gated, then rounds in which each takes its turn, A B C A B C, so that a
drift of the machine meets all of them alike. What a turn found is on the disk before the next one begins.
"""

from __future__ import annotations

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


class Run:
    """A measurement as it goes on."""

    def __init__(self, plan: Plan, record: Record) -> None:
        self.plan = plan
        self.record = record
        self.fleet = Fleet(plan)
        self.progress = Progress(0)

    def all(self) -> None:
        """Everything that the record does not hold yet; whatever happens, no server outlives it."""
        self.progress = Progress(len(self.plan.contenders) + (2 + self.plan.rounds) * len(self.plan.timed()))
        try:
            for contender in self.plan.contenders:
                self.progress.step(f"starting {contender.name}")
                self.start(contender)
            for workload, contender in self.plan.pairs():
                self.judge(workload, contender)
            for number in range(self.plan.rounds + 1):
                for workload, contender in self.plan.timed():
                    what = f"round {number}" if number else "warm-up"
                    self.progress.step(f"{what}: {workload.name}, {contender.name}")
                    self.turn(workload, contender, number)
            self.rest()
        finally:
            self.fleet.end()
            self.record.keep()

    def start(self, contender: Contender) -> None:
        """Starts a contender; one that cannot be started is told with the reason."""
        if "failed" in self.record.servers.get(contender.name, {}):
            return
        try:
            started = self.fleet.begin(contender)
        except Unavailable as reason:
            self.record.servers[contender.name] = {"failed": str(reason)}
            self.progress.say(f"{contender.name}: {reason}")
            return
        memory = {"start": started.memory}
        self.record.servers[contender.name] = {"first_answer_seconds": started.first_answer_seconds, "memory": memory}

    def judge(self, workload: Workload, contender: Contender) -> None:
        """Opens the cell, as failed where the gate finds it wrong."""
        if "failed" in self.record.servers.get(contender.name, {}):
            return
        cell = self.record.cell(workload.name, contender.name)
        cell.pop("failed", None)
        cell.pop("absent", None)
        if why := contender.lacks(workload):
            cell["absent"] = why
            return
        self.progress.step(f"gate: {workload.name}, {contender.name}")
        if (server := self.server(workload, contender, cell)) is None:
            return
        verdict = gate.judge(server.port, workload)
        if verdict.wrong:
            self.fail(workload, contender, verdict.wrong)
        marks = [verdict.mark, "the generator has no core to itself" if self.plan.shares(workload) else ""]
        if mark := "; ".join(filter(None, marks)):
            cell["mark"] = mark

    def turn(self, workload: Workload, contender: Contender, number: int) -> None:
        """One turn; number 0 warms up. A cell that fails stays failed."""
        if "failed" in self.record.servers.get(contender.name, {}):
            return
        cell = self.record.cell(workload.name, contender.name)
        if "failed" in cell or str(number) in cell["rounds"]:
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
        """Memory at the end, and after a rest."""
        for moment, wait in (("end", 0), ("idle", REST)):
            time.sleep(wait)
            for name, server in self.fleet.plain().items():
                if server.alive:
                    self.record.servers[name]["memory"][moment] = server.usage().memory
