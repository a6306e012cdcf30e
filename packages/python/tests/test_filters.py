"""What a return annotation lets through: at every depth the fields of the models that it names, and no others."""

from __future__ import annotations

import collections
import dataclasses
import functools
import gc
import logging
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Generic, NamedTuple, Optional, TypedDict, TypeVar, Union

import attrs
import msgspec
import pydantic
import pydantic.dataclasses
import pytest
from spikard import Response, Spikard
from spikard._render import conversion, encode
from spikard._spikard import Shape
from spikard.testing import TestClient

T = TypeVar("T")


class Struct(msgspec.Struct):
    x: int


class WideStruct(Struct):
    password: str = "LEAK"


class StructHolder(msgspec.Struct):
    items: list[Struct]


class FrozenHolder(msgspec.Struct, frozen=True, rename="camel"):
    last_item: Struct


class Model(pydantic.BaseModel):
    x: int


class WideModel(Model):
    password: str = "LEAK"


class ModelHolder(pydantic.BaseModel):
    items: list[Model]


@dataclasses.dataclass
class Plain:
    x: int


@dataclasses.dataclass
class WidePlain(Plain):
    password: str = "LEAK"


@dataclasses.dataclass(frozen=True)
class PlainHolder:
    items: list[Plain]
    count: int = dataclasses.field(init=False, default=1)


@attrs.define
class Attrs:
    x: int


@attrs.define
class WideAttrs(Attrs):
    password: str = "LEAK"


@attrs.frozen
class AttrsHolder:
    items: list[Attrs]


@pydantic.dataclasses.dataclass
class Checked:
    x: int


@pydantic.dataclasses.dataclass
class WideChecked(Checked):
    password: str = "LEAK"


@pydantic.dataclasses.dataclass
class CheckedHolder:
    items: list[Checked]


KINDS: dict[str, tuple[Any, Any, Any]] = {
    "struct": (Struct, WideStruct, StructHolder),
    "pydantic": (Model, WideModel, ModelHolder),
    "dataclass": (Plain, WidePlain, PlainHolder),
    "attrs": (Attrs, WideAttrs, AttrsHolder),
    "pydantic dataclass": (Checked, WideChecked, CheckedHolder),
}
ONE = '{"x":1}'
PLACES: dict[str, tuple[Callable[[Any, Any], Any], Callable[[Any, Any], Any], str]] = {
    "alone": (lambda m, _: m, lambda v, _: v, ONE),
    "optional": (lambda m, _: Optional[m], lambda v, _: v, ONE),
    "list": (lambda m, _: list[m], lambda v, _: [v], f"[{ONE}]"),
    "list of optionals": (lambda m, _: list[Optional[m]], lambda v, _: [None, v], f"[null,{ONE}]"),
    "list of lists": (lambda m, _: list[list[m]], lambda v, _: [[], [v]], f"[[],[{ONE}]]"),
    "dict": (lambda m, _: dict[str, m], lambda v, _: {"a": v}, f'{{"a":{ONE}}}'),
    "mapping": (lambda m, _: Mapping[str, m], lambda v, _: collections.ChainMap({"a": v}), f'{{"a":{ONE}}}'),
    "ordered": (lambda m, _: dict[str, m], lambda v, _: collections.OrderedDict(a=v), f'{{"a":{ONE}}}'),
    "dict of lists": (lambda m, _: dict[str, list[m]], lambda v, _: {"a": [v]}, f'{{"a":[{ONE}]}}'),
    "tuple": (lambda m, _: tuple[m, str], lambda v, _: (v, "a"), f'[{ONE},"a"]'),
    "tuple of any length": (lambda m, _: tuple[m, ...], lambda v, _: (v, v), f"[{ONE},{ONE}]"),
    "deque": (lambda m, _: collections.deque[m], lambda v, _: collections.deque([v]), f"[{ONE}]"),
    "iterator": (lambda m, _: Iterator[m], lambda v, _: iter([v]), f"[{ONE}]"),
    "generator": (lambda m, _: Iterable[m], lambda v, _: (one for one in [v]), f"[{ONE}]"),
    "union with others": (lambda m, _: Union[int, dict[str, m], list[m]], lambda v, _: [v], f"[{ONE}]"),
    "holder from a dict": (lambda _, p: p, lambda v, _: {"items": [v]}, f'{{"items":[{ONE}]'),
    "holder": (lambda _, p: p, lambda v, p: p([v]) if p is not ModelHolder else p(items=[v]), f'{{"items":[{ONE}]'),
    "holders": (
        lambda _, p: dict[str, list[p]],
        lambda v, p: {"a": [p([v]) if p is not ModelHolder else p(items=[v])]},
        f'{{"a":[{{"items":[{ONE}]',
    ),
}  # fmt: skip


