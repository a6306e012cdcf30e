"""The workers of one test client: one for the app as it is, and one for each state of its overrides that applies."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextvars import copy_context
from typing import TYPE_CHECKING

from ._lifespan import retire
from ._request import Address, stand_in
from ._spikard import Worker
from ._worker import Report, open_worker

if TYPE_CHECKING:
    from ._callable import Compiled
    from .app import Spikard
    from .di import Overrides


class Workers:
    """Everything here runs on the app's thread."""

    def __init__(self, app: Spikard, report: Report, loop: asyncio.AbstractEventLoop, peer: Address | None) -> None:
        self._app, self._told, self._loop, self._peer = app, report, loop, peer
        self._overrides = app._overrides
        self.cancelled = False
        """Nobody waits for what is on its way."""
        self.first = self._made(app._compile())
        """Of the overrides that applied when the client was opened."""
        self._others: list[tuple[Overrides, Worker]] = []
        self._ending: set[asyncio.Task[None]] = set()

    def _made(self, compiled: Compiled) -> Worker:
        context = copy_context()
        context.run(stand_in, self._peer)
        return context.run(open_worker, compiled, {}, self._loop, self._report)

    def _report(self, exception: BaseException | None, source: str | None, route: str, request_id: str | None) -> None:
        if not (self.cancelled and isinstance(exception, asyncio.CancelledError)):
            self._told(exception, source, route, request_id)

    def __iter__(self) -> Iterator[Worker]:
        """The latest first."""
        yield from (worker for _, worker in reversed(self._others))
        yield self.first

    def of(self, overrides: Overrides, busy: list[Overrides]) -> Worker:
        """The worker of these overrides. Those of others that are over end, unless a request is `busy` with them."""
        for known, worker in list(self._others):
            if known is overrides:
                return worker
            if not any(one.are_within(known) for one in (overrides, *busy)):
                self._others.remove((known, worker))
                self._ending.add(ending := self._loop.create_task(_end(worker)))
                ending.add_done_callback(self._ending.discard)
        if overrides is self._overrides:
            return self.first
        worker = self._made(self._app._compile(overrides))
        self._others.append((overrides, worker))
        return worker

    async def idle(self, patience: float) -> bool:
        """Waits for what follows the answers: clean-up and background tasks. Whether all of it has ended."""
        end = self._loop.time() + patience
        while (is_busy := any(worker.in_flight for worker in self)) and self._loop.time() < end:
            await asyncio.sleep(0.002)
        await asyncio.gather(*self._ending)
        return not is_busy

    def cancel(self) -> None:
        """Cancels what is on its way; of what ends so nothing is told."""
        self.cancelled = True
        for worker in self:
            worker.cancel()

    def close(self) -> None:
        """Ends them. `def` code that runs is waited for."""
        for worker in self:
            worker.close()


async def _end(worker: Worker) -> None:
    await retire(worker)
    worker.close()
