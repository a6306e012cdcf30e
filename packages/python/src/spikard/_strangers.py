"""Structs, attrs classes and classes with a decoder of their own inside pydantic's models, which allow
`arbitrary_types_allowed`: pydantic only asks whether a value is an instance. Here such members are read by msgspec, on the way
in, and told by their own schema.
"""

from __future__ import annotations

from typing import Any, get_args, get_origin

import msgspec

from ._decoders import own_decoder
from ._hints import unwrap
from ._models import hints_of, kind_of

KIND = "stranger"
"""The type of pydantic's error where one was refused."""


def is_stranger(cls: Any) -> bool:
    """Whether it is a Struct, an attrs class, or a class with a decoder."""
    return kind_of(cls) in ("struct", "attrs") or own_decoder(cls) is not None


def names_stranger(hint: Any, seen: frozenset[Any] = frozenset()) -> bool:
    """Whether one stands anywhere in a type, in the models inside of it, too."""
    plain, _ = unwrap(hint)
    if any(names_stranger(inner, seen) for inner in get_args(plain)):
        return True
    cls = get_origin(plain) or plain
    kind = kind_of(cls)
    if kind in (None, "struct", "attrs") or cls in seen:
        return is_stranger(cls)
    fields = getattr(cls, "__pydantic_fields__", None)
    if fields is not None:
        return any(names_stranger(field.annotation, seen | {cls}) for field in fields.values())
    return any(names_stranger(inner, seen | {cls}) for inner in hints_of(plain).values())


def validator(schema: Any) -> Any:
    """What reads a core schema of pydantic, strangers included."""
    from pydantic_core import SchemaValidator

    opened = _opened(schema)
    try:  # a model inside is read by its class's own validator otherwise
        return SchemaValidator(opened, _use_prebuilt=False)
    except TypeError:
        return SchemaValidator(opened)


def _opened(schema: Any) -> Any:
    if isinstance(schema, (list, tuple)):
        return type(schema)(map(_opened, schema))
    if not isinstance(schema, dict):
        return schema
    if schema.get("type") == "is-instance" and is_stranger(schema["cls"]):
        from pydantic_core import core_schema

        return core_schema.no_info_plain_validator_function(_reader(schema["cls"]))
    return {key: _opened(value) for key, value in schema.items()}


def _reader(cls: type) -> Any:
    from pydantic_core import PydanticCustomError

    from ._decode import foreign

    def read(value: Any) -> Any:
        try:
            return value if isinstance(value, cls) else msgspec.convert(value, cls, dec_hook=foreign)
        except msgspec.ValidationError as error:
            raise PydanticCustomError(KIND, "{text}", {"text": str(error)}) from None

    return read
