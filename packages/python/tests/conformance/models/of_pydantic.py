"""The models as pydantic's BaseModels."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel
from spikard import UploadFile

from . import Color, Level


class Address(BaseModel):
    street: str
    zip: Annotated[str, Field(min_length=4, max_length=6, pattern=r"^\d+$")]
    country: Literal["de", "fr"] = "de"


class Item(BaseModel):
    sku: Annotated[str, Field(min_length=1)]
    qty: Annotated[int, Field(ge=1, le=99)]
    price: Annotated[float, Field(gt=0)]
    tags: list[str] = []


class Order(BaseModel):
    id: int
    customer: str
    address: Address
    items: Annotated[list[Item], Field(min_length=1, max_length=5)]
    note: Annotated[str, Field(max_length=10)] | None = None
    paid: bool = False


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str
    age: Annotated[int, Field(ge=0, lt=150)]


class Times(BaseModel):
    at: datetime
    day: date
    hour: time
    id: UUID
    wait: timedelta | None = None


class Kinds(BaseModel):
    color: Color
    level: Level
    mode: Literal["r", "w", 3]
    flag: bool
    ratio: Annotated[float, Field(multiple_of=0.5)]
    step: Annotated[int, Field(multiple_of=5)]


class Maps(BaseModel):
    counts: dict[str, int]
    nested: dict[str, Address] = {}
    pair: tuple[int, str]
    uniq: set[int] = set()


class Cat(BaseModel):
    kind: Literal["cat"]
    lives: int


class Dog(BaseModel):
    kind: Literal["dog"]
    barks: bool


class Owner(BaseModel):
    pet: Cat | Dog = Field(discriminator="kind")


class Node(BaseModel):
    value: int
    children: list[Node] = []


class Scalars(BaseModel):
    text: str
    count: int
    ratio: float
    flag: bool


class Point(BaseModel):
    x: float
    y: float


class Optionals(BaseModel):
    required_or_null: int | None
    text: str | None = None
    count: int = 3
    ratio: float = 1.5
    flag: bool = True
    tags: list[str] = []


class Patch(BaseModel):
    name: Annotated[str, Field(min_length=1)] | None = None
    age: Annotated[int, Field(ge=0)] | None = None
    email: str | None = None


class Money(BaseModel):
    amount: Decimal
    currency: Literal["EUR", "USD"]


class Bounds(BaseModel):
    at_least: Annotated[int, Field(ge=1)]
    above: Annotated[int, Field(gt=1)]
    at_most: Annotated[float, Field(le=10)]
    below: Annotated[float, Field(lt=10)]
    step: Annotated[int, Field(multiple_of=3)]


class Lengths(BaseModel):
    code: Annotated[str, Field(min_length=3, max_length=5)]
    slug: Annotated[str, Field(pattern="^[a-z]+(-[a-z]+)*$")]
    tags: Annotated[list[Annotated[str, Field(min_length=2)]], Field(min_length=1, max_length=3)]


class Matrix(BaseModel):
    rows: Annotated[list[Annotated[list[int], Field(min_length=2, max_length=2)]], Field(max_length=3)]


class Either(BaseModel):
    value: int | str
    other: float | bool | None


class Reserved(BaseModel):
    class_: str = Field(alias="class")
    from_date: date = Field(alias="from-date")
    dotted: int = Field(alias="x.y", default=0)


class Camel(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel)

    first_name: Annotated[str, Field(min_length=1)]
    last_name: str
    year_of_birth: int | None = None


class Event(BaseModel):
    id: UUID
    kind: Color
    at: datetime
    payload: dict[str, Any]


class Employee(BaseModel):
    name: Annotated[str, Field(min_length=1)]
    skills: Annotated[list[str], Field(min_length=1)]


class Department(BaseModel):
    title: str
    employees: list[Employee]


class Company(BaseModel):
    name: str
    departments: list[Department]


class Anything(BaseModel):
    value: Any
    note: str = ""


class Empty(BaseModel):
    pass


class Version(BaseModel):
    version: Literal[1]
    kind: Literal["config"]


class Credentials(BaseModel):
    username: Annotated[str, Field(min_length=1)]
    password: Annotated[str, Field(min_length=8)]
    remember: bool = False


class Search(BaseModel):
    q: str
    page: Annotated[int, Field(ge=1)] = 1
    tags: list[str] = []
    since: date | None = None
    exact: bool = False


class Attachment(BaseModel):
    title: str
    file: UploadFile


class Gallery(BaseModel):
    owner: int
    cover: UploadFile | None = None
    pictures: list[UploadFile] = []