def sent(annotation: Any, result: Any) -> str:
    convert, exact = conversion(annotation)
    assert convert is not None
    return encode(result if exact is not None and exact.fits(result) else convert(result)).decode()


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("given", ["subclass", "dict"])
def test_no_other_field_is_sent_wherever_the_model_stands(kind: str, place: str, given: str) -> None:
    model, wide, holder = KINDS[kind]
    annotate, put, text = PLACES[place]
    value = wide(x=1) if given == "subclass" else {"x": 1, "password": "LEAK"}
    assert sent(annotate(model, holder), put(value, holder)).startswith(text)


class Typed(TypedDict):
    x: int
    inner: Struct


class TypedHolder(msgspec.Struct):
    typed: Typed


class Pair(NamedTuple):
    first: Struct
    second: Optional[Model]


class Mixed(msgspec.Struct):
    model: Model
    checked: Optional[Checked] = None


@dataclasses.dataclass
class MixedPlain:
    model: dict[str, Model]


class Tree(msgspec.Struct):
    value: Struct
    children: list[Tree] = []


class Page(msgspec.Struct, Generic[T]):
    items: list[T]


class ModelPage(pydantic.BaseModel, Generic[T]):
    items: list[T]


class Cat(Struct, tag="cat"):
    lives: int = 9


class Dog(Struct, tag="dog"):
    inner: Struct = msgspec.field(default_factory=lambda: WideStruct(1))


class WideCat(Cat):
    password: str = "LEAK"


@attrs.define(slots=False)
class Loose:
    x: int


def loose() -> Loose:
    value = Loose(1)
    value.password = "LEAK"  # type: ignore[attr-defined]
    return value


@attrs.define
class Remembering:
    x: int

    @functools.cached_property
    def password(self) -> str:
        return "LEAK"


def remembering() -> Remembering:
    value = Remembering(1)
    assert value.password == "LEAK"
    return value


WIDE_STRUCT, WIDE_MODEL = WideStruct(1), WideModel(x=1)


