"""A response on its way out, as hooks see it."""

from __future__ import annotations

from typing import Any

from ._headers import Headers
from ._spikard import ResponseHead
from .http import Response


class MadeResponse(ResponseHead, Response):
    """What a handler answered. Its attributes are read when they are first asked for, and written back if they were."""

    def __init__(self) -> None:
        """Filled by the engine."""

    def __getattr__(self, name: str) -> Any:
        if name in ("status_code", "headers"):
            status, fields = self._head()
            self.__dict__.setdefault("status_code", status)
            self.__dict__.setdefault("headers", Headers(fields))
        elif name == "content":
            self.__dict__["content"] = self.__dict__["_sent"] = self._whole()
        else:
            raise AttributeError(f"a Response has no {name!r}")
        return self.__dict__[name]

    def _write_back(self) -> None:
        known = self.__dict__
        whole: bytes | None = None
        if known.get("content") is not known.get("_sent"):
            media_type, made = self._encode(self.content)
            if not isinstance(made, bytes):
                raise TypeError("a stream cannot take the place of the content: return another response")
            whole = made
            if media_type is not None and "content-type" not in self.headers:
                self.headers["content-type"] = media_type
        self._replace(self.status_code, self.headers.multi_items(), whole)
        known.clear()
