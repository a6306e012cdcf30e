"""What user code does in a case: the closed vocabulary of `script`, and how `echo` writes values."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import dataclasses
import datetime
import enum
import json
import uuid
from collections.abc import AsyncIterator, Iterator
from decimal import Decimal
from typing import Any

from spikard import HTTPException, JSONResponse, Request, Response, StreamingResponse, UploadFile, background


async def run(script: dict[str, Any], received: dict[str, Any], notes: list[str]) -> Any:
    """Does what the script says and returns what the handler returns. `notes` are those of the app."""
    [(word, given)] = script.items()
    if word == "echo":
        return {name: written(value) for name, value in received.items()}
    if word == "form":
        form = await received["request"].form()
        return [[name, written(value)] for name, value in form.multi_items()]
    if word == "respond":
        return respond(**given)
    if word == "sleep":
        await asyncio.sleep(given["seconds"])
        return await run(given["then"], received, notes)
    if word == "stream":
        return stream(**given)
    if word == "background":
        background.run(note, given, notes)
        return await run(given["then"], received, notes)
    if word == "trace":
        for _ in range(400):
            if len(notes) >= given["notes"]:
                break
            await asyncio.sleep(0.005)
        return list(notes)
    raise raised(given)


def raised(given: dict[str, Any]) -> Exception:
    """The exception that `raise` stands for."""
    if "exception" in given:
        return RuntimeError(given["exception"])
    problem = given["http"]
    status = problem["status"]
    return HTTPException(status, **{name: value for name, value in problem.items() if name != "status"})


class Provider:
    """What the code of one dependency does."""

    def __init__(self, notes: list[str], spec: dict[str, Any]) -> None:
        self.notes, self.spec, self.made = notes, spec, 0

    def value(self, received: dict[str, Any]) -> Any:
        """What it returns."""
        [(word, given)] = self.spec["provide"].items()
        self.made += 1
        if word == "raise":
            raise raised(given)
        return self.made if word == "count" else {name: written(value) for name, value in received.items()}

    @contextlib.contextmanager
    def opened(self, received: dict[str, Any]) -> Iterator[Any]:
        """Its life as a generator."""
        name = self.spec["name"]
        value = self.value(received)
        self.notes.append(f"open {name}")
        try:
            yield value
        except Exception as error:
            self.notes.append(f"{name} saw it")
            if "translate" in self.spec:
                raise raised(self.spec["translate"]) from error
            raise
        finally:
            self.notes.append(f"close {name}")
        if "fails" in self.spec:
            raise raised(self.spec["fails"])


def respond(status: int | None = None, headers: list[list[str]] | None = None, **content: Any) -> Any:
    """The value itself, or a response of exactly this status, these fields and this content."""
    value = base64.b64decode(content["base64"]) if "base64" in content else content.get("text", content.get("value"))
    if status is None and headers is None:
        return value
    kind = JSONResponse if "value" in content else Response
    return kind(value, status or 200, [(name, text) for name, text in headers or ()])


def note(given: dict[str, Any], notes: list[str]) -> None:
    """A task: it makes its note, and fails where it is told to."""
    notes.append(given["note"])
    if "raise" in given:
        raise RuntimeError(given["raise"])


def stream(
    pieces: list[Any], repeat: int = 1, status: int = 200, headers: list[list[str]] | None = None
) -> StreamingResponse:
    """A stream of these pieces; an even number comes from a generator, an odd one from an asynchronous one."""
    made = [base64.b64decode(piece["base64"]) if isinstance(piece, dict) else piece for piece in pieces] * repeat

    async def generated() -> AsyncIterator[str | bytes]:
        for piece in made:
            await asyncio.sleep(0)
            yield piece

    content = generated() if len(pieces) % 2 else (piece for piece in made)
    return StreamingResponse(content, status, [(name, text) for name, text in headers or ()])


def written(value: Any) -> Any:
    """A value as `echo` writes it."""
    for kinds, name, write in _TAGGED:
        if isinstance(value, kinds):
            return {name: write(value)}
    members = model_members(value)
    if members is not None:
        return {name: written(member) for name, member in members.items()}
    if isinstance(value, list):
        return [written(member) for member in value]
    return request_written(value) if isinstance(value, Request) else value


def request_written(request: Request) -> dict[str, Any]:
    """The request itself."""
    fields = [list(pair) for pair in request.headers.multi_items() if pair[0].startswith("x-")]
    said = {name: request[name] for name in ("method", "path")}
    if request.path_params:
        said["params"] = written(request.path_params)
    return {**said, "query": request.query_string, "fields": fields, "state": vars(request.state)}


def model_members(value: Any) -> dict[str, Any] | None:
    """The fields of a model by their names on the wire; None for what is no model."""
    kind: Any = type(value)
    if isinstance(value, dict):
        return value
    if hasattr(kind, "__struct_fields__"):
        config = kind.__struct_config__
        tag = {} if config.tag is None else {config.tag_field: config.tag}
        names = zip(kind.__struct_encode_fields__, kind.__struct_fields__, strict=True)
        return tag | {wire: getattr(value, name) for wire, name in names}
    if hasattr(kind, "model_fields"):
        return {field.alias or name: getattr(value, name) for name, field in kind.model_fields.items()}
    if hasattr(kind, "__attrs_attrs__"):
        return {field.name: getattr(value, field.name) for field in kind.__attrs_attrs__}
    if dataclasses.is_dataclass(value):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    return None


def _members(value: Any) -> list[Any]:
    return [written(member) for member in value]


def _moment(value: Any) -> str:
    return str(value.isoformat())


def _upload(value: UploadFile) -> dict[str, Any]:
    content = base64.b64encode(value.read()).decode()
    return {"filename": value.filename, "content_type": value.content_type, "size": value.size, "base64": content}


_TAGGED: list[tuple[Any, str, Any]] = [
    (UploadFile, "$upload", _upload),
    (enum.Enum, "$enum", lambda value: value.value),
    (uuid.UUID, "$uuid", str),
    (datetime.datetime, "$datetime", _moment),
    (datetime.date, "$date", _moment),
    (datetime.time, "$time", _moment),
    (datetime.timedelta, "$duration", lambda value: value.total_seconds()),
    (Decimal, "$decimal", lambda value: format(value, "f")),
    ((bytes, bytearray), "$bytes", lambda value: base64.b64encode(value).decode()),
    ((set, frozenset), "$set", lambda value: sorted(_members(value), key=json.dumps)),
    (tuple, "$tuple", _members),
]
