"""What debug shows, and to whom."""

from __future__ import annotations

import http.client
import logging
from typing import Any

import pytest
from spikard import HTTPException, Spikard, TestClient

from .serving import serving

BROWSER = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


def broken(**config: Any) -> Spikard:
    app = Spikard(**config)

    @app.get("/")
    async def handler() -> None:
        secret = "hunter2"
        try:
            raise KeyError("<script>")
        except KeyError as error:
            raise LookupError(f"no such thing of {len(secret)}") from error

    @app.get("/meant")
    async def meant() -> None:
        raise HTTPException(409, "meant so")

    @app.get("/handled")
    async def handled() -> None:
        raise ZeroDivisionError

    @app.exception_handler(ZeroDivisionError)
    async def handle(_request: Any, _error: Any) -> tuple[str, int]:
        return "handled", 400

    return app


# covers config: debug
def test_a_browser_is_shown_a_page_with_the_source() -> None:
    with TestClient(broken(debug=True)) as client:
        response = client.get("/", headers=BROWSER).assert_status(500)
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    assert response.headers["cache-control"] == "no-store"
    assert "<h1>LookupError: no such thing of 7</h1>" in response.text
    assert "raise LookupError(f&quot;no such thing" in response.text
    assert "caused by KeyError: &#x27;&lt;script&gt;&#x27;" in response.text
    assert "<script>" not in response.text
    assert "in <code>handler</code>" in response.text


def test_another_client_is_shown_json() -> None:
    with TestClient(broken(debug=True)) as client:
        response = client.get("/").assert_status(500)
    assert response.headers["content-type"] == "application/problem+json"
    problem = response.json()
    assert (problem["title"], problem["detail"]) == ("Internal Server Error", "LookupError: no such thing of 7")
    assert problem["request"] == "GET /"
    assert any("raise LookupError" in line for line in problem["traceback"])


@pytest.mark.parametrize("headers", [{}, BROWSER])
def test_without_debug_nothing_is_shown(headers: dict[str, str]) -> None:
    with TestClient(broken()) as client:
        response = client.get("/", headers=headers).assert_status(500)
    assert response.headers["content-type"] == "application/problem+json"
    assert "LookupError" not in response.text
    assert "traceback" not in response.text


def test_what_is_meant_or_handled_stays_as_it_is() -> None:
    with TestClient(broken(debug=True)) as client:
        assert client.get("/meant").assert_status(409).json()["detail"] == "meant so"
        assert client.get("/handled").assert_status(400).text == "handled"
        assert client.get("/nowhere").assert_status(404).json()["title"] == "Not Found"


def test_what_is_shown_is_logged_too_and_raised_into_the_test(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR, "spikard.error"), TestClient(broken(debug=True)) as client:
        client.get("/").assert_status(500)
    [record] = caplog.records
    assert "GET / raised LookupError" in record.getMessage()
    with TestClient(broken(debug=True), raise_server_exceptions=True) as client, pytest.raises(LookupError):
        client.get("/").assert_status(500)


@pytest.mark.parametrize(("headers", "shown"), [({}, True), ({"x-forwarded-for": "203.0.113.9"}, False)])
def test_a_proxys_client_is_shown_nothing(headers: dict[str, str], shown: bool) -> None:
    with serving(broken(debug=True)) as served:
        connection = http.client.HTTPConnection(*served.address)
        connection.request("GET", "/", headers=headers)
        response = connection.getresponse()
        assert response.status == 500
        assert (b"LookupError" in response.read()) is shown
        connection.close()


def test_hooks_of_errors_see_the_page() -> None:
    app, seen = broken(debug=True), []

    @app.on_error
    async def note(response: Any) -> None:
        seen.append(response.headers["content-type"])

    with TestClient(app) as client:
        client.get("/", headers=BROWSER).assert_status(500)
    assert seen == ["text/html; charset=utf-8"]
