"""Writes a multipart form, for the test client: httpx's ways to give its files."""

from __future__ import annotations

import mimetypes
import os
import secrets
from collections.abc import Mapping, Sequence
from typing import IO

Content = bytes | str | IO[bytes]
File = (
    Content
    | tuple[str | None, Content]
    | tuple[str | None, Content, str | None]
    | tuple[str | None, Content, str | None, Mapping[str, str]]
)
Files = Mapping[str, File] | Sequence[tuple[str, File]]


def write(fields: list[tuple[str, str]], files: Files) -> tuple[bytes, str]:
    """The body and its content type. A file is its content, or `(name, content, type, header fields)` from the left."""
    boundary = secrets.token_hex(16)
    pieces: list[bytes] = []
    for name, value in fields:
        pieces += _part(boundary, {"Content-Disposition": f'form-data; name="{_quoted(name)}"'}, value.encode())
    for name, file in files.items() if isinstance(files, Mapping) else files:
        filename, content, kind, headers = _file(file)
        disposition = f'form-data; name="{_quoted(name)}"'
        if filename is not None:
            disposition += f'; filename="{_quoted(filename)}"'
        typed = {"Content-Type": kind} if kind else {}
        pieces += _part(boundary, {"Content-Disposition": disposition, **typed, **headers}, content)
    return b"".join([*pieces, f"--{boundary}--\r\n".encode()]), f"multipart/form-data; boundary={boundary}"


def _part(boundary: str, headers: Mapping[str, str], content: bytes) -> list[bytes]:
    fields = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return [f"--{boundary}\r\n{fields}\r\n".encode(), content, b"\r\n"]


def _file(file: File) -> tuple[str | None, bytes, str | None, Mapping[str, str]]:
    given = file if isinstance(file, tuple) else (_name(file), file)
    filename, content = given[0], given[1]
    kind = given[2] if len(given) > 2 else _guess(filename)
    return filename, _bytes(content), kind, given[3] if len(given) > 3 else {}


def _name(file: Content) -> str:
    return os.path.basename(str(getattr(file, "name", "upload")))


def _guess(filename: str | None) -> str | None:
    return (mimetypes.guess_type(filename)[0] or "application/octet-stream") if filename else None


def _bytes(content: Content) -> bytes:
    if isinstance(content, (bytes, str)):
        return content.encode() if isinstance(content, str) else content
    return content.read()


def _quoted(text: str) -> str:
    return text.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
