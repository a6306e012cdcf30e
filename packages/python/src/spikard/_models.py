"""Kinds of models, told apart without importing the libraries that make them, and their fields."""

from __future__ import annotations

import sys
import typing
from collections.abc import Iterator, Mapping
from enum import Enum
from typing import Any, Literal, NamedTuple, TypeVar, get_args, get_origin

import msgspec

from ._callable import MISSING
from ._decoders import own_decoder
from ._hints import is_union, unwrap

Kind = Literal["pydantic", "struct", "attrs", "dataclass", "typeddict", "namedtuple"]


class Field(NamedTuple):
    """One field of a model."""

    name: str
    wire: str
    """As JSON names it."""
    hint: Any
    required: bool
    default: object = MISSING
    factory: Any = None
    checks: tuple[Any, ...] = ()
    """Validators of the library, beside the hint's metadata."""


def kind_of(hint: Any) -> Kind | None:
    """Which library made this class; None for anything else. The class may be parametrised."""
    cls = get_origin(hint) or hint
    if not isinstance(cls, type):
        return None
    if hasattr(cls, "__pydantic_validator__"):
        return "pydantic"
    if hasattr(cls, "__struct_fields__"):
        return "struct"
    if hasattr(cls, "__attrs_attrs__"):
        return "attrs"
    if hasattr(cls, "__dataclass_fields__"):
        return "dataclass"
    if hasattr(cls, "__total__") and hasattr(cls, "__required_keys__"):
        return "typeddict"
    return "namedtuple" if issubclass(cls, tuple) and hasattr(cls, "_fields") else None


def rest_of(hint: Any) -> Literal["refused", "gathered"] | None:
    """What a model does with members that it does not have, unless it passes over them."""
    cls = get_origin(hint) or hint
    if kind_of(cls) == "struct":
        return "refused" if cls.__struct_config__.forbid_unknown_fields else None
    settings = getattr(cls, "model_config", None) or getattr(cls, "__pydantic_config__", None)
    says = settings.get("extra") if isinstance(settings, Mapping) else None
    return {"forbid": "refused", "allow": "gathered"}.get(says)  # type: ignore[arg-type, return-value]


def further_names(hint: Any) -> dict[str, list[str]]:
    """Of fields that have several names in JSON (`AliasChoices`, `populate_by_name`) those behind the first, by that one."""
    cls = get_origin(hint) or hint
    settings = getattr(cls, "model_config", None) or getattr(cls, "__pydantic_config__", None) or {}
    by_name = settings.get("populate_by_name") or settings.get("validate_by_name")
    found = {}
    for name, field in (getattr(cls, "__pydantic_fields__", None) or getattr(cls, "model_fields", {})).items():
        alias = field.validation_alias
        names = [one for one in getattr(alias, "choices", (alias,)) if isinstance(one, str)]
        if by_name and names and name not in names:
            names.append(name)
        if names[1:]:
            found[names[0]] = names[1:]
    return found


def is_structured(hint: Any) -> bool:
    """Whether a value of this type is a whole body: a model, an object, anything, or a list or union with one."""
    plain, _ = unwrap(hint)
    if plain is Any or plain is object or kind_of(plain) is not None:
        return True
    if is_union(plain):
        return any(is_structured(member) for member in get_args(plain))
    origin = get_origin(plain) or plain
    if not isinstance(origin, type):
        return False
    if issubclass(origin, Mapping):
        return True
    if (own := own_decoder(origin)) is not None:
        return is_structured(own.takes)
    if is_sequence(plain):
        return not get_args(plain) or any(is_structured(item) for item in get_args(plain) if item is not ...)
    return False


def is_sequence(hint: Any) -> bool:
    """Whether it is a list, set, tuple or one of their abstract kinds."""
    from collections.abc import Collection, Iterable

    origin = get_origin(hint) or hint
    if not isinstance(origin, type) or issubclass(origin, (str, bytes, bytearray, Mapping, Enum)):
        return False
    return kind_of(origin) is None and (issubclass(origin, Collection) or origin is Iterable)


_known: dict[Any, list[Field]] = {}


def forget() -> None:
    """Lets go of the models that were looked at."""
    _known.clear()


def fields_of(hint: Any) -> list[Field]:
    """The fields of a model in the order of their declaration, parameters of a generic one filled in.

    Remembered until `forget`: reading postponed annotations is the dearest part of a start.
    """
    if hint not in _known:
        _known[hint] = _fields(hint)
    return _known[hint]


def _fields(hint: Any) -> list[Field]:
    cls = get_origin(hint) or hint
    kind = kind_of(cls)
    if kind == "struct":
        return list(_struct(hint))
    hints = hints_of(hint)
    if kind == "dataclass":
        return list(_dataclass(cls, hints))
    if kind == "attrs":
        return list(_attrs(cls, hints))
    if kind == "typeddict":
        return list(_typeddict(cls, hints))
    defaults = cls._field_defaults
    return [
        Field(name, name, hints.get(name, Any), name not in defaults, defaults.get(name, MISSING))
        for name in cls._fields
    ]


def hints_of(hint: Any) -> dict[str, Any]:
    """The annotations of a class, parameters of a generic one filled in."""
    cls = get_origin(hint) or hint
    known = dict(zip(getattr(cls, "__parameters__", ()), get_args(hint), strict=False))
    return {name: fill(inner, known) for name, inner in typing.get_type_hints(cls, include_extras=True).items()}


def fill(hint: Any, known: Mapping[Any, Any]) -> Any:
    """The hint with type variables replaced; an unknown one is its bound or anything."""
    if isinstance(hint, TypeVar):
        return known.get(hint, hint.__bound__ or Any)
    parameters = getattr(hint, "__parameters__", ())
    if not parameters or isinstance(hint, type):
        return hint
    return hint[tuple(fill(parameter, known) for parameter in parameters)]


def _struct(hint: Any) -> Iterator[Field]:
    for field in msgspec.structs.fields(hint):
        default = MISSING if field.default in (msgspec.NODEFAULT, msgspec.UNSET) else field.default
        factory = None if field.default_factory is msgspec.NODEFAULT else field.default_factory
        yield Field(field.name, field.encode_name, field.type, field.required, default, factory)


def _dataclass(cls: Any, hints: dict[str, Any]) -> Iterator[Field]:
    import dataclasses

    for field in dataclasses.fields(cls):
        if not field.init:
            continue
        default = MISSING if field.default is dataclasses.MISSING else field.default
        factory = None if field.default_factory is dataclasses.MISSING else field.default_factory
        yield Field(field.name, field.name, hints[field.name], default is MISSING and factory is None, default, factory)


def _attrs(cls: Any, hints: dict[str, Any]) -> Iterator[Field]:
    nothing = sys.modules["attr"].NOTHING
    for field in cls.__attrs_attrs__:
        if not field.init:
            continue
        factory = getattr(field.default, "factory", None)
        default = MISSING if field.default is nothing or factory is not None else field.default
        checks = () if field.validator is None else (field.validator,)
        hint = hints.get(field.name, Any)
        yield Field(field.name, field.name, hint, default is MISSING and factory is None, default, factory, checks)


def _typeddict(cls: Any, hints: dict[str, Any]) -> Iterator[Field]:
    for name, hint in hints.items():
        required = name in cls.__required_keys__
        origin = str(get_origin(hint))
        if origin.endswith(".NotRequired"):  # postponed annotations hide it from `__required_keys__`
            required = False
        elif origin.endswith(".Required"):
            required = True
        yield Field(name, name, hint, required)
