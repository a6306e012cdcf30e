"""Where each argument of a handler comes from: the rules, and the route's part of the document."""

from __future__ import annotations

import contextlib
import functools
import inspect
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Literal, get_args, get_origin

from . import _bodies, _models, _parameters, _schema
from ._bodies import BodyOf, Taken
from ._callable import MISSING, HostArgument, HostCallable
from ._decode import Decoder, of_value
from ._defaults import argument, own
from ._elsewhere import foreign, unknown_name
from ._functions import is_generator, name_of
from ._hints import annotate, is_union, union, unwrap, without_none
from ._markers import File, Marker
from ._models import is_sequence, is_structured, kind_of
from ._template import CONVERTERS, converters
from ._upload import UploadFile, content_of
from .di import Depends, Inferred, Provide
from .exceptions import SpecError
from .http import Response

BODY_METHODS = frozenset({"POST", "PUT", "PATCH", "DELETE"})
FIELD_METHODS = frozenset({"POST", "PUT", "PATCH"})
PARAMETER_SOURCES = frozenset({"path", "query", "header", "cookie"})
_UNFILLED = "nothing fills it: name each parameter that it is to take, or take the Request"
_DOCUMENTED = ("deprecated", "include_in_schema")
"""What a marker says for documents alone, of a model's every parameter."""


class InArgument(Exception):
    """A fault of one parameter of a handler."""

    def __init__(self, name: str, error: SpecError, where: str = "") -> None:
        super().__init__(f"{where}parameter {name!r}: {error}")


