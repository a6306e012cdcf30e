"""Ten apps of the kind that FastAPI's tutorial has, in FastAPI and, with other imports, in Spikard: request by request the
same status and the same body. Errors are compared by what they say, since their form is Spikard's own.
"""

from __future__ import annotations

import importlib.util
import json
import re
import sys
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import spikard

APPS = sorted(path for path in (Path(__file__).parent / "apps").glob("*.py"))

if importlib.util.find_spec("fastapi") is None:
    pytest.skip("there is no FastAPI for this interpreter", allow_module_level=True)

PORTED = (
    (r"\bfrom fastapi(\.responses)? import", "from spikard import"),
    (r"\bFastAPI\b", "Spikard"),
    (r"\bAPIRouter\b", "Router"),
)
"""All that a port of these apps changes."""


def loaded(path: Path, kind: str) -> ModuleType:
    """The module of an app, as it stands or ported."""
    text = path.read_text(encoding="utf-8")
    if kind == "spikard":
        for pattern, replacement in PORTED:
            text = re.sub(pattern, replacement, text)
    module = ModuleType(f"{kind}_{path.stem}")
    module.__file__ = str(path)
    sys.modules[module.__name__] = module  # where annotations are looked up
    exec(compile(text, str(path), "exec"), module.__dict__)
    return module


def clients(path: Path) -> Iterator[Any]:
    """A client of either framework."""
    with warnings.catch_warnings():  # it would rather have another client below it
        warnings.simplefilter("ignore")
        from fastapi.testclient import TestClient

    yield TestClient(loaded(path, "fastapi").app, raise_server_exceptions=False, follow_redirects=False)
    yield spikard.TestClient(loaded(path, "spikard").app, follow_redirects=False)


def answers(path: Path) -> Iterator[tuple[str, list[tuple[Any, ...]]]]:
    """Each request, and what both said."""
    module = loaded(path, "fastapi")
    fields = getattr(module, "COMPARED", ())
    first, second = clients(path)
    with first:
        wanted = [said(first, request, fields) for request in module.REQUESTS]
    with second:
        for request, one in zip(module.REQUESTS, wanted, strict=True):
            two, end = said(second, request, fields), time.monotonic() + 5
            while two != one and request[1] in getattr(module, "SOON", ()) and time.monotonic() < end:
                two = said(second, request, fields)
            yield " ".join(map(str, request)), [one, two]


def said(client: Any, request: tuple[Any, ...], fields: tuple[str, ...]) -> tuple[Any, ...]:
    """Status, body and the compared fields of an answer."""
    method, target, *options = request
    answer = client.request(method, target, **(options[0] if options else {}))
    typed = answer.status_code < 400 and answer.content
    told = {name: answer.headers.get(name) for name in fields if typed or name != "content-type"}
    if answer.status_code >= 400:
        return answer.status_code, error(answer), told
    kind = answer.headers.get("content-type", "")
    is_json = answer.content and kind.startswith("application/json")
    body = json.loads(answer.content) if is_json else bytes(answer.content)
    return answer.status_code, body, told


def error(answer: Any) -> Any:
    """What an error says, in either form."""
    if not answer.headers.get("content-type", "").startswith(("application/json", "application/problem+json")):
        return None
    document = answer.json()
    if answer.status_code == 422:
        errors = document.get("errors", document.get("detail"))
        return sorted(place(each["loc"]) for each in errors)
    if "detail" not in document and "title" not in document:
        return document  # an exception handler's own
    detail = document.get("detail")
    return None if isinstance(detail, str) and detail in TITLES else detail


TITLES = {"Not Found", "Method Not Allowed", "Internal Server Error"}
"""What FastAPI says where Spikard's title says it."""


def place(loc: list[Any]) -> tuple[Any, ...]:
    """A place in the request; one of the names is ours."""
    return tuple({"header": "headers", "cookie": "cookies"}.get(part, part) for part in map(str, loc))


@pytest.mark.parametrize("path", APPS, ids=lambda path: path.stem)
def test_a_ported_app_answers_as_the_original(path: Path) -> None:
    excused = getattr(loaded(path, "fastapi"), "OTHERWISE", {})
    for request, (one, two) in answers(path):
        if request in excused:
            assert one[0] == two[0]
            assert one != two, f"{request} is excused, and answers alike: {excused[request]}"
        else:
            assert two == one, request


def test_there_are_ten_apps() -> None:
    assert len(APPS) >= 10
