"""The models as dataclasses, constrained by annotated-types (and by msgspec's Meta for patterns, which it lacks)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Annotated, Any, Literal
from uuid import UUID

from annotated_types import Ge, Gt, Le, Len, Lt, MaxLen, MinLen, MultipleOf
from msgspec import Meta
from spikard import UploadFile

from . import Color, Level


@dataclass
class Address:
    street: str
    zip: Annotated[str, Meta(min_length=4, max_length=6, pattern=r"^\d+$")]
    country: Literal["de", "fr"] = "de"


@dataclass
class Item:
    sku: Annotated[str, MinLen(1)]
    qty: Annotated[int, Ge(1), Le(99)]
    price: Annotated[float, Gt(0)]
    tags: list[str] = field(default_factory=list)


@dataclass
class Order:
    id: int
    customer: str
    address: Address
    items: Annotated[list[Item], Len(1, 5)]
    note: Annotated[str, MaxLen(10)] | None = None
    paid: bool = False


@dataclass
class Times:
    at: datetime
    day: date
    hour: time
    id: UUID
    wait: timedelta | None = None


@dataclass
class Kinds:
    color: Color
    level: Level
    mode: Literal["r", "w", 3]
    flag: bool
    ratio: Annotated[float, MultipleOf(0.5)]
    step: Annotated[int, MultipleOf(5)]


@dataclass(kw_only=True)
class Maps:
    counts: dict[str, int]
    nested: dict[str, Address] = field(default_factory=dict)
    pair: tuple[int, str]
    uniq: set[int] = field(default_factory=set)


@dataclass
class Node:
    value: int
    children: list[Node] = field(default_factory=list)


@dataclass
class Scalars:
    text: str
    count: int
    ratio: float
    flag: bool


@dataclass
class Point:
    x: float
    y: float


@dataclass
class Optionals:
    required_or_null: int | None
    text: str | None = None
    count: int = 3
    ratio: float = 1.5
    flag: bool = True
    tags: list[str] = field(default_factory=list)


@dataclass
class Patch:
    name: Annotated[str, MinLen(1)] | None = None
    age: Annotated[int, Ge(0)] | None = None
    email: str | None = None


@dataclass
class Money:
    amount: Decimal
    currency: Literal["EUR", "USD"]


@dataclass
class Bounds:
    at_least: Annotated[int, Ge(1)]
    above: Annotated[int, Gt(1)]
    at_most: Annotated[float, Le(10)]
    below: Annotated[float, Lt(10)]
    step: Annotated[int, MultipleOf(3)]


@dataclass
class Lengths:
    code: Annotated[str, Len(3, 5)]
    slug: Annotated[str, Meta(pattern="^[a-z]+(-[a-z]+)*$")]
    tags: Annotated[list[Annotated[str, MinLen(2)]], Len(1, 3)]


@dataclass
class Matrix:
    rows: Annotated[list[Annotated[list[int], Len(2, 2)]], MaxLen(3)]


@dataclass
class Either:
    value: int | str
    other: float | bool | None


@dataclass
class Camel:
    firstName: Annotated[str, MinLen(1)]
    lastName: str
    yearOfBirth: int | None = None


@dataclass
class Event:
    id: UUID
    kind: Color
    at: datetime
    payload: dict[str, Any]


@dataclass
class Employee:
    name: Annotated[str, MinLen(1)]
    skills: Annotated[list[str], MinLen(1)]


@dataclass
class Department:
    title: str
    employees: list[Employee]


@dataclass
class Company:
    name: str
    departments: list[Department]


@dataclass
class Anything:
    value: Any
    note: str = ""


@dataclass
class Empty:
    pass


@dataclass
class Version:
    version: Literal[1]
    kind: Literal["config"]


@dataclass
class Credentials:
    username: Annotated[str, MinLen(1)]
    password: Annotated[str, MinLen(8)]
    remember: bool = False


@dataclass
class Search:
    q: str
    page: Annotated[int, Ge(1)] = 1
    tags: list[str] = field(default_factory=list)
    since: date | None = None
    exact: bool = False


@dataclass
class Attachment:
    title: str
    file: UploadFile


@dataclass
class Gallery:
    owner: int
    cover: UploadFile | None = None
    pictures: list[UploadFile] = field(default_factory=list)
