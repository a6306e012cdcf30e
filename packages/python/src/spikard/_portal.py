"""Where the app of a test client runs: on the caller's loop, or on a thread and loop of its own; and when each of its
requests begins.
"""

from __future__ import annotations

import asyncio
import atexit
import threading
import weakref
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from contextlib import suppress
from contextvars import ContextVar
from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec

from ._lifespan import Life
from ._request import TESTER, Address
from ._spikard import Worker
from ._substitutes import Workers
from ._worker import Report
from .di import NONE, Overrides

if TYPE_CHECKING:
    from .app import Spikard

Answer = tuple[int, list[tuple[str, bytes]], bytes]
"""Status, headers and body."""

Start = Callable[[Worker], None]

_home: ContextVar[object] = ContextVar("spikard_test_home", default=None)
"""The portal whose app runs in this context."""


class Turn:
    """One request on its way, from its making to its answer."""

    def __init__(self, name: str, safe: bool, start: Start, future: Future[Any]) -> None:
        self.name, self.safe, self.start, self.future = name, safe, start, future
        self.overrides: Overrides = NONE
        """Those that applied when it was made."""
        self.awaited = False
        """Somebody waits for the answer."""

    def begin(self, workers: Workers, busy: list[Overrides]) -> None:
        """On the app's thread, with the worker of its overrides."""
        try:
            self.start(workers.of(self.overrides, busy))
        except Exception as error:
            if not self.future.done():
                self.future.set_exception(error)

    def follows(self, earlier: Turn) -> bool:
        """Whether this one begins only after the other has ended: one of them changes something, and it is not so that
        both are being waited for, which makes them concurrent.
        """
        together = self.awaited and earlier.awaited
        return not (together or (self.safe and earlier.safe))


_MOMENT = 0.5
"""Seconds that what is on its way has to end when its client is left by an exception, before it is cancelled."""

_CLOSED = "the test client was closed before the answer came"


class Home:
    """A worker on a loop that runs already. Requests may come from any thread."""

    def __init__(
        self, app: Spikard, report: Report, loop: asyncio.AbstractEventLoop, peer: Address | None = None
    ) -> None:
        self.loop = loop
        self.thread = threading.get_ident()
        self._app, self._life, self._version = app, Life(app), app._version()
        self._workers = Workers(app, report, loop, peer)
        self._lock = threading.Lock()
        # Guarded by the lock. Turns that have no answer, oldest first; among them those that change something, and
        # those that have not begun.
        self._turns: dict[Turn, None] = {}
        self._changing: set[Turn] = set()
        self._waiting: dict[Turn, None] = {}
        self._over: BaseException | None = None
        self._patience: float = msgspec.json.decode(self._workers.first.config)["shutdown_timeout"]

    def is_here(self) -> bool:
        """Whether this is the app's own thread, where nobody may block."""
        return threading.get_ident() == self.thread

    def check(self, request: str) -> None:
        """Refuses a request after something was registered, which would not be found."""
        if self._version != self._app._version():
            raise RuntimeError(
                f"{request} comes too late: something was registered since the first request of this client: close() it first"
            )

    def submit(self, turn: Turn) -> None:
        """Begins a request when it is its turn. Its future ends with the home, if nothing ends it before."""
        turn.overrides = self._app._overrides
        with self._lock:
            if (over := self._over) is None:
                self._turns[turn] = self._waiting[turn] = None
                if not turn.safe:
                    self._changing.add(turn)
        if over is not None:
            turn.future.set_exception(over)
            return
        turn.future.add_done_callback(lambda _: self._ended(turn))
        self._call(self._begin, at_once=True)

    def expect(self, turn: Turn) -> None:
        """Somebody waits for the answer."""
        if not turn.awaited:
            turn.awaited = True
            self._call(self._begin, at_once=True)

    def obstacle(self, turn: Turn) -> Turn | None:
        """The request whose end this one waits for."""
        with self._lock:
            return self._before(turn) if turn in self._waiting else None

    def _before(self, turn: Turn) -> Turn | None:
        for earlier in self._turns if self._changing else ():
            if earlier is turn:
                break
            if turn.follows(earlier):
                return earlier
        return None

    def _ended(self, turn: Turn) -> None:
        with self._lock:
            self._turns.pop(turn, None)
            self._waiting.pop(turn, None)
            self._changing.discard(turn)
            waits = bool(self._waiting)
        if waits:
            self._call(self._begin)

    def _call(self, function: Callable[[], None], at_once: bool = False) -> None:
        if at_once and self.is_here():
            function()
        else:
            with suppress(RuntimeError):  # the loop is closed: so is the home, or it will be
                self.loop.call_soon_threadsafe(function)

    def _begin(self) -> None:
        """Begins the requests whose turn it is. On the app's thread."""
        with self._lock:
            begun = [turn for turn in self._waiting if self._before(turn) is None]
            for turn in begun:
                del self._waiting[turn]
        for turn in begun:
            others = [other.overrides for other in list(self._turns)]
            turn.begin(self._workers, others)

    async def start(self) -> None:
        """Runs the start-up; if that fails, ends the home."""
        try:
            await self._life.start()
        except BaseException:
            self.close()
            raise

    async def leave(self) -> None:
        """Finishes the singletons and runs the shut-down, within the time that a server would have."""
        await asyncio.wait_for(self._life.leave(*self._workers), self._patience)

    async def drain(self) -> None:
        """Waits for the answers that are on their way and for what follows them, as long as a server would."""
        if futures := [asyncio.wrap_future(turn.future) for turn in self._turns]:
            await asyncio.wait(futures, timeout=self._patience)
        await self._workers.idle(self._patience)

    async def hurry(self) -> None:
        """Nobody waits for an answer any more: what a moment does not end is cancelled, and has the time of a server for
        its clean-up, as `def` code has that cannot be cancelled.
        """
        with self._lock:
            turns = list(self._turns)
        _fail(turns, RuntimeError(_CLOSED))
        if not await self._workers.idle(_MOMENT):
            self._workers.cancel()
            await self._workers.idle(self._patience)

    def close(self, fault: BaseException | None = None) -> None:
        """On the app's thread. `def` code that runs is waited for. With a fault, whoever waits for an answer gets it."""
        with self._lock:
            self._over = RuntimeError("the app of the test client has ended")
            self._over.__cause__ = fault
            turns = list(self._turns)
        if fault is not None:
            _fail(turns, fault)  # at once
        self._workers.close()
        _fail(turns, RuntimeError(_CLOSED))


