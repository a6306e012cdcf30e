"""The app of this suite: each handler does with its loop what user code does, and answers what it saw. As a program it
serves: `handlers.py run|serve asyncio|uvloop`, and prints `begun` where a test has to know that a handler runs.
"""

from __future__ import annotations

import asyncio
import contextvars
import gc
import os
import signal
import sys
import threading
import time
from typing import Any

import anyio
import anyio.to_thread
import httpx
from spikard import Spikard

app = Spikard(port=0, shutdown_timeout=5, cancel_grace=0.5)  # whoever is cancelled is watched for so long
mark: contextvars.ContextVar[str] = contextvars.ContextVar("mark", default="unset")
events: list[str] = []


def begun(what: str) -> None:
    events.append(what)
    print(what, flush=True)


@app.get("/task")
async def task() -> list[bool]:
    here = asyncio.current_task()
    assert here is not None
    before = [isinstance(here, asyncio.Task), here in asyncio.all_tasks(), not here.done()]
    await asyncio.sleep(0)
    return [*before, asyncio.current_task() is here, here in asyncio.all_tasks()]


@app.get("/tasks-left")
async def tasks_left() -> int:
    return sum(task.get_name() == "request" for task in asyncio.all_tasks() - {asyncio.current_task()})


@app.get("/wait-for")
async def wait_for() -> str:
    try:
        await asyncio.wait_for(asyncio.sleep(1000), 0.01)
    except asyncio.TimeoutError:
        return "timed out"
    return "slept"


@app.get("/timeout")
async def timeout() -> list[Any]:
    here = asyncio.current_task()
    assert here is not None
    try:
        async with asyncio.timeout(0.01):
            await asyncio.sleep(1000)
    except TimeoutError:
        return ["timed out", here.cancelling()]
    return []


@app.get("/group")
async def group() -> list[Any]:
    async with asyncio.TaskGroup() as tasks:
        first, second = tasks.create_task(asyncio.sleep(0.01, 1)), tasks.create_task(asyncio.sleep(0, 2))
    failed: list[str] = []
    try:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(asyncio.sleep(1000))
            tasks.create_task(fail())
    except BaseExceptionGroup as errors:  # noqa: F821  # called from 3.11 on only
        failed = [repr(error) for error in errors.exceptions]
    return [first.result(), second.result(), failed]


async def fail() -> None:
    await asyncio.sleep(0.01)
    raise ValueError("failed")


@app.get("/shield")
async def shield() -> list[Any]:
    event = asyncio.Event()
    inner = asyncio.ensure_future(event.wait())
    try:
        await asyncio.wait_for(asyncio.shield(inner), 0.01)
    except asyncio.TimeoutError:
        event.set()
        return ["timed out", await inner]
    return []


@app.get("/primitives")
async def primitives() -> list[int]:
    lock, event, queue = asyncio.Lock(), asyncio.Event(), asyncio.Queue[int](1)

    async def produce() -> None:
        for number in range(3):
            async with lock:
                await queue.put(number)
        event.set()

    producer = asyncio.ensure_future(produce())
    taken = [await queue.get() for _ in range(3)]
    await event.wait()
    await producer
    return taken


@app.get("/context/{name}")
async def context(name: str) -> list[str]:
    before = mark.get()
    mark.set(name)
    await asyncio.sleep(0.002)
    child = await asyncio.ensure_future(read())
    thread = await asyncio.get_running_loop().run_in_executor(None, contextvars.copy_context().run, mark.get)
    return [before, child, thread, mark.get()]


async def read() -> str:
    await asyncio.sleep(0)
    seen = mark.get()
    mark.set("a child's own")
    return seen


@app.get("/context-def/{name}")
def context_def(name: str) -> list[str]:
    before = mark.get()
    mark.set(name)
    time.sleep(0.002)
    return [before, mark.get()]


@app.get("/anyio/scopes")
async def anyio_scopes() -> list[Any]:
    with anyio.move_on_after(0.01) as outer:
        with anyio.CancelScope(shield=True):
            await anyio.sleep(0.02)
        await anyio.sleep(1000)
    try:
        with anyio.fail_after(0.01):
            await anyio.sleep(1000)
    except TimeoutError:
        return [outer.cancelled_caught, "timed out"]
    return []


@app.get("/anyio/group")
async def anyio_group() -> list[Any]:
    done: list[int] = []

    async def work(number: int) -> None:
        await anyio.sleep(0.001)
        done.append(number)
        if len(done) == 3:
            group.cancel_scope.cancel()

    async with anyio.create_task_group() as group:
        for number in range(3):
            group.start_soon(work, number)
        await anyio.sleep(1000)
    send, receive = anyio.create_memory_object_stream[int](1)
    async with send, receive:
        await send.send(7)
        return [sorted(done), await receive.receive()]


@app.get("/anyio/thread")
async def anyio_thread() -> list[bool]:
    used = await anyio.to_thread.run_sync(threading.get_ident)
    return [
        used != threading.get_ident(),
        await anyio.to_thread.run_sync(anyio.from_thread.run, anyio.sleep, 0) is None,
    ]


