"""Every source × spelling × type × (required, defaulted, made; sent, missing, invalid), in process and over a socket."""

from __future__ import annotations

import http.client
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from spikard import Spikard, TestClient

from .serving import serving
from .table.types import TYPES, Kind, shown
from .table.writing import Group, Sent, groups

GROUPS = groups()
OUTCOMES = ("sent", "missing", "invalid")
Door = Callable[[Sent], tuple[int, Any]]


def app() -> Spikard:
    made = Spikard()
    for group in GROUPS:
        register = made.post if group.method == "POST" else made.get
        register(group.template)(group.handler())
    return made


@pytest.fixture(scope="module", params=["in process", "socket"])
def door(request: pytest.FixtureRequest) -> Iterator[Door]:
    if request.param == "in process":
        with TestClient(app()) as client:

            def ask(sent: Sent) -> tuple[int, Any]:
                answer = client.request(sent.method, sent.target, headers=sent.headers, content=sent.content)
                return answer.status_code, answer.json()

            yield ask
        return
    with serving(app()) as served:
        connection = http.client.HTTPConnection(*served.address, timeout=20)

        def ask_socket(sent: Sent) -> tuple[int, Any]:
            connection.putrequest(sent.method, sent.target)
            for name, value in sent.headers:
                connection.putheader(name, value)
            if sent.method == "POST":
                connection.putheader("content-length", str(len(sent.content)))
            connection.endheaders(sent.content)
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())

        yield ask_socket
        connection.close()


def faults(group: Group, outcome: str, status: int, body: Any) -> Iterator[str]:
    """What is not as the table has it."""
    refusals: dict[tuple[Any, ...], str] = {}
    for error in body.get("errors", []) if status == 422 else []:
        refusals.setdefault(tuple(error["loc"][:2]), error["type"])
    refused = outcome == "invalid" or (outcome == "missing" and group.state == "required")
    if status != (422 if refused else 200):
        yield f"{outcome}: {status} {body}"
        return
    for name, kind in group.kinds.items():
        found = refusals.get(tuple(group.loc(name))) if refused else body.get(f"p_{name}")
        wanted = expected(group, outcome, kind)
        if found != wanted:
            yield f"{outcome}: {name} is {found}, not {wanted}"


def expected(group: Group, outcome: str, kind: Kind) -> str | None:
    """The word of the refusal, or the value that arrives. None: nothing is said of it."""
    if outcome == "sent":
        return shown(kind.value)
    if outcome == "missing":
        return "missing" if group.state == "required" else shown(kind.default)
    if group.source == "body":
        return kind.words[1]
    if kind.bad is None:
        return "missing" if group.state == "required" and group.source != "path" else None
    return kind.words[0]


def combinations() -> int:
    return sum(len(group.kinds) * len(OUTCOMES) for group in GROUPS)


def test_the_table_has_some_thousands_of_combinations() -> None:
    assert combinations() > 13_000
    assert {kind.hint for kind in TYPES.values()} >= {"int", "float", "bool", "str", "bytes", "list[int]"}


@pytest.mark.parametrize("group", GROUPS, ids=[group.title for group in GROUPS])
def test_every_type_arrives_is_missed_or_is_refused(door: Door, group: Group) -> None:
    found = [
        fault
        for outcome in OUTCOMES
        if not (group.source == "path" and outcome == "missing")
        for sent in group.request(outcome)
        for fault in faults(group, outcome, *door(sent))
    ]
    assert found == []
