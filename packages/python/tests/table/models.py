"""Parameter models: every kind of class under every marker, in every spelling; and the converters of a path."""

from __future__ import annotations

import datetime
import decimal
import enum
import itertools
import json
import sys
import types
import uuid
from collections.abc import Iterator
from typing import Annotated, Any, NamedTuple, Optional, TypedDict
from urllib.parse import urlencode

import attrs
import msgspec
import pydantic
from spikard import Body, Cookie, Form, Header, Path, Query

from .types import Color, shown
from .writing import MARKERS, Sent

FIELDS = {
    "count": ("int", "7", 7),
    "price": ("decimal.Decimal", "1.50", decimal.Decimal("1.50")),
    "day": ("datetime.date", "2026-01-31", datetime.date(2026, 1, 31)),
    "color": ("Color", "red", Color.RED),
    "marks": ("list[int]", ["1", "2"], [1, 2]),
    "word": ("Optional[str]", None, None),
    "size": ("int", None, 5),
}
"""The type of a field, what is sent for it (nothing: its default is read), and what arrives."""

REQUIRED = tuple(name for name, (_, sent, _) in FIELDS.items() if sent is not None)
_LINES = [
    f"{name}: {hint}" + ("" if name in REQUIRED else f" = {FIELDS[name][2]!r}") for name, (hint, _, _) in FIELDS.items()
]
_PARTIAL = [f"{name}: {hint if name in REQUIRED else f'NotRequired[{hint}]'}" for name, (hint, _, _) in FIELDS.items()]
CLASSES = {
    "struct": ("class Model(msgspec.Struct):", _LINES),
    "dataclass": ("@dataclasses.dataclass\nclass Model:", _LINES),
    "attrs": ("@attrs.define\nclass Model:", _LINES),
    "pydantic": ("class Model(pydantic.BaseModel):", _LINES),
    "pydantic dataclass": ("@pydantic.dataclasses.dataclass\nclass Model:", _LINES),
    "typeddict": ("class Model(TypedDict):", _PARTIAL),
    "namedtuple": ("class Model(NamedTuple):", _LINES),
}
SPELLINGS = (
    "{M}[Model]",
    "Model = {M}()",
    "Annotated[Model, {M}()]",
    "Annotated[Model, {M}]",
    "Optional[Model] = {M}(None)",
)
NAMES = {
    "datetime": datetime, "decimal": decimal, "enum": enum, "Color": Color, "Optional": Optional, "Annotated": Annotated,
    "NamedTuple": NamedTuple, "TypedDict": TypedDict, "msgspec": msgspec, "attrs": attrs, "pydantic": pydantic,
    "Body": Body, "Cookie": Cookie, "Form": Form, "Header": Header, "Path": Path, "Query": Query, "shown": shown,
}  # fmt: skip


class ModelGroup(NamedTuple):
    """One handler that takes a model."""

    number: int
    source: str
    kind: str
    spelling: str

    @property
    def title(self) -> str:
        """What tells it from the others."""
        return f"{self.source} {self.kind} {self.spelling}"

    @property
    def method(self) -> str:
        """A form needs a body."""
        return "POST" if self.source == "form" else "GET"

    @property
    def template(self) -> str:
        """Its path."""
        return f"/{self.number}"

    def handler(self) -> Any:
        """The handler and its model, from their source text; annotations are postponed in every second one."""
        head, lines = CLASSES[self.kind]
        hint = self.spelling.format(M=MARKERS[self.source])
        get = "model[name]" if self.kind == "typeddict" else "getattr(model, name)"
        has = "name in model" if self.kind == "typeddict" else "True"
        text = "from __future__ import annotations\n" if self.number % 2 else ""
        text += "import dataclasses\nimport pydantic.dataclasses\nfrom typing_extensions import NotRequired\n"
        text += "\n    ".join([head, *lines]) + f"\nasync def handler(model: {hint}):\n"
        text += "    if model is None:\n        return None\n"
        text += f"    return {{name: shown({get}) for name in {list(FIELDS)!r} if {has}}}\n"
        # Postponed annotations are looked up in the module of their class.
        module = types.ModuleType(f"{__name__}.group_{self.number}")
        module.__dict__.update(NAMES)
        sys.modules[module.__name__] = module
        exec(compile(text, f"<{self.title}>", "exec"), module.__dict__)
        return module.__dict__["handler"]

    def request(self, values: dict[str, Any]) -> Iterator[Sent]:
        """The requests that carry these texts."""
        pairs = [
            (name, text) for name, given in values.items() for text in (given if isinstance(given, list) else [given])
        ]
        if self.source == "query":
            yield Sent("GET", f"{self.template}?{urlencode(pairs)}", [], b"")
        elif self.source == "header":
            yield Sent("GET", self.template, pairs, b"")
        elif self.source == "cookie":
            cookies = "; ".join(f"{name}={text}" for name, text in pairs)
            yield Sent("GET", self.template, [("cookie", cookies)] if cookies else [], b"")
        else:
            form = [("content-type", "application/x-www-form-urlencoded")]
            # An empty body is no form at all: whoever may do without gets none.
            nothing = [] if "Optional" in self.spelling else [("other", "1")]
            yield Sent("POST", self.template, form, urlencode(pairs or nothing).encode())

    def loc(self, name: str) -> list[str]:
        """Where a refusal says that the field stands."""
        return [{"form": "body", "header": "headers"}.get(self.source, self.source), name]


