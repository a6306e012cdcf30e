"""The loads, and what must hold under them."""

from __future__ import annotations

import asyncio
import os
import random
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from itertools import count

from served import Client

MIB = 1024 * 1024


class Failed(Exception):
    """Something does not hold."""


def must(holds: bool, message: str) -> None:
    if not holds:
        raise Failed(message)


async def uploads(port: int, folder: str, number: int, size: int, parallel: int) -> None:
    """`number` files of `size` bytes, `parallel` at a time: memory stays bounded, nothing is left behind. One in ten more
    breaks off: it is answered 400.
    """
    watcher = Client(port)
    must((await Client(port).upload(size))[0] == 200, "the first upload fails")
    before = await watcher.figures()
    answers: Counter[str] = Counter()
    left = count()

    async def send() -> None:
        client = Client(port)
        while (turn := next(left)) < number:
            status, body = await client.upload(size)
            answers["whole" if (status, body) == (200, str(size).encode()) else f"{status} {body[:80]!r}"] += 1
            if turn % 10 == 0:
                breaking = Client(port)
                answers[f"broken off, {await breaking.break_off(size)}"] += 1
        client.close()

    begun = time.monotonic()
    await asyncio.gather(*(send() for _ in range(parallel)))
    seconds = time.monotonic() - begun
    after = await settled(watcher, before)
    grown = after["peak"] - before["rss"]
    print(
        f"uploads: {dict(answers)} in {seconds:.1f} s; rss {before['rss'] // 1024} MiB, highest {after['peak'] // 1024} MiB"
    )
    print(f"left behind: {len(os.listdir(folder))} files; {compared(before, after)}")
    must(set(answers) <= {"whole", "broken off, 400"}, "an answer is not the expected one")
    must(answers["whole"] == number, "an upload is missing")
    must(not os.listdir(folder), "files are left behind")
    # A file in memory, the piece that is written and what the socket holds, for each that is on its way. Where the interpreter
    # has no lock, its own allocator takes more for pieces that one thread reads and another drops (docs/adr/0009).
    spared = 32 * MIB if getattr(sys, "_is_gil_enabled", lambda: True)() else 320 * MIB
    must(grown * 1024 < parallel * 2 * MIB + spared, f"{grown // 1024} MiB more while {parallel} uploads came in")
    must(is_settled(before, after), "tasks, threads or descriptors are left")


async def mixed(port: int, folder: str, number: int, parallel: int, kinds: Kinds) -> None:
    """`number` requests of every kind, after as many to warm up: nothing grows. The allocators of Python and Rust have found
    the room that such a load wants after some half a million.
    """
    whole = 2 * number
    chosen = random.Random(1)
    watcher = Client(port)
    answers: Counter[str] = Counter()
    left = count()

    async def work() -> None:
        client = Client(port)
        while next(left) < whole:
            name = chosen.choices(list(kinds), [weight for weight, _, _ in kinds.values()])[0]
            answers[f"{name} {await kinds[name][2](client)}"] += 1
        client.close()

    async def watch() -> list[tuple[int, int]]:
        points: list[tuple[int, int]] = []
        while (done := sum(answers.values())) < whole:
            if done >= len(points) * whole // 20:
                points.append((done, (await watcher.figures())["rss"]))
                print(f"{done:>8} requests, rss {points[-1][1] / 1024:.1f} MiB", flush=True)
            await asyncio.sleep(0.05)
        return points

    if "thread" in kinds:
        await asyncio.gather(*(_threads(port) for _ in range(parallel)))
    watching = asyncio.create_task(watch())
    before = await watcher.figures()
    begun = time.monotonic()
    await asyncio.gather(*(work() for _ in range(parallel)))
    points = await watching
    print(f"mixed: {whole} requests in {time.monotonic() - begun:.0f} s: {dict(sorted(answers.items()))}")
    after = await settled(watcher, before)
    grown = growth(points, number) / number
    print(f"after the warm-up the highest rss lies {grown:.2f} bytes a request higher; {compared(before, after)}")
    expected = {f"{name} {status}" for name, (_, status, _) in kinds.items()}
    must(set(answers) == expected, f"unexpected answers: {set(answers) ^ expected}")
    must(not os.listdir(folder), "files are left behind")
    # A short run is a warm-up all along: there the whole of it is bounded. In a long one, less than this is what the heaps
    # of the languages and the allocator's pages go up and down by; what is lost for good is seen in a longer one.
    spared = 16 * MIB if number < 50_000 else MIB
    must(grown < 4.0 or grown * number < spared, "memory grows")
    must(is_settled(before, after), "tasks, threads or descriptors are left")


