"""A real server on a thread of this process, for tests that play with sockets."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from spikard import Spikard
from spikard._worker import open_worker


class Served:
    """A server that runs, and its loop."""

    def __init__(self, worker: Any, loop: asyncio.AbstractEventLoop, address: tuple[str, int]) -> None:
        self.worker, self.loop, self.address = worker, loop, address

    def until(self, holds: Callable[[], bool], patience: float = 20.0) -> None:
        """Waits for something that nobody announces."""
        end = time.monotonic() + patience
        while not holds():
            assert time.monotonic() < end, "it never came to hold"
            time.sleep(0.005)

    def pause(self, seconds: float) -> None:
        """Lets the server go on by itself."""
        time.sleep(seconds)

    def tasks(self) -> int:
        """How many asyncio Tasks the loop has."""

        async def count() -> int:
            return len(asyncio.all_tasks()) - 1

        return asyncio.run_coroutine_threadsafe(count(), self.loop).result(10)


@contextmanager
def serving(app: Spikard) -> Iterator[Served]:
    """Serves the app on a free port until the end of the block."""
    loop = asyncio.new_event_loop()
    ready: list[Any] = []
    begun, ended = threading.Event(), threading.Event()

    def live() -> None:
        asyncio.set_event_loop(loop)
        worker = open_worker(app._compile(), {"port": 0}, loop)
        ready.extend([worker, worker.listen(lambda *_: loop.stop())])
        loop.call_soon(begun.set)
        loop.run_forever()
        worker.close()
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()
        ended.set()

    thread = threading.Thread(target=live, daemon=True)
    thread.start()
    assert begun.wait(60)
    worker, place = ready
    host, _, port = place.removeprefix("http://").rpartition(":")
    try:
        yield Served(worker, loop, (host, int(port)))
    finally:
        worker.shutdown()
        assert ended.wait(40)
        thread.join()
