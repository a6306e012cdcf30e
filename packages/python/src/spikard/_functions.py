"""What can be told of a function from outside: how calling it goes on, and where it stands."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any


def is_async(function: Callable[..., Any]) -> bool:
    """Whether calling it gives what has to be awaited: a coroutine, or an asynchronous generator's steps."""
    return any(inspect.iscoroutinefunction(one) or inspect.isasyncgenfunction(one) for one in called(function))


def is_generator(function: Callable[..., Any]) -> bool:
    """Whether calling it gives a generator, of either kind."""
    return any(inspect.isgeneratorfunction(one) or inspect.isasyncgenfunction(one) for one in called(function))


def called(function: Callable[..., Any]) -> tuple[Any, ...]:
    """What runs when it is called, partial arguments aside."""
    while isinstance(function, functools.partial):
        function = function.func
    return (function,) if isinstance(function, type) else (function, getattr(function, "__call__", None))  # noqa: B004


def place(function: Callable[..., Any]) -> str:
    """`file:line` of its definition."""
    target: Any = inspect.unwrap(function)
    while isinstance(target, functools.partial):
        target = target.func
    if isinstance(target, type):
        target = target.__init__  # type: ignore[misc]  # of this very class
    target = getattr(target, "__func__", target)
    code = getattr(target, "__code__", None) or getattr(type(target).__call__, "__code__", None)
    return f"{code.co_filename}:{code.co_firstlineno}" if code is not None else repr(function)


def name_of(function: object) -> str:
    """What a message calls it: of a partial, the function within."""
    while isinstance(function, functools.partial):
        function = function.func
    return getattr(function, "__qualname__", None) or repr(function)


def named(code: Any) -> str:
    """A function or a generator in words, with its place where it has one."""
    step = next((found for name in ("gi_code", "ag_code") if (found := getattr(code, name, None)) is not None), None)
    where = place(code) if step is None else f"{step.co_filename}:{step.co_firstlineno}"
    return f"{name_of(code)} at {where}" if ":" in where else name_of(code)
