"""Type hints as JSON Schemas, spelled as pydantic spells them whatever library declared the model."""

from __future__ import annotations

import collections.abc
import datetime
import decimal
import pathlib
import re
import uuid
from collections.abc import Mapping
from enum import Enum
from typing import Any, Literal, TypeVar, get_args, get_origin

import msgspec

from . import _constraints
from ._callable import MISSING
from ._decoders import own_decoder
from ._functions import name_of
from ._hints import is_union, unwrap
from ._models import Field, fields_of, fill, is_sequence, kind_of
from ._pydantic import involved
from ._upload import FILE_SCHEMA, UploadFile
from .exceptions import SpecError

Schema = dict[str, Any]

SCALARS: dict[Any, Schema] = {
    str: {"type": "string"},
    int: {"type": "integer"},
    float: {"type": "number"},
    bool: {"type": "boolean"},
    bytes: {"type": "string", "format": "binary"},
    bytearray: {"type": "string", "format": "binary"},
    decimal.Decimal: {"type": "string", "format": "decimal"},
    uuid.UUID: {"type": "string", "format": "uuid"},
    datetime.datetime: {"type": "string", "format": "date-time"},
    datetime.date: {"type": "string", "format": "date"},
    datetime.time: {"type": "string", "format": "time"},
    datetime.timedelta: {"type": "string", "format": "duration"},
    type(None): {"type": "null"},
    None: {"type": "null"},
    UploadFile: FILE_SCHEMA,
    Any: {},
    object: {},
}
_EMPTY_FACTORIES: dict[Any, Any] = {list: [], dict: {}, set: [], frozenset: [], tuple: []}


LAX = "x-lax"
"""Marks what a lax decoder reads (true), and inside of it what none does."""


def schema_of(hint: Any) -> Schema:
    """The JSON Schema of a type: its root stands inline unless it holds itself, everything named is in `$defs`."""
    schema: Schema = parted(marked(hint))[0]
    return schema


def parted(schema: Any, pointer: str = "") -> tuple[Any, dict[str, bool]]:
    """A schema without marks, and the marks by JSON pointers."""
    if isinstance(schema, list):
        steps: Any = enumerate(schema)
    elif isinstance(schema, dict):
        steps = schema.items()
    else:
        return schema, {}
    found = {pointer: schema[LAX]} if isinstance(schema, dict) and isinstance(schema.get(LAX), bool) else {}
    parts = {}
    for step, part in steps:
        if step != LAX or not isinstance(part, bool):
            parts[step], inner = parted(part, f"{pointer}/{str(step).replace('~', '~0').replace('/', '~1')}")
            found.update(inner)
    return (parts if isinstance(schema, dict) else list(parts.values())), found


def marked(hint: Any) -> Schema:
    """The same, with marks."""
    writer = _Writer()
    plain, metadata = unwrap(hint)
    if _is_pydantic(hint):
        return _of_pydantic(hint)
    if kind_of(plain) is None:
        schema = writer.write(hint)
    else:
        reference = writer.write(plain)
        name = reference["$ref"].rpartition("/")[2]
        inline = writer.uses[name] == 1
        schema = writer.definitions.pop(name) if inline else reference
        schema = {**schema, **_constraints.documented(metadata)}
    return {**schema, "$defs": writer.definitions} if writer.definitions else schema


def _is_pydantic(hint: Any) -> bool:
    return kind_of(unwrap(hint)[0]) not in ("struct", "attrs") and involved(hint)


def _of_pydantic(hint: Any) -> Schema:
    from ._pydantic_schema import json_schema

    return json_schema(hint)


class NoSchema(SpecError):
    """A type that JSON cannot be read as."""

    def __init__(self, hint: Any) -> None:
        super().__init__(f"there is no JSON Schema of {name_of(hint)}")
        self.hint = hint


