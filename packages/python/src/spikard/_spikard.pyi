from asyncio import AbstractEventLoop
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Literal, final, overload

from ._background import Task
from ._callable import HostCallable
from ._upload import UploadFile
from ._worker import Names

__all__ = [
    "Exchange",
    "Place",
    "RequestHead",
    "ResponseHead",
    "Shape",
    "Share",
    "Supervisor",
    "Worker",
    "__version__",
    "backtracks",
    "banner",
    "forked",
    "resolve",
    "set_cookie",
    "shares",
    "use_background",
]

__version__: str

def backtracks(pattern: str) -> bool:
    """Whether `re` would run a pattern for longer than its text is long."""

def set_cookie(said: bytes) -> str:
    """The value of a `Set-Cookie` field."""

def forked() -> None:
    """This process is a fork of the one that imported the package."""

def use_background() -> None:
    """`spikard.background` has been imported."""

def resolve(layers: bytes) -> tuple[bytes, bool]:
    """What applies, as JSON, and whether it needs a supervisor."""

def banner(layers: bytes, location: str) -> str:
    """The line that says where a server listens, after one for each variable that names no setting."""

def shares(text: str, workers: int) -> list[Share]:
    """The shares of so many workers in what `text` names. Not on Windows."""

@final
class Place:
    """A place in the queue of background tasks, given back when it is dropped."""

@final
class Shape:
    """One type of what a handler promises of its results."""

    def __new__(cls, types: Sequence[type] | None, free: Sequence[type]) -> Shape:
        """Instances of `types` fit if what they hold does, those of `free` whatever they hold; None: anything fits."""
    @overload
    def look(self, how: Literal["members"], at: Sequence[tuple[str, Shape]]) -> None:
        """Says what is looked at of an instance of `types`."""
    @overload
    def look(self, how: Literal["either"], at: Sequence[Shape]) -> None: ...
    @overload
    def look(self, how: Literal["items", "values"], at: Shape) -> None: ...
    @overload
    def look(self, how: Literal["asked"], at: Callable[[Any], bool]) -> None: ...
    def fits(self, value: object) -> bool:
        """Whether it may be sent as it is."""

@final
class Share:
    """What a worker of this process got of its supervisor, to listen with it once."""

@final
class Supervisor:
    """Owns the listening socket and starts the program again for each worker. Not on Windows."""

    def __new__(cls, layers: bytes, command: list[str], folder: str, processes: int, run: str) -> Supervisor:
        """`command` starts the program in `folder`, so many times, and `run` names its call of `run()`."""
    def run(self) -> bool:
        """Supervises until `stop`, and answers whether everything ended well."""
    def replace(self) -> None:
        """Replaces the workers one by one."""
    def stop(self) -> None:
        """Drains the workers; called again, cuts them off."""

@final
class Worker:
    """Serves one app on one event loop, whose thread makes it, serves its requests and closes it."""

    def __new__(
        cls, document: bytes, callables: Iterable[HostCallable], event_loop: AbstractEventLoop, names: Names
    ) -> Worker:
        """`document` is the app's specification as JSON, `callables` its user code by id, `names` what the package lends."""
    @property
    def config(self) -> bytes:
        """What applies, as JSON."""
    @property
    def in_flight(self) -> int:
        """Requests that have not ended, clean-up included, and background tasks."""
    @property
    def aborted(self) -> bool:
        """Whether the server was told to end at once."""
    def listen(self, told: Callable[[int, int], object], share: Share | None = None) -> str:
        """Listens where the configuration says, or on the socket that it shares, and returns the place. `told` is
        called on the loop when the server has ended, with the connections that were cut off and the requests that were
        still in flight."""
    def reserve(self) -> Place | None:
        """A place for one more background task. None: there is none."""
    def run_in_background(self, task: Task) -> None:
        """Runs a task whose request has ended. Its place has been reserved."""
    def shutdown(self) -> None:
        """Begins the drain of the server: idle connections close, requests in flight are finished."""
    def retire(self, told: Callable[[], object]) -> None:
        """Finishes the singletons that requests have made, the latest first; `told` is called on the loop when that is
        done. For when no request needs them any more."""
    def abort(self) -> None:
        """Ends the server now, whatever is in flight."""
    def cancel(self) -> None:
        """Cancels the Tasks of everything that waits."""
    def send(
        self,
        method: str,
        target: str,
        headers: Iterable[tuple[str, str]],
        body: bytes,
        told: Callable[[int, list[tuple[str, bytes]], bytes], object],
    ) -> None:
        """Sends a request through the in-memory door. `told` is called on the loop with status, headers and body; with
        the status 0 if the body broke off."""
    def exchange(
        self,
        head: tuple[str, str, Iterable[tuple[str, str]]],
        length: int | None,
        peer: tuple[str, int],
        mount: tuple[str, str],
        told: Callable[[int, list[tuple[bytes, bytes]], bytes, bool], object],
    ) -> Exchange:
        """Begins a request of somebody else's server. `head` is its method, target and headers, `length` that of its
        body, where it is known, `mount` its scheme and the prefix before the app's own path. `told` is called on the loop with status, headers, the first piece of the answer's body
        and whether another one follows; with the status 0 if the client has left."""
    def close(self, grace: float | None = None) -> bool:
        """Ends the worker and whatever it still does. False: `def` code still runs after `grace` seconds; called again,
        it waits for that."""

@final
class Exchange:
    """Of one request, on the loop's thread. Forgotten, its client has left."""

    def feed(self, piece: bytes, more: bool, told: Callable[[bool], object]) -> None:
        """Feeds a piece of the body. `told` is called with whether anybody reads it, when the next one may come."""
    def pull(self, told: Callable[[bytes | None, bool], object]) -> None:
        """Asks for the next piece of the answer's body. `told` is called with it and with whether another one follows;
        with None if the body broke off."""
    def leave(self) -> None:
        """The client has left."""

class RequestHead:
    """The Rust half of `spikard.Request`."""

    @property
    def method(self) -> str:
        """`GET`, `POST` …"""
    @property
    def path(self) -> str:
        """As it was sent, without the query."""
    @property
    def query_string(self) -> str:
        """As it was sent, without the question mark."""
    @property
    def route(self) -> str | None:
        """The template of the route; None where none was matched."""
    @property
    def request_id(self) -> str | None:
        """Names the request in logs."""
    def _departed(self) -> bool: ...
    def _peer(self) -> tuple[str, int] | None: ...
    def _mount(self) -> tuple[str, str]: ...
    def _fields(self) -> list[tuple[str, str]]: ...
    def _query(self) -> list[tuple[str, str]]: ...
    def _cookies(self) -> list[tuple[str, str]]: ...
    def _path_values(self) -> list[tuple[str, Any]]: ...
    def _set_fields(self, fields: list[tuple[str, str]]) -> None: ...
    def _set_target(self, target: str) -> None: ...
    def _set_body(self, body: bytes) -> None: ...
    def _read(self, told: Callable[[bytes | None, int, str], object]) -> bytes | None: ...
    def _whole(self) -> bytes | None: ...
    def _check_json(self, body: bytes) -> None: ...
    def _form(self, body: bytes) -> list[tuple[str, str | UploadFile]]: ...
    def _next(self, told: Callable[[bytes | None, int, str], object]) -> None: ...

class ResponseHead:
    """The Rust half of a response on its way out."""

    def _head(self) -> tuple[int, list[tuple[str, str]]]: ...
    def _whole(self) -> bytes | None: ...
    def _replace(self, status: int, fields: list[tuple[str, str]], whole: bytes | None) -> None: ...
