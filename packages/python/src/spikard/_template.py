"""Path templates, as far as this side needs them: the names in them, their converters and their shape."""

from __future__ import annotations

import re
from typing import Any

CONVERTERS: dict[str, dict[str, Any]] = {
    "": {"type": "string"},
    "str": {"type": "string"},
    "path": {"type": "string"},
    "int": {"type": "integer"},
    "float": {"type": "number"},
    "bool": {"type": "boolean"},
    "uuid": {"type": "string", "format": "uuid"},
    "date": {"type": "string", "format": "date"},
    "datetime": {"type": "string", "format": "date-time"},
    "time": {"type": "string", "format": "time"},
}

_PIECE = re.compile(r"\{\{|\}\}|\{([^{}:]*)(?::([^{}]*))?\}")


def converters(path: str) -> dict[str, str]:
    """The parameters of a template and their converters, "" where none is written."""
    return {found[1]: found[2] or "" for found in _PIECE.finditer(path) if found[1] is not None}


def shape(path: str) -> str:
    """The template without names and converters: two routes of one method must differ in it."""

    def blank(found: re.Match[str]) -> str:
        if found[1] is None:
            return found[0]
        return "{*}" if found[2] == "path" else "{}"

    return _PIECE.sub(blank, path)


def join(prefix: str, path: str) -> str:
    """A router's prefix before a path."""
    return prefix.rstrip("/") + path if prefix else path
