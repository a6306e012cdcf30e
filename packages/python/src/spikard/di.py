"""Dependencies: what is made for a request, how, and for how long."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, NamedTuple

from ._resolve import Hints, caller

__all__ = ["Depends", "Provide"]

Scope = Literal["function", "request"]
"""What a generator ends with: its handler, or the whole request."""


class Provide:
    """How a dependency is made: by a function (its parameters are bound like a handler's), a generator, which goes on
    behind its `yield` when the response has been sent (with `scope="function"` when the handler has returned, before
    anything is sent), or a class.

    >>> def connect(url: str) -> str:
    ...     return f"pool({url})"
    >>> Provide(connect, depends_on=["url"], singleton=True)
    Provide(connect, depends_on=('url',), singleton=True)

    `depends_on` are the keys of what it takes; without it every parameter that a dependency is provided for. A
    `singleton` is made once for each worker, when a request first needs it; else one is made for each request, or
    with `use_cache=False` for each parameter that takes it. `concurrent=True` lets neighbours that say so too be made
    side by side. A plain function runs on a thread unless `sync_to_thread=False`.
    """

    __slots__ = ("concurrent", "depends_on", "factory", "hints", "scope", "singleton", "sync_to_thread", "use_cache")

    def __init__(
        self,
        factory: Callable[..., Any],
        *,
        depends_on: Sequence[str | type] | None = None,
        singleton: bool = False,
        use_cache: bool = True,
        scope: Scope = "request",
        concurrent: bool = False,
        sync_to_thread: bool = True,
    ) -> None:
        if not callable(factory):
            raise TypeError(f"Provide() takes what makes the dependency, got {factory!r}")
        if depends_on is not None:
            if isinstance(depends_on, (str, type)) or not all(isinstance(key, (str, type)) for key in depends_on):
                raise TypeError(f"depends_on must be a list of keys, got {depends_on!r}")
            depends_on = tuple(depends_on)
        flags = {"singleton": singleton, "use_cache": use_cache, "concurrent": concurrent}
        for name, flag in {**flags, "sync_to_thread": sync_to_thread}.items():
            if not isinstance(flag, bool):
                raise TypeError(f"{name} must be a bool, got {flag!r}")
        if singleton and not use_cache:
            raise ValueError("a singleton is kept: it cannot have use_cache=False")
        if scope not in ("function", "request"):
            raise ValueError(f"scope must be 'function' or 'request', got {scope!r}")
        if singleton and scope == "function":
            raise ValueError("a singleton is kept: it cannot have scope='function'")
        self.factory = factory
        self.depends_on = depends_on
        self.singleton, self.use_cache, self.concurrent = singleton, use_cache, concurrent
        self.scope, self.sync_to_thread = scope, sync_to_thread
        self.hints = Hints(factory, caller())

    def __repr__(self) -> str:
        said = {"depends_on": None, "singleton": False, "use_cache": True, "scope": "request", "concurrent": False}
        said["sync_to_thread"] = True
        given = [f"{name}={getattr(self, name)!r}" for name in said if getattr(self, name) != said[name]]
        return f"Provide({', '.join([getattr(self.factory, '__qualname__', repr(self.factory)), *given])})"


class Inferred:
    """`Depends()`: made by the annotated class."""

    __slots__ = ("options",)

    def __init__(self, options: dict[str, Any]) -> None:
        self.options = options


def Depends(
    factory: Callable[..., Any] | None = None,
    *,
    use_cache: bool = True,
    scope: Scope = "request",
    concurrent: bool = False,
) -> Any:
    """Marks a parameter, as its default or in `Annotated`, as what `factory` makes; without one, as an object of the
    annotated class. A generator of `scope="function"` ends when the handler has returned, before anything is sent.
    """
    if isinstance(factory, str):
        raise TypeError(f"Depends() takes a function: a parameter named {factory} is what provide({factory!r}, …) has")
    if factory is not None and not callable(factory):
        raise TypeError(f"Depends() takes the function itself, and not what it returned: got {factory!r}")
    if factory is None:
        return Inferred({"use_cache": use_cache, "scope": scope, "concurrent": concurrent})
    return Provide(factory, use_cache=use_cache, scope=scope, concurrent=concurrent)


class Constant(NamedTuple):
    """A dependency that is there already."""

    value: object


Key = str | type
Entry = Provide | Constant
Entries = Mapping[Any, Entry]


class Overrides(NamedTuple):
    """What goes before that which is provided."""

    entries: Entries
    before: Overrides | None = None
    """What applies again when these end."""

    def are_within(self, others: Overrides) -> bool:
        """Whether those still apply while these do."""
        return self is others or (self.before is not None and self.before.are_within(others))


NONE = Overrides({})
"""No overrides."""


def entry_of(value: object) -> Entry:
    """What `provide` was given: how to make it, a function that makes it, or the value itself."""
    if isinstance(value, Provide):
        return value
    return Provide(value) if callable(value) else Constant(value)
