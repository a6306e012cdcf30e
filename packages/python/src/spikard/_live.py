"""The client that goes over a socket. It starts a real server, in a process of its own where that can find the app, else
on a thread, and speaks HTTP/1.1 to it, each request on a connection of its own.
"""

from __future__ import annotations

import asyncio
import http.client
import re
import signal
import subprocess
import sys
import threading
import weakref
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

from . import _target
from ._portal import Home, Turn
from ._worker import serve
from .app import Spikard
from .di import NONE
from .testing import HeaderFields, TestClient

if TYPE_CHECKING:
    from typing_extensions import Self

    from ._spikard import Worker
    from .testing import TestResponse, _Request

_START = 60.0
"""Seconds that a server may take to start."""
_END = 60.0
"""Seconds that it may take to end."""
_ANY_PORT: dict[str, Any] = {"host": "127.0.0.1", "port": 0, "uds": None, "fd": None, "reload": False}
_ONE_PROCESS = {"workers": 1, "max_requests": None, "max_worker_age": None, "max_worker_rss": None}


class Process:
    """A server in a process of its own."""

    def __init__(self, target: _target.Target) -> None:
        self._target = target
        self._process = subprocess.Popen(
            _target.command(target, _ANY_PORT), stderr=subprocess.PIPE, text=True, errors="replace"
        )
        self.pid = self._process.pid
        place: Future[str] = Future()
        self._ear = threading.Thread(target=self._listen, args=(place,), name="spikard-live", daemon=True)
        self._ear.start()
        try:
            self.url = place.result(_START)
        except BaseException:
            self._process.kill()
            self.wait()
            raise

    def _listen(self, place: Future[str]) -> None:
        """Hands on what the server says, and waits for where it listens."""
        said = ""
        assert self._process.stderr is not None
        with self._process.stderr as lines:
            for line in lines:
                if not place.done() and (banner := re.match(r"Spikard \S+ on (http://\S+) ", line)):
                    place.set_result(banner[1])
                    continue
                said = said if place.done() else said + line
                sys.stderr.write(line)
        if not place.done():
            ended = f"the server of {self._target} ended with status {self._process.wait()} before it listened"
            place.set_exception(RuntimeError(f"{ended}:\n{said}"))

    def send_signal(self, number: int) -> None:
        self._process.send_signal(number)

    def wait(self, timeout: float | None = None) -> int:
        try:
            status = self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            raise TimeoutError(f"the server of {self._target} has not ended within {timeout} s") from None
        self._ear.join(1.0)  # what it said last; a program that it has started may hold the line for longer
        return status

    def stop(self) -> None:
        if self._process.poll() is None:
            self._process.terminate()
        try:
            self.wait(_END)
        except TimeoutError:
            self._process.kill()
            self.wait()


class Thread:
    """A server on a thread and loop of its own, for an app that no other process would find."""

    pid = None

    def __init__(self, app: Spikard) -> None:
        place: Future[str] = Future()
        self._status = 0
        self._thread = threading.Thread(target=self._live, args=(app, place), name="spikard-live", daemon=True)
        self._thread.start()
        self.url = place.result(_START)

    def _live(self, app: Spikard, place: Future[str]) -> None:
        try:
            asyncio.run(self._serve(app, place))
        except BaseException as error:
            self._status = 1
            if place.done():
                raise
            place.set_exception(error)

    async def _serve(self, app: Spikard, place: Future[str]) -> None:
        self._loop = asyncio.get_running_loop()
        self._task = asyncio.ensure_future(serve(app, {**_ANY_PORT, **_ONE_PROCESS}, place.set_result))
        with suppress(asyncio.CancelledError), app._fixed():
            await self._task

    def send_signal(self, number: int) -> None:
        if number not in (signal.SIGINT, signal.SIGTERM):
            raise ValueError(
                f"the app runs on a thread: it heeds SIGINT and SIGTERM, not {signal.Signals(number).name}"
            )
        self.drain()

    def drain(self) -> None:
        with suppress(RuntimeError):  # the loop is closed: it has ended
            self._loop.call_soon_threadsafe(self._task.cancel)

    def wait(self, timeout: float | None = None) -> int:
        self._thread.join(timeout)
        if self._thread.is_alive():
            raise TimeoutError(f"the server has not ended within {timeout} s")
        return self._status

    def stop(self) -> None:
        self.drain()
        self.wait(_END)