@pytest.mark.parametrize(
    ("annotation", "result", "text"),
    [
        (Typed, {"x": 1, "inner": WIDE_STRUCT, "more": 1}, '{"x":1,"inner":{"x":1}}'),
        (Optional[Typed], {"x": 1, "inner": WIDE_STRUCT, "more": 1}, '{"x":1,"inner":{"x":1}}'),
        (TypedHolder, TypedHolder({"x": 1, "inner": WIDE_STRUCT}), '{"typed":{"x":1,"inner":{"x":1}}}'),
        (
            TypedHolder,
            TypedHolder({"x": 1, "inner": Struct(1), "more": 1}),  # type: ignore[typeddict-unknown-key]
            '{"typed":{"x":1,"inner":{"x":1}}}',
        ),
        (Pair, Pair(WIDE_STRUCT, WIDE_MODEL), '[{"x":1},{"x":1}]'),
        (list[Pair], [Pair(WIDE_STRUCT, None)], '[[{"x":1},null]]'),
        (Mixed, Mixed(WIDE_MODEL, WideChecked(1)), '{"model":{"x":1},"checked":{"x":1}}'),
        (MixedPlain, MixedPlain({"a": WIDE_MODEL}), '{"model":{"a":{"x":1}}}'),
        (FrozenHolder, FrozenHolder(WIDE_STRUCT), '{"lastItem":{"x":1}}'),
        (Tree, Tree(Struct(1), [Tree(WIDE_STRUCT)]), '{"value":{"x":1},"children":[{"value":{"x":1},"children":[]}]}'),
        (Page[Struct], Page([WIDE_STRUCT]), '{"items":[{"x":1}]}'),
        (ModelPage[Model], ModelPage[Model](items=[WIDE_MODEL]), '{"items":[{"x":1}]}'),
        (Union[Cat, Dog], WideCat(1), '{"type":"cat","x":1,"lives":9}'),
        (list[Union[Cat, Dog]], [Cat(1), Dog(1)], '[{"type":"cat","x":1,"lives":9},{"type":"dog","x":1,"inner":{"x":1}}]'),
        (Union[list[Struct], list[Model]], [WIDE_MODEL], '[{"x":1}]'),
        (Union[Struct, Response], WIDE_STRUCT, '{"x":1}'),
        (Loose, loose(), '{"x":1}'),
        (list[Loose], [loose()], '[{"x":1}]'),
        (Remembering, remembering(), '{"x":1}'),
    ],
)  # fmt: skip
def test_no_other_field_is_sent_of_mixed_models(annotation: Any, result: Any, text: str) -> None:
    assert sent(annotation, result) == text


@pytest.mark.parametrize(
    ("annotation", "result"),
    [
        (StructHolder, StructHolder([Struct(1), Struct(2)])),
        (list[Struct], [Struct(1)] * 3),
        (dict[str, list[StructHolder]], {"a": [StructHolder([Struct(1)])]}),
        (Optional[Plain], None),
        (PlainHolder, PlainHolder([Plain(1)])),
        (Tree, Tree(Struct(1), [Tree(Struct(2))])),
        (dict[str, Union[int, Struct]], {"a": 1, "b": Struct(1)}),
    ],
)
def test_a_result_of_the_annotated_classes_is_sent_as_it_is(annotation: Any, result: Any) -> None:
    convert, _ = conversion(annotation)
    assert convert is not None
    assert convert(result) is result


@pytest.mark.parametrize(
    ("annotation", "result", "fits"),
    [
        (Struct, Struct(1), True),
        (Optional[Struct], Struct(1), True),
        (Model, Model(x=1), True),
        (dict[str, str], {"a": 1}, True),
        (list[int], [], True),
        (type(None), None, True),
        (Struct, WIDE_STRUCT, False),
        (Struct, None, False),
        (StructHolder, StructHolder([Struct(1)]), True),
        (StructHolder, StructHolder([WIDE_STRUCT]), False),
        (StructHolder, StructHolder([{"x": 1}]), False),  # type: ignore[list-item]
        (StructHolder, StructHolder(None), True),  # type: ignore[arg-type]
        (dict[str, list[Struct]], {"a": [Struct(1)]}, True),
        (dict[str, list[Struct]], {"a": [None]}, False),
        (tuple[Struct, int], (Struct(1), 1), True),
        (tuple[Struct, int], (Struct(1), 1, 2), False),
        (Loose, Loose(1), True),
        (Typed, {"x": 1, "inner": Struct(1)}, False),
        (dict[str, Any], collections.OrderedDict(), False),
    ],
)
def test_a_result_of_the_annotated_classes_is_not_even_converted(annotation: Any, result: Any, fits: bool) -> None:
    _, exact = conversion(annotation)
    assert exact is not None
    assert exact.fits(result) is fits


def test_a_field_that_was_never_set_is_not_sent() -> None:
    holder = AttrsHolder.__new__(AttrsHolder)
    assert sent(AttrsHolder, holder) == "{}"


