"""The test client: where its app runs, how its responses are read, and what a test is told of a fault."""

from __future__ import annotations

import asyncio
import gc
import threading

import pytest
from spikard import Spikard
from spikard.testing import HTTPStatusError, TestClient

from .client_app import app


def test_a_response_is_readable_at_once_and_without_with() -> None:
    client = TestClient(app)
    response = client.get("/query")
    assert response.status_code == 200
    assert response.json() == ["", [], False]
    client.close()


def test_a_response_can_be_awaited_too() -> None:
    async def main() -> None:
        response = await TestClient(app).get("/slow")
        assert response.text == "slow"

    asyncio.run(main())


def test_sync_reading_works_inside_a_running_loop() -> None:
    async def main() -> int:
        with TestClient(app) as client:
            return int(client.get("/thread").json())

    assert asyncio.run(main()) != threading.get_ident()


def test_async_with_runs_the_app_on_the_callers_loop() -> None:
    async def main() -> None:
        async with TestClient(app) as client:
            assert (await client.get("/thread")).json() == threading.get_ident()

    asyncio.run(main())


def test_reading_before_awaiting_is_refused_on_the_apps_own_loop() -> None:
    async def main() -> None:
        async with TestClient(app) as client:
            response = client.get("/slow")
            with pytest.raises(RuntimeError, match="await the response to GET /slow"):
                _ = response.status_code
            assert (await response).status_code == 200
            assert response.status_code == 200

    asyncio.run(main())


def test_async_with_can_be_used_from_other_threads() -> None:
    async def main() -> None:
        async with TestClient(app) as client:
            assert await asyncio.to_thread(lambda: client.get("/slow").text) == "slow"

    asyncio.run(main())


def test_text_is_a_str_that_can_be_called() -> None:
    with TestClient(app) as client:
        response = client.get("/slow")
        assert response.text == "slow"
        assert response.text() == "slow"
        assert response.content == response.bytes() == b"slow"


def test_statuses_are_asserted_in_chains() -> None:
    with TestClient(app) as client:
        assert client.get("/slow").assert_status(200).assert_status_ok().raise_for_status().text == "slow"
        refused = client.get("/refuses")
        with pytest.raises(AssertionError, match=r"GET /refuses was answered 404, not 200: .*no such thing"):
            refused.assert_status(200)
        with pytest.raises(AssertionError, match="GET /refuses was answered 404"):
            refused.assert_status_ok()
        with pytest.raises(HTTPStatusError, match="404"):
            refused.raise_for_status()


def test_exceptions_reach_the_test_only_if_it_asks_for_them(caplog: pytest.LogCaptureFixture) -> None:
    with TestClient(app) as client:
        assert client.get("/raises").status_code == 500
    assert len(caplog.records) == 1
    with TestClient(app, raise_server_exceptions=True) as client:
        fine, failed = client.get("/slow"), client.get("/raises")
        with pytest.raises(ValueError, match="why"):
            _ = failed.status_code
        assert fine.text == "slow"
        assert client.get("/refuses").status_code == 404
    assert len(caplog.records) == 1


def test_a_late_answer_is_a_timeout() -> None:
    with TestClient(app) as client:
        with pytest.raises(TimeoutError, match=r"no answer to GET /slow within 0\.01 s"):
            _ = client.get("/slow", timeout=0.01).status_code

        async def main() -> None:
            with pytest.raises(TimeoutError, match=r"no answer to GET /slow within 0\.01 s"):
                await client.get("/slow", timeout=0.01)

        asyncio.run(main())


def test_a_start_up_fault_comes_out_of_the_client() -> None:
    broken = Spikard()
    broken.get("/{id}")(lambda: None)
    with pytest.raises(Exception, match=r"GET /\{id\}"):
        TestClient(broken).get("/1")


def test_a_handle_keeps_its_client_until_the_answer_is_there() -> None:
    handle = TestClient(app).get("/slow")
    gc.collect()
    assert handle.text == "slow"


@pytest.mark.asyncio
async def test_a_route_that_comes_while_the_app_of_a_client_runs_is_refused() -> None:
    app = Spikard()
    with TestClient(app), pytest.raises(RuntimeError, match="GET /late comes too late"):
        app.get("/late")(lambda: None)
    async with TestClient(app):
        with pytest.raises(RuntimeError, match="comes too late"):
            app.get("/late")(lambda: None)
    app.get("/late")(lambda: "in time")
    with TestClient(app) as client:
        assert client.get("/late").text == "in time"
