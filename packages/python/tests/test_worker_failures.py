"""Exceptions of user code: what is answered, and what is logged."""

from __future__ import annotations

import asyncio
import logging
import sys
from typing import Any

import pytest
from spikard import HTTPException, Spikard

from .every_loop import ask
from .every_loop import run as run

PROBLEM = {
    "type": "https://spikard.dev/errors/internal-server-error",
    "title": "Internal Server Error",
    "status": 500,
}


def failing_app() -> Spikard:
    app = Spikard()

    @app.get("/raises")
    async def raises() -> None:
        raise ValueError("a secret")

    @app.get("/raises-later")
    async def raises_later() -> None:
        await asyncio.sleep(0)
        raise ValueError("a secret")

    @app.get("/raises-in-a-thread")
    def raises_in_a_thread() -> None:
        raise ValueError("a secret")

    @app.get("/unserialisable")
    async def unserialisable() -> Any:
        return object()

    @app.get("/cancels-itself")
    async def cancels_itself() -> None:
        task = asyncio.current_task()
        assert task is not None
        task.cancel()
        await asyncio.sleep(0)

    @app.get("/raises-cancelled")
    async def raises_cancelled() -> None:
        raise asyncio.CancelledError

    @app.get("/exits")
    async def exits() -> None:
        sys.exit("a secret")

    @app.get("/fine")
    async def fine() -> str:
        return "fine"

    return app


@pytest.mark.parametrize(
    ("path", "raised"),
    [
        ("/raises", "ValueError"),
        ("/raises-later", "ValueError"),
        ("/raises-in-a-thread", "ValueError"),
        ("/unserialisable", "TypeError"),
        ("/cancels-itself", "CancelledError"),
        ("/raises-cancelled", "CancelledError"),
        ("/exits", "SystemExit"),
    ],
)
def test_a_failure_is_a_500_whose_traceback_is_in_the_log(
    run: Any, caplog: pytest.LogCaptureFixture, path: str, raised: str
) -> None:
    with caplog.at_level(logging.ERROR, "spikard.error"):
        failed, fine = run(ask(failing_app(), path, "/fine"))
    assert failed.status_code == 500
    assert failed.headers["content-type"] == "application/problem+json"
    assert failed.json() == PROBLEM
    assert fine.text == "fine"
    (record,) = caplog.records
    assert record.getMessage() == f"GET {path} raised {raised} (request {failed.headers['x-request-id']})"
    assert record.exc_info is not None
    assert record.exc_info[0] is not None
    assert record.exc_info[0].__name__ == raised


def test_an_http_exception_says_what_is_answered(caplog: pytest.LogCaptureFixture) -> None:
    app = Spikard()

    @app.get("/")
    async def refuse() -> None:
        raise HTTPException(
            429, "slow down", {"retry-after": "3"}, type="https://example.com/slow", title="Slow", extra={"left": [0]}
        )

    (answer,) = asyncio.run(ask(app, "/"))
    assert answer.status_code == 429
    assert answer.headers["retry-after"] == "3"
    assert answer.json() == {
        "type": "https://example.com/slow",
        "title": "Slow",
        "status": 429,
        "detail": "slow down",
        "left": [0],
    }
    assert not caplog.records


def test_the_detail_of_an_http_exception_may_be_any_json_value() -> None:
    app = Spikard()

    @app.get("/")
    def refuse() -> None:
        raise HTTPException(400, {"why": ["a", 1]})

    (answer,) = asyncio.run(ask(app, "/"))
    assert (answer.status_code, answer.json()["detail"]) == (400, {"why": ["a", 1]})
