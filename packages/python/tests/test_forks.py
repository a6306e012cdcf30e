"""Processes that user code forks: they end where that code does, and serve nobody."""

from __future__ import annotations

import os
import signal
import socket
import sys

import pytest

from .test_server import Program, program

__all__ = ["program"]

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there is no fork on Windows")

FORKS = """
def forked(how: str) -> str:
    if child := os.fork():
        return str(os.waitpid(child, 0)[1] >> 8)
    if how == "exit":
        sys.exit(7)
    if how == "words":
        sys.exit("these words")
    if how == "raise":
        raise LookupError("in the fork")
    return "from the fork"

@app.get("/async/{how}")
async def on_the_loop(how: str) -> str:
    return forked(how)

@app.get("/later/{how}")
async def later(how: str) -> str:
    await asyncio.sleep(0)
    return forked(how)

@app.get("/def/{how}")
def on_a_thread(how: str) -> str:
    return forked(how)

@app.get("/polls")
async def polls() -> str:
    if child := os.fork():
        while not (ended := os.waitpid(child, os.WNOHANG))[0]:
            await asyncio.sleep(0.01)
        return str(ended[1] >> 8)
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    return "from the fork"

def fork_and_go_on() -> None:
    if child := os.fork():
        print("forked", flush=True)
        os.waitpid(child, 0)

@app.get("/soon")
async def soon() -> str:
    asyncio.get_running_loop().call_later(0.1, fork_and_go_on)
    return "soon"

app.run()
"""


both = pytest.mark.parametrize(
    "program", [({}, FORKS), ({"io_thread": True}, FORKS)], indirect=True, ids=["loop", "io_thread"]
)


@both
def test_a_fork_ends_where_user_code_does_with_its_status(program: Program) -> None:
    statuses = {"exit": b"7", "words": b"1", "raise": b"1", "return": b"0"}
    for where in ("async", "later", "def"):
        for how, status in statuses.items():
            assert program.get(f"/{where}/{how}") == (200, status), (where, how)
    told = program.errors.read_text()
    assert told.count("these words") == 3
    assert told.count("LookupError: in the fork") == 3
    assert "spikard.error" not in told
    program.signal(signal.SIGTERM)
    assert program.status() == 0
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.1", program.port), 10)


@both
def test_a_fork_that_goes_round_the_loop_ends_all_the_same(program: Program) -> None:
    with socket.create_connection(("127.0.0.1", program.port), timeout=20) as client:
        client.sendall(b"GET /polls HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n")
        answer = b""
        while piece := client.recv(65536):
            answer += piece
    assert answer.endswith(b"0"), answer
    assert answer.count(b"HTTP/1.1") == 1
    program.signal(signal.SIGTERM)
    assert program.status() == 0


@both
def test_a_fork_that_meets_a_request_leaves_it_to_its_parent(program: Program) -> None:
    assert program.get("/soon") == (200, b"soon")
    assert program.line() == "forked"
    assert program.get("/") == (200, b'{"hello":"world"}')
    program.signal(signal.SIGTERM)
    assert program.status() == 0


POOLS = """
import multiprocessing

def ends() -> list[float]:
    with multiprocessing.get_context("fork").Pool(2) as pool:  # whose end is a SIGTERM to each
        return pool.map(abs, [-1.0, -2.0])

@app.get("/async")
async def beside_the_loop() -> list[float]:
    return await asyncio.to_thread(ends)

@app.get("/def")
def on_a_thread() -> list[float]:
    return ends()

@app.get("/interrupted")
def interrupted() -> int:
    if child := os.fork():
        return os.waitpid(child, 0)[1]
    signal.raise_signal(signal.SIGINT)
    return 0

app.run()
"""


@pytest.mark.parametrize("program", [({}, "import signal\n" + POOLS)], indirect=True)
def test_a_signal_to_a_fork_is_for_the_fork_alone(program: Program) -> None:
    for _ in range(3):
        for path in ("/async", "/def"):
            assert program.get(path) == (200, b"[1.0,2.0]")
    assert program.get("/interrupted") == (200, b"256")
    assert program.get("/")[0] == 200
    program.signal(signal.SIGTERM)
    assert program.status() == 0


PREFORK = """
if child := os.fork():
    print(os.waitpid(child, 0)[1], flush=True)
else:
    app.run()
"""


@pytest.mark.parametrize("program", [({}, PREFORK)], indirect=True)
def test_a_program_may_serve_in_its_own_fork(program: Program) -> None:
    os.kill(int(program.get("/pid")[1]), signal.SIGTERM)
    assert program.line() == "0"
    assert program.status() == 0