class Binder:
    """Collects the wire and the call of one route."""

    def __init__(
        self,
        method: str,
        path: str,
        options: Mapping[str, Any],
        register: Callable[[Decoder], int],
        wheres: Sequence[str] = ("",),
        provided: Iterable[Any] = (),
    ) -> None:
        self.method = method
        self.wheres = wheres
        """What is said before a fault of a parameter, by its owner."""
        self.provided = provided
        """The keys of the app's dependencies."""
        self.template = converters(path)
        self.options = options
        self.register = register
        self.replaced = dict(options.get("parameter_schema", {}).get("properties", {}))
        self.parameters: list[dict[str, Any]] = []
        self.owners: list[int] = []
        """Who took each parameter first."""
        self.order: list[Taken] = []
        self.body: BodyOf | None = None
        self.sharers: list[Taken] = []
        """Everybody who takes a member of a shared body."""
        self.arguments: list[tuple[Taken, Any, HostArgument]] = []

    def bind(self, takers: list[Taken], rest: str = "") -> None:
        """Applies the rules, in their order, to every parameter of all callers; `rest` names what takes any keyword."""
        takers = self.order = self._with_files(takers)
        sources = [self._source(taken) for taken in takers]
        if "file" in sources:
            self._refuse_body_beside(takers[sources.index("file")], takers)
            sources = ["field" if source in ("", "body", "file") else source for source in sources]
        marked = [taken for taken, source in zip(takers, sources, strict=True) if source == "body"]
        self._take_body(marked, [taken for taken, source in zip(takers, sources, strict=True) if source == ""])
        field = self.body is None and self.method in FIELD_METHODS
        for taken, source in zip(takers, sources, strict=True):
            try:
                if source == "taken" or any(taken is sharer for sharer in self.sharers):
                    continue
                if source == "made":
                    self.arguments.append((taken, "absent", HostArgument(taken.hint, factory=True)))
                elif source == "request":
                    self.arguments.append((taken, "request", HostArgument()))
                elif source == "body" or any(taken is whole for whole in self._wholes):
                    self.arguments.append((taken, "body", _host(taken)))
                elif source == "field":
                    self._take_field(taken)
                else:
                    self._take(taken, source or ("body" if field else "query"))
            except SpecError as error:
                raise self._fault(taken, error) from error
        self._check_path(rest, sees_all="request" in sources)

    def _with_files(self, takers: list[Taken]) -> list[Taken]:
        """Marks those of the handler's parameters that `file_params` names."""
        named = dict(self.options.get("file_params", {}))
        own = {taken.name for taken in takers if taken.owner == 0}
        made = [
            _file_of(taken, named.pop(taken.name)) if taken.owner == 0 and taken.name in named else taken
            for taken in takers
        ]
        if named:
            raise SpecError(unknown_name("the handler", "parameter", min(named), own))
        return made

    def _refuse_body_beside(self, file: Taken, takers: list[Taken]) -> None:
        for taken in takers:
            if _marked(taken, "body"):
                fault = f"it is marked as Body, but {file.name!r} is a file of a form: a request has one body"
                raise self._fault(taken, SpecError(fault))

    def _fault(self, taken: Taken, error: SpecError) -> InArgument:
        plain = unwrap(without_none(taken.hint)[0])[0]
        if isinstance(error, _schema.NoSchema) and error.hint is plain:
            error = SpecError(self._unread(taken, plain))
        return InArgument(taken.name, error, self.wheres[taken.owner])

    def _unread(self, taken: Taken, hint: Any) -> str:
        """Of a type that stands for nothing in a request."""
        name = name_of(hint)
        if isinstance(hint, Marker):
            kind = type(hint).__name__
            return f"a type comes first: write Annotated[int, {kind}(…)], not Annotated[{kind}(…), int]"
        if hint is Depends or isinstance(hint, (Provide, Inferred)):
            return "a type comes first: write Annotated[Type, Depends(function)], or Depends(function) as the default"
        if not isinstance(hint, type):
            return f"{name} is no type"
        if issubclass(hint, Response):
            said = "return one, or `(body, status, headers)`, or set its fields in an `on_response` hook"
            return f"a response is nothing that a handler is given: {said}"
        if taken.marker is not None:
            return f"a {name} cannot be read from a request"
        said = unknown_name(
            "the app", "dependency", name, [key if isinstance(key, str) else name_of(key) for key in self.provided]
        )
        return f"a {name} cannot be read from a request, and {said} (app.provide({name}, …) or Depends(…) makes one)"

    def _source(self, taken: Taken) -> str:
        """Rules 1 and 2; empty where neither decides."""
        wire = taken.wire
        if taken.name in self.template and taken.marker is not None and not _marked(taken, "path"):
            marked = type(taken.marker).__name__
            raise self._fault(taken, SpecError(f"the path has {{{taken.name}}}, but it is marked as {marked}"))
        if taken.name in self.template or (wire in self.template and _marked(taken, "path")):
            return "path"
        if is_file(taken):
            return "file"
        if taken.marker is None:
            return "request" if _is_request(taken.hint) else "made" if taken.hint in _made() else ""
        if taken.marker.source == "path":
            raise self._fault(taken, SpecError(f"the path has no {{{wire}}}"))
        return "body" if taken.marker.source in ("body", "form") else taken.marker.source

    _wholes: Sequence[Taken] = ()

    def _take_body(self, marked: list[Taken], rest: list[Taken]) -> None:
        """Rule 6: who takes the body, together or alone."""
        takers = list(marked)
        if self.method in BODY_METHODS:
            takers += [taken for taken in rest if self._is_whole(taken, alone=not marked)]
        if self.method in FIELD_METHODS and takers and all(_is_field(taken) for taken in takers):
            takers += rest  # beside fields of a form and no model they are fields, too
        if takers:
            takers = [taken for taken in self.order if any(taken is taker for taker in takers)]
        explicit = self.options.get("request_schema")
        if explicit is not None:
            self._take_schema(explicit, takers, rest)
        elif takers:
            self._take_marked(takers)

    def _take_marked(self, every: list[Taken]) -> None:
        both = {taken.marker.source: taken for taken in reversed(every) if taken.marker is not None}
        if len(both) > 1:
            fault = f"it is marked as Form, but {both['body'].name!r} as Body: a request has one body"
            raise self._fault(both["form"], SpecError(fault))
        kind = _bodies.kind_for(every)
        takers: list[Taken] = []
        for taken in every:
            twin = next((other for other in takers if other.wire == taken.wire), None)
            if twin is None:
                takers.append(taken)
            elif twin.hint != taken.hint or twin.owner == taken.owner:
                raise self._fault(taken, SpecError(f"the body's {taken.wire!r} is read in two ways"))
        for taken in takers if kind == "form" and len(takers) > 1 else ():
            if kind_of(unwrap(without_none(taken.hint)[0])[0]) is not None:
                fault = "no field of a form holds a model: put what stands beside it into the model, too"
                raise self._fault(taken, SpecError(fault))
        raw = [(taken, found) for taken in takers if (found := self._raw(taken))]
        embedded = any(taken.option("embed") for taken in takers)
        fields = kind == "form" and any(not is_structured(taken.hint) for taken in takers)
        try:
            if raw and len(takers) == 1:
                self.body = _bodies.raw(*raw[0])
            elif raw:
                raise SpecError("it takes the whole body, which another parameter takes too")
            elif len(takers) == 1 and not embedded and not fields:
                self.body = _bodies.whole(takers[0], kind)
            else:
                self.body = _bodies.shared(takers, kind)
        except SpecError as error:
            raise self._fault(takers[0], error) from error
        if self.body.shared:
            self.sharers = every
        else:
            self._wholes = every

    def _raw(self, taken: Taken) -> str | None:
        return _bodies.raw_kind(taken, body_method=self.method in BODY_METHODS)

    def _is_whole(self, taken: Taken, *, alone: bool) -> bool:
        return is_structured(taken.hint) or (alone and self._raw(taken) is not None)

    def _take_schema(self, schema: Any, takers: list[Taken], rest: list[Taken]) -> None:
        """`request_schema` wins over what the annotation says; the handler gets plain data."""
        properties = schema.get("properties", {}) if isinstance(schema, Mapping) else {}
        own = [taken for taken in rest if taken.required and taken.owner == 0]
        takers = takers or [taken for taken in own if taken.name not in properties][:1]
        kind = _bodies.kind_for(takers)
        spec = {"schema": schema, "reading": "json-schema", "kind": kind, "required": True}
        named = tuple(taken for taken in rest if taken.name in properties)
        if takers:
            spec["required"] = takers[0].required
            self._wholes = takers[:1]
            self.body = _bodies.BodyOf(spec, _bodies.decoders(Any))
        elif named:
            self.sharers = list(named)
            self.body = _bodies.BodyOf(spec, _bodies.plain_members(named), named)
        else:
            self.body = _bodies.BodyOf(spec)

    def _take(self, taken: Taken, source: str) -> None:
        """A parameter of the wire, or a model of several."""
        if source in PARAMETER_SOURCES - {"path"} and kind_of(unwrap(without_none(taken.hint)[0])[0]) is not None:
            if taken.marker is None:
                raise SpecError(f"a model of a {self.method} request must be marked as Query, Header, Cookie or Body")
            self._take_model(taken, source)
            return
        if taken.hint is Any and source == "path":
            converter = self.template.get(taken.wire, self.template.get(taken.name, ""))
            taken = taken._replace(hint=_inferred(MISSING, converter))
        options = {} if taken.marker is None else taken.marker.options
        name = self._wire_name(taken.name, taken, source)
        explicit = self.replaced.get(name, self.replaced.get(taken.name))
        wire = _parameters.read_as(
            taken.hint, options if explicit is None else {**options, "schema": explicit}, text=source != "body"
        )
        if source == "path" and explicit is None:
            _check_converter(self.template[name], wire.schema)
        _check_default(taken)
        spec = {"name": name, "in": source, "schema": wire.schema, "required": taken.required or source == "path"}
        if not taken.required and not taken.factory:
            spec.update(_schema.default_of(taken.default))
        spec.update({key: options[key] for key in ("separator", "description", *_DOCUMENTED) if key in options})
        read: dict[str, Any] = {"index": self._parameter(spec, taken.owner)}
        if wire.choices is not None:
            read["choices"] = True
        if wire.decoder is not None:
            read["decoder"] = self.register(wire.decoder)
        self.arguments.append((taken, {"parameter": read}, _host(taken, wire.choices)))

    def _take_field(self, taken: Taken) -> None:
        """Rule 5: a file, or what stands beside one in the form. A model gathers its fields from it."""
        if self.method not in BODY_METHODS:
            raise SpecError(f"a {self.method} request has no form: files need POST, PUT, PATCH or DELETE")
        if kind_of(unwrap(without_none(taken.hint)[0])[0]) is not None:
            return self._take_model(taken, "body")
        if not is_file(taken):
            return self._take(taken, "body")
        hint, reads = _as_files(taken.hint)
        if reads and not taken.required and not taken.factory:
            _check_default(taken)
            taken = taken._replace(default=functools.partial(own, taken.default), factory=True)
        self._take(taken._replace(hint=hint), "body")
        if reads:
            _, bound, _ = self.arguments[-1]
            bound["parameter"]["decoder"] = self.register(content_of)
        return None

    def _take_model(self, taken: Taken, source: str) -> None:
        model = unwrap(without_none(taken.hint)[0])[0]
        also, rest = _models.further_names(model), _models.rest_of(model)
        names, indexes = {}, []
        for field, schema, required in _parameters.model_fields(taken.hint):
            name = self._wire_name(field, None, source)
            names[name] = field
            spec = {"name": name, "in": source, "schema": schema, "required": required and taken.required}
            if field in also:
                spec["also"] = [self._wire_name(other, None, source) for other in also[field]]
            spec.update({key: taken.option(key) for key in _DOCUMENTED if taken.option(key) is not None})
            indexes.append(self._parameter(spec, taken.owner))
        if rest is not None:
            others = {"name": rest, "in": source, "schema": {"type": "string"}, "required": False, "rest": rest}
            place = self._parameter(others, taken.owner)
            indexes += [place] if rest == "gathered" else []
        default = None if taken.required else functools.partial(_bodies.default_value, taken)
        decoder = self.register(_parameters.gather(taken.hint, names, default))
        host = _host(taken)
        self.arguments.append((taken, {"model": {"parameters": indexes, "decoder": decoder}}, host))

    def _wire_name(self, name: str, taken: Taken | None, source: str) -> str:
        if taken is not None and taken.option("alias") is not None:
            return str(taken.option("alias")) if source != "path" or name not in self.template else name
        convert = source == "header" and (taken is None or taken.option("convert_underscores") is not False)
        return name.replace("_", "-") if convert else name

    def _parameter(self, spec: dict[str, Any], owner: int) -> int:
        """Its index. Several arguments may take one parameter: in one signature if they read it alike."""
        for index, known in enumerate(self.parameters):
            if all(known.get(key) == spec.get(key) for key in ("in", "name", "rest")):
                if known["schema"] == spec["schema"]:
                    known["required"] = known["required"] or spec["required"]
                    return index
                if self.owners[index] == owner or spec["in"] == "body":
                    raise SpecError(f"the {spec['in']} parameter {spec['name']!r} is read in two ways")
        self.parameters.append(spec)
        self.owners.append(owner)
        return len(self.parameters) - 1

    def _check_path(self, rest: str, *, sees_all: bool) -> None:
        """Every name of the template is taken: by a parameter, or by `**kwargs`, which gets nothing else."""
        taken = {spec["name"] for spec in self.parameters if spec["in"] == "path"}
        left = [name for name in self.template if name not in taken]
        if rest and not left:
            raise InArgument(f"**{rest}", SpecError(_UNFILLED))
        if left and not (rest or sees_all):
            slip = "" if left[0].isidentifier() else f": write {{{left[0].replace('-', '_')}}}"
            raise SpecError(f"nobody takes the path parameter {left[0]!r}{slip}")
        for name in left if rest else ():
            schema = CONVERTERS.get(self.template[name], CONVERTERS[""])
            spec = {"name": name, "in": "path", "schema": schema, "required": True}
            taker = Taken(name, Any, MISSING, False, None, keyword=True)
            self.arguments.append((taker, {"parameter": {"index": self._parameter(spec, 0)}}, HostArgument()))


