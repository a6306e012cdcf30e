"""Coroutines on every kind of loop, and requests to an app that runs there."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from spikard import Spikard
from spikard.testing import TestClient, TestResponse


class Unwatching(asyncio.SelectorEventLoop):
    """A loop like Windows' default one: it watches no descriptors for others."""

    def add_reader(self, fd: Any, callback: Any, *args: Any) -> Any:  # type: ignore[override]
        raise NotImplementedError


class Slotted(asyncio.SelectorEventLoop):
    """A loop whose attributes nobody can replace."""

    @property
    def __dict__(self) -> Any:  # type: ignore[override]
        raise AttributeError("no attributes here")


def loops() -> list[Callable[[], asyncio.AbstractEventLoop]]:
    kinds: list[Callable[[], asyncio.AbstractEventLoop]] = [asyncio.new_event_loop, Unwatching, Slotted]
    try:
        import uvloop
    except ImportError:
        return kinds
    return [*kinds, uvloop.new_event_loop]


@pytest.fixture(params=loops(), ids=lambda kind: kind.__qualname__)
def run(request: pytest.FixtureRequest) -> Any:
    """Runs a coroutine on every kind of loop."""

    def run(main: Coroutine[Any, Any, Any], debug: bool = False) -> Any:
        loop = request.param()
        loop.set_debug(debug)
        try:
            return loop.run_until_complete(main)
        finally:
            loop.run_until_complete(loop.shutdown_default_executor())
            loop.close()

    return run


async def ask(app: Spikard, *paths: str) -> list[TestResponse]:
    async with TestClient(app) as client:
        handles = [client.get(path) for path in paths]
        return [await handle for handle in handles]
