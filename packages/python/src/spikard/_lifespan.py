"""Start-up and shut-down of a worker: one task on its loop, which enters, waits and leaves."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack, suppress
from typing import TYPE_CHECKING, Any, TypeVar

from ._functions import is_generator, name_of, place

if TYPE_CHECKING:
    from ._spikard import Worker
    from .app import Spikard

Hook = TypeVar("Hook", bound=Callable[..., Any])


def check_lifespan(lifespan: Any) -> None:
    """Refuses what cannot be entered."""
    if not callable(lifespan):
        raise TypeError(f"lifespan must be an async context manager of the app, got {lifespan!r}")
    if is_generator(lifespan):
        raise TypeError(f"the lifespan is a bare generator: write @asynccontextmanager above {name_of(lifespan)}")
    _check_takes(lifespan, "a lifespan takes the app", (None,))


def check_hook(phase: str, function: Hook) -> Hook:
    """The function, if it can be called with the app or with nothing."""
    if not callable(function):
        raise TypeError(f"a hook is a function, got {function!r}")
    if is_generator(function):
        raise TypeError(f"{name_of(function)} is a generator: what goes on at shut-down is for lifespan=")
    _check_takes(function, f"a hook of {phase} takes the app, or nothing", (), (None,))
    return function


def _check_takes(function: Callable[..., Any], what: str, *ways: tuple[None, ...]) -> None:
    try:
        signature = inspect.signature(function)
    except ValueError:  # a function that does not say what it takes
        return
    for way in ways:
        with suppress(TypeError):
            signature.bind(*way)
            return
    raise TypeError(f"{what}: {name_of(function)} does not")


class Life:
    """The hooks and the lifespan of an app around one worker's life. An app without any has no task for it."""

    def __init__(self, app: Spikard) -> None:
        self._app = app
        self._task: asyncio.Task[None] | None = None
        self._started: asyncio.Future[None] | None = None
        self._over = asyncio.Event()
        self.place: str | None = None
        """The hook that runs, or has failed."""
        self._fault: Exception | None = None
        self._failed = ""

    async def start(self) -> bool:
        """Runs the start-up, and raises what it raises. False: it was given up."""
        app = self._app
        if not (app.lifespan or app._startup or app._shutdown):
            return True
        self._started = asyncio.get_running_loop().create_future()
        self._task = asyncio.get_running_loop().create_task(self._live(), name="lifespan")
        try:
            await asyncio.wait({self._task, self._started}, return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            self._task.cancel()
            raise
        if self._started.done():
            return True
        task, self._task = self._task, None
        if not task.cancelled() and not isinstance(task.exception(), SystemExit):  # it left the loop by itself
            task.result()
        return False

    def give_up(self) -> None:
        """Cancels a start-up that has not ended."""
        if self._task is not None and self._started is not None and not self._started.done():
            self._task.cancel()

    async def leave(self, *workers: Worker) -> None:
        """Finishes the singletons of the workers, then runs the shut-down; raises the first that a hook raised."""
        for worker in workers:
            await retire(worker)
        self._over.set()
        if self._task is not None:
            with suppress(SystemExit):  # it left the loop by itself
                await self._task

    async def _live(self) -> None:
        app, stack = self._app, AsyncExitStack()
        async with stack:
            if app.lifespan is not None:
                self.place = f"the lifespan at {place(app.lifespan)}"
                state = await stack.enter_async_context(app.lifespan(app))
                if isinstance(state, Mapping):
                    vars(app.state).update(state)
                elif state is not None and state is not app:
                    raise TypeError(f"a lifespan yields a dict of what app.state gets, or nothing, got {state!r}")
            for hook in app._startup:
                self.place = _named("start-up", hook)
                await _call(hook, app)
            for hook in app._shutdown:
                stack.push_async_callback(self._shut_down, hook)
            assert self._started is not None
            self.place = None
            self._started.set_result(None)
            await self._over.wait()
            self.place = "the shut-down"
        if self._fault is not None:
            self.place = self._failed
            raise self._fault

    async def _shut_down(self, hook: Callable[..., Any]) -> None:
        try:
            await _call(hook, self._app)
        except Exception as error:  # the others run all the same
            if self._fault is None:
                self._fault, self._failed = error, _named("shut-down", hook)


async def retire(worker: Worker) -> None:
    """Finishes the singletons of a worker."""
    retired = asyncio.get_running_loop().create_future()
    worker.retire(lambda: None if retired.done() else retired.set_result(None))
    await retired


def _named(phase: str, hook: Callable[..., Any]) -> str:
    return f"the {phase} hook {getattr(hook, '__qualname__', repr(hook))} at {place(hook)}"


async def _call(hook: Callable[..., Any], app: Spikard) -> None:
    """Calls it with the app if it takes one argument."""
    made = hook(app) if inspect.signature(hook).parameters else hook()
    if inspect.isawaitable(made):
        await made
