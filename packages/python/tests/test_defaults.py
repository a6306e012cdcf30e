"""Defaults: no request sees what another one did to its value."""

from __future__ import annotations

import dataclasses
import datetime
import decimal
import enum
import pathlib
import threading
import uuid
from typing import Annotated, Any

import msgspec
import pytest
from spikard import Body, Query, Spikard
from spikard._callable import HostArgument
from spikard._defaults import argument
from spikard.testing import TestClient


class Seen(msgspec.Struct):
    names: list[str]


@dataclasses.dataclass
class Noted:
    names: list[str] = dataclasses.field(default_factory=list)


class Color(enum.Enum):
    RED = "red"


def seen(names: list[str]) -> list[str]:
    names.append("x")
    return names


def of_call(names: list[str] = Query([])) -> Any:
    return seen(names)


def of_plain(names: Annotated[list[str], Query()] = []) -> Any:  # noqa: B006
    return seen(names)


def of_body(names: dict[str, list[str]] = Body({"a": []})) -> Any:
    return seen(names["a"])


def of_struct(body: Seen = Seen([])) -> Any:
    return seen(body.names)


def of_dataclass(body: Noted = Noted()) -> Any:
    return seen(body.names)


def of_member(body: Noted = Body(Noted(), embed=True)) -> Any:
    return seen(body.names)


def of_members(flag: Body[bool] = False, names: Body[list[str]] = []) -> Any:  # noqa: B006
    return seen(names)


@pytest.mark.parametrize(
    "handler", [of_call, of_plain, of_body, of_struct, of_dataclass, of_member, of_members], ids=lambda f: f.__name__
)
def test_every_request_has_its_own_default(handler: Any) -> None:
    app = Spikard()
    app.post("/")(handler)
    with TestClient(app) as client:
        assert [client.post("/").json() for _ in range(3)] == [["x"]] * 3


def test_a_member_that_was_not_sent_has_its_own_default_too() -> None:
    app = Spikard()
    app.post("/")(of_members)
    with TestClient(app) as client:
        assert [client.post("/", json={"flag": True}).json() for _ in range(3)] == [["x"]] * 3


@pytest.mark.parametrize(
    "default",
    [
        *(1, 1.5, "a", b"a", True, None, (1, "a"), Color.RED, object(), int, threading.Lock(), decimal.Decimal(1)),
        *(uuid.uuid4(), pathlib.Path("a"), datetime.timedelta(1), datetime.date(2026, 1, 1)),
    ],
    ids=lambda default: type(default).__name__,
)
def test_what_cannot_change_or_be_copied_is_handed_out_as_it_is(default: Any) -> None:
    assert argument(default, factory=False) == HostArgument(default)
