"""Decoders of the user's own, for types that no library reads."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

import msgspec

_Function = TypeVar("_Function", bound=Callable[[Any], Any])


class Own(NamedTuple):
    """One of them."""

    function: Callable[[Any], Any]
    takes: Any
    """The type of what it is given."""


_own: dict[type, Own] = {}


def register_decoder(function: _Function) -> _Function:
    """Reads values of a further type, in models, bodies and parameters: of the class that the function returns.

    Its one parameter says what is sent, and so what the schema tells; a ValueError refuses the value. It may stand as a
    decorator. A class that is registered again is read by the later one, in apps that start after that.

    >>> class Point:
    ...     def __init__(self, x: int, y: int) -> None:
    ...         self.x, self.y = x, y
    >>> @register_decoder
    ... def point(sent: tuple[int, int]) -> Point:
    ...     return Point(*sent)
    """
    hints = typing.get_type_hints(function, include_extras=True)
    made = hints.get("return")
    parameters = list(inspect.signature(function).parameters)
    if len(parameters) != 1 or parameters[0] not in hints:
        raise TypeError("a decoder takes one parameter, whose annotation says what is sent")
    if not isinstance(made, type):
        raise TypeError(f"a decoder says which class it returns, got {made!r}")
    if _is_known(made):
        raise TypeError(f"{made.__qualname__} is read already")
    _own[made] = Own(function, hints[parameters[0]])
    return function


def own_decoder(cls: Any) -> Own | None:
    """The registered decoder of a class."""
    return _own.get(cls) if isinstance(cls, type) else None


def _is_known(cls: type) -> bool:
    """Whether msgspec or pydantic would read it, so that nobody would ask the decoder."""
    if hasattr(cls, "__get_pydantic_core_schema__") or hasattr(cls, "__pydantic_validator__"):
        return True
    return not isinstance(msgspec.inspect.type_info(cls), msgspec.inspect.CustomType)


def decoded(own: Own, cls: type, value: Any, hook: Callable[[Any, Any], Any]) -> Any:
    """The instance that a registered decoder makes."""
    made = own.function(msgspec.convert(value, own.takes, dec_hook=hook))
    if not isinstance(made, cls):
        raise RuntimeError(f"the decoder of {cls.__qualname__} has returned a {type(made).__qualname__}")
    return made
