"""MessagePack bodies: the same models as JSON, whatever library wrote them, and only 400 or 422 for what is refused."""

from __future__ import annotations

import dataclasses
import datetime
from typing import Any

import msgspec
import pytest
from pydantic import BaseModel
from spikard import Body, Response, Spikard, TestClient

NAMES = ("application/msgpack", "application/x-msgpack", "application/vnd.msgpack")


class OfMsgspec(msgspec.Struct):
    at: datetime.datetime
    data: bytes
    n: int = 1


@dataclasses.dataclass
class OfDataclass:
    at: datetime.datetime
    data: bytes
    n: int = 1


class OfPydantic(BaseModel):
    at: datetime.datetime
    data: bytes
    n: int = 1


def post(client: TestClient, value: Any, name: str = NAMES[0]) -> Any:
    content = value if isinstance(value, bytes) else msgspec.msgpack.encode(value)
    return client.post("/", content=content, headers={"content-type": name})


@pytest.mark.parametrize("model", [OfMsgspec, OfDataclass, OfPydantic])
def test_models_of_every_library_are_read_with_times_and_bytes(model: Any) -> None:
    app = Spikard()
    seen: list[Any] = []

    async def take(body: Any) -> None:
        seen.append(body)

    take.__annotations__["body"] = model
    app.post("/")(take)
    at = datetime.datetime(2026, 1, 31, 10, tzinfo=datetime.timezone.utc)
    with TestClient(app, raise_server_exceptions=True) as client:
        for name in NAMES:
            post(client, {"at": at, "data": b"\x00\xff"}, name).assert_status(200)
        missing = post(client, {"at": at}).assert_status(422).json()
        wrong = post(client, {"at": at, "data": b"", "n": "x"}).assert_status(422).json()
    assert [(one.at, one.data, one.n) for one in seen] == [(at, b"\x00\xff", 1)] * 3
    assert [error["loc"] for error in missing["errors"]] == [["body", "data"]]
    assert [error["loc"] for error in wrong["errors"]] == [["body", "n"]]


def test_several_arguments_share_a_body() -> None:
    app = Spikard()

    @app.post("/")
    async def take(a: Body[OfMsgspec], b: Body[int]) -> int:
        return a.n + b

    at = datetime.datetime(2026, 1, 31, tzinfo=datetime.timezone.utc)
    with TestClient(app) as client:
        assert post(client, {"a": {"at": at, "data": b"", "n": 2}, "b": 3}).json() == 5


def test_plain_bodies_keep_their_bytes() -> None:
    app = Spikard()

    @app.post("/")
    async def take(body: dict[str, Any]) -> str:
        return repr(body)

    with TestClient(app) as client:
        assert post(client, {"a": b"\xff", "b": [1, None, 2.5]}).text == repr({"a": b"\xff", "b": [1, None, 2.5]})


def test_any_changed_byte_is_200_400_or_422() -> None:
    app = Spikard()

    @app.post("/")
    async def take(body: OfMsgspec) -> None: ...

    at = datetime.datetime(2026, 1, 31, tzinfo=datetime.timezone.utc)
    text = msgspec.msgpack.encode({"at": at, "data": b"abc", "n": 1})
    with TestClient(app) as client:
        for at_byte in range(len(text)):
            for byte in (0x00, 0x80, 0x91, 0xC0, 0xC1, 0xC4, 0xCB, 0xD6, 0xDF, 0xFF):
                changed = text[:at_byte] + bytes([byte]) + text[at_byte + 1 :]
                assert post(client, changed).status_code in (200, 400, 422), changed
            post(client, text[:at_byte]).assert_status(422 if at_byte == 0 else 400)


AT = datetime.datetime(2026, 1, 31, 10, tzinfo=datetime.timezone.utc)


@dataclasses.dataclass
class Wide(OfDataclass):
    secret: str = "s"


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "result",
    [
        OfMsgspec(AT, b"\x00\xff"),
        OfDataclass(AT, b"\x00\xff"),
        OfPydantic(at=AT, data=b"\x00\xff"),
        {"at": AT, "data": b"\x00\xff", "n": 1},
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_result_is_packed_where_the_route_or_the_response_says_so(result: Any, name: str) -> None:
    app = Spikard()

    @app.get("/route", media_type=name)
    async def of_route() -> Any:
        return result

    @app.get("/status", media_type=name)
    async def with_status() -> Any:
        return result, 201

    @app.get("/response")
    async def of_response() -> Any:
        return Response([result], media_type=name)

    with TestClient(app, raise_server_exceptions=True) as client:
        answers = [client.get(path) for path in ("/route", "/status", "/response")]
        assert [answer.headers["content-type"] for answer in answers] == [name] * 3
        plain = {"at": AT, "data": b"\x00\xff", "n": 1}
        found = [msgspec.msgpack.decode(answer.content) for answer in answers]
        assert found == [plain, plain, [plain]]
        assert [answer.status_code for answer in answers] == [200, 201, 200]


@pytest.mark.parametrize(
    ("result", "annotation", "sent"),
    [
        ("text", Any, "text"),
        (None, Any, None),
        (7, int, 7),
        ((1, 2, 3), tuple[int, ...], [1, 2, 3]),
        ([1, {"a": None}], Any, [1, {"a": None}]),
        (Wide(AT, b""), OfDataclass, {"at": AT, "data": b"", "n": 1}),
        (msgspec.msgpack.encode("packed"), bytes, "packed"),
    ],
)
def test_every_result_is_packed(result: Any, annotation: Any, sent: Any) -> None:
    app = Spikard()

    async def give() -> Any:
        return result

    give.__annotations__["return"] = annotation
    app.get("/", media_type=NAMES[0])(give)
    with TestClient(app, raise_server_exceptions=True) as client:
        answer = client.get("/")
        assert msgspec.msgpack.decode(answer.content) == sent
        assert answer.headers["content-type"] == NAMES[0]
