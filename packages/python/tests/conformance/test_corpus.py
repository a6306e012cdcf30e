"""The corpus through the Python package: every case, by both doors, with every library that can write its models."""

from __future__ import annotations

import fnmatch
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from . import doors
from .build import build, decoders
from .compare import difference

CORPUS = Path(__file__).parents[4] / "testing_data"
MODELS = json.loads((CORPUS / "models.json").read_text(encoding="utf-8"))
DOORS = {"in-process": doors.in_process, "socket": doors.over_a_socket}
FEATURES_TO_COME = {"sse", "websocket", "auth", "cors", "compression", "static-files", "rate-limit", "openapi", "grpc"}


def known_failing() -> dict[str, str]:
    """The patterns of the lists, and their reasons."""
    found = {}
    for name in ("server.txt", "python.txt"):
        for line in (CORPUS / "known_failing" / name).read_text(encoding="utf-8").splitlines():
            pattern, _, reason = line.partition("#")
            if pattern.strip():
                found[pattern.strip()] = reason.strip()
    return found


KNOWN = known_failing()


def cases() -> Iterator[Any]:
    """Every run of every case."""
    for path in sorted((CORPUS / "http").glob("*/*.json")):
        case = json.loads(path.read_text(encoding="utf-8"))
        name = f"{path.parent.name}/{path.stem}"
        for decoder in decoders(case, MODELS):
            for door in DOORS:
                yield pytest.param(name, case, door, decoder, id=f"{name}[{door}{f' {decoder}' if decoder else ''}]")


def report(name: str, door: str, decoder: str | None, outcome: str, detail: str | None) -> None:
    """Appends one line for the tool."""
    target = os.environ.get("SPIKARD_CONFORMANCE_OUT")
    if not target:
        return
    area, case = name.split("/")
    line = {"language": "python", "area": area, "case": case, "door": door, "decoder": decoder}
    with open(target, "a", encoding="utf-8") as file:
        file.write(json.dumps({**line, "outcome": outcome, "detail": detail}) + "\n")


def run(case: dict[str, Any], door: str, decoder: str | None) -> str | None:
    """Plays the exchanges; the first difference."""
    with DOORS[door](build(case, decoder)) as send:
        for place, exchange in enumerate(case["exchanges"]):
            expect = exchange["expect"]
            asked = {name: expect[name] for name in ("closed",) if name in expect}
            answer = send({**exchange["request"], **asked, "answers": 1 + len(expect.get("then", ()))})
            found = difference(expect, answer)
            if found:
                return f"exchange {place + 1}: {found}"
    return None


@pytest.mark.parametrize(("name", "case", "door", "decoder"), list(cases()))
def test_case(name: str, case: dict[str, Any], door: str, decoder: str | None) -> None:
    later = FEATURES_TO_COME.intersection(case["features"])
    if later:
        report(name, door, decoder, "skipped", f"not there yet: {', '.join(sorted(later))}")
        pytest.skip(f"not there yet: {', '.join(sorted(later))}")
    try:
        found = run(case, door, decoder)
    except doors.Unsuited as reason:
        report(name, door, decoder, "skipped", str(reason))
        pytest.skip(str(reason))
    except Exception as error:
        found = f"{type(error).__name__}: {error}"
    report(name, door, decoder, "failed" if found else "passed", found)
    listed = next((reason for pattern, reason in KNOWN.items() if fnmatch.fnmatchcase(name, pattern)), None)
    if listed and found:
        pytest.xfail(f"{listed}: {found}")
    assert found is None
