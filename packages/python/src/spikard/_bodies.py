"""The body of a route: which arguments take it, and how they share it."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, Literal, NamedTuple

import msgspec

from . import _constraints, _schema
from ._callable import MISSING
from ._checks import Bounds
from ._decode import Decoder, foreign, in_member, is_refusal, is_strict, of_body, of_msgpack, of_value, uses_pydantic
from ._defaults import own
from ._hints import annotate, union, unwrap, without_none
from ._lax import Refusals
from ._markers import Marker
from ._models import Field, fields_of, further_names, kind_of
from ._upload import own_name
from .exceptions import SpecError

RAW = {bytes: "bytes", str: "text"}


class Taken(NamedTuple):
    """One parameter of a handler, with what its marker says."""

    name: str
    hint: Any
    default: object
    factory: bool
    marker: Marker | None
    keyword: bool
    owner: int = 0
    """Whose parameter it is: the handler's, or that of a dependency by its number."""
    bare: bool = False
    """It has neither annotation nor default."""

    @property
    def required(self) -> bool:
        return self.default is MISSING

    @property
    def wire(self) -> str:
        """Its name in a body."""
        alias = self.option("alias")
        return self.name if alias is None else str(alias)

    def option(self, name: str) -> Any:
        return None if self.marker is None else self.marker.options.get(name)

    @property
    def hidden(self) -> bool:
        """Whether documents leave it out."""
        return self.option("include_in_schema") is False

    @property
    def judged(self) -> Any:
        """The hint as a decoder reads it, with the marker's constraints; a pattern has been judged by the core before."""
        options = {} if self.marker is None else self.marker.options
        said = {name: options[name] for name in Bounds._fields if name in options}
        if not said:
            return self.hint
        return annotate(self.hint, [_meta(said) if uses_pydantic(self.hint) else Bounds(**said)])

    def constrained(self) -> Any:
        """The hint with the marker's constraints and what else it says, for the schema, which words the refusals."""
        options = {} if self.marker is None else self.marker.options
        names = (*_constraints.KEYWORDS, "title", "description", "examples")
        said = {name: options[name] for name in names if name in options}
        if options.get("deprecated"):
            said["extra_json_schema"] = {"deprecated": True}
        return annotate(self.hint, [_meta(said)] if said else [])


def _meta(said: dict[str, Any]) -> msgspec.Meta:
    try:
        return msgspec.Meta(**said)
    except (TypeError, ValueError) as error:
        text = str(error)
        raise SpecError(f"{text[:1].lower()}{text[1:]}") from None


class BodyOf(NamedTuple):
    """A route's body as the document has it, and who gets it."""

    spec: dict[str, Any]
    decoders: Mapping[str, Decoder] = {}
    """By their names in the document: what makes the host's value of JSON, MessagePack and plain values."""
    shared: tuple[Taken, ...] = ()
    """The arguments that share it by name; empty where one takes the whole."""
    buffers: bool = True
    """The decoder of JSON reads any buffer."""

    def kind(self, name: str) -> Literal["decoder", "reader"]:
        """How the decoder of this name is called."""
        return "reader" if name == "decoder" and self.buffers else "decoder"


def raw_kind(taken: Taken, *, body_method: bool) -> str | None:
    """`body: bytes`, `body: str` and `Body[bytes]` are the body as it was sent."""
    kind = RAW.get(unwrap(without_none(taken.hint)[0])[0])
    if taken.marker is None:
        return kind if body_method and taken.name == "body" else None
    return kind if kind == "bytes" and taken.marker.source == "body" and not taken.option("embed") else None


def kind_for(takers: list[Taken]) -> str:
    """The media types that are read: what the markers say, JSON and forms where there is none."""
    sources = {taken.marker.source for taken in takers if taken.marker is not None}
    return {frozenset({"form"}): "form", frozenset({"body"}): "json"}.get(frozenset(sources), "json-or-form")


