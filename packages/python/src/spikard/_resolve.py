"""Type hints of handlers and of the models in them, resolved wherever their names were defined."""

from __future__ import annotations

import functools
import sys
import typing
import weakref
from collections.abc import Callable, Iterable, Mapping
from types import FrameType
from typing import Any, get_args, get_origin

from ._hints import unwrap
from ._models import kind_of
from .exceptions import SpecError


class Hints:
    """The hints of one function: resolved at registration if possible, else at start-up with its frame's names."""

    __slots__ = ("_frame", "_resolved", "function")

    def __init__(self, function: Callable[..., Any], frame: FrameType | None) -> None:
        self.function = function
        self._frame: FrameType | None = None
        self._resolved: dict[str, Any] | None = None
        try:
            hints = _read(function, None)
            if "<locals>" in getattr(function, "__qualname__", "<locals>"):
                complete(hints, None)
            self._resolved = hints
        except Exception:  # whatever a postponed annotation raises is told at start-up, if it still does
            self._frame = frame

    def resolve(self) -> dict[str, Any]:
        """The hints by parameter name, and every model in them knows the types of its fields; the frame is let go."""
        names = {} if self._frame is None else {**self._frame.f_locals}
        try:
            if self._resolved is None:
                self._resolved = _read(self.function, names)
            complete(self._resolved, names)
        except SpecError:
            raise
        except NameError as error:
            raise SpecError(f"an annotation names {error.name!r}, which is not defined") from None
        except Exception as error:
            raise SpecError(f"an annotation cannot be read: {error}") from error
        return self._resolved

    def release(self) -> None:
        """Lets go of the frame."""
        self._frame = None


def _read(function: Callable[..., Any], names: dict[str, Any] | None) -> dict[str, Any]:
    target: Any = function
    while isinstance(target, functools.partial):
        target = target.func
    if isinstance(target, type):
        target = target if kind_of(target) is not None else target.__init__  # type: ignore[misc]
    elif not hasattr(target, "__code__") and not hasattr(target, "__wrapped__") and not hasattr(target, "__func__"):
        target = type(target).__call__
    return typing.get_type_hints(target, localns=names, include_extras=True)


def caller() -> FrameType:
    """The frame of the user's code that is calling the package."""
    frame = sys._getframe(1)
    while frame.f_back is not None and frame.f_globals.get("__name__", "").startswith("spikard."):
        frame = frame.f_back
    return frame


_whole: weakref.WeakSet[type] = weakref.WeakSet()
"""The models that know the types of their fields."""


def complete(hints: Mapping[str, Any], names: Mapping[str, Any] | None) -> None:
    """Makes sure that the models in some hints know the types of their fields.

    Where a model names local classes, its annotations are replaced by what they mean. A name that nothing defines is a
    SpecError, and without `names` a NameError.
    """
    for parameter, hint in hints.items():
        seen: set[Any] = set()
        waiting = [hint]
        while waiting:
            plain, _ = unwrap(waiting.pop())
            waiting += get_args(plain)
            cls = get_origin(plain) or plain
            if kind_of(cls) is None or cls in seen or cls in _whole:
                continue
            seen.add(cls)
            waiting += _completed(
                cls, names, "what it returns" if parameter == "return" else f"parameter {parameter!r}"
            )
        _whole.update(seen)


def _completed(cls: Any, names: Mapping[str, Any] | None, where: str) -> Iterable[Any]:
    try:
        return _complete_pydantic(cls, names) if kind_of(cls) == "pydantic" else _complete_plain(cls, names)
    except Exception as error:
        missing = getattr(error, "name", None)
        if names is None or not missing:
            raise
        raise SpecError(f"{where}: the model {cls.__qualname__} names {missing!r}, which is not defined") from None


def _complete_plain(cls: Any, names: Mapping[str, Any] | None) -> Iterable[Any]:
    try:
        return typing.get_type_hints(cls, include_extras=True).values()
    except NameError:
        if not names:
            raise
    resolved = typing.get_type_hints(cls, localns=dict(names), include_extras=True)
    cls.__annotations__ = resolved
    return resolved.values()


def _complete_pydantic(cls: Any, names: Mapping[str, Any] | None) -> Iterable[Any]:
    if not getattr(cls, "__pydantic_complete__", True):
        if names is None:
            raise NameError(f"{cls.__name__} is not complete")
        known = {**vars(sys.modules.get(cls.__module__, typing)), **names}
        if hasattr(cls, "model_rebuild"):
            cls.model_rebuild(_types_namespace=known)
        else:
            from pydantic.dataclasses import rebuild_dataclass

            rebuild_dataclass(cls, _types_namespace=known)
    return [field.annotation for field in getattr(cls, "__pydantic_fields__", {}).values()]
