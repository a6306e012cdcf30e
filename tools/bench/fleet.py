"""The servers of a run. Each contender has one for every environment that a workload asks for; all but the one that is
measured are stopped by a signal meanwhile, so that none that polls while it is idle takes time from another.
"""

from __future__ import annotations

import dataclasses

from contenders import Contender
from exchanges import Workload
from plan import STARTS, Plan
from processes import Server

Key = tuple[str, tuple[tuple[str, str], ...], int]


@dataclasses.dataclass(frozen=True)
class Started:
    """What is known of a contender when it has started."""

    first_answer_seconds: list[float]
    memory: int


class Fleet:
    """Every server that runs."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.servers: dict[Key, Server] = {}
        self.awake: Key | None = None

    def begin(self, contender: Contender) -> Started:
        """Starts it several times for the time to its first answer; the last one stays."""
        key: Key = (contender.name, (), 1)
        times: list[float] = []
        while True:
            self._sleep()
            server = self._start(contender, key)
            times.append(round(server.first_answer, 4))
            if len(times) == STARTS:
                break
            server.stop()
        self.servers[key], self.awake = server, key
        return Started(times, server.usage().memory)

    def wake(self, contender: Contender, workload: Workload) -> Server:
        """The server that a workload is measured on, the only one that runs; started anew where it has ended."""
        key: Key = (contender.name, workload.environment, workload.workers)
        if self.awake != key:
            self._sleep()
        server = self.servers.get(key)
        if server is not None and not server.alive:
            server.stop()
            del self.servers[key]
            server = None
        if server is None:
            server = self.servers[key] = self._start(contender, key)
        elif self.awake != key:
            server.go_on()
        self.awake = key
        return server

    def plain(self) -> dict[str, Server]:
        """The servers without an environment of their own, by their contender, all of them awake."""
        for key, server in self.servers.items():
            if key != self.awake:
                server.go_on()
        self.awake = None
        return {
            name: server
            for (name, environment, workers), server in self.servers.items()
            if not environment and workers == 1
        }

    def _start(self, contender: Contender, key: Key) -> Server:
        _, environment, workers = key
        more = dict(environment)
        if self.plan.database:
            more["BENCH_DATABASE"] = self.plan.database
        log = self.plan.folder / f"{contender.name}.log"
        cores = self.plan.server_cores(workers)
        ahead = self.plan.generator_core not in cores  # where they share one, the generator alone is
        return Server(contender, cores, log, environment=more, workers=workers, ahead=ahead)

    def _sleep(self) -> None:
        if self.awake is not None and (server := self.servers.get(self.awake)) and server.alive:
            server.pause()
        self.awake = None

    def end(self) -> None:
        """Stops all of them."""
        for server in self.servers.values():
            server.go_on()
            server.stop()
