"""A file of a form: in memory, or a file without a name on disk. Reading one on disk never blocks the event loop."""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, BinaryIO

from ._headers import Headers

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import ParamSpec, Self, TypeVar

    _P = ParamSpec("_P")
    _T = TypeVar("_T")

FILE_SCHEMA = {"type": "string", "contentMediaType": "application/octet-stream"}
"""How a schema says that a member of a form is a file."""


class UploadFile:
    """A file of a form. It is closed, and gone, when its request has been answered.

    >>> with UploadFile(io.BytesIO(b"hello"), filename="a.txt") as file:
    ...     file.read(2), file.read(), file.seek(1), file.read()
    (b'he', b'llo', 1, b'ello')
    """

    __slots__ = ("_rolled", "content_type", "file", "filename", "headers", "size")

    file: BinaryIO
    """The content as a binary file."""
    filename: str | None
    """The last component of the name that the client gave."""
    content_type: str | None
    """The media type that the client gave."""
    size: int
    """Bytes."""
    headers: Headers
    """The fields of its part of the form."""

    def __init__(
        self,
        file: BinaryIO | None = None,
        *,
        filename: str | None = None,
        content_type: str | None = None,
        size: int | None = None,
        headers: Mapping[str, str] | Iterable[tuple[str, str]] | None = None,
    ) -> None:
        self.file = io.BytesIO() if file is None else file
        self.filename, self.content_type, self.headers = filename, content_type, Headers(headers)
        self.size = _length(self.file) if size is None else size
        self._rolled = not isinstance(self.file, io.BytesIO)

    @property
    def rolled_to_disk(self) -> bool:
        """Whether the content is on disk, and not in memory."""
        return self._rolled

    @property
    def closed(self) -> bool:
        """Whether it can no longer be read."""
        return self.file.closed

    def read(self, size: int = -1) -> bytes:
        """Up to `size` bytes from where it stands; all that is left with -1."""
        return self.file.read(size)

    def write(self, data: bytes) -> int:
        """Writes where it stands, and returns how many bytes that were."""
        written = self.file.write(data)
        self.size = max(self.size, self.file.tell())
        return written

    def seek(self, offset: int, whence: int = 0) -> int:
        """Moves to a place, and returns it."""
        return self.file.seek(offset, whence)

    def close(self) -> None:
        """Lets go of the content."""
        self.file.close()

    async def aread(self, size: int = -1) -> bytes:
        """Like `read`, without blocking the event loop."""
        return await self._beside(self.read, size)

    async def awrite(self, data: bytes) -> int:
        """Like `write`, without blocking the event loop."""
        return await self._beside(self.write, data)

    async def aseek(self, offset: int, whence: int = 0) -> int:
        """Like `seek`, without blocking the event loop."""
        return await self._beside(self.seek, offset, whence)

    async def aclose(self) -> None:
        """Like `close`, without blocking the event loop."""
        await self._beside(self.close)

    async def _beside(self, call: Callable[_P, _T], *args: _P.args, **keywords: _P.kwargs) -> _T:
        if self._rolled:
            import asyncio

            return await asyncio.to_thread(call, *args, **keywords)
        return call(*args, **keywords)

    def as_bytes_io(self) -> io.BytesIO:
        """The whole content in memory, read from its beginning; where this stands does not change."""
        if isinstance(self.file, io.BytesIO):
            return io.BytesIO(self.file.getvalue())
        place = self.file.tell()
        self.file.seek(0)
        try:
            return io.BytesIO(self.file.read())
        finally:
            self.file.seek(place)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    def __repr__(self) -> str:
        return f"UploadFile(filename={self.filename!r}, content_type={self.content_type!r}, size={self.size})"

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> Any:
        from pydantic_core import core_schema

        return core_schema.is_instance_schema(cls)

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: Any, handler: Any) -> Any:
        return dict(FILE_SCHEMA)


def received(
    filename: str | None,
    content_type: str | None,
    size: int,
    fields: list[tuple[str, bytes]],
    content: bytes | int,
) -> UploadFile:
    """A file as the extension hands it over: `content` is its bytes, or the number of an open file."""
    file: BinaryIO = io.BytesIO(content) if isinstance(content, bytes) else os.fdopen(_descriptor(content), "r+b")
    upload = UploadFile(file, filename=filename, content_type=content_type, size=size)
    for name, value in fields:
        upload.headers.add(name, value.decode("latin-1"))
    return upload


def _descriptor(number: int) -> int:
    """On Windows the number is a handle."""
    if os.name != "nt":
        return number
    import msvcrt

    return msvcrt.open_osfhandle(number, os.O_RDWR | os.O_BINARY)  # type: ignore[attr-defined,no-any-return,unused-ignore]


def _length(file: BinaryIO) -> int:
    place = file.tell()
    end = file.seek(0, io.SEEK_END)
    file.seek(place)
    return end


def content_of(value: Any) -> Any:
    """What a parameter of type `bytes` takes of a file, or of each of several."""
    return [file.read() for file in value] if isinstance(value, list) else value.read()


def own_name(hint: Any, name: str) -> None:
    """`body.body` of a dataclass that is bound to a parameter called `body`: the dataclass itself."""
    if hasattr(hint, "__dataclass_fields__") and name == "body" and not hasattr(hint, "body"):
        hint.body = property(lambda self: self)
