"""The tests of packages/python on every interpreter that it supports and that is here, connections on the event loop and
on the I/O thread: `matrix.py [--ends] [-- ARGUMENTS]`. Interpreters come from `SPIKARD_PYTHONS` (paths), PATH, pyenv and the
py launcher. `--ends` takes the oldest and the newest, without the one that runs this, connections on the event loop, and
the tests that depend on the interpreter (`task python:test:own`). What is skipped is said at the end, and why.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import places

CLASSIFIER = re.compile(r'"Programming Language :: Python :: (3\.\d+)"')
COUNTS = re.compile(r"^=* ?(\d+ \w+(?:, \d+ \w+)*) in [\d.]+s", re.MULTILINE)
TRANSPORTS: dict[str, dict[str, str]] = {"on the loop": {}, "I/O thread": {"SPIKARD_IO_THREAD": "true"}}
ASK = """
import sys, sysconfig
threads = "t" if sysconfig.get_config_var("Py_GIL_DISABLED") else ""
print(sys.implementation.name, "%d.%d" % sys.version_info[:2] + threads, sys.executable, sep="\\n")
"""


def supported() -> list[str]:
    """The versions that the package names, oldest first."""
    text = (places.ROOT / "packages" / "python" / "pyproject.toml").read_text(encoding="utf-8")
    return sorted(CLASSIFIER.findall(text), key=order)


def order(version: str) -> tuple[int, bool]:
    """3.9 stands before 3.10, and 3.14 before its free-threaded build."""
    return int(version.rstrip("t").partition(".")[2]), version.endswith("t")


def candidates(versions: list[str]) -> Iterator[str]:
    """Commands that may be interpreters, the preferred ones first."""
    yield from filter(None, os.environ.get("SPIKARD_PYTHONS", "").split(os.pathsep))
    yield sys.executable
    for version in versions:
        yield from filter(None, (shutil.which(f"python{version}{threads}") for threads in ("", "t")))
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    yield from map(str, sorted(pyenv.glob("versions/3.*/bin/python"), reverse=True))
    if launcher := shutil.which("py"):
        listed = subprocess.run([launcher, "-0p"], capture_output=True, text=True, check=False).stdout
        yield from (line.split()[-1] for line in listed.splitlines() if line.split())


def found(versions: list[str]) -> dict[str, str]:
    """The interpreter of each version that is here, the free-threaded builds included."""
    interpreters: dict[str, str] = {}
    for candidate in candidates(versions):
        try:
            asked = subprocess.run([candidate, "-c", ASK], capture_output=True, text=True, timeout=30, check=False)
        except (OSError, subprocess.TimeoutExpired):
            continue
        if asked.returncode == 0 and len(told := asked.stdout.splitlines()) == 3:
            name, version, executable = told
            if name == "cpython" and version.rstrip("t") in versions:
                interpreters.setdefault(version, executable)
    return dict(sorted(interpreters.items(), key=lambda pair: order(pair[0])))


def test(executable: str, task: str, variables: dict[str, str], arguments: list[str]) -> tuple[int, float, str]:
    """Runs the task with this interpreter: its status, the seconds and what pytest counted."""
    began, counted = time.monotonic(), ""
    command = [str(places.ROOT / "task"), task, *(["--", *arguments] if arguments else [])]
    environment = {**os.environ, **variables, "SPIKARD_PYTHON": executable}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", env=environment
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            print(line, end="", flush=True)
            if not counted and (counts := COUNTS.search(line)):
                counted = counts[1]  # of the package: the examples follow
    return process.returncode, time.monotonic() - began, counted


def prepared(executable: str) -> bool:
    """Whether this interpreter has its virtual environment, or can have it."""
    command = [executable, str(places.ROOT / "tools" / "build" / "venv.py"), "python", "-c", ""]
    return subprocess.run(command, check=False).returncode == 0


def outermost(here: dict[str, str]) -> dict[str, str]:
    """The oldest and the newest that have the interpreter's lock, without the one that runs this."""
    locked = [version for version in here if not version.endswith("t")]
    return {
        version: here[version] for version in dict.fromkeys((locked[0], locked[-1])) if here[version] != sys.executable
    }


def main(arguments: list[str]) -> int:
    """Prints a table, and answers 1 if a version failed."""
    ends = arguments[:1] == ["--ends"]
    arguments = [argument for argument in arguments[ends:] if argument != "--"]
    versions = supported()
    here = found(versions)
    rows, failed = [], False
    skipped = [f"{version} is not here" for version in versions if version not in here]
    for version, executable in (outermost(here) if ends else here).items():
        if ends and not prepared(executable):
            skipped.append(f"{version}, for its requirements cannot be installed")
            continue
        for transport, variables in list(TRANSPORTS.items())[: 1 if ends else None]:
            print(f"\n==> {version}, {transport}: {executable}", flush=True)
            task = "python:test:own" if ends else "python:test"
            code, seconds, counted = test(executable, task, variables, arguments)
            failed = failed or code != 0
            minutes, rest = divmod(round(seconds), 60)
            rows.append(f"{version:<8}{transport:<12}{'failed' if code else 'ok':<8}{minutes:>3}:{rest:02}   {counted}")
    print(f"\n{'version':<8}{'connections':<12}{'result':<8}{'time':>6}   tests", *rows, sep="\n")
    if skipped:
        print(f"skipped: {'; '.join(skipped)} (SPIKARD_PYTHONS names interpreters, separated by {os.pathsep!r})")
    if ends and not rows:
        print(f"skipped: there is no interpreter but {sys.executable}")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
