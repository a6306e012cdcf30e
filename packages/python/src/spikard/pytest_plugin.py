"""What pytest finds where the package is installed: the fixture `spikard_client`, and a loop for bare `async def` tests that
use a client.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from .app import Spikard
    from .testing import TestClient

_OTHERS = ("anyio", "asyncio", "trio")
"""Marks by which a test names who runs it."""


@pytest.fixture
def spikard_client(request: pytest.FixtureRequest) -> Iterator[TestClient]:
    """A `TestClient` of the app: the fixture `app`, else the name `app` in the test's module."""
    from .testing import TestClient

    with TestClient(_app(request)) as client:
        yield client


def _app(request: pytest.FixtureRequest) -> Spikard:
    from .app import Spikard

    try:
        app = request.getfixturevalue("app")
    except pytest.FixtureLookupError as error:
        if error.argname != "app":
            raise
        app = getattr(request.module, "app", None)
    if not isinstance(app, Spikard):
        raise pytest.UsageError("spikard_client needs the app: a fixture `app`, or the name `app` in the test's module")
    return app


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Runs a bare `async def` test that uses a client."""
    test = pyfuncitem.obj
    if not inspect.iscoroutinefunction(test) or any(map(pyfuncitem.get_closest_marker, _OTHERS)):
        return None
    values = {name: pyfuncitem.funcargs[name] for name in pyfuncitem._fixtureinfo.argnames}
    if not _uses_a_client(test, values):
        return None
    asyncio.run(test(**values))
    return True


def _uses_a_client(test: Any, values: dict[str, Any]) -> bool:
    """By an argument, or by a global name."""
    from .testing import TestClient

    function = inspect.unwrap(test)
    named = [function.__globals__.get(name) for name in function.__code__.co_names]
    kinds = [value for value in named if isinstance(value, type)]
    return any(isinstance(value, TestClient) for value in (*values.values(), *named)) or any(
        issubclass(kind, TestClient) for kind in kinds
    )