def _is_field(taken: Taken) -> bool:
    """Whether it is marked as one field of a form."""
    return _marked(taken, "form") and not is_structured(taken.hint)


def is_file(taken: Taken) -> bool:
    """Whether a parameter is a file of a form, or several."""
    if taken.marker is not None:
        return taken.marker.source == "file"
    return UploadFile in _of_files(taken.hint)


def _file_of(taken: Taken, options: Mapping[str, Any]) -> Taken:
    """The parameter as a file: one without a type of files is an `UploadFile`."""
    if taken.marker is not None and taken.marker.source != "file":
        raise InArgument(
            taken.name, SpecError(f"file_params names it, but it is marked as {type(taken.marker).__name__}")
        )
    kinds = _of_files(taken.hint)
    if UploadFile not in kinds and bytes not in kinds:
        taken = taken._replace(hint=UploadFile if taken.default is not None else UploadFile | None)
    given = {} if taken.marker is None else taken.marker.options
    return taken._replace(marker=File(**{**options, **given}))


def _of_files(hint: Any) -> tuple[Any, ...]:
    """The type, and of a list or an optional type what is in it."""
    plain, _ = unwrap(without_none(hint)[0])
    inner = get_args(plain) if is_sequence(plain) else ()
    return (plain, *(unwrap(one)[0] for one in inner))


