"""Serving an app: the event loop, the signals, the drain. What a request meets is in the extension."""

from __future__ import annotations

import asyncio
import itertools
import logging
import os
import signal
import sys
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from . import _background, _collector, _decode, _processes, _render
from ._callable import MISSING, Compiled
from ._elsewhere import foreign
from ._functions import named
from ._lifespan import Life
from ._made import MadeResponse
from ._request import Request, framework_error
from ._spikard import Worker, banner, resolve
from ._upload import UploadFile, received
from .exceptions import HTTPException, SpecError
from .http import Response

if TYPE_CHECKING:
    from ._spikard import Share
    from .app import Spikard

_log = logging.getLogger("spikard.error")

_FOR_EVER = 10 * 365 * 86_400.0

Report = Callable[[BaseException | None, str | None, str, str | None], None]
"""Called with the exception, what the core says, the route and the request's id."""


class Names(NamedTuple):
    """What the extension calls of the package."""

    report: Report
    named: Callable[[Any], str] = named
    encode: Callable[[object], bytes] = _render.encode
    encode_plain: Callable[[object], bytes] = _render.encode_plain
    struct_meta: type = msgspec.StructMeta
    from_tuple: Callable[..., Response] = _render.from_tuple
    from_hook: Callable[[object], Response | None] = _render.from_hook
    scope: type = _background.Scope
    set_scope: Callable[[_background.Scope], object] = _background.set_scope
    begin_late: Callable[[list[_background.Task]], None] = _background.begin_late
    said: Callable[[HTTPException], bytes] = _render.said
    refusal: Callable[[BaseException, int], tuple[list[dict[str, Any]], bool] | None] = _decode.told
    request: type = Request
    response: type = Response
    made: type = MadeResponse
    framework_error: Callable[..., HTTPException] = framework_error
    http_exception: type = HTTPException
    spec_error: type = SpecError
    missing: object = MISSING
    upload: Callable[..., UploadFile] = received


def log_failure(exception: BaseException | None, source: str | None, route: str, request_id: str | None) -> None:
    """Writes a failure of user code into the log, where the client's answer says nothing of it."""
    suffix = f" (request {request_id})" if request_id else ""
    if exception is None:
        _log.error("%s failed%s: %s", route, suffix, source)
    else:
        kind, hint = type(exception).__qualname__, _hint(exception)
        _log.error("%s raised %s%s%s", route, kind, suffix, hint, exc_info=exception)


def _hint(exception: BaseException) -> str:
    """Of a slip that Python's own words do not explain."""
    if (of_another := foreign(exception)) is not None:
        return f": {of_another}"
    said = str(exception) if isinstance(exception, TypeError) else ""
    return (
        ": an UploadFile has `aread()` to be awaited, and `read()` not" if "bytes" in said and "await" in said else ""
    )


def open_worker(
    compiled: Compiled, call: dict[str, Any], loop: asyncio.AbstractEventLoop, report: Report = log_failure
) -> Worker:
    """Makes the worker of an app on this thread's loop. `call` is the configuration that goes before all other."""
    document = {**compiled.document, "config": _layers(compiled, call)}
    made = partial(Worker, msgspec.json.encode(document), compiled.callables, loop, Names(report))
    try:
        return _background.Home.made(loop, compiled.app, made)
    except SpecError as error:
        route, _, rest = str(error).partition(": ")
        if route not in compiled.places:
            raise
        raise SpecError(f"{compiled.places[route]}: {rest}") from None


def _layers(compiled: Compiled, call: dict[str, Any]) -> dict[str, Any]:
    return {**compiled.document["config"], "call": call}


def _resolve(layers: bytes) -> tuple[dict[str, Any], bool]:
    try:
        config, is_supervised = resolve(layers)
    except ValueError as error:
        raise SpecError(str(error)) from None
    return msgspec.json.decode(config), is_supervised


