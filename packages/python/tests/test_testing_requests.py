"""What the requests of a test client carry, and what it keeps of their responses."""

from __future__ import annotations

from typing import Annotated, Any

import pytest
from spikard import Cookie, Request, Response, Spikard
from spikard.testing import Cookies, TestClient, TooManyRedirects

from .client_app import app


@pytest.mark.parametrize(
    ("target", "headers", "status"),
    [
        ("/query?a=" + "x" * 16_350, [], 200),
        ("/query?a=" + "x" * 16_400, [], 414),
        ("/query?a=" + "x" * 100_000, [], 414),
        ("/query", [(f"x-{number}", "1") for number in range(99)], 200),
        ("/query", [(f"x-{number}", "1") for number in range(100)], 431),
        ("/query", [("x-a", "x" * 66_000)], 431),
        ("/query", [("content-type", "text/plain"), ("content-type", "text/html")], 400),
    ],
)
def test_the_limits_of_a_connection_apply(target: str, headers: list[tuple[str, str]], status: int) -> None:
    with TestClient(app) as client:
        answer = client.get(target, headers=headers)
        assert answer.status_code == status
        assert "x-request-id" in answer.headers
        if status != 200:
            assert answer.headers["content-type"] == "application/problem+json"


def test_query_parameters_are_appended() -> None:
    with TestClient(app) as client:
        assert client.get("/query?a=x y", params={"tags": ["1", "2"], "on": True}).json() == ["x y", ["1", "2"], True]
        assert client.get("/query", params=[("tags", "ü"), ("tags", 2)]).json() == ["", ["ü", "2"], False]
        assert client.get("/query", params="a=b").json() == ["b", [], False]


def test_bodies_are_json_forms_or_content() -> None:
    with TestClient(app) as client:
        assert client.post("/json", json={"a": [1, None]}).json() == {"a": [1, None]}
        assert client.post("/json", content=b'{"a":1}', headers={"content-type": "application/json"}).json() == {"a": 1}
        assert client.post("/text", content="tëxt").text == "tëxt"
        with pytest.raises(TypeError, match="one body"):
            client.post("/json", json={}, content=b"")


def test_a_url_within_a_query_is_no_base() -> None:
    app = Spikard()

    @app.get("/to")
    async def to(u: str) -> str:
        return u

    with TestClient(app) as client:
        assert client.get("/to?u=http://a.example/b").text == "http://a.example/b"


def test_a_form_is_urlencoded() -> None:
    forms = Spikard()

    @forms.post("/")
    async def create(name: str, tags: list[str]) -> list[Any]:
        return [name, tags]

    with TestClient(forms) as client:
        assert client.post("/", data={"name": "a&b", "tags": ["1", "2"]}).json() == ["a&b", ["1", "2"]]


def test_headers_of_the_request_replace_those_of_the_client() -> None:
    with TestClient(app, headers={"X-A": "client"}) as client:
        assert client.get("/headers").json()[0] == "client"
        assert client.get("/headers", headers={"x-a": "request"}).json()[0] == "request"


def test_the_base_url_names_the_host() -> None:
    with TestClient(app, "http://example.org:81") as client:
        response = client.get("/headers")
    assert response.json()[2] == "example.org:81"
    assert response.url == "http://example.org:81/headers"


def test_cookies_are_kept_and_sent_where_they_belong() -> None:
    with TestClient(app, cookies={"own": "0"}) as client:
        response = client.get("/set")
        assert dict(response.cookies) == {"a": "1", "b": "2"}
        assert dict(client.cookies) == {"own": "0", "a": "1", "b": "2"}
        sent = client.get("/headers", cookies={"once": "3"}).json()[1]
        assert sorted(sent.split("; ")) == ["a=1", "once=3", "own=0"]
        del client.cookies["a"]
        assert sorted(client.get("/headers").json()[1].split("; ")) == ["own=0"]


def test_several_values_of_a_header_are_kept() -> None:
    with TestClient(app) as client:
        response = client.get("/set")
    assert response.headers.getlist("X-Many") == ["1", "2"]
    assert len(response.headers.getlist("set-cookie")) == 2


def test_redirects_are_followed_and_remembered() -> None:
    with TestClient(app) as client:
        response = client.get("/old")
        assert (response.json()[0], response.url) == ("moved", "http://testserver/query?a=moved")
        assert [(step.status_code, step.url) for step in response.history] == [(307, "http://testserver/old")]
        assert client.get("/old", follow_redirects=False).status_code == 307
        assert client.post("/see", json={}).json()[0] == "seen"
        assert client.post("/again", json={"kept": 1}).json() == {"kept": 1}
        with pytest.raises(TooManyRedirects):
            _ = client.get("/loop").status_code


def test_data_that_is_no_form_is_the_content() -> None:
    app = Spikard()

    @app.post("/")
    async def raw(body: bytes) -> int:
        return len(body)

    with TestClient(app) as client:
        assert client.post("/", data=b"abc").json() == 3
        assert client.post("/", data="abcd").json() == 4
        with pytest.raises(TypeError, match="beside files, data are the fields of a form"):
            client.post("/", data=b"abc", files={"f": b"x"})


@pytest.mark.parametrize(
    "value", ['{"theme": "dark", "size": 2}', "a,b;c", 'say "hi"', "back\\slash", "é", '"quoted"', ""]
)
def test_a_cookie_is_read_as_it_was_set(value: str) -> None:
    setting = Spikard()

    @setting.get("/set")
    async def put() -> Response:
        response = Response()
        response.set_cookie("kept", value)
        return response

    @setting.get("/get")
    async def get(request: Request, kept: Annotated[str, Cookie()]) -> list[str]:
        return [kept, request.cookies["kept"]]

    with TestClient(setting) as client:
        assert client.get("/set").cookies
        assert client.get("/get").json() == [value, value]


def test_cookies_are_a_mapping() -> None:
    cookies = Cookies({"a": "1"})
    cookies["b"] = "2"
    assert dict(cookies) == {"a": "1", "b": "2"}
    assert len(cookies) == 2
    del cookies["a"]
    assert "a" not in cookies
    with pytest.raises(KeyError):
        del cookies["a"]
