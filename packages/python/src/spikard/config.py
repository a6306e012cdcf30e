"""Configuration: frozen Structs, checked when they are made. The core resolves what applies."""

from __future__ import annotations

import os
from os import PathLike
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypedDict, get_args, get_type_hints

import msgspec
from msgspec import Meta, Struct, StructMeta

from ._elsewhere import unknown_name

if TYPE_CHECKING:
    from typing_extensions import Unpack


class ConfigMeta(StructMeta):
    """Names only ("did you mean", which were given); types are `__post_init__`'s, which copies run too."""

    def __call__(cls, *args: Any, **given: Any) -> Any:
        if args:
            raise TypeError(f"{cls.__name__} takes keyword arguments only")
        known = cls.__struct_fields__
        for name in given:
            if name not in known:
                raise TypeError(unknown_name(cls.__name__, "field", name, known))
        made = super().__call__(**given)
        msgspec.structs.force_setattr(made, "_given", frozenset(given))
        return made


_hints: dict[type, dict[str, Any]] = {}


def _fields(cls: type) -> dict[str, Any]:
    if cls not in _hints:
        hints = get_type_hints(cls, include_extras=True)
        _hints[cls] = {name: hints[name] for name in cls.__struct_fields__}  # type: ignore[attr-defined]
    return _hints[cls]


if TYPE_CHECKING:

    class Config(Struct, frozen=True, kw_only=True):
        """The base of every configuration class."""

else:

    class Config(Struct, frozen=True, kw_only=True, dict=True, metaclass=ConfigMeta):
        """The base of every configuration class."""

        def __post_init__(self):
            for name, hint in _fields(type(self)).items():
                value = getattr(self, name)
                exact = _convert(value, hint, f"{type(self).__name__}.{name}")
                if exact is not value:
                    msgspec.structs.force_setattr(self, name, exact)

        def __replace__(self, **changes):
            return type(self)(**{**given(self), **changes})

        def __copy__(self):
            return self.__replace__()

        def __reduce__(self):
            return _restore, (type(self), given(self))


def _restore(cls: type[Config], fields: dict[str, Any]) -> Config:
    return cls(**fields)


def _convert(value: Any, hint: Any, name: str) -> Any:
    parts = _parts(hint)
    if parts and isinstance(value, bool):
        return parts() if value else None
    if isinstance(value, PathLike):
        value = os.fspath(value)
    try:
        if parts and isinstance(value, dict):
            return parts(**value)
        return msgspec.convert(value, hint)
    except msgspec.ValidationError as error:
        raise ValueError(f"{name}: {_told(str(error), value)}") from None
    except (TypeError, ValueError) as error:
        raise type(error)(f"{name}: {error}") from None


def _told(text: str, value: object) -> str:
    text = f"{text[:1].lower()}{text[1:]}".replace("null", "None")
    return f"{text} {value!r}" if ", got `" in text else f"{text}, got {value!r}"


def _parts(hint: Any) -> type[Config] | None:
    """The class of a field that is a configuration of its own and may be left out."""
    return next((kind for kind in get_args(hint) if isinstance(kind, type) and issubclass(kind, Config)), None)


def given(config: Config) -> dict[str, Any]:
    """The fields that were given; of a copy made by `msgspec.structs.replace`, those that differ from the default."""
    values = msgspec.structs.asdict(config)
    names = config.__dict__.get("_given")
    if names is None:
        blank = type(config)()
        names = [name for name, value in values.items() if value != getattr(blank, name)]
    return {name: values[name] for name in values if name in names}


def checked(fields: dict[str, Any], owner: str) -> dict[str, Any]:
    """Fields of `ServerConfig` given as keyword arguments of `owner`, checked as its own are."""
    known = _fields(ServerConfig)
    for name in fields:
        if name not in known:
            raise TypeError(unknown_name(owner, "argument", name, known, "arguments"))
    return {name: _convert(value, known[name], f"{owner}: {name}") for name, value in fields.items()}


class ServerFields(TypedDict, total=False):
    """The fields of `ServerConfig` as keyword arguments."""

    host: str
    port: int
    uds: str | PathLike[str] | None
    fd: int | None
    backlog: int
    workers: int
    reload: bool
    max_requests: int | None
    max_worker_age: float | None
    max_worker_rss: int | None
    threads: int
    io_thread: bool
    max_connections: int | None
    max_in_flight: int
    max_body_size: int | None
    max_json_depth: int
    max_form_parts: int
    max_form_text: int
    upload_memory: int
    upload_dir: str | PathLike[str] | None
    request_timeout: float | None
    header_timeout: float | None
    body_timeout: float | None
    write_timeout: float | None
    keep_alive: float | None
    graceful_shutdown: bool
    shutdown_timeout: float
    cancel_on_disconnect: bool
    cancel_grace: float
    enable_request_id: bool
    access_log: bool | Literal["json", "combined"]
    trailing_slash: Literal["redirect", "strict", "ignore"]
    assert_formats: bool
    debug: bool
    validate_responses: bool
    background_tasks: BackgroundConfig | dict[str, Any] | bool | None


