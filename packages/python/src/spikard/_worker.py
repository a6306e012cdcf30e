"""Serving an app: the event loop, the signals, the drain. What a request meets is in the extension."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from . import _decode, _render
from ._callable import MISSING, Compiled
from ._spikard import Worker, __version__
from .exceptions import HTTPException, SpecError
from .http import Response

if TYPE_CHECKING:
    from .app import Spikard

_log = logging.getLogger("spikard.error")

Report = Callable[[BaseException | None, str | None, str, str | None], None]
"""Called with the exception, what the core says, the route and the request's id."""


class Names(NamedTuple):
    """What the extension calls of the package."""

    report: Report
    encode: Callable[[object], bytes] = _render.encode
    encode_plain: Callable[[object], bytes] = _render.encode_plain
    struct_meta: type = msgspec.StructMeta
    from_tuple: Callable[..., Response] = _render.from_tuple
    refusal: Callable[[Exception], tuple[list[dict[str, Any]], bool]] = _decode.told
    response: type = Response
    http_exception: type = HTTPException
    spec_error: type = SpecError
    missing: object = MISSING


def log_failure(exception: BaseException | None, source: str | None, route: str, request_id: str | None) -> None:
    """Writes a failure of user code into the log, where the client's answer says nothing of it."""
    suffix = f" (request {request_id})" if request_id else ""
    if exception is None:
        _log.error("%s failed%s: %s", route, suffix, source)
    else:
        _log.error("%s raised %s%s", route, type(exception).__qualname__, suffix, exc_info=exception)


def open_worker(
    compiled: Compiled, call: dict[str, Any], loop: asyncio.AbstractEventLoop, report: Report = log_failure
) -> Worker:
    """Makes the worker of an app on this thread's loop. `call` is the configuration that goes before all other."""
    document = {**compiled.document, "config": {**compiled.document["config"], "call": call}}
    return Worker(msgspec.json.encode(document), compiled.callables, loop, Names(report))


class Server:
    """A worker that listens, from its start to the end of its drain."""

    def __init__(self, app: Spikard, call: dict[str, Any], loop: asyncio.AbstractEventLoop) -> None:
        self.worker = open_worker(app._compile(), call, loop)
        self.ended: asyncio.Future[tuple[int, int]] = loop.create_future()
        """Connections that were cut off, and requests that were still in flight."""
        self._stopping = False

    def listen(self) -> None:
        """Opens the socket and says so, in one line on stderr."""
        host, port = self.worker.listen(self._has_ended)
        address = f"[{host}]" if ":" in host else host
        print(f"Spikard {__version__} on http://{address}:{port} (Ctrl-C to stop)", file=sys.stderr, flush=True)

    async def serve(self) -> tuple[int, int]:
        """Listens until the end. Inside the loop: a signal that comes before its first turn is lost on uvloop."""
        self.listen()
        return await self.ended

    def stop(self) -> None:
        """Drains; asked a second time, ends at once."""
        if self._stopping:
            self.worker.abort()
        self._stopping = True
        self.worker.shutdown()

    def _has_ended(self, connections: int, in_flight: int) -> None:
        if not self.ended.done():
            self.ended.set_result((connections, in_flight))


async def serve(app: Spikard, call: dict[str, Any]) -> None:
    """Serves inside the running loop until it is cancelled; then drains, and ends as cancelled."""
    server = Server(app, call, asyncio.get_running_loop())
    grace: float | None = 0.0
    try:
        server.listen()
        try:
            await asyncio.shield(server.ended)
        finally:
            server.stop()
            _, in_flight = await asyncio.shield(server.ended)
            grace = 0.0 if in_flight else None
    finally:
        server.worker.close(grace)


def run(app: Spikard, call: dict[str, Any]) -> None:
    """Serves until SIGINT or SIGTERM, drains, and returns. A second signal, or requests that do not end within the
    configured time, end the program with the status 1.
    """
    if asyncio._get_running_loop() is not None:
        raise RuntimeError("run() cannot be called inside a running event loop: await app.serve() there")
    loop = _new_loop()
    asyncio.set_event_loop(loop)
    complete = True
    try:
        server = Server(app, call, loop)
        try:
            with _signals(loop, server.stop):
                complete = not any(_until(loop, loop.create_task(server.serve()), server.stop))
        finally:
            joined = server.worker.close(None if complete else 0.0)
        if not joined:
            _leave_threads_behind()
        _wind_up(loop, None if complete else 1.0)
    finally:
        asyncio.set_event_loop(None)
        loop.close()
    if not complete:
        sys.exit(1)


def _until(
    loop: asyncio.AbstractEventLoop, ended: asyncio.Task[tuple[int, int]], stop: Callable[[], None]
) -> tuple[int, int]:
    while True:
        try:
            return loop.run_until_complete(ended)
        except KeyboardInterrupt:  # noqa: PERF203 - out of user code, or where the loop takes no signals
            stop()


def _new_loop() -> asyncio.AbstractEventLoop:
    try:
        import uvloop
    except ImportError:
        return asyncio.new_event_loop()
    loop: asyncio.AbstractEventLoop = uvloop.new_event_loop()
    return loop


@contextmanager
def _signals(loop: asyncio.AbstractEventLoop, stop: Callable[[], None]) -> Iterator[None]:
    """SIGINT and SIGTERM call `stop`, where this thread may have signals at all."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    for number in before:
        _watch(loop, number, stop)
    try:
        yield
    finally:
        for number, handler in before.items():
            with suppress(NotImplementedError):
                loop.remove_signal_handler(number)
            signal.signal(number, handler if handler is not None else signal.SIG_DFL)


def _watch(loop: asyncio.AbstractEventLoop, number: signal.Signals, stop: Callable[[], None]) -> None:
    try:
        loop.add_signal_handler(number, stop)
    except NotImplementedError:  # Windows
        signal.signal(number, lambda *_: loop.call_soon_threadsafe(stop))


def _wind_up(loop: asyncio.AbstractEventLoop, patience: float | None) -> None:
    """Ends what user code left on the loop, as `asyncio.run` does."""
    tasks = asyncio.all_tasks(loop)
    for task in tasks:
        task.cancel()
    if tasks:
        loop.run_until_complete(asyncio.wait(tasks, timeout=patience))
    loop.run_until_complete(loop.shutdown_asyncgens())
    if patience is None:
        loop.run_until_complete(loop.shutdown_default_executor())


def _leave_threads_behind() -> None:
    """Ends the program though `def` code still runs: nothing can end that code, and Python would wait for it."""
    logging.shutdown()
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(1)
