"""`request.json()` and `request.form()`: the rules and limits of a body that is bound."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from spikard import Form, HTTPException, Request, Response, Spikard, TestClient, UploadFile
from spikard.datastructures import FormFields


@pytest.fixture
def client() -> Iterator[TestClient]:
    app = Spikard(max_form_parts=3, max_form_text=20, max_body_size=200_000)

    @app.post("/json")
    async def json(request: Request) -> Any:
        return [await request.json()]

    @app.post("/bound")
    async def bound(body: dict[str, Any]) -> Any:
        return body

    @app.post("/form")
    async def form(request: Request) -> Any:
        form = await request.form()
        assert form is await request.form()
        return [[name, await shown(value)] for name, value in form.multi_items()]

    @app.post("/form-bound")
    async def form_bound(a: Form[str]) -> str:
        return a

    @app.post("/caught")
    async def caught(request: Request) -> Any:
        try:
            return await request.json()
        except HTTPException as error:
            return Response(str(error.detail), error.status_code + 6)

    with TestClient(app) as client:
        yield client


async def shown(value: str | UploadFile) -> Any:
    if isinstance(value, str):
        return value
    return [value.filename, value.content_type, value.size, (await value.aread()).decode(), value.headers.get("x-a")]


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"{",
        b"[1,]",
        b'{"a": "\xff"}',
        b"\xff\xfe",
        b"[" * 65 + b"]" * 65,
        b"[" * 100_000,
        b"[" * 50_000 + b"]" * 50_000,
        b"NaN",
        b"1e999",
        b"1" * 10_000,
        b'"\\ud800"',
        b"{} {}",
    ],
)
def test_what_is_no_json_is_refused_as_a_bound_body_is(client: TestClient, text: bytes) -> None:
    headers = {"content-type": "application/json"}
    answer = client.post("/json", content=text, headers=headers).assert_status(400).json()
    assert answer["detail"].startswith("the body is not valid JSON: ")
    if text:
        assert client.post("/bound", content=text, headers=headers).assert_status(400).json() == answer


def test_what_is_no_json_may_be_caught(client: TestClient) -> None:
    assert client.post("/caught", content=b"[").assert_status(406).text.startswith("the body is not valid JSON")


@pytest.mark.parametrize("value", [None, 5, "x", [1, {"a": [2.5, True]}], 12345678901234567890123])
def test_any_json_is_read(client: TestClient, value: Any) -> None:
    assert client.post("/json", content=msgspec.json.encode(value)).assert_status(200).json() == [value]


def test_a_form_has_its_texts_and_files_in_order(client: TestClient) -> None:
    files = [("f", ("a.txt", b"one", "text/plain", {"x-a": "b"})), ("f", ("../../b", b"two", "image/png"))]
    answer = client.post("/form", data={"a": "ä+b"}, files=files).assert_status(200)
    assert answer.json() == [
        ["a", "ä+b"],
        ["f", ["a.txt", "text/plain", 3, "one", "b"]],
        ["f", ["b", "image/png", 3, "two", None]],
    ]
    assert client.post("/form", data={"a": "ä b", "c": ""}).json() == [["a", "ä b"], ["c", ""]]
    assert client.post("/form").json() == []


def multipart(*parts: bytes, end: bytes = b"--") -> bytes:
    return (
        b"".join(b'--b\r\ncontent-disposition: form-data; name="a"' + part + b"\r\n" for part in parts) + b"--b" + end
    )


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (multipart(b"\r\n\r\n1") + b"\r\nbehind", "multipart/form-data; boundary=b", 200),
        (multipart(b"\r\n\r\n1", end=b""), "multipart/form-data; boundary=b", 400),
        (multipart(b"\r\n\r\n\xff"), "multipart/form-data; boundary=b", 400),
        (multipart(b"\r\n\r\n1", b"\r\nno field\r\n\r\n1"), "multipart/form-data; boundary=b", 400),
        (multipart(*[b"\r\n\r\n1"] * 4), "multipart/form-data; boundary=b", 413),
        (multipart(b"\r\n\r\n" + b"1" * 21), "multipart/form-data; boundary=b", 413),
        (multipart(b"\r\n\r\n1"), "multipart/form-data", 400),
        (b"a=%ff", "application/x-www-form-urlencoded", 400),
        (b"&".join([b"a=1"] * 10_001), "application/x-www-form-urlencoded", 413),
        (b"a=1", "text/plain", 415),
    ],
)
def test_a_form_is_refused_as_a_bound_one_is(client: TestClient, body: bytes, kind: str, status: int) -> None:
    headers = {"content-type": kind}
    answer = client.post("/form", content=body, headers=headers).assert_status(status).json()
    bound = client.post("/form-bound", content=body, headers=headers).assert_status(status)
    assert status == 200 or bound.json() == answer


def test_a_form_of_any_content_is_bounded_by_the_body(client: TestClient) -> None:
    client.post("/form", files={"f": ("a", b"x" * 250_000)}).assert_status(413)


def test_a_form_may_be_changed() -> None:
    form = FormFields([("a", "1")])
    form.add("f", UploadFile(filename="x"))
    assert (list(form), len(form), form["a"]) == (["a", "f"], 2, "1")
    assert repr(form).startswith("FormFields([('a', '1'), ('f', UploadFile(")


def test_an_upload_that_cannot_be_kept_is_a_500_that_is_logged(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / "uploads"
    folder.mkdir()
    app = Spikard(upload_dir=str(folder), upload_memory=10)

    @app.post("/up")
    async def up(file: UploadFile) -> int:
        return file.size

    with TestClient(app) as client:
        assert client.post("/up", files={"file": ("a", b"x" * 100)}).json() == 100
        shutil.rmtree(folder)
        answer = client.post("/up", files={"file": ("a", b"x" * 100)}).assert_status(500)
        assert client.post("/up", files={"file": ("a", b"x" * 5)}).json() == 5
    assert "detail" not in answer.json()
    [record] = caplog.records
    assert "POST /up" in record.getMessage()
    assert "an upload could not be kept: No such file" in record.getMessage()
