"""What a hostile body costs, and what a fault inside a decoder becomes."""

from __future__ import annotations

import dataclasses
import logging
import time
from typing import Annotated, Any, Optional

import msgspec
import pydantic
import pytest
from msgspec import Meta
from spikard import HTTPException, SpecError, Spikard, TestClient
from spikard._decode import told
from spikard._spikard import backtracks


class Coded(msgspec.Struct):
    code: Annotated[str, Meta(pattern=r"^a*a*a*a*a*$")]
    number: float = 0
    whole: int = 0


class Keyed(msgspec.Struct):
    by_code: dict[Annotated[str, Meta(pattern=r"^a*a*a*a*a*$")], int]


def post(hint: Any, text: bytes) -> Any:
    def handler(body: Any) -> Any:
        return body

    handler.__annotations__["body"] = hint
    app = Spikard()
    app.post("/")(handler)
    with TestClient(app) as client:
        return client.post("/", content=text, headers={"content-type": "application/json"})


HOSTILE = b"a" * 400 + b"!"


def test_a_name_sent_twice_is_decoded_once() -> None:
    start = time.process_time()
    answer = post(Coded, b'{"code": "' + HOSTILE + b'", "code": "a"}')
    assert (answer.status_code, answer.json()["code"]) == (200, "a")
    assert time.process_time() - start < 3


def test_the_keys_of_a_mapping_are_matched_before_the_decoder_sees_them() -> None:
    assert post(Keyed, b'{"by_code": {"aa": 1}}').status_code == 200
    start = time.process_time()
    answer = post(Keyed, b'{"by_code": {"' + HOSTILE + b'": 1}}')
    assert (answer.status_code, answer.json()["errors"][0]["type"]) == (422, "property_names")
    assert time.process_time() - start < 3


def test_numbers_of_a_judged_body_keep_their_digits() -> None:
    answer = post(Coded, b'{"code": "a", "number": 1.2345678901234567, "whole": 123456789012345678901234567890}')
    assert answer.json() == {"code": "a", "number": 1.2345678901234567, "whole": 123456789012345678901234567890}


@pytest.mark.parametrize(
    "pattern", [r"^(a+)+$", r"(a*)*", r"^(a|aa)*$", r"(aa?)+", r"(\w+\s?)*", r"(.*a){12}", r"(,a+a+)*"]
)
def test_a_pattern_of_nested_repeats_is_a_fault(pattern: str) -> None:
    model = dataclasses.make_dataclass("Slow", [("name", Annotated[str, Meta(pattern=pattern)])])
    with pytest.raises(SpecError, match=r"Slow\.name: the pattern .* repeats"):
        post(model, b"{}")


@pytest.mark.parametrize(
    "pattern", [r"^[a-z]+(-[a-z]+)*$", r"^(\w+\.)+\w+$", r"^(\d{1,3}\.){3}\d+$", r"(foo|bar)+", r"(\w{2})+"]
)
def test_repeats_whose_rounds_have_a_sure_end_are_accepted(pattern: str) -> None:
    assert not backtracks(pattern)


class Item(pydantic.BaseModel):
    name: str
    price: float


class Items(pydantic.BaseModel):
    items: list[Item]


class Tags(pydantic.BaseModel):
    tags: list[int]


class Node(pydantic.BaseModel):
    name: str
    child: Optional[Node] = None
    children: list[Node] = []


class Wide(pydantic.BaseModel):
    filler: str
    items: list[Item]


@pytest.mark.parametrize(
    ("hint", "text"),
    [
        (list[Item], b"[" + b",".join([b"{}"] * 80_000) + b"]"),
        (Items, b'{"items": [' + b",".join([b"{}"] * 80_000) + b"]}"),
        (Tags, b'{"tags": [' + b",".join([b'"x"'] * 100_000) + b"]}"),
        (Node, b'{"children": [' + b",".join([b'{"children": [{}]}'] * 20_000) + b"]}"),
        (Node, b'{"child": ' * 60 + b'{"children": [' + b",".join([b"{}"] * 4000) + b"]}" + b"}" * 60),
        (list[Item], b"[" + b",".join([b'{"x": "' + b"y" * 400 + b'"}'] * 490) + b"]"),
    ],
)
def test_many_errors_cost_little_and_say_little(hint: Any, text: bytes) -> None:
    start = time.process_time()
    answer = post(hint, text)
    assert time.process_time() - start < 3
    assert answer.status_code == 422
    assert 0 < len(answer.json()["errors"]) <= 1000
    assert len(answer.content) < 1_000_000


