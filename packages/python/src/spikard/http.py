"""Responses, and the exception that becomes one."""

from __future__ import annotations

import os
from collections.abc import AsyncIterable, Callable, Coroutine, Iterable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import msgspec

from ._headers import Headers
from ._spikard import set_cookie
from .exceptions import HTTPException, checked_status

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from ._background import Task
    from .background import BackgroundTasks

__all__ = [
    "FileResponse",
    "HTMLResponse",
    "HTTPException",
    "Headers",
    "JSONResponse",
    "PlainTextResponse",
    "RedirectResponse",
    "Response",
    "StreamingResponse",
]

Pieces = AsyncIterable[str | bytes] | Iterable[str | bytes]
"""What a stream is made of."""
Work = Callable[[], Any] | Coroutine[Any, Any, Any]
"""What runs in the background."""


class Response:
    """A response. The content is serialised like a handler's result when it is sent; an iterator is a stream.

    `background` runs after the response has been sent: a function without arguments, a coroutine, or the `BackgroundTasks` of
    the handler, which run in any case.

    >>> response = Response({"id": 1}, status_code=201, headers={"Location": "/items/1"})
    >>> response.set_cookie("seen", "1", max_age=60)
    >>> response.headers["location"]
    '/items/1'
    """

    media_type: ClassVar[str | None] = None

    def __init__(
        self,
        content: Any = None,
        status_code: int = 200,
        headers: Mapping[str, str] | Iterable[tuple[str, str]] | None = None,
        media_type: str | None = None,
        cookies: Mapping[str, str] | None = None,
        background: Work | BackgroundTasks | None = None,
    ) -> None:
        self.content = content
        self.background = background
        self.status_code = checked_status(status_code)
        self.headers = Headers(headers)
        if media_type is not None or self.media_type is not None:
            self.headers.setdefault("content-type", with_charset(media_type or self.media_type or ""))
        for key, value in (cookies or {}).items():
            self.set_cookie(key, value)

    def set_cookie(
        self,
        key: str,
        value: str = "",
        max_age: int | timedelta | None = None,
        expires: datetime | int | str | None = None,
        domain: str | None = None,
        path: str | None = "/",
        secure: bool = False,
        httponly: bool = False,
        samesite: Literal["lax", "strict", "none"] | None = "lax",
        partitioned: bool = False,
    ) -> None:
        """Adds a `Set-Cookie` field; earlier ones stay. `expires` takes a time, or seconds from now."""
        said: dict[str, Any] = {"name": key, "value": value, "domain": domain, "path": path, "same_site": samesite}
        said |= {"secure": bool(secure), "http_only": bool(httponly), "partitioned": bool(partitioned)}
        if max_age is not None:
            said["max_age"] = int(max_age if isinstance(max_age, int) else max_age.total_seconds())
        if expires is not None:
            said["expires"] = _http_date(expires)
        plain = {name: str.__str__(each) if isinstance(each, str) else each for name, each in said.items()}
        self.headers.add("set-cookie", set_cookie(msgspec.json.encode(plain)))

    def delete_cookie(
        self,
        key: str,
        path: str | None = "/",
        domain: str | None = None,
        secure: bool = False,
        httponly: bool = False,
        samesite: Literal["lax", "strict", "none"] | None = "lax",
    ) -> None:
        """Makes the client forget a cookie; path and domain must be those it was set with."""
        self.set_cookie(key, "", 0, "Thu, 01 Jan 1970 00:00:00 GMT", domain, path, secure, httponly, samesite)

    def __init_subclass__(cls) -> None:
        if "render" in cls.__dict__ and "_encode" not in cls.__dict__:
            cls._encode = _rendered  # type: ignore[method-assign]

    def render(self, content: Any) -> bytes:
        """The bytes of a content. A subclass that makes them otherwise is asked when the response is sent."""
        made = Response._encode(self, content)[1]
        if not isinstance(made, bytes):
            raise TypeError(f"a stream has no bytes before it is sent: {content!r}")
        return made

    def _encode(self, content: Any) -> tuple[str | None, object]:
        """The content's own media type, and its bytes, its stream or its file."""
        if content is None:
            return None, b""
        if isinstance(content, str):
            return "text/plain; charset=utf-8", str.encode(content)
        if isinstance(content, (bytes, bytearray, memoryview)):
            return "application/octet-stream", bytes(content)
        if hasattr(content, "__anext__") or hasattr(content, "__next__"):
            return "application/octet-stream", content
        from ._render import encode, is_msgpack, pack

        if is_msgpack(media_type := self.headers.get("content-type")):
            return media_type, pack(content)
        return "application/json", encode(content)

    def _parts(self) -> tuple[int, list[tuple[str, str]], object, tuple[Task, ...]]:
        """What is sent: status, fields and body; and what runs then."""
        media_type, body = self._encode(self.content)
        fields = self.headers.multi_items()
        if media_type is not None and self.status_code not in (204, 304) and "content-type" not in self.headers:
            fields.append(("content-type", media_type))
        return self.status_code, fields, body, self._tasks() if self.background is not None else ()

    def _tasks(self) -> tuple[Task, ...]:
        from ._background import reserved
        from .background import BackgroundTasks

        is_asked_for = isinstance(self.background, BackgroundTasks)
        return () if is_asked_for else (reserved(self.background),)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(status_code={self.status_code}, content={self.content!r})"


