"""Results that contain themselves: a 500 whose log line says where, and a server that goes on."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Callable
from typing import Any, Optional

import attrs
import msgspec
import pydantic
import pytest
from spikard import JSONResponse, Spikard, TestClient


class Struct(msgspec.Struct):
    me: Optional[Struct] = None


class Wider(Struct):
    more: int = 1


class Model(pydantic.BaseModel):
    me: Optional[Model] = None


@dataclasses.dataclass
class Plain:
    me: Optional[Plain] = None


@attrs.define
class Attrs:
    me: Optional[Attrs] = None


def itself(make: Callable[[], Any]) -> Any:
    made = make()
    made.me = made
    return made


def listed() -> list[Any]:
    made: list[Any] = [1]
    made.append({"a": made})
    return made


def deep() -> list[Any]:
    made: list[Any] = []
    for _ in range(1_000_000):  # from 3.14 on as deep as the stack, which a smaller one is not
        made = [made]
    return made


def chained() -> Struct:
    made = Struct()
    for _ in range(100_000):
        made = Struct(made)
    return made


CONTAINS = "the result contains itself: "


@pytest.mark.parametrize(
    ("make", "hint", "said"),
    [
        *((lambda kind=kind: itself(kind), None, "result.me is result") for kind in (Struct, Model, Plain, Attrs)),
        *((lambda kind=kind: itself(kind), kind, "result.me is result") for kind in (Struct, Model, Plain, Attrs)),
        (lambda: itself(Wider), Struct, "result.me is result"),
        (lambda: {"all": [itself(Struct)]}, dict[str, list[Struct]], "result['all'][0].me is result['all'][0]"),
        (listed, None, "result[1]['a'] is result"),
        (listed, list[Any], "result[1]['a'] is result"),
        (lambda: JSONResponse(listed()), None, "result[1]['a'] is result"),
        (lambda: (listed(), 201), None, "result[1]['a'] is result"),
        (deep, None, None),
        (deep, list[Any], None),
        (chained, Struct, None),
    ],
)
@pytest.mark.parametrize("media_type", ["application/json", "application/msgpack"])
def test_a_result_without_end_is_a_500_whose_log_says_why(
    make: Callable[[], Any], hint: Any, said: str | None, media_type: str, caplog: pytest.LogCaptureFixture
) -> None:
    app = Spikard()

    def endless() -> Any:
        return make()

    if hint is not None:
        endless.__annotations__["return"] = hint
    app.get("/endless", media_type=media_type)(endless)
    app.get("/fine")(lambda: "fine")
    with caplog.at_level(logging.ERROR), TestClient(app) as client:
        for _ in range(2):
            client.get("/endless").assert_status(500)
        assert client.get("/fine").text == "fine"
    assert [record.getMessage().partition(" (")[0] for record in caplog.records] == [
        "GET /endless raised RecursionError"
    ] * 2
    for record in caplog.records:
        assert record.exc_info is not None
        words = "the result is nested too deeply to be written" if said is None else CONTAINS + said
        assert str(record.exc_info[1]) == words
