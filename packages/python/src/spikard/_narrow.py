"""Results of a subclass of the annotated model, brought to the model itself, so that what the subclass adds is not sent."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any, get_args, get_origin

from ._hints import unwrap, without_none
from ._models import is_sequence, kind_of


def narrowing(hint: Any) -> Callable[[Any], Any] | None:
    """Makes the annotated model of an instance of a subclass, alone, optional or in a list; None for other hints."""
    plain, _ = unwrap(without_none(unwrap(hint)[0])[0])
    if is_sequence(plain) and len(arguments := get_args(plain)) == 1:
        narrow = narrowing(arguments[0])
        return None if narrow is None else _each(narrow)
    cls = get_origin(plain) or plain
    fields = _fields(cls)
    return None if fields is None else _of_class(cls, fields)


def _fields(cls: Any) -> dict[str, str] | None:
    """The keywords of its constructor, and the attributes that they set."""
    kind = kind_of(cls)
    if kind == "attrs":
        return {field.alias: field.name for field in cls.__attrs_attrs__ if field.init}
    if kind == "dataclass":
        return {field.name: field.name for field in dataclasses.fields(cls) if field.init}
    names = {"pydantic": "model_fields", "struct": "__struct_fields__"}.get(kind or "", "")
    return {name: name for name in getattr(cls, names)} if hasattr(cls, names) else None


def _of_class(cls: Any, fields: dict[str, str]) -> Callable[[Any], Any]:
    make = getattr(cls, "model_construct", cls)

    def narrow(value: Any) -> Any:
        if type(value) is cls or not isinstance(value, cls):
            return value
        kept = {keyword: getattr(value, name) for keyword, name in fields.items()}
        given = getattr(value, "model_fields_set", None)
        return make(**kept) if given is None else make(_fields_set=given & kept.keys(), **kept)

    return narrow


def _each(narrow: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def convert(value: Any) -> Any:
        if not isinstance(value, (list, tuple)):
            return value
        made = [narrow(item) for item in value]
        return value if all(map(lambda one, other: one is other, made, value)) else made

    return convert