class JSONResponse(Response):
    """A response whose content is JSON whatever its type: text becomes a JSON string, None becomes null."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        """The content as JSON."""
        from ._render import encode

        return encode(content)

    def _encode(self, content: Any) -> tuple[str | None, object]:
        from ._render import encode

        return self.media_type, encode(content)


class HTMLResponse(Response):
    """A response of HTML text."""

    media_type = "text/html"


class PlainTextResponse(Response):
    """A response of plain text."""

    media_type = "text/plain"


class RedirectResponse(Response):
    """A response that sends the client elsewhere. Characters that no URL may hold are percent-encoded.

    >>> RedirectResponse("/a b").headers["location"]
    '/a%20b'
    """

    def __init__(
        self,
        url: str,
        status_code: int = 307,
        headers: Mapping[str, str] | Iterable[tuple[str, str]] | None = None,
        cookies: Mapping[str, str] | None = None,
        background: Work | BackgroundTasks | None = None,
    ) -> None:
        from urllib.parse import quote

        super().__init__(None, checked_status(status_code, 300, 399), headers, cookies=cookies, background=background)
        self.headers["location"] = quote(url if isinstance(url, str) else str(url), safe=":/%#?=@[]!$&'()*+,;~")


class StreamingResponse(Response):
    """A response that is sent while it is made: by an iterator or a generator, of either kind, of text or bytes.

    A client that reads slowly holds it back, and one that leaves closes it. What it raises breaks the connection off.

    >>> StreamingResponse(iter(["a", "b"]), media_type="text/plain").headers["content-type"]
    'text/plain; charset=utf-8'
    """

    def __init__(
        self,
        content: Pieces,
        status_code: int = 200,
        headers: Mapping[str, str] | Iterable[tuple[str, str]] | None = None,
        media_type: str | None = None,
        cookies: Mapping[str, str] | None = None,
        background: Work | BackgroundTasks | None = None,
    ) -> None:
        streams = hasattr(content, "__aiter__") or hasattr(content, "__iter__")
        if not streams or isinstance(content, (str, bytes, bytearray, memoryview)):
            raise TypeError(f"a stream is an iterator of str or bytes, got {content!r}")
        super().__init__(content, status_code, headers, media_type, cookies, background)

    def _encode(self, content: Any) -> tuple[str | None, object]:
        made = content.__aiter__() if hasattr(content, "__aiter__") else iter(content)
        return "application/octet-stream", made


class FileResponse(Response):
    """A file. It is read while it is sent, off the event loop; conditions and ranges of the request are answered.

    `filename` is what the client is to call it, saved or (`content_disposition_type="inline"`) shown.

    >>> FileResponse("report.pdf", filename="März.pdf").headers["content-type"]
    'application/pdf'
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        status_code: int = 200,
        headers: Mapping[str, str] | Iterable[tuple[str, str]] | None = None,
        media_type: str | None = None,
        filename: str | None = None,
        content_disposition_type: Literal["attachment", "inline"] = "attachment",
        cookies: Mapping[str, str] | None = None,
        background: Work | BackgroundTasks | None = None,
    ) -> None:
        if content_disposition_type not in ("attachment", "inline"):
            raise ValueError(f"content_disposition_type must be attachment or inline, got {content_disposition_type!r}")
        self.path = os.fspath(path)
        self.filename = filename
        self.content_disposition_type = content_disposition_type
        if media_type is None:
            from mimetypes import guess_type

            media_type = guess_type(filename or self.path)[0] or "application/octet-stream"
        super().__init__(None, status_code, headers, media_type, cookies, background)

    def _encode(self, content: Any) -> tuple[str | None, object]:  # noqa: ARG002
        return None, (self.path, self.filename, self.content_disposition_type == "inline")


def _rendered(self: Response, content: Any) -> tuple[str | None, object]:
    body: Any = self.render(content)
    if not isinstance(body, (str, bytes, bytearray, memoryview)):
        raise TypeError(f"render() makes bytes, got {body!r}")
    return self.media_type, str.encode(body) if isinstance(body, str) else bytes(body)


def with_charset(media_type: str) -> str:
    """A media type as it is sent: text says its charset."""
    text = media_type.startswith("text/") and "charset=" not in media_type.lower()
    return str.__add__(media_type, "; charset=utf-8" if text else "")


def _http_date(when: datetime | int | str) -> str:
    if isinstance(when, str):
        return when
    from email.utils import format_datetime, formatdate

    if isinstance(when, int):
        import time

        return formatdate(time.time() + when, usegmt=True)
    from datetime import timezone

    return format_datetime(when.astimezone(timezone.utc), usegmt=True)
