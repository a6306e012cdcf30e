"""The models without defaults as TypedDicts."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Literal
from uuid import UUID

from msgspec import Meta
from spikard import UploadFile
from typing_extensions import TypedDict

from . import Color, Level


class Kinds(TypedDict):
    color: Color
    level: Level
    mode: Literal["r", "w", 3]
    flag: bool
    ratio: Annotated[float, Meta(multiple_of=0.5)]
    step: Annotated[int, Meta(multiple_of=5)]


class Scalars(TypedDict):
    text: str
    count: int
    ratio: float
    flag: bool


class Point(TypedDict):
    x: float
    y: float


class Money(TypedDict):
    amount: Decimal
    currency: Literal["EUR", "USD"]


class Bounds(TypedDict):
    at_least: Annotated[int, Meta(ge=1)]
    above: Annotated[int, Meta(gt=1)]
    at_most: Annotated[float, Meta(le=10)]
    below: Annotated[float, Meta(lt=10)]
    step: Annotated[int, Meta(multiple_of=3)]


class Lengths(TypedDict):
    code: Annotated[str, Meta(min_length=3, max_length=5)]
    slug: Annotated[str, Meta(pattern="^[a-z]+(-[a-z]+)*$")]
    tags: Annotated[list[Annotated[str, Meta(min_length=2)]], Meta(min_length=1, max_length=3)]


class Matrix(TypedDict):
    rows: Annotated[list[Annotated[list[int], Meta(min_length=2, max_length=2)]], Meta(max_length=3)]


class Either(TypedDict):
    value: int | str
    other: float | bool | None


class Event(TypedDict):
    id: UUID
    kind: Color
    at: datetime
    payload: dict[str, Any]


class Employee(TypedDict):
    name: Annotated[str, Meta(min_length=1)]
    skills: Annotated[list[str], Meta(min_length=1)]


class Department(TypedDict):
    title: str
    employees: list[Employee]


class Company(TypedDict):
    name: str
    departments: list[Department]


class Version(TypedDict):
    version: Literal[1]
    kind: Literal["config"]


class Attachment(TypedDict):
    title: str
    file: UploadFile
