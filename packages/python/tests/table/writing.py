"""Handlers written as a user writes them: for each source, spelling and kind of default one, with a parameter of every type.

They are compiled from their source text, with and without postponed annotations.
"""

from __future__ import annotations

import datetime
import decimal
import itertools
import json
import uuid
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Annotated, Any, Literal, NamedTuple, NewType, Optional, Union
from urllib.parse import quote, urlencode

from msgspec import Meta
from spikard import Body, Cookie, Form, Header, Path, Query

from .types import CONSTRAINED, SEPARATED, TYPES, Color, Kind, Level, shown

MARKERS = {"path": "Path", "query": "Query", "header": "Header", "cookie": "Cookie", "body": "Body", "form": "Form"}
SPELLINGS = {
    "required": {
        "bare": "{T}",
        "subscript": "{M}[{T}]",
        "call": "{T} = {M}(...)",
        "empty call": "{T} = {M}()",
        "annotated": "Annotated[{T}, {M}()]",
        "class in annotated": "Annotated[{T}, {M}]",
        "both": "{M}[{T}] = {M}()",
    },
    "defaulted": {
        "bare": "{T} = {D}",
        "subscript": "{M}[{T}] = {D}",
        "call": "{T} = {M}({D})",
        "keyword": "{T} = {M}(default={D})",
        "annotated": "Annotated[{T}, {M}()] = {D}",
        "inside annotated": "Annotated[{T}, {M}(default={D})]",
        "class in annotated": "Annotated[{T}, {M}] = {D}",
        "both": "{M}[{T}] = {M}(default={D})",
    },
    "made": {
        "call": "{T} = {M}(default_factory=lambda: {D})",
        "annotated": "Annotated[{T}, {M}(default_factory=lambda: {D})]",
        "both": "{M}[{T}] = {M}(default_factory=lambda: {D})",
    },
}
LIMITED = {
    "required": {
        "call": "{T} = {M}(..., {O})",
        "annotated": "Annotated[{T}, {M}({O})]",
        "both": "{M}[{T}] = {M}({O})",
        "inner": "{M}[Annotated[{T}, Meta({O})]]",
        "beside": "Annotated[{T}, Meta({O}), {M}()]",
    },
    "defaulted": {
        "call": "{T} = {M}({D}, {O})",
        "keyword": "{T} = {M}(default={D}, {O})",
        "annotated": "Annotated[{T}, {M}({O})] = {D}",
        "inner": "{M}[Annotated[{T}, Meta({O})]] = {D}",
        "both": "{M}[{T}] = {M}(default={D}, {O})",
    },
    "made": {
        "call": "{T} = {M}(default_factory=lambda: {D}, {O})",
        "annotated": "Annotated[{T}, {M}(default_factory=lambda: {D}, {O})]",
    },
}
NAMES = {
    "datetime": datetime, "decimal": decimal, "uuid": uuid, "PurePosixPath": PurePosixPath, "Annotated": Annotated,
    "Literal": Literal, "Optional": Optional, "Union": Union, "Color": Color, "Level": Level, "shown": shown,
    "UserId": NewType("UserId", int), "Meta": Meta, "Body": Body, "Cookie": Cookie, "Form": Form, "Header": Header, "Path": Path,
    "Query": Query, "DEFAULTS": {name: kind.default for name, kind in {**TYPES, **CONSTRAINED, **SEPARATED}.items()},
}  # fmt: skip


class Sent(NamedTuple):
    """A request, for either door."""

    method: str
    target: str
    headers: list[tuple[str, str]]
    content: bytes


