"""The loop belongs to the caller of `serve()`: what user code and the caller do to it has an end that can be told."""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from spikard import Spikard
from spikard._worker import open_worker
from spikard.testing import TestClient

from .conftest import HAS_UVLOOP, Ports
from .doors import TIME


def loops() -> list[Callable[[], asyncio.AbstractEventLoop]]:
    if not HAS_UVLOOP:
        return [asyncio.new_event_loop]
    import uvloop

    return [asyncio.new_event_loop, uvloop.new_event_loop]


@pytest.fixture(params=loops(), ids=lambda kind: kind.__module__.split(".")[0])
def new_loop(request: pytest.FixtureRequest) -> Any:
    return request.param


def answer_of(port: int, path: str) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=TIME) as answer:
        text: str = answer.read().decode()
        return text


def test_serve_runs_beside_the_callers_own_tasks_and_on_their_loop(new_loop: Any, ports: Ports) -> None:
    app = Spikard(port=0)
    here: list[asyncio.AbstractEventLoop] = []
    questions: asyncio.Queue[asyncio.Future[str]] = asyncio.Queue()

    @app.get("/")
    async def index() -> str:
        here.append(asyncio.get_running_loop())
        answered = here[0].create_future()
        questions.put_nowait(answered)
        return await answered

    async def answer() -> None:
        while True:
            (await questions.get()).set_result("served")

    async def main() -> list[str]:
        answering, serving = asyncio.ensure_future(answer()), asyncio.ensure_future(app.serve())
        (port,) = await asyncio.to_thread(ports, 1)
        answers = [await asyncio.to_thread(answer_of, port, "/") for _ in range(3)]
        serving.cancel()
        answering.cancel()
        await asyncio.wait([serving, answering])
        assert serving.cancelled()
        return answers

    loop = new_loop()
    try:
        assert loop.run_until_complete(main()) == ["served"] * 3
        loop.run_until_complete(loop.shutdown_default_executor())
    finally:
        loop.close()
    assert here == [loop] * 3


def test_a_loop_that_a_handler_stopped_can_be_run_again_by_its_owner(new_loop: Any, ports: Ports) -> None:
    app = Spikard(port=0)

    @app.get("/")
    async def stop() -> str:
        asyncio.get_running_loop().stop()
        await asyncio.sleep(0.01)
        return "went on"

    loop, answers = new_loop(), list[str]()
    asking = threading.Thread(target=lambda: answers.append(answer_of(ports(1)[0], "/")))
    asking.start()
    serving = loop.create_task(app.serve())
    try:
        with pytest.raises(RuntimeError, match="stopped before Future completed"):
            loop.run_until_complete(serving)
        while not answers:
            loop.run_until_complete(asyncio.sleep(0.01))
        serving.cancel()
        with pytest.raises(asyncio.CancelledError):
            loop.run_until_complete(serving)
    finally:
        loop.close()
        asking.join()
    assert answers == ["went on"]


def test_ctrl_c_in_a_handler_comes_out_of_the_callers_loop(new_loop: Any) -> None:
    app = Spikard()

    @app.get("/")
    async def interrupt() -> None:
        await asyncio.sleep(0)
        raise KeyboardInterrupt

    async def main() -> None:
        async with TestClient(app) as client:
            await client.get("/")

    loop = new_loop()
    try:
        with pytest.raises(KeyboardInterrupt):
            loop.run_until_complete(main())
        for task in asyncio.all_tasks(loop):
            task.cancel()
            loop.run_until_complete(asyncio.wait([task]))
    finally:
        loop.close()


