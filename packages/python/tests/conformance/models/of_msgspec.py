"""The models as msgspec's Structs."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Annotated, Any, Literal
from uuid import UUID

from msgspec import Meta, Struct, field
from spikard import UploadFile

from . import Color, Level


class Address(Struct):
    street: str
    zip: Annotated[str, Meta(min_length=4, max_length=6, pattern=r"^\d+$")]
    country: Literal["de", "fr"] = "de"


class Item(Struct):
    sku: Annotated[str, Meta(min_length=1)]
    qty: Annotated[int, Meta(ge=1, le=99)]
    price: Annotated[float, Meta(gt=0)]
    tags: list[str] = []


class Order(Struct):
    id: int
    customer: str
    address: Address
    items: Annotated[list[Item], Meta(min_length=1, max_length=5)]
    note: Annotated[str, Meta(max_length=10)] | None = None
    paid: bool = False


class Strict(Struct, forbid_unknown_fields=True):
    name: str
    age: Annotated[int, Meta(ge=0, lt=150)]


class Times(Struct):
    at: datetime
    day: date
    hour: time
    id: UUID
    wait: timedelta | None = None


class Kinds(Struct):
    color: Color
    level: Level
    mode: Literal["r", "w", 3]
    flag: bool
    ratio: Annotated[float, Meta(multiple_of=0.5)]
    step: Annotated[int, Meta(multiple_of=5)]


class Maps(Struct, kw_only=True):
    counts: dict[str, int]
    nested: dict[str, Address] = {}
    pair: tuple[int, str]
    uniq: set[int] = set()


class Cat(Struct, tag="cat", tag_field="kind"):
    lives: int


class Dog(Struct, tag="dog", tag_field="kind"):
    barks: bool


class Owner(Struct):
    pet: Cat | Dog


class Node(Struct):
    value: int
    children: list[Node] = []


class Scalars(Struct):
    text: str
    count: int
    ratio: float
    flag: bool


class Point(Struct):
    x: float
    y: float


class Optionals(Struct):
    required_or_null: int | None
    text: str | None = None
    count: int = 3
    ratio: float = 1.5
    flag: bool = True
    tags: list[str] = []


class Patch(Struct):
    name: Annotated[str, Meta(min_length=1)] | None = None
    age: Annotated[int, Meta(ge=0)] | None = None
    email: str | None = None


class Money(Struct):
    amount: Decimal
    currency: Literal["EUR", "USD"]


class Bounds(Struct):
    at_least: Annotated[int, Meta(ge=1)]
    above: Annotated[int, Meta(gt=1)]
    at_most: Annotated[float, Meta(le=10)]
    below: Annotated[float, Meta(lt=10)]
    step: Annotated[int, Meta(multiple_of=3)]


class Lengths(Struct):
    code: Annotated[str, Meta(min_length=3, max_length=5)]
    slug: Annotated[str, Meta(pattern="^[a-z]+(-[a-z]+)*$")]
    tags: Annotated[list[Annotated[str, Meta(min_length=2)]], Meta(min_length=1, max_length=3)]


class Matrix(Struct):
    rows: Annotated[list[Annotated[list[int], Meta(min_length=2, max_length=2)]], Meta(max_length=3)]


class Either(Struct):
    value: int | str
    other: float | bool | None


class Reserved(Struct):
    class_: str = field(name="class")
    from_date: date = field(name="from-date")
    dotted: int = field(name="x.y", default=0)


class Camel(Struct, rename="camel"):
    first_name: Annotated[str, Meta(min_length=1)]
    last_name: str
    year_of_birth: int | None = None


class Event(Struct):
    id: UUID
    kind: Color
    at: datetime
    payload: dict[str, Any]


class Employee(Struct):
    name: Annotated[str, Meta(min_length=1)]
    skills: Annotated[list[str], Meta(min_length=1)]


class Department(Struct):
    title: str
    employees: list[Employee]


class Company(Struct):
    name: str
    departments: list[Department]


class Anything(Struct):
    value: Any
    note: str = ""


class Empty(Struct):
    pass


class Version(Struct):
    version: Literal[1]
    kind: Literal["config"]


class Credentials(Struct):
    username: Annotated[str, Meta(min_length=1)]
    password: Annotated[str, Meta(min_length=8)]
    remember: bool = False


class Search(Struct):
    q: str
    page: Annotated[int, Meta(ge=1)] = 1
    tags: list[str] = []
    since: date | None = None
    exact: bool = False


class Attachment(Struct):
    title: str
    file: UploadFile


class Gallery(Struct):
    owner: int
    cover: UploadFile | None = None
    pictures: list[UploadFile] = []