def _as_files(hint: Any) -> tuple[Any, bool]:
    """The hint with `UploadFile` for `bytes`, and whether there were any."""
    inner, optional = without_none(hint)
    kinds = _of_files(hint)
    if UploadFile not in kinds and bytes not in kinds:
        raise SpecError("a File is an UploadFile or bytes, or a list of either")
    if bytes not in kinds:
        return hint, False
    plain, metadata = unwrap(inner)
    files = annotate(UploadFile if plain is bytes else list[UploadFile], metadata)
    return (union([files, type(None)]) if optional else files), True


def _host(taken: Taken, choices: tuple[object, ...] | None = None) -> HostArgument:
    return argument(taken.default, taken.factory, choices)


def _made() -> tuple[type, ...]:
    """Rule 3: classes of which each request gets an object of its own. Nobody names one whose module is not loaded."""
    background = sys.modules.get("spikard.background")
    return () if background is None else (background.BackgroundTasks,)


def _is_request(hint: Any) -> bool:
    from ._request import Request

    return isinstance(hint, type) and issubclass(hint, Request)


def _marked(taken: Taken, source: str) -> bool:
    return taken.marker is not None and taken.marker.source == source


def _check_converter(converter: str, schema: _schema.Schema) -> None:
    """A converter must let pass what the annotation reads, and no more."""
    if converter not in CONVERTERS:
        raise SpecError(unknown_name("a path", "converter", converter, CONVERTERS))
    said = CONVERTERS[converter]
    if converter in ("", "str", "path") or "type" not in schema or "enum" in schema or "const" in schema:
        return
    of_schema, of_converter = (schema["type"], schema.get("format")), (said["type"], said.get("format"))
    if of_schema != of_converter and (of_schema, of_converter) != (("integer", None), ("number", None)):
        raise SpecError(f"the path reads it as {converter}, its annotation as {of_schema[1] or of_schema[0]}")


