"""Background tasks: `background.run(work)`, for what need not hold up the response."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any, ParamSpec, overload

from . import _spikard
from ._background import QueueFull, _is_async, ask

__all__ = ["BackgroundTasks", "QueueFull", "run"]

P = ParamSpec("P")

_spikard.use_background()


@overload
def run(work: Coroutine[Any, Any, Any], /) -> None: ...
@overload
def run(work: Callable[P, Any], /, *args: P.args, **kwargs: P.kwargs) -> None: ...
def run(work: Any, /, *args: Any, **kwargs: Any) -> None:
    """Has the work done when the response has been sent and the dependencies are cleaned up.

    A coroutine and an `async def` run on the event loop, any other function on a thread of the pool; all of them see
    the context variables of the moment in which they were asked for. A request that fails takes back what it asked for.
    What the work raises is logged. Raises `QueueFull`, which is a 503, where `BackgroundConfig.max_queue` tasks wait
    already, and `RuntimeError` where no app is served.

    >>> run(print, "sent")
    Traceback (most recent call last):
    RuntimeError: background work belongs to a request of a running app: there is none here
    """
    ask(work, args, kwargs)


class BackgroundTasks:
    """Tasks that run one after another behind the response. A handler gets one by a parameter of this type."""

    def __init__(self) -> None:
        self._tasks: list[Callable[[], Any]] = []

    def add_task(self, work: Callable[P, Any], *args: P.args, **kwargs: P.kwargs) -> None:
        """Adds one at the end. If one raises, those behind it do not run."""
        if not callable(work):
            raise TypeError(f"a task is a function, and its arguments come behind it, got {work!r}")
        self._tasks.append(partial(work, *args, **kwargs))
        if len(self._tasks) == 1:
            ask(self._run, (), {})

    async def _run(self) -> None:
        for task in self._tasks:
            if _is_async(task):
                await task()
            else:
                await _to_thread(task)


async def _to_thread(task: Callable[[], Any]) -> None:
    """Nothing ends what runs on a thread: whoever is cancelled meanwhile waits for it, for what follows may take its ground away."""
    called = asyncio.ensure_future(asyncio.to_thread(task))
    try:
        await asyncio.shield(called)
    except asyncio.CancelledError:
        await asyncio.wait({called})
        raise
