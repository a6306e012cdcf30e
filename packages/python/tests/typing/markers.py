"""Markers as both checkers see them. Expected errors carry an ignore, so an unexpected pass fails too."""

from __future__ import annotations

from typing import Annotated

from msgspec import Struct
from spikard import Body, Cookie, Form, Header, Path, Query
from typing_extensions import assert_type


class User(Struct):
    name: str


async def annotation(q: Query[str], limit: Query[int] = Query(default=10)) -> str:
    assert_type(q, str)
    assert_type(limit, int)
    return q.upper() + str(limit + 1)


async def call(q: str = Query(...), n: int = Query(10), m: int | None = Query(default=None)) -> str:
    assert_type(m, int | None)
    return q + str(n)


async def annotated(q: Annotated[str, Query(min_length=3)], user: Annotated[User, Body()]) -> str:
    return q.upper() + user.name


async def every_source(
    user: Body[User],
    p: Path[int],
    h: Header[str | None] = None,
    k: Cookie[str | None] = None,
    f: Form[User] = Form(),
    xs: Query[list[int]] = Query(default_factory=list),
) -> User:
    assert_type(user, User)
    assert_type(h, str | None)
    assert_type(k, str | None)
    assert_type(f, User)
    assert_type(xs, list[int])
    p.upper()  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
    return user


Query(min_lenght=3)  # type: ignore[call-arg]
