"""What a refusal of msgspec says and where: its messages end with a path, whose names and texts may look like one."""

from __future__ import annotations

import enum
from typing import Any, Literal, Optional, Union

import msgspec
import pytest
from spikard import Spikard, TestClient
from spikard._decode import located, told

Loc = list[Union[str, int]]
"""Steps to a value."""


class Inner(msgspec.Struct):
    b: int = 0
    several: list[dict[str, list[int]]] = []
    keyed: dict[int, int] = {}
    pair: Optional[tuple[int, str]] = None


class Outer(msgspec.Struct, rename={"tick": "ti`ck", "spaced": "a b", "said": "x - at ", "at": "- at `"}):
    a: dict[str, list[Inner]] = {}
    tick: int = 0
    spaced: int = 0
    said: int = 0
    at: int = 0
    inner: Inner = msgspec.field(default_factory=Inner)


class Chosen(enum.Enum):
    PLACE = "x - at `$.b`"


class Holds(msgspec.Struct):
    word: Literal["x - at `$.b`", "`key` in `$.c`"] = "x - at `$.b`"
    chosen: Chosen = Chosen.PLACE
    mark: Any = None

    def __post_init__(self) -> None:
        if self.mark is not None:
            raise ValueError(self.mark)


class Around(msgspec.Struct):
    held: list[Holds]


EXPECTED = "Expected `int`, got `str`"


@pytest.mark.parametrize(
    ("hint", "text", "message", "loc"),
    [
        (int, '"x"', EXPECTED, []),
        (list[int], '[1, "x"]', EXPECTED, [1]),
        (list[list[int]], '[[1], [2, "x"]]', EXPECTED, [1, 1]),
        (dict[str, int], '{"a - at `$.b`": "x"}', EXPECTED, []),
        (Inner, '{"b": "x"}', EXPECTED, ["b"]),
        (Inner, '{"several": [{}, {"a]`.b": [1, "x"]}]}', EXPECTED, ["several", 1, 1]),
        (Inner, '{"pair": [1, 2]}', "Expected `str`, got `int`", ["pair", 1]),
        (Outer, '{"a": {"k": [{}, {"b": "x"}]}}', EXPECTED, ["a", 1, "b"]),
        (Outer, '{"inner": {"b": "x"}}', EXPECTED, ["inner", "b"]),
        (Outer, '{"inner": []}', "Expected `object`, got `array`", ["inner"]),
        (Outer, '{"a b": "x"}', EXPECTED, ["a b"]),
        (Outer, '{"ti`ck": "x"}', EXPECTED, ["ti`ck"]),
        (Outer, '{"x - at ": "x"}', EXPECTED, ["x - at "]),
        (dict[int, int], '{"a": 1}', f"{EXPECTED} in a key", []),
        (Inner, '{"keyed": {"$.b`": 1}}', f"{EXPECTED} in a key", ["keyed"]),
        (Inner, '{"keyed": {"1": "x"}}', EXPECTED, ["keyed"]),
        (list[Inner], '[{}, {"keyed": {"a": 1}}]', f"{EXPECTED} in a key", [1, "keyed"]),
        (Holds, '{"word": "y - at `$.z`"}', "Invalid enum value 'y - at `$.z`'", ["word"]),
        (Literal["a"], '"y - at `$.z`"', "Invalid enum value 'y - at `$.z`'", []),
        (Holds, '{"chosen": "`key` in `$.c`"}', "Invalid enum value '`key` in `$.c`'", ["chosen"]),
        (Around, '{"held": [{"mark": "two\\nlines - at `$`, no"}]}', "two\nlines - at `$`, no", ["held", 0]),
        (Around, '{"held": [{"mark": "x - at `$.a.b`"}]}', "x - at `$.a.b`", ["held", 0]),
        (Around, '{"held": [{"mark": ""}]}', "", ["held", 0]),
        (Holds, '{"mark": "at `keys`"}', "at `keys`", []),
        (Holds, '{"mark": "x - at `key`"}', "x - at `key`", []),
    ],
)
def test_a_refusal_of_msgspec_is_taken_apart(hint: Any, text: str, message: str, loc: Loc) -> None:
    with pytest.raises(msgspec.ValidationError) as refused:
        msgspec.json.decode(text, type=hint)
    assert located(str(refused.value)) == (message, loc)
    [entry], complete = told(refused.value) or ([], True)
    assert (entry["msg"], entry["loc"], complete) == (f"Value error, {message}", loc, False)


def test_a_message_of_several_keys_speaks_of_the_outermost() -> None:
    with pytest.raises(msgspec.ValidationError, match="` in `") as refused:
        msgspec.convert({("a", 1): 2}, dict[tuple[int, int], int])
    assert located(str(refused.value)) == (f"{EXPECTED} in a key", [])
    assert located("No - at `key.b` in `key[0]` in `$[1].names[...]`") == ("No in a key", [1, "names"])


def test_a_refused_key_is_shown_where_its_mapping_stands() -> None:
    app = Spikard()

    @app.post("/")
    def take(body: Inner) -> int:
        return body.b

    with TestClient(app) as client:
        [error] = client.post("/", json={"keyed": {"a": 1}}).json()["errors"]
    assert error == {
        "type": "value_error",
        "loc": ["body", "keyed"],
        "msg": f"Value error, {EXPECTED} in a key",
        "input": {"a": 1},
    }
