"""The app under load: `app.py FOLDER`, where FOLDER takes the uploads that go to disk. It answers with its own figures."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import sys
import threading
from collections.abc import AsyncIterator
from typing import Annotated

from spikard import Query, Spikard, StreamingResponse, UploadFile

logging.getLogger("spikard.error").addHandler(logging.NullHandler())
logging.getLogger("spikard.error").propagate = False

app = Spikard(port=0, upload_dir=sys.argv[1] if len(sys.argv) > 1 else None, upload_memory=64 * 1024)


@app.get("/ok")
async def ok(number: Annotated[int, Query(ge=0)] = 1) -> dict[str, int]:
    return {"number": number}


@app.get("/thread")
def thread() -> str:
    return "thread"


@app.get("/fails")
async def fails() -> None:
    raise RuntimeError("on purpose")


@app.get("/stream")
async def stream() -> StreamingResponse:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(20):
            yield b"x" * 1024
            await asyncio.sleep(0)

    return StreamingResponse(pieces())


@app.get("/slow", cancel_on_disconnect=True)
async def slow() -> None:
    await asyncio.sleep(60)


@app.post("/upload")
async def upload(file: UploadFile) -> int:
    size = 0
    while piece := await file.aread(256 * 1024):
        size += len(piece)
    return size


@app.get("/figures")
async def figures() -> dict[str, int]:
    gc.collect()
    with open("/proc/self/status") as status:
        lines = dict(line.split(":", 1) for line in status)
    return {
        "rss": int(lines["VmRSS"].split()[0]),
        "peak": int(lines["VmHWM"].split()[0]),
        "tasks": len(asyncio.all_tasks()),
        "threads": threading.active_count(),
        "descriptors": len(os.listdir("/proc/self/fd")),
    }


if __name__ == "__main__":
    app.run()
