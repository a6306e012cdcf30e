"""What pydantic changes before it judges is judged by pydantic alone, wherever it was sent."""

from __future__ import annotations

import json
from typing import Annotated, Any, Optional

import pytest
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    Json,
    StringConstraints,
    WrapValidator,
    field_validator,
    model_validator,
)
from spikard import Body, Form, Query, Spikard, TestClient


def stripped(value: Any) -> Any:
    return value.strip() if isinstance(value, str) else value


class Configured(BaseModel):
    model_config = ConfigDict(str_strip_whitespace=True)
    name: str = Field(max_length=3, pattern="^[a-z]+$")


class Constrained(BaseModel):
    name: Annotated[str, StringConstraints(strip_whitespace=True, to_lower=True, max_length=3, pattern="^[a-z]+$")]


class Before(BaseModel):
    name: Annotated[str, BeforeValidator(stripped)] = Field(max_length=3, pattern="^[a-z]+$")


class Optionally(BaseModel):
    name: Optional[Annotated[str, BeforeValidator(stripped), Field(max_length=3)]] = Field(None, pattern="^[a-z]+$")


class After(BaseModel):
    name: Annotated[str, AfterValidator(stripped), Field(max_length=3)]


class Wrapped(BaseModel):
    name: Annotated[str, WrapValidator(lambda value, read: read(stripped(value)))] = Field(max_length=3)


class Validated(BaseModel):
    name: str = Field(max_length=3, pattern="^[a-z]+$")

    @field_validator("name", mode="before")
    @classmethod
    def _strip(cls, value: Any) -> Any:
        return stripped(value)


class Whole(BaseModel):
    name: str = Field(max_length=3)

    @model_validator(mode="before")
    @classmethod
    def _strip(cls, value: Any) -> Any:
        return {key: stripped(one) for key, one in value.items()} if isinstance(value, dict) else value


class Short(BaseModel):
    name: str = Field(max_length=3)


MODELS = [Configured, Constrained, Before, Optionally, After, Wrapped, Validated, Whole]


def answers(model: Any, name: str) -> list[Any]:
    """Of the model as JSON, in a form and in the query."""
    app = Spikard()

    def read_as(hint: Any) -> Any:
        async def read(sent: Any) -> str:
            return str(sent.name)

        read.__annotations__ = {"sent": hint, "return": str}
        return read

    app.post("/json")(read_as(Body[model]))
    app.post("/form")(read_as(Form[model]))
    app.get("/query")(read_as(Query[model]))
    with TestClient(app) as client:
        every = [
            client.post("/json", json={"name": name}),
            client.post("/form", data={"name": name}),
            client.get("/query", params={"name": name}),
        ]
        return [one.text if one.status_code == 200 else one.json()["errors"] for one in every]


@pytest.mark.parametrize("model", MODELS)
def test_a_text_is_measured_after_it_was_changed(model: Any) -> None:
    assert answers(model, " abc ") == ["abc"] * 3


@pytest.mark.parametrize("model", MODELS)
def test_what_is_too_long_afterwards_is_refused_in_pydantics_words(model: Any) -> None:
    for source, [error] in zip(("body", "body", "query"), answers(model, " abcd "), strict=True):
        assert error["loc"] == [source, "name"]
        assert error["type"] in ("string_too_long", "too_long")


def test_a_text_that_nothing_changes_is_measured_as_it_was_sent() -> None:
    for [error] in answers(Short, " abc "):
        assert (error["type"], error["input"]) == ("string_too_long", " abc ")


def test_a_scalar_is_changed_before_its_own_and_its_markers_constraints() -> None:
    app = Spikard()

    @app.get("/own")
    async def own(z: Annotated[str, StringConstraints(strip_whitespace=True, to_upper=True, max_length=2)]) -> str:
        return z

    @app.get("/markers")
    async def markers(n: Annotated[int, BeforeValidator(lambda sent: int(sent) - 100), Query(le=5)]) -> int:
        return n

    @app.get("/lists")
    async def lists(
        n: Annotated[list[int], BeforeValidator(lambda sent: sent[0].split(",")), Query(max_length=2)],
    ) -> int:
        return sum(n)

    with TestClient(app) as client:
        assert client.get("/own", params={"z": " ab "}).text == "AB"
        assert client.get("/own", params={"z": "abc"}).json()["errors"][0]["type"] == "string_too_long"
        assert client.get("/markers?n=103").json() == 3
        assert client.get("/markers?n=106").json()["errors"][0]["type"] == "less_than_equal"
        assert client.get("/lists?n=1,2").json() == 3
        assert client.get("/lists?n=1,2,3").json()["errors"][0]["type"] == "too_long"


def test_a_value_of_another_kind_may_become_a_model() -> None:
    class Inner(BaseModel):
        a: int

    class Outer(BaseModel):
        code: str = Field(pattern="^[a-z]$")
        inner: Annotated[Inner, BeforeValidator(lambda sent: json.loads(sent) if isinstance(sent, str) else sent)]
        names: list[str]

        @field_validator("names", mode="before")
        @classmethod
        def _split(cls, value: Any) -> Any:
            return value.split(",") if isinstance(value, str) else value

    app = Spikard()

    @app.post("/")
    async def read(body: Outer) -> list[Any]:
        return [body.inner.a, body.names]

    with TestClient(app) as client:
        assert client.post("/", json={"code": "a", "inner": '{"a": 1}', "names": "b,c"}).json() == [1, ["b", "c"]]
        form = {"code": "a", "inner": '{"a": 1}', "names": ["b", "c"]}
        assert client.post("/", data=form).json() == [1, ["b", "c"]]


def test_a_pattern_makes_nothing_else_of_a_model_strict() -> None:
    class Lax(BaseModel):
        code: str = Field(pattern="^[a-z]$")
        n: int

    app = Spikard()

    @app.post("/")
    async def read(body: Lax) -> int:
        return body.n

    with TestClient(app) as client:
        assert client.post("/", json={"code": "a", "n": "2"}).json() == 2
        [error] = client.post("/", json={"code": "A", "n": "2"}).json()["errors"]
        assert (error["loc"], error["type"]) == (["body", "code"], "string_pattern_mismatch")


def test_a_pattern_for_pythons_own_engine_meets_the_cores_first() -> None:
    class Slow(BaseModel):
        model_config = ConfigDict(regex_engine="python-re")
        code: str = Field(pattern="^(a+)+$")

    app = Spikard()

    @app.post("/")
    async def read(body: Slow) -> str:
        return body.code

    with TestClient(app) as client:
        assert client.post("/", json={"code": "aa"}).text == "aa"
        [error] = client.post("/", json={"code": "a" * 60 + "b"}).json()["errors"]
        assert error["type"] == "string_pattern_mismatch"


class Job(BaseModel):
    name: str
    settings: Json[dict[str, int]] = Field({})


def test_text_that_holds_json_is_no_file() -> None:
    assert answers(Job, "a") == answers(Short, "a")
    app = Spikard()

    @app.post("/json")
    async def read(job: Job) -> dict[str, int]:
        return job.settings

    @app.post("/form")
    async def read_form(job: Annotated[Job, Form()]) -> dict[str, int]:
        return job.settings

    sent = {"name": "a", "settings": '{"x": 1}'}
    with TestClient(app) as client:
        assert client.post("/json", json=sent).json() == client.post("/form", data=sent).json() == {"x": 1}
        refused = client.post("/json", json={**sent, "settings": "x"}).json()
    assert [(one["type"], one["loc"]) for one in refused["errors"]] == [("json_invalid", ["body", "settings"])]
