"""The one place that knows pydantic. It is imported by nobody but its users: found by what their classes carry."""

from __future__ import annotations

import functools
from collections.abc import Callable
from itertools import islice
from typing import Any, get_args, get_origin

from . import _constraints
from ._hints import annotate, name_of, unwrap
from ._models import fields_of, kind_of
from ._strangers import KIND as STRANGER
from ._strangers import names_stranger, validator
from ._upload import UploadFile
from .exceptions import SpecError


def involved(hint: Any, seen: frozenset[Any] = frozenset()) -> bool:
    """Whether pydantic must read this type: it, its metadata, or a plain model's field is pydantic's."""
    plain, metadata = unwrap(hint)
    if plain is UploadFile:
        return False
    if any(type(item).__module__.startswith("pydantic") for item in metadata):
        return True
    if any(hasattr(item, "__get_pydantic_core_schema__") for item in metadata):
        return True
    if hasattr(plain, "__pydantic_validator__") or hasattr(plain, "__get_pydantic_core_schema__"):
        return True
    arguments = [inner for inner in get_args(plain) if not isinstance(inner, (str, int, bytes))]
    if any(involved(inner, seen) for inner in arguments):
        return True
    cls = get_origin(plain) or plain
    if kind_of(cls) in ("dataclass", "typeddict", "namedtuple") and cls not in seen:
        return any(involved(field.hint, seen | {cls}) for field in fields_of(plain))
    return False


def adapter(hint: Any) -> Any:
    """The `TypeAdapter` of a type, with what msgspec's `Meta` says of it. Structs and attrs classes may stand in it."""
    from pydantic import ConfigDict, PydanticSchemaGenerationError, PydanticUserError, TypeAdapter

    hint = _in_its_words(hint)
    try:
        try:
            return TypeAdapter(hint)
        except PydanticSchemaGenerationError:
            if not names_stranger(hint):
                raise
            return TypeAdapter(hint, config=ConfigDict(arbitrary_types_allowed=True))
    except (PydanticUserError, TypeError) as error:
        raise SpecError(_refused(hint, error)) from error


def _in_its_words(hint: Any) -> Any:
    plain, metadata = unwrap(hint)
    metas = [item for item in metadata if type(item).__module__.startswith("msgspec")]
    if not metas:
        return hint
    from pydantic import Field

    said = {**dict(_constraints.written(metas)), **_constraints.documented(metas)}
    return annotate(plain, [*(item for item in metadata if item not in metas), Field(**said)])


def _refused(hint: Any, error: Exception) -> str:
    """Why pydantic has no schema of a type, and what can be written instead."""
    if kind_of(unwrap(hint)[0]) in ("dataclass", "typeddict") and names_stranger(hint):
        fault = "it holds models of pydantic beside Structs or attrs classes"
        return f"{name_of(hint)} cannot be read: {fault}: make it a Struct, or write all of them in one library"
    text = str(error).partition("\n")[0].partition(". Set ")[0].rstrip(".")
    said = f"{name_of(hint)} cannot be read by pydantic, which its models need: {text[:1].lower()}{text[1:]}"
    return f"{said} (`__get_pydantic_core_schema__` of a class says how it is read)"


@functools.cache
def reading(hint: Any) -> Any:
    """What reads a type: `validate_json`, `validate_python`."""
    made = adapter(hint)
    return validator(made.core_schema) if names_stranger(hint) else made


def decoder(hint: Any) -> Callable[[Any], Any]:
    """Reads JSON text as the type."""
    if isinstance(hint, type) and hasattr(hint, "model_validate_json") and not names_stranger(hint):
        return hint.model_validate_json  # type: ignore[no-any-return]
    return reading(hint).validate_json  # type: ignore[no-any-return]


def reader(hint: Any) -> Callable[[Any], Any]:
    """Reads a Python value, or an object's attributes, as the type."""
    return functools.partial(reading(hint).validate_python, from_attributes=True)


MAX_ERRORS = 1000
"""More are not told: each is an object, made on the loop's thread."""
_SHOWN = 8 * 1024
"""Bytes, roughly, of a value that is shown."""
_ECHO = 64 * 1024
"""Bytes, roughly, of all of them. The same value may be shown for each of its members."""
_NAME = 1024
"""Characters of a member's name that are handed on; fewer are shown."""
_MATERIALISED = 4 * 1024 * 1024
"""Bytes, at most, of the values that pydantic makes to show them."""


def is_endless(error: Any) -> bool:
    """Whether there are more errors than are told."""
    return error.error_count() > MAX_ERRORS  # type: ignore[no-any-return]


def refusal(error: Any, size: int = 0) -> list[dict[str, Any]]:
    """The errors of a `ValidationError`, without the program's type names; `size` is that of the text that was read."""
    found = []
    left = _ECHO
    shown = size * error.error_count() <= _MATERIALISED
    for item in error.errors(include_url=False, include_input=shown):
        context = {
            key: str(value) if isinstance(value, Exception) else value
            for key, value in item.get("ctx", {}).items()
            if key != "class_name"
        }
        kind, message = item["type"], item["msg"]
        if kind == STRANGER:
            kind, message, context = "value_error", f"Value error, {message}", {}
        if kind in ("dataclass_type", "model_type", "model_attributes_type"):
            kind, message = "model_type", "Input should be an object"
        value = item.get("input")
        weight = _weight(value, _SHOWN)
        value = value if weight <= min(left, _SHOWN) else None
        left -= weight if value is not None else 0
        loc = [step[:_NAME] if isinstance(step, str) else step for step in item["loc"]]
        entry = {"type": kind, "loc": loc, "msg": message, "input": value}
        found.append({**entry, "ctx": context} if context else entry)
    return found


def is_shown(value: Any) -> bool:
    """Whether it is small enough."""
    return _weight(value, _SHOWN) <= _SHOWN


def _weight(value: Any, limit: int) -> int:
    """Roughly the bytes of a value's text; counting ends above `limit`."""
    weight, rest = 0, [value]
    while rest and weight <= limit:
        value = rest.pop()
        weight += 8
        if isinstance(value, (str, bytes)):
            weight += len(value)
        elif isinstance(value, dict):
            rest.extend(islice(value, limit))
            rest.extend(islice(value.values(), limit))
        elif isinstance(value, (list, tuple, set, frozenset)):
            rest.extend(islice(value, limit))
    return weight