def test_what_is_sent_of_a_result_does_not_change_the_result() -> None:
    holder = StructHolder([WideStruct(1)])
    assert sent(StructHolder, holder) == '{"items":[{"x":1}]}'
    assert holder.items == [WideStruct(1)]


def test_a_model_that_is_its_own_member_is_an_error() -> None:
    tree = Tree(Struct(1))
    tree.children = [tree, tree]
    with pytest.raises(RecursionError):
        sent(Tree, tree)


def test_a_shape_that_holds_itself_is_let_go() -> None:
    class Local:
        """What only the shape holds."""

    shape = Shape([Local], ())
    shape.look("members", [("inner", shape)])
    gone = weakref.ref(Local)
    del Local, shape
    gc.collect()
    assert gone() is None


@pytest.mark.parametrize("how", ["members", "items", "values", "either", "nothing"])
def test_a_shape_looks_only_where_it_is_told(how: Any) -> None:
    with pytest.raises((TypeError, ValueError)):
        Shape([int], ()).look(how, 5)


@pytest.mark.parametrize(
    ("annotation", "result", "status"),
    [
        (Struct, None, 500),
        (Model, None, 500),
        (Plain, None, 500),
        (list[Struct], None, 500),
        (list[int], None, 500),
        (dict[str, int], None, 500),
        (dict[str, int], [1], 500),
        (list[int], {"a": 1}, 500),
        (list[int], 5, 500),
        (int, None, 500),
        (str, None, 500),
        (str, b"x", 500),
        (Struct, b"x", 500),
        (Struct, "x", 500),
        (Struct, (None, 201), 500),
        (None, {"secret": 1}, 500),
        (None, "secret", 500),
        (None, b"secret", 500),
        (None, ("secret", 201), 500),
        (None, None, 200),
        (None, Response("x"), 200),
        (None, (None, 204), 204),
        (Optional[Struct], None, 200),
        (Optional[dict[str, int]], None, 200),
        (Union[dict[str, int], int], 5, 200),
        (dict[str, Any], collections.OrderedDict(a=1), 200),
        (dict[str, Any], Struct(1), 200),
        (dict[str, Any], '{"a": 1}', 200),
        (Union[dict[str, int], Any], None, 200),
        (bytes, b"x", 200),
        (Any, None, 200),
    ],
)
def test_a_result_that_is_not_what_is_annotated_is_a_500(
    annotation: Any, result: Any, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    app = Spikard()

    async def handler():  # type: ignore[no-untyped-def]
        return result

    handler.__annotations__["return"] = annotation
    app.get("/here")(handler)
    with caplog.at_level(logging.ERROR, "spikard.error"), TestClient(app) as client:
        response = client.get("/here").assert_status(status)
    if status == 500:
        assert "secret" not in response.text
        [record] = caplog.records
        assert record.exc_info is not None
        given = result[0] if isinstance(result, tuple) else result
        assert f"the result is of type {type(given).__qualname__} and cannot be sent as " in str(record.exc_info[1])
        assert "/here" in record.getMessage()


@pytest.mark.parametrize(
    ("annotation", "result", "status"),
    [
        (dict[str, int], {"a": "LEAK"}, 500),
        (list[int], ["LEAK"], 500),
        (Optional[list[int]], ["LEAK"], 500),
        (list[dict[str, float]], [{"a": 1.5}], 200),
        (dict[str, Any], {"a": object.__name__}, 200),
        (list[int], [1], 200),
    ],
)
def test_what_is_in_plain_containers_is_looked_at_where_responses_are_validated(
    annotation: Any, result: Any, status: int
) -> None:
    app = Spikard(validate_responses=True)

    async def handler():  # type: ignore[no-untyped-def]
        return result

    handler.__annotations__["return"] = annotation
    app.get("/")(handler)
    with TestClient(app) as client:
        client.get("/").assert_status(status)
