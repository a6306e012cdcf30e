"""What asyncio and `threading` do for Tasks and threads of their own, done for those that the extension makes: whoever
lists, traces or profiles them finds them.
"""

from __future__ import annotations

import sys
import threading
from asyncio import tasks
from collections.abc import Iterator
from typing import Any
from weakref import WeakSet

suspended: dict[Any, None] = {}
"""The Tasks of requests that wait. They come into asyncio's list when somebody asks for it: to put each of them in, and
to take it out again, costs more than a request's first step.
"""


class AllTasks(WeakSet[Any]):
    """asyncio's list (3.10 and 3.11), with the Tasks of requests, and with what runs on every loop at this moment: the
    first step of a request's Task runs before anybody has heard of it.
    """

    def __iter__(self) -> Iterator[Any]:
        for task in (*suspended, *tasks._current_tasks.values()):  # type: ignore[attr-defined]
            WeakSet.add(self, task)
        return super().__iter__()


def complete(listed: WeakSet[Any]) -> None:
    """Makes asyncio's list complete."""
    listed.__class__ = AllTasks


def watch() -> None:
    """Called first on a thread of the extension: debuggers, profilers and coverage see it if they see others."""
    if (trace := threading.gettrace()) is not None:
        sys.settrace(trace)
    if (profile := threading.getprofile()) is not None:
        sys.setprofile(profile)
