"""Results of handlers: to the annotated model, to JSON, to a response."""

from __future__ import annotations

import pathlib
from collections import deque
from collections.abc import Callable, KeysView, Mapping, ValuesView
from typing import Any, get_args, get_origin

import msgspec

from ._filters import SCALARS, filter_of, names_model
from ._hints import is_union, name_of, union, unwrap
from ._models import is_sequence, is_structured, kind_of
from ._schema import schema_of
from ._spikard import Shape
from .exceptions import HTTPException, SpecError
from .http import JSONResponse, Response

Convert = Callable[[object], object]

_SCALARS = (int, float, str, bool, bytes, type(None))
_CHECKED = tuple(kind for kind in SCALARS if kind is not bytes)
_PLAIN = (int, float, bytes, type(None))
_CONTAINERS = {kind: Shape([kind], ()) for kind in (dict, list)}  # one for all routes
_SEQUENCES = (deque, KeysView, ValuesView, range, map, filter)


_HINTS = {
    "coroutine": " (it has to be awaited)",
    "async_generator": " (a StreamingResponse of it can be returned)",
    "UploadFile": " (its content is `await file.aread()`)",
    "HTTPException": " (raise it)",
    "a row": " (a model as the return annotation, `-> list[Item]`, says what of it is sent)",
}


def _foreign(value: Any) -> Any:
    """What msgspec does not encode by itself."""
    if value is None or value is True or value is False:
        return "null" if value is None else str(value).lower()  # a key, as the standard's `json` writes it
    cls = type(value)
    serializer = getattr(cls, "__pydantic_serializer__", None)
    if serializer is not None:
        return msgspec.Raw(serializer.to_json(value, by_alias=True, fallback=_plain))
    for plain in (str, int, float):
        if isinstance(value, plain):
            return plain(value)
    if isinstance(value, pathlib.PurePath) or any(base.__module__ == "ipaddress" for base in cls.__mro__):
        return str(value)
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, _SEQUENCES) or hasattr(cls, "__next__"):
        return list(value)
    if cls.__module__.startswith("pydantic"):
        from pydantic_core import to_jsonable_python

        return to_jsonable_python(value)
    hint = _HINTS.get("a row" if hasattr(cls, "__mapper__") else cls.__name__, "")
    raise TypeError(f"a {cls.__qualname__} cannot be written as JSON{hint}")


def _plain(value: Any) -> Any:
    """Of what pydantic does not write by itself."""
    if kind_of(type(value)) in ("struct", "attrs"):
        return msgspec.to_builtins(value, enc_hook=_dumped)
    return _foreign(value)


def _dumped(value: Any) -> Any:
    serializer = getattr(type(value), "__pydantic_serializer__", None)
    return _foreign(value) if serializer is None else serializer.to_python(value, mode="json", by_alias=True)


_encoder = msgspec.json.Encoder(enc_hook=_foreign)

encode_plain: Callable[[object], bytes] = _encoder.encode
"""JSON text of what msgspec encodes by itself: dicts, lists and Structs, whatever they hold."""


def encode(value: object) -> bytes:
    """JSON text of a result; pydantic's models by their own serialiser."""
    serializer = getattr(type(value), "__pydantic_serializer__", None)
    try:
        if serializer is not None:
            return bytes(serializer.to_json(value, by_alias=True, fallback=_plain))
        return _encoder.encode(value)
    except (TypeError, ValueError, RecursionError) as error:
        fault = _fault(value, error, _encoder.encode)
    raise fault  # out here, where it has no context: a handler of exceptions gives it the one that it was called for


def _fault(value: object, error: Exception, write: Callable[[object], object]) -> Exception:
    """What is wrong with a result that could not be written."""
    from ._culprit import endless, path_to

    if isinstance(error, RecursionError) or "Circular reference" in str(error):
        return RecursionError(endless(value))
    if type(error).__module__.startswith("pydantic"):
        return error
    path = path_to(value, write)
    kind = TypeError if isinstance(error, TypeError) else ValueError
    return kind(f"{error}: {path}") if path else error


def said(raised: HTTPException) -> bytes:
    """What a raised answer says, for the core."""
    fields = raised.headers.items() if isinstance(raised.headers, Mapping) else raised.headers or ()
    named = {"type": raised.type, "title": raised.title, "extra": raised.extra or {}}
    return encode({"status": raised.status_code, "detail": raised.detail, "headers": list(fields), **named})


_MSGPACK = frozenset({"application/msgpack", "application/x-msgpack", "application/vnd.msgpack"})


def is_msgpack(media_type: str | None) -> bool:
    """Whether what is sent under this type is MessagePack."""
    return media_type is not None and media_type.partition(";")[0].strip().lower() in _MSGPACK


def _foreign_packed(value: Any) -> Any:
    """What msgspec does not pack by itself."""
    serializer = getattr(type(value), "__pydantic_serializer__", None)
    return _foreign(value) if serializer is None else serializer.to_python(value, by_alias=True)


_packer = msgspec.msgpack.Encoder(enc_hook=_foreign_packed)


def pack(value: object) -> bytes:
    """A result as MessagePack; bytes are what has been packed already."""
    try:
        return value if isinstance(value, bytes) else _packer.encode(value)
    except (TypeError, ValueError, RecursionError) as error:
        fault = _fault(value, error, _packer.encode)
    raise fault


