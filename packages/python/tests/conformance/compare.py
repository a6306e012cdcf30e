"""What came against what was expected: strictly, with the corpus's few wildcards."""

from __future__ import annotations

import base64
import json
import re
from typing import Any

from .doors import Answer

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_SENTENCE = re.compile(r"[^A-Z].*[^.]", re.DOTALL)


def difference(expect: dict[str, Any], answer: Answer) -> str | None:
    """The first difference, in words."""
    if answer.status != expect["status"]:
        return f"status {answer.status}, not {expect['status']}: {answer.body[:300]!r}"
    for name, wanted in expect.get("headers", {}).items():
        found = [value for key, value in answer.headers if key.lower() == name]
        if not _header_fits(wanted, found):
            return f"header {name}: {found}, not {wanted}"
    if "closed" in expect and answer.closed is not expect["closed"]:
        return f"the connection is {'closed' if answer.closed else 'open'}"
    if len(answer.then) != len(expect.get("then", ())):
        return f"{len(answer.then)} further answers, not {len(expect.get('then', ()))}"
    for further, wanted in zip(answer.then, expect.get("then", ()), strict=True):
        if found := difference(wanted, further):
            return f"a further answer: {found}"
    return _body(expect, answer.body)


def _header_fits(wanted: Any, found: list[str]) -> bool:
    if wanted == "<<any>>":
        return True
    if wanted == "<<absent>>":
        return not found
    if wanted == "<<present>>":
        return bool(found)
    if wanted == "<<uuid>>":
        return len(found) == 1 and _UUID.fullmatch(found[0]) is not None
    return found == (wanted if isinstance(wanted, list) else [wanted])


def _body(expect: dict[str, Any], body: bytes) -> str | None:
    if "body_text" in expect:
        return None if body == expect["body_text"].encode() else f"body {body[:300]!r}, not {expect['body_text']!r}"
    if "body_base64" in expect:
        return None if body == base64.b64decode(expect["body_base64"]) else f"body {body[:300]!r}"
    if "body" in expect:
        try:
            sent = json.loads(body)
        except ValueError:
            return f"the body is no JSON: {body[:300]!r}"
        return value_difference(expect["body"], sent, "body")
    if "body_schema" in expect:
        try:
            sent = json.loads(body)
        except ValueError:
            return f"the body is no JSON: {body[:300]!r}"
        return schema_difference(expect["body_schema"], sent, "body")
    return None


def value_difference(wanted: Any, found: Any, place: str) -> str | None:
    """The first difference of two JSON values; `1` is not `1.0`."""
    if isinstance(wanted, str) and wanted.startswith("<<"):
        fits = {
            "<<any>>": True,
            "<<uuid>>": isinstance(found, str) and bool(_UUID.fullmatch(found)),
            "<<sentence>>": isinstance(found, str) and bool(_SENTENCE.fullmatch(found)),
            "<<sentence?>>": isinstance(found, str) and bool(_SENTENCE.fullmatch(found)),
        }
        if wanted in fits:
            return None if fits[wanted] else f"{place}: {found!r} is no {wanted}"
    if type(wanted) is not type(found):
        return f"{place}: {found!r}, not {wanted!r}"
    if isinstance(wanted, dict):
        needed = {key for key, value in wanted.items() if value != "<<sentence?>>"}
        if not needed <= found.keys() <= wanted.keys():
            return f"{place}: members {sorted(found)}, not {sorted(wanted)}"
        pairs = ((wanted[key], found[key], f"{place}.{key}") for key in found)
    elif isinstance(wanted, list):
        if len(wanted) != len(found):
            return f"{place}: {found!r}, not {wanted!r}"
        pairs = (
            (each, other, f"{place}[{index}]") for index, (each, other) in enumerate(zip(wanted, found, strict=True))
        )
    else:
        return None if wanted == found else f"{place}: {found!r}, not {wanted!r}"
    return next(filter(None, (value_difference(*pair) for pair in pairs)), None)


_KEYWORDS = {
    *("type", "const", "pattern", "required", "properties", "additionalProperties"),
    *("items", "minItems", "maxItems", "minimum", "maximum"),
}
_TYPES = {"object": dict, "array": list, "string": str, "integer": int, "number": (int, float)}


def schema_difference(schema: dict[str, Any], found: Any, place: str) -> str | None:
    """The few keywords that the corpus uses to tell what no case can know; another one is a fault of the case."""
    assert schema.keys() <= _KEYWORDS, f"{place}: {sorted(schema.keys() - _KEYWORDS)} is not looked at"
    if "const" in schema:
        return value_difference(schema["const"], found, place)
    if "type" in schema and (isinstance(found, bool) or not isinstance(found, _TYPES[schema["type"]])):
        return f"{place}: {found!r} is no {schema['type']}"
    if "pattern" in schema and not re.search(schema["pattern"], found):
        return f"{place}: {found!r} does not match {schema['pattern']}"
    if "minimum" in schema and not schema["minimum"] <= found <= schema.get("maximum", found):
        return f"{place}: {found!r} is out of bounds"
    if isinstance(found, list):
        return _array_difference(schema, found, place)
    return _object_difference(schema, found, place) if isinstance(found, dict) else None


def _array_difference(schema: dict[str, Any], found: list[Any], place: str) -> str | None:
    if not schema.get("minItems", 0) <= len(found) <= schema.get("maxItems", len(found)):
        return f"{place}: {len(found)} items"
    if "items" not in schema:
        return None
    each = (schema_difference(schema["items"], item, f"{place}[{index}]") for index, item in enumerate(found))
    return next(filter(None, each), None)


def _object_difference(schema: dict[str, Any], found: dict[str, Any], place: str) -> str | None:
    known = schema.get("properties", {})
    if missing := set(schema.get("required", ())) - found.keys():
        return f"{place}: {sorted(missing)} missing"
    if schema.get("additionalProperties") is False and (further := found.keys() - known.keys()):
        return f"{place}: {sorted(further)} too much"
    members = (
        schema_difference(known[name], value, f"{place}.{name}") for name, value in found.items() if name in known
    )
    return next(filter(None, members), None)
