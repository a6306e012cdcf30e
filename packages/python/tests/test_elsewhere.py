"""Names of other frameworks: each that is missing says what to write here."""

from __future__ import annotations

import copy
import importlib
import subprocess
import sys
from typing import Annotated, Any

import pytest
import spikard
from spikard import Depends, Query, Request, Response, Router, SpecError, Spikard, TestClient
from spikard import _elsewhere as elsewhere
from spikard._options import RouteOptions
from spikard.config import ServerConfig

AGED = sys.version_info < (3, 11)


@pytest.mark.parametrize("name", sorted(elsewhere.table("names")))
def test_a_name_of_another_framework_says_in_its_import_what_to_write(name: str) -> None:
    with pytest.raises(ImportError) as caught:
        exec(f"from spikard import {name}")
    assert str(caught.value).startswith(f"spikard has no name {name!r}")
    with pytest.raises(AttributeError, match=f"spikard has no name {name!r}"):
        getattr(spikard, name)
    assert not hasattr(spikard, name)


@pytest.mark.parametrize("name", sorted(elsewhere.table("modules")))
def test_a_module_of_another_framework_says_what_to_write(name: str) -> None:
    for statement in (f"import spikard.{name}", f"from spikard.{name} import Thing"):
        with pytest.raises(ModuleNotFoundError) as caught:
            exec(statement)
        assert str(caught.value).startswith(f"spikard has no module {name!r}")
    with pytest.raises(ImportError):
        exec(f"from spikard import {name}")
    with pytest.raises(ModuleNotFoundError, match="No module named 'spikard.nowhere'"):
        exec("import spikard.nowhere")


def test_the_package_says_its_version() -> None:
    assert spikard.__version__.count(".") == 2


def test_a_misspelt_name_is_told_the_nearest_one() -> None:
    with pytest.raises(ImportError, match="spikard has no name 'Spikrd', did you mean 'Spikard'?"):
        exec("from spikard import Spikrd")
    with pytest.raises(AttributeError, match="spikard has no name 'Spikrd'"):
        spikard.Spikrd  # type: ignore[attr-defined] # noqa: B018


def test_modules_of_the_package_are_imported_as_ever() -> None:
    code = "from spikard import testing, http, _markers; import spikard.background"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
    with pytest.raises(ModuleNotFoundError, match="No module named 'spikard.nowhere'"):
        importlib.import_module("spikard.nowhere")


@pytest.mark.parametrize("name", sorted(elsewhere.table("attributes")))
def test_an_attribute_of_another_frameworks_app_says_what_to_write(name: str) -> None:
    with pytest.raises(AttributeError) as caught:
        getattr(Spikard(), name)
    assert str(caught.value).startswith(f"'Spikard' object has no attribute {name!r}")
    assert len(str(caught.value)) > len(f"'Spikard' object has no attribute {name!r}")


def test_an_attribute_that_nobody_has_is_missed_in_pythons_own_words() -> None:
    with pytest.raises(AttributeError, match=r"^'Router' object has no attribute 'gett'$") as caught:
        Router().gett  # type: ignore[attr-defined] # noqa: B018
    assert caught.value.name == "gett"
    assert not hasattr(Spikard(), "__html__")
    assert copy.copy(Router(prefix="/a")).prefix == "/a"


@pytest.mark.parametrize("name", sorted(elsewhere.table("request")))
def test_an_attribute_of_another_frameworks_request_says_what_to_write(name: str) -> None:
    with pytest.raises(AttributeError) as caught:
        getattr(Request(), name)
    assert str(caught.value) == f"'Request' object has no attribute {name!r}: {elsewhere.table('request')[name]}"


@pytest.mark.parametrize("name", sorted(elsewhere.table("routers")))
def test_an_argument_of_another_frameworks_router_says_what_to_write(name: str) -> None:
    for call, owner in (
        (Router, "Router()"),
        (lambda **given: Spikard().include_router(Router(), **given), "include_router()"),
    ):
        with pytest.raises(TypeError) as caught:
            call(**{name: None})
        assert str(caught.value) == f"{owner} has no argument {name!r}: {elsewhere.table('routers')[name]}"


