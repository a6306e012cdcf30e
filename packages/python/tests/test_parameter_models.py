"""Parameter models and converters, whole tables of them, in process and over a socket."""

from __future__ import annotations

import http.client
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from spikard import Spikard, TestClient

from .serving import serving
from .table.models import CONVERTED, CONVERTER_SPELLINGS, REQUIRED, ModelGroup, arrived, converter, models, sent, told
from .table.types import shown
from .table.writing import Sent

Door = Callable[[Sent], tuple[int, Any]]
BAD = {"count": "x", "price": "x", "day": "x", "color": "blue", "marks": ["1", "x"]}
WORDS = {
    "count": "int_parsing",
    "price": "decimal_parsing",
    "day": "date_from_datetime_parsing",
    "color": "enum",
    "marks": "int_parsing",
}


def app() -> Spikard:
    made = Spikard()
    for group in models():
        made.route(group.template, method=group.method)(group.handler())
    for name in CONVERTED:
        for number, spelling in enumerate(CONVERTER_SPELLINGS):
            made.get(place(name, number, "{value" + f":{name}" * bool(name) + "}"))(converter(name, spelling))
    return made


def place(name: str, number: int, value: str) -> str:
    return f"/converter/{name or 'none'}/{number}/{value}"


@pytest.fixture(scope="module", params=["in process", "socket"])
def door(request: pytest.FixtureRequest) -> Iterator[Door]:
    if request.param == "in process":
        with TestClient(app()) as client:

            def ask(sent: Sent) -> tuple[int, Any]:
                answer = client.request(sent.method, sent.target, headers=sent.headers, content=sent.content)
                return answer.status_code, told(answer.text)

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
            return answer.status, told(answer.read().decode())

        yield ask_socket
        connection.close()


@pytest.mark.parametrize("group", models(), ids=[group.title for group in models()])
def test_a_model_gathers_its_fields(door: Door, group: ModelGroup) -> None:
    for request in group.request(sent()):
        assert door(request) == (200, arrived(group.kind))


@pytest.mark.parametrize("group", models(), ids=[group.title for group in models()])
def test_a_model_whose_fields_are_refused_names_each(door: Door, group: ModelGroup) -> None:
    for request in group.request(BAD):
        status, body = door(request)
        assert status == 422, body
        found = {error["loc"][1]: (error["loc"][0], error["type"]) for error in body["errors"]}
        assert found == {name: (group.loc(name)[0], WORDS[name]) for name in REQUIRED}


@pytest.mark.parametrize("group", models(), ids=[group.title for group in models()])
def test_a_model_of_which_nothing_is_sent_is_missing_or_none(door: Door, group: ModelGroup) -> None:
    for request in group.request({}):
        status, body = door(request)
        if "Optional" in group.spelling:
            assert (status, body) == (200, None), body
            continue
        missing = [error["loc"] for error in body["errors"] if error["type"] == "missing"]
        assert (status, missing) == (422, [group.loc(name) for name in REQUIRED])


@pytest.mark.parametrize("spelling", range(len(CONVERTER_SPELLINGS)), ids=CONVERTER_SPELLINGS)
@pytest.mark.parametrize("name", CONVERTED, ids=[name or "none" for name in CONVERTED])
def test_a_converter_reads_or_refuses(door: Door, name: str, spelling: int) -> None:
    _, good, bad = CONVERTED[name]
    for text, value in good:
        assert door(Sent("GET", place(name, spelling, text), [], b"")) == (200, shown(value)), text
    for text in bad:
        status, body = door(Sent("GET", place(name, spelling, text), [], b""))
        assert (status, [error["loc"] for error in body["errors"]]) == (422, [["path", "value"]]), text
