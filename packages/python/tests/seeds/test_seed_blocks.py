"""Every snippet either proves its claims or stands in the pending list with the feature that it waits for."""

from __future__ import annotations

import io
from collections.abc import Callable
from contextlib import ExitStack, redirect_stdout
from functools import partial
from typing import Any

import pytest
from spikard import Spikard, TestClient

from .block import NAMES, answered_by_the_program, banners_of_the_program, executed, run_test, served

Proof = Callable[[str], None]
PROOFS: dict[str, Proof] = {}

PENDING = {
    "compression and rate limits": ["python-readme-alpha-L125",
                                    "pypi-page-L171", "pypi-page-L192", "pypi-page-L200", "python-binding-docs-L210",
                                    "python-binding-docs-L225", "python-binding-docs-rendered-L168",
                                    "python-binding-docs-rendered-L179", "python-readme-early-L252",
                                    "python-readme-early-L280", "python-readme-early-L293"],
    "authentication": ["pypi-page-L207", "python-binding-docs-L239", "python-binding-docs-L255",
                       "python-binding-docs-rendered-L189", "python-binding-docs-rendered-L201",
                       "python-readme-early-L305"],
    "static files": ["pypi-page-L216", "python-binding-docs-L268", "python-binding-docs-rendered-L210",
                     "python-readme-early-L319"],
    "OpenAPI": ["pypi-page-L225", "python-binding-docs-L284", "python-binding-docs-rendered-L222",
                "python-readme-early-L334"],
    "websockets": ["pypi-page-L259", "pypi-page-L312", "python-binding-docs-L354", "python-binding-docs-rendered-L289",
                   "python-readme-early-L382", "python-readme-early-L472"],
    "event streams": ["pypi-page-L268", "pypi-page-L321", "python-binding-docs-L372",
                      "python-binding-docs-rendered-L306", "python-readme-early-L401", "python-readme-early-L483"],
    "gRPC": ["python-binding-docs-L391", "python-binding-docs-rendered-L323"],
}  # fmt: skip
WAITING = {name: feature for feature, names in PENDING.items() for name in names}

# The app that a pending snippet's tests call.
APPS = {
    "pypi-page-L312": "pypi-page-L259",
    "python-readme-early-L472": "python-readme-early-L382",
    "pypi-page-L321": "pypi-page-L268",
    "python-readme-early-L483": "python-readme-early-L401",
}


def proves(*names: str) -> Callable[[Proof], Proof]:
    """Registers the proof of some snippets' claims."""

    def register(proof: Proof) -> Proof:
        for name in names:
            assert name not in PROOFS
            PROOFS[name] = proof
        return proof

    return register


def problems(response: Any) -> list[tuple[str, list[Any]]]:
    """Words and places of a 422."""
    response.assert_status(422)
    return [(error["type"], error["loc"]) for error in response.json()["errors"]]


@proves("pypi-page-L142", "python-readme-early-L209", "python-binding-docs-L319", "python-binding-docs-rendered-L255")
def uploads(name: str) -> None:
    field = {"description": "mine"} if name.startswith("python-binding") else {}
    with served(name) as client:
        answer = client.post("/upload", files={"file": ("a.txt", b"hello", "text/plain")}, data=field).assert_status(
            200
        )
        content = {"content_length": 5} if name == "pypi-page-L142" else {}
        assert answer.json() == {"filename": "a.txt", "size": 5, "content_type": "text/plain"} | content | field
        assert ("missing", ["files", "file"]) in problems(client.post("/upload", data={"other": "x"}))


@proves("pypi-page-L19", "python-readme-early-L23")
def the_quick_start(name: str) -> None:
    with served(name) as client:
        assert client.get("/users/7").json() == {"id": 7, "name": "Alice", "email": "alice@example.com"}
        bob = {"id": 1, "name": "Bob", "email": "b@example.com"}
        assert client.post("/users", json=bob).assert_status(200).json() == bob
        assert problems(client.post("/users", json={"id": "x"})) == [
            ("int_type", ["body", "id"]),
            ("missing", ["body", "name"]),
            ("missing", ["body", "email"]),
        ]
        assert problems(client.get("/users/x")) == [("int_parsing", ["path", "user_id"])]


@proves(
    "python-binding-docs-L8",
    "python-binding-docs-rendered-L9",
    "python-binding-docs-L154",
    "python-binding-docs-rendered-L127",
)
def a_typed_response(name: str) -> None:
    with served(name) as client:
        response = client.get("/users/7").assert_status_ok()
        assert response.json() == {"id": 7, "name": "Alice"}
        assert response.headers["content-type"] == "application/json"
        assert problems(client.get("/users/x")) == [("int_parsing", ["path", "id"])]


