"""The tests of packages/python on every interpreter that it supports and that is here: `matrix.py [--ends] [-- ARGUMENTS]`.
Interpreters come from `SPIKARD_PYTHONS` (paths), PATH, pyenv and the py launcher; what is missing is said at the end.
`--ends` takes the oldest and the newest, without the one that runs this, and their own tests (`task python:test:own`);
one for which the package's requirements cannot be installed is skipped, and said.
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


def test(executable: str, task: str, arguments: list[str]) -> tuple[int, float, str]:
    """Runs the task with this interpreter: its status, the seconds and what pytest counted."""
    began, counted = time.monotonic(), ""
    command = [str(places.ROOT / "task"), task, *(["--", *arguments] if arguments else [])]
    environment = {**os.environ, "SPIKARD_PYTHON": executable}
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


def main(arguments: list[str]) -> int:
    """Prints a table, and answers 1 if a version failed."""
    ends = arguments[:1] == ["--ends"]
    arguments = [argument for argument in arguments[ends:] if argument != "--"]
    versions = supported()
    here = found(versions)
    chosen = {version: path for version, path in here.items() if not ends or path != sys.executable}
    if ends:
        outermost = [version for version in here if not version.endswith("t")]
        chosen = {version: path for version, path in chosen.items() if version in (outermost[0], outermost[-1])}
    rows, failed = [], False
    for version, executable in chosen.items():
        if ends and not prepared(executable):
            rows.append(f"{version:<8}skipped: its requirements cannot be installed here")
            continue
        print(f"\n==> {version}: {executable}", flush=True)
        code, seconds, counted = test(executable, "python:test:own" if ends else "python:test", arguments)
        failed = failed or code != 0
        minutes, rest = divmod(round(seconds), 60)
        rows.append(f"{version:<8}{'failed' if code else 'ok':<8}{minutes:>3}:{rest:02}   {counted}")
    print(f"\n{'version':<8}{'result':<8}{'time':>6}   tests", *rows, sep="\n")
    missing = [version for version in versions if version not in here]
    if missing:
        print(f"not here: {', '.join(missing)} (SPIKARD_PYTHONS may name more, separated by {os.pathsep!r})")
    if not chosen:
        print("skipped: there is no interpreter but the one that runs this")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