def _check_default(taken: Taken) -> None:
    """A default must be a value of its own type; None is one for every optional parameter."""
    if taken.required or taken.factory or taken.default is None or type(taken.default) is taken.hint:
        return
    _refuse_bare(taken.default, "as a default")
    plain, _ = unwrap(without_none(taken.hint)[0])
    if get_origin(plain) is Literal and taken.default in get_args(plain):
        return
    try:
        of_value(taken.hint)(taken.default)
    except SpecError:
        raise
    except Exception as error:
        text = str(error).splitlines()[0]
        raise SpecError(f"its type refuses the default {taken.default!r}: {text[:1].lower()}{text[1:]}") from None


def _takes_nothing(function: Callable[..., Any]) -> bool:
    """A class without a constructor: a build of Python without docstrings knows no signature of `object`."""
    if not isinstance(function, type) or type(function).__call__ is not type.__call__:
        return False
    return all(getattr(function, name) is getattr(object, name) for name in ("__init__", "__new__"))


def takers_of(
    function: Callable[..., Any], hints: Mapping[str, Any], path: str, owner: int = 0
) -> tuple[list[Taken], str]:
    """The parameters of a handler or of a dependency, and the name of what takes any keyword."""
    if (said := foreign(function)) is not None:
        raise SpecError(said)
    if _is_manager(function):
        raise SpecError("a dependency that yields is a context manager already: write it without @contextmanager")
    takers = []
    bound = function.keywords if isinstance(function, functools.partial) else {}
    try:
        parameters = () if _takes_nothing(function) else tuple(inspect.signature(function).parameters.values())
    except ValueError:
        raise SpecError(f"{name_of(function)} does not say what it takes: write a function that calls it") from None
    kinds = inspect.Parameter
    is_model = isinstance(function, type) and kind_of(function) not in (None, "pydantic")
    factories = {field.name: field.factory for field in _models.fields_of(function)} if is_model else {}
    if {parameter.kind for parameter in parameters} == {kinds.VAR_POSITIONAL, kinds.VAR_KEYWORD}:
        raise SpecError("nothing says what it takes beside *args and **kwargs: functools.wraps tells, on a wrapper")
    if parameters and parameters[0].name == "self" and inspect.isfunction(function):
        raise SpecError("it is a method without its object: register object.method")
    rest = ""
    for parameter in parameters:
        if parameter.kind is kinds.VAR_POSITIONAL or (parameter.kind is kinds.VAR_KEYWORD and owner):
            if kind_of(function) != "pydantic":  # whose models say so that they have further fields
                raise InArgument(str(parameter).partition(":")[0], SpecError(_UNFILLED))
            continue
        if parameter.kind is kinds.VAR_KEYWORD:
            rest = parameter.name
        if parameter.name in bound or rest:
            continue
        try:
            taken = _taken(parameter, hints, converters(path))._replace(owner=owner)
            factory = factories.get(taken.name)
            takers.append(taken if factory is None else taken._replace(default=factory, factory=True))
        except SpecError as error:
            raise InArgument(parameter.name, error) from error
    return takers, rest