@proves("pypi-page-L39", "python-readme-early-L55")
def decorators_of_the_app(name: str) -> None:
    with served(name) as client:
        assert client.get("/users").json() == {"users": []}
        user = {"name": "a", "email": "b"}
        assert client.post("/users", json=user).json() == user


@proves("pypi-page-L48", "python-readme-early-L71")
def standalone_decorators(name: str) -> None:
    user = {"name": "a", "email": "b"}
    with served(name) as client:
        assert client.get("/users").json() == {"users": []}
        assert client.post("/users", json=user).json() == user
        assert client.put("/users/1", json=user).json() == user
        assert client.patch("/users/1", json={"x": [1]}).json() == {"x": [1]}
        assert client.delete("/users/1").json() == {"deleted": True}
        assert problems(client.put("/users/x", json={})) == [
            ("int_parsing", ["path", "user_id"]),
            ("missing", ["body", "name"]),
            ("missing", ["body", "email"]),
        ]


@proves("pypi-page-L68", "python-readme-early-L109")
def path_parameters(name: str) -> None:
    with served(name) as client:
        assert client.get("/users/3").json() == {"id": 3}
        assert client.get("/posts/1/comments/2").json() == {"post_id": 1, "comment_id": 2}
        assert problems(client.get("/posts/a/comments/b")) == [
            ("int_parsing", ["path", "post_id"]),
            ("int_parsing", ["path", "comment_id"]),
        ]


@proves("pypi-page-L75", "python-readme-early-L121")
def query_parameters(name: str) -> None:
    with served(name) as client:
        assert client.get("/search", params={"q": "a"}).json() == {"query": "a", "limit": 10, "offset": 0}
        assert client.get("/search?q=a&limit=3&offset=4").json() == {"query": "a", "limit": 3, "offset": 4}
        assert problems(client.get("/search?limit=x")) == [
            ("missing", ["query", "q"]),
            ("int_parsing", ["query", "limit"]),
        ]


@proves("python-binding-docs-L114", "python-binding-docs-rendered-L102", "python-readme-alpha-L86")
def marked_query_parameters(name: str) -> None:
    with served(name) as client:
        found = client.get("/search?q=a").json()
        assert (found["query"], found["limit"]) == ("a", 10)
        assert client.get("/search?q=a&limit=2").json()["limit"] == 2
        assert problems(client.get("/search")) == [("missing", ["query", "q"])]


@proves("python-binding-docs-L123", "python-binding-docs-rendered-L107")
def a_marked_path_parameter(name: str) -> None:
    with served(name) as client:
        assert client.get("/users/3").json() == {"id": 3}
        assert problems(client.get("/users/x")) == [("int_parsing", ["path", "user_id"])]


@proves("python-binding-docs-L132", "python-binding-docs-rendered-L112")
def a_header(name: str) -> None:
    with served(name) as client:
        assert client.get("/info", headers={"X-Token": "t"}).json() == {"token": "t"}
        assert problems(client.get("/info")) == [("missing", ["headers", "x-token"])]


@proves("python-binding-docs-L141", "python-binding-docs-rendered-L117")
def a_cookie(name: str) -> None:
    with served(name) as client:
        assert client.get("/profile", cookies={"session_id": "s"}).json() == {"session": "s"}
        assert problems(client.get("/profile")) == [("missing", ["cookie", "session_id"])]


@proves("pypi-page-L86", "python-readme-early-L139")
def a_struct_with_a_default(name: str) -> None:
    with served(name) as client:
        assert client.post("/posts", json={"title": "t", "content": "c"}).json() == {"title": "t", "tag_count": 0}
        tagged = {"title": "t", "content": "c", "tags": ["a", "b"]}
        assert client.post("/posts", json=tagged).json() == {"title": "t", "tag_count": 2}
        assert problems(client.post("/posts", json={**tagged, "tags": [1]})) == [("string_type", ["body", "tags", 0])]


@proves("pypi-page-L112", "python-readme-early-L162")
def a_pydantic_model(name: str) -> None:
    user = {"name": "a", "email": "a@example.com"}
    with served(name) as client:
        assert client.post("/users", json=user).json() == user
        refused = client.post("/users", json={"name": 1, "email": "x"})
        assert problems(refused) == [("string_type", ["body", "name"]), ("value_error", ["body", "email"])]


@proves("pypi-page-L120", "python-readme-early-L176")
def a_dataclass(name: str) -> None:
    with served(name) as client:
        assert client.post("/products", json={"name": "a", "price": 1.5}).json() == {"name": "a", "price": 1.5}
        assert problems(client.post("/products", json={"name": "a", "price": "x"})) == [
            ("float_type", ["body", "price"])
        ]


@proves("pypi-page-L129", "python-readme-early-L191")
def a_plain_json_schema(name: str) -> None:
    user = {"name": "a", "email": "a@example.com", "more": [1]}
    with served(name) as client:
        assert client.post("/users", json=user).json() == user
        refused = client.post("/users", json={"email": "x"})
        assert [place for _, place in problems(refused)] == [["body", "name"], ["body", "email"]]