def packing(convert: Convert | None) -> Convert:
    """What packs a result, once it is what is annotated: the encoder of JSON hands it on as it is."""
    return lambda value: msgspec.Raw(pack(value if convert is None else convert(value)))


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
    if isinstance(convert, AsArray) or not _says_status(value):
        return JSONResponse(value if convert is None else convert(value), status, None, media_type)
    body, code, headers = value[0], int(value[1]), value[2] if len(value) == 3 else None
    if isinstance(body, Response):
        raise TypeError("a response carries its own status: return it alone")
    if code in (204, 205, 304) or (isinstance(body, str) and text):
        return Response(body, code, headers, media_type)
    if convert is not None:
        body = convert(body)
    return (Response if isinstance(body, (bytes, bytearray, memoryview)) else JSONResponse)(
        body, code, headers, media_type
    )


def from_hook(value: object) -> Response | None:
    """What a hook answers with: a `Response`, `(body, status)` or `(body, status, headers)`. None: it is none of these."""
    if type(value) is tuple and _says_status(value):
        return from_tuple(value, 200)
    return value if isinstance(value, Response) else None


def _says_status(value: tuple[Any, ...]) -> bool:
    headers = value[2] if len(value) == 3 else None
    return len(value) in (2, 3) and _is_status(value[1]) and isinstance(headers, (Mapping, type(None)))


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
    members = _members(annotation)
    if _scalars(annotation) is not None or members == [type(None)]:
        return str in members
    return not any(map(_is_json, members))


def _members(hint: Any) -> list[Any]:
    """What a union names, or the hint alone."""
    plain, _ = unwrap(hint)
    return [unwrap(member)[0] for member in (get_args(plain) if is_union(plain) else (plain,))]


def _scalars(hint: Any) -> tuple[type, ...] | None:
    """The classes of a hint that says nothing but plain scalars."""
    members = _members(hint)
    kinds = tuple(member for member in members if isinstance(member, type) and member in _CHECKED)
    return kinds if len(kinds) == len(members) and kinds != (type(None),) else None


def _is_json(hint: Any) -> bool:
    plain, _ = unwrap(hint)
    return plain not in (Any, object) and (is_structured(plain) or is_sequence(plain))


def conversion(annotation: Any) -> tuple[Convert | None, Shape | None]:
    """What makes of a result what is annotated, so that no field beside those of its models is sent, and raises where the
    result is something else; and which results need none of that. Both None: anything is sent.
    """
    hint = _without_responses(annotation)
    members = _members(hint)
    if hint is None or Any in members or object in members:
        return None, None
    if members == [type(None)]:
        return _told(hint, _nothing), Shape([type(None)], ())
    if (scalars := _scalars(hint)) is not None:
        return _told(hint, _scalar(hint, scalars)), None
    if names_model(hint):
        found = filter_of(hint)
        return _told(hint, found), found.shape
    if not _is_container(members):
        return None, None
    exact = _CONTAINERS.get(get_origin(members[0]) or members[0]) if len(members) == 1 else None
    return _told(hint, _container(members)), exact


def _is_container(members: list[Any]) -> bool:
    """Whether lists and objects are promised. A bare tuple may have a status beside its body."""
    bare = [member for member in members if (get_origin(member) or member) is tuple and not get_args(member)]
    return not bare and any(map(_is_json, members))


def converter(annotation: Any) -> Convert | None:
    """The first half of `conversion`."""
    return conversion(annotation)[0]


def implied_schema(annotation: Any) -> dict[str, Any] | None:
    """What lists and objects without models promise of their members; None where the annotation says nothing of them."""
    hint = _without_responses(annotation)
    if hint is None or names_model(hint) or not _is_container(_members(hint)):
        return None
    try:
        schema: dict[str, Any] = _without_formats(schema_of(hint))
    except SpecError:
        return None
    return schema


def _without_formats(schema: Any) -> Any:
    """A time without an offset is written as it is, though `date-time` asks for one."""
    if isinstance(schema, list):
        return [_without_formats(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    return {key: _without_formats(one) for key, one in schema.items() if key != "format"}


def _told(hint: Any, convert: Callable[[Any], object]) -> Convert:
    """Says of a result that is not what is annotated what both are."""

    def convert_or_tell(value: object) -> object:
        try:
            return convert(value)
        except (TypeError, ValueError) as error:
            words = f"the result is of type {type(value).__qualname__} and cannot be sent as {name_of(hint)}: {error}"
            raise ValueError(words) from error
        except RecursionError as error:
            fault = _fault(value, error, _encoder.encode)
        raise fault

    return convert_or_tell


def _nothing(value: object) -> object:
    if value is not None:
        raise TypeError("it is not None")
    return value


def _container(members: list[Any]) -> Convert:
    """Of lists and objects without models. What is in them is looked at where `validate_responses` is on."""
    promised = tuple(kind for member in members if isinstance(kind := get_origin(member) or member, type))
    arrays = any(map(is_sequence, members))
    objects = any(issubclass(kind, Mapping) for kind in promised)
    wrong = (*_PLAIN, *(() if arrays else (list, tuple, set, frozenset)), *(() if objects else (dict,)))

    def convert(value: object) -> object:
        if isinstance(value, wrong) and not isinstance(value, promised):
            raise TypeError(f"it is no {' or '.join(['array'] * arrays + ['object'] * objects)}")
        return value

    return convert


def _scalar(hint: Any, kinds: tuple[type, ...]) -> Callable[[object], object]:
    def convert(value: object) -> object:
        cls = type(value)
        fits = cls in kinds or (cls not in _CHECKED and isinstance(value, kinds))
        return value if fits else msgspec.convert(value, hint)

    return convert


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
