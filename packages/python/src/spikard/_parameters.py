"""How the text of a parameter becomes the annotated type: its schema, its choices, and a decoder where one is needed."""

from __future__ import annotations

import pathlib
from collections.abc import Callable, Iterable, Mapping
from enum import Enum
from typing import Any, Literal, NamedTuple, get_args, get_origin

import msgspec

from . import _constraints
from ._checks import Refused
from ._decode import Decoder, of_value
from ._hints import annotate, is_union, unwrap, without_none
from ._models import fields_of, is_sequence, is_structured, kind_of
from ._pydantic import involved
from ._schema import SCALARS, Schema, schema_of
from .exceptions import SpecError


class Wire(NamedTuple):
    """One parameter's type on the wire."""

    schema: Schema
    choices: tuple[object, ...] | None = None
    decoder: Decoder | None = None


def read_as(hint: Any, options: Mapping[str, Any], *, text: bool) -> Wire:
    """The wire type of a scalar or a sequence of them. `text`: it never stands in JSON, so it cannot be null."""
    if text:
        hint = without_none(hint)[0]
    plain, _ = unwrap(hint)
    if is_structured(plain) and not _bare_sequence(plain):
        raise SpecError(f"{_name(plain)} is no single value: mark it as Body, or a model of its fields as Query")
    constraints = [(name, options[name]) for name in _constraints.KEYWORDS if name in options]
    if constraints and involved(hint):
        hint, constraints = annotate(hint, [msgspec.Meta(**dict(constraints))]), []
    wire = _read(hint, plain)
    if "schema" in options:
        decoder = wire.decoder or (of_value(hint) if wire.choices else None)
        return Wire(dict(options["schema"]), None, decoder)
    try:
        schema = _constraints.constrain(wire.schema, constraints)
    except _constraints.Unsuited as error:
        raise SpecError(str(error)) from None
    said = {name: options[name] for name in ("title", "examples") if name in options}
    return wire._replace(schema={**schema, **said})


def _name(hint: Any) -> str:
    return getattr(hint, "__qualname__", None) or str(hint)


def _bare_sequence(hint: Any) -> bool:
    return is_sequence(hint) and not get_args(hint)


def _read(hint: Any, plain: Any) -> Wire:
    if hint is plain and type(plain) is type and plain in SCALARS and plain is not bytearray:
        return Wire(dict(SCALARS[plain]))
    if involved(hint):
        return Wire(_as_list(_left_to_pydantic(schema_of(hint))), None, of_value(hint))
    if isinstance(plain, type) and issubclass(plain, Enum):
        return Wire(schema_of(hint), tuple(plain))
    if get_origin(plain) is Literal:
        values = get_args(plain)
        native = all(
            isinstance(value, (str, int, bool, type(None))) and not isinstance(value, Enum) for value in values
        )
        return Wire(schema_of(hint), None if native else values)
    if _bare_sequence(plain):
        texts = {list: list[str], tuple: tuple[str, ...], set: set[str], frozenset: frozenset[str]}
        hint = texts.get(plain, list[str])
        plain = hint
    schema = schema_of(hint)
    if schema.get("format") == "path":
        schema = {**schema}
        del schema["format"]
    return Wire(schema, None, None if _native(plain) else of_value(hint))


def _native(hint: Any) -> bool:
    """Whether the extension makes the very type."""
    plain, _ = unwrap(hint)
    if is_union(plain):
        return all(map(_native, get_args(plain)))
    if is_sequence(plain) and get_origin(plain) not in (None, set, frozenset, tuple):
        return all(map(_native, get_args(plain)))
    if isinstance(plain, type) and issubclass(plain, (Enum, pathlib.PurePath)):
        return False
    return plain in SCALARS and plain is not bytearray


def model_fields(hint: Any) -> Iterable[tuple[str, Schema, bool]]:
    """The fields of a model as parameters: name in JSON, schema, required."""
    model, _ = without_none(hint)
    plain, _ = unwrap(model)
    schema = _left_to_pydantic(schema_of(model)) if involved(model) else schema_of(model)
    if kind_of(plain) == "namedtuple":
        items = zip(fields_of(plain), schema["prefixItems"], strict=True)
        members = [(field.wire, item, field.required) for field, item in items]
    else:
        required = schema.get("required", ())
        members = [(name, item, name in required) for name, item in schema["properties"].items()]
    definitions = schema.get("$defs", {})
    for name, item, needed in members:
        yield name, _as_text(_with_definitions(item, definitions)), needed


_TYPES = {"binary", "date", "date-time", "decimal", "duration", "time", "uuid"}
_CONTENT = {"contentEncoding", "contentMediaType", "contentSchema"}
_INNER = {"$defs", "allOf", "anyOf", "items", "oneOf", "prefixItems", "properties"}


def _left_to_pydantic(schema: Any) -> Any:
    """Without what pydantic alone judges in a text: formats that are no types of their own, and what it holds."""
    if isinstance(schema, list):
        return [_left_to_pydantic(one) for one in schema]
    if not isinstance(schema, Mapping):
        return schema
    is_type = schema.get("format") in _TYPES
    left = {key: value for key, value in schema.items() if key not in _CONTENT and (key != "format" or is_type)}
    for key in _INNER & left.keys():
        inner = left[key]
        named = isinstance(inner, Mapping) and key in ("$defs", "properties")
        left[key] = {name: _left_to_pydantic(one) for name, one in inner.items()} if named else _left_to_pydantic(inner)
    return left


def _as_list(schema: Schema) -> Schema:
    """Gathers what a list is made of where the schema says nothing else of it."""
    return {**schema, "type": "array"} if "items" in schema and "type" not in schema else schema


def _as_text(schema: Schema) -> Schema:
    """Without null: text says that something is there, or it is not sent."""
    branches = [branch for branch in schema.get("anyOf", ()) if branch.get("type") != "null"]
    if len(branches) == 1:
        rest = {key: value for key, value in schema.items() if key != "anyOf"}
        schema = {**rest, **branches[0]}
    return _as_list(schema)


def _with_definitions(schema: Schema, definitions: Mapping[str, Any]) -> Schema:
    used = {name: definitions[name] for name in definitions if f'#/$defs/{name}"' in _text(schema)}
    if any(definition.get("type") == "object" for definition in used.values()) or schema.get("type") == "object":
        raise SpecError("the fields of a parameter model must be scalars or lists of them")
    return {**schema, "$defs": used} if used else schema


def _text(schema: Schema) -> str:
    from ._render import encode

    return encode(schema).decode()


def gather(hint: Any, names: Mapping[str, str], default: Callable[[], object] | None = None) -> Decoder:
    """A decoder of a parameter model: from values by their names on the wire, to the model.

    `default` makes what it is when none of its fields was sent. Where some were, those that the model requires are missed.
    """
    model, _ = without_none(hint)
    plain, _ = unwrap(model)
    decode = by_name = of_value(model)
    if kind_of(plain) == "namedtuple":
        decode = lambda values: by_name([*plain(**{names[wire]: value for wire, value in values.items()})])  # noqa: E731
    elif any(wire != name for wire, name in names.items()):
        decode = lambda values: by_name({names.get(wire, wire): value for wire, value in values.items()})  # noqa: E731
    if default is None:
        return decode
    needed = {name for name, _, is_needed in model_fields(model) if is_needed}
    required = [wire for wire, name in names.items() if name in needed]

    def decode_or_default(values: Any) -> Any:
        if not values:
            return default()
        for wire in required:
            if wire not in values:
                raise Refused("missing", (wire,), "Field required")
        return decode(values)

    return decode_or_default
