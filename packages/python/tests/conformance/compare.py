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
    for further, wanted in zip(answer.then, expect.get("then", ()), strict=False):
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
        return schema_difference(expect["body_schema"], json.loads(body), "body")
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


def schema_difference(schema: dict[str, Any], found: Any, place: str) -> str | None:
    """The few keywords that the corpus uses to tell what no case can know."""
    from msgspec import ValidationError, convert

    from .build import constrained

    if schema.get("type") == "object":
        missing = set(schema.get("required", ())) - set(found)
        if missing:
            return f"{place}: {sorted(missing)} missing"
        members = (
            schema_difference(schema["properties"][name], value, f"{place}.{name}")
            for name, value in found.items()
            if name in schema.get("properties", {})
        )
        return next(filter(None, members), None)
    if schema.get("type") == "array":
        fits = isinstance(found, list) and schema.get("minItems", 0) <= len(found) <= schema.get("maxItems", len(found))
        return None if fits else f"{place}: not {schema}"
    try:
        convert(found, constrained(schema))
    except ValidationError as error:
        return f"{place}: {error}"
    return None