@proves("python-readme-alpha-L98")
def scalars_of_a_json_body(name: str) -> None:
    with served(name) as client:
        sent = {"name": "a", "email": "b"}
        assert client.post("/users", json=sent).json() == {"id": 123, **sent, "age": None}
        assert client.post("/users", data={**sent, "age": "3"}).json() == {"id": 123, **sent, "age": 3}
        assert problems(client.post("/users", json={"name": 1})) == [
            ("string_type", ["body", "name"]),
            ("missing", ["body", "email"]),
        ]


@proves("pypi-page-L154", "python-readme-early-L224")
def a_response_with_a_status_and_a_header(name: str) -> None:
    user = {"name": "a", "email": "b"}
    with served(name) as client:
        response = client.post("/users", json=user).assert_status(201)
        assert response.json() == user
        assert response.headers["x-custom"] == "value"


@proves("python-binding-docs-L167", "python-binding-docs-rendered-L136")
def a_download(name: str) -> None:
    with served(name) as client:
        response = client.get("/download")
        assert response.bytes() == b"file data"
        assert response.headers["content-type"] == "application/octet-stream"
        assert response.headers["content-disposition"] == 'attachment; filename="file.bin"'


@proves("python-binding-docs-L30", "python-binding-docs-rendered-L30")
def a_router(name: str) -> None:
    with served(name) as client:
        assert client.get("/users/3").json() == {"id": 3}


@proves("python-binding-docs-L46", "python-binding-docs-rendered-L44")
def a_marked_body(name: str) -> None:
    with served(name) as client:
        payment = {"id": "a", "amount": 1.5}
        assert client.post("/payments", json=payment).json() == payment
        assert problems(client.post("/payments", json={"id": "a"})) == [("missing", ["body", "amount"])]
        client.post("/payments", data={"id": "a", "amount": "1.5"}).assert_status(415)


@proves("python-readme-alpha-L52")
def hello(name: str) -> None:
    with served(name) as client:
        assert client.get("/hello?name=Ada").json() == {"message": "Hello, Ada!"}
        assert problems(client.get("/hello")) == [("missing", ["query", "name"])]


@proves("python-readme-alpha-L74")
def a_user(name: str) -> None:
    with served(name) as client:
        assert client.get("/users/3").json() == {"user_id": 3, "name": "Alice"}


@proves("python-readme-alpha-L111")
def asynchronous_work(name: str) -> None:
    with served(name) as client:
        assert client.get("/slow").json() == {"status": "completed"}


@proves("python-readme-alpha-L148")
def a_test_without_a_server(name: str) -> None:
    with executed(name) as namespace:
        assert namespace["response"].status_code == 200
        namespace["client"].close()


@proves("python-binding-docs-L455", "python-binding-docs-rendered-L387")
def a_test_with_the_client(name: str) -> None:
    for app in ("python-binding-docs-L154", "python-binding-docs-L8"):
        run_test(name, "test_get_user", app)


@proves("pypi-page-L100")
def a_value_and_what_is_made_of_it(name: str) -> None:
    with served(name) as client:
        url = "postgresql://localhost/app"
        assert client.get("/stats").json() == {"db": f"pool({url})", "env": url}


@proves("python-binding-docs-L63", "python-binding-docs-rendered-L59")
def a_singleton_by_its_type(name: str) -> None:
    with served(name) as client:
        assert client.get("/data").json() == {"status": "ok"}


@proves("python-binding-docs-L98", "python-binding-docs-rendered-L89")
def a_test_of_a_dependency(name: str) -> None:
    for app in ("python-binding-docs-L63", "python-binding-docs-rendered-L59"):
        run_test(name, "test_endpoint", app)


@proves("pypi-page-L293", "python-readme-early-L446")
def a_fixture_and_its_tests(name: str) -> None:
    run_test(name, "test_get_user", "python-readme-early-L109")
    run_test(name, "test_create_user", "python-readme-early-L224")


@proves("python-binding-docs-L87", "python-binding-docs-rendered-L79")
def the_async_server(name: str) -> None:
    assert answered_by_the_program(name, "http://127.0.0.1:8080/ready") == "ready"


@proves("pypi-page-L163", "python-readme-early-L238")
def a_stream_of_bytes(name: str) -> None:
    with served(name) as client:
        assert client.get("/stream").content == b"".join(b"data: %d\n" % number for number in range(10))


@proves("python-binding-docs-L180", "python-binding-docs-rendered-L145")
def a_stream_of_plain_text(name: str) -> None:
    with served(name) as client:
        response = client.get("/stream").assert_status_ok()
        assert response.text == "".join(f"chunk {number}\n" for number in range(100))
        assert response.headers["content-type"] == "text/plain; charset=utf-8"


