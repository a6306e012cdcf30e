"""Start-up and end of an app that somebody else's server drives, uvicorn too."""

from __future__ import annotations

import asyncio
import gc
import importlib.util
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from spikard import Spikard

from .asgi_server import PATIENCE, Message, Server, asking, part, sample, until

needs_uvloop = pytest.mark.skipif(importlib.util.find_spec("uvloop") is None, reason="uvloop is not installed")


class Lifespan(Server):
    def __init__(self, app: Spikard) -> None:
        super().__init__(app)
        self.scope = {"type": "lifespan"}

    async def say(self, phase: str) -> Message:
        self.incoming.put_nowait({"type": f"lifespan.{phase}"})
        return await self.next()


@pytest.mark.asyncio
async def test_a_lifespan_starts_up_and_ends_when_what_is_in_flight_has_ended() -> None:
    app, release, events = Spikard(), asyncio.Event(), list[str]()

    @app.get("/")
    async def wait() -> str:
        events.append("began")
        await release.wait()
        return "answered"

    life = Lifespan(app)
    life.begin()
    assert await life.say("startup") == {"type": "lifespan.startup.complete"}
    server = Server(app).begin(part())
    await until(lambda: events == ["began"])
    life.incoming.put_nowait({"type": "lifespan.shutdown"})
    await asyncio.sleep(0)
    assert life.sent.empty()
    release.set()
    assert [message.get("body") for message in await server.end()] == [None, b"answered"]
    assert await life.next() == {"type": "lifespan.shutdown.complete"}
    assert await life.end() == []


@pytest.mark.asyncio
async def test_a_start_up_that_fails_is_told_the_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPIKARD_MAX_IN_FLIGHT", "0")
    life = Lifespan(Spikard())
    life.begin()
    message = await life.say("startup")
    assert message["type"] == "lifespan.startup.failed"
    assert "SPIKARD_MAX_IN_FLIGHT" in message["message"]
    assert await life.end() == []


@pytest.mark.parametrize("kind", ["lifespan.zzz", "http.request", ""])
@pytest.mark.asyncio
async def test_a_message_that_no_lifespan_has_is_refused(kind: str) -> None:
    life = Lifespan(Spikard())
    life.incoming.put_nowait({"type": kind})
    life.begin()
    with pytest.raises(ValueError, match=f"lifespan.startup and ends with lifespan.shutdown, got '{kind}'"):
        await life.end()
    assert life.sent.empty()


def io_threads() -> int:
    gc.collect()
    names = [name.read_text().strip() for name in Path("/proc/self/task").glob("*/comm")]
    return names.count("spikard-io")


@pytest.fixture
def flat() -> Iterator[None]:
    before = threading.active_count(), io_threads()
    yield
    assert (threading.active_count(), io_threads()) == before


@pytest.mark.usefixtures("flat")
def test_without_a_lifespan_the_app_ends_with_the_loop() -> None:
    app = sample()

    async def main() -> None:
        async with asking(app) as client:
            assert (await client.get("/items/1")).status_code == 200

    for _ in range(3):
        asyncio.run(main())


PROGRAM = """
import asyncio
from spikard import Spikard

app = Spikard()

@app.get("/hello/{name}")
async def hello(name: str) -> dict[str, str]:
    return {"message": f"hello, {name}"}

@app.post("/size")
def size(body: bytes) -> int:
    return len(body)

@app.get("/waits", cancel_on_disconnect=True)
async def waits() -> None:
    print("began", flush=True)
    try:
        await asyncio.sleep(1000)
    finally:
        print("cancelled", flush=True)
"""


@pytest.mark.parametrize("loop", ["asyncio", pytest.param("uvloop", marks=needs_uvloop)])
def test_uvicorn_serves_it(tmp_path: Path, loop: str) -> None:
    (tmp_path / "program.py").write_text(PROGRAM)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        fd = listener.fileno()
        command = [sys.executable, "-m", "uvicorn", "program:app", "--fd", str(fd), "--loop", loop, "--lifespan", "on"]
        process = subprocess.Popen(
            command, cwd=tmp_path, pass_fds=[fd], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
    assert process.stdout is not None
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=PATIENCE, trust_env=False) as client:
            assert client.get("/hello/ada").json() == {"message": "hello, ada"}
            assert client.post("/size", content=b"x" * 300_000).json() == 300_000
            assert client.post("/size", content=iter([b"x" * 1000] * 9)).json() == 9000
            assert client.get("/nowhere").status_code == 404
        with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as leaving:
            leaving.sendall(b"GET /waits HTTP/1.1\r\nhost: test\r\n\r\n")
            told = list(iter(lambda: process.stdout.readline().strip(), "began"))
        told += list(iter(lambda: process.stdout.readline().strip(), "cancelled"))
    finally:
        process.terminate()
        rest, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode in (0, -signal.SIGTERM), (told, rest)
    assert "Application shutdown complete." in rest, (told, rest)
    assert not any(word in line for word in ("Traceback", "ERROR") for line in (*told, rest))
