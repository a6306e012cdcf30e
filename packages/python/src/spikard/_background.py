"""Work that runs after the response: what is asked for, where it is kept until then, and how it is called."""

from __future__ import annotations

import asyncio
import contextvars
import inspect
import logging
import time
import weakref
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec

from ._functions import name_of
from .exceptions import HTTPException

if TYPE_CHECKING:
    from ._spikard import Place, Worker
    from .app import Spikard

_log = logging.getLogger("spikard.error")

_home: contextvars.ContextVar[Home] = contextvars.ContextVar("spikard_home")
_scope: contextvars.ContextVar[Scope] = contextvars.ContextVar("spikard_background")


class Home:
    """The worker whose requests run in a context, and its loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop, app: Callable[[], Spikard | None]) -> None:
        self.loop = loop
        self.app = app
        self.worker: Callable[[], Worker | None] = lambda: None

    @classmethod
    def made(
        cls, loop: asyncio.AbstractEventLoop, app: Callable[[], Spikard | None], make: Callable[[], Worker]
    ) -> Worker:
        """A worker all of whose requests find it."""
        context, home = contextvars.copy_context(), cls(loop, app)
        context.run(_home.set, home)
        worker = context.run(make)
        home.worker = weakref.ref(worker)
        return worker


class QueueFull(HTTPException):
    """No more background tasks can be kept: a 503, unless it is handled."""

    def __init__(self) -> None:
        super().__init__(503, "the queue of background tasks is full", {"retry-after": "1"})

    def __str__(self) -> str:
        return "the queue of background tasks is full"


class _Refusals:
    """Tells the log which work was refused: a line a second at most, for whoever is refused comes again."""

    def __init__(self) -> None:
        self.left_out, self.last = 0, float("-inf")

    def tell(self, work: object, worker: Worker) -> None:
        if time.monotonic() < self.last + 1:
            self.left_out += 1
            return
        limits = msgspec.json.decode(worker.config)["background_tasks"]
        why = f"`BackgroundConfig.max_queue` ({limits['max_queue']}) tasks wait already" if limits else "tasks are off"
        others = f" ({self.left_out} more refused since the last line)" if self.left_out else ""
        self.left_out, self.last = 0, time.monotonic()
        _log.error("background.run refused %s: %s%s", name_of(work), why, others)


def app_here() -> Spikard | None:
    """The app whose request this is."""
    home = _home.get(None)
    return None if home is None else home.app()


_refusals = _Refusals()


class Task:
    """One piece of work, in the context in which it was asked for."""

    __slots__ = ("_loop", "context", "is_async", "place", "work")

    def __init__(self, work: Any, place: Place, loop: asyncio.AbstractEventLoop) -> None:
        self.context = contextvars.copy_context()
        self.place: Place | None = place
        self.work = work
        self.is_async = inspect.iscoroutine(work) or _is_async(work)
        self._loop = loop

    @property
    def start(self) -> Callable[[], Any]:
        """Runs it: on the loop where it is asynchronous, else on a thread of the pool."""
        return self._await if self.is_async else self._call

    async def _await(self) -> None:
        """In a Task of its own: only so does a coroutine get its own context in every version."""
        work = self.work if inspect.iscoroutine(self.work) else self.context.run(self.work)
        left = await self.context.run(self._loop.create_task, _awaited(work))
        if left is not None:
            raise left

    def _call(self) -> None:
        made = self.context.run(self.work)
        if inspect.isawaitable(made):  # `run(lambda: send(mail))`
            left = self.context.run(asyncio.run_coroutine_threadsafe, _awaited(made), self._loop).result()
            if left is not None:
                raise left

    def __del__(self) -> None:
        if self.place is not None and inspect.iscoroutine(self.work):
            self.work.close()  # it never began, and nobody is to be warned of that


async def _awaited(work: Awaitable[Any]) -> SystemExit | None:
    """What leaves it with SystemExit: raised in a Task, that would end the loop and the server."""
    try:
        await work
    except SystemExit as left:
        return left
    return None


def _is_async(work: object) -> bool:
    called = work
    while isinstance(called, partial):
        called = called.func
    return any(map(inspect.iscoroutinefunction, (called, getattr(called, "__call__", None))))  # noqa: B004


class Scope(list[Task]):
    """What one request has asked for so far. `is_over` is there when the request is."""

    __slots__ = ("is_over",)


def reserved(work: object, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None) -> Task:
    """A task that has its place in the queue."""
    if not inspect.iscoroutine(work) and not callable(work):
        raise TypeError(f"what runs in the background is a function or a coroutine, got {work!r}")
    if args or kwargs:
        if inspect.iscoroutine(work):
            raise TypeError("a coroutine has its arguments already")
        work = partial(work, *args, **kwargs or {})
    home = _home.get(None)
    worker = None if home is None else home.worker()
    place = None if worker is None else worker.reserve()
    if place is None or home is None:
        if inspect.iscoroutine(work):
            work.close()
        if worker is None:
            raise RuntimeError("background work belongs to a request of a running app: there is none here")
        _refusals.tell(work, worker)
        raise QueueFull
    return Task(work, place, home.loop)


def ask(work: object, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    """Has the work done after the response; at once where its request is over."""
    task = reserved(work, args, kwargs)
    scope = _scope.get(None)
    if scope is None or hasattr(scope, "is_over"):
        home = _home.get()
        home.loop.call_soon_threadsafe(_begin, home, task)
    else:
        scope.append(task)


def _begin(home: Home, task: Task) -> None:
    if worker := home.worker():
        worker.run_in_background(task)


set_scope = _scope.set
"""Called in the context of each request."""


def begin_late(tasks: list[Task]) -> None:
    """What a stream or clean-up asked for begins when their request is over."""
    home = _home.get()
    for task in tasks:
        home.loop.call_soon(_begin, home, task)
