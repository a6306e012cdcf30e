"""Dependencies that cannot work: what is said of them, and when."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Annotated, Any

import pytest
from spikard import Depends, Provide, Query, SpecError, Spikard, TestClient

from .test_dependencies import count


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


async def somebody() -> str:
    return "ada"


@pytest.mark.parametrize(
    ("mark", "said"),
    [
        (Depends, r"a bare Depends in Annotated is never called: write Depends\(function\)"),
        (somebody, r"a bare somebody in Annotated is never called: write Depends\(somebody\)"),
    ],
)
def test_a_function_that_is_no_dependency_yet_is_told(mark: Any, said: str) -> None:
    app = Spikard()

    async def me(who: str) -> str:
        return who

    me.__annotations__["who"] = Annotated[str, mark]
    app.get("/")(me)
    with pytest.raises(SpecError, match=said):
        app._compile()
