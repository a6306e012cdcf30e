"""pydantic's own schemas, in the spelling of the rest. What pydantic changes before it judges, they leave to pydantic: they are
looked at before it is asked.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

from . import _constraints
from ._hints import name_of
from ._models import kind_of
from ._pydantic import adapter
from ._schema import LAX, holds_file, marked
from ._strangers import is_stranger, names_stranger
from .exceptions import SpecError


def json_schema(hint: Any, *, patterns: bool = True) -> dict[str, Any]:
    """pydantic's own schema of the type, strangers marked. `patterns`: with those that pydantic tests in linear time itself."""
    schema: dict[str, Any] = adapter(hint).json_schema(schema_generator=_generator(patterns))
    schema = _without_the_left(schema)
    return _with_strangers(schema) if names_stranger(hint) else schema


_PLACE = "x-stranger"
_LEFT = "x-left"
"""Marks what pydantic alone can judge."""
_JUDGED = {
    *_constraints.KEYWORDS.values(),
    *_constraints.KEYWORDS,
    *("minItems", "maxItems", "minProperties", "maxProperties", "uniqueItems", "additionalProperties", "required"),
}
_REMARKS = ("title", "description", "default", "examples", "deprecated")
_BRANCHES = ("anyOf", "oneOf", "allOf")


def _left(schema: Mapping[str, Any]) -> dict[str, Any]:
    """What is left of the schema of a value that user code changes first: how the texts of a form are gathered for it."""
    if holds_file(schema):
        return dict(schema)
    kept = {key: schema[key] for key in _REMARKS if key in schema}
    branches = [branch for key in _BRANCHES for branch in schema.get(key, ())]
    if any(one.get("type") == "array" or "items" in one for one in (schema, *branches)):
        kept["items"] = {}
    if "properties" in schema:
        kept["properties"] = {name: _left(one) for name, one in schema["properties"].items()}
    return {**kept, _LEFT: True}


def _without_the_left(part: Any) -> Any:
    """Takes the constraints off what is marked, those that stand beside its alternatives too."""
    if isinstance(part, list):
        return [_without_the_left(one) for one in part]
    if not isinstance(part, dict):
        return part
    branches = [branch for key in _BRANCHES for branch in part.get(key, ()) if isinstance(part[key], list)]
    if part.get(_LEFT) is True or any(isinstance(one, dict) and one.get(_LEFT) is True for one in branches):
        part = {key: one for key, one in part.items() if key not in _JUDGED and key != _LEFT}
    return {key: _without_the_left(one) for key, one in part.items()}


def _with_strangers(schema: dict[str, Any]) -> dict[str, Any]:
    """Puts the schemas of Structs and attrs classes where the generator has left their place."""
    definitions: dict[str, Any] = dict(schema.get("$defs", {}))

    def named(cls: type, own: dict[str, Any]) -> dict[str, Any]:
        """A reference, which gives it a name where it is one of several."""
        name = cls.__name__
        while definitions.setdefault(name, own) != own:
            name += "_"
        return {"$ref": f"#/$defs/{name}"}

    def filled(part: Any) -> Any:
        if isinstance(part, list):
            return [filled(one) for one in part]
        if not isinstance(part, dict):
            return part
        if _PLACE in part:
            own = {**marked(part[_PLACE]), LAX: False}
            definitions.update(own.pop("$defs", {}))
            return own if "$ref" in own or kind_of(part[_PLACE]) is None else named(part[_PLACE], own)
        return {key: filled(one) for key, one in part.items()}

    made: dict[str, Any] = filled({key: part for key, part in schema.items() if key != "$defs"})
    definitions.update({name: filled(part) for name, part in list(definitions.items())})
    return {**made, "$defs": definitions} if definitions else made


@functools.cache
def _generator(patterns: bool) -> Any:
    from pydantic.json_schema import GenerateJsonSchema

    class Spelling(GenerateJsonSchema):
        """Without titles made of names, with one format for decimals, and without what is judged too early."""

        def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ARG002
            return False

        def is_instance_schema(self, schema: Any) -> Any:
            return {_PLACE: schema["cls"]} if is_stranger(schema["cls"]) else super().is_instance_schema(schema)

        def handle_invalid_for_json_schema(self, schema: Any, error_info: str) -> Any:
            if schema["type"] == "is-instance":
                raise SpecError(_unread(schema["cls"]))
            return super().handle_invalid_for_json_schema(schema, error_info)

        def dict_schema(self, schema: Any) -> dict[str, Any]:
            result: dict[str, Any] = super().dict_schema(schema)
            if result.get("additionalProperties") is True:
                del result["additionalProperties"]
            return result

        def decimal_schema(self, schema: Any) -> dict[str, Any]:
            result: dict[str, Any] = {"type": "string", "format": "decimal"}
            self.update_with_validations(result, schema, self.ValidationsMapping.numeric)
            return result

        def str_schema(self, schema: Any) -> dict[str, Any]:
            settings = self._config
            if any(
                schema.get(name, getattr(settings, f"str_{name}"))
                for name in ("strip_whitespace", "to_lower", "to_upper")
            ):
                return {"type": "string", _LEFT: True}
            result: dict[str, Any] = super().str_schema(schema)
            engine = schema.get("regex_engine") or settings.regex_engine
            if not patterns and isinstance(schema.get("pattern"), str) and engine == "rust-regex":
                del result["pattern"]
            return result

        def function_before_schema(self, schema: Any) -> dict[str, Any]:
            return _left(super().function_before_schema(schema))

        def function_wrap_schema(self, schema: Any) -> dict[str, Any]:
            return _left(super().function_wrap_schema(schema))

        def function_after_schema(self, schema: Any) -> dict[str, Any]:
            result: dict[str, Any] = super().function_after_schema(schema)
            return {**result, _LEFT: True} if _is_constraint(schema) and _is_changed(schema["schema"]) else result

    return Spelling


def _is_constraint(schema: Any) -> bool:
    """Whether a function is one of pydantic's own, which tests what its schema says."""
    return "pydantic_js_updates" in schema.get("metadata", {})


def _is_changed(schema: Any) -> bool:
    """Whether user code changes a value before a constraint is tested."""
    while schema["type"] == "function-after" and _is_constraint(schema):
        schema = schema["schema"]
    return schema["type"] == "function-after"  # type: ignore[no-any-return]


def _unread(cls: type) -> str:
    """Of a class inside a model that pydantic only asks for instances of."""
    said = "`__get_pydantic_core_schema__` of the class, or `register_decoder`, says how it is read"
    return f"a field of {name_of(cls)} cannot be read from a request ({said})"
