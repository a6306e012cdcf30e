"""What a run will do, told before it begins: contenders, workloads, rounds, seconds, and how long that takes."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import surroundings
from contenders import Contender
from exchanges import Workload

STARTS = 3
REST = 5
# Seconds, as they were measured: of a start, of a gate, and of what stands around each turn.
START, GATE, AROUND, OPENING = 1.0, 0.1, 0.5, 2.0


@dataclasses.dataclass(frozen=True)
class Plan:
    """What is run, for how long, and where."""

    contenders: list[Contender]
    workloads: list[Workload]
    rounds: int
    seconds: int
    warm_up: int
    folder: Path
    database: str = ""
    """Where PostgreSQL answers, for the workloads that ask it."""

    @property
    def generator_core(self) -> int:
        """Where the load comes from."""
        return surroundings.cores()[0]

    def server_cores(self, workers: int = 1) -> list[int]:
        """A core for each worker beside the generator's; every core, the generator's too, where there are fewer."""
        cores = surroundings.cores()
        return cores[1 : 1 + workers] if len(cores) > workers else cores

    def shares(self, workload: Workload) -> bool:
        """Whether the generator has no core to itself."""
        return self.generator_core in self.server_cores(workload.workers)

    def pairs(self) -> Iterator[tuple[Workload, Contender]]:
        """Each workload with each contender, contenders changing fastest."""
        for workload in self.workloads:
            for contender in self.contenders:
                yield workload, contender

    def timed(self) -> list[tuple[Workload, Contender]]:
        """The pairs that are not left out beforehand."""
        return [(workload, contender) for workload, contender in self.pairs() if not contender.lacks(workload)]

    def seconds_of(self, workload: Workload, takers: int, warm_up: bool = False) -> float:
        """About how long a round takes, or what stands before the first one."""
        once = (START + GATE + self.warm_up if warm_up else self.seconds) + AROUND
        if workload.load == "idle":
            once += self.seconds + OPENING
        return takers * (once + (self.seconds + AROUND if warm_up else 0))

    def minutes(self) -> float:
        """About how long the measurement takes, installations apart."""
        cells = len(self.timed())
        variants = {(one.name, two.environment, two.workers) for two, one in self.timed()}
        turns = cells * (self.warm_up + AROUND + self.rounds * (self.seconds + AROUND))
        return ((STARTS * len(self.contenders) + len(variants)) * START + cells * GATE + turns + REST) / 60

    def told(self) -> str:
        """The plan in a few lines."""
        cells, left = len(self.timed()), len(list(self.pairs())) - len(self.timed())
        return (
            f"plan: {len(self.contenders)} contenders x {len(self.workloads)} workloads = {cells} cells"
            f"{f' ({left} left out, each with its reason)' if left else ''}, {self.rounds} rounds of "
            f"{self.seconds} s after {self.warm_up} s of warm-up: about {self.minutes():.0f} minutes"
        )