def test_a_misspelt_argument_of_a_router_is_told_the_nearest_one() -> None:
    with pytest.raises(TypeError, match=r"Router\(\) has no argument 'prefx', did you mean 'prefix'"):
        Router(prefx="/a")  # type: ignore[arg-type]


@pytest.mark.parametrize("name", sorted(elsewhere.table("arguments")))
def test_an_argument_of_another_frameworks_app_says_what_to_write(name: str) -> None:
    with pytest.raises(TypeError) as caught:
        Spikard(**{name: None})  # type: ignore[arg-type]
    assert str(caught.value).startswith(f"Spikard() has no argument {name!r}")
    assert "did you mean" not in str(caught.value)


@pytest.mark.parametrize("name", sorted(elsewhere.table("options")))
def test_an_option_of_another_frameworks_routes_says_what_to_write(name: str) -> None:
    with pytest.raises(TypeError) as caught:
        Spikard().get("/", **{name: None})  # type: ignore[arg-type]
    assert str(caught.value).startswith(f"a route has no option {name!r}")
    assert "did you mean" not in str(caught.value)


@pytest.mark.parametrize("name", sorted(elsewhere.table("marks")))
def test_an_option_of_another_frameworks_markers_says_what_to_write(name: str) -> None:
    with pytest.raises(TypeError) as caught:
        Query(**{name: 1})  # type: ignore[arg-type]
    assert str(caught.value).startswith(f"Query() has no option {name!r}: ")


def test_nothing_is_listed_as_missing_that_is_there() -> None:
    assert not elsewhere.table("names").keys() & set(dir(spikard))
    assert not elsewhere.table("attributes").keys() & set(dir(Spikard()))
    assert not elsewhere.table("arguments").keys() & set(ServerConfig.__struct_fields__)
    assert not elsewhere.table("options").keys() & RouteOptions.__annotations__.keys()


def refusal(app: Spikard) -> str:
    with pytest.raises(SpecError) as caught:
        TestClient(app).get("/")
    return str(caught.value)


def test_a_response_as_a_parameter_says_how_fields_are_set() -> None:
    app = Spikard()

    @app.get("/")
    async def handler(response: Response) -> int:
        return response.status_code

    said = (
        "a response is nothing that a handler is given: return one, or `(body, status, headers)`, or set its fields in"
    )
    assert f"parameter 'response': {said}" in refusal(app)


class Session:
    """Of somebody's database."""


def test_a_class_that_nobody_provides_is_told_as_a_dependency() -> None:
    app = Spikard()
    app.provide("Sessions", 1)

    @app.get("/")
    async def handler(session: Session | None) -> int:
        return session is None

    said = "a Session cannot be read from a request, and the app has no dependency 'Session', did you mean 'Sessions'?"
    assert refusal(app).endswith(f"parameter 'session': {said} (app.provide(Session, …) or Depends(…) makes one)")


def test_a_class_that_nobody_provides_is_told_of_a_dependencys_parameter_too() -> None:
    app = Spikard()

    def user(session: Session) -> Session:
        return session

    @app.get("/")
    async def handler(who: Annotated[Session, Depends(user)]) -> bool:
        return who is not None

    said = refusal(app)
    assert ".user' (" in said
    assert (
        "parameter 'session': a Session cannot be read from a request, and the app has no dependency 'Session' ("
        in said
    )


def test_a_class_within_a_model_is_no_dependency() -> None:
    app = Spikard()

    @app.get("/")
    async def handler(sessions: Annotated[list[Session], Query()]) -> int:
        return len(sessions)

    assert "parameter 'sessions': there is no JSON Schema of Session" in refusal(app)