class _Writer:
    """Writes one document: named types once each, into `definitions`."""

    def __init__(self) -> None:
        self.definitions: dict[str, Schema] = {}
        self.uses: dict[str, int] = {}
        self._names: dict[Any, str] = {}

    def write(self, hint: Any) -> Schema:
        plain, metadata = unwrap(hint)
        if metadata and any(type(item).__module__.startswith("pydantic") for item in metadata):
            return self._foreign(hint)
        schema = self._plain(plain)
        try:
            schema = _constraints.constrain(schema, _constraints.written(metadata))
        except _constraints.Unsuited as error:
            raise SpecError(str(error)) from None
        return {**schema, **_constraints.documented(metadata)}

    def _plain(self, hint: Any) -> Schema:
        if isinstance(hint, TypeVar):
            return self.write(fill(hint, {}))
        if isinstance(hint, collections.abc.Hashable) and hint in SCALARS:
            return dict(SCALARS[hint])
        if is_union(hint):
            return self._union(get_args(hint))
        if get_origin(hint) is Literal:
            return _choice([value.value if isinstance(value, Enum) else value for value in get_args(hint)])
        if kind_of(hint) is not None:
            return self._model(hint)
        cls = get_origin(hint) or hint
        if not isinstance(cls, type):
            raise NoSchema(hint)
        if issubclass(cls, Enum):
            return self._named(cls, lambda: _enumeration(cls))
        if issubclass(cls, Mapping):
            return self._mapping(get_args(hint))
        return self._container(hint, cls)

    def _container(self, hint: Any, cls: type) -> Schema:
        arguments = get_args(hint)
        if issubclass(cls, tuple) and arguments and arguments[-1] is not ...:
            prefix = [self.write(item) for item in arguments]
            return {"type": "array", "prefixItems": prefix, "minItems": len(prefix), "maxItems": len(prefix)}
        if is_sequence(hint):
            schema: Schema = {"type": "array", "items": self.write(arguments[0] if arguments else Any)}
            return {**schema, "uniqueItems": True} if issubclass(cls, collections.abc.Set) else schema
        if hasattr(cls, "__get_pydantic_core_schema__"):
            return self._foreign(hint)
        if issubclass(cls, pathlib.PurePath):
            return {"type": "string", "format": "path"}
        for scalar in (str, int, float):
            if issubclass(cls, scalar):
                return dict(SCALARS[scalar])
        if (own := own_decoder(cls)) is not None:
            return self.write(own.takes)
        if cls in (msgspec.Raw, re.Pattern):
            return {}
        raise NoSchema(cls)

    def _union(self, arguments: tuple[Any, ...]) -> Schema:
        kept = [inner for inner in arguments if inner not in (type(None), msgspec.UnsetType)]
        structs = [inner for inner in kept if getattr(get_origin(inner) or inner, "__struct_config__", None)]
        tagged = len(structs) > 1 and all(inner.__struct_config__.tag is not None for inner in structs)
        branches = [self.write(inner) for inner in kept if not (tagged and inner in structs)]
        if tagged:
            branches.insert(0, self._tagged(structs))
        if type(None) in arguments:
            branches.append({"type": "null"})
        return branches[0] if len(branches) == 1 else {"anyOf": branches}

    def _tagged(self, structs: list[Any]) -> Schema:
        branches = [self.write(struct) for struct in structs]
        config = [struct.__struct_config__ for struct in structs]
        mapping = {str(each.tag): branch["$ref"] for each, branch in zip(config, branches, strict=True)}
        return {"oneOf": branches, "discriminator": {"propertyName": config[0].tag_field, "mapping": mapping}}

    def _mapping(self, arguments: tuple[Any, ...]) -> Schema:
        schema: Schema = {"type": "object"}
        if arguments and unwrap(arguments[1])[0] not in (Any, object):
            schema["additionalProperties"] = self.write(arguments[1])
        return {**schema, **self._keys(arguments[0])} if arguments else schema

    def _keys(self, hint: Any) -> Schema:
        """What a pattern makes of a mapping's keys: it must not reach the host's engine before the core's."""
        key = self.write(hint)
        if "pattern" in key:
            return {"propertyNames": key}
        if any("pattern" in member for member in key.get("anyOf", ())):
            raise SpecError("a pattern says nothing about keys of several types")
        return {}

    def _model(self, hint: Any) -> Schema:
        kind = kind_of(hint)
        if kind == "pydantic":
            return self._foreign(hint)
        if kind == "namedtuple" or (kind == "struct" and (get_origin(hint) or hint).__struct_config__.array_like):
            return self._named(hint, lambda: self._array(fields_of(hint)))
        return self._named(hint, lambda: self._object(hint))

    def _array(self, fields: list[Field]) -> Schema:
        required = sum(field.required for field in fields)
        prefix = [self.field(field) for field in fields]
        return {"type": "array", "prefixItems": prefix, "minItems": required, "maxItems": len(prefix)}

    def _object(self, hint: Any) -> Schema:
        fields = fields_of(hint)
        properties = {field.wire: self.field(field) for field in fields}
        required = [field.wire for field in fields if field.required]
        config = getattr(get_origin(hint) or hint, "__struct_config__", None)
        if config is not None and config.tag is not None:
            properties = {config.tag_field: _choice([config.tag]), **properties}
            required.insert(0, config.tag_field)
        schema: Schema = {"type": "object", "properties": properties}
        if required:
            schema["required"] = required
        if config is not None and config.forbid_unknown_fields:
            schema["additionalProperties"] = False
        return schema

    def field(self, field: Field) -> Schema:
        schema = self.write(field.hint)
        for check in field.checks:
            schema = _constraints.constrain(schema, _constraints.from_attrs(check))
        default = _EMPTY_FACTORIES.get(field.factory, MISSING) if field.factory is not None else field.default
        return schema if default is MISSING else {**schema, **default_of(default)}

    def _foreign(self, hint: Any) -> Schema:
        schema = dict(_of_pydantic(hint))
        self.definitions.update(schema.pop("$defs", {}))
        plain, _ = unwrap(hint)
        if hasattr(plain, "__pydantic_validator__") or hasattr(plain, "__get_pydantic_core_schema__"):
            schema[LAX] = True
        if kind_of(plain) == "pydantic" and "$ref" not in schema:
            return self._named(plain, lambda: schema)
        return schema

    def _named(self, hint: Any, write: Any) -> Schema:
        name = self._names.get(hint)
        if name is None:
            name = self._name(hint)
            self._names[hint] = name
            self.uses[name] = 0
            self.definitions[name] = {}
            self.definitions[name] = write()
        self.uses[name] += 1
        return {"$ref": f"#/$defs/{name}"}

    def _name(self, hint: Any) -> str:
        cls = get_origin(hint) or hint
        parts = [cls.__name__, *(getattr(unwrap(inner)[0], "__name__", "") for inner in get_args(hint))]
        name = "_".join(part for part in parts if part)
        if name in self.definitions:
            name = f"{cls.__module__}.{cls.__qualname__}".replace("<locals>", "").replace(".", "_")
        while name in self.definitions:
            name += "_"
        return name


