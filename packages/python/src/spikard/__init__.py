"""A web framework whose behaviour lives in a Rust core.

Eager: app, configuration, markers, responses. Lazy: what a server without it never needs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._decoders import register_decoder
from ._decorators import delete, get, head, options, patch, post, put, route, trace
from ._markers import Body, Cookie, File, Form, Header, Path, Query
from ._request import Request
from ._spikard import __version__ as __version__
from ._upload import UploadFile
from .app import App, Spikard
from .config import BackgroundConfig, ServerConfig
from .di import Depends, Provide
from .exceptions import HTTPException, SpecError
from .http import (
    FileResponse,
    HTMLResponse,
    JSONResponse,
    PlainTextResponse,
    RedirectResponse,
    Response,
    StreamingResponse,
)
from .routing import Router

if TYPE_CHECKING:
    from . import background
    from .background import BackgroundTasks
    from .testing import LiveTestClient, TestClient

__all__ = [
    "App",
    "BackgroundConfig",
    "BackgroundTasks",
    "Body",
    "Cookie",
    "Depends",
    "File",
    "FileResponse",
    "Form",
    "HTMLResponse",
    "HTTPException",
    "Header",
    "JSONResponse",
    "LiveTestClient",
    "Path",
    "PlainTextResponse",
    "Provide",
    "Query",
    "RedirectResponse",
    "Request",
    "Response",
    "Router",
    "ServerConfig",
    "SpecError",
    "Spikard",
    "StreamingResponse",
    "TestClient",
    "UploadFile",
    "background",
    "delete",
    "get",
    "head",
    "options",
    "patch",
    "post",
    "put",
    "register_decoder",
    "route",
    "trace",
]

_LAZY = {"BackgroundTasks": "background", "LiveTestClient": "testing", "TestClient": "testing"}


if not TYPE_CHECKING:  # hidden: a visible __getattr__ would make every typo an Any

    def __getattr__(name):
        if name in _LAZY or name == "background":
            from importlib import import_module

            if name == "background":
                return import_module(".background", __name__)
            return getattr(import_module("." + _LAZY[name], __name__), name)
        from ._elsewhere import missing

        raise missing(name, __all__)

    class _Elsewhere:
        """The last to be asked for a module: of one that other frameworks have, it says what to write."""

        @staticmethod
        def find_spec(name, path=None, target=None):  # noqa: ARG004
            if name.startswith("spikard."):
                from ._elsewhere import told_module

                told_module(name.removeprefix("spikard."))

    def _listen():
        from sys import meta_path

        meta_path.append(_Elsewhere)

    _listen()
