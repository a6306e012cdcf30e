"""What a return annotation lets through: wherever it names a model, at any depth, the fields of that model and no others.

It is compiled once for each route. A result is first looked at by the extension, which compares the classes of what could
be a model; only what is not wholly of the annotated classes is made anew here.
"""

from __future__ import annotations

import datetime
import uuid
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Any, TypeVar, get_args, get_origin

import msgspec

from ._decode import foreign, of_value, uses_pydantic
from ._hints import is_union, unwrap
from ._models import Kind, fields_of, hints_of, kind_of
from ._rebuild import names_of, rebuilder
from ._spikard import Shape
from ._strangers import names_stranger

SCALARS = (
    *(int, float, str, bool, type(None), bytes),
    *(Decimal, uuid.UUID, datetime.datetime, datetime.date, datetime.time, datetime.timedelta),
)
_ARRAYS = (list, tuple, set, frozenset)
_OBJECTS = (dict, OrderedDict, defaultdict)
_NO_ARRAYS = (str, bytes, bytearray, Mapping)

Make = Callable[[Any], Any]


class Filter:
    """One type of an annotation."""

    __slots__ = ("make", "shape", "types")

    def __init__(self, types: tuple[type, ...] | None, free: tuple[type, ...], make: Make) -> None:
        self.types = types
        """The classes whose own instances fit, as far as what they hold does; None: anything fits."""
        self.shape = Shape(types, free)
        """Whether a value may be sent as it is."""
        self.make = make
        """Brings a value to the type, or raises a TypeError or ValueError."""

    def __call__(self, value: Any) -> Any:
        return value if self.shape.fits(value) else self.make(value)


def filter_of(hint: Any) -> Filter:
    """Compiles an annotation that names a model."""
    return _Compiler().compile(hint, ())


def names_model(hint: Any) -> bool:
    """Whether a type names a model: itself, or as what is in a list, a dict or a union."""
    plain, _ = unwrap(hint)
    return kind_of(plain) is not None or any(names_model(inner) for inner in get_args(plain))


class _Compiler:
    def __init__(self) -> None:
        self.models: dict[tuple[Any, bool], Filter] = {}

    def compile(self, hint: Any, free: tuple[type, ...]) -> Filter:
        """Scalars are `free` inside of a model, whose constructor may not have looked at them: they hide no field."""
        plain, _ = unwrap(hint)
        if isinstance(plain, TypeVar):
            return self.compile(plain.__bound__ or Any, free)
        if plain in (Any, object):
            return Filter(None, (), _itself)
        if is_union(plain):
            return _union(hint, free, [self.compile(member, free) for member in get_args(plain)])
        cls = get_origin(plain) or plain
        if (kind := _kind(cls)) is not None:
            return self._model(plain, cls, kind, free)
        arguments = [argument for argument in get_args(plain) if argument is not ...]
        if isinstance(cls, type) and arguments:
            inner = [self.compile(argument, free) for argument in arguments]
            if issubclass(cls, Mapping):
                return _object(hint, free, inner[-1])
            if cls is tuple and ... not in get_args(plain):
                return _fixed(hint, free, inner)
            if issubclass(cls, Iterable):
                return _array(hint, free, inner[0])
        return _leaf(plain, cls, free)

    def _model(self, hint: Any, cls: Any, kind: Kind, free: tuple[type, ...]) -> Filter:
        if (hint, bool(free)) in self.models:
            return self.models[hint, bool(free)]
        # Any dict could be a TypedDict: a result is converted, which looks at the types of its members.
        types = (cls,) if kind != "typeddict" else (dict,) if free else ()
        made = self.models[hint, bool(free)] = Filter(types, free, _itself)
        hints = _hints(hint, cls, kind)
        members = {name: self.compile(inner, SCALARS) for name, inner in hints if names_model(inner)}
        names = names_of(cls, kind)
        rebuild = rebuilder(cls, kind, names, lambda name, one: members[name](one) if name in members else one)

        def make(value: Any) -> Any:
            if isinstance(value, free):
                return value
            if not isinstance(value, cls if kind != "typeddict" else types):
                value = _convert(hint, value)
            return value if made.shape.fits(value) else rebuild(value)

        made.make = make
        _look(made.shape, cls, kind, members, frozenset(names))
        return made


def _itself(value: Any) -> Any:
    return value


