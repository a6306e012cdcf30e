"""Hooks: what they see, what they change, and when they run."""

from __future__ import annotations

from typing import Any

import pytest
from spikard import Request, Response, Spikard, TestClient


@pytest.mark.parametrize("kind", ["async", "thread", "inline"])
def test_every_phase_runs_in_its_order(kind: str) -> None:
    app = Spikard()
    trace: list[str] = []

    def note(phase: str) -> Any:
        def hook(given: Any) -> Any:
            trace.append(f"{phase} {type(given).__name__}")

        async def hook_async(given: Any) -> Any:
            hook(given)

        return hook_async if kind == "async" else hook

    for phase in ("on_response", "pre_handler", "on_error", "pre_validation", "on_request"):
        getattr(app, phase)(note(phase), sync_to_thread=kind == "thread")

    @app.get("/")
    async def handler() -> None:
        trace.append("handler")

    assert TestClient(app).get("/").status_code == 200
    assert trace == [
        "on_request Request",
        "pre_validation Request",
        "pre_handler Request",
        "handler",
        "on_response MadeResponse",
    ]


def test_a_response_of_a_hook_stops_there_and_meets_on_response() -> None:
    app = Spikard()

    @app.pre_validation
    async def check_auth(request: Request) -> Request | Response:
        return Response({"error": "Unauthorized"}, status_code=401)

    @app.on_response
    async def add_headers(response: Response) -> Response:
        response.headers["X-Frame-Options"] = "DENY"
        return response

    @app.post("/")
    async def handler(n: int) -> None:
        raise AssertionError("it runs")

    answer = TestClient(app).post("/")
    assert (answer.status_code, answer.json(), answer.headers["x-frame-options"]) == (
        401,
        {"error": "Unauthorized"},
        "DENY",
    )
