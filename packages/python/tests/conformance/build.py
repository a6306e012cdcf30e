"""A case's app, built through the public DSL: handlers with real signatures, models written natively."""

from __future__ import annotations

import datetime
import uuid
from decimal import Decimal
from functools import reduce
from typing import Annotated, Any, Literal, Optional, TypedDict, Union

import msgspec
import pydantic
from msgspec import Meta
from pydantic import AliasChoices
from spikard import Body, Cookie, Form, Header, Path, Provide, Query, Request, ServerConfig, Spikard, UploadFile

from . import hook, models, script

_MARKERS: dict[str, Any] = {"path": Path, "query": Query, "header": Header, "cookie": Cookie}
_MODEL_MARKERS: dict[str, Any] = {**_MARKERS, "body": Form}
_PLAIN: dict[tuple[str | None, str | None], Any] = {
    ("integer", None): int,
    ("number", None): float,
    ("boolean", None): bool,
    ("null", None): type(None),
    ("object", None): dict,
    ("string", "date"): datetime.date,
    ("string", "date-time"): datetime.datetime,
    ("string", "time"): datetime.time,
    ("string", "duration"): datetime.timedelta,
    ("string", "uuid"): uuid.UUID,
    ("string", "decimal"): Decimal,
    ("string", "binary"): bytes,
}
_CONSTRAINTS = {
    "minimum": "ge",
    "maximum": "le",
    "exclusiveMinimum": "gt",
    "exclusiveMaximum": "lt",
    "multipleOf": "multiple_of",
    "minLength": "min_length",
    "maxLength": "max_length",
    "minItems": "min_length",
    "maxItems": "max_length",
    "pattern": "pattern",
}


def constraints(schema: dict[str, Any]) -> dict[str, Any]:
    """The keyword arguments of a marker; a schema with what no argument says is given as it is."""
    if not schema.keys().isdisjoint({"maxDigits", "decimalPlaces"}):
        return {"schema": schema}
    fixed = "prefixItems" in schema
    return {_CONSTRAINTS[key]: value for key, value in schema.items() if key in _CONSTRAINTS and not fixed}


def native(schema: dict[str, Any]) -> Any:
    """The type that a Python user would write, its own constraints left out."""
    if "$ref" in schema:
        return getattr(models, schema["$ref"].rpartition("/")[2])
    if "anyOf" in schema:
        return Union[tuple(constrained(member) for member in schema["anyOf"])]
    if "enum" in schema or "const" in schema:
        return Literal[tuple(schema.get("enum", [schema.get("const")]))]
    if "prefixItems" in schema:
        return tuple[tuple(constrained(item) for item in schema["prefixItems"])]  # type: ignore[misc]
    if schema.get("type") == "array":
        kind: Any = set if schema.get("uniqueItems") else list
        return kind[constrained(schema.get("items", {"type": "string"}))]
    if "contentMediaType" in schema:
        return UploadFile
    return _PLAIN.get((schema.get("type"), schema.get("format")), str if schema else Any)


def constrained(schema: dict[str, Any]) -> Any:
    """The same with its constraints."""
    said = constraints(schema)
    return Annotated[native(schema), Meta(**said)] if said else native(schema)


