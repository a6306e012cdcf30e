"""Exchanges from the corpus: the cases that a workload names, as any contender must answer them. Their apps have the routes
of the benchmark; what an answer says is compared, and of a refusal the status and the names of the fields.
"""

from __future__ import annotations

import json
import urllib.parse
from collections.abc import Iterator

from exchanges import Exchange
from surroundings import ROOT

CASES = ROOT / "testing_data" / "http" / "benchmarks"


def exchanges(name: str) -> Iterator[Exchange]:
    """The exchanges of a case."""
    for told in json.loads((CASES / f"{name}.json").read_text())["exchanges"]:
        request, expect = told["request"], told["expect"]
        body, kind = sent(request)
        refused = tuple(str(error["loc"][-1]) for error in expect["body"]["errors"]) if expect["status"] == 422 else ()
        answer = expect["body_text"] if "body_text" in expect else plain(expect["body"])
        yield Exchange(request["method"], request["target"], body, kind, None if refused else answer, refused)


def sent(request: dict) -> tuple[bytes, str]:
    """The body of a request, and its content type."""
    if "form" in request:
        return urllib.parse.urlencode(
            [tuple(pair) for pair in request["form"]]
        ).encode(), "application/x-www-form-urlencoded"
    if "body" in request:
        return json.dumps(request["body"]).encode(), "application/json"
    return b"", ""


def plain(value: object) -> object:
    """What `echo` writes as it stands in the benchmark's answers: a body alone, and no names of types."""
    if isinstance(value, dict):
        if len(value) == 1 and (name := next(iter(value))).startswith(("$", "body")):
            return plain(value[name])
        return {name: plain(member) for name, member in value.items()}
    return [plain(member) for member in value] if isinstance(value, list) else value
