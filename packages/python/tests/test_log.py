"""What the log says: of requests that the server itself ends, and, where it is asked for, of every request."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import signal
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from spikard import BackgroundConfig, ServerConfig, Spikard, StreamingResponse, TestClient, UploadFile, _background
from spikard.background import run

from .test_server import Program


def lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    assert {record.name for record in caplog.records} == {"spikard.error"}
    return [record.getMessage() for record in caplog.records]


def test_a_request_that_takes_too_long_leaves_a_line_that_names_its_route(caplog: pytest.LogCaptureFixture) -> None:
    app = Spikard(request_timeout=0.05)

    @app.get("/slow/{number}")
    async def slow(number: int) -> None:
        await asyncio.sleep(10)

    with TestClient(app) as client:
        answer = client.get("/slow/1", headers={"x-request-id": "r-1"})
        assert (answer.status_code, answer.json()["detail"]) == (408, "there was no answer within 0.05 s")
    said = "408, for there was no answer within `request_timeout` (0.05 s)"
    assert lines(caplog) == [f"GET /slow/{{number}} failed (request r-1): {said}"]


def test_code_that_goes_on_after_its_cancellation_leaves_a_line(caplog: pytest.LogCaptureFixture) -> None:
    app = Spikard(ServerConfig(request_timeout=0.05, cancel_grace=0.05))

    @app.get("/")
    async def stubborn() -> None:
        for _ in range(20):
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.sleep(0.05)

    with TestClient(app) as client:
        assert client.get("/", headers={"x-request-id": "r-1"}).status_code == 408
    said = "its code was cancelled, went on for `cancel_grace` (0.05 s) and is given up"
    assert lines(caplog)[1:] == [f"GET / failed (request r-1): {said}"]


def test_a_request_too_many_leaves_a_line_and_a_flood_of_them_few(caplog: pytest.LogCaptureFixture) -> None:
    app = Spikard(max_in_flight=1)
    gate = asyncio.Event()

    @app.get("/slow")
    async def slow() -> None:
        gate.set()
        await asyncio.sleep(0.3)

    @app.get("/")
    async def other() -> None:
        raise AssertionError

    async def flood() -> list[Any]:
        async with TestClient(app) as client:
            first = asyncio.ensure_future(client.get("/slow"))
            await gate.wait()
            answers = await asyncio.gather(*(client.get("/", headers={"x-request-id": "r"}) for _ in range(40)))
            assert (await first).status_code == 200
            return list(answers)

    answers = asyncio.run(flood())
    assert {answer.status_code for answer in answers} == {503}
    assert {answer.json()["detail"] for answer in answers} == {
        "there are as many requests in flight as the server takes"
    }
    said = lines(caplog)
    assert said[0] == "GET / failed (request r): 503, for as many requests are in flight as `max_in_flight` allows (1)"
    assert 10 <= len(said) <= 20


def test_refused_background_work_leaves_a_line_a_second_that_names_it(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        _background, "_refusals", _background._Refusals()
    )  # another test may have had this second's line
    app = Spikard(background_tasks=BackgroundConfig(max_queue=1))

    def send_mail(to: str) -> None: ...

    @app.get("/")
    async def handler() -> None:
        run(send_mail, "a")
        run(send_mail, "b")

    with TestClient(app) as client:
        answers = [client.get("/") for _ in range(5)]
        assert {answer.json()["detail"] for answer in answers} == {"the queue of background tasks is full"}
    [line] = lines(caplog)
    name = f"{test_refused_background_work_leaves_a_line_a_second_that_names_it.__name__}.<locals>.send_mail"
    assert line.startswith(f"background.run refused {name}: `BackgroundConfig.max_queue` (1) tasks wait already")


def said_of(app: Spikard, caplog: pytest.LogCaptureFixture) -> list[str]:
    """What the log has of the failures of one request, the causes of each before it."""
    with TestClient(app) as client, contextlib.suppress(ConnectionError):
        client.get("/").content  # noqa: B018
    said = []
    for record in caplog.records:
        assert record.exc_info is not None
        error = record.exc_info[1]
        chain = [error, *([error.__context__] if error is not None and error.__context__ is not None else [])]
        said.extend(str(one) for one in reversed(chain))
    return said


def raises(*_: Any) -> None:
    raise LookupError("first")


def returns_a_dict(_: Any) -> Any:
    return {"a": 1}


def placed(function: Any) -> str:
    return f"{function.__qualname__} at {__file__}:{function.__code__.co_firstlineno}"


@pytest.mark.parametrize("phase", ["on_request", "pre_validation", "pre_handler"])
def test_a_hook_that_returns_something_else_is_named(phase: str, caplog: pytest.LogCaptureFixture) -> None:
    app = Spikard()
    getattr(app, phase)(returns_a_dict)
    app.get("/")(lambda: 1)
    words = f"the hook {placed(returns_a_dict)} has to return a Request, a Response, (body, status) or None, got a dict"
    assert said_of(app, caplog) == [words]


def test_a_hook_of_the_response_that_returns_something_else_is_named(caplog: pytest.LogCaptureFixture) -> None:
    app = Spikard()
    app.get("/", on_response=returns_a_dict)(lambda: 1)
    assert said_of(app, caplog) == [
        f"the hook {placed(returns_a_dict)} has to return a Response, (body, status) or None, got a dict"
    ]


def test_a_hook_that_fails_hides_no_failure_before_it(caplog: pytest.LogCaptureFixture) -> None:
    app = Spikard()
    app.get("/", on_error=returns_a_dict)(lambda: raises())
    assert said_of(app, caplog) == [
        "first",
        f"the hook {placed(returns_a_dict)} has to return a Response, (body, status) or None, got a dict",
    ]
    caplog.clear()
    twice = Spikard()
    twice.get("/", on_response=returns_a_dict)(lambda: raises())
    assert said_of(twice, caplog)[0] == "first"
    assert len(caplog.records) == 2


def test_an_exception_handler_whose_answer_cannot_be_written_hides_no_exception(
    caplog: pytest.LogCaptureFixture,
) -> None:
    app = Spikard()
    app.get("/")(lambda: raises())
    app.exception_handler(LookupError)(lambda request, error: {"error": error})
    assert said_of(app, caplog) == ["first", "a LookupError cannot be written as JSON: result['error']"]


def test_a_stream_that_yields_something_else_is_named(caplog: pytest.LogCaptureFixture) -> None:
    async def numbers() -> Any:
        yield 1

    app = Spikard()
    app.get("/")(lambda: StreamingResponse(numbers()))
    assert said_of(app, caplog) == [f"the stream {placed(numbers)} has to yield str or bytes, got int"]


def test_a_part_of_a_result_that_cannot_be_written_is_named(caplog: pytest.LogCaptureFixture) -> None:
    app = Spikard()
    app.get("/")(lambda: {"items": [1, object()]})
    assert said_of(app, caplog) == ["a object cannot be written as JSON: result['items'][1]"]


def test_an_upload_that_is_awaited_in_vain_is_told_how(caplog: pytest.LogCaptureFixture) -> None:
    app = Spikard()

    @app.post("/")
    async def handler(file: UploadFile) -> int:
        return len(await file.read())  # type: ignore[misc]

    with TestClient(app) as client:
        client.post("/", files={"file": b"x"}, headers={"x-request-id": "r"}).assert_status(500)
    hint = "an UploadFile has `aread()` to be awaited, and `read()` not"
    assert lines(caplog) == [f"POST / raised TypeError (request r): {hint}"]


@pytest.mark.parametrize(
    ("form", "shape"),
    [
        (True, r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z 127\.0\.0\.1 GET /\?a=b 200 17 B \d+\.\d{3} ms [0-9a-f-]{36}"),
        (
            "combined",
            r'127\.0\.0\.1 - - \[\d\d/\w{3}/\d{4}:\d\d:\d\d:\d\d \+0000\] "GET /\?a=b HTTP/1\.1" 200 17 "-" "-"',
        ),
    ],
)
def test_the_access_log_has_a_line_for_each_request(form: Any, shape: str, access: Any) -> None:
    assert re.fullmatch(shape, access(form, ["/?a=b"])[0])


def test_the_access_log_may_be_json_and_is_out_when_the_server_has_ended(access: Any) -> None:
    paths = [f"/?{number}" for number in range(50)]
    read = [json.loads(line) for line in access("json", paths)]
    assert sorted(line["target"] for line in read) == sorted(paths)
    assert {(line["route"], line["status"], line["bytes"], line["client"]) for line in read} == {
        ("GET /", 200, 17, "127.0.0.1")
    }


def test_a_request_that_a_connection_refuses_is_in_the_access_log(access: Any) -> None:
    [line] = access(True, ["*"])
    assert " GET * 400 " in line


def test_without_being_asked_for_there_is_no_access_log(access: Any) -> None:
    assert access(False, ["/"]) == []


@pytest.fixture
def access(tmp_path: Any) -> Any:
    """What a server writes to standard output while it answers requests of these paths."""

    def written(form: Any, paths: list[str]) -> list[str]:
        running = Program(tmp_path, {"access_log": form}, "app.run()")
        try:
            with ThreadPoolExecutor(4) as pool:
                list(pool.map(running.get, paths))
            running.signal(signal.SIGTERM)
            assert running.status() == 0
            assert running.process.stdout is not None
            return running.process.stdout.read().splitlines()
        finally:
            running.process.kill()
            running.process.wait()
            if running.process.stdout is not None:
                running.process.stdout.close()

    return written