class Signature:
    """The source of one handler, and the objects that it names."""

    def __init__(self) -> None:
        self.names: dict[str, Any] = {}
        self.parameters: list[tuple[str, bool]] = []

    def add(self, name: str, annotation: Any, *default: Any) -> None:
        """One more parameter."""
        self.names[f"T_{name}"] = annotation
        text = f"{name}: T_{name}"
        if default:
            self.names[f"D_{name}"] = default[0]
            text += f" = D_{name}"
        self.parameters.append((text, bool(default)))

    def function(self, words: dict[str, Any], notes: list[str]) -> Any:
        """The handler; keyword-only where a default stands before a parameter without one."""
        defaults = [has_default for _, has_default in self.parameters]
        texts = [text for text, _ in self.parameters]
        if defaults != sorted(defaults):
            texts.insert(0, "*")
        return self._made(texts, "return await run(words, spread(locals()), notes)", words=words, notes=notes)

    def provider(self, notes: list[str], spec: dict[str, Any]) -> Any:
        """A dependency; those without default first, which the corpus keeps to."""
        texts = [text for text, _ in self.parameters]
        made = script.Provider(notes, spec)
        steps = "return made.value(spread(locals()))"
        if spec.get("generator"):
            steps = "with made.opened(spread(locals())) as value:\n        yield value"
        return self._made(texts, steps, made=made)

    def _made(self, texts: list[str], steps: str, **names: Any) -> Any:
        names = {**self.names, **names, "run": script.run, "spread": spread}
        exec(f"async def handler({', '.join(texts)}):\n    {steps}\n", names)
        return names["handler"]


def add_parameter(signature: Signature, spec: dict[str, Any], place: int) -> None:
    """One parameter, in one of the spellings: they take turns."""
    name = spec.get("as", spec["name"])
    schema = spec["schema"]
    kind = native(schema)
    default = [decoded_default(schema, spec["default"])] if "default" in spec else []
    if spec.get("required") is False:
        kind, default = Optional[kind], [None]
    if spec["in"] == "body":
        signature.add(name, Annotated[kind, Meta(**said)] if (said := constraints(schema)) else kind, *default)
        return
    marker = _MARKERS[spec["in"]]
    options = constraints(schema)
    if name != spec["name"] or spec["in"] == "header":
        options["alias"] = spec["name"]
    if "separator" in spec:
        options["separator"] = spec["separator"]
    if not options and place % 3 == 0:
        signature.add(name, marker[kind], *default)
    elif place % 3 == 1:
        signature.add(name, kind, marker(*default, **options))
    else:
        signature.add(name, Annotated[kind, marker(**options)], *default)


def add_parameters(signature: Signature, specs: list[dict[str, Any]]) -> None:
    """All of a route or a dependency; those of a source that stand before its rest as one model, whose fields are handed on."""
    fields: dict[str, list[dict[str, Any]]] = {}
    for spec in specs:
        if "rest" in spec:
            fields[spec["in"]] = [one for one in specs[: specs.index(spec)] if one["in"] == spec["in"]]
            model = _MODEL_MARKERS[spec["in"]][model_of(fields[spec["in"]], spec["rest"])]
            signature.add(f"model_{spec['name']}", model)
    for place, spec in enumerate(specs):
        if "rest" not in spec and spec not in fields.get(spec["in"], ()):
            add_parameter(signature, spec, place)


def model_of(members: list[dict[str, Any]], rest: str) -> Any:
    """A model that forbids unknown names or takes them, of either library that can."""
    fields: dict[str, tuple[Any, Any]] = {}
    for spec in members:
        kind = constrained(spec["schema"])
        kind, default = (kind, ...) if spec.get("required", True) else (Optional[kind], None)
        fields[spec["name"]] = (
            kind,
            decoded_default(spec["schema"], spec["default"]) if "default" in spec else default,
        )
    also = {spec["name"]: AliasChoices(spec["name"], *spec["also"]) for spec in members if "also" in spec}
    if rest == "gathered" or also or len(members) % 2:
        for name, names in also.items():
            fields[name] = (fields[name][0], pydantic.Field(fields[name][1], validation_alias=names))
        config = {"extra": "allow" if rest == "gathered" else "forbid"}
        return pydantic.create_model("Sent", __config__=config, **fields)  # type: ignore[call-overload]
    structs = [(name, kind) if default is ... else (name, kind, default) for name, (kind, default) in fields.items()]
    return msgspec.defstruct("Sent", structs, forbid_unknown_fields=True, kw_only=True)


def spread(received: dict[str, Any]) -> dict[str, Any]:
    """What a handler has received, the fields of such models among it."""
    found: dict[str, Any] = {}
    for name, value in received.items():
        if name.startswith("model_"):
            found.update(script.model_members(value) or {})
            if (rest := getattr(value, "model_extra", None)) is not None:
                found[name.removeprefix("model_")] = rest
        else:
            found[name] = value
    return found