def sent() -> dict[str, Any]:
    """What fills the model."""
    return {name: text for name, (_, text, _) in FIELDS.items() if text is not None}


def arrived(kind: str) -> dict[str, str]:
    """What the handler must see of it; a TypedDict has no defaults."""
    names = REQUIRED if kind == "typeddict" else FIELDS
    return {name: shown(FIELDS[name][2]) for name in names}


def models() -> list[ModelGroup]:
    """Every source, class and spelling."""
    sources = ("query", "header", "cookie", "form")
    every = itertools.product(sources, CLASSES, SPELLINGS)
    return [ModelGroup(number, *group) for number, group in enumerate(every)]


ID = uuid.UUID("12345678-1234-5678-1234-567812345678")
CONVERTED: dict[str, tuple[str, list[tuple[str, Any]], list[str]]] = {
    "int": ("int", [("7", 7), ("-7", -7), (str(2**70), 2**70), ("1.0", 1)], ["x", "1.5", "0x1"]),
    "float": ("float", [("2.5", 2.5), ("-1e3", -1000.0), ("7", 7.0)], ["x", "nan", "inf"]),
    "str": ("str", [("abc", "abc"), ("%C3%A4%2Fb", "ä/b")], []),
    "uuid": ("uuid.UUID", [(str(ID), ID), (ID.hex, ID)], ["x", str(ID)[:-1]]),
    "bool": ("bool", [("true", True), ("0", False), ("yes", True)], ["x", "2"]),
    "date": ("datetime.date", [("2026-01-31", datetime.date(2026, 1, 31))], ["x", "2026-02-30"]),
    "datetime": (
        "datetime.datetime",
        [("2026-01-31T12:30:00Z", datetime.datetime(2026, 1, 31, 12, 30, tzinfo=datetime.timezone.utc))],
        ["x", "2026-01-31T25:00:00"],
    ),
    "time": ("datetime.time", [("12:30", datetime.time(12, 30))], ["x", "25:00"]),
    "path": ("str", [("a", "a"), ("a/b/c.txt", "a/b/c.txt"), ("a%2Fb", "a/b"), ("", "")], []),
    "": ("str", [("abc", "abc"), ("7", "7")], []),
}
"""Of a converter: the type that it stands for, what it reads, and what it refuses."""

CONVERTER_SPELLINGS = ("value", "value: {T}", "value: Path[{T}]", "value: {T} = Path()", "value: Any", "**others")


def converter(name: str, spelling: str) -> Any:
    """A handler whose parameter the converter reads."""
    text = f"async def handler({spelling.format(T=CONVERTED[name][0])}):\n"
    text += "    return shown(others['value'])\n" if "**" in spelling else "    return shown(value)\n"
    names = {**NAMES, "uuid": uuid, "Any": Any, "__name__": f"converter_{name}"}
    exec(text, names)
    return names["handler"]


def told(text: str) -> Any:
    """What an answer holds: JSON, or the text itself."""
    try:
        return json.loads(text)
    except ValueError:
        return text
