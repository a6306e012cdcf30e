"""Results: to the annotated model, to JSON, to a response."""

from __future__ import annotations

import collections
import dataclasses
import datetime
import decimal
import enum
import ipaddress
import logging
import pathlib
import uuid
from typing import Any, NamedTuple, Optional, TypedDict, Union

import attrs
import msgspec
import pydantic
import pytest
from spikard import HTMLResponse, HTTPException, RedirectResponse, Request, Response, SpecError, Spikard, UploadFile
from spikard._render import converter, encode, from_tuple, is_text
from spikard.testing import TestClient


class Public(msgspec.Struct):
    name: str


@dataclasses.dataclass
class Plain:
    name: str


@attrs.define
class Attrs:
    name: str


class Typed(TypedDict):
    name: str


class Model(pydantic.BaseModel):
    name: str
    since: datetime.date | None = None


class Camel(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(alias_generator=lambda name: name.upper(), populate_by_name=True)
    name: str


class Pair(NamedTuple):
    a: int
    b: int


class Color(enum.Enum):
    RED = "red"


class Name(str):
    __slots__ = ()


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, b"null"),
        ("é", '"é"'.encode()),
        (Name("x"), b'"x"'),
        (1.5, b"1.5"),
        ({"a": [1, True]}, b'{"a":[1,true]}'),
        (Public("a"), b'{"name":"a"}'),
        (Plain("a"), b'{"name":"a"}'),
        (Attrs("a"), b'{"name":"a"}'),
        (Model(name="a"), b'{"name":"a","since":null}'),
        (Camel(name="a"), b'{"NAME":"a"}'),
        ({"models": [Model(name="a", since=datetime.date(2026, 1, 2))]}, b'{"models":[{"name":"a","since":"2026-01-02"}]}'),
        (Pair(1, 2), b"[1,2]"),
        (Color.RED, b'"red"'),
        (datetime.datetime(2026, 1, 2, 3, tzinfo=datetime.timezone.utc), b'"2026-01-02T03:00:00Z"'),
        (uuid.UUID(int=1), b'"00000000-0000-0000-0000-000000000001"'),
        (decimal.Decimal("1.50"), b'"1.50"'),
        (pathlib.PurePosixPath("/a/b"), b'"/a/b"'),
        (ipaddress.ip_address("127.0.0.1"), b'"127.0.0.1"'),
        ({"in": ipaddress.ip_network("10.0.0.0/8"), "at": ipaddress.ip_interface("::1/64")}, b'{"in":"10.0.0.0/8","at":"::1/64"}'),
        (collections.deque([1]), b"[1]"),
        ({1}, b"[1]"),
        ((n for n in (1, 2)), b"[1,2]"),
        ({True: 1, False: 2, None: 3, 4: {5.5: {None: 6}}}, b'{"true":1,"false":2,"null":3,"4":{"5.5":{"null":6}}}'),
        ({"structs": [Public("a")], "in": {Color.RED: Model(name="a")}, uuid.UUID(int=1): {True}},
         b'{"structs":[{"name":"a"}],"in":{"red":{"name":"a","since":null}},"00000000-0000-0000-0000-000000000001":[true]}'),
        (collections.ChainMap({"a": 1}), b'{"a":1}'),
        (pydantic.AnyUrl("http://a.b/"), b'"http://a.b/"'),
    ],
)  # fmt: skip
def test_every_result_has_its_json(value: Any, text: bytes) -> None:
    assert encode(value) == text


async def ticks() -> Any:
    yield 1


class Holding(msgspec.Struct):
    items: list[Any]


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (object(), "a object cannot be written as JSON"),
        ({"a": [1, {"b": object()}]}, "a object cannot be written as JSON: result['a'][1]['b']"),
        ([Holding([1, object])], "a type cannot be written as JSON: result[0].items[1]"),
        ((1, {2: {object()}}), "a object cannot be written as JSON: result[1][2]{…}"),
        (HTTPException(404), "a HTTPException cannot be written as JSON (raise it)"),
        (type("Row", (), {"__mapper__": None})(), "a Row cannot be written as JSON (a model as the return annotation"),
        ([ticks()], "a async_generator cannot be written as JSON (a StreamingResponse of it can be"),
        ({"file": UploadFile()}, "a UploadFile cannot be written as JSON (its content is `await file.aread()`): result"),
        ({"n": {1j: 2}}, "a complex cannot be written as JSON: result['n'] with the key 1j"),
        ([{"a": 1, (1, 2): 3}], "a tuple cannot be written as JSON: result[0] with the key (1, 2)"),
    ],
)  # fmt: skip
def test_a_result_that_is_no_json_is_an_error_that_names_the_part(value: Any, words: str) -> None:
    with pytest.raises(TypeError) as caught:
        encode(value)
    assert str(caught.value).startswith(words)


