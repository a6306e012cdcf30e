"""The load that wrk cannot make, by the generator of `generator/`: an open loop, long answers, and connections that ask
nothing.
"""

from __future__ import annotations

import contextlib
import json
import resource
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import priority
from surroundings import cache
from wrk import Failed

SOURCE = Path(__file__).resolve().parent / "generator"
PATIENCE = 60


def build() -> Path:
    """The generator, built where its sources have changed."""
    target = cache() / "bench" / "generator"
    command = ["cargo", "build", "--quiet", "--release", "--locked", "--target-dir", str(target)]
    done = subprocess.run(command, cwd=SOURCE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        raise SystemExit(f"the generator cannot be built: {done.stdout.strip()}")
    return target / "release" / "generator"


def room() -> None:
    """As many open files as this process and its children may have."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def command(kind: str, core: int, *arguments: object) -> list[str]:
    """The generator on its core."""
    program = cache() / "bench" / "generator" / "release" / "generator"
    return ["taskset", "--cpu-list", str(core), str(program), kind, *map(str, arguments)]


def opened(port: int, target: str, rate: float, seconds: int, connections: int, core: int) -> dict:
    """Offers a rate for that long, whatever the server does."""
    return _run(command("open", core, port, target, f"{rate:.1f}", seconds, connections), seconds)


def bulk(port: int, target: str, seconds: int, connections: int, core: int) -> dict:
    """Asks for long answers in a closed loop."""
    return _run(command("bulk", core, port, target, seconds, connections), seconds)


def _run(asked: list[str], seconds: int) -> dict:
    before, began = used(), time.monotonic()
    done = subprocess.run(
        asked,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=seconds + PATIENCE,
        preexec_fn=priority.go_ahead,
    )
    return {**parse(done.stdout), "busy": round((used() - before) / (time.monotonic() - began), 3)}


@contextlib.contextmanager
def held(port: int, target: str, connections: int, core: int) -> Iterator[dict]:
    """Holds connections that have asked once."""
    asked = command("idle", core, port, target, connections)
    with subprocess.Popen(asked, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield {**parse(process.stdout.readline()), "busy": 0.0}
        finally:
            process.communicate("", timeout=PATIENCE)


def parse(output: str) -> dict:
    """The line that the generator prints."""
    lines = [line for line in output.splitlines() if line.startswith("{")]
    if not lines:
        raise Failed(f"the generator printed no result: {output.strip()[-200:]}")
    told: dict = json.loads(lines[-1])
    return told


def used() -> float:
    """Processor time of the children that have ended."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return children.ru_utime + children.ru_stime