class Server:
    """A worker that listens, from its start to the end of its drain."""

    def __init__(
        self,
        app: Spikard,
        compiled: Compiled,
        call: dict[str, Any],
        loop: asyncio.AbstractEventLoop,
        told: Callable[[str], object] | None = None,
        share: Share | None = None,
    ) -> None:
        self.worker = open_worker(compiled, call, loop)
        self.life = Life(app)
        self._layers = msgspec.json.encode(_layers(compiled, call))
        self.ended: asyncio.Future[tuple[int, int]] = loop.create_future()
        """Connections that were cut off, and requests that were still in flight."""
        self.patience: float = msgspec.json.decode(self.worker.config)["shutdown_timeout"]
        self.refused: OSError | None = None
        """Why it could not listen."""
        self._stopped: float | None = None
        self._told, self._share = told, share
        self._held: asyncio.TimerHandle | None = None
        """The loop holds a server that listens, and no longer than it lives itself."""

    @property
    def hurried(self) -> bool:
        """Asked to end at once, here or by the supervisor."""
        return self.worker.aborted

    def listen(self) -> None:
        """Opens the socket, unless it shares one, and tells where: in one line on stderr if nobody else wants to know. Of
        a worker's, its supervisor says it.
        """
        ended = weakref.WeakMethod(self._has_ended)

        def end(connections: int, in_flight: int) -> None:
            if (has_ended := ended()) is not None:
                has_ended(connections, in_flight)

        try:
            place = self.worker.listen(end, self._share)
        except OSError as error:
            self.refused = error
            raise
        self._held = asyncio.get_running_loop().call_later(_FOR_EVER, self._has_ended, 0, 0)
        if self._told is not None:
            self._told(place)
        elif self._share is None:
            _processes.tell(banner(self._layers, place))

    async def serve(self) -> tuple[int, int]:
        """Starts up, and listens until the end."""
        if not await self.life.start():
            return 0, 0
        with _collector.serving():
            self.listen()
            return await self.end()

    async def leave(self) -> list[str]:
        """Finishes the singletons and runs the shut-down, as long as there is time. What was given up."""
        leaving = asyncio.get_running_loop().create_task(self.life.leave(self.worker))
        if not await self.within({leaving}):
            leaving.result()
            return []
        leaving.cancel()
        return ["the shut-down"]

    async def end(self) -> tuple[int, int]:
        """Waits until the server has ended, and whoever gives up waiting does not end it."""
        return await asyncio.shield(self.ended)

    def stop(self) -> None:
        """Drains; asked a second time, ends at once."""
        if self._stopped is None:
            self.begin_to_stop()
            waiting = self.ended.get_loop().call_later(1.0, _processes.tell, _processes.WAITS.format(self.patience))
            self.ended.add_done_callback(lambda _: waiting.cancel())
        else:
            self.worker.abort()

    def begin_to_stop(self) -> None:
        """Drains, however often it is asked."""
        if self._stopped is None:
            self._stopped = time.monotonic()
            self.life.give_up()
            self.worker.shutdown()

    def left(self) -> float:
        """The seconds that the end may still take."""
        if self.hurried:
            return 0.0
        if self._stopped is None:
            self._stopped = time.monotonic()
        return max(0.0, self._stopped + self.patience - time.monotonic())

    async def within(self, tasks: set[asyncio.Task[Any]]) -> set[asyncio.Task[Any]]:
        """Waits for the tasks while there is time, and a moment in any case. Those that have not ended."""
        pending, moment = tasks, time.monotonic() + 0.1
        while pending and (self.left() or time.monotonic() < moment):
            _, pending = await asyncio.wait(pending, timeout=0.05)
        return pending

    async def join(self) -> bool:
        """Ends the worker and waits for `def` code that still runs, as long as there is time. Whether it returned."""
        while not (joined := self.worker.close(0.0)) and self.left():
            await asyncio.sleep(0.01)
        return joined

    def give_up(self, what: list[str]) -> None:
        """Says on stderr what did not end in time."""
        if what:
            when = "at the second signal" if self.hurried else f"after {self.patience:g} s"
            _processes.tell(f"Spikard: {', '.join(what)} given up {when}")

    def _has_ended(self, connections: int, in_flight: int) -> None:
        if self._held is not None:
            self._held.cancel()
        if not self.ended.done():
            self.ended.set_result((connections, in_flight))


async def serve(app: Spikard, call: dict[str, Any], told: Callable[[str], object] | None = None) -> None:
    """Serves inside the running loop until it is cancelled; then drains, and ends as cancelled. `told` is called with the
    place.
    """
    compiled = app._compile()
    if _resolve(msgspec.json.encode(_layers(compiled, call)))[1]:
        raise RuntimeError("workers, reload and the replacement of workers need run(): serve() is one process")
    server = Server(app, compiled, call, asyncio.get_running_loop(), told)
    try:
        await server.life.start()
        server.listen()
        closed = False
        try:
            await asyncio.shield(server.ended)
        except GeneratorExit:  # the loop has been closed: there is nothing left to wait with
            closed = True
            raise
        finally:
            if not closed:
                await _stop(server)
    finally:
        server.worker.close(0.0)