def _choice(values: list[Any]) -> Schema:
    kinds = {type(value) for value in values}
    scalar = SCALARS.get(next(iter(kinds))) if len(kinds) == 1 else None
    kind = {"type": scalar["type"]} if scalar else {}
    return {**kind, "const": values[0]} if len(values) == 1 else {**kind, "enum": values}


def _enumeration(cls: type[Enum]) -> Schema:
    values = [member.value for member in cls]
    return {**{key: value for key, value in _choice(values).items() if key == "type"}, "enum": values}


def default_of(value: object) -> Schema:
    """`{"default": …}` where JSON can say it, else nothing."""
    try:
        return {"default": msgspec.to_builtins(value)}
    except (TypeError, ValueError):
        return {}


def object_of(fields: list[Field]) -> Schema:
    """The schema of an object with these fields, as if a model declared them."""
    writer = _Writer()
    properties = {field.wire: writer.field(field) for field in fields}
    schema: Schema = {"type": "object", "properties": properties}
    required = [field.wire for field in fields if field.required]
    if required:
        schema["required"] = required
    return {**schema, "$defs": writer.definitions} if writer.definitions else schema


def holds_file(schema: Any) -> bool:
    """Whether a file of a form stands anywhere in it. What has a schema of its content is text."""
    if isinstance(schema, Mapping):
        is_text = "contentEncoding" in schema or "contentSchema" in schema
        return ("contentMediaType" in schema and not is_text) or any(map(holds_file, schema.values()))
    return isinstance(schema, list) and any(map(holds_file, schema))
