"""Starting: from the start of the process to the first answer, and what `import spikard` takes beyond `import asyncio,
msgspec`, which every app of ours needs anyway. Both kinds of import take turns, in processes of their own.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import contenders
import spread
import surroundings
from processes import Server
from record import put_beside

BEFORE = "asyncio, msgspec"
TIMED = "import time; began = time.perf_counter(); import {}; print(time.perf_counter() - began)"


def import_seconds(python: Path, names: str) -> float:
    """What an import takes in a fresh interpreter."""
    command = [str(python), "-c", TIMED.format(names)]
    return float(subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout)


def imports(python: Path, repeats: int) -> tuple[list[float], list[float]]:
    """Milliseconds of the import of what is needed anyway, and of ours, in turns."""
    plain, ours = [], []
    for _ in range(repeats + 1):
        plain.append(import_seconds(python, BEFORE) * 1000)
        ours.append(import_seconds(python, f"{BEFORE}, spikard") * 1000)
    # The first pair fills the caches of the system.
    return plain[1:], ours[1:]


def told(plain: list[float], ours: list[float]) -> str:
    """Both medians, and the median of the differences with its bootstrap interval."""
    gaps = [one - other for one, other in zip(ours, plain, strict=True)]
    low, high = spread.interval(gaps, mean=statistics.median)
    return (
        f"import {BEFORE}: {statistics.median(plain):.1f} ms; with spikard: {statistics.median(ours):.1f} ms; "
        f"more: {statistics.median(gaps):.1f} ms [{low:.1f}–{high:.1f}]"
    )


def first_answers(contender: contenders.Contender, repeats: int) -> list[float]:
    """Milliseconds from the start of the process to its first answer."""
    times = []
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(repeats):
            server = Server(contender, surroundings.cores()[1:2], Path(folder) / "log")
            times.append(server.first_answer * 1000)
            server.stop()
    return times


def main(arguments: list[str]) -> int:
    """Prints what was found; answers 1 if a contender failed."""
    parser = argparse.ArgumentParser(prog="tools/bench/starts.py", description=(__doc__ or "").partition(":")[0])
    parser.add_argument("--contenders", default="spikard-python")
    parser.add_argument("--repeats", type=int, default=11)
    parser.add_argument("--wheel", type=Path, help="a wheel of ours, instead of building one")
    parser.add_argument("--name", help="of a run in results/, beside which the figures are put")
    given = parser.parse_args(arguments)
    lines: list[str] = []
    figures: dict[str, float] = {}
    failed = False
    for name in given.contenders.split(","):
        contender = contenders.load(name)
        try:
            contenders.prepare(contender, given.wheel)
            times = first_answers(contender, given.repeats)
        except contenders.Unavailable as reason:
            failed = True
            lines.append(f"- {contender.title}: failed: {reason}")
            continue
        middle = statistics.median(times)
        lines.append(f"- {contender.title}: first answer after {middle:.0f} ms ({min(times):.0f}–{max(times):.0f})")
        if name == "spikard-python":
            plain, ours = imports(contender.python, given.repeats)
            figures = {"first_answer_ms": middle, "import_ms": statistics.median(ours)}
            lines.append(f"- {told(plain, ours)}")
    print(*lines, sep="\n")
    if given.name:
        put_beside(surroundings.RESULTS / given.name, figures, "starts", lines)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
