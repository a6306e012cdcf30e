"""What is left of a request: nothing."""

from __future__ import annotations

import asyncio
import gc
import logging
import sys
import weakref
from typing import Any

import pytest
from spikard import Spikard
from spikard.testing import TestClient

from .every_loop import run as run


def test_nothing_of_a_request_outlives_it(run: Any) -> None:
    class Holder(Exception):
        pass

    holders: weakref.WeakSet[Holder] = weakref.WeakSet()
    app = Spikard()

    def hold() -> Holder:
        holder = Holder()
        holder.task = asyncio.current_task()  # type: ignore[attr-defined]
        holders.add(holder)
        return holder

    @app.get("/local")
    async def local() -> str:
        held = hold()
        await asyncio.sleep(0)
        return type(held).__name__

    @app.get("/raised")
    async def raised() -> str:
        await asyncio.sleep(0)
        raise hold()

    @app.get("/forever")
    async def forever() -> str:
        held = hold()
        await asyncio.sleep(1000)
        return type(held).__name__

    async def main() -> None:
        client = TestClient(app)
        await client.__aenter__()
        for path in ("/local", "/raised") * 3:
            await client.get(path)
        unheard = client.get("/forever")
        while not holders:
            await asyncio.sleep(0)
        await client.__aexit__(KeyError, KeyError(), None)
        with pytest.raises(RuntimeError, match="closed"):
            await unheard

    logging.getLogger("spikard.error").addHandler(quiet := logging.NullHandler())
    logging.getLogger("spikard.error").propagate = False
    try:
        run(main())
    finally:
        logging.getLogger("spikard.error").removeHandler(quiet)
        logging.getLogger("spikard.error").propagate = True
    gc.collect()
    assert not list(holders)


def test_ten_thousand_requests_leave_nothing_behind() -> None:
    app = Spikard()

    @app.get("/{number}")
    async def task(number: int) -> dict[str, int]:
        if number % 2:
            await asyncio.sleep(0)
        return {"number": number}

    @app.get("/def/{number}")
    def thread(number: int) -> dict[str, int]:
        return {"number": number}

    async def some(client: TestClient, count: int) -> None:
        for start in range(0, count, 100):
            handles = [client.get(f"{'/def' * (number % 10 == 0)}/{number}") for number in range(start, start + 100)]
            for handle in handles:
                await handle

    async def main() -> tuple[int, int]:
        async with TestClient(app) as client:
            await some(client, 2_000)
            gc.collect()
            blocks, objects = sys.getallocatedblocks(), len(gc.get_objects())
            await some(client, 10_000)
            gc.collect()
            return sys.getallocatedblocks() - blocks, len(gc.get_objects()) - objects

    blocks, objects = asyncio.run(main())
    assert blocks < 1_000
    assert objects < 200
