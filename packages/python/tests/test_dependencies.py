"""Dependencies: their factories, their spellings, their parameters."""

from __future__ import annotations

import asyncio
import dataclasses
import functools
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Annotated, Any

import msgspec
import pytest
from spikard import Depends, Provide, Query, Router, Spikard, TestClient


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


def test_an_app_without_dependencies_has_none_in_its_document() -> None:
    app = Spikard()
    app.get("/")(lambda: 1)
    assert "dependencies" not in app._compile().document