async def _stop(server: Server) -> None:
    server.stop()
    _, in_flight = await asyncio.shield(server.ended)
    remains = _cut_off(0, in_flight)
    try:
        remains += await server.leave()
    finally:
        server.give_up(remains)
        await server.join()


def run(app: Spikard, call: dict[str, Any]) -> None:
    """Serves until SIGINT or SIGTERM, drains, and returns. A second signal, or user code that does not end within the
    configured time, end the program with the status 1.
    """
    if asyncio._get_running_loop() is not None:
        raise RuntimeError("run() cannot be called inside a running event loop: await app.serve() there")
    if not _processes.is_turn(app):
        return
    _processes.open_standard()
    try:
        compiled = app._compile()
        layers = msgspec.json.encode(_layers(compiled, call))
        config, is_supervised = _resolve(layers)
        if is_supervised and _processes.assigned is None:
            _processes.supervise(app, layers, config)
            return
        if _processes.assigned is None:
            ending = serve_here(app, compiled, call)
        else:
            from . import _crew

            ending = _crew.serve(app, compiled, call, _processes.assigned)
            for number in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM):
                signal.signal(number, _processes.pass_over)
    except (SpecError, _processes.Refused) as error:  # it says what and where: a traceback would only show our own code
        _processes.tell(f"Spikard: {error}")
        raise SystemExit(1) from error
    if ending.is_stuck:
        _leave_threads_behind()
    if ending.failed or _processes.assigned is not None:  # what follows in the program is for the supervisor
        sys.exit(int(ending.failed))


class Ending(NamedTuple):
    """How serving on a thread has ended."""

    failed: bool
    """Something failed, or did not end in time."""
    is_stuck: bool
    """Threads still run user code, which nothing can end, and Python would wait for them."""


def _tell_failure(server: Server, error: Exception) -> None:
    """Of what runs at start-up and shut-down; any other is raised."""
    if error is server.refused:
        raise _processes.Refused(error) from error
    if server.life.place is None:
        raise error
    _log.error("%s raised %s", server.life.place, type(error).__qualname__, exc_info=error)
    _processes.tell(f"Spikard: {server.life.place} failed: {error!r}")


def serve_here(
    app: Spikard,
    compiled: Compiled,
    call: dict[str, Any],
    told: Callable[[str], object] | None = None,
    share: Share | None = None,
    made: Callable[[Server, asyncio.AbstractEventLoop], object] | None = None,
) -> Ending:
    """Serves on a loop of this thread. `made` gets both before the start-up."""
    loop, failed, remains = _new_loop(), False, _Remains([], [])
    asyncio.set_event_loop(loop)
    try:
        server = Server(app, compiled, call, loop, told, share)
        if made is not None:
            made(server, loop)
        with _signals(loop, server):
            try:
                cut = _until(loop, server)
                remains.names.extend(_cut_off(*cut))
                remains.names.extend(loop.run_until_complete(server.leave()))
            except Exception as error:
                _tell_failure(server, error)
                failed = True
            finally:
                server.worker.close(0.0)
                loop.run_until_complete(_wind_up(loop, server, remains))
                server.give_up(remains.names)
        return Ending(failed or bool(remains.names) or server.hurried, bool(remains.threads))
    except BaseException:
        if remains.threads:
            _leave_threads_behind()
        raise
    finally:
        asyncio.set_event_loop(None)
        loop.close()


def _until(loop: asyncio.AbstractEventLoop, server: Server) -> tuple[int, int]:
    """Runs the loop until the server has ended, whatever user code does to the loop meanwhile."""
    task = loop.create_task(server.serve())
    fault: str | None = None
    while True:
        try:
            cut = loop.run_until_complete(task)
            break
        except KeyboardInterrupt:  # out of user code, or where the loop takes no signals
            server.stop()
            if task.done():  # by that very exception: the loop would wait for ever
                raise
        except asyncio.CancelledError:
            fault = "user code cancelled the server's task"
            server.begin_to_stop()
            task = loop.create_task(server.end())
        except RuntimeError:
            if task.done():
                raise
            fault = "user code stopped the event loop"
            server.begin_to_stop()
    if fault is not None:
        raise RuntimeError(f"{fault}: to end run(), send the process a signal")
    return cut


def _new_loop() -> asyncio.AbstractEventLoop:
    try:
        import uvloop
    except ImportError:
        return asyncio.new_event_loop()
    loop: asyncio.AbstractEventLoop = uvloop.new_event_loop()
    return loop