def test_two_servers_share_one_loop(new_loop: Any, ports: Ports) -> None:
    async def main() -> list[str]:
        servers: list[asyncio.Task[None]] = []
        for name in ("one", "other"):
            app = Spikard(port=0)
            app.get("/")(lambda name=name: name)
            servers.append(asyncio.ensure_future(app.serve()))
        both = await asyncio.to_thread(ports, 2)
        answers = await asyncio.gather(*[asyncio.to_thread(answer_of, port, "/") for port in both])
        for serving in servers:
            serving.cancel()
        await asyncio.wait(servers)
        return answers

    loop = new_loop()
    try:
        assert loop.run_until_complete(main()) == ["one", "other"]
        loop.run_until_complete(loop.shutdown_default_executor())
    finally:
        loop.close()


class Interrupted(asyncio.SelectorEventLoop):
    """A loop in which a signal's handler raises once, while the extension asks for a turn."""

    armed = False

    def call_soon(self, callback: Any, *args: Any, **keywords: Any) -> Any:
        if self.armed and type(callback).__name__ == "Turn":
            self.armed = False
            raise KeyboardInterrupt
        return super().call_soon(callback, *args, **keywords)


def test_what_a_signal_raises_reaches_the_loop_and_no_request_is_lost() -> None:
    app, loop = Spikard(io_thread=False), Interrupted()

    @app.get("/")
    async def index() -> str:
        await asyncio.sleep(0.01)
        loop.armed = True
        return "answered"

    async def main() -> str:
        async with TestClient(app) as client:
            return str((await client.get("/")).text)

    task = loop.create_task(main())
    try:
        with pytest.raises(KeyboardInterrupt):
            loop.run_until_complete(task)
        assert loop.run_until_complete(asyncio.wait_for(task, TIME)) == "answered"
    finally:
        loop.close()


def test_what_a_signal_raises_while_an_answer_is_told_reaches_the_loop() -> None:
    app, loop = Spikard(), asyncio.new_event_loop()

    @app.get("/")
    async def index() -> str:
        return "answered"

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    worker = open_worker(app._compile(), {}, loop)
    try:
        worker.send("GET", "/", [], b"", interrupted)
        loop.call_later(TIME, loop.stop)
        with pytest.raises(KeyboardInterrupt):
            loop.run_forever()
    finally:
        worker.close()
        loop.close()


NESTED = """
import asyncio, sys, nest_asyncio
from spikard import Spikard

app = Spikard(port=0)

async def inner() -> str:
    await asyncio.sleep(0.3)
    return "inner"

@app.get("/nested")
async def nested() -> str:
    return asyncio.get_event_loop().run_until_complete(inner())

@app.get("/nested-later")
async def nested_later() -> str:
    await asyncio.sleep(0)
    return asyncio.get_event_loop().run_until_complete(inner())

@app.get("/")
async def index() -> str:
    return "plain"

loop = asyncio.new_event_loop()
asyncio.set_event_loop(loop)
nest_asyncio.apply(loop)
loop.run_until_complete(app.serve())
"""


def test_a_loop_that_user_code_runs_within_itself_serves_others_meanwhile(tmp_path: Path) -> None:
    pytest.importorskip("nest_asyncio")
    file, errors = tmp_path / "program.py", tmp_path / "stderr"
    file.write_text(NESTED)
    with errors.open("w") as stderr:
        program = subprocess.Popen([sys.executable, str(file)], stderr=stderr)
    try:
        deadline = time.monotonic() + TIME
        while not (found := re.search(r"http://127\.0\.0\.1:(\d+)", errors.read_text())):
            assert time.monotonic() < deadline
            assert program.poll() is None
            time.sleep(0.01)
        port = int(found[1])
        for path in ("/nested", "/nested-later"):
            answers: list[str] = []
            asking = threading.Thread(target=lambda path=path, to=answers: to.append(answer_of(port, path)))
            asking.start()
            time.sleep(0.1)
            assert answer_of(port, "/") == "plain"
            assert not answers, "it was answered meanwhile"
            asking.join()
            assert answers == ["inner"]
        assert len(errors.read_text().splitlines()) == 1, errors.read_text()
    finally:
        program.kill()
        program.wait()
