"""Runs the steps of CI one after another and ends with a table: step, result, time taken, tests counted. A failed step
does not stop the others. Arguments name the steps to run; without any, all run.
"""

from __future__ import annotations

import dataclasses
import os
import re
import subprocess
import sys
import time

import places

STEPS = (
    "rust:lint",
    "demo",
    "python:lint",
    "node:lint",
    "checks",
    "docs",
    "rust:test",
    "python:test",
    "node:test",
    "python:matrix:ends",
    "conformance",
    "conformance:sabotage",
    "bench:budget",
    "wasm:check",
)

COUNT = re.compile(r"(\d+) (passed|failed|skipped|ignored|error|errors)\b")
# The last lines of cargo test, pytest, tools/conformance and a step that was skipped.
CLOSING = re.compile(r"^test result: |^=* ?(\d+ \w+(, )?)+ in [\d.]+s|^\d+ passed, \d+ failed$|^skipped: ")


@dataclasses.dataclass
class Result:
    """One step that has run."""

    step: str
    code: int
    seconds: float
    counts: dict[str, int]
    skipped: str


def run(step: str) -> Result:
    """Runs one step, passing its output on as it comes."""
    print(f"\n==> task {step}", flush=True)
    began = time.monotonic()
    command = [str(places.ROOT / "task"), step]
    counts: dict[str, int] = {}
    skipped = ""
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            print(line, end="", flush=True)
            plain = re.sub(r"\x1b\[[0-9;]*m", "", line).strip()
            if not CLOSING.search(plain):
                continue
            if plain.startswith("skipped: "):
                skipped = "; ".join(filter(None, (skipped, plain)))
            for number, word in COUNT.findall(plain):
                counts[word] = counts.get(word, 0) + int(number)
    return Result(step, process.returncode, time.monotonic() - began, counts, skipped)


def row(result: Result) -> str:
    """A line of the table."""
    minutes, seconds = divmod(round(result.seconds), 60)
    outcome = "ok" if result.code == 0 else "failed"
    counted = ", ".join(f"{number} {word}" for word, number in result.counts.items() if number)
    told = "; ".join(filter(None, (counted, result.skipped)))
    return f"{result.step:<22}{outcome:<8}{minutes:>4}:{seconds:02}   {told}"


def main(wanted: list[str]) -> int:
    """Runs the steps and answers 1 if one of them failed."""
    if unknown := set(wanted) - set(STEPS):
        print(f"no such step: {', '.join(sorted(unknown))}; there are {', '.join(STEPS)}", file=sys.stderr)
        return 2
    os.chdir(places.ROOT)
    results = [run(step) for step in wanted or STEPS]
    print(f"\n{'step':<22}{'result':<8}{'time':>7}   tests")
    for result in results:
        print(row(result))
    return max(result.code != 0 for result in results)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