@app.get("/httpx")
async def with_httpx() -> list[Any]:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\nconnection: close\r\n\r\nhello")
        await writer.drain()
        writer.close()

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    async with (
        await asyncio.start_server(answer, "127.0.0.1", 0) as server,
        await asyncio.start_server(silent, "127.0.0.1", 0) as deaf,
        httpx.AsyncClient(trust_env=False) as client,
    ):
        url, never = (f"http://127.0.0.1:{one.sockets[0].getsockname()[1]}/" for one in (server, deaf))
        answers = await asyncio.gather(*[client.get(url) for _ in range(3)])
        try:
            await client.get(never, timeout=0.05)
        except httpx.ReadTimeout:
            return [[answer.text for answer in answers], "timed out"]
    return []


@app.get("/asyncpg")
async def with_asyncpg(dsn: str) -> list[Any]:
    import asyncpg

    pool = await asyncpg.create_pool(dsn, min_size=2, max_size=4)
    try:
        sums = await asyncio.gather(*[pool.fetchval("select $1::int + 1", number) for number in range(20)])
        try:
            await asyncio.wait_for(pool.fetchval("select pg_sleep(1000)"), 0.05)
        except asyncio.TimeoutError:
            return [sums, "timed out", await pool.fetchval("select 7")]
    finally:
        await pool.close()
    return []


@app.get("/subprocess")
async def with_subprocess() -> list[Any]:
    command = (sys.executable, "-I", "-c", "import sys; print(sys.stdin.read()); sys.exit(3)")
    process = await asyncio.create_subprocess_exec(
        *command, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    out, _ = await process.communicate(b"told")
    return [out.decode().strip(), process.returncode]


@app.get("/executor")
async def executor() -> list[Any]:
    loop = asyncio.get_running_loop()
    idents = await asyncio.gather(*[loop.run_in_executor(None, threading.get_ident) for _ in range(4)])
    try:
        await loop.run_in_executor(None, int, "x")
    except ValueError:
        return [threading.get_ident() in idents, "raised", await asyncio.to_thread(int, "7")]
    return []


@app.get("/signal")
async def with_signal() -> str:
    loop, heard = asyncio.get_running_loop(), asyncio.Event()
    loop.add_signal_handler(signal.SIGUSR1, heard.set)
    try:
        os.kill(os.getpid(), signal.SIGUSR1)
        await asyncio.wait_for(heard.wait(), 5)
        return "heard"
    finally:
        loop.remove_signal_handler(signal.SIGUSR1)


@app.get("/plain")
async def plain() -> str:
    return "plain"


@app.get("/plain-def")
def plain_def() -> str:
    return "plain"


@app.get("/blocks-the-loop")
async def blocks_the_loop() -> str:
    begun("blocks")
    time.sleep(1)
    return "blocked"


@app.get("/never", timeout=0.1)
async def never() -> None:
    begun("never")
    await asyncio.Event().wait()


@app.get("/swallows", timeout=0.1)
async def swallows() -> str:
    try:
        await asyncio.sleep(1000)
    except asyncio.CancelledError:
        events.append("swallowed")
    return "too late"


@app.get("/cancels-itself")
async def cancels_itself() -> None:
    here = asyncio.current_task()
    assert here is not None
    here.cancel()
    await asyncio.sleep(1000)


@app.get("/leaves", cancel_on_disconnect=True)
async def leaves() -> None:
    begun("leaves")
    try:
        await asyncio.sleep(1000)
    except asyncio.CancelledError:
        events.append("cancelled")
        raise


@app.get("/returns-late")
async def returns_late() -> str:
    begun("returns")
    await asyncio.sleep(0.3)
    events.append("returned")
    return "nobody listens"


@app.get("/returns-late-def")
def returns_late_def() -> str:
    begun("returns")
    time.sleep(0.3)
    events.append("returned")
    return "nobody listens"


@app.get("/interrupts-a-child")
async def interrupts_a_child() -> str:
    child = asyncio.ensure_future(asyncio.sleep(1000))
    child.cancel()
    try:
        await child
    except asyncio.CancelledError:
        return "the child was cancelled"
    return ""


@app.get("/events")
async def told() -> list[str]:
    taken = list(events)
    events.clear()
    return taken


@app.get("/held")
async def held() -> dict[str, int]:
    gc.collect()
    with open("/proc/self/statm") as statm:
        pages = int(statm.read().split()[1])
    return {
        "tasks": len(asyncio.all_tasks()),
        "threads": len(os.listdir("/proc/self/task")),
        "descriptors": len(os.listdir("/proc/self/fd")),
        "objects": len(gc.get_objects()),
        "memory": pages * os.sysconf("SC_PAGE_SIZE"),
    }


def main(way: str, loop: str) -> None:
    if loop == "asyncio":
        sys.modules["uvloop"] = None  # type: ignore[assignment]
    if way == "run":
        app.run()
        return
    if loop == "uvloop":
        import uvloop

        runner: Any = uvloop.run
    else:
        runner = asyncio.run
    runner(serve_until_sigterm())


async def serve_until_sigterm() -> None:
    serving = asyncio.ensure_future(app.serve())
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, serving.cancel)
    await asyncio.wait([serving])


if __name__ == "__main__":
    main(*sys.argv[1:])
