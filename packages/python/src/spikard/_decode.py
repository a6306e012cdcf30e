"""Decoders of host types: JSON text and plain values to models, and what their refusals say."""

from __future__ import annotations

import pathlib
import re
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any, Final, get_args, get_origin

import msgspec

from . import _pydantic
from ._checks import Refused, checker
from ._decoders import decoded, own_decoder
from ._hints import is_union, name_of, unwrap
from ._lax import Judges, Refusals, every
from ._models import is_sequence, kind_of
from ._patterns import refuse_slow
from ._upload import UploadFile
from .exceptions import SpecError

Decoder = Callable[[Any], Any]


def of_body(hint: Any) -> Decoder:
    """Reads JSON text as the type."""
    if uses_pydantic(hint):
        return _pydantic.decoder(hint)
    return _telling(_checked(_msgspec(hint).decode, hint), hint, msgspec.json.decode)


def of_msgpack(hint: Any) -> Decoder:
    """Reads MessagePack as the type."""
    if uses_pydantic(hint):
        read = _pydantic.reader(hint)
        return lambda text: read(msgspec.msgpack.decode(text))
    refuse_slow(hint)
    decode = _checked(msgspec.msgpack.Decoder(hint, dec_hook=foreign).decode, hint)
    return _telling(decode, hint, msgspec.msgpack.decode)


def of_value(hint: Any) -> Decoder:
    """Reads a plain value (members of a parameter's list, fields of a parameter model) as the type."""
    if uses_pydantic(hint):
        return _pydantic.reader(hint)

    refuse_slow(hint)
    return _telling(_checked(_converter(hint), hint), hint, lambda value: value)


def _converter(hint: Any) -> Decoder:
    plain, _ = unwrap(hint)
    if not _is_readable(hint) and (is_union(plain) or is_sequence(plain)):
        members = [_converter(member) for member in get_args(plain) if member is not ...]
        return partial(_first, members) if is_union(plain) else partial(_each, get_origin(plain), members)
    return lambda value: msgspec.convert(value, hint, dec_hook=foreign, str_keys=True)


def _is_readable(hint: Any) -> bool:
    """Whether msgspec reads it. A union of several types that JSON has as text it does not, though a parameter may be one."""
    try:
        msgspec.json.Decoder(hint, dec_hook=foreign)
    except TypeError:
        return False
    return True


def _first(members: list[Decoder], value: Any) -> Any:
    """As the first member of a union that accepts it."""
    for member in members[:-1]:
        with suppress(ValueError):
            return member(value)
    return members[-1](value)


def _each(kind: Callable[[list[Any]], Any], items: list[Decoder], values: Any) -> Any:
    """A list, a set or a tuple of what the items are."""
    readers = items if len(items) > 1 else items * len(values)
    return kind([read(value) for read, value in zip(readers, values, strict=True)])


def uses_pydantic(hint: Any) -> bool:
    """Whether pydantic decodes the type; a Struct decodes its pydantic fields one by one."""
    return kind_of(unwrap(hint)[0]) not in ("struct", "attrs") and _pydantic.involved(hint)


def is_strict(hint: Any) -> bool:
    """Whether the decoder of JSON refuses all that is none, and runs no code of the user's before it has read to the end."""
    return not uses_pydantic(hint) and not _runs_user_code(msgspec.inspect.type_info(hint), set())


_HOOKS: Final = ("__post_init__", "__attrs_attrs__")


def _runs_user_code(info: object, seen: set[int]) -> bool:
    """Whether msgspec calls something of the user's to make a value of this type."""
    if isinstance(info, tuple):
        return any(_runs_user_code(inner, seen) for inner in info)
    if not isinstance(info, (msgspec.inspect.Type, msgspec.inspect.Field)) or id(info) in seen:
        return False
    seen.add(id(info))
    if isinstance(info, msgspec.inspect.CustomType):
        return True
    if isinstance(info, msgspec.inspect.EnumType):
        return any("_missing_" in vars(cls) for cls in info.cls.__mro__ if cls.__module__ != "enum")
    factory, cls = getattr(info, "default_factory", None), getattr(info, "cls", None)
    if getattr(factory, "__module__", "builtins") not in ("builtins", "msgspec") or _is_hooked(cls):
        return True
    return any(_runs_user_code(getattr(info, name), seen) for name in info.__struct_fields__)


def _msgspec(hint: Any) -> msgspec.json.Decoder[Any]:
    refuse_slow(hint)
    try:
        return msgspec.json.Decoder(hint, dec_hook=foreign)
    except (TypeError, NameError) as error:
        text = str(error).splitlines()[0]
        raise SpecError(f"no decoder for {name_of(hint)}: {text[:1].lower()}{text[1:]}") from error


def _checked(decode: Decoder, hint: Any) -> Decoder:
    check = checker(hint)
    if check is None:
        return decode

    def decode_and_check(value: Any) -> Any:
        result = decode(value)
        check(result, ())
        return result

    return decode_and_check


def _telling(decode: Decoder, hint: Any, plain: Decoder) -> Decoder:
    """Tells all that other decoders than msgspec's refuse; `plain` makes what they are asked about of what was sent."""
    info = msgspec.inspect.type_info(hint) if _is_readable(hint) else None
    if not _runs_user_code(info, set()):
        return decode

    def decode_or_tell(sent: Any) -> Any:
        try:
            return decode(sent)
        except Exception as error:
            # What is refused as a whole was accepted in all its parts.
            is_inside = not isinstance(error, msgspec.ValidationError) or located(str(error))[1]
            found = every(info, plain(sent), _judges) if is_refusal(error) and is_inside else []
            if not found:
                raise
            raise Refusals(found) from error

    return decode_or_tell