_LARGEST = 2**53 - 1
_YEAR = 31_536_000
_Count = Annotated[int, Meta(ge=1, le=_LARGEST)]
_Number = Annotated[int, Meta(ge=1, le=65_535)]
_Size = Annotated[int, Meta(ge=0, le=_LARGEST)]
_Seconds = Annotated[float, Meta(gt=0, le=_YEAR)]
_Patience = Annotated[float, Meta(ge=0, le=_YEAR)]
_Text = Annotated[str, Meta(min_length=1)]


class BackgroundConfig(Config, frozen=True, kw_only=True):
    """How `background.run` is bounded.

    >>> BackgroundConfig(max_queue=10).max_concurrent
    128
    """

    max_queue: _Count = 1024
    """Tasks that were asked for and have not begun, at most; above that `background.run` raises."""
    max_concurrent: _Count = 128
    """Tasks that run at a time, at most."""
    drain_timeout: _Patience = 30.0
    """Seconds for tasks to end when the server stops; never longer than `shutdown_timeout`."""


class ServerConfig(Config, frozen=True, kw_only=True):
    """The server's configuration. Times are seconds; None lifts a limit.

    Arguments of `run()` go before fields given here, these before `SPIKARD_*` variables, these before the defaults.

    >>> ServerConfig(port=0, request_timeout=None).host
    '127.0.0.1'
    """

    host: _Text = "127.0.0.1"
    """Address or name to listen on."""
    port: Annotated[int, Meta(ge=0, le=65535)] = 8000
    """TCP port; 0 takes any free one."""
    uds: _Text | None = None
    """Path of a unix socket to listen on in place of host and port."""
    fd: Annotated[int, Meta(ge=0, le=2**31 - 1)] | None = None
    """Number of an inherited descriptor that listens already, in place of host and port."""
    backlog: Annotated[int, Meta(ge=0, le=2**31 - 1)] = 2048
    """Connections that the kernel keeps waiting."""
    workers: _Number = 1
    """Processes that serve, each with an app of its own."""
    reload: bool = False
    """Workers are replaced when a source file changes."""
    max_requests: _Count | None = None
    """Requests after which a worker is replaced; up to a tenth is added at random, so that not all go at once."""
    max_worker_age: _Seconds | None = None
    """Age at which a worker is replaced; up to a tenth is added at random."""
    max_worker_rss: _Count | None = None
    """Bytes of resident memory above which a worker is replaced. Linux only."""
    threads: _Number = 40
    """Threads for `def` handlers."""
    io_thread: bool = False
    """Serves connections on a thread of their own rather than on the event loop: slower where cores are scarce, but
    reading, refusing and timing out go on while a handler blocks the loop. Always so on Windows."""
    max_connections: _Count | None = None
    """Open connections at most; above that the listener stops accepting."""
    max_in_flight: _Count = 1024
    """Requests in flight at most; above that 503."""
    max_body_size: _Size | None = 10 * 1024 * 1024
    """Bytes of a request's body at most."""
    max_json_depth: Annotated[int, Meta(ge=1, le=127)] = 64
    """Levels of nesting in a JSON body at most."""
    max_form_parts: _Count = 1000
    """Parts of a multipart form at most."""
    max_form_text: _Count = 1024 * 1024
    """Bytes of one text of a multipart form at most."""
    upload_memory: _Size = 1024 * 1024
    """Bytes of a form's files that are kept in memory; what is longer goes to disk."""
    upload_dir: _Text | None = None
    """The directory of files on disk, which must be there at start-up; None: the system's for temporary files."""
    request_timeout: _Seconds | None = 30.0
    """From the match to the response's head."""
    header_timeout: _Seconds | None = 10.0
    """From the first byte of a request to the end of its head."""
    body_timeout: _Seconds | None = 30.0
    """Without a byte of a body that is being read."""
    write_timeout: _Seconds | None = 30.0
    """Without progress of a response that is being written."""
    keep_alive: _Seconds | None = 75.0
    """Idle between two requests of a connection."""
    graceful_shutdown: bool = True
    """A server that stops waits for requests in flight; False is a `shutdown_timeout` of 0."""
    shutdown_timeout: _Patience = 30.0
    """For requests in flight when the server stops."""
    cancel_on_disconnect: bool = False
    """A client that leaves cancels its handler."""
    cancel_grace: _Seconds = 5.0
    """For a handler that was cancelled to end; after that it is given up."""
    enable_request_id: bool = True
    """`x-request-id` on every response."""
    access_log: bool | Literal["json", "combined"] = False
    """One line for each request on standard output: for people, as Apache's `combined`, or as JSON."""
    trailing_slash: Literal["redirect", "strict", "ignore"] = "redirect"
    """What happens to a path that differs from a declared one in its last slash only."""
    assert_formats: bool = True
    """`format` is asserted in JSON Schemas as they are written."""
    debug: bool = False
    """A client on this machine is shown the traceback of an exception. Never where strangers are served."""
    validate_responses: bool = False
    """A JSON response that its route's `response_schema` refuses is a 500."""
    background_tasks: BackgroundConfig | None = BackgroundConfig()
    """How `background.run` is bounded; a dict and True (the defaults) will do, None and False take it away."""

    if TYPE_CHECKING:

        def __init__(self, **fields: Unpack[ServerFields]) -> None: ...
