"""Type hints of functions and models, resolved wherever their names were defined."""

from __future__ import annotations

import functools
import operator
import sys
import typing
from collections.abc import Callable, Iterable
from types import FrameType
from typing import Annotated, Any, Union, get_args, get_origin

from .exceptions import SpecError


class Hints:
    """The hints of one function: resolved at registration if possible, else at start-up with its frame's names."""

    __slots__ = ("_frame", "_resolved", "function")

    def __init__(self, function: Callable[..., Any], frame: FrameType | None) -> None:
        self.function = function
        self._frame: FrameType | None = None
        self._resolved: dict[str, Any] | None = None
        try:
            self._resolved = _read(function, None)
        except Exception:  # whatever a postponed annotation raises is told at start-up, if it still does
            self._frame = frame

    def resolve(self) -> dict[str, Any]:
        """The hints by parameter name; the frame is let go."""
        if self._resolved is None:
            try:
                self._resolved = _read(self.function, self.names)
            except NameError as error:
                raise SpecError(f"an annotation names {error.name!r}, which is not defined") from None
            except Exception as error:
                raise SpecError(f"an annotation cannot be read: {error}") from error
        return self._resolved

    @property
    def names(self) -> dict[str, Any] | None:
        """The local names at the place of the registration, where they are needed."""
        return None if self._frame is None else {**self._frame.f_locals}

    def release(self) -> None:
        """Lets go of the frame."""
        self._frame = None


def _read(function: Callable[..., Any], names: dict[str, Any] | None) -> dict[str, Any]:
    target: Any = function
    while isinstance(target, functools.partial):
        target = target.func
    if not hasattr(target, "__code__") and not hasattr(target, "__wrapped__") and not hasattr(target, "__func__"):
        target = type(target).__call__
    return typing.get_type_hints(target, localns=names, include_extras=True)


def caller() -> FrameType:
    """The frame of the user's code that is calling the package."""
    frame = sys._getframe(1)
    while frame.f_back is not None and frame.f_globals.get("__name__", "").startswith("spikard."):
        frame = frame.f_back
    return frame


def unwrap(hint: Any) -> tuple[Any, list[Any]]:
    """A hint without aliases, `Annotated` and qualifiers, and the metadata of all of them, innermost first."""
    metadata: list[Any] = []
    while True:
        if get_origin(hint) is Annotated:
            metadata = [*hint.__metadata__, *metadata]
            hint = hint.__origin__
        elif hasattr(hint, "__supertype__"):  # NewType
            hint = hint.__supertype__
        elif type(hint).__name__ == "TypeAliasType" and hasattr(hint, "__value__"):
            hint = hint.__value__
        elif type(get_origin(hint)).__name__ == "TypeAliasType":
            hint = get_origin(hint).__value__[get_args(hint)]
        elif str(get_origin(hint)) in _QUALIFIERS:
            hint = get_args(hint)[0]
        else:
            return hint, metadata


_QUALIFIERS = {
    f"{module}.{name}"
    for module in ("typing", "typing_extensions")
    for name in ("Required", "NotRequired", "ReadOnly", "Final")
}


def members(hint: Any) -> tuple[Any, ...]:
    """The members of a union; anything else is its only member."""
    plain, metadata = unwrap(hint)
    if not is_union(plain):
        return (hint,)
    if metadata:
        return tuple(annotate(member, metadata) for member in get_args(plain))
    return get_args(plain)


def is_union(hint: Any) -> bool:
    """Whether it is written `Union[…]`, `Optional[…]` or `… | …`."""
    origin = get_origin(hint)
    return origin is Union or type(hint).__name__ == "UnionType"


def without_none(hint: Any) -> tuple[Any, bool]:
    """The hint without `None`, and whether it had it."""
    plain, metadata = unwrap(hint)
    if not is_union(plain):
        return hint, False
    kept = [member for member in get_args(plain) if member is not type(None)]
    if len(kept) == len(get_args(plain)):
        return hint, False
    return annotate(union(kept), metadata), True


def annotate(hint: Any, metadata: Iterable[Any]) -> Any:
    """`Annotated`, if there is metadata."""
    found = tuple(metadata)
    return operator.getitem(Annotated, (hint, *found)) if found else hint


def union(hints: Iterable[Any]) -> Any:
    """The union of some hints."""
    return operator.getitem(Union, tuple(hints))
