"""Results of handlers: to the annotated model, to JSON, to a response."""

from __future__ import annotations

import datetime
import pathlib
import uuid
from collections import deque
from collections.abc import Callable, Iterable, KeysView, Mapping, ValuesView
from decimal import Decimal
from typing import Any, get_args, get_origin

import msgspec

from ._decode import of_value, uses_pydantic
from ._hints import is_union, union, unwrap
from ._models import is_sequence, is_structured, kind_of
from ._narrow import narrowing
from .http import JSONResponse, Response

_SCALARS = (int, float, str, bool, bytes, type(None))
_CHECKED = (
    *(int, float, str, bool, type(None)),
    *(Decimal, uuid.UUID, datetime.datetime, datetime.date, datetime.time, datetime.timedelta),
)
_SEQUENCES = (deque, KeysView, ValuesView, range, map, filter)


def _foreign(value: Any) -> Any:
    """What msgspec does not encode by itself."""
    cls = type(value)
    serializer = getattr(cls, "__pydantic_serializer__", None)
    if serializer is not None:
        return msgspec.Raw(serializer.to_json(value, by_alias=True))
    for plain in (str, int, float):
        if isinstance(value, plain):
            return plain(value)
    if isinstance(value, pathlib.PurePath):
        return str(value)
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, _SEQUENCES) or hasattr(cls, "__next__"):
        return list(value)
    if cls.__module__.startswith("pydantic"):
        from pydantic_core import to_jsonable_python

        return to_jsonable_python(value)
    raise TypeError(f"a {cls.__qualname__} cannot be written as JSON")


_encoder = msgspec.json.Encoder(enc_hook=_foreign)

encode_plain = _encoder.encode
"""JSON text of what msgspec encodes by itself: dicts, lists and Structs, whatever they hold."""


def encode(value: object) -> bytes:
    """JSON text of a result; pydantic's models by their own serialiser."""
    serializer = getattr(type(value), "__pydantic_serializer__", None)
    if serializer is not None:
        return bytes(serializer.to_json(value, by_alias=True))
    return _encoder.encode(value)


def from_tuple(
    value: tuple[Any, ...],
    status: int,
    text: bool = True,
    convert: Callable[[object], object] | None = None,
    media_type: str | None = None,
) -> Response:
    """`(body, status)` and `(body, status, headers)`; any other tuple is a JSON array.

    The body is sent as it would be alone: `text`, `convert` and `media_type` are those of the handler. A handler whose annotation
    says that its tuples are JSON has an `AsArray` to convert them.
    """
    headers = value[2] if len(value) == 3 else None
    if (
        isinstance(convert, AsArray)
        or len(value) not in (2, 3)
        or not _is_status(value[1])
        or not isinstance(headers, (Mapping, type(None)))
    ):
        return JSONResponse(value if convert is None else convert(value), status, None, media_type)
    body, code = value[0], int(value[1])
    if isinstance(body, Response):
        raise TypeError("a response carries its own status: return it alone")
    if isinstance(body, bytes) or (isinstance(body, str) and text) or code in (204, 304):
        return Response(body, code, headers, media_type)
    return JSONResponse(body if convert is None or body is None else convert(body), code, headers, media_type)


