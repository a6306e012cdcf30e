"""Runs the steps of CI and ends with a table: step, result, time taken, processor time, tests counted. A failed step does
not stop the others. Steps that only read run beside each other; those whose tests look at the clock run alone, or beside
one that keeps to one core. Arguments name the steps to run; without any, all run.
"""

from __future__ import annotations

import collections
import dataclasses
import os
import re
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import places

BUILDS = ("python:build", "node:build")
# Each line's steps run beside each other, as many as there are cores.
STEPS = (
    BUILDS,
    ("conformance:sabotage", "python:lint", "docs", "node:lint", "rust:lint"),
    ("demo",),
    ("rust:test", "checks"),
    ("python:test", "wasm:check"),
    ("node:test", "conformance", "bench:budget"),
    ("python:matrix:ends",),
)
# Set for the steps behind the builds: the interpreter whose package need not be built again.
BUILT = "SPIKARD_BUILT"
LAST = 60
"""Lines of a failed step that stand again at the end, where a log that was cut short still has them."""

COUNT = re.compile(r"(\d+) (passed|failed|skipped|ignored|error|errors)\b")
# The last lines of cargo test, pytest, tools/conformance and a step that was skipped.
CLOSING = re.compile(r"^test result: |^=* ?(\d+ \w+(, )?)+ in [\d.]+s|^\d+ passed, \d+ failed$|^skipped: ")


@dataclasses.dataclass
class Result:
    """One step that has run."""

    step: str
    code: int
    seconds: float
    processor: float
    counts: dict[str, int]
    skipped: str
    last: tuple[str, ...]


def run(step: str, *, aloud: bool = True) -> Result:
    """Runs one step and passes its output on: as it comes, or all of it at the end where others run beside it."""
    told = [f"\n==> task {step}\n"]
    last: collections.deque[str] = collections.deque(maxlen=LAST)
    began = time.monotonic()
    counts: dict[str, int] = {}
    skipped = ""
    command = [str(places.ROOT / "task"), step]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")
    assert process.stdout is not None
    with process.stdout:
        for line in process.stdout:
            told.append(line)
            last.append(line)
            if aloud:
                tell(told)
            plain = re.sub(r"\x1b\[[0-9;]*m", "", line).strip()
            if not CLOSING.search(plain):
                continue
            if plain.startswith("skipped: "):
                skipped = "; ".join(filter(None, (skipped, plain)))
            for number, word in COUNT.findall(plain):
                counts[word] = counts.get(word, 0) + int(number)
    _, status, used = os.wait4(process.pid, 0)  # only this tells what all that it started has taken
    process.returncode = os.waitstatus_to_exitcode(status)
    tell(told)
    processor = used.ru_utime + used.ru_stime
    return Result(step, process.returncode, time.monotonic() - began, processor, counts, skipped, tuple(last))


def tell(lines: list[str]) -> None:
    """Prints the lines in one piece, and forgets them."""
    sys.stdout.write("".join(lines))
    sys.stdout.flush()
    lines.clear()


def row(result: Result) -> str:
    """A line of the table."""
    outcome = "ok" if result.code == 0 else "failed"
    counted = ", ".join(f"{number} {word}" for word, number in result.counts.items() if number)
    told = "; ".join(filter(None, (counted, result.skipped)))
    return f"{result.step:<22}{outcome:<8}{clock(result.seconds):>7}{clock(result.processor):>11}   {told}"


def clock(seconds: float) -> str:
    """Minutes and seconds."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02}"


def run_all() -> list[Result]:
    """Runs the steps. Behind the builds, what they made is not made again."""
    results: list[Result] = []
    with ThreadPoolExecutor(os.cpu_count()) as cores:
        for steps in STEPS:
            aloud = len(steps) == 1
            results += cores.map(lambda step, aloud=aloud: run(step, aloud=aloud), steps)
            if steps == BUILDS and all(result.code == 0 for result in results):
                os.environ[BUILT] = os.environ.get("SPIKARD_PYTHON", sys.executable)
    return results


def main(wanted: list[str]) -> int:
    """Answers 1 if one of the steps failed."""
    there = [step for steps in STEPS for step in steps]
    if unknown := set(wanted) - set(there):
        print(f"no such step: {', '.join(sorted(unknown))}; there are {', '.join(there)}", file=sys.stderr)
        return 2
    os.chdir(places.ROOT)
    began = time.monotonic()
    results = list(map(run, wanted)) if wanted else run_all()
    for result in results:
        if result.code:
            print(f"\n==> task {result.step} failed; its last lines:\n{''.join(result.last)}")
    print(f"\n{'step':<22}{'result':<8}{'time':>7}{'processor':>11}   tests")
    print(*map(row, results), sep="\n")
    print(f"{'all':<30}{clock(time.monotonic() - began):>7}{clock(sum(result.processor for result in results)):>11}")
    return max(result.code != 0 for result in results)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