WIDE = {"name": "a", "password": "secret"}


@pytest.mark.parametrize(
    ("annotation", "result", "sent"),
    [
        (Public, WIDE, b'{"name":"a"}'),
        (Plain, WIDE, b'{"name":"a"}'),
        (Attrs, WIDE, b'{"name":"a"}'),
        (Typed, WIDE, b'{"name":"a"}'),
        (Model, WIDE, b'{"name":"a","since":null}'),
        (Public, Model(name="a"), b'{"name":"a"}'),
        (Model, Plain("a"), b'{"name":"a","since":null}'),
        (list[Public], [WIDE, Public("b")], b'[{"name":"a"},{"name":"b"}]'),
        (dict[str, Public], {"x": WIDE}, b'{"x":{"name":"a"}}'),
        (tuple[Public, str], (WIDE, "b"), b'[{"name":"a"},"b"]'),
        (tuple[Public, ...], (WIDE, Public("b")), b'[{"name":"a"},{"name":"b"}]'),
        (Optional[Public], None, b"null"),
        (Union[Public, Response], WIDE, b'{"name":"a"}'),
    ],
)
def test_extra_fields_never_leak_past_the_annotated_model(annotation: Any, result: Any, sent: bytes) -> None:
    convert = converter(annotation)
    assert convert is not None
    assert encode(convert(result)) == sent


class WidePublic(Public):
    password: str = "secret"


@dataclasses.dataclass
class WidePlain(Plain):
    password: str = "secret"


@attrs.define
class WideAttrs(Attrs):
    password: str = "secret"


class WideModel(Model):
    password: str = "secret"


@pytest.mark.parametrize("wide", [WidePublic, WidePlain, WideAttrs, WideModel])
def test_what_a_subclass_adds_never_leaks_past_the_annotated_model(wide: Any) -> None:
    model, given = wide.__mro__[1], wide(name="a")
    for annotation, result in ((model, given), (Optional[model], given), (list[model], [given, model(name="a")])):
        convert = converter(annotation)
        assert convert is not None
        assert encode(convert(result)) == encode([model(name="a")] * 2 if isinstance(result, list) else model(name="a"))


@pytest.mark.parametrize(
    "annotation",
    [None, Any, object, bytes, tuple, Response, HTMLResponse, Union[dict[str, int], Any]],
)
def test_other_annotations_convert_nothing(annotation: Any) -> None:
    assert converter(annotation) is None


@pytest.mark.parametrize("value", [Public("a"), None])
def test_a_result_that_fits_is_sent_as_it_is(value: Any) -> None:
    convert = converter(Optional[Public])
    assert convert is not None
    assert convert(value) is value


@pytest.mark.parametrize("annotation", [Public, Model, list[Public]])
def test_a_result_that_is_not_the_model_is_an_error(annotation: Any) -> None:
    convert = converter(annotation)
    assert convert is not None
    with pytest.raises(ValueError, match="name"):
        convert([{"x": 1}] if annotation == list[Public] else {"x": 1})


@pytest.mark.parametrize(
    ("annotation", "text"),
    [(None, True), (str, True), (Any, True), (Response, True), (int, False), (Union[int, str], True), (dict, False), (Public, False), (dict[str, int], False), (list[str], False), (Optional[Model], False), (Union[str, Public], False)],
)  # fmt: skip
def test_text_is_text_unless_a_model_or_an_object_is_annotated(annotation: Any, text: bool) -> None:
    assert is_text(annotation) is text


def test_the_body_of_a_tuple_is_converted_too() -> None:
    assert from_tuple((WIDE, 201), 200, False, converter(Public))._parts()[2] == b'{"name":"a"}'
    assert from_tuple(("x", 201), 200, False)._parts()[2] == b'"x"'


@pytest.mark.parametrize(
    ("value", "parts"),
    [
        (({"a": 1}, 201), (201, [("content-type", "application/json")], b'{"a":1}')),
        (("x", 201), (201, [("content-type", "text/plain; charset=utf-8")], b"x")),
        ((b"x", 201), (201, [("content-type", "application/octet-stream")], b"x")),
        ((None, 204), (204, [], b"")),
        ((None, 200), (200, [("content-type", "application/json")], b"null")),
        (([], 202, {"x-a": "b"}), (202, [("x-a", "b"), ("content-type", "application/json")], b"[]")),
        ((1, 2), (200, [("content-type", "application/json")], b"[1,2]")),
        ((1, 2, 3, 4), (200, [("content-type", "application/json")], b"[1,2,3,4]")),
        ((1, True), (200, [("content-type", "application/json")], b"[1,true]")),
    ],
)
def test_a_tuple_is_body_status_and_headers(value: Any, parts: Any) -> None:
    status, fields, body, _ = from_tuple(value, 200)._parts()
    assert (status, sorted(fields), body) == (parts[0], sorted(parts[1]), parts[2])