class Remote:
    """Sends the requests of a client to a server, each when it is its turn."""

    def __init__(self, url: str) -> None:
        place = urlsplit(url)
        self._address = (place.hostname or "", place.port)
        self._threads = ThreadPoolExecutor(64, "spikard-live-client")
        self._lock = threading.Lock()
        self._turns: dict[Turn, bool] = {}
        """Those that have no answer, oldest first, and whether they have begun. Guarded by the lock."""

    def is_here(self) -> bool:
        return False

    def submit(self, turn: Turn) -> None:
        with self._lock:
            self._turns[turn] = False
        turn.future.add_done_callback(lambda _: self._ended(turn))
        self._begin()

    def expect(self, turn: Turn) -> None:
        turn.awaited = True
        self._begin()

    def obstacle(self, turn: Turn) -> Turn | None:
        with self._lock:
            return None if self._turns.get(turn, True) else self._before(turn)

    def _before(self, turn: Turn) -> Turn | None:
        for earlier in self._turns:
            if earlier is turn:
                break
            if turn.follows(earlier):
                return earlier
        return None

    def _ended(self, turn: Turn) -> None:
        with self._lock:
            del self._turns[turn]
        self._begin()

    def _begin(self) -> None:
        with self._lock:
            begun = [turn for turn, has_begun in self._turns.items() if not has_begun and self._before(turn) is None]
            self._turns.update(dict.fromkeys(begun, True))
        for turn in begun:
            self._start(turn)

    def _start(self, turn: Turn) -> None:
        try:
            turn.start(cast("Worker", self))  # of which it needs no more than `send`
        except RuntimeError:  # no more threads
            turn.future.set_exception(RuntimeError("the test client was closed before the answer came"))

    def send(
        self, method: str, target: str, fields: list[tuple[str, str]], body: bytes, told: Callable[..., None]
    ) -> None:
        """Tells what a worker would, or the exception that kept it from an answer."""
        self._threads.submit(self._exchange, method, target, fields, body, told)

    def _exchange(
        self, method: str, target: str, fields: list[tuple[str, str]], body: bytes, told: Callable[..., None]
    ) -> None:
        connection = http.client.HTTPConnection(*self._address)
        try:
            connection.putrequest(method, target, skip_host=True, skip_accept_encoding=True)
            for name, value in fields:
                connection.putheader(name, value)
            with suppress(BrokenPipeError, ConnectionResetError):  # it may have been answered before it was read
                connection.endheaders(body or None)
            response = connection.getresponse()
            answer = [(name, value.encode("latin-1")) for name, value in response.getheaders()]
            try:
                content = response.read()
            except (http.client.IncompleteRead, OSError):
                told(0, [], b"")
            else:
                told(response.status, answer, content)
        except Exception as error:
            told(0, [], b"", error)
        finally:
            connection.close()

    def close(self) -> None:
        """After the end of the server, and with it of every connection."""
        self._threads.shutdown()


class LiveTestClient(TestClient):
    """Sends requests to a real server over a real socket: the surface is `TestClient`'s. The server is a process of its
    own where that can find the app, as an attribute of a module that holds this very object or by a name
    (`"module:attribute"`), and serves as the app's configuration says, but for the port. For any other app it runs on a
    thread, where `pid` is None.

    It starts with `with`, `async with`, or the first use, and ends with the block, `close()`, or the client's own end.
    """

    _takes = (*TestClient._takes, str)

    def __init__(
        self,
        app: Spikard | str,
        *,
        headers: HeaderFields | None = None,
        cookies: Mapping[str, str] | None = None,
        follow_redirects: bool = True,
        timeout: float | None = 60.0,
    ) -> None:
        self._place = _target.named(app) if isinstance(app, str) else app
        super().__init__(
            cast("Spikard", app), headers=headers, cookies=cookies, follow_redirects=follow_redirects, timeout=timeout
        )
        self._server: Process | Thread | None = None
        self._overrides = NONE
        """Those that a server on a thread began with."""

    def _running(self) -> Process | Thread:
        if self._server is None:
            self._open()
        assert self._server is not None
        return self._server

    @property
    def base_url(self) -> str:
        """Where the server listens: `http://127.0.0.1:PORT`."""
        return self._running().url

    @property
    def port(self) -> int:
        """The port of the server."""
        return int(self.base_url.rpartition(":")[2])

    @property
    def pid(self) -> int | None:
        """The server's process; with several workers, their supervisor's. None where it runs on a thread."""
        return self._running().pid

    def send_signal(self, number: int) -> None:
        """Sends a signal to the server's process. One on a thread heeds SIGINT and SIGTERM only."""
        self._running().send_signal(number)

    def wait(self, timeout: float | None = None) -> int:
        """Waits for the end of the server, which somebody has asked for, and answers its status. After `timeout` seconds
        it is a `TimeoutError`.
        """
        if self._server is None:
            raise RuntimeError("there is no server to wait for: it has not been started")
        return self._server.wait(timeout)

    def _open(self, **_: Any) -> Home:
        if _target.serves:
            raise RuntimeError("a module whose app is being served cannot start a server for it when it is imported")
        place = self._place if isinstance(self._place, _target.Target) else _target.found(self._place)
        if place is not None:
            server: Process | Thread = Process(place)
        else:
            assert isinstance(self._place, Spikard)
            self._overrides = self._place._overrides
            server = Thread(self._place)
        remote = Remote(server.url)
        self._server, self._end = server, weakref.finalize(self, partial(_end, server, remote))
        self._home = cast("Home", remote)  # of which the responses need no more
        return self._home

    def _submit(self, request: _Request) -> TestResponse:
        if self._home is None:
            self._open()
        app, is_thread = self._place, self.pid is None
        if isinstance(app, Spikard):
            if is_thread and app._overrides is not self._overrides:
                raise RuntimeError(
                    "override() comes too late for a LiveTestClient: begin it before the client, end it behind"
                )
            if not is_thread and app._overrides.before is not None:
                raise RuntimeError(
                    "override() is not there in the process that a LiveTestClient starts: use a TestClient"
                )
        return super()._submit(request)

    def _stop(self, drain: bool = True) -> None:  # noqa: ARG002  # a server always drains
        end, self._home, self._end = self._end, None, None
        if end is not None:
            end()

    def close(self) -> None:
        """Ends the server as SIGTERM does: what is on its way is answered. The next request begins another one."""
        self._stop()

    def __enter__(self) -> Self:
        if self._home is None:
            self._open()
        return self

    async def __aenter__(self) -> Self:
        return await asyncio.to_thread(self.__enter__)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await asyncio.to_thread(self._stop)


def _end(server: Process | Thread, remote: Remote) -> None:
    server.stop()
    remote.close()
