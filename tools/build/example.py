"""Runs an example as a user does: `example.py rest-api`, in Node with `--node`. `--check` starts every example, or those that
are named, and stops it with Ctrl-C as soon as it listens. One that has migrations gets a database (postgres.py).
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import demo
import postgres

import places

BUILT = places.ROOT / "packages" / "node" / "dist-tests" / "examples"


def folders(language: str) -> dict[str, Path]:
    """The examples that are written in a language."""
    return {path.parent.name: path for path in sorted((places.ROOT / "examples").glob(f"*/{language}"))}


def command(folder: Path) -> list[str]:
    """What starts it."""
    program = [sys.executable, "-u", "app.py"]
    if folder.name == "node":
        program = ["node", str(BUILT / folder.parent.name / "main.js")]
    if not (folder / "migrations").is_dir():
        return program
    return [sys.executable, "-u", str(Path(postgres.__file__)), *program]


def run(folder: Path) -> int:
    """Runs it until it ends."""
    return postgres.outlast(subprocess.Popen(command(folder), cwd=folder))


def listen_to_the_keyboard() -> None:
    """A program in the background may ignore Ctrl-C from its birth; one in a terminal does not."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def check(folder: Path) -> bool:
    """Whether it starts on a free port, and ends with 0 on Ctrl-C. One whose database cannot be had is passed over."""
    if (folder / "migrations").is_dir() and not postgres.available():
        print(f"{folder.parent.name}: not started, there is no PostgreSQL and apt brings none", flush=True)
        return True
    task = "node:example" if folder.name == "node" else "example"
    print(f"$ ./task {task} -- {folder.parent.name}", flush=True)
    program = subprocess.Popen(
        command(folder),
        cwd=folder,
        env={**os.environ, "SPIKARD_PORT": "0"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
        preexec_fn=listen_to_the_keyboard,
    )
    try:
        demo.listening(program)
        os.killpg(program.pid, signal.SIGINT)
        code = program.wait(demo.LIMIT)
    finally:
        if program.poll() is None:
            os.killpg(program.pid, signal.SIGKILL)
    print(f"exit code {code}", flush=True)
    return code == 0


def main(arguments: list[str]) -> int:
    """Answers 0 if all went well."""
    names = [name for name in arguments if not name.startswith("-")]
    there = folders("node" if "--node" in arguments else "python")
    unknown = [name for name in names if name not in there]
    if unknown or (not names and "--check" not in arguments):
        print(f"examples: {', '.join(there)}" + f"; there is no {', '.join(unknown)}" * bool(unknown), file=sys.stderr)
        return 2
    if "--check" in arguments:
        # The quick start in Python is demo.py's; in Node its port is a fixed one.
        names = names or [name for name in there if name != "quickstart"]
        return int(not all(check(there[name]) for name in names))
    return run(there[names[0]])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