def pair() -> tuple[int, int]:
    return 1, 404


def labelled() -> tuple[str, int]:
    return "a", 201


def maybe_text() -> Optional[tuple[Union[str, None], int]]:
    return "a", 201


def triple() -> tuple[int, int, int]:
    return 1, 201, 3


def several() -> tuple[int, ...]:
    return 1, 201


def sequence() -> collections.abc.Sequence[int]:
    return 1, 201


def models() -> tuple[Public, str]:
    return Public("a"), "b"


@pytest.mark.parametrize(
    ("handler", "sent"),
    [
        (pair, [1, 404]),
        (labelled, ["a", 201]),
        (maybe_text, ["a", 201]),
        (triple, [1, 201, 3]),
        (several, [1, 201]),
        (sequence, [1, 201]),
        (models, [{"name": "a"}, "b"]),
    ],
)
def test_a_tuple_that_is_annotated_as_data_is_json(handler: Any, sent: Any) -> None:
    app = Spikard()
    app.get("/")(handler)
    with TestClient(app) as client:
        answer = client.get("/")
        assert (answer.status_code, answer.json()) == (200, sent)


def unannotated():  # type: ignore[no-untyped-def]
    return {"name": "a"}, 201, {"x-a": "b"}


def anything() -> Any:
    return {"name": "a"}, 201, {"x-a": "b"}


def bare() -> tuple:  # type: ignore[type-arg]
    return {"name": "a"}, 201, {"x-a": "b"}


def as_model() -> tuple[Public, int, dict[str, str]]:
    return WIDE, 201, {"x-a": "b"}  # type: ignore[return-value]


def as_model_and_status() -> Union[tuple[Public, int], tuple[Public, int, collections.abc.Mapping[str, str]], None]:
    return WIDE, 201, {"x-a": "b"}  # type: ignore[return-value]


@pytest.mark.parametrize("handler", [unannotated, anything, bare, as_model, as_model_and_status])
def test_a_tuple_that_is_annotated_with_a_status_is_a_response(handler: Any) -> None:
    app = Spikard()
    app.get("/")(handler)
    with TestClient(app) as client:
        answer = client.get("/")
        assert (answer.status_code, answer.json(), answer.headers["x-a"]) == (201, {"name": "a"}, "b")


@pytest.mark.parametrize("status", [100, 199, 600, 999])
def test_a_number_that_is_no_status_of_an_answer_is_data(status: int) -> None:
    assert from_tuple((1, status), 200)._parts()[2] == b"[1,%d]" % status


class Measured(float):
    """A scalar of a library's own."""


@pytest.mark.parametrize(
    ("annotation", "value", "status", "text"),
    [
        (int, 5, 200, "5"),
        (int, "text", 500, None),
        (int, True, 500, None),
        (float, 1, 200, "1.0"),
        (float, Measured(1.5), 200, "1.5"),
        (bool, 1, 500, None),
        (str, "text", 200, "text"),
        (str, 5, 500, None),
        (Optional[int], "text", 500, None),
        (Union[int, str], "text", 200, "text"),
        (Union[int, str], 5, 200, "5"),
        (uuid.UUID, "no", 500, None),
    ],
)
def test_a_result_that_is_not_the_annotated_scalar_is_a_500(
    annotation: Any, value: Any, status: int, text: str | None
) -> None:
    app = Spikard()

    async def handler():  # type: ignore[no-untyped-def]
        return value

    handler.__annotations__["return"] = annotation
    app.get("/")(handler)
    with TestClient(app) as client:
        response = client.get("/").assert_status(status)
        assert text is None or response.text == text


