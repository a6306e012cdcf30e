"""What a client of `raise_server_exceptions` raises: with the answer, or at the end of its block."""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Annotated, Any

import pytest
from spikard import Depends, HTTPException, Spikard, StreamingResponse, TestClient, background
from spikard._raised import Raised


def made(**settings: Any) -> Spikard:
    app = Spikard(**settings)

    def fails() -> None:
        raise ValueError("background")

    async def opened() -> AsyncIterator[int]:
        yield 1
        raise ValueError("clean-up")

    @app.get("/background")
    async def behind() -> str:
        background.run(fails)
        return "sent"

    @app.get("/clean-up")
    async def needs(one: Annotated[int, Depends(opened)]) -> int:
        return one

    @app.get("/stream")
    async def stream() -> StreamingResponse:
        async def pieces() -> AsyncIterator[str]:
            yield "a"
            raise ValueError("stream")

        return StreamingResponse(pieces())

    @app.get("/raises/{words}")
    async def raises(words: str) -> None:
        await asyncio.sleep(0.3 if words == "later" else 0)  # so that others are on their way with it
        raise ValueError(words)

    @app.get("/refuses")
    async def refuses() -> None:
        raise HTTPException(503)

    return app


def asked(client: TestClient, *paths: str) -> list[int]:
    with client:
        statuses = []
        for path in paths:
            statuses.append(client.get(path).status_code)
            time.sleep(0.1)
        return statuses


IDS = pytest.mark.parametrize("ids", [True, False])


@IDS
@pytest.mark.parametrize("what", ["background", "clean-up"])
def test_what_fails_behind_the_answer_is_raised_at_the_end_of_the_block(what: str, ids: bool) -> None:
    client = TestClient(made(enable_request_id=ids), raise_server_exceptions=True)
    with client:
        assert client.get(f"/{what}").status_code == 200
        time.sleep(0.1)
        assert client.get("/refuses").status_code == 503  # no other request raises it
        with pytest.raises(ValueError, match=what):
            client.close()
    with pytest.raises(ValueError, match=what):
        asked(client, f"/{what}", "/refuses")
    assert asked(client, "/refuses") == [503]  # nothing is left of it


@pytest.mark.parametrize("request_id", ["a", None])
def test_what_is_told_before_the_answer_that_it_failed_behind_is_none_of_its(request_id: str | None) -> None:
    raised = Raised(True)
    raised.begin()
    raised.report(ValueError("clean-up"), None, "GET /clean-up", request_id)
    assert raised.end("GET /clean-up", 200, request_id) is None
    with pytest.raises(ValueError, match="clean-up"):
        raised.settle(raises=True)


@IDS
def test_what_breaks_a_stream_off_is_not_lost(ids: bool) -> None:
    client = TestClient(made(enable_request_id=ids), raise_server_exceptions=True)
    with pytest.raises(ValueError, match="stream"), client, suppress(ConnectionError):  # whichever comes first
        client.get("/stream").assert_status_ok()


@IDS
def test_what_an_answer_tells_is_raised_by_its_request(ids: bool) -> None:
    with TestClient(made(enable_request_id=ids), raise_server_exceptions=True) as client:
        for word in ("first", "second"):
            with pytest.raises(ValueError, match=word):
                client.get(f"/raises/{word}").assert_status_ok()


def test_without_ids_nothing_is_raised_by_another_of_the_requests_on_their_way(
    caplog: pytest.LogCaptureFixture,
) -> None:
    client = TestClient(made(enable_request_id=False), raise_server_exceptions=True)
    answers = [client.get("/raises/later"), client.get("/refuses"), client.get("/raises/later")]
    assert [answer.status_code for answer in answers] == [500, 503, 500]
    with pytest.raises(ValueError, match="later"):
        client.close()
    assert [record.message for record in caplog.records] == ["GET /raises/{words} raised ValueError"]


def test_close_and_the_end_of_an_asynchronous_block_raise_it_too() -> None:
    client = TestClient(made(), raise_server_exceptions=True)
    assert client.get("/background").status_code == 200
    with pytest.raises(ValueError, match="background"):
        client.close()

    async def main() -> None:
        async with TestClient(made(), raise_server_exceptions=True) as client:
            assert (await client.get("/background")).status_code == 200

    with pytest.raises(ValueError, match="background"):
        asyncio.run(main())


def test_beside_another_exception_and_without_anybody_to_raise_it_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(AssertionError), TestClient(made(), raise_server_exceptions=True) as client:
        client.get("/background").assert_status(201)
    assert len(caplog.records) == 1
    client = TestClient(made(), raise_server_exceptions=True)
    assert client.get("/background").status_code == 200
    time.sleep(0.1)
    del client
    gc.collect()
    assert len(caplog.records) == 2
