"""The drivers: how each language's is started, and how its report is read."""

from __future__ import annotations

import dataclasses
import functools
import json
import os
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from corpus import ROOT

CARGO = [sys.executable, "tools/build/cargo.py", "cargo"]
VENV = [sys.executable, "tools/build/venv.py"]
NODE = [sys.executable, "tools/build/node.py"]

AT_ONCE = 3

COMMANDS = {
    "rust": [*CARGO, "test", "-p", "spikard-http", "--profile", "ci", "--test", "conformance"],
    "python": [*VENV, "python", "-m", "pytest", "packages/python/tests/conformance"],
    "node": [*NODE, "test", "dist-tests/conformance/"],
}


@dataclasses.dataclass(frozen=True)
class Run:
    """One case, through one door, with one decoder."""

    language: str
    area: str
    case: str
    door: str
    decoder: str | None
    outcome: str
    detail: str | None

    @property
    def title(self) -> str:
        """The case with its door and decoder."""
        return f"{self.case} [{' '.join(filter(None, (self.door, self.decoder)))}]"


@functools.cache
def command(language: str, *, broken: bool) -> tuple[str, ...]:
    """The driver's command: `SPIKARD_CONFORMANCE_RUST` and its like replace the table's."""
    if given := os.environ.get(f"SPIKARD_CONFORMANCE_{language.upper()}"):
        argv = shlex.split(given)
    elif language in COMMANDS:
        argv = COMMANDS[language]
    else:
        raise SystemExit(f"no driver for {language!r}: there are {', '.join(COMMANDS)}")
    return (built([*argv, "--features", "sabotage"]),) if broken and language == "rust" else tuple(argv)


def built(argv: list[str]) -> str:
    """The program that a `cargo test` would run. Where it runs many times, cargo and its lock stay out of the way."""
    argv = [*argv, "--no-run", "--message-format", "json"]
    told = subprocess.run(argv, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True).stdout
    messages = (json.loads(line) for line in told.splitlines() if line.startswith("{"))
    return str(next(message["executable"] for message in messages if message.get("executable")))


def run_all(wanted: list[tuple[str, str | None]]) -> Iterator[tuple[list[Run], str]]:
    """Runs drivers, a few at a time, since each keeps one core busy."""
    commands = [command(language, broken=sabotage is not None) for language, sabotage in wanted]
    with ThreadPoolExecutor(AT_ONCE) as threads:
        yield from threads.map(run, commands, *zip(*wanted, strict=True))


def run(argv: tuple[str, ...], language: str, sabotage: str | None) -> tuple[list[Run], str]:
    """Runs a language's driver and answers what it reported, and what it printed.

    A driver's own exit code is not looked at, since it knows nothing of known failures; one that reports nothing is
    an error.
    """
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder, "report.jsonl")
        variables = dict(os.environ, SPIKARD_CONFORMANCE_OUT=str(report))
        if sabotage:
            variables["SPIKARD_SABOTAGE"] = sabotage
        done = subprocess.run(
            argv, cwd=ROOT, env=variables, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
        )
        runs = read_report(report.read_text(encoding="utf-8")) if report.exists() else []
    if not runs:
        raise SystemExit(
            f"{done.stdout}\nthe {language} driver reported nothing: {shlex.join(argv)} ({done.returncode})"
        )
    return runs, done.stdout


def read_report(text: str) -> list[Run]:
    """Reads the JSON lines of a report."""
    return [Run(**json.loads(line)) for line in text.splitlines() if line.strip()]