@pytest.mark.parametrize(
    ("result", "media_type", "sent"),
    [
        ("<p>hi</p>", "text/html", "text/html; charset=utf-8"),
        (b"\x89PNG", "image/png", "image/png"),
        ({"a": 1}, "application/vnd.api+json", "application/vnd.api+json"),
        (("<p>", 201), "text/html", "text/html; charset=utf-8"),
        (({"a": 1}, 201), "application/hal+json", "application/hal+json"),
        (("x", 201, {"content-type": "text/csv"}), "text/html", "text/csv"),
        (Response("x"), "text/html", "text/plain; charset=utf-8"),
        (None, "application/hal+json", "application/hal+json"),
    ],
)
def test_a_route_may_say_the_media_type_of_plain_results(result: Any, media_type: str, sent: str) -> None:
    app = Spikard()

    @app.get("/", media_type=media_type)
    async def handler() -> Any:
        return result

    with TestClient(app) as client:
        assert client.get("/").headers["content-type"] == sent


class Html(str):
    """As markupsafe's `Markup` is one: what is put together with it is escaped."""

    __slots__ = ()

    def __add__(self, other: str) -> str:
        return "escaped"

    def __format__(self, spec: str) -> str:
        return "formatted"

    def __str__(self) -> str:
        return "made"


class Word(str, enum.Enum):
    RED = "red"
    KEY = "x-word"
    TYPE = "text/html"
    PLACE = "/word"


class Packet(bytes):
    """Bytes of a library's own."""


@pytest.mark.parametrize(
    ("result", "annotation", "media_type", "sent"),
    [
        (Html("<p>"), None, None, ("text/plain; charset=utf-8", b"<p>")),
        (Html("<p>"), str, "text/html", ("text/html; charset=utf-8", b"<p>")),
        ((Html("<p>"), 200), None, None, ("text/plain; charset=utf-8", b"<p>")),
        (HTMLResponse(Html("<p>")), None, None, ("text/html; charset=utf-8", b"<p>")),
        (Response(Word.RED, media_type=Word.TYPE), None, None, ("text/html; charset=utf-8", b"red")),
        (Word.RED, None, None, ("text/plain; charset=utf-8", b"red")),
        (Word.RED, Word, None, ("text/plain; charset=utf-8", b"red")),
        (Word.RED, str, None, ("text/plain; charset=utf-8", b"red")),
        (Word.RED, dict[str, str] | str, None, ("application/json", b'"red"')),
        (Packet(b"\0"), None, None, ("application/octet-stream", b"\0")),
        (Packet(b"\0"), bytes, "image/png", ("image/png", b"\0")),
        (bytearray(b"\0"), None, None, ("application/octet-stream", b"\0")),
        ((memoryview(b"\0"), 200), None, None, ("application/octet-stream", b"\0")),
        (memoryview(b"\0"), bytes, None, ("application/octet-stream", b"\0")),
    ],
)
def test_what_is_like_str_or_bytes_is_sent_as_they_are(
    result: Any, annotation: Any, media_type: str | None, sent: tuple[str, bytes]
) -> None:
    app = Spikard()

    async def handler():  # type: ignore[no-untyped-def]
        return result

    if annotation is not None:
        handler.__annotations__["return"] = annotation
    app.get(Word.PLACE, **({} if media_type is None else {"media_type": media_type}))(handler)  # type: ignore[arg-type]
    with TestClient(app) as client:
        answer = client.get("/word").assert_status_ok()
        assert (answer.headers["content-type"], answer.content) == sent
    assert app.routes[0].path == "/word"


def test_the_fields_and_cookies_of_a_response_take_subclasses_of_str() -> None:
    response = Response(headers={Word.KEY: Word.RED, "x-html": Html("<p>")}, cookies={Word.KEY: Word.RED})
    response.set_cookie("a", Html("1"), domain=Word.RED, path=Word.PLACE)
    assert RedirectResponse(Word.PLACE).headers["location"] == "/word"
    assert response.headers.multi_items() == [
        ("x-word", "red"),
        ("x-html", "<p>"),
        ("set-cookie", "x-word=red; Path=/; SameSite=Lax"),
        ("set-cookie", "a=1; Domain=red; Path=/word; SameSite=Lax"),
    ]
    assert {type(text) for field in response.headers.multi_items() for text in field} == {str}


def test_a_test_client_sends_subclasses_of_str_as_what_they_are() -> None:
    app = Spikard()

    @app.post("/")
    async def handler(request: Request) -> list[Any]:
        return [request.query_string, request.headers["x-word"], request.cookies, (await request.body()).decode()]

    with TestClient(app) as client:
        sent = {"params": {Word.KEY: Word.RED}, "headers": {Word.KEY: Word.RED}, "cookies": {Word.KEY: Word.RED}}
        expected = ["x-word=red", "red", {"x-word": "red"}, "<p>"]
        assert client.post("/", content=Html("<p>"), **sent).json() == expected


