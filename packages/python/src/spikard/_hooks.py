"""Hooks: registration on apps and routers, and their part of the document."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import Any, NamedTuple, TypeVar, overload

from ._callable import HostArgument, HostCallable
from ._functions import is_async

F = TypeVar("F", bound=Callable[..., Any])

PHASES = ("on_request", "pre_validation", "pre_handler", "on_error", "on_response")
_OUTWARD = ("on_error", "on_response")


class Hook(NamedTuple):
    """A function, whether it may block, and whether it takes the request before the response."""

    function: Callable[..., Any]
    kind: Any
    takes_two: bool = False


class Hooks(dict[str, list[Hook]]):
    """The hooks of an app, a router or a route by phase, in the order of their registration."""

    def add(self, phase: str, function: Callable[..., Any], *, sync_to_thread: bool = True) -> None:
        """Fails on what cannot be called as a hook of the phase is."""
        takes_two = _takes(phase, function) == 2
        self.setdefault(phase, []).append(Hook(function, kind_of(function, sync_to_thread), takes_two))


def _takes(phase: str, function: Any) -> int:
    """How many arguments a hook is called with."""
    if not callable(function) or isinstance(function, type):
        raise TypeError(f"a hook is a function, got {function!r}")
    try:
        signature = inspect.signature(function)
    except ValueError:  # a function that does not say what it takes
        return 1
    for given in ((None,), (None, None)) if phase in _OUTWARD else ((None,),):
        with suppress(TypeError):
            signature.bind(*given)
            return len(given)
    takes = "the response, or the request and the response" if phase in _OUTWARD else "one argument, the request"
    raise TypeError(f"a hook of {phase} takes {takes}: {getattr(function, '__name__', repr(function))} does not")


def kind_of(function: Callable[..., Any], sync_to_thread: bool = True) -> str:
    """How the engine calls it."""
    return "async" if is_async(function) else "thread" if sync_to_thread else "inline"


class Registrar:
    """Registers the hooks of one phase, as a decorator or called with a function."""

    def __init__(self, owner: Registers, phase: str) -> None:
        self._owner, self._phase = owner, phase

    @overload
    def __call__(self, hook: F, *, sync_to_thread: bool = True) -> F: ...
    @overload
    def __call__(self, hook: None = None, *, sync_to_thread: bool = True) -> Callable[[F], F]: ...
    def __call__(self, hook: Any = None, *, sync_to_thread: bool = True) -> Any:
        """Registers a hook; `sync_to_thread=False` calls a `def` where it stands."""

        def register(function: F) -> F:
            self._owner._in_time(f"a hook of {self._phase}")
            self._owner._hooks.add(self._phase, function, sync_to_thread=sync_to_thread)
            return function

        return register if hook is None else register(hook)


class Registers:
    """What apps and routers have in common for hooks."""

    _hooks: Hooks
    _servers = 0
    """How many servers run on what there is."""
    _changes = 0
    """How often something was registered."""

    def _in_time(self, what: str) -> None:
        if self._servers:
            raise RuntimeError(f"{what} comes too late: the server runs, and would not know it")
        self._changes += 1

    @property
    def on_request(self) -> Registrar:
        """Sees every request first, on its head alone; an app's sees those that no route matches, too."""
        return Registrar(self, "on_request")

    @property
    def pre_validation(self) -> Registrar:
        """Sees a request before its parameters and its body are read."""
        return Registrar(self, "pre_validation")

    @property
    def pre_handler(self) -> Registrar:
        """Sees a request that was accepted, before its dependencies and its handler."""
        return Registrar(self, "pre_handler")

    @property
    def on_error(self) -> Registrar:
        """Sees a response of 500 and above that was made from an exception; the request too, if it takes two."""
        return Registrar(self, "on_error")

    @property
    def on_response(self) -> Registrar:
        """Sees every response last, and its request too, if it takes two: `(request, response)`."""
        return Registrar(self, "on_response")


def of_options(options: Any) -> Hooks:
    """The hooks that a route's own options name."""
    hooks = Hooks()
    for phase in PHASES:
        given = options.get(phase, ())
        for function in given if isinstance(given, Iterable) else (given,):
            hooks.add(phase, function)
    return hooks


def document(levels: Sequence[Hooks], table: list[HostCallable]) -> dict[str, list[int]]:
    """The hooks of several levels, outer to inner, as ids in the table of callables."""
    found: dict[str, list[int]] = {}
    if any(hook.takes_two for level in levels for phase in _OUTWARD for hook in level.get(phase, ())):
        found["on_request"] = [_register(_SEEN, table)]
    for phase in PHASES:
        ids = [_register(hook, table) for level in levels for hook in level.get(phase, ())]
        if ids:
            found[phase] = [*found.get(phase, ()), *ids]
    return found


def _see(request: object) -> None:
    """A request that no hook has met on its way in is not there on the way out."""


_SEEN = Hook(_see, "inline")


def _register(hook: Hook, table: list[HostCallable]) -> int:
    made = HostCallable(hook.function, hook.kind, (HostArgument(), HostArgument()) if hook.takes_two else ())
    for place, known in enumerate(table):
        if known.function is hook.function and known == made:
            return place
    table.append(made)
    return len(table) - 1