def whole(taken: Taken, kind: str) -> BodyOf:
    """One argument takes all of it."""
    hint, made = taken.constrained(), decoders(taken.judged)
    if kind == "form" and kind_of(unwrap(without_none(hint)[0])[0]) == "namedtuple":
        hint, made = _of_named_tuple(hint)
    explicit = taken.option("schema")
    schema, lax = _schema_of(hint, kind) if explicit is None else (explicit, {})
    if _schema.holds_file(schema):
        kind = "form"
        own_name(unwrap(hint)[0], taken.name)
    spec = {"schema": schema, "kind": kind, "required": taken.required, "strict_decoder": is_strict(taken.judged)}
    spec.update(_said(taken))
    if lax:
        spec["lax"] = lax
    if kind != "json" and (also := further_names(unwrap(without_none(hint)[0])[0])):
        spec["also"] = also
    buffers = not uses_pydantic(taken.hint)
    return BodyOf(spec if explicit is None else {**spec, "reading": "json-schema"}, made, buffers=buffers)


def _schema_of(hint: Any, kind: str) -> tuple[dict[str, Any], dict[str, bool]]:
    """With the parts that pydantic reads, laxly. The patterns of a body that it reads as it was sent are its own, too."""
    if not uses_pydantic(hint):
        return _schema.parted(_schema.marked(hint))
    from ._pydantic_schema import json_schema

    schema, strangers = _schema.parted(json_schema(hint, patterns=kind == "form"))
    return schema, {"": True, **strangers}


def _said(taken: Taken) -> dict[str, Any]:
    """What its marker says for documents of a whole body."""
    return {"include_in_schema": False} if taken.hidden else {}


def _of_named_tuple(hint: Any) -> tuple[Any, dict[str, Decoder]]:
    """A form has names, as a Struct of the same fields does; the tuple is made of it."""
    plain, is_optional = without_none(hint)
    model = unwrap(plain)[0]
    fields = [
        (field.name, field.hint) if field.required else (field.name, field.hint, field.default)
        for field in fields_of(model)
    ]
    twin: Any = msgspec.defstruct(model.__name__, fields)

    def tupled(read: Decoder) -> Decoder:
        return lambda sent: None if (found := read(sent)) is None else model(*msgspec.structs.astuple(found))

    read_as = union([twin, type(None)]) if is_optional else twin
    return read_as, {name: tupled(read) for name, read in decoders(read_as).items()}


def decoders(hint: Any) -> dict[str, Decoder]:
    """Every way to make a value of the type."""
    return {"decoder": of_body(hint), "msgpack_decoder": of_msgpack(hint), "value_decoder": of_value(hint)}


def raw(taken: Taken, kind: str) -> BodyOf:
    """One argument takes its bytes, or its text."""
    return BodyOf({"kind": kind, "required": taken.required, **_said(taken)})


def shared(takers: list[Taken], kind: str) -> BodyOf:
    """Several arguments take one member each."""
    fields = [
        Field(taken.name, taken.wire, taken.constrained(), taken.required, MISSING if taken.factory else taken.default)
        for taken in takers
    ]
    if any(taken.option("schema") is not None for taken in takers):
        raise SpecError("schema= needs a parameter that takes the whole body")
    object_schema = _schema.object_of(fields)
    for taken in takers:
        if uses_pydantic(taken.hint):
            object_schema["properties"][taken.wire][_schema.LAX] = True
    schema, lax = _schema.parted(object_schema)
    required = any(taken.required for taken in takers)
    slices: dict[str, tuple[Decoder, Callable[[Any], Decoder], Decoder | None]] = {
        "decoder": (msgspec.json.Decoder(dict[str, msgspec.Raw]).decode, of_body, bytes),
        "msgpack_decoder": (msgspec.msgpack.Decoder(dict[str, msgspec.Raw]).decode, of_msgpack, bytes),
        "value_decoder": (dict, of_value, None),
    }
    decoders = {name: _members(takers, *how, of_form=kind == "form") for name, how in slices.items()}
    spec = {"schema": schema, "kind": kind, "required": required, "strict_decoder": True}
    if lax:
        spec["lax"] = lax
    if hidden := [taken.wire for taken in takers if taken.hidden]:
        spec["hidden"] = hidden
    return BodyOf(spec, decoders, tuple(takers))


