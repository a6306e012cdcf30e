"""A model's instance made anew of nothing but the model's own fields. No code of the user's runs, but a Struct's `__post_init__`
where a subclass is brought to it.
"""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from ._models import Kind

Member = Callable[[str, Any], Any]
"""What is sent of a field's value."""


def names_of(cls: Any, kind: Kind) -> list[str]:
    """The attributes of a model that are sent, those that its constructor does not take among them."""
    if kind == "attrs":
        return [field.name for field in cls.__attrs_attrs__]
    if kind == "dataclass":
        return [field.name for field in dataclasses.fields(cls)]
    if kind == "pydantic":
        return list(cls.model_fields)
    if kind == "typeddict":
        return list(cls.__annotations__)
    return list(cls.__struct_fields__ if kind == "struct" else cls._fields)


def rebuilder(cls: Any, kind: Kind, names: list[str], member: Member) -> Callable[[Any], Any]:
    """Makes an instance of the model, of one or of a subclass's."""
    make = _MAKERS.get(kind, _bare)

    def rebuild(value: Any) -> Any:
        found = value if isinstance(value, Mapping) else _attributes(value, names)
        kept = {name: member(name, found[name]) for name in names if name in found}
        return make(cls, value, kept)

    return rebuild


def _attributes(value: Any, names: list[str]) -> dict[str, Any]:
    missing = object()
    found = ((name, getattr(value, name, missing)) for name in names)
    return {name: one for name, one in found if one is not missing}


def _struct(cls: Any, value: Any, kept: dict[str, Any]) -> Any:
    if type(value) is not cls:
        return cls(**kept)
    made = copy.copy(value)
    for name, one in kept.items():
        msgspec.structs.force_setattr(made, name, one)
    return made


def _pydantic(cls: Any, value: Any, kept: dict[str, Any]) -> Any:
    if type(value) is cls:
        return value.model_copy(update={name: one for name, one in kept.items() if one is not getattr(value, name)})
    return cls.model_construct(_fields_set=value.model_fields_set & kept.keys(), **kept)


def _namedtuple(cls: Any, value: Any, kept: dict[str, Any]) -> Any:  # noqa: ARG001
    return cls._make(kept.values())


def _typeddict(cls: Any, value: Any, kept: dict[str, Any]) -> Any:  # noqa: ARG001
    return kept


def _bare(cls: Any, value: Any, kept: dict[str, Any]) -> Any:  # noqa: ARG001
    made = object.__new__(cls)
    for name, one in kept.items():
        object.__setattr__(made, name, one)
    return made


_MAKERS: dict[str, Callable[[Any, Any, dict[str, Any]], Any]] = {
    "struct": _struct,
    "pydantic": _pydantic,
    "namedtuple": _namedtuple,
    "typeddict": _typeddict,
}
