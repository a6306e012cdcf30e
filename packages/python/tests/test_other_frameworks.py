"""What another framework has made is refused where it would be passed over in silence."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import pytest
from spikard import BackgroundTasks, Depends, HTTPException, SpecError, Spikard, TestClient


def of(framework: str, name: str, *bases: type) -> Any:
    """A class as another framework has it."""
    return type(name, bases, {"__module__": f"{framework}.params"})


Marker = of("fastapi", "Depends")
Upload = of("starlette", "UploadFile")
Bearer = of("fastapi", "OAuth2PasswordBearer")


def told(*annotations: Any, default: Any = ...) -> str:
    """What the start of an app says of a handler with a parameter of this type."""

    async def handler(given: Any = default) -> None: ...

    handler.__annotations__["given"] = annotations[0]
    app = Spikard()
    app.post("/")(handler)
    with pytest.raises(SpecError) as raised, TestClient(app):
        pass
    return str(raised.value)


@pytest.mark.parametrize(
    ("hint", "said"),
    [
        (Annotated[str, Marker()], "Depends is of fastapi: take the one of spikard"),
        (Annotated[str, of("litestar", "Parameter")()], "Parameter is of litestar: "),
        (Annotated[int | None, Marker()], "Depends is of fastapi: "),
        (Upload, "UploadFile is of starlette: take the one of spikard"),
        (list[Upload], "UploadFile is of starlette: "),
        (Upload | None, "UploadFile is of starlette: "),
        (Annotated[str, of("fastapi", "Security")()], "Security is of fastapi: `Depends` is the same"),
    ],
)
def test_a_marker_or_a_class_of_another_framework_is_refused_at_the_start(hint: Any, said: str) -> None:
    message = told(hint)
    assert "parameter 'given'" in message
    assert said in message


def test_a_dependency_of_another_framework_is_refused_at_the_start() -> None:
    callable_bearer = type("OAuth2PasswordBearer", (Bearer,), {"__module__": "fastapi.security", "__call__": repr})()
    assert "OAuth2PasswordBearer is of fastapi: write a function that takes" in told(
        str, default=Depends(callable_bearer)
    )


def test_an_exception_of_another_framework_is_told_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    app = Spikard()

    @app.get("/")
    async def fails() -> None:
        raise of("starlette", "HTTPException", Exception)(404)

    with caplog.at_level(logging.ERROR), TestClient(app) as client:
        assert client.get("/").status_code == 500
    assert "HTTPException is of starlette: take the one of spikard" in caplog.text


def test_a_class_of_the_user_that_derives_from_one_of_another_framework_is_the_user_s() -> None:
    class Mine(of("starlette", "Base")):  # type: ignore[misc]
        pass

    app = Spikard()
    app.provide(Mine, Mine)

    @app.get("/")
    async def index(mine: Mine) -> str:
        return type(mine).__name__

    with TestClient(app) as client:
        assert client.get("/").text == "Mine"


def test_a_dependency_under_contextmanager_is_refused_at_the_start() -> None:
    @contextmanager
    def session() -> Iterator[int]:
        yield 1

    assert "write it without @contextmanager" in told(int, default=Depends(session))


@pytest.mark.parametrize("app", ["main:app", None, of("fastapi", "FastAPI")()])
def test_a_test_client_takes_an_app(app: Any) -> None:
    with pytest.raises(TypeError, match="app must be a Spikard, got "):
        TestClient(app)


def test_a_field_of_an_exception_is_text() -> None:
    headers: Any = {"Retry-After": 30}
    with pytest.raises(TypeError, match="the value of the header Retry-After must be a str, got 30"):
        HTTPException(429, headers=headers)


def test_a_task_is_a_function_and_not_what_it_returned() -> None:
    work: Callable[[], Any] = "sent"  # type: ignore[assignment]
    with pytest.raises(TypeError, match="a task is a function, and its arguments come behind it, got 'sent'"):
        BackgroundTasks().add_task(work)