class Group(NamedTuple):
    """One handler: every type that its source can hold, in one spelling."""

    number: int
    source: str
    spelling: str
    state: str
    postponed: bool
    is_async: bool
    table: str = "plain"
    """Whether its types have constraints or separators."""

    @property
    def title(self) -> str:
        """What tells it from the others."""
        postponed = " postponed" * self.postponed
        return (
            f"{self.source} {self.state} {self.spelling} {self.table}{postponed}{' async' if self.is_async else ' def'}"
        )

    @property
    def kinds(self) -> dict[str, Kind]:
        """Without what the source cannot hold: text is no literal number, a segment of a path is one value, a Body of bytes
        takes the whole.
        """
        if self.table == "separated":
            return SEPARATED
        if self.table == "limited":
            # msgspec's Meta says nothing of a Decimal, and of an optional what its member allows.
            without = {"price", "perhaps"} if "Meta" in self.spelt else set()
            if self.source == "path":
                without |= {name for name, kind in CONSTRAINED.items() if kind.is_list}
            return {name: kind for name, kind in CONSTRAINED.items() if name not in without}
        without = {"numbers"} if self.source != "body" else {"bytes"} if self.spelling != "bare" else set()
        if self.source == "path":
            without |= {name for name, kind in TYPES.items() if kind.is_list}
        return {name: kind for name, kind in TYPES.items() if name not in without}

    @property
    def spelt(self) -> str:
        """How its parameters are written."""
        return (SPELLINGS if self.table == "plain" else LIMITED)[self.state][self.spelling]

    @property
    def method(self) -> str:
        return "POST" if self.source in ("body", "form") else "GET"

    @property
    def template(self) -> str:
        segments = "".join(f"/{{p_{name}}}" for name in self.kinds) if self.source == "path" else ""
        return f"/{self.number}{segments}"

    def handler(self) -> Any:
        """The handler, from its source text."""
        marker = MARKERS[self.source]
        parameters = [
            f"p_{name}: " + self.spelt.format(T=kind.hint, M=marker, D=f"DEFAULTS[{name!r}]", O=kind.options)
            for name, kind in self.kinds.items()
        ]
        text = f"{'async ' * self.is_async}def handler(*, {', '.join(parameters)}):\n"
        text += "    return {name: shown(value) for name, value in locals().items()}\n"
        if self.postponed:
            text = f"from __future__ import annotations\n{text}"
        names = {**NAMES, "__name__": f"group_{self.number}"}
        exec(compile(text, f"<{self.title}>", "exec"), names)
        return names["handler"]

    def loc(self, name: str) -> list[str]:
        """Where a refusal says that the parameter stands."""
        wire = f"p-{name}" if self.source == "header" else f"p_{name}"
        return [{"form": "body", "header": "headers"}.get(self.source, self.source), wire]

    def request(self, outcome: str) -> Iterator[Sent]:
        """The request that has every value, every refused one, or none; a form is sent in both its encodings."""
        texts: dict[str, str | list[str]] = {}
        values: dict[str, Any] = {}
        for name, kind in self.kinds.items() if outcome != "missing" else ():
            refused = outcome == "invalid"
            if not (refused and kind.bad is None):
                texts[name] = kind.bad if refused and kind.bad is not None else kind.text
            values[f"p_{name}"] = kind.bad_json if refused else kind.json
        if self.source == "path":
            texts = {name: texts.get(name, kind.text) for name, kind in self.kinds.items()}
        pairs = [
            (name, text) for name, given in texts.items() for text in (given if isinstance(given, list) else [given])
        ]
        yield from self._encoded(pairs, values)

    def _encoded(self, pairs: list[tuple[str, str]], values: dict[str, Any]) -> Iterator[Sent]:
        target, named = f"/{self.number}", [(f"p_{name}", text) for name, text in pairs]
        if self.source == "path":
            yield Sent("GET", target + "".join(f"/{quote(text, safe='')}" for _, text in pairs), [], b"")
        elif self.source == "query":
            yield Sent("GET", f"{target}?{urlencode(named)}", [], b"")
        elif self.source == "header":
            yield Sent("GET", target, [(f"p-{name}", text) for name, text in pairs], b"")
        elif self.source == "cookie":
            cookies = "; ".join(f"{name}={text}" for name, text in named)
            yield Sent("GET", target, [("cookie", cookies)] if cookies else [], b"")
        elif self.source == "body":
            yield Sent("POST", target, [("content-type", "application/json")], json.dumps(values).encode())
        else:
            form = [("content-type", "application/x-www-form-urlencoded")]
            # An empty body is no form at all.
            yield Sent("POST", target, form, urlencode(named or [("other", "1")]).encode())
            head = '--b\r\nContent-Disposition: form-data; name="'
            parts = "".join(f'{head}{name}"\r\n\r\n{text}\r\n' for name, text in named)
            multipart = [("content-type", "multipart/form-data; boundary=b")]
            yield Sent("POST", target, multipart, f"{parts}--b--\r\n".encode())


def groups() -> list[Group]:
    """Every source with every spelling and every kind of default; annotations and handlers of either kind in turn."""
    made = []
    numbers = itertools.count()
    for table, source, state in itertools.product(("plain", "limited", "separated"), MARKERS, SPELLINGS):
        for spelling, text in (SPELLINGS if table == "plain" else LIMITED)[state].items():
            unmarked = spelling == "bare" and source in ("header", "cookie")
            unseparated = table == "separated" and (source in ("body", "form") or "Meta" in text)
            if unmarked or unseparated or (source == "path" and state != "required"):
                continue
            for postponed in (False, True):
                number = next(numbers)
                made.append(Group(number, source, spelling, state, postponed, number % 3 != 0, table))
    return made