def decoded_default(schema: dict[str, Any], default: Any) -> Any:
    """A default in JSON as the value that a user would write."""
    return msgspec.convert(default, native(schema))


def add_body(signature: Signature, spec: dict[str, Any], decoder: str | None, method: str) -> dict[str, Any]:
    """The body's parameter; answers the route options that go with it."""
    options = {}
    kind = spec.get("kind", "json-or-form")
    if "type" in spec:
        hint = models.native(decoder or "", spec["type"])
        hint = list[hint] if spec.get("list") else hint
    elif spec.get("reading") == "typed":
        members = {name: constrained(member) for name, member in spec["schema"]["properties"].items()}
        hint = TypedDict("Sent", members, total=False)  # type: ignore[misc]
    elif "schema" in spec:
        hint, options = Any, {"request_schema": spec["schema"]}
    else:
        hint = {"text": str, "bytes": bytes}[kind]
    default = [] if spec.get("required", True) else [None]
    hint = Optional[hint] if default else hint
    marker: Any = {"json": Body, "form": Form, "bytes": Body}.get(kind)
    signature.add("body", marker[hint] if marker and (kind != "bytes" or method == "GET") else hint, *default)
    return options


def add_dependencies(app: Spikard, dependencies: list[dict[str, Any]], notes: list[str]) -> None:
    """Everything that the case provides."""
    for spec in dependencies:
        if "constant" in spec["provide"]:
            app.provide(spec["name"], spec["provide"]["constant"])
            continue
        signature = Signature()
        add_parameters(signature, spec.get("parameters", []))
        for name in spec.get("takes", ()):
            signature.add(name, Any)
        scope = spec.get("scope", "request")
        options = {"singleton": scope == "singleton", "use_cache": scope != "call", "concurrent": "concurrent" in spec}
        options["scope"] = "function" if spec.get("ends") == "handler" else "request"
        if "needs" in spec:
            options["depends_on"] = [*spec["needs"], *spec.get("takes", ())]
        app.provide(spec["name"], Provide(signature.provider(notes, spec), **options))


def build(case: dict[str, Any], decoder: str | None) -> Spikard:
    """The app of a case, its models in the library of this decoder."""
    app = Spikard(ServerConfig(**case["app"].get("config", {})))
    notes: list[str] = []
    hook.add_hooks(app, case["app"], notes)
    add_dependencies(app, case["app"].get("dependencies", []), notes)
    for route in case["app"]["routes"]:
        signature, options = Signature(), dict(route.get("options", {}))
        add_parameters(signature, route.get("parameters", []))
        if "body" in route:
            options |= add_body(signature, route["body"], decoder, route["method"])
        options |= {name: route[name] for name in ("status_code", "response_schema") if name in route}
        if "responses" in route:
            options["responses"] = {int(status): {"schema": schema} for status, schema in route["responses"].items()}
        for name in route.get("takes", ()):
            signature.add(name, Any)
        options |= {"dependencies": route["needs"]} if "needs" in route else {}
        if route.get("request"):
            signature.add("request", Request)
        options |= hook.options(route)
        register = app.route(route["path"], method=route["method"], **options)
        register(signature.function(route["script"], notes))
    return app


def decoders(case: dict[str, Any], known: dict[str, Any]) -> list[str | None]:
    """Every library that can write all the models of a case; none where there is no model."""
    bodies = [route["body"] for route in case["app"]["routes"] if "body" in route]
    named = [set(known[body["type"]]["decoders"]) for body in bodies if "type" in body]
    if not named:
        return ["schema"] if any("schema" in body for body in bodies) else [None]
    order = ("msgspec", "dataclass", "attrs", "typeddict", "namedtuple", "pydantic")
    found = reduce(set.__and__, named)
    return [each for each in order if each in found]
