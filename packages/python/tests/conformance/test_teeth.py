"""Every case can fail: an answer that differs from what it expects, in any one thing that it names, is noticed."""

from __future__ import annotations

import base64
import copy
import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from .compare import difference, schema_difference
from .doors import Answer
from .test_corpus import DOORS, cases

CORPUS = Path(__file__).parents[4] / "testing_data"
UUID = "12345678-1234-5678-1234-567812345678"
WILD = {
    "<<any>>": "x",
    "<<uuid>>": UUID,
    "<<sentence>>": "a sentence",
    "<<sentence?>>": "a sentence",
    "<<present>>": "x",
}
CASES = {f"{path.parent.name}/{path.stem}": path for path in sorted((CORPUS / "http").glob("*/*.json"))}


def filled(value: Any) -> Any:
    """What is expected, with something in place of what no case can know."""
    if isinstance(value, dict):
        return {name: filled(member) for name, member in value.items()}
    if isinstance(value, list):
        return [filled(member) for member in value]
    return WILD.get(value, value) if isinstance(value, str) else value


def of_schema(schema: dict[str, Any]) -> Any:
    """A value that the schema accepts."""
    if "const" in schema:
        return schema["const"]
    if schema["type"] == "object":
        known = schema.get("properties", {})
        return {name: of_schema(known[name]) if name in known else None for name in schema.get("required", ())}
    if schema["type"] == "array":
        return [of_schema(schema["items"]) if "items" in schema else None] * schema.get("minItems", 0)
    return {"string": "the body is not valid JSON: it at byte 1", "integer": 1, "number": 1.5}[schema["type"]]


def right(expect: dict[str, Any]) -> Answer:
    """The answer that is wanted."""
    body = b""
    if "body" in expect:
        body = json.dumps(filled(expect["body"])).encode()
    elif "body_text" in expect:
        body = expect["body_text"].encode()
    elif "body_base64" in expect:
        body = base64.b64decode(expect["body_base64"])
    elif "body_schema" in expect:
        body = json.dumps(of_schema(expect["body_schema"])).encode()
    headers = [
        (name, filled(text))
        for name, wanted in expect.get("headers", {}).items()
        if wanted not in ("<<absent>>", "<<any>>")
        for text in (wanted if isinstance(wanted, list) else [wanted])
    ]
    then = tuple(right(further) for further in expect.get("then", ()))
    return Answer(expect["status"], headers, body, expect.get("closed"), then)


def wrong(expect: dict[str, Any], good: Answer) -> Iterator[tuple[str, Answer]]:
    """Answers that differ in one thing each, and what it is."""
    yield "status", good._replace(status=good.status + 1)
    for name, wanted in expect.get("headers", {}).items():
        others = [pair for pair in good.headers if pair[0] != name]
        if wanted == "<<absent>>":
            yield f"{name} is there", good._replace(headers=[*others, (name, "x")])
        elif wanted != "<<any>>":
            yield f"{name} is not there", good._replace(headers=others)
            if wanted != "<<present>>":
                yield f"{name} says more", good._replace(headers=[*others, (name, "other")])
                yield f"{name} is there twice", good._replace(headers=[*good.headers, (name, "other")])
    if "closed" in expect:
        yield "closed", good._replace(closed=not good.closed)
    for place, further in enumerate(expect.get("then", ())):
        yield f"{place} is missing", good._replace(then=good.then[:place])
        for what, bad in wrong(further, good.then[place]):
            yield f"{place}: {what}", good._replace(then=(*good.then[:place], bad, *good.then[place + 1 :]))
    yield from ((what, good._replace(body=body)) for what, body in wrong_bodies(expect, good.body))


def wrong_bodies(expect: dict[str, Any], body: bytes) -> Iterator[tuple[str, bytes]]:
    """Other bodies."""
    if expect.keys().isdisjoint({"body", "body_text", "body_base64", "body_schema"}):
        return
    yield "a longer body", body + b"x"
    if body:
        yield "no body", b""
    if "body" in expect:
        for place, value in changed(expect["body"], json.loads(body)):
            yield f"body{place}", json.dumps(value).encode()
    if "body_schema" in expect:
        yield "a body of another type", b'"x"' if body[:1] != b'"' else b"1"
        if expect["body_schema"].get("additionalProperties") is False:
            yield "a further member", json.dumps({**json.loads(body), "further": 1}).encode()


def changed(wanted: Any, value: Any) -> Iterator[tuple[str, Any]]:
    """The value with one thing in it changed, at every place that the case does not leave open."""
    if isinstance(wanted, dict):
        yield ".further", {**value, "further": 1}
        for name in wanted:
            if wanted[name] != "<<sentence?>>":
                yield f" without {name}", {key: member for key, member in value.items() if key != name}
            for place, member in changed(wanted[name], value[name]):
                yield f".{name}{place}", {**value, name: member}
    elif isinstance(wanted, list):
        yield " longer", [*value, None]
        for index in range(len(wanted) if len(wanted) <= 20 else 1):
            for place, member in changed(wanted[index], value[index]):
                yield f"[{index}]{place}", [*value[:index], member, *value[index + 1 :]]
    elif isinstance(wanted, str) and wanted in WILD:
        if wanted != "<<any>>":
            yield " is no text", 1
            yield " is no sentence", "A Sentence." if "sentence" in wanted else "x"
    else:
        yield " of another type", [copy.copy(value)]
        yield " of another value", other(value)


def other(value: Any) -> Any:
    """Something near it."""
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, int):
        return float(value) if abs(value) < 2**53 else value + 1
    if isinstance(value, float):
        return math.nextafter(value, math.inf)
    return False if value is None else f"{value}x"


@pytest.mark.parametrize("name", CASES)
def test_a_case_notices_everything_that_it_names(name: str) -> None:
    case = json.loads(CASES[name].read_text(encoding="utf-8"))
    assert case["exchanges"]
    for exchange in case["exchanges"]:
        expect = exchange["expect"]
        good = right(expect)
        assert difference(expect, good) is None
        unnoticed = [what for what, bad in wrong(expect, good) if difference(expect, bad) is None]
        assert unnoticed == []


def test_every_case_is_played_through_every_door() -> None:
    played = {(run.values[0], run.values[2]) for run in cases()}
    assert played == {(name, door) for name in CASES for door in DOORS}


def test_a_keyword_that_is_not_looked_at_is_a_fault() -> None:
    with pytest.raises(AssertionError, match="multipleOf"):
        schema_difference({"type": "integer", "multipleOf": 2}, 3, "body")
