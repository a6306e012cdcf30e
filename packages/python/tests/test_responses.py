"""Responses, header fields, cookies and the exception for users."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from spikard import (
    HTMLResponse,
    HTTPException,
    JSONResponse,
    PlainTextResponse,
    RedirectResponse,
    Response,
    Spikard,
    TestClient,
)
from spikard.datastructures import Headers


@pytest.mark.parametrize(
    ("response", "media_type", "body"),
    [
        (Response(), None, b""),
        (Response("x"), "text/plain; charset=utf-8", b"x"),
        (Response(b"x"), "application/octet-stream", b"x"),
        (Response({"a": 1}), "application/json", b'{"a":1}'),
        (Response("<p>", media_type="text/html"), "text/html; charset=utf-8", b"<p>"),
        (Response("a", headers={"Content-Type": "text/csv"}), "text/csv", b"a"),
        (JSONResponse("x"), "application/json", b'"x"'),
        (JSONResponse(), "application/json", b"null"),
        (HTMLResponse("<p>"), "text/html; charset=utf-8", b"<p>"),
        (PlainTextResponse("x"), "text/plain; charset=utf-8", b"x"),
    ],
)
def test_content_says_its_media_type(response: Response, media_type: str | None, body: bytes) -> None:
    status, fields, sent, _ = response._parts()
    assert status == 200
    assert {name.lower(): value for name, value in fields}.get("content-type") == media_type
    assert sent == body


@pytest.mark.parametrize("status", [204, 304])
def test_a_status_without_body_has_no_media_type(status: int) -> None:
    assert Response({"a": 1}, status)._parts()[:2] == (status, [])


def test_a_redirect_has_a_location_and_encodes_it() -> None:
    response = RedirectResponse("/a b?q=ü&r=1\r\nx: y", 303)
    assert response._parts()[:3] == (303, [("location", "/a%20b?q=%C3%BC&r=1%0D%0Ax:%20y")], b"")
    with pytest.raises(ValueError, match="between 300 and 399, got 200"):
        RedirectResponse("/", 200)


def test_headers_have_no_case_and_several_values() -> None:
    headers = Headers({"X-A": "1"})
    headers.add("x-a", "2")
    assert headers["X-a"] == "1"
    assert headers.getlist("X-A") == ["1", "2"]
    assert headers.multi_items() == [("X-A", "1"), ("x-a", "2")]
    assert (len(headers), list(headers), "X-A" in headers) == (1, ["x-a"], True)
    headers["X-A"] = "3"
    assert headers.multi_items() == [("X-A", "3")]
    del headers["x-a"]
    assert headers.get("x-a") is None
    with pytest.raises(KeyError):
        del headers["x-a"]


@pytest.mark.parametrize("value", ["a\r\nb: c", "a\nb", "a\0", "\x7f", "€"])
def test_a_value_that_no_field_may_hold_is_refused(value: str) -> None:
    with pytest.raises(ValueError, match="the value of the header x-a holds a character"):
        Response(headers={"x-a": value})
    with pytest.raises(ValueError, match="holds a character"):
        Response().headers["x-a"] = value


@pytest.mark.parametrize("name", ["", "a b", "a:", "a\r\n", "ü"])
def test_a_name_that_is_no_token_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="a header name is a token"):
        Response(headers={name: "x"})


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({}, "k=v; Path=/; SameSite=Lax"),
        ({"max_age": 60, "domain": "a.b", "path": "/x"}, "k=v; Max-Age=60; Domain=a.b; Path=/x; SameSite=Lax"),
        ({"max_age": datetime.timedelta(minutes=1), "path": None, "samesite": None}, "k=v; Max-Age=60"),
        ({"secure": True, "httponly": True, "samesite": "none", "partitioned": True}, "k=v; Path=/; SameSite=None; Secure; HttpOnly; Partitioned"),
        ({"expires": datetime.datetime(2026, 1, 2, tzinfo=datetime.timezone.utc)}, "k=v; Expires=Fri, 02 Jan 2026 00:00:00 GMT; Path=/; SameSite=Lax"),
    ],
)  # fmt: skip
def test_a_cookie_has_its_attributes(given: dict[str, Any], field: str) -> None:
    response = Response()
    response.set_cookie("k", "v", **given)
    assert response.headers["set-cookie"] == field


def test_every_cookie_survives() -> None:
    response = Response(cookies={"a": "1"})
    response.set_cookie("b", "2; x\r\n")
    response.delete_cookie("c")
    first, second, third = response.headers.getlist("set-cookie")
    assert first.startswith("a=1;")
    assert second.startswith('b="2\\073 x\\015\\012";')
    assert third == "c=; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Path=/; SameSite=Lax"


@pytest.mark.parametrize(
    "given",
    [{"key": "a b"}, {"key": "k", "path": "/;"}, {"key": "k", "domain": "a\r\n"}, {"key": "k", "samesite": "x"}],
)
def test_a_cookie_that_would_add_an_attribute_is_refused(given: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="got"):
        Response().set_cookie(**given)


def test_an_http_exception_holds_what_the_problem_says() -> None:
    error = HTTPException(404, "gone", {"x-a": "b"}, type="about:blank", title="Gone", extra={"id": 1})
    assert (error.status_code, error.detail, error.headers) == (404, "gone", {"x-a": "b"})
    assert (error.type, error.title, error.extra, str(error)) == ("about:blank", "Gone", {"id": 1}, "404: gone")
    with pytest.raises(ValueError, match="between 300 and 599, got 200"):
        HTTPException(200)


def test_a_class_may_render_its_content_itself() -> None:
    class Xml(Response):
        media_type = "application/xml"

        def render(self, content: Any) -> bytes:
            return f"<x>{content}</x>".encode()

    class Envelope(JSONResponse):
        def render(self, content: Any) -> bytes:
            return super().render({"data": content})

    class Wrong(Response):
        def render(self, content: Any) -> bytes:
            return content  # type: ignore[no-any-return]

    app = Spikard()
    app.get("/xml")(lambda: Xml(3))
    app.get("/envelope")(lambda: Envelope({"a": 1}))
    app.get("/wrong")(lambda: Wrong(3))
    assert Response({"a": 1}).render({"b": 2}) == b'{"b":2}'
    with pytest.raises(TypeError, match="a stream has no bytes before it is sent"):
        Response().render(iter("a"))
    with TestClient(app, raise_server_exceptions=True) as client:
        xml = client.get("/xml")
        assert (xml.text, xml.headers["content-type"]) == ("<x>3</x>", "application/xml")
        assert client.get("/envelope").json() == {"data": {"a": 1}}
        with pytest.raises(TypeError, match=r"render\(\) makes bytes, got 3"):
            client.get("/wrong").assert_status_ok()
