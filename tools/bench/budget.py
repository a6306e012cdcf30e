"""The regression guard: instructions per request of six workloads against `budget.json`, on the build that CI has made. Run
it by the interpreter that has the package. `--update` writes the file anew; its diff is what a change costs.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import json
import math
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import contenders
import instructions

FILE = Path(__file__).resolve().parent / "budget.json"
PROFILE = "ci"
EACH = 20
"""Requests on each of the 64 connections."""
STEADY, RESTLESS = 0.03, 0.05
"""How far a count may lie above its budget: where nothing suspends, and where the loop's turns differ."""
ATTEMPTS = 3
"""Servers that a case is counted on before it is over its budget, or failed: what disturbs a run only adds to its count."""
SUSPENDED = ("sync-pool", "sleep-0")
CASES = ("hello", "post", "sync-inline", "sync-pool", "sleep-0", "invalid")


@dataclasses.dataclass(frozen=True)
class Verdict:
    """One workload against its budget."""

    name: str
    count: float
    budget: float

    @property
    def limit(self) -> float:
        """The share that it may lie above."""
        return RESTLESS if self.name in SUSPENDED else STEADY

    @property
    def change(self) -> float:
        """The share that it lies above, negative below."""
        return self.count / self.budget - 1

    @property
    def word(self) -> str:
        """What it comes to."""
        if self.change > self.limit:
            return "over the budget"
        return "below the budget: lower it by --update" if self.change < -self.limit else "ok"


def count(names: Sequence[str]) -> dict[str, float]:
    """Instructions per request of each case, on one server; the median of three runs where the loop's turns differ."""
    contender = contenders.load("spikard-python")
    ours = dataclasses.replace(contender, command=(sys.executable, *contender.command[1:]))
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        counting = instructions.Counted(ours, Path(folder))
        try:
            for name in names:
                runs = 3 if name in SUSPENDED else 1
                counts = [counting.count(instructions.CASES[name], EACH) for _ in range(runs)]
                found[name] = float(round(statistics.median(counts)))
        finally:
            counting.server.stop()
    return found


def lowest(
    budget: Mapping[str, float], counting: Callable[[Sequence[str]], dict[str, float]] = count
) -> dict[str, float]:
    """Each case's lowest count: one that is over its budget is counted again, and so are all whose server failed."""
    found: dict[str, float] = {}
    for last in (*[False] * (ATTEMPTS - 1), True):
        over = {one.name for one in compared(found, budget) if one.change > one.limit}
        names = [name for name in CASES if name in over or name not in found]
        if not names:
            break
        try:
            for name, value in counting(names).items():
                found[name] = min(value, found.get(name, value))
        except (instructions.Broken, OSError) as reason:
            if last:
                raise
            print(f"counted again: {reason}", flush=True)
    return found


def version() -> str:
    """The interpreter's version as far as a budget depends on it."""
    return ".".join(platform.python_version_tuple()[:2])


def has_valgrind() -> bool:
    """Whether valgrind is here; root gets it from apt."""
    if not shutil.which("valgrind") and shutil.which("apt-get") and os.geteuid() == 0:
        quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        for command in (["update", "-q"], ["install", "-q", "-y", "--no-install-recommends", "valgrind"]):
            with contextlib.suppress(subprocess.TimeoutExpired):
                subprocess.run(["apt-get", *command], env=quiet, stdout=subprocess.DEVNULL, timeout=180, check=False)
    return shutil.which("valgrind") is not None


def other(known: Mapping[str, object]) -> str:
    """Why a budget says nothing of this interpreter on this processor; nothing where it does."""
    theirs, ours = (known["python"], known["machine"]), (version(), platform.machine())
    return "" if theirs == ours else "the budget is that of CPython {} on {}, this is {} on {}".format(*theirs, *ours)


def compared(found: Mapping[str, float], budget: Mapping[str, float]) -> list[Verdict]:
    """Every case against its budget; a case without one is over it."""
    return [Verdict(name, value, budget.get(name, 1.0)) for name, value in found.items()]


def main(arguments: list[str]) -> int:
    """Answers 1 if a workload is over its budget, or if nothing can be counted."""
    parser = argparse.ArgumentParser(prog="tools/bench/budget.py", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--update", action="store_true", help="write the counts as the new budget")
    given = parser.parse_args(arguments)
    if not has_valgrind():
        print("missing: valgrind, which counts the instructions (Debian, Ubuntu: apt-get install valgrind)")
        return 1
    known = json.loads(FILE.read_text()) if FILE.exists() else {"instructions": {}}
    if not given.update and (why := other(known)):
        print(f"skipped: {why}")
        return 0
    try:
        found = lowest(dict.fromkeys(CASES, math.inf) if given.update else known["instructions"])
    except (contenders.Unavailable, instructions.Broken, OSError) as reason:
        print(f"nothing could be counted: {reason}")
        return 1
    verdicts = compared(found, known["instructions"])
    print(f"instructions a request, profile {PROFILE}, CPython {version()}")
    for one in verdicts:
        told = f"budget {one.budget:>9,.0f}  {one.change:>+7.1%}  {one.word}" if one.budget > 1 else "no budget yet"
        print(f"{one.name:<12} {one.count:>9,.0f}  {told}")
    if given.update:
        told = {name: int(value) for name, value in found.items()}
        this = {"profile": PROFILE, "python": version(), "machine": platform.machine()}
        FILE.write_text(json.dumps({**this, "instructions": told}, indent=2) + "\n")
        return 0
    return int(any(one.change > one.limit for one in verdicts))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
