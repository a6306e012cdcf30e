"""The app in a process of its own, and a client that does to it what clients do."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

APPS = Path(__file__).parent
HEAD = b'--b\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\n'
TAIL = b"\r\n--b--\r\n"
TYPE = b"multipart/form-data; boundary=b"


@contextlib.contextmanager
def serving(folder: str, by_node: bool = False) -> Iterator[int]:
    """Serves the app until the end of the block; the port. The one of Node is asked to close, and must then end by itself."""
    python = [sys.executable, str(APPS / "app.py"), folder]
    # V8's room for young objects grows with the load, by tens of MiB: here it has its size from the beginning.
    node = ["node", "--expose-gc", "--min-semi-space-size=1", "--max-semi-space-size=1", str(APPS / "app.mjs")]
    with subprocess.Popen(node if by_node else python, stderr=subprocess.PIPE) as process:
        try:
            assert process.stderr is not None
            banner = process.stderr.readline().decode()
            found = re.search(r":(\d+) ", banner)
            if found is None:
                raise SystemExit(f"the server did not start: {banner}{process.stderr.read().decode()}")
            yield int(found[1])
            if by_node:
                asyncio.run(Client(int(found[1])).get("/close"))
            else:
                process.terminate()
            process.communicate(timeout=60)
            print(f"the program has ended with status {process.returncode}")
            if by_node and process.returncode != 0:
                raise SystemExit(1)
        finally:
            process.kill()


class Client:
    """One connection, opened anew where it has ended."""

    def __init__(self, port: int) -> None:
        self.port = port
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def _open(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self._streams is None:
            self._streams = await asyncio.open_connection("127.0.0.1", self.port)
        return self._streams

    def close(self) -> None:
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None

    async def get(self, target: str) -> tuple[int, bytes]:
        """Status and body."""
        _, writer = await self._open()
        writer.write(f"GET {target} HTTP/1.1\r\nhost: soak\r\n\r\n".encode())
        return await self._answer()

    async def figures(self) -> dict[str, Any]:
        """What the app says of its process."""
        return json.loads((await self.get("/figures"))[1])  # type: ignore[no-any-return]

    async def upload(self, size: int) -> tuple[int, bytes]:
        """A file of this size."""
        _, writer = await self._open()
        self._begin(writer, size)
        piece = b"x" * (256 * 1024)
        for start in range(0, size, len(piece)):
            writer.write(piece[: size - start])
            await writer.drain()
        writer.write(TAIL)
        return await self._answer()

    async def break_off(self, size: int) -> int:
        """Half a file; then this side of the connection is closed. The status that the server answers."""
        _, writer = await self._open()
        self._begin(writer, size)
        writer.write(b"x" * (size // 2))
        await writer.drain()
        writer.write_eof()
        status, _ = await self._answer()
        self.close()
        return status

    async def leave(self, target: str) -> None:
        """Asks, and does not wait for the answer."""
        _, writer = await self._open()
        writer.write(f"GET {target} HTTP/1.1\r\nhost: soak\r\n\r\n".encode())
        await writer.drain()
        self.close()

    def _begin(self, writer: asyncio.StreamWriter, size: int) -> None:
        length = len(HEAD) + size + len(TAIL)
        head = f"POST /upload HTTP/1.1\r\nhost: soak\r\ncontent-length: {length}\r\n"
        writer.write(head.encode() + b"content-type: " + TYPE + b"\r\n\r\n" + HEAD)

    async def _answer(self) -> tuple[int, bytes]:
        reader, _ = await self._open()
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
        length = re.search(r"\r\ncontent-length: (\d+)", head)
        body = await (reader.readexactly(int(length[1])) if length else self._chunks(reader))
        if "\r\nconnection: close" in head:
            self.close()
        return int(head[9:12]), body

    async def _chunks(self, reader: asyncio.StreamReader) -> bytes:
        body = b""
        while size := int(await reader.readline(), 16):
            body += await reader.readexactly(size)
            await reader.readline()
        await reader.readline()
        return body