def _is_status(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 200 <= value <= 599


class AsArray:
    """The `convert` of a handler that is annotated as a tuple of data."""

    def __init__(self, inner: Callable[[object], object] | None) -> None:
        self.inner = inner

    def __call__(self, value: object) -> object:
        return value if self.inner is None else self.inner(value)


def body_of(annotation: Any) -> tuple[Any, bool]:
    """The annotated body, without the status and headers beside it, and whether a tuple is itself the body.

    `tuple[X, int, Mapping]` is body, status and headers, and so is `tuple[X, int]` unless X is a plain scalar: a pair
    of numbers or a text and a number are data.
    """
    plain, _ = unwrap(annotation)
    members = get_args(plain) if is_union(plain) else (plain,)
    bodies = [_beside_status(member) for member in members]
    if any(_is_tuple_of_data(member) for member in bodies):
        return annotation, True
    return (union(bodies) if bodies != list(members) else annotation), False


def _beside_status(hint: Any) -> Any:
    plain, _ = unwrap(hint)
    if get_origin(plain) is not tuple or len(get_args(plain)) not in (2, 3):
        return hint
    body, status, *headers = get_args(plain)
    if not isinstance(status, type) or not issubclass(status, int) or issubclass(status, bool):
        return hint
    if headers:
        kind = get_origin(headers[0]) or headers[0]
        return body if isinstance(kind, type) and issubclass(kind, Mapping) else hint
    inner, _ = unwrap(body)
    return (
        hint if all(unwrap(one)[0] in _SCALARS for one in (get_args(inner) if is_union(inner) else [inner])) else body
    )


def _is_tuple_of_data(hint: Any) -> bool:
    plain, _ = unwrap(hint)
    return is_sequence(plain) and issubclass(tuple, get_origin(plain) or list)


def is_text(annotation: Any) -> bool:
    """Whether a `str` result is text: unless the handler is annotated as a model, an object or a list."""
    if annotation in (None, Any):
        return True
    plain, _ = unwrap(annotation)
    inner = get_args(plain) if is_union(plain) else (plain,)
    if _scalars(annotation) is not None:
        return any(unwrap(member)[0] is str for member in inner)
    return not any(_is_json(member) for member in inner)


def _scalars(hint: Any) -> tuple[type, ...] | None:
    """The classes of a hint that says nothing but plain scalars."""
    plain, _ = unwrap(hint)
    members = [unwrap(member)[0] for member in (get_args(plain) if is_union(plain) else (plain,))]
    kinds = tuple(member for member in members if isinstance(member, type) and member in _CHECKED)
    return kinds if len(kinds) == len(members) and kinds != (type(None),) else None


def _is_json(hint: Any) -> bool:
    plain, _ = unwrap(hint)
    return plain not in (Any, object) and (is_structured(plain) or is_sequence(plain))


def converter(annotation: Any) -> Callable[[object], object] | None:
    """Makes the annotated model of a result that is not one, so that no field beside the model's is sent."""
    hint = _without_responses(annotation)
    if hint is None:
        return None
    if (scalars := _scalars(hint)) is not None:
        return _scalar(hint, scalars)
    if not _holds_model(hint):
        return None
    fits, convert = _fits(hint), _reader(hint)
    narrow = narrowing(hint)
    if narrow is None:
        return lambda value: value if fits(value) else convert(value)
    return lambda value: narrow(value if fits(value) else convert(value))


def _scalar(hint: Any, kinds: tuple[type, ...]) -> Callable[[object], object]:
    def convert(value: object) -> object:
        cls = type(value)
        fits = cls in kinds or (cls not in _CHECKED and isinstance(value, kinds))
        return value if fits else msgspec.convert(value, hint)

    return convert


def exact_model(annotation: Any) -> type | None:
    """The class whose own instances are the annotated model already. A TypedDict has none."""
    plain, _ = unwrap(_without_responses(annotation))
    return plain if isinstance(plain, type) and kind_of(plain) not in (None, "typeddict") else None


def _without_responses(annotation: Any) -> Any:
    plain, _ = unwrap(annotation)
    if not is_union(plain):
        return None if _is_response(plain) else annotation
    kept = tuple(member for member in get_args(plain) if not _is_response(unwrap(member)[0]))
    if len(kept) == len(get_args(plain)):
        return annotation
    return union(kept) if kept else None


def _is_response(hint: Any) -> bool:
    return isinstance(hint, type) and issubclass(hint, Response)


def _holds_model(hint: Any) -> bool:
    plain, _ = unwrap(hint)
    return kind_of(plain) is not None or any(_holds_model(inner) for inner in get_args(plain))


def _fits(hint: Any) -> Callable[[object], bool]:
    """Whether a value is what is annotated already. TypedDicts are always converted: any dict could be one."""
    plain, _ = unwrap(hint)
    if is_union(plain):
        tests = [_fits(member) for member in get_args(plain)]
        return lambda value: any(test(value) for test in tests)
    cls = get_origin(plain) or plain
    if kind_of(cls) == "typeddict" or not isinstance(cls, type):
        return lambda _: False
    if kind_of(cls) is not None:
        return lambda value: isinstance(value, cls)
    arguments = [argument for argument in get_args(plain) if argument is not ...]
    if issubclass(cls, Mapping) and arguments:
        fits = _fits(arguments[1])
        return lambda value: isinstance(value, cls) and all(map(fits, value.values()))
    if is_sequence(plain) and len(arguments) == 1:
        fits = _fits(arguments[0])
        return lambda value: isinstance(value, cls) and isinstance(value, Iterable) and all(map(fits, value))
    if cls is tuple and arguments:
        members = [_fits(argument) for argument in arguments]
        return lambda value: isinstance(value, tuple) and len(value) == len(members) and all(map(_call, members, value))
    return lambda value: isinstance(value, cls)


def _call(test: Callable[[object], bool], value: object) -> bool:
    return test(value)


def _reader(hint: Any) -> Callable[[object], object]:
    if uses_pydantic(hint):
        return of_value(hint)
    from ._decode import _foreign as decode_foreign

    def convert(value: object) -> object:
        return msgspec.convert(value, hint, from_attributes=True, dec_hook=decode_foreign)

    return convert
