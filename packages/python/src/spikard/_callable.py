"""What the extension is given beside the document: user code with everything needed to call it."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

if TYPE_CHECKING:
    from ._spikard import Shape
    from .app import Spikard


class Missing(Enum):
    """The type of `MISSING`."""

    MISSING = "missing"

    def __repr__(self) -> str:
        return "MISSING"


MISSING: Final = Missing.MISSING
"""No default: the argument is required."""


class HostArgument(NamedTuple):
    """How one argument is completed on this side."""

    default: object = MISSING
    """Stands in for an absent value."""
    factory: bool = False
    """`default` is called for each request."""
    choices: tuple[object, ...] | None = None
    """The values that cross as their place."""


class HostCallable(NamedTuple):
    """A piece of user code; its index in `Compiled.callables` is its id in the document."""

    function: Callable[..., Any]
    kind: Literal["async", "thread", "inline", "decoder", "reader", "chooser"]
    """A reader is a decoder that takes any buffer."""
    arguments: tuple[HostArgument, ...] = ()
    keywords: tuple[str, ...] = ()
    """The names of the last arguments, which are passed by keyword."""
    status: int = 200
    text: bool = True
    """A `str` result is text, not JSON."""
    convert: Callable[[object], object] | None = None
    """Makes the annotated model of a result that is none."""
    exact: Shape | None = None
    """A result that fits needs no `convert`: it is not asked."""
    media_type: str | None = None
    """Of a plain result, in place of what its kind says."""
    generator: bool = False
    """Its first step gives the value, and it goes on when the request has ended."""


class Compiled(NamedTuple):
    """An app, ready to be served."""

    document: dict[str, Any]
    callables: list[HostCallable]
    places: dict[str, str]
    """By method and path, where a route stands: file, line, route and handler."""
    marked: frozenset[Any] = frozenset()
    """The functions that `Depends` names."""
    app: Callable[[], Spikard | None] = lambda: None
    """What was compiled, while there is one."""
