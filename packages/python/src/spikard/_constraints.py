"""Constraints, wherever they are written (our markers, msgspec, annotated-types, attrs), as JSON Schema's keywords."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

KEYWORDS = {
    "gt": "exclusiveMinimum",
    "ge": "minimum",
    "lt": "exclusiveMaximum",
    "le": "maximum",
    "multiple_of": "multipleOf",
    "min_length": "minLength",
    "max_length": "maxLength",
    "pattern": "pattern",
}
_FOR_ARRAYS = {"minLength": "minItems", "maxLength": "maxItems"}
_FOR_OBJECTS = {"minLength": "minProperties", "maxLength": "maxProperties"}
_NUMERIC = {"exclusiveMinimum", "minimum", "exclusiveMaximum", "maximum", "multipleOf"}
_ATTRS_COMPARISONS = {">": "gt", ">=": "ge", "<": "lt", "<=": "le"}


class Unsuited(Exception):
    """A constraint that says nothing about the type it stands at."""


def written(metadata: Iterable[Any]) -> Iterator[tuple[str, Any]]:
    """The constraints in an annotation's metadata, by their Python names."""
    for item in metadata:
        if type(item).__module__.partition(".")[0] in ("msgspec", "annotated_types"):
            for name in KEYWORDS:
                value = getattr(item, name, None)
                if value is not None and not (name == "min_length" and value == 0):
                    yield name, value


def documented(metadata: Iterable[Any]) -> dict[str, Any]:
    """What msgspec's `Meta` says for documents, and its additions to the schema."""
    found: dict[str, Any] = {}
    for item in metadata:
        if type(item).__module__.partition(".")[0] == "msgspec":
            for name in ("title", "description", "examples"):
                if getattr(item, name, None) is not None:
                    found[name] = getattr(item, name)
            found.update(getattr(item, "extra_json_schema", None) or {})
    return found


def from_attrs(validator: Any) -> Iterator[tuple[str, Any]]:
    """The constraints that attrs' own validators hold; others run in the decoder alone."""
    name = type(validator).__name__
    if name == "_AndValidator":
        for inner in validator._validators:
            yield from from_attrs(inner)
    elif name == "_OptionalValidator":
        yield from from_attrs(validator.validator)
    elif name == "_NumberValidator":
        yield _ATTRS_COMPARISONS[validator.compare_op], validator.bound
    elif name == "_MinLengthValidator":
        yield "min_length", validator.min_length
    elif name == "_MaxLengthValidator":
        yield "max_length", validator.max_length
    elif name == "_MatchesReValidator" and "fullmatch" in getattr(validator.match_func, "__name__", ""):
        yield "pattern", _whole(validator.pattern.pattern)


def _whole(pattern: str) -> str:
    return pattern if pattern.startswith("^") and pattern.endswith("$") else f"^(?:{pattern})$"


def constrain(schema: Mapping[str, Any], constraints: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    """The schema with the constraints; of a union, with those that suit each member.

    Raises `Unsuited` for a constraint that suits none.
    """
    result = dict(schema)
    for name, value in constraints:
        if name == "pattern" and isinstance(value, re.Pattern):
            value = value.pattern
        if not _put(result, KEYWORDS[name], value):
            raise Unsuited(f"{name} says nothing about {_described(schema)}")
    return result


def _put(schema: dict[str, Any], keyword: str, value: Any) -> bool:
    if "anyOf" in schema:
        members = [dict(member) for member in schema["anyOf"]]
        suited = [_put(member, keyword, value) for member in members]
        schema["anyOf"] = members
        return any(suited)
    kind = schema.get("type")
    if keyword in _NUMERIC:
        suits = kind in ("integer", "number") or schema.get("format") == "decimal"
        if suits and not isinstance(value, (int, float)):
            value = float(value)
    elif keyword == "pattern":
        suits = kind == "string"
    else:
        keyword = {"array": _FOR_ARRAYS, "object": _FOR_OBJECTS}.get(kind or "", {}).get(keyword, keyword)
        suits = kind in ("string", "array", "object")
    if suits:
        schema[keyword] = value
    return suits


def _described(schema: Mapping[str, Any]) -> str:
    return str(schema.get("format") or schema.get("type") or "this type")