def _kind(cls: Any) -> Kind | None:
    """msgspec writes pydantic's dataclasses as it writes all others."""
    kind = kind_of(cls)
    return "dataclass" if kind == "pydantic" and not hasattr(cls, "model_construct") else kind


def _hints(hint: Any, cls: Any, kind: Kind) -> Iterable[tuple[str, Any]]:
    if kind == "struct":
        return [(field.name, field.hint) for field in fields_of(hint)]
    if kind == "pydantic":  # its own serialiser keeps to the annotations, but does not know these
        fields = cls.model_fields.items()
        return [(name, field.annotation) for name, field in fields if names_stranger(field.annotation)]
    hints = hints_of(hint)
    return [(name, hints[name]) for name in names_of(cls, kind) if name in hints]


def _look(shape: Shape, cls: Any, kind: Kind, members: Mapping[str, Filter], names: frozenset[str]) -> None:
    """Tells a model's shape what its instances may hold."""
    inside = {name: member.shape for name, member in members.items()}

    def of_dict(value: Any) -> bool:
        return value.keys() <= names and all(inside[name].fits(value[name]) for name in inside.keys() & value)

    if kind == "typeddict":
        shape.look("asked", of_dict)
    elif kind == "attrs" and not names.issuperset(_public_slots(cls)):
        shape.look("asked", lambda _: False)
    elif kind == "attrs" and any("__dict__" in vars(base) for base in cls.__mro__):
        shape.look("asked", lambda value: inside.keys() <= vars(value).keys() and of_dict(vars(value)))
    elif inside:
        shape.look("members", list(inside.items()))


def _public_slots(cls: Any) -> Iterable[str]:
    """msgspec writes every attribute of an attrs class, what it remembers of a property among them."""
    return (name for base in cls.__mro__ for name in getattr(base, "__slots__", ()) if not name.startswith("_"))


def _union(hint: Any, free: tuple[type, ...], members: list[Filter]) -> Filter:
    def make(value: Any) -> Any:
        if isinstance(value, free):
            return value
        for cls in type(value).__mro__[:-1]:
            for member in members:
                if cls in (member.types or ()):
                    try:
                        return member(value)
                    except (TypeError, ValueError):
                        continue
        made = _convert(hint, value)
        return next((member(made) for member in members if type(made) in (member.types or ())), made)

    made = Filter(None, (), make)
    made.shape.look("either", [member.shape for member in members])
    return made


def _leaf(hint: Any, cls: Any, free: tuple[type, ...]) -> Filter:
    def make(value: Any) -> Any:
        return value if isinstance(cls, type) and isinstance(value, (cls, *free)) else _convert(hint, value)

    return Filter((cls,) if isinstance(cls, type) else (), free, make)


def _array(hint: Any, free: tuple[type, ...], item: Filter) -> Filter:
    def make(value: Any) -> Any:
        if isinstance(value, free):
            return value
        if isinstance(value, _NO_ARRAYS) or not isinstance(value, Iterable):
            value = _convert(hint, value)
        return [item(one) for one in value]

    made = Filter(_ARRAYS, free, make)
    made.shape.look("items", item.shape)
    return made


def _fixed(hint: Any, free: tuple[type, ...], members: list[Filter]) -> Filter:
    shapes = [member.shape for member in members]

    def fit(value: Any) -> bool:
        return len(value) == len(shapes) and all(one.fits(item) for one, item in zip(shapes, value, strict=True))

    def make(value: Any) -> Any:
        if isinstance(value, free):
            return value
        if not isinstance(value, (tuple, list)) or len(value) != len(members):
            value = _convert(hint, value)
        return tuple(one(item) for one, item in zip(members, value, strict=True))

    made = Filter((tuple, list), free, make)
    made.shape.look("asked", fit)
    return made


def _object(hint: Any, free: tuple[type, ...], item: Filter) -> Filter:
    def make(value: Any) -> Any:
        if isinstance(value, free):
            return value
        if not isinstance(value, Mapping):
            value = _convert(hint, value)
        return {key: item(one) for key, one in value.items()}

    made = Filter(_OBJECTS, free, make)
    made.shape.look("values", item.shape)
    return made


def _convert(hint: Any, value: Any) -> Any:
    if uses_pydantic(hint):
        return of_value(hint)(value)
    return msgspec.convert(value, hint, from_attributes=True, dec_hook=foreign)