async def _threads(port: int) -> None:
    """So that the pool has the threads that it will have."""
    client = Client(port)
    await client.get("/thread")
    client.close()


async def _status(answer: Awaitable[tuple[int, bytes]]) -> int:
    return (await answer)[0]


# Its share, what it is answered, how it is asked.
Kinds = dict[str, tuple[int, "int | None", Callable[[Client], Awaitable["int | None"]]]]

PYTHON: Kinds = {
    "ok": (60, 200, lambda client: _status(client.get("/ok?number=7"))),
    "refused": (12, 422, lambda client: _status(client.get("/ok?number=x"))),
    "fails": (6, 500, lambda client: _status(client.get("/fails"))),
    "thread": (10, 200, lambda client: _status(client.get("/thread"))),
    "stream": (5, 200, lambda client: _status(client.get("/stream"))),
    "upload": (4, 200, lambda client: _status(client.upload(100_000))),
    "broken": (1, 400, lambda client: client.break_off(100_000)),
    "left": (1, None, lambda client: client.leave("/slow")),
    "left stream": (1, None, lambda client: client.leave("/stream")),
}
NODE: Kinds = {
    "ok": (50, 200, lambda client: _status(client.get("/ok?number=7"))),
    "refused": (10, 422, lambda client: _status(client.get("/ok?number=x"))),
    "held": (8, 200, lambda client: _status(client.get("/hold"))),
    "throws": (9, 500, lambda client: _status(client.get("/throws"))),
    "rejects": (9, 500, lambda client: _status(client.get("/rejects"))),
    "never": (2, 408, lambda client: _status(client.get("/never"))),
    "stream": (4, 200, lambda client: _status(client.get("/stream"))),
    "left": (4, None, lambda client: client.leave("/slow")),
    "left never": (2, None, lambda client: client.leave("/never")),
    "left stream": (2, None, lambda client: client.leave("/stream")),
}


def growth(points: list[tuple[int, int]], warm_up: int) -> int:
    """How much higher memory has been after the warm-up than in it, in bytes. Its highest points, since it goes down and up
    again by more than what a leak of a few bytes a request comes to.
    """
    first = max((kib for done, kib in points if done < warm_up), default=0)
    second = max((kib for done, kib in points if done >= warm_up), default=0)
    return (second - first) * 1024


def compared(before: dict[str, int], after: dict[str, int]) -> str:
    return ", ".join(f"{name} {before[name]} → {after[name]}" for name in before if name not in ("rss", "peak"))


def is_settled(before: dict[str, int], after: dict[str, int]) -> bool:
    """Whether nothing that was opened is still there. The pool may have grown to what it needs."""
    few = after["threads"] <= before["threads"] + 8 and after.get("handles", 0) <= before.get("handles", 0) + 2
    return few and after["tasks"] <= before["tasks"] and after["descriptors"] <= before["descriptors"] + 2


async def settled(watcher: Client, before: dict[str, int]) -> dict[str, int]:
    """The figures when what ends meanwhile has ended, or has had its time to."""
    after = await watcher.figures()
    for _ in range(100):
        if is_settled(before, after):
            break
        await asyncio.sleep(0.1)
        after = await watcher.figures()
    return after
