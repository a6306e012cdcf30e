"""What other frameworks have under a name that is not here, and what to write instead: `_elsewhere.txt`. Read only when a
name is missed.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable

FRAMEWORKS = frozenset({"fastapi", "litestar", "starlette"})


@functools.cache
def table(section: str) -> dict[str, str]:
    """What is said of each name of a section; nothing of one that is not there yet."""
    from pkgutil import get_data

    text = (get_data("spikard", "_elsewhere.txt") or b"").decode()
    _, _, rest = text.partition(f"\n[{section}]")
    said: dict[str, str] = {}
    for line in rest.partition("\n[")[0].splitlines()[1:]:
        names, _, words = line.partition(": ")
        said.update(dict.fromkeys(names.split(", "), words))
    said.pop("", None)
    return said


def _words(section: str, name: str) -> str | None:
    said = table(section).get(name) if section else None
    return said if said is None else f": {said}" if said else " yet"


def unknown_name(owner: str, noun: str, name: str, known: Iterable[str], section: str = "") -> str:
    """The message for a name that does not exist: what it is called here, else the nearest name that does exist."""
    from difflib import get_close_matches

    message = f"{owner} has no {noun} {name!r}"
    if (words := _words(section, name)) is not None:
        return message + words
    near = get_close_matches(name, list(known), 1)
    return message + (f", did you mean {near[0]!r}?" if near else "")


def missing(name: str, known: Iterable[str]) -> Exception:
    """What a module that lacks a name raises: in `from spikard import name`, which would swallow the words of an
    AttributeError, an ImportError.
    """
    import sys
    from importlib.util import find_spec

    importing = sys._getframe(2).f_code.co_name == "_handle_fromlist"
    is_told = name in table("names")
    if not importing or name.startswith("_") or not (is_told or find_spec(f"spikard.{name}") is None):
        return AttributeError(unknown_name("spikard", "name", name, (), "names"))  # Python itself adds the nearest one
    return ImportError(unknown_name("spikard", "name", name, known, "names"))


def foreign(thing: object) -> str | None:
    """What to write instead of what another framework has made, or of its class; of anything else nothing."""
    cls = thing if isinstance(thing, type) else type(thing)
    root = cls.__module__.partition(".")[0]
    if root not in FRAMEWORKS:
        return None
    return f"{cls.__name__} is of {root}: {table('names').get(cls.__name__) or 'take the one of spikard'}"


def told_module(name: str) -> None:
    """Raises where other frameworks have a module of this name."""
    if (words := _words("modules", name)) is not None:
        raise ModuleNotFoundError(f"spikard has no module {name!r}{words}", name=f"spikard.{name}")


def missed(owner: object, name: str, section: str) -> AttributeError:
    """What an object that lacks an attribute raises; Python itself adds the nearest one."""
    error = AttributeError(f"{type(owner).__name__!r} object has no attribute {name!r}{_words(section, name) or ''}")
    error.name, error.obj = name, owner
    return error
