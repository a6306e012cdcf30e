"""Annotations that are written before their names exist, in functions and modules."""

from __future__ import annotations

import dataclasses
import gc
import sys
import weakref
from typing import Any, NamedTuple

import msgspec
import pydantic
import pytest
from spikard import Body, SpecError, Spikard

app = Spikard()


@app.post("/later")
def later(body: Body[Later]) -> list[Later]: ...


class Later(msgspec.Struct):
    inner: Later | None = None


def test_a_model_may_be_defined_after_its_handler() -> None:
    [route] = app._compile().document["routes"]
    assert route["body"]["schema"]["$ref"] == "#/$defs/Later"


def test_a_local_model_is_found_in_the_frame_of_the_registration() -> None:
    local = Spikard()

    @local.post("/struct")
    def struct(body: Inner, item: Tree | None = None) -> Inner: ...

    class Inner(msgspec.Struct):
        leaves: list[Leaf]

    class Leaf(msgspec.Struct):
        value: int

    @dataclasses.dataclass
    class Tree:
        leaf: Leaf
        up: Tree | None = None

    compiled = local._compile()
    [route] = compiled.document["routes"]
    decoded = compiled.callables[route["body"]["decoder"]].function(
        b'{"body": {"leaves": [{"value": 1}]}, "item": {"leaf": {"value": 2}, "up": null}}'
    )
    assert decoded == {"body": Inner([Leaf(1)]), "item": Tree(Leaf(2))}


def test_local_models_of_other_libraries_are_found_too() -> None:
    local = Spikard()

    class Leaf(pydantic.BaseModel):
        value: int

    class Model(pydantic.BaseModel):
        leaf: Leaf
        later: Later2 | None = None

    class Later2(pydantic.BaseModel):
        x: int

    class Pair(NamedTuple):
        leaf: Other

    class Other(msgspec.Struct):
        a: int

    @local.post("/model")
    def model(body: Model) -> None: ...

    @local.post("/pair")
    def pair(body: Pair) -> None: ...

    compiled = local._compile()
    first, second = (compiled.callables[route["body"]["decoder"]].function for route in compiled.document["routes"])
    assert first(b'{"leaf": {"value": 1}, "later": {"x": 1}}').later.x == 1
    assert second(b'[{"a": 1}]') == Pair(Other(1))


def test_the_frame_is_let_go_after_the_start() -> None:
    class Held:
        pass

    local = Spikard()

    def scope() -> Any:
        held = Held()

        @local.get("/")
        def handler(a: Here) -> None: ...

        Here = int
        return weakref.ref(held)

    held = scope()
    assert held() is not None
    local._compile()
    gc.collect()
    assert held() is None
    local._compile()


def test_a_name_that_does_not_exist_is_a_fault() -> None:
    local = Spikard()

    @local.get("/")
    def handler() -> Nowhere: ...  # type: ignore[name-defined]  # noqa: F821

    with pytest.raises(SpecError, match="an annotation names 'Nowhere'"):
        local._compile()


@pytest.mark.skipif(sys.version_info < (3, 12), reason="the statement is of 3.12")
def test_a_type_statement_is_looked_through() -> None:
    names: dict[str, Any] = {"__name__": __name__}
    exec("from spikard import Query\ntype Limit = int\ndef handler(limit: Query[Limit]): ...", names)
    local = Spikard()
    local.get("/")(names["handler"])
    assert local._compile().document["routes"][0]["parameters"][0]["schema"] == {"type": "integer"}


class OfNowhere(msgspec.Struct):
    inner: list[Nowhere]  # type: ignore[name-defined]  # noqa: F821


class PydanticOfNowhere(pydantic.BaseModel):
    inner: Nowhere  # type: ignore[name-defined]  # noqa: F821


@dataclasses.dataclass
class HoldsOfNowhere:
    model: PydanticOfNowhere


@pytest.mark.parametrize("model", [OfNowhere, PydanticOfNowhere])
@pytest.mark.parametrize("place", ["body", "return"])
def test_a_name_in_a_model_that_does_not_exist_is_told_with_its_place(model: Any, place: str) -> None:
    local = Spikard()

    def handler(body: Any) -> Any: ...

    handler.__annotations__[place] = list[model]
    local.post("/here")(handler)
    with pytest.raises(SpecError) as caught:
        local._compile()
    where = "what it returns" if place == "return" else "parameter 'body'"
    assert f"POST /here: handler: {where}: the model {model.__name__} names 'Nowhere'" in str(caught.value)


def test_a_name_in_a_model_inside_of_another_is_told_too() -> None:
    local = Spikard()

    @local.post("/")
    def handler(body: HoldsOfNowhere) -> None: ...

    with pytest.raises(SpecError, match="parameter 'body': the model PydanticOfNowhere names 'Nowhere'"):
        local._compile()


def test_a_model_may_name_one_that_is_defined_after_it() -> None:
    assert app._compile().document["routes"]

    class First(pydantic.BaseModel):
        second: Second

    class Second(pydantic.BaseModel):
        x: int

    local = Spikard()

    @local.post("/")
    def handler(body: First) -> First: ...

    [route] = local._compile().document["routes"]
    assert route["body"]["schema"]["$defs"]["Second"]["properties"] == {"x": {"type": "integer"}}