def _fail(turns: list[Turn], reason: BaseException) -> None:
    for turn in turns:
        if not turn.future.done():
            turn.future.set_exception(reason)


_threads: weakref.WeakSet[threading.Thread] = weakref.WeakSet()


@atexit.register
def _join() -> None:
    """Waits for those that end themselves, where the last who held a client was on its thread."""
    for thread in list(_threads):
        thread.join()


class Portal:
    """A home on a thread of its own, from its making to `stop`."""

    def __init__(self, app: Spikard, report: Report, *, starts_up: bool) -> None:
        started: Future[Home] = Future()
        self.drains = False
        """The end waits for what is on its way."""
        self.stopping = False
        """The end was asked for."""
        self.over = False
        """The end has begun: the loop still runs, and is not to be stopped again."""
        self.fault: BaseException | None = None
        """What the end raised."""
        live = partial(_live, app, report, started, self, starts_up)
        self._thread = threading.Thread(target=live, name="spikard-test", daemon=True)
        _threads.add(self._thread)
        self._thread.start()
        self.home = started.result()

    def is_inside(self) -> bool:
        """Whether the app's own code runs here, on another thread than its loop's."""
        return _home.get() == id(self) and not self.home.is_here()

    def stop(self, drain: bool = False) -> None:
        """From any thread; whoever runs inside cannot wait for the end."""
        self.drains, self.stopping = drain, True
        if self._thread.is_alive():
            with suppress(RuntimeError):  # the loop has been closed meanwhile
                self.home.loop.call_soon_threadsafe(self._halt)
        if not self.home.is_here() and not self.is_inside():
            self._thread.join()

    def _halt(self) -> None:
        if not self.over:
            self.home.loop.stop()


def _live(app: Spikard, report: Report, started: Future[Home], portal: Portal, starts_up: bool) -> None:
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    _home.set(id(portal))
    try:
        try:
            home = Home(app, report, loop, TESTER)
            if starts_up:
                loop.run_until_complete(home.start())
        except BaseException as error:
            started.set_exception(error)
            return
        finally:
            del app, report
        started.set_result(home)
        del started
        fault = _run(loop, portal)
        portal.over = True
        if fault is None:
            _leave(loop, home, portal)
        home.close(fault)
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


def _leave(loop: asyncio.AbstractEventLoop, home: Home, portal: Portal) -> None:
    for end in (home.drain if portal.drains else home.hurry, home.leave):
        _finish(loop, end, portal)


def _finish(loop: asyncio.AbstractEventLoop, end: Callable[[], Coroutine[Any, Any, None]], portal: Portal) -> None:
    try:
        loop.run_until_complete(end())
    except BaseException as error:  # of the shut-down, or Ctrl-C out of user code
        portal.fault = portal.fault or error


def _run(loop: asyncio.AbstractEventLoop, portal: Portal) -> BaseException | None:
    """Runs the loop until the portal is stopped. What ended it before, if something did."""
    try:
        loop.run_forever()
    except BaseException as raised:  # Ctrl-C out of user code
        return raised
    return None if portal.stopping else RuntimeError("user code stopped the event loop of the test client")
