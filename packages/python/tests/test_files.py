"""Files as responses: what Python says of them. Ranges and conditions are tested where they are decided."""

from __future__ import annotations

import http.client
import logging
import os
from pathlib import Path
from typing import Any

import pytest
from spikard import FileResponse, Request, Spikard, TestClient

from .serving import serving


@pytest.fixture
def report(tmp_path: Path) -> Path:
    path = tmp_path / "report.txt"
    path.write_text("0123456789")
    return path


def client_of(**options: Any) -> TestClient:
    app = Spikard()

    @app.get("/")
    async def handler() -> FileResponse:
        return FileResponse(**options)

    return TestClient(app)


def test_a_file_has_its_type_its_length_and_its_validators(report: Path) -> None:
    with client_of(path=report) as client:
        response = client.get("/").assert_status(200)
        assert response.content == b"0123456789"
        assert response.headers["content-type"] == "text/plain; charset=utf-8"
        assert response.headers["content-length"] == "10"
        assert response.headers["accept-ranges"] == "bytes"
        assert "content-disposition" not in response.headers
        tag = response.headers["etag"]
        assert client.get("/", headers={"if-none-match": tag}).status_code == 304
        assert client.get("/", headers={"if-modified-since": response.headers["last-modified"]}).status_code == 304
        head = client.head("/")
        assert (head.content, head.headers["content-length"]) == (b"", "10")


def test_ranges_are_answered(report: Path) -> None:
    with client_of(path=str(report)) as client:
        one = client.get("/", headers={"range": "bytes=2-4"}).assert_status(206)
        assert (one.content, one.headers["content-range"]) == (b"234", "bytes 2-4/10")
        several = client.get("/", headers={"range": "bytes=0-1,8-"}).assert_status(206)
        assert several.headers["content-type"].startswith("multipart/byteranges; boundary=")
        assert several.content.count(b"content-range: bytes ") == 2
        refused = client.get("/", headers={"range": "bytes=90-"}).assert_status(416)
        assert refused.headers["content-range"] == "bytes */10"
        assert refused.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("kind", ["attachment", "inline"])
def test_the_name_of_a_download_is_encoded(report: Path, kind: str) -> None:
    with client_of(path=report, filename="M\u00e4rz.pdf", content_disposition_type=kind) as client:
        response = client.get("/")
        said = f"{kind}; filename=\"M_rz.pdf\"; filename*=UTF-8''M%C3%A4rz.pdf"
        assert response.headers["content-disposition"] == said
        assert response.headers["content-type"] == "application/pdf"


def test_what_the_response_says_itself_stands(report: Path) -> None:
    said = {"etag": '"mine"', "content-disposition": "inline", "cache-control": "no-store"}
    with client_of(path=report, headers=said, media_type="application/x-mine", status_code=200) as client:
        response = client.get("/")
        assert {name: response.headers[name] for name in said} == said
        assert response.headers["content-type"] == "application/x-mine"
        assert client.get("/", headers={"if-none-match": '"mine"'}).status_code == 304


def test_a_large_file_comes_whole(tmp_path: Path) -> None:
    path = tmp_path / "large.bin"
    path.write_bytes(bytes(range(256)) * 4096)
    with client_of(path=path) as client:
        assert client.get("/").content == path.read_bytes()


@pytest.mark.skipif(not Path("/proc/self/limits").exists(), reason="there is no /proc")
def test_a_file_that_the_system_makes_up_comes_whole() -> None:
    with client_of(path="/proc/self/limits") as client:
        response = client.get("/").assert_status(200)
        assert response.content == Path("/proc/self/limits").read_bytes()
        assert client.get("/", headers={"range": "bytes=6-8"}).content == response.content[6:9]
    with client_of(path="/proc/self/pagemap") as client:
        client.get("/").assert_status(500)  # it does not tell its length, and has no end


def test_an_empty_file_is_an_empty_body(tmp_path: Path) -> None:
    path = tmp_path / "empty"
    path.touch()
    with client_of(path=path) as client:
        response = client.get("/").assert_status(200)
        assert (response.content, response.headers["content-length"]) == (b"", "0")


@pytest.mark.parametrize("content", [b"", b"early"])
def test_a_hook_may_answer_with_a_file(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "early.txt"
    path.write_bytes(content)
    app = Spikard()

    @app.on_request
    async def answer(_: Request) -> FileResponse:
        return FileResponse(path)

    @app.get("/")
    async def handler() -> None: ...

    with TestClient(app) as client:
        assert client.get("/").assert_status(200).content == content


def test_what_is_no_file_is_not_waited_for(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for path in (pipe, Path("/dev/zero")):
        with client_of(path=path) as client:
            client.get("/").assert_status(500)


def test_two_large_files_come_side_by_side(tmp_path: Path) -> None:
    path = tmp_path / "large"
    path.write_bytes(bytes(range(256)) * 40_000)
    app = Spikard()

    @app.get("/")
    async def handler() -> FileResponse:
        return FileResponse(path)

    with serving(app) as served:
        connections = [http.client.HTTPConnection(*served.address, timeout=20) for _ in range(2)]
        for connection in connections:
            connection.request("GET", "/")
        answers = [connection.getresponse() for connection in connections]
        while piece := answers[0].read(100_000):
            assert piece == answers[1].read(100_000)
        assert answers[1].read() == b""
        for connection in connections:
            connection.close()


def test_a_file_that_is_not_there_is_a_500_that_the_log_explains(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR, "spikard.error"), client_of(path=tmp_path / "missing") as client:
        response = client.get("/").assert_status(500)
        assert "missing" not in response.text
    assert "GET / failed (request " in caplog.text
    assert "missing" in caplog.text


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with client_of(path=tmp_path) as client:
        client.get("/").assert_status(500)


def test_another_disposition_is_refused() -> None:
    with pytest.raises(ValueError, match="must be attachment or inline"):
        FileResponse("x", content_disposition_type="other")  # type: ignore[arg-type]
