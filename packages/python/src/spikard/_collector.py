"""The garbage collector of a process that serves: what stays is not looked through again, nor a request while it is read."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

_USUAL: Final = (700, 2_000)
"""What CPython's versions begin with."""

_YOUNG: Final = 10_000
"""More objects than most bodies are made of: with fewer, the collector would go through one again and again while it is
being read, to find that all of it is in use.
"""


@contextmanager
def serving() -> Iterator[None]:
    """For as long as the server listens. What the start-up has made is set apart; where the program has set no threshold
    of its own, collections become rarer.
    """
    before = gc.get_threshold()
    gc.collect()
    gc.freeze()
    if before[0] in _USUAL:
        gc.set_threshold(_YOUNG, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()