def _is_manager(function: Callable[..., Any]) -> bool:
    """Whether `contextlib` has made it of a generator: nobody would enter what it returns."""
    return is_generator(inspect.unwrap(function)) and getattr(function, "__globals__", {}) is vars(contextlib)


def _taken(parameter: inspect.Parameter, hints: Mapping[str, Any], template: Mapping[str, str]) -> Taken:
    default: Any = MISSING if parameter.default is parameter.empty else parameter.default
    if parameter.name in hints:
        hint, markers = _split(hints[parameter.name])
    else:
        hint, markers = _inferred(default, template.get(parameter.name)), []
    if default is Depends or (isinstance(default, type) and issubclass(default, Marker)):
        raise SpecError(f"a bare {default.__name__} is no marker: write {default.__name__}(…)")
    if isinstance(default, Marker):
        markers.append(default)
        default = MISSING
    marker = functools.reduce(_merge, markers) if markers else None
    factory = False
    if default is MISSING and marker is not None:
        if marker.default is not ...:
            default = marker.default
        elif "default_factory" in marker.options:
            default, factory = marker.options["default_factory"], True
    bare = parameter.name not in hints and parameter.default is parameter.empty
    return Taken(parameter.name, hint, default, factory, marker, parameter.kind is parameter.KEYWORD_ONLY, bare=bare)


