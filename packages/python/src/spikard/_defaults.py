"""Defaults of handlers, handed out so that no request sees what another one did to its value."""

from __future__ import annotations

import copy
import datetime
import decimal
import functools
import pathlib
import uuid
from enum import Enum

from ._callable import HostArgument

# A bare `object()` marks an absent value by its identity, which a copy would not have.
_IMMUTABLE = frozenset(
    (
        *(int, float, complex, bool, str, bytes, type(None), object, decimal.Decimal, uuid.UUID, type(pathlib.Path())),
        *(datetime.date, datetime.time, datetime.datetime, datetime.timedelta),
    )
)


def own(default: object) -> object:
    """The default itself if nobody can change it or copy it, else a copy."""
    if type(default) in _IMMUTABLE or isinstance(default, Enum):
        return default
    try:
        return copy.deepcopy(default)
    except Exception:  # whatever a class says of being copied: a lock, a connection
        return default


def argument(default: object, factory: bool, choices: tuple[object, ...] | None = None) -> HostArgument:
    """The argument whose absent value is the default, for each request its own."""
    if factory or own(default) is default:
        return HostArgument(default, factory, choices)
    return HostArgument(functools.partial(own, default), factory=True, choices=choices)