@pytest.mark.parametrize("media_type", ["html", "text/html\r\nx: y", "text/ä", ""])
def test_what_is_no_media_type_is_refused(media_type: str) -> None:
    with pytest.raises(ValueError, match="media_type must be a media type"):
        Spikard().get("/", media_type=media_type)


def test_a_response_that_its_schema_refuses_is_told_to_the_log_alone(caplog: pytest.LogCaptureFixture) -> None:
    app = Spikard(validate_responses=True)

    @app.get("/items", response_schema={"type": "array", "items": {"type": "integer"}})
    async def handler() -> list[Any]:
        return [1, "secret"]

    with caplog.at_level(logging.ERROR, "spikard.error"), TestClient(app) as client:
        response = client.get("/items").assert_status(500)
    assert "response_schema" not in response.text
    [record] = caplog.records
    assert "response_schema refuses 1: Input should be a valid integer" in record.getMessage()


def test_a_response_schema_that_is_none_is_a_start_up_error() -> None:
    app = Spikard()
    app.get("/", response_schema={"type": "nothing"})(lambda: None)
    with pytest.raises(SpecError, match="response_schema: "), TestClient(app) as client:
        client.get("/")


def test_text_that_is_no_unicode_is_told_with_its_part() -> None:
    with pytest.raises(ValueError, match=r"surrogates not allowed: result\['a'\]$"):
        encode({"a": "\ud800"})


@pytest.mark.parametrize("status", [204, 205, 304])
@pytest.mark.parametrize("kind", ["route", "tuple", "response"])
def test_content_that_an_answer_must_not_have_is_dropped_and_told(
    status: int, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    app = Spikard()
    results: dict[str, Any] = {"route": {"a": 1}, "tuple": ("text", status), "response": Response(b"x", status)}

    @app.get("/dropped", status_code=status if kind == "route" else 200)
    async def dropped() -> Any:
        return results[kind]

    @app.get("/none", status_code=status)
    async def nothing() -> None:
        return None

    with caplog.at_level(logging.ERROR, "spikard.error"), TestClient(app) as client:
        assert client.get("/none").assert_status(status).content == b""
        assert not caplog.records
        assert client.get("/dropped").assert_status(status).content == b""
    [record] = caplog.records
    assert "GET /dropped" in record.getMessage()
    assert f"an answer of {status} has no content: " in record.getMessage()


class Missing(msgspec.Struct):
    reason: str


@pytest.mark.parametrize(
    ("result", "status"),
    [
        ({"name": "a"}, 200),
        (({"reason": "gone"}, 404), 404),
        (({"why": "gone"}, 404), 500),
        (({"name": "a"}, 202), 500),
        (({"other": 1}, 202), 202),
        (({"free": 1}, 409), 409),
    ],
)
def test_other_answers_are_judged_by_the_schema_of_their_status(result: Any, status: int) -> None:
    app = Spikard(validate_responses=True)
    accepted = {"schema": {"type": "object", "required": ["other"]}, "description": "it will be done"}

    @app.get("/", responses={404: Missing, 202: accepted, 409: {"description": "taken"}})
    async def handler() -> Any:
        return result

    with TestClient(app) as client:
        client.get("/").assert_status(status)


def test_other_answers_stand_in_the_document() -> None:
    app = Spikard()
    app.get("/", responses={404: {"model": Missing, "description": "no such item"}})(lambda: None)
    [route] = app._compile().document["routes"]
    schema = {"type": "object", "properties": {"reason": {"type": "string"}}, "required": ["reason"]}
    assert route["responses"] == {"404": {"description": "no such item", "schema": schema}}


@pytest.mark.parametrize(
    ("responses", "fault"),
    [
        ([404], "responses must be a dict"),
        ({"404": Missing}, "must have numbers as its statuses"),
        ({404: {"modle": Missing}}, "takes model, schema and description, got 'modle'"),
    ],
)
def test_other_answers_that_say_nothing_are_refused(responses: Any, fault: str) -> None:
    with pytest.raises(TypeError, match=fault):
        Spikard().get("/", responses=responses)


@pytest.mark.parametrize(
    ("responses", "fault"),
    [
        ({99: Missing}, "responses: 99 is no status of an answer"),
        ({404: {"schema": {"type": "nothing"}}}, r"responses\[404\]: "),
        ({404: {"schema": {}, "model": Missing}}, "two ways to say one thing"),
    ],
)
def test_other_answers_that_cannot_be_are_start_up_errors(responses: Any, fault: str) -> None:
    app = Spikard()
    app.get("/", responses=responses)(lambda: None)
    with pytest.raises(SpecError, match=fault), TestClient(app) as client:
        client.get("/")