def _is_hooked(cls: Any) -> bool:
    return any(hasattr(cls, name) for name in _HOOKS)


def foreign(cls: Any, value: Any) -> Any:
    """Types that msgspec does not know."""
    if cls is UploadFile:
        if isinstance(value, cls):
            return value
        raise ValueError("expected a file")
    if hasattr(cls, "__get_pydantic_core_schema__") or hasattr(cls, "__pydantic_validator__"):
        return _pydantic.reading(cls).validate_python(value)
    if isinstance(cls, type) and isinstance(value, cls):
        return value
    if (own := own_decoder(cls)) is not None:
        return decoded(own, cls, value, foreign)
    if isinstance(cls, type) and issubclass(cls, (str, int, float, pathlib.PurePath)):
        return cls(value)
    raise NotImplementedError(f"no decoder for {name_of(cls)}")


def _entries(error: BaseException) -> list[dict[str, Any]]:
    said = told(error)
    return [] if said is None else said[0]


_judges: Final = Judges(foreign, _entries, _is_hooked)

_STEP = re.compile(r"\.(?P<name>[^.\[]+)|\[(?P<index>\d+)\]|\[\.\.\.\]")


def refusal(error: BaseException) -> list[dict[str, Any]]:
    """What a decoder's exception says: `type`, `loc` (relative), `msg`, `input` and perhaps `ctx`; never empty."""
    if isinstance(error, Refusals):
        return error.found
    if isinstance(error, Refused):
        return [{"type": error.kind, "loc": list(error.loc), "msg": error.message, "input": None}]
    if _is_pydantics(error):
        return _pydantic.refusal(error)
    if isinstance(error, msgspec.ValidationError):
        return _of_msgspec(error)
    if type(error) in (ValueError, AssertionError):
        return [_value_error([], str(error))]
    return [_value_error([], "the value was refused")]


def told(error: BaseException, size: int = 0) -> tuple[list[dict[str, Any]], bool] | None:
    """What a decoder's exception says, and whether that is all that there is to say of the parts that it judges itself.

    None: it is no refusal, but what user code inside the decoder raised. `size` is that of the text that was read.
    """
    if type(error) is msgspec.ValidationError:  # nearly always
        return _of_msgspec(error), False
    if not is_refusal(error):
        return None
    if not _is_pydantics(error):
        return refusal(error), isinstance(error, Refusals)
    if _pydantic.is_endless(error):
        return [_value_error([], "too many errors")], False
    found = _pydantic.refusal(error, size)
    return found, not any(_is_unnamed(step) for entry in found for step in entry["loc"])


def _is_unnamed(step: object) -> bool:
    """Whether pydantic has no name for a member of a union, which the schema has."""
    return isinstance(step, str) and step.startswith("function-plain[")


def is_refusal(error: BaseException) -> bool:
    """Whether an exception speaks of the value. All others are faults of the program, or its own answers."""
    if isinstance(error, TypeError):
        return not _is_from_user_code(error)
    refusals = (ValueError, AssertionError, OverflowError, RecursionError, msgspec.MsgspecError)
    return isinstance(error, refusals)


def _is_from_user_code(error: BaseException) -> bool:
    """Whether a frame outside this package raised it: the libraries' decoders have no frames."""
    step = error.__traceback__
    while step is not None and step.tb_next is not None:
        step = step.tb_next
    return step is not None and not step.tb_frame.f_globals.get("__name__", "").startswith("spikard.")


def _is_pydantics(error: BaseException | None) -> bool:
    return error is not None and hasattr(error, "errors") and type(error).__module__.startswith("pydantic")


def in_member(name: str, error: BaseException) -> list[dict[str, Any]]:
    """What is refused inside one member of a body that several arguments share."""
    found, complete = told(error) or ([], False)
    if not complete and isinstance(error, msgspec.ValidationError) and error.__cause__ is None:
        found = [
            {**entry, "loc": []} for entry in found
        ]  # the schema, which says it better, may know the place by a label
    return [{**entry, "loc": [name, *entry["loc"]]} for entry in found]


def _of_msgspec(error: msgspec.ValidationError) -> list[dict[str, Any]]:
    text, loc = located(str(error))
    cause = error.__cause__
    if _is_pydantics(cause):
        if _pydantic.is_endless(cause):
            return [_value_error(loc, "too many errors")]
        return [{**entry, "loc": loc + entry["loc"]} for entry in _pydantic.refusal(cause)]
    return [_value_error(loc, "the value was refused" if isinstance(cause, TypeError) else text)]


def located(message: str) -> tuple[str, list[str | int]]:
    """What msgspec says, and of which place: it ends with " - at `$.names[0]`", or with " - at `key` in `$.names`"."""
    before, _, path = message[:-1].rpartition("`$")
    text, at, key = before.rpartition(" - at ")
    if not at or message[-1] != "`" or (key and not (key.startswith("`key") and key.endswith("` in "))):
        return message, []
    text += " in a key" if key else ""
    if "[" not in path:
        return text, [name for name in path.split(".") if name]
    return text, [step["name"] or int(step["index"]) for step in _STEP.finditer(path) if step.lastgroup]


def _value_error(loc: list[str | int], text: str) -> dict[str, Any]:
    return {"type": "value_error", "loc": loc, "msg": f"Value error, {text}", "input": None}