def _members(
    takers: list[Taken],
    split: Decoder,
    reader: Callable[[Any], Decoder],
    piece: Decoder | None,
    *,
    of_form: bool,
) -> Decoder:
    members = [(taken, _reader(taken, reader, of_form=of_form)) for taken in takers]
    at_once = _at_once(members)

    def read_one(taken: Taken, read: Decoder, sent: dict[str, Any]) -> Any:
        if taken.wire not in sent:
            return default_value(taken)
        value = sent[taken.wire]
        return read(value if piece is None else piece(value))

    def refused(taken: Taken, read: Decoder, sent: dict[str, Any]) -> list[dict[str, Any]]:
        try:
            read_one(taken, read, sent)
        except Exception as error:
            return in_member(taken.wire, error)
        return []

    def decode(body: Any) -> dict[str, Any]:
        if at_once is not None:
            with suppress(msgspec.ValidationError):
                return at_once(body)
        sent = split(body)
        try:
            return {taken.name: read_one(taken, read, sent) for taken, read in members}
        except Exception as error:
            if not is_refusal(error):
                raise
            raise Refusals([entry for taken, read in members for entry in refused(taken, read, sent)]) from error

    return decode


def _at_once(members: list[tuple[Taken, Decoder]]) -> Callable[[Any], dict[str, Any]] | None:
    """Reads all of them by one decoder, where msgspec's alone reads each."""
    fields: list[tuple[str, Any] | tuple[str, Any, Any]] = []
    for taken, read in members:
        decoder = getattr(read, "__self__", None)
        if not isinstance(decoder, msgspec.json.Decoder):
            return None
        optional = (taken.name, union([decoder.type, msgspec.UnsetType]), msgspec.UNSET)
        fields.append((taken.name, decoder.type) if taken.required else optional)
    names = {taken.name: taken.wire for taken, _ in members}
    try:
        decode = msgspec.json.Decoder(
            msgspec.defstruct("Members", fields, kw_only=True, rename=names), dec_hook=foreign
        ).decode
    except TypeError:
        return None

    def read_all(body: Any) -> dict[str, Any]:
        found = msgspec.structs.asdict(decode(body))
        for taken, _ in members:
            if found[taken.name] is msgspec.UNSET:
                found[taken.name] = default_value(taken)
        return found

    return read_all


def _reader(taken: Taken, reader: Callable[[Any], Decoder], *, of_form: bool) -> Decoder:
    """What reads one member. The bytes of a form's field are its text, as a parameter's are."""
    if not (of_form and unwrap(without_none(taken.hint)[0])[0] is bytes):
        return reader(taken.judged)
    text = reader(str | None)
    return lambda value: None if (read := text(value)) is None else read.encode()


def plain_members(takers: tuple[Taken, ...]) -> dict[str, Decoder]:
    """Hands out the members of an object that a schema of the user's own has accepted."""

    def members(read: Decoder) -> Decoder:
        def decode(body: Any) -> dict[str, Any]:
            sent = read(body)
            return {taken.name: sent[taken.wire] if taken.wire in sent else default_value(taken) for taken in takers}

        return decode

    return {name: members(read) for name, read in decoders(dict[str, Any]).items()}


def default_value(taken: Taken) -> Any:
    """What an argument is when nothing was sent for it."""
    if taken.default is MISSING:
        raise ValueError("field required")
    return taken.default() if taken.factory and callable(taken.default) else own(taken.default)


def spread(function: Callable[..., Any], names: tuple[str, ...]) -> Callable[..., Any]:
    """Calls it with these members of a shared body, which is the first argument, and the rest by name. What that gives, a
    coroutine or a generator too, is what it gives itself.
    """

    @functools.wraps(function)
    def call(members: dict[str, Any], /, **others: Any) -> Any:
        return function(**{name: members[name] for name in names}, **others)

    return call