class Faulty(pydantic.BaseModel):
    kind: str

    @pydantic.field_validator("kind")
    @classmethod
    def broken(cls, value: str) -> str:
        if value == "conflict":
            raise HTTPException(409, "taken")
        if value == "type":
            raise TypeError("secret")
        return {"a": "b"}[value]


class FaultyStruct(msgspec.Struct):
    kind: str

    def __post_init__(self) -> None:
        if self.kind == "conflict":
            raise HTTPException(409, "taken")
        if self.kind == "value":
            raise ValueError("not this one")
        if self.kind == "typed":
            raise TypeError("secret")
        if self.kind == "zero":
            raise ZeroDivisionError("secret")


@dataclasses.dataclass
class FaultyPlain:
    kind: str

    def __post_init__(self) -> None:
        FaultyStruct(self.kind)


@pytest.mark.parametrize(
    ("hint", "kind"), [(Faulty, "x"), (Faulty, "type"), (FaultyStruct, "zero"), (FaultyPlain, "zero")]
)
def test_a_fault_in_a_validator_is_a_logged_500(hint: Any, kind: str, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR):
        answer = post(hint, msgspec.json.encode({"kind": kind}))
    assert answer.status_code == 500
    assert "secret" not in answer.text
    assert any(record.exc_info for record in caplog.records)


@pytest.mark.parametrize("hint", [Faulty, FaultyStruct, FaultyPlain])
def test_a_validator_may_answer_by_an_http_exception(hint: Any) -> None:
    answer = post(hint, b'{"kind": "conflict"}')
    assert (answer.status_code, answer.json()["detail"]) == (409, "taken")


@pytest.mark.parametrize("hint", [FaultyStruct, FaultyPlain])
def test_a_refusal_of_the_whole_value_shows_it(hint: Any) -> None:
    error = post(hint, b'{"kind": "value"}').json()["errors"][0]
    assert (error["msg"], error["input"]) == ("Value error, not this one", {"kind": "value"})


def test_a_type_error_of_a_model_is_a_422_without_its_text() -> None:
    answer = post(FaultyStruct, b'{"kind": "typed"}')
    assert (answer.status_code, "secret" in answer.text) == (422, False)


def test_a_value_that_cannot_be_in_a_set_is_refused() -> None:
    assert post(set[Any], b"[[1]]").status_code == 422


def test_no_refusal_is_made_of_a_fault() -> None:
    assert told(KeyError("secret")) is None


class Small(msgspec.Struct, forbid_unknown_fields=True):
    name: str


class SmallModel(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="forbid")
    name: str


class Shouting(pydantic.BaseModel):
    name: str

    @pydantic.field_validator("name")
    @classmethod
    def refuse(cls, name: str) -> str:
        raise ValueError(f"not {name}")


LONG = "x" * 100_000
MANY = [0] * 400_000


@pytest.mark.parametrize("kind", ["json", "msgpack"])
@pytest.mark.parametrize(
    ("hint", "sent"),
    [
        (dict, MANY),
        (Small, MANY),
        (SmallModel, MANY),
        (Small, {"name": MANY}),
        (SmallModel, {"name": MANY}),
        (Small, {"name": "a", LONG: 1}),
        (SmallModel, {"name": "a", LONG: 1}),
        (Shouting, {"name": LONG}),
        (SmallModel, {f"{n:>99}" * 100: n for n in range(900)}),
        (dict[str, Small], {LONG: dict.fromkeys(map(str, range(900)), 1)}),
    ],
)
def test_a_refusal_stays_in_proportion(hint: Any, sent: Any, kind: str) -> None:
    def handler(body: Any) -> Any:
        return body

    handler.__annotations__["body"] = hint
    app = Spikard()
    app.post("/")(handler)
    text = msgspec.json.encode(sent) if kind == "json" else msgspec.msgpack.encode(sent)
    with TestClient(app) as client:
        answer = client.post("/", content=text, headers={"content-type": f"application/{kind}"}).assert_status(422)
    assert len(answer.content) < 700_000
    first = answer.json()["errors"][0]
    if sent is MANY:
        assert (first["type"], first["loc"]) == ("dict_type" if hint is dict else "model_type", ["body"])
