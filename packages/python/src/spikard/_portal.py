"""Where the app of a test client runs: on the caller's loop, or on a thread and loop of its own."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from typing import Any

import msgspec

from ._callable import Compiled
from ._spikard import Worker
from ._worker import Report, open_worker

Answer = tuple[int, list[tuple[str, bytes]], bytes]
"""Status, headers and body."""


class Home:
    """A worker on a loop that runs already. Requests may come from any thread."""

    def __init__(self, compiled: Compiled, report: Report, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.thread = threading.get_ident()
        self._worker = open_worker(compiled, {}, loop, report)
        self._pending: set[Future[Any]] = set()
        self._patience: float = msgspec.json.decode(self._worker.config)["shutdown_timeout"]

    def is_here(self) -> bool:
        """Whether this is the app's own thread, where nobody may block."""
        return threading.get_ident() == self.thread

    def submit(self, start: Callable[[Worker, Future[Any]], None], future: Future[Any]) -> None:
        """Calls `start` on the app's thread. The future ends with the home, if nothing ends it before."""
        if self.is_here():
            self._start(start, future)
        else:
            self.loop.call_soon_threadsafe(self._start, start, future)

    def _start(self, start: Callable[[Worker, Future[Any]], None], future: Future[Any]) -> None:
        self._pending.add(future)
        future.add_done_callback(self._pending.discard)
        try:
            start(self._worker, future)
        except Exception as error:
            if not future.done():
                future.set_exception(error)

    async def drain(self) -> None:
        """Waits for the answers that are on their way, as long as a server would."""
        if self._pending:
            await asyncio.wait([asyncio.wrap_future(future) for future in self._pending], timeout=self._patience)

    def close(self) -> None:
        """On the app's thread. `def` code that runs is waited for."""
        self._worker.close()
        for future in list(self._pending):
            future.set_exception(RuntimeError("the test client was closed before the answer came"))


class Portal:
    """A home on a thread of its own, from its making to `stop`."""

    def __init__(self, compiled: Compiled, report: Report) -> None:
        started: Future[Home] = Future()
        self.drains = False
        """The end waits for what is on its way."""
        live = partial(_live, compiled, report, started, self)
        self._thread = threading.Thread(target=live, name="spikard-test", daemon=True)
        self._thread.start()
        self.home = started.result()

    def stop(self, drain: bool = False) -> None:
        """From any thread; from the portal's own it cannot wait for the end."""
        self.drains = drain
        if self._thread.is_alive():
            with suppress(RuntimeError):  # the loop has been closed meanwhile
                self.home.loop.call_soon_threadsafe(self.home.loop.stop)
        if not self.home.is_here():
            self._thread.join()


def _live(compiled: Compiled, report: Report, started: Future[Home], portal: Portal) -> None:
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    try:
        try:
            home = Home(compiled, report, loop)
        except BaseException as error:
            started.set_exception(error)
            return
        finally:
            del compiled, report
        started.set_result(home)
        del started
        loop.run_forever()
        if portal.drains:
            loop.run_until_complete(home.drain())
        home.close()
        tasks = asyncio.all_tasks(loop)
        for task in tasks:
            task.cancel()
        if tasks:
            loop.run_until_complete(asyncio.wait(tasks))
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.run_until_complete(loop.shutdown_default_executor())
    finally:
        asyncio.set_event_loop(None)
        loop.close()
