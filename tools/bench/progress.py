"""One line on stderr: how far a run is, what it does now, how much longer it takes."""

from __future__ import annotations

import sys
import time


class Progress:
    """Steps of which each takes about as long as the ones before."""

    def __init__(self, steps: int) -> None:
        self.steps = steps
        self.done = 0
        self.began = time.monotonic()

    def step(self, what: str) -> None:
        """Says what begins."""
        spent = time.monotonic() - self.began
        left = f"{spent / self.done * (self.steps - self.done):.0f} s left" if self.done else "…"
        self.done += 1
        start, end = ("\r\x1b[K", "") if sys.stderr.isatty() else ("", "\n")
        print(f"{start}[{self.done}/{self.steps}] {what} ({left})", end=end, file=sys.stderr, flush=True)

    def say(self, line: str) -> None:
        """A line that stays."""
        start = "\r\x1b[K" if sys.stderr.isatty() else ""
        print(f"{start}{line}", file=sys.stderr, flush=True)