@pytest.mark.parametrize(
    ("hint", "words"),
    [
        (Annotated[Session, Query()], "a Session cannot be read from a request"),
        pytest.param(5, "5 is no type", marks=pytest.mark.skipif(AGED, reason="3.10 refuses it itself")),
    ],
)
def test_an_annotation_that_says_no_type_is_told_so(hint: Any, words: str) -> None:
    app = Spikard()

    @app.get("/")
    async def handler(value: hint) -> int:
        return bool(value)

    assert refusal(app).endswith(f"parameter 'value': {words}")


@pytest.mark.skipif(AGED, reason="3.10 refuses it itself")
def test_a_marker_before_its_type_is_told_so() -> None:
    app = Spikard()

    def handler(value: Any) -> None: ...

    handler.__annotations__["value"] = Annotated[Query(), int]
    app.get("/")(handler)
    words = "a type comes first: write Annotated[int, Query(…)], not Annotated[Query(…), int]"
    assert refusal(app).endswith(f"parameter 'value': {words}")


def test_depends_takes_the_function_and_not_what_it_returned() -> None:
    with pytest.raises(TypeError, match=r"^Depends\(\) takes the function itself, and not what it returned: got 5$"):
        Depends(5)  # type: ignore[arg-type]


def test_an_unknown_converter_is_told_the_nearest_one() -> None:
    app = Spikard()

    @app.get("/{number:integer}")
    async def handler(number: int) -> int:
        return number

    assert "a path has no converter 'integer', did you mean 'int'?" in refusal(app)


@pytest.mark.parametrize(
    ("path", "here"),
    [
        ("/users/:id/posts", '":id": a parameter is written "/users/{id}/posts"'),
        ("/users/:id?", '":id?": a parameter is written "/users/{id}", and a second route without it'),
        ("/files/*", '"*": a parameter is written "/files/{rest:path}"'),
        ("/files/(.*)", '"(.*)": a parameter is written "/files/{rest:path}"'),
        ("/users/<int:id>", '"<int:id>": a parameter is written "/users/{id:int}"'),
        ("/users?sort=name", '"?sort=name": write "/users", and take what follows as parameters of the query'),
    ],
)
def test_a_parameter_as_it_is_written_elsewhere_is_told_how_it_is_written(path: str, here: str) -> None:
    app = Spikard()

    @app.get(path)
    async def found() -> None:
        pass

    with pytest.raises(SpecError) as told, TestClient(app):
        pass
    line = found.__code__.co_firstlineno
    assert str(told.value).startswith(f"{__file__}:{line}: GET {path}: ")
    assert str(told.value).endswith(f'the path "{path}" has {here}')


def test_a_colon_within_a_segment_is_text() -> None:
    app = Spikard()

    @app.get("/users/{user_id:int}/v1:rename/:/:7")
    async def rename(user_id: int) -> int:
        return user_id

    with TestClient(app) as client:
        assert client.get("/users/3/v1:rename/:/:7").json() == 3


def test_a_request_knows_its_app() -> None:
    app = Spikard()
    app.state.pool = 5
    router = Router()

    @router.get("/async")
    async def asynchronous(request: Request) -> int:
        return int(request.app.state.pool)

    @router.get("/thread")
    def on_a_thread(request: Request) -> bool:
        return request.app is app

    app.include_router(router)
    with TestClient(app) as client:
        assert client.get("/async").json() == 5
        assert client.get("/thread").json() is True


def test_tags_of_an_inclusion_stand_before_those_of_its_routes() -> None:
    app, router = Spikard(), Router(tags=["router"])

    @router.get("/", tags=["route"])
    async def handler() -> None: ...

    app.include_router(router, prefix="/a", tags=["included"])
    assert [(route.path, route.tags) for route in app.routes] == [("/a/", ("included", "router", "route"))]
    with pytest.raises(TypeError, match="tags must be a list of str, got 'text'"):
        app.include_router(router, prefix="/b", tags="text")


def test_the_package_is_no_command_and_says_what_is() -> None:
    done = subprocess.run([sys.executable, "-m", "spikard", "app:app"], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert (
        done.stderr == "spikard has no command: end your program with app.run(), and start it with `python main.py`\n"
    )
