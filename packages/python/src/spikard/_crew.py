"""The workers of one process, where the interpreter has no lock: the first one on the main thread, each other one on a
thread and loop of its own. They share the socket, and end together.
"""

from __future__ import annotations

import asyncio
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from ._state import AppState
from ._worker import Ending, Server, serve_here

if TYPE_CHECKING:
    from ._callable import Compiled
    from ._processes import Assignment
    from ._spikard import Share
    from .app import Spikard


class Berth:
    """Where one of the workers lives: its server and its loop, once there are any."""

    def __init__(self) -> None:
        self._home: tuple[Server, asyncio.AbstractEventLoop] | None = None
        self._is_over = False

    def fill(self, server: Server, loop: asyncio.AbstractEventLoop) -> None:
        """Called on the thread of the worker."""
        self._home = server, loop
        if self._is_over:
            server.begin_to_stop()

    def empty(self) -> None:
        """Ends the worker, from any thread, and a start-up too, which the end of the others does not reach."""
        self._is_over = True
        if self._home is not None:
            server, loop = self._home
            with suppress(RuntimeError):  # the loop is closed: it has ended
                loop.call_soon_threadsafe(server.begin_to_stop)

    def left(self) -> float:
        """The seconds that its end may still take."""
        return 0.0 if self._home is None else self._home[0].left()


class Fellow(threading.Thread):
    """A worker beside the first. None goes on without the others: `ended` is called when this one has ended."""

    def __init__(self, app: Spikard, call: dict[str, Any], share: Share, ended: Callable[[], object]) -> None:
        super().__init__(name="spikard-worker")
        self._app, self._call, self._share, self._ended = app, call, share, ended
        self._state = dict(vars(app.state))
        self.berth = Berth()
        self.ending = Ending(failed=True, is_stuck=False)
        """Until it has ended otherwise."""

    def run(self) -> None:
        state = AppState()
        vars(state).update(self._state)
        self._app._own_state.set(state)
        try:
            made = self.berth.fill
            self.ending = serve_here(self._app, self._app._compile(), self._call, None, self._share, made)
        finally:
            self._ended()


def serve(app: Spikard, compiled: Compiled, call: dict[str, Any], assigned: Assignment) -> Ending:
    """Serves as all workers of this process. The first goes ahead: the others start when it listens."""
    from ._spikard import shares

    berth = Berth()
    own, *others = shares(assigned.text, assigned.threads)
    fellows = [Fellow(app, call, share, berth.empty) for share in others]

    def begin(_: str) -> None:
        for fellow in fellows:
            fellow.start()

    try:
        first = serve_here(app, compiled, call, begin, own, berth.fill)
    finally:
        endings = _joined([fellow for fellow in fellows if fellow.ident is not None], berth)
    return Ending(*map(any, zip(first, *endings, strict=True)))


def _joined(fellows: list[Fellow], berth: Berth) -> list[Ending]:
    """Waits for the others, a moment longer than they may take."""
    for fellow in fellows:
        fellow.berth.empty()
    until = time.monotonic() + berth.left() + 1.0
    for fellow in fellows:
        fellow.join(max(0.0, until - time.monotonic()))
    alive = sum(fellow.is_alive() for fellow in fellows)
    if alive:
        print(f"Spikard: {alive} blocked event loop{'s' * (alive > 1)} given up", file=sys.stderr, flush=True)
    return [Ending(True, True) if fellow.is_alive() else fellow.ending for fellow in fellows]
