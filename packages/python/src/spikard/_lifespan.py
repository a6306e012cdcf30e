"""Start-up and shut-down of a worker: one task on its loop, which enters, waits and leaves."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any

from ._functions import place

if TYPE_CHECKING:
    from ._spikard import Worker
    from .app import Spikard


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
        if not task.cancelled():
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
            await self._task

    async def _live(self) -> None:
        app, stack = self._app, AsyncExitStack()
        async with stack:
            if app.lifespan is not None:
                self.place = f"the lifespan at {place(app.lifespan)}"
                state = await stack.enter_async_context(app.lifespan(app))
                if isinstance(state, Mapping):
                    vars(app.state).update(state)
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
