"""The models as attrs classes, constrained by its own validators (and by msgspec's Meta for what those cannot say)."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Annotated, Any, Literal
from uuid import UUID

from attrs import define, field, validators
from msgspec import Meta
from spikard import UploadFile

from . import Color, Level


@define
class Address:
    street: str
    zip: str = field(validator=[validators.min_len(4), validators.max_len(6), validators.matches_re(r"^\d+$")])
    country: Literal["de", "fr"] = "de"


@define
class Item:
    sku: str = field(validator=validators.min_len(1))
    qty: int = field(validator=[validators.ge(1), validators.le(99)])
    price: float = field(validator=validators.gt(0))
    tags: list[str] = field(factory=list)


@define
class Order:
    id: int
    customer: str
    address: Address
    items: list[Item] = field(validator=[validators.min_len(1), validators.max_len(5)])
    note: str | None = field(default=None, validator=validators.optional(validators.max_len(10)))
    paid: bool = False


@define
class Times:
    at: datetime
    day: date
    hour: time
    id: UUID
    wait: timedelta | None = None


@define
class Kinds:
    color: Color
    level: Level
    mode: Literal["r", "w", 3]
    flag: bool
    ratio: Annotated[float, Meta(multiple_of=0.5)]
    step: Annotated[int, Meta(multiple_of=5)]


@define(kw_only=True)
class Maps:
    counts: dict[str, int]
    nested: dict[str, Address] = field(factory=dict)
    pair: tuple[int, str]
    uniq: set[int] = field(factory=set)


@define
class Node:
    value: int
    children: list[Node] = field(factory=list)


@define
class Scalars:
    text: str
    count: int
    ratio: float
    flag: bool


@define
class Point:
    x: float
    y: float


@define
class Optionals:
    required_or_null: int | None
    text: str | None = None
    count: int = 3
    ratio: float = 1.5
    flag: bool = True
    tags: list[str] = field(factory=list)


@define
class Patch:
    name: str | None = field(default=None, validator=validators.optional(validators.min_len(1)))
    age: int | None = field(default=None, validator=validators.optional(validators.ge(0)))
    email: str | None = None


@define
class Money:
    amount: Decimal
    currency: Literal["EUR", "USD"]


@define
class Bounds:
    at_least: int = field(validator=validators.ge(1))
    above: int = field(validator=validators.gt(1))
    at_most: float = field(validator=validators.le(10))
    below: float = field(validator=validators.lt(10))
    step: Annotated[int, Meta(multiple_of=3)]


@define
class Lengths:
    code: str = field(validator=[validators.min_len(3), validators.max_len(5)])
    slug: str = field(validator=validators.matches_re("^[a-z]+(-[a-z]+)*$"))
    tags: Annotated[list[Annotated[str, Meta(min_length=2)]], Meta(min_length=1, max_length=3)]


@define
class Matrix:
    rows: Annotated[list[Annotated[list[int], Meta(min_length=2, max_length=2)]], Meta(max_length=3)]


@define
class Either:
    value: int | str
    other: float | bool | None


@define
class Camel:
    firstName: str = field(validator=validators.min_len(1))
    lastName: str
    yearOfBirth: int | None = None


@define
class Event:
    id: UUID
    kind: Color
    at: datetime
    payload: dict[str, Any]


@define
class Employee:
    name: str = field(validator=validators.min_len(1))
    skills: list[str] = field(validator=validators.min_len(1))


@define
class Department:
    title: str
    employees: list[Employee]


@define
class Company:
    name: str
    departments: list[Department]


@define
class Anything:
    value: Any
    note: str = ""


@define
class Empty:
    pass


@define
class Version:
    version: Literal[1]
    kind: Literal["config"]


@define
class Credentials:
    username: str = field(validator=validators.min_len(1))
    password: str = field(validator=validators.min_len(8))
    remember: bool = False


@define
class Search:
    q: str
    page: int = field(default=1, validator=validators.ge(1))
    tags: list[str] = field(factory=list)
    since: date | None = None
    exact: bool = False


@define
class Attachment:
    title: str
    file: UploadFile


@define
class Gallery:
    owner: int
    cover: UploadFile | None = None
    pictures: list[UploadFile] = field(factory=list)
