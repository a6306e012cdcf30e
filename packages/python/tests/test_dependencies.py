"""Dependencies: what is made for whom, in which order, and what becomes of it."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import dataclasses
import functools
import re
import threading
import warnings
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Annotated, Any

import msgspec
import pytest
from spikard import Depends, HTTPException, Provide, Query, Router, SpecError, Spikard, TestClient
from spikard.http import Response


class Pool:
    def __init__(self, name: str = "pool") -> None:
        self.name = name


class Item(msgspec.Struct):
    name: str


def problems(response: Any) -> list[tuple[str, ...]]:
    """Where each error of a 422 lies."""
    response.assert_status(422)
    return [tuple(map(str, error["loc"])) for error in response.json()["errors"]]


def test_a_value_a_function_a_class_and_a_singleton() -> None:
    app, made = Spikard(), []
    config = {"url": "db"}
    app.provide("config", config)
    app.provide(
        Pool, Provide(lambda config: made.append(1) or Pool(config["url"]), depends_on=["config"], singleton=True)
    )
    app.provide("page", Page)

    @app.get("/")
    async def index(config: dict[str, str], pool: Pool, page: Page, other: Pool | None = None) -> list[Any]:
        return [config is globals_["config"], pool.name, page.skip, page.tags, other is pool]

    globals_ = {"config": config}
    with TestClient(app) as client:
        assert client.get("/?skip=3").json() == [True, "db", 3, [], True]
        assert client.get("/").json() == [True, "db", 0, [], True]
        assert problems(client.get("/?skip=x")) == [("query", "skip")]
    assert made == [1]


@dataclasses.dataclass
class Page:
    skip: int = 0
    tags: Annotated[list[str], Query()] = dataclasses.field(default_factory=list)


def count(number: int, factor: int = 2) -> int:
    return number * factor


async def count_later(number: int) -> int:
    await asyncio.sleep(0)
    return number


def yields(number: int) -> Iterator[int]:
    yield number


async def yields_later(number: int) -> AsyncIterator[int]:
    await asyncio.sleep(0)
    yield number


class Counter:
    def __init__(self, number: int) -> None:
        self.number = number

    def __call__(self, number: int) -> int:
        return number


FACTORIES: list[Callable[..., Any]] = [
    count, count_later, yields, yields_later, functools.partial(count, factor=1), Counter(0), Counter(0).__call__,
    lambda number: int(number),
]  # fmt: skip


@pytest.mark.parametrize("factory", FACTORIES)
@pytest.mark.parametrize("inline", [False, True])
def test_every_kind_of_factory_gets_its_parameters(factory: Callable[..., Any], inline: bool) -> None:
    app = Spikard()
    app.provide("made", Provide(factory, sync_to_thread=not inline))

    @app.get("/{number}")
    def index(made: int) -> dict[str, int]:
        return {"made": made}

    with TestClient(app) as client:
        assert client.get("/4").json() == {"made": 8 if factory is count else 4}


DEPENDS: Any = Depends(count_later)


async def default(value: int = DEPENDS) -> int:
    return value


async def annotated(value: Annotated[int, DEPENDS]) -> int:
    return value


async def optional(value: Annotated[int, DEPENDS] | None = None) -> int:
    return value or 0


def plain(value=DEPENDS):  # type: ignore[no-untyped-def]
    return value


@pytest.mark.parametrize("handler", [default, annotated, optional, plain], ids=lambda handler: handler.__name__)
def test_every_spelling_of_depends(handler: Any) -> None:
    app = Spikard()
    app.get("/{number}")(handler)
    with TestClient(app) as client:
        assert client.get("/4").json() == 4
        assert problems(client.get("/x")) == [("path", "number")]


def test_depends_without_a_function_makes_the_annotated_class() -> None:
    app = Spikard()

    @app.get("/")
    async def index(page: Annotated[Page, Depends()], counter: Counter = Depends()) -> list[int]:
        return [page.skip, counter.number]

    with TestClient(app) as client:
        assert client.get("/?skip=2&number=5").json() == [2, 5]


def test_parameters_of_dependencies_stand_in_the_same_422_once() -> None:
    app = Spikard()

    def inner(limit: int, q: Annotated[str, Query(min_length=2)]) -> tuple[int, str]:
        return limit, q

    def outer(inner: Annotated[tuple[int, str], Depends(inner)], limit: int) -> str:
        return f"{inner}{limit}"

    @app.get("/{id}")
    async def index(id: int, limit: int, made: Annotated[str, Depends(outer)]) -> str:
        return made

    with TestClient(app) as client:
        found = problems(client.get("/x?limit=x&q=a"))
        assert found == [("path", "id"), ("query", "limit"), ("query", "q")]
        assert client.get("/1?limit=2&q=abc").text == "(2, 'abc')2"


def test_one_body_for_several_takers_and_bodies_by_name() -> None:
    app = Spikard()

    def audit(item: Item) -> str:
        return item.name.upper()

    def audit_other(other: Item) -> str:
        return other.name.upper()

    @app.post("/same")
    async def same(item: Item, audited: Annotated[str, Depends(audit)]) -> list[str]:
        return [item.name, audited]

    @app.post("/named")
    async def named(item: Item, audited: Annotated[str, Depends(audit_other)]) -> list[str]:
        return [item.name, audited]

    with TestClient(app) as client:
        assert client.post("/same", json={"name": "a"}).json() == ["a", "A"]
        assert client.post("/named", json={"item": {"name": "a"}, "other": {"name": "b"}}).json() == ["a", "B"]
        assert problems(client.post("/named", json={"item": {"name": 1}})) == [
            ("body", "item", "name"),
            ("body", "other"),
        ]


def traced(trace: list[str], name: str, *, later: bool = True, translates: bool = False) -> Any:
    """A generator that notes what it sees."""

    def note_error(error: BaseException) -> None:
        trace.append(f"{name} saw {type(error).__name__} {error}".strip())
        if translates:
            raise HTTPException(409, "translated") from error

    async def asynchronous() -> AsyncIterator[str]:
        trace.append(f"open {name}")
        try:
            yield name
        except BaseException as error:
            note_error(error)
            raise
        finally:
            await asyncio.sleep(0)
            trace.append(f"close {name}")

    def synchronous() -> Iterator[str]:
        trace.append(f"open {name}")
        try:
            yield name
        except BaseException as error:
            note_error(error)
            raise
        finally:
            trace.append(f"close {name}")

    return asynchronous if later else synchronous


@pytest.mark.parametrize("later", [False, True])
def test_clean_up_comes_after_the_response_in_reverse(later: bool) -> None:
    app, trace = Spikard(), []
    app.provide("db", traced(trace, "db", later=later))
    session = traced(trace, "session", later=not later)
    app.provide("session", Provide(session, depends_on=["db"]))

    class Told(Response):
        def _parts(self) -> Any:
            trace.append("serialise")
            return super()._parts()

    @app.get("/")
    def index(session: str, db: str) -> Response:
        trace.append("handler")
        return Told("hello")

    with TestClient(app) as client:
        assert client.get("/").text == "hello"
    assert trace == ["open db", "open session", "handler", "serialise", "close session", "close db"]


@pytest.mark.parametrize("later", [False, True])
def test_an_exception_is_thrown_into_the_generators_in_reverse(later: bool) -> None:
    app, trace = Spikard(), []
    app.provide("db", traced(trace, "db", later=later))
    app.provide("middle", Provide(traced(trace, "middle", later=later, translates=True), depends_on=["db"]))
    app.provide("session", Provide(traced(trace, "session", later=later), depends_on=["middle"]))

    @app.get("/")
    async def index(session: str) -> None:
        raise RuntimeError("boom")

    with TestClient(app) as client:
        response = client.get("/")
        assert (response.status_code, response.json()["detail"]) == (409, "translated")
    assert [note for note in trace if "saw" in note] == [
        "session saw RuntimeError boom", "middle saw RuntimeError boom", "db saw HTTPException 409: translated"
    ]  # fmt: skip
    assert trace[-1] == "close db"


@pytest.mark.parametrize("later", [False, True])
def test_a_generator_cannot_swallow_an_exception(later: bool) -> None:
    app = Spikard()

    def swallows() -> Iterator[int]:
        with contextlib.suppress(RuntimeError):
            yield 1

    async def swallows_later() -> AsyncIterator[int]:
        with contextlib.suppress(RuntimeError):
            yield 1

    app.provide("one", swallows_later if later else swallows)

    @app.get("/")
    async def index(one: int) -> None:
        raise RuntimeError("boom")

    with TestClient(app) as client:
        assert client.get("/").status_code == 500


def test_a_generator_yields_once(caplog: pytest.LogCaptureFixture) -> None:
    app = Spikard()

    def never() -> Iterator[int]:
        yield from ()

    async def twice() -> AsyncIterator[int]:
        yield 1
        yield 2

    app.get("/never")(lambda value=Depends(never): value)
    app.get("/twice")(lambda value=Depends(twice): value)
    silent = rf"^the dependency \S+\.never at {re.escape(__file__)}:\d+ did not yield$"
    with TestClient(app, raise_server_exceptions=True) as client, pytest.raises(RuntimeError, match=silent):
        client.get("/never").json()
    with TestClient(app) as client:
        assert client.get("/twice").json() == 1
    assert re.search(r"the dependency \S+\.twice at .+:\d+ has to yield once, and did again", caplog.text)


def test_a_clean_up_that_fails_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    app = Spikard()

    async def fails() -> AsyncIterator[int]:
        yield 1
        raise RuntimeError("commit failed")

    app.get("/")(lambda value=Depends(fails): value)
    with TestClient(app) as client:
        assert client.get("/").json() == 1
    assert "commit failed" in caplog.text


@pytest.mark.parametrize("later", [False, True])
def test_a_timeout_ends_the_generators(later: bool) -> None:
    app, trace = Spikard(), []
    app.provide("db", traced(trace, "db", later=later))

    @app.get("/", timeout=0.05)
    async def index(db: str) -> None:
        await asyncio.sleep(10)

    with TestClient(app) as client:
        assert client.get("/").status_code == 408
        deadline = 100
        while "close db" not in trace and deadline:
            threading.Event().wait(0.02)
            deadline -= 1
    assert trace == ["open db", "db saw CancelledError", "close db"]


def test_clean_up_after_a_cancellation_may_use_timeouts() -> None:
    app, trace = Spikard(), []

    async def slow() -> AsyncIterator[int]:
        try:
            yield 1
        finally:
            await asyncio.wait_for(asyncio.sleep(0.01), 1)
            trace.append("cleaned")

    @app.get("/", timeout=0.05)
    async def index(value: Annotated[int, Depends(slow)]) -> None:
        await asyncio.sleep(10)

    with TestClient(app) as client:
        assert client.get("/").status_code == 408
    assert trace == ["cleaned"]


def test_scopes() -> None:
    app, numbers = Spikard(), iter(range(100))
    app.provide("call", Provide(lambda: next(numbers), use_cache=False))
    app.provide("request", lambda: next(numbers))
    app.provide("singleton", Provide(lambda: next(numbers), singleton=True))

    def inner(call: int, request: int, singleton: int) -> list[int]:
        return [call, request, singleton]

    @app.get("/")
    async def index(call: int, request: int, singleton: int, inner: Annotated[list[int], Depends(inner)]) -> Any:
        return [[call, request, singleton], inner]

    with TestClient(app) as client:
        assert client.get("/").json() == [[0, 1, 2], [3, 1, 2]]
        assert client.get("/").json() == [[4, 5, 2], [6, 5, 2]]


def test_singletons_wait_for_each_other_fail_alone_and_are_finished_in_reverse() -> None:
    app, trace, tries = Spikard(), [], []

    async def pool() -> AsyncIterator[str]:
        tries.append(1)
        await asyncio.sleep(0.02)
        if len(tries) == 1:
            raise RuntimeError("no connection")
        trace.append("open pool")
        yield "pool"
        trace.append("close pool")

    def cache(pool: str) -> Iterator[str]:
        trace.append("open cache")
        yield pool + " cache"
        trace.append("close cache")

    app.provide("pool", Provide(pool, singleton=True))
    app.provide("cache", Provide(cache, singleton=True))

    @app.get("/")
    async def index(cache: str) -> str:
        return cache

    with TestClient(app) as client:
        assert client.get("/").status_code == 500
        both = [client.get("/"), client.get("/")]
        assert [response.text for response in both] == ["pool cache", "pool cache"]
        assert len(tries) == 2
    assert trace == ["open pool", "open cache", "close cache", "close pool"]


def test_neighbours_are_made_side_by_side() -> None:
    app = Spikard()
    meet = asyncio.Event()

    async def first() -> str:
        await asyncio.wait_for(meet.wait(), 2)
        return "first"

    async def second() -> str:
        meet.set()
        return "second"

    app.provide("first", Provide(first, concurrent=True))
    app.provide("second", Provide(second, concurrent=True))

    @app.get("/")
    async def index(first: str, second: str) -> list[str]:
        return [first, second]

    with TestClient(app) as client:
        assert client.get("/").json() == ["first", "second"]


def test_contextvars_flow_from_dependencies_to_the_handler() -> None:
    app, variable = Spikard(), contextvars.ContextVar("variable", default=0)
    app.provide("one", lambda: variable.set(1) and None)

    async def two() -> None:
        variable.set(variable.get() + 1)

    app.provide("two", two)

    @app.get("/")
    async def index(one: None, two: None) -> int:
        return variable.get()

    with TestClient(app) as client:
        assert client.get("/").json() == 2


def test_dependencies_that_no_parameter_takes() -> None:
    trace: list[str] = []

    def note(name: str) -> Any:
        return lambda: trace.append(name)

    app = Spikard(dependencies=[Depends(note("app"))])
    app.provide("named", note("named"))
    router = Router(prefix="/r", dependencies=[note("router")])

    @router.get("/", dependencies=["named", Depends(note("route"))])
    async def index(taken: Annotated[None, Depends(note("taken"))]) -> None: ...

    app.include_router(router, dependencies=[Depends(note("include"))])
    with TestClient(app) as client:
        client.get("/r/").assert_status_ok()
    assert trace == ["app", "include", "router", "named", "route", "taken"]


def test_only_what_a_route_needs_is_made() -> None:
    app = Spikard()
    app.provide("broken", lambda: 1 / 0)
    app.get("/")(lambda: "fine")
    with TestClient(app) as client:
        assert client.get("/").text == "fine"


def test_overrides_reach_an_open_client_and_nest() -> None:
    app, closed = Spikard(), []

    def pool() -> Iterator[str]:
        yield "real"
        closed.append("real")

    def fake() -> Iterator[str]:
        yield "fake"
        closed.append("fake")

    app.provide("pool", Provide(pool, singleton=True))
    app.provide("config", "config")

    @app.get("/")
    async def index(pool: str, config: str, page: Annotated[int, Depends(count_later)]) -> list[Any]:
        return [pool, config, page]

    with TestClient(app) as client:
        assert client.get("/?number=1").json() == ["real", "config", 1]
        with app.override("pool", Provide(fake, singleton=True)):
            assert client.get("/?number=1").json() == ["fake", "config", 1]
            with app.override("config", "other"), app.override(count_later, 7):
                assert client.get("/").json() == ["fake", "other", 7]
            with TestClient(app) as inner:
                assert inner.get("/?number=1").json() == ["fake", "config", 1]
            assert client.get("/?number=1").json() == ["fake", "config", 1]
        assert client.get("/?number=1").json() == ["real", "config", 1]
    assert sorted(set(closed)) == ["fake", "real"]
    assert closed.count("real") == 1


@pytest.mark.asyncio
async def test_overrides_reach_a_client_on_the_callers_loop() -> None:
    app = Spikard()
    app.provide("value", 1)
    app.get("/")(lambda value: value)
    async with TestClient(app) as client:
        with app.override("value", 2):
            assert (await client.get("/")).json() == 2
        assert (await client.get("/")).json() == 1


def fault(app: Spikard) -> str:
    with pytest.raises(SpecError) as raised, TestClient(app):
        pass
    return str(raised.value)


def test_faults_are_told_at_start_up_with_their_place() -> None:
    app = Spikard()
    app.provide("database", Provide(lambda confg: 1, depends_on=["confg"]))
    app.provide("config", 1)
    assert "depends_on has no dependency 'confg', did you mean 'config'?" in fault(app)
    assert __file__ in fault(app)

    app = Spikard()
    app.provide("a", lambda b: b)
    app.provide("b", lambda a: a)
    app.get("/")(lambda a: a)
    said = fault(app)
    assert "the dependencies form a cycle: a -> b -> a" in said
    assert f"{__file__}:" in said
    assert "GET /" in said

    app = Spikard()
    app.provide("session", lambda: 1)
    app.provide("pool", Provide(lambda session: 1, singleton=True))
    app.get("/pool")(lambda pool: pool)
    said = fault(app)
    assert 'the singleton "pool" takes the dependency "session", which belongs to one request' in said
    assert said.startswith(f"{__file__}:")
    assert "GET /pool: <lambda>" in said

    app = Spikard()
    app.get("/", dependencies=["nothing"])(lambda: 1)
    assert "has no dependency 'nothing'" in fault(app)

    app = Spikard()
    app.provide("page", lambda limit=Query(default="x", gt=1): 1)
    app.get("/")(lambda page: 1)
    assert "dependency 'page'" in fault(app)
    assert "parameter 'limit'" in fault(app)


def test_an_override_names_what_there_is() -> None:
    app = Spikard()
    app.provide("database", 1)
    with pytest.raises(SpecError, match="no dependency 'databse', did you mean 'database'"), app.override("databse", 2):
        pass
    with pytest.raises(SpecError, match="no dependency 'count'"), app.override(count, 2):
        pass


def test_a_parameter_one_letter_off_warns() -> None:
    app = Spikard()
    app.provide("database", 1)
    app.get("/")(lambda databse="": databse)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        app._compile()
    [warning] = caught
    assert "'databse'" in str(warning.message)
    assert warning.filename == __file__


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Provide(1), "takes what makes the dependency"),  # type: ignore[arg-type]
        (lambda: Provide(count, depends_on="config"), "depends_on must be a list"),
        (lambda: Provide(count, singleton=1), "singleton must be a bool"),  # type: ignore[arg-type]
        (lambda: Provide(count, singleton=True, use_cache=False), "a singleton is kept"),
        (lambda: Spikard().provide(1, 2), "key is a name or a type"),  # type: ignore[arg-type]
        (lambda: Spikard(dependencies="db"), "dependencies must be a list"),
        (lambda: Spikard().get("/", dependencies=[1]), "dependencies must hold"),
    ],
)
def test_what_makes_no_sense_is_refused_at_once(make: Callable[[], object], message: str) -> None:
    with pytest.raises((TypeError, ValueError), match=message):
        make()


def test_an_app_without_dependencies_has_none_in_its_document() -> None:
    app = Spikard()
    app.get("/")(lambda: 1)
    assert "dependencies" not in app._compile().document
