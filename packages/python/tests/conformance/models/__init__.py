"""The corpus's body models, written natively in each library: one module for each decoder, one class for each name."""

from __future__ import annotations

import enum
from typing import Any


class Color(str, enum.Enum):
    """Text."""

    RED = "red"
    GREEN = "green"


class Level(enum.IntEnum):
    """Integers."""

    LOW = 1
    HIGH = 2


def native(decoder: str, name: str) -> Any:
    """The model of this name in this library."""
    from importlib import import_module

    return getattr(import_module(f"{__name__}.of_{decoder}"), name)
