"""Names on the wire and the fields of a model: several for one field, and those that no field has."""

from __future__ import annotations

import re
from typing import Annotated, Any, Optional

import pytest
from pydantic import AliasChoices, BaseModel, ConfigDict, Field
from spikard import Cookie, File, Form, Header, Query, SpecError, Spikard, TestClient, UploadFile

from .compiled import One


class ByName(BaseModel):
    model_config = ConfigDict(extra="forbid", populate_by_name=True)
    size: int = Field(1, alias="pageSize")


class Chosen(BaseModel):
    model_config = ConfigDict(extra="forbid")
    size: int = Field(1, validation_alias=AliasChoices("size", "limit", "n"))


class Open(BaseModel):
    model_config = ConfigDict(extra="allow")
    x_tag: int = 0


class Document(BaseModel):
    model_config = ConfigDict(extra="allow")
    file: UploadFile


CASES = [(ByName, "pageSize"), (ByName, "size"), (Chosen, "size"), (Chosen, "limit"), (Chosen, "n")]


@pytest.mark.parametrize(("model", "name"), CASES, ids=[f"{model.__name__}-{name}" for model, name in CASES])
def test_a_field_is_sent_under_each_of_its_names(model: Any, name: str) -> None:
    app = Spikard()
    for path, marked in (
        ("/query", Query[model]),
        ("/cookie", Cookie[model]),
        ("/form", Form[model]),
        ("/body", model),
    ):

        def handler(sent: Any) -> int:
            return int(sent.size)

        handler.__annotations__["sent"] = marked
        app.route(path, methods=["GET"] if path in ("/query", "/cookie") else ["POST"])(handler)
    with TestClient(app) as client:
        sent = [client.get(f"/query?{name}=3"), client.get("/cookie", headers={"cookie": f"{name}=3"})]
        sent += [client.post("/form", data={name: "3"}), client.post("/body", json={name: 3})]
        assert [answer.json() for answer in sent] == [3, 3, 3, 3]
        bad = [client.get(f"/query?{name}=x"), client.post("/form", data={name: "x"})]
        errors = [answer.assert_status(422).json()["errors"] for answer in bad]
    assert [[(error["type"], error["loc"][1:]) for error in each] for each in errors] == [[("int_parsing", [name])]] * 2


def test_a_model_of_header_fields_gathers_the_others() -> None:
    app = Spikard()

    @app.get("/")
    def handler(fields: Annotated[Open, Header()]) -> dict[str, Any]:
        return {"tag": fields.x_tag, "others": fields.model_extra}

    with TestClient(app) as client:
        answer = client.get("/", headers=[("x-tag", "1"), ("X-One", "a"), ("x-two", "b"), ("x-two", "c")]).json()
    others = answer["others"]
    assert (answer["tag"], others["x-one"], others["x-two"], "x-tag" in others) == (1, "a", ["b", "c"], False)


def test_an_optional_model_that_gathers_is_there_as_soon_as_anything_is_sent() -> None:
    app = Spikard()

    @app.get("/")
    def handler(sent: Annotated[Optional[Open], Query()] = None) -> Any:
        return None if sent is None else sent.model_extra

    with TestClient(app) as client:
        assert [client.get(target).json() for target in ("/", "/?x_tag=1", "/?a=1")] == [None, {}, {"a": "1"}]


def test_a_form_with_a_file_gathers_texts_and_files() -> None:
    app = Spikard()

    @app.post("/")
    def handler(form: Annotated[Document, Form()]) -> dict[str, Any]:
        others = form.model_extra or {}
        return {name: value.size if isinstance(value, UploadFile) else value for name, value in others.items()}

    with TestClient(app) as client:
        answer = client.post("/", data={"a": ["1", "2"], "b": "3"}, files={"file": ("f", b"x"), "more": ("m", b"yo")})
    assert answer.json() == {"a": ["1", "2"], "b": "3", "more": 2}


def plain(picture, note: str = "") -> dict[str, Any]:  # type: ignore[no-untyped-def]
    return {"name": picture.filename, "note": note}


def many(pictures: list[UploadFile], raw: bytes = b"") -> list[Any]:
    return [len(pictures), len(raw)]


def test_file_params_says_which_parameters_are_files() -> None:
    app = Spikard()
    app.post("/plain", file_params={"picture": {}})(plain)
    app.post("/many", file_params={"pictures": {"max_length": 2}, "raw": {"alias": "content"}})(many)
    with TestClient(app) as client:
        answer = client.post("/plain", data={"note": "n"}, files={"picture": ("a.png", b"x")})
        assert answer.json() == {"name": "a.png", "note": "n"}
        [error] = client.post("/plain", data={"note": "n"}).assert_status(422).json()["errors"]
        assert (error["type"], error["loc"]) == ("missing", ["files", "picture"])
        files = [("pictures", ("a", b"1")), ("pictures", ("b", b"2")), ("content", ("c", b"345"))]
        assert client.post("/many", files=files).json() == [2, 3]
        [error] = client.post("/many", files=[*files, ("pictures", ("d", b"6"))]).assert_status(422).json()["errors"]
        assert (error["type"], error["loc"]) == ("too_long", ["files", "pictures"])


def marked(picture: Annotated[str, Query()]) -> None: ...
def own(picture: Annotated[UploadFile, File(title="own")]) -> None: ...


def test_file_params_names_parameters_of_the_handler_and_options_of_a_file() -> None:
    for params, fault in (([], "must be a dict"), ({"a": 1}, "must be a dict"), ({"a": {"gt": 1}}, "no option 'gt'")):
        with pytest.raises(TypeError, match=fault):
            Spikard().post("/", file_params=params)(plain)  # type: ignore[arg-type]
    for handler, params, fault in (
        (plain, {"pictrue": {}}, "the handler has no parameter 'pictrue', did you mean 'picture'?"),
        (marked, {"picture": {}}, "file_params names it, but it is marked as Query"),
    ):
        app = Spikard()
        app.post("/", file_params=params)(handler)
        with pytest.raises(SpecError, match=re.escape(fault)):
            app._compile()
    assert One(own, "POST", file_params={"picture": {"title": "other"}}).parameters[0]["schema"]["title"] == "own"