@proves("pypi-page-L282", "python-readme-early-L431")
def a_task_in_the_background(name: str) -> None:
    done: list[dict[str, int]] = []

    async def later(data: dict[str, int]) -> None:
        done.append(data)

    with executed(name) as namespace:
        namespace["heavy_processing"] = later if name == "pypi-page-L282" else done.append
        with TestClient(namespace["app"]) as client:
            assert client.post("/process", json={"a": 1}).json() == {"status": "processing"}
    assert done == [{"a": 1}]


@proves("pypi-page-L236", "python-readme-early-L351")
def hooks_of_every_phase(name: str) -> None:
    with executed(name) as namespace, redirect_stdout(io.StringIO()) as printed:
        app = namespace["app"]

        @app.get("/boom")
        async def boom() -> None:
            raise ValueError

        with TestClient(app) as client:
            refused = client.get("/boom")
            failed = client.get("/boom", headers={"Authorization": "x"})
    assert (refused.status_code, refused.json()) == (401, {"error": "Unauthorized"})
    assert (failed.status_code, failed.headers["x-frame-options"]) == (500, "DENY")
    assert printed.getvalue() == "GET /boom\nGET /boom\nError: 500\n"


@proves("python-binding-docs-L78", "python-binding-docs-rendered-L72")
def a_hook_reads_the_request_as_a_dict(name: str) -> None:
    with executed(name) as namespace, redirect_stdout(io.StringIO()) as printed:
        app = namespace["app"]
        app.get("/items")(lambda: 1)
        with TestClient(app) as client:
            assert client.get("/items").json() == 1
    assert printed.getvalue() == "GET /items\n"


@proves("python-binding-docs-L197", "python-binding-docs-rendered-L159")
def workers_by_the_configuration(name: str) -> None:
    (banner,) = banners_of_the_program(name, 1)
    assert " with 4 workers " in banner


@proves("pypi-page-L359", "python-readme-early-L517")
def one_process_and_then_several(name: str) -> None:
    alone, several = banners_of_the_program(name, 2)
    assert "workers" not in alone
    assert " with 4 workers " in several


@proves("python-binding-docs-L478")
def a_test_with_a_real_server(name: str) -> None:
    run_test(name, "test_with_real_server", "python-binding-docs-L154")


@proves("python-binding-docs-rendered-L409")
def a_test_with_a_real_server_of_the_rendered_page(name: str) -> None:
    run_test(name, "test_with_real_server", "python-binding-docs-rendered-L127")


PROVED = sorted(PROOFS)


@pytest.mark.parametrize("name", PROVED)
def test_a_snippet_does_what_it_says(name: str) -> None:
    PROOFS[name](name)


@pytest.mark.parametrize(
    ("name", "path", "answer"),
    [
        ("pypi-page-L19", "/users/1", '{"id":1,"name":"Alice","email":"alice@example.com"}'),
        ("python-readme-early-L23", "/users/1", '{"id":1,"name":"Alice","email":"alice@example.com"}'),
        ("python-binding-docs-L8", "/users/1", '{"id":1,"name":"Alice"}'),
        ("python-binding-docs-rendered-L9", "/users/1", '{"id":1,"name":"Alice"}'),
        ("python-readme-alpha-L52", "/hello?name=Ada", '{"message":"Hello, Ada!"}'),
    ],
)
def test_a_snippet_with_a_main_part_is_a_program_that_serves(name: str, path: str, answer: str) -> None:
    assert answered_by_the_program(name, f"http://127.0.0.1:8000{path}") == answer


def failure(attempt: Callable[[], Any]) -> str | None:
    """What goes wrong."""
    try:
        attempt()
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return None


def failures(name: str) -> list[str]:
    """What goes wrong when a pending snippet, and each of its tests, is run."""
    apps = [APPS[name]] if name in APPS else []
    with ExitStack() as stack:
        namespace: dict[str, Any] = {}
        broken = failure(lambda: namespace.update(stack.enter_context(executed(*apps, name))))
        tests = [key for key in namespace if key.startswith("test_")]
        return [
            found for found in (broken, *(failure(partial(run_test, name, test, *apps)) for test in tests)) if found
        ]


@pytest.mark.parametrize("name", sorted(WAITING))
def test_a_pending_snippet_still_waits(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Spikard, "run", lambda self, **_: None)
    assert failures(name), f"{name} runs now: {WAITING[name]} is there, so prove its claims"


def test_every_snippet_is_proved_or_pending() -> None:
    assert not PROOFS.keys() & WAITING.keys()
    assert sorted(PROOFS) == PROVED, "a proof below the test that runs them is never run"
    assert sorted([*PROOFS, *WAITING]) == NAMES