def _inferred(default: object, converter: str | None) -> Any:
    """The type of a parameter without annotation: its converter's, its default's, or text."""
    if converter is not None:
        return _CONVERTED.get(converter, str)
    kind = type(default)
    return kind if kind in (int, float, bool, str) else str


def _converted() -> dict[str, Any]:
    return {
        name: next(kind for kind, schema in _schema.SCALARS.items() if schema == wanted)
        for name, wanted in CONVERTERS.items()
    }


_CONVERTED = _converted()


def _split(hint: Any) -> tuple[Any, list[Any]]:
    """A hint without our markers, and the markers in it."""
    if isinstance(hint, type) and issubclass(hint, Marker):
        raise SpecError(f"a bare {hint.__name__} says no type: write {hint.__name__}[str]")
    plain, metadata = unwrap(hint)
    for item in (plain, *get_args(plain), *metadata):
        if (said := foreign(item)) is not None:
            raise SpecError(said)
    for item in metadata:
        _refuse_bare(item, "in Annotated")
    markers = [item for item in metadata if isinstance(item, Marker)]
    bare = [item for item in metadata if isinstance(item, type) and issubclass(item, Marker)]
    markers += [item() for item in bare]
    kept = [item for item in metadata if item not in markers and item not in bare]
    if is_union(plain):
        pieces = [_split(member) for member in get_args(plain)]
        inner = [marker for _, found in pieces for marker in found]
        if inner:
            markers += inner
            plain = union(piece for piece, _ in pieces)
    if not markers:
        return hint, []
    return annotate(plain, kept), markers


def _refuse_bare(item: Any, where: str) -> None:
    if inspect.isfunction(item):
        name = "function" if item is Depends else item.__name__
        raise SpecError(f"a bare {item.__name__} {where} is never called: write Depends({name})")


def _merge(annotated: Any, default: Any) -> Any:
    """`limit: Query[int] = Query(default=10)`: one marker, in which the default's options win."""
    if annotated.source != default.source:
        raise SpecError(f"it is marked as {type(annotated).__name__} and as {type(default).__name__}")
    options = {**annotated.options, **default.options}
    merged = type(default)(default.default if default.default is not ... else annotated.default)
    merged.options = options
    return merged


def _check_named(function: Callable[..., Any], shared: tuple[str, ...]) -> None:
    """Whoever shares a body is called by name."""
    for name, parameter in inspect.signature(function).parameters.items():
        if parameter.kind is parameter.POSITIONAL_ONLY:
            others = ", ".join(map(repr, shared))
            raise InArgument(name, SpecError(f"it is positional-only, but the body is given by name: to {others}"))


Argument = tuple[Taken, Any, HostArgument]
"""A parameter, what the document says of it, and what the host does with it."""


def callable_of(
    function: Callable[..., Any], kind: str, owner: int, arguments: list[Argument], binder: Binder
) -> tuple[HostCallable, list[Any]]:
    """A handler or a dependency as the extension calls it, and the arguments that the document lists for it."""
    arguments = sorted(arguments, key=lambda bound: bound[0].keyword)
    specs, hosts = [spec for _, spec, _ in arguments], [host for _, _, host in arguments]
    keywords = [taken.name for taken, _, _ in arguments if taken.keyword]
    sharers = [taken for taken in binder.sharers if taken.owner == owner]
    made = function
    if sharers and binder.body is not None:
        names = tuple(taken.name for taken in sharers)
        _check_named(function, names)
        optional = HostArgument(lambda: {taken.name: _bodies.default_value(taken) for taken in sharers}, factory=True)
        hosts = [HostArgument() if binder.body.spec["required"] else optional, *hosts]
        specs = ["body", *specs]
        keywords = [taken.name for taken, _, _ in arguments]
        made = _bodies.spread(function, names)
    host = HostCallable(made, kind, tuple(hosts), tuple(keywords), generator=is_generator(function))  # type: ignore[arg-type]
    return host, specs