@contextmanager
def _signals(loop: asyncio.AbstractEventLoop, server: Server) -> Iterator[None]:
    """SIGINT and SIGTERM stop the server, where this thread may have signals at all. The second ends the process if the
    loop does not get to it. SIGHUP means something only where the terminal has gone.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    over, heard = threading.Event(), itertools.count(1)

    def count() -> None:
        if next(heard) == 2:
            threading.Thread(target=_end_if_stuck, args=(over,), daemon=True).start()

    meanings: dict[signal.Signals, tuple[Callable[[], None], Callable[[], object]]]
    if _processes.assigned is not None:  # SIGINT and SIGHUP are for the supervisor
        meanings = {signal.SIGTERM: (server.begin_to_stop, count)}
    else:
        meanings = dict.fromkeys((signal.SIGINT, signal.SIGTERM), (server.stop, count))
        if sys.platform != "win32" and signal.getsignal(signal.SIGHUP) == signal.SIG_DFL:
            meanings[signal.SIGHUP] = (_hang_up(server), lambda: None)
    _processes.meant.update({number: signal.getsignal(number) or signal.SIG_DFL for number in meanings})
    for number, (stop, also) in meanings.items():
        _watch(loop, number, stop, also)
    try:
        yield
    finally:
        over.set()
        loop.run_until_complete(_unwatch(loop, _processes.meant))


def _hang_up(server: Server) -> Callable[[], None]:
    has_gone = _processes.terminal()

    def hear() -> None:
        if has_gone():
            server.begin_to_stop()
        else:
            _processes.tell(
                "Spikard: SIGHUP is ignored: it replaces workers, and without a supervisor there are none"
                " (workers=2, reload or max_worker_age have one)"
            )

    return hear


def _watch(
    loop: asyncio.AbstractEventLoop, number: signal.Signals, stop: Callable[[], None], also: Callable[[], object]
) -> None:
    """Two ears: Python's handler, which hears what comes before the loop's first turn, and the loop's from then on, which
    wakes it. Either may miss a signal while the other is installed; what one has heard, the other only repeats.
    """
    times = [0, 0]

    def hear(ear: int) -> None:
        known = max(times)
        times[ear] += 1
        if times[ear] > known:
            loop.call_soon_threadsafe(stop)

    def heard_by_python(*_: object) -> None:
        also()
        hear(0)

    def listen() -> None:
        with suppress(NotImplementedError):  # Windows
            loop.add_signal_handler(number, hear, 1)
            signal.signal(number, heard_by_python)

    signal.signal(number, heard_by_python)
    loop.call_soon(listen)


async def _unwatch(loop: asyncio.AbstractEventLoop, before: dict[signal.Signals, Any]) -> None:
    """Inside the loop: outside of it, uvloop keeps the handlers, and with them itself."""
    for number, handler in before.items():
        with suppress(NotImplementedError):
            loop.remove_signal_handler(number)
        signal.signal(number, handler)
    before.clear()


class _Remains(NamedTuple):
    """What did not end in time."""

    names: list[str]
    threads: list[str]
    """Those of the names that are threads."""


async def _wind_up(loop: asyncio.AbstractEventLoop, server: Server, remains: _Remains) -> None:
    """Ends what user code left on the loop, as `asyncio.run` does, but within the time that is left."""
    tasks = asyncio.all_tasks(loop) - {asyncio.current_task(loop)}
    for task in tasks:
        task.cancel()
    for task in await server.within(tasks):
        task._log_destroy_pending = False  # type: ignore[attr-defined]  # it is told below
        remains.names.append(f"task {task.get_name()}")
    if not await server.join():
        remains.threads.append("`def` code")
    await server.within({loop.create_task(loop.shutdown_asyncgens())})
    # Given up, it must not be cancelled: it would join the threads then and there.
    if await server.within({loop.create_task(loop.shutdown_default_executor())}):
        remains.threads.append("code in the loop's default executor")
    remains.names.extend(remains.threads)


def _end_if_stuck(over: threading.Event) -> None:
    if not over.wait(1.0):
        _processes.tell("Spikard: the event loop is blocked, given up at the second signal")
        _leave_threads_behind()


def _cut_off(connections: int, requests: int) -> list[str]:
    counts = ((connections, "connection"), (requests, "request"))
    return [f"{number} {name}{'s' * (number != 1)}" for number, name in counts if number]


def _leave_threads_behind() -> None:
    """Ends the program though user code still runs on threads: nothing can end that code, and Python would wait."""
    logging.shutdown()
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(1)
