"""A web framework whose behaviour lives in a Rust core.

Eager: app, configuration, markers, responses. Lazy: what a server without it never needs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._decorators import delete, get, head, options, patch, post, put, route, trace
from ._markers import Body, Cookie, Form, Header, Path, Query
from ._request import Request
from .app import App, Spikard
from .config import BackgroundConfig, ServerConfig
from .exceptions import HTTPException, SpecError
from .http import HTMLResponse, JSONResponse, PlainTextResponse, RedirectResponse, Response
from .routing import Router

if TYPE_CHECKING:
    from .testing import TestClient

__all__ = [
    "App",
    "BackgroundConfig",
    "Body",
    "Cookie",
    "Form",
    "HTMLResponse",
    "HTTPException",
    "Header",
    "JSONResponse",
    "Path",
    "PlainTextResponse",
    "Query",
    "RedirectResponse",
    "Request",
    "Response",
    "Router",
    "ServerConfig",
    "SpecError",
    "Spikard",
    "TestClient",
    "delete",
    "get",
    "head",
    "options",
    "patch",
    "post",
    "put",
    "route",
    "trace",
]

_LAZY = {"TestClient": "testing"}


if not TYPE_CHECKING:  # hidden: a visible __getattr__ would make every typo an Any

    def __getattr__(name):
        if name in _LAZY:
            from importlib import import_module

            return getattr(import_module("." + _LAZY[name], __name__), name)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
