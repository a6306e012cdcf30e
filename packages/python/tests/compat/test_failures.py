"""User code may fail in every place: one request is a problem, the next one is answered, and the log has the cause."""

from __future__ import annotations

import asyncio
import dataclasses
import logging
import sys
from collections.abc import Callable, Iterator
from typing import Annotated, Any

import msgspec
import pytest
from spikard import HTTPException, Query, Response, Spikard
from spikard.testing import TestClient


class Awkward(Exception):
    """An exception that cannot be written, compared or asked for its truth."""

    def __repr__(self) -> str:
        raise ValueError("no repr")

    __str__ = __repr__

    def __bool__(self) -> bool:
        raise ValueError("no truth")

    def __eq__(self, other: object) -> bool:
        raise ValueError("no comparison")

    __hash__ = None  # type: ignore[assignment]


class Outlaw(BaseException):
    """An exception that is no `Exception`."""


class Refusing(HTTPException):
    """An exception of the package whose status cannot be read."""

    @property
    def status_code(self) -> int:
        raise Awkward

    @status_code.setter
    def status_code(self, value: int) -> None:
        pass


@dataclasses.dataclass
class Validated:
    name: str

    def __post_init__(self) -> None:
        raise Awkward


class Encoded(msgspec.Struct):
    inner: Any


class Unprintable:
    def __repr__(self) -> str:
        raise Awkward


class Answering(Response):
    """A response that cannot be read."""

    def _parts(self) -> Any:
        raise Awkward


class Fields(dict[str, str]):
    def items(self) -> Any:
        raise Awkward


def recurse() -> int:
    return 1 + recurse()


async def recurse_later() -> int:
    return 1 + await recurse_later()


def fails() -> Any:
    raise Awkward


def failing_handlers(app: Spikard) -> Iterator[tuple[str, Callable[..., Any]]]:
    """Handlers by the place in which they fail. Each raises out of a handler, or makes what is called after it raise."""

    def raiser(error: BaseException) -> Callable[[], Any]:
        def fail() -> None:
            raise error

        return fail

    for error in (
        Awkward(), Outlaw(), GeneratorExit(), StopAsyncIteration(), MemoryError(), SystemExit(3),
        asyncio.CancelledError(), asyncio.InvalidStateError(), Refusing(400), ExceptionWithState(),
    ):  # fmt: skip
        yield f"raises {type(error).__name__}", raiser(error)
    yield "recurses without end", recurse
    yield "answers what has no JSON", lambda: {"a": Unprintable()}
    yield "answers what has no JSON, deep down", lambda: Encoded([{"a": Unprintable()}])
    yield "answers a circle", circle
    yield "answers a response that cannot be read", lambda: Answering("x")
    yield "answers headers that cannot be read", lambda: ("x", 200, Fields())
    yield "answers no status", lambda: Response("x", 7)
    yield "answers a header that is none", lambda: Response("x", headers={"a b": "c"})
    yield "has a default factory that raises", with_default_factory


class ExceptionWithState(Exception):
    def __init__(self, *args: object) -> None:
        super().__init__(self, *args)  # a circle


def circle() -> Any:
    members: list[Any] = []
    members.append(members)
    return members


def with_default_factory(q: Annotated[str, Query(default_factory=fails)]) -> str:
    return q


NAMES = [name for name, _ in failing_handlers(Spikard())]


def served_as(kind: str, handler: Callable[..., Any]) -> Callable[..., Any]:
    if kind != "async":
        return handler
    if handler is with_default_factory:

        async def with_factory(q: Annotated[str, Query(default_factory=fails)]) -> str:
            return q

        return with_factory

    async def later() -> Any:
        await asyncio.sleep(0)
        return handler()

    return later


@pytest.fixture(scope="module", params=["async", "def", "inline"])
def client(request: pytest.FixtureRequest) -> Iterator[TestClient]:
    app = Spikard()
    for place, (_, handler) in enumerate(failing_handlers(app)):
        options: dict[str, Any] = {"sync_to_thread": False} if request.param == "inline" else {}
        app.get(f"/{place}", **options)(served_as(request.param, handler))
    app.get("/fine")(lambda: "fine")
    with TestClient(app) as client:
        yield client


@pytest.mark.parametrize("name", NAMES)
def test_a_failure_in_any_place_is_a_500_and_the_next_request_is_answered(
    client: TestClient, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(
        logging, "raiseExceptions", False
    )  # an exception that has no text breaks the log's own formatter
    unraised: list[Any] = []
    monkeypatch.setattr(sys, "unraisablehook", lambda raised: unraised.append(raised.exc_type))
    answer = client.get(f"/{NAMES.index(name)}")
    assert answer.status_code == 500
    assert answer.json() == {
        "type": "https://spikard.dev/errors/internal-server-error",
        "title": "Internal Server Error",
        "status": 500,
    }
    assert client.get("/fine").text == "fine"
    assert unraised or [record.name for record in caplog.records] == ["spikard.error"]


def test_a_coroutine_that_recurses_without_end_is_a_500() -> None:
    app = Spikard()
    app.get("/")(recurse_later)
    app.get("/fine")(lambda: "fine")
    with TestClient(app) as client:
        assert [client.get(path).status_code for path in ("/", "/fine", "/")] == [500, 200, 500]


def test_a_validator_that_fails_otherwise_than_by_refusing_is_a_500(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logging, "raiseExceptions", False)
    monkeypatch.setattr(sys, "unraisablehook", lambda raised: None)
    app = Spikard()

    @app.post("/")
    async def create(body: Validated) -> str:
        return body.name

    @app.get("/fine")
    async def fine() -> str:
        return "fine"

    with TestClient(app) as client:
        assert client.post("/", json={"name": "a"}).status_code in (422, 500)
        assert client.get("/fine").text == "fine"


def test_a_log_handler_that_fails_leaves_the_answer_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:  # noqa: ARG002
            raise Awkward

    unraised: list[Any] = []
    monkeypatch.setattr(sys, "unraisablehook", lambda raised: unraised.append(raised.exc_type))
    app, broken = Spikard(), Broken()

    @app.get("/")
    async def index() -> None:
        raise ValueError

    logging.getLogger("spikard.error").addHandler(broken)
    try:
        with TestClient(app) as client:
            assert [client.get("/").status_code for _ in range(2)] == [500, 500]
    finally:
        logging.getLogger("spikard.error").removeHandler(broken)
    assert unraised == [Awkward, Awkward]


def test_a_destructor_that_fails_is_told_and_harms_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    class Dying:
        def __del__(self) -> None:
            raise Awkward

    unraised: list[Any] = []
    monkeypatch.setattr(sys, "unraisablehook", lambda raised: unraised.append(raised.exc_type))
    app = Spikard()

    @app.get("/")
    async def index() -> str:
        held = Dying()
        await asyncio.sleep(0)
        return type(held).__name__

    with TestClient(app) as client:
        assert [client.get("/").text for _ in range(2)] == ["Dying", "Dying"]
    assert unraised == [Awkward, Awkward]
