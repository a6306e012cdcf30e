"""What can be read from a type hint without knowing whose it is."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any, Union, get_args, get_origin

_annotated: Any = Annotated
_union: Any = Union


def unwrap(hint: Any) -> tuple[Any, list[Any]]:
    """A hint without aliases, `Annotated` and qualifiers, and the metadata of all of them, innermost first."""
    metadata: list[Any] = []
    if isinstance(hint, type) and not hasattr(hint, "__origin__"):
        return hint, metadata
    while True:
        if get_origin(hint) is Annotated:
            metadata = [*hint.__metadata__, *metadata]
            hint = hint.__origin__
        elif hasattr(hint, "__supertype__"):  # NewType
            hint = hint.__supertype__
        elif type(hint).__name__ == "TypeAliasType" and hasattr(hint, "__value__"):
            hint = hint.__value__
        elif type(alias := get_origin(hint)).__name__ == "TypeAliasType" and alias is not None:
            hint = alias.__value__[get_args(hint)]
        elif str(get_origin(hint)) in _QUALIFIERS:
            hint = get_args(hint)[0]
        else:
            return hint, metadata


_QUALIFIERS = {
    f"{module}.{name}"
    for module in ("typing", "typing_extensions")
    for name in ("Required", "NotRequired", "ReadOnly", "Final")
}


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
    parts = (hint, *metadata)
    return _annotated[parts] if len(parts) > 1 else hint


def union(hints: Iterable[Any]) -> Any:
    """The union of some hints."""
    return _union[tuple(hints)]


def name_of(hint: Any) -> str:
    """A type as messages write it."""
    if isinstance(hint, type) and not get_args(hint):
        return "None" if hint is type(None) else hint.__qualname__
    return str(hint).replace("typing.", "")
