"""Runs a command of the clone's virtual environment: `venv.py python -m pytest`. Makes the environment first, and
installs packages/python/requirements-dev.txt where that file has changed. uv installs where it is on PATH.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import postgres

import cargo
import places

REQUIREMENTS = places.ROOT / "packages" / "python" / "requirements-dev.txt"


def prepare() -> Path:
    """Answers the environment's folder of commands."""
    home = places.venv()
    commands = home / "bin"
    installed = home / "requirements.sha256"
    wanted = hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()
    if installed.exists() and installed.read_text() == wanted and (commands / "python").exists():
        return commands
    subprocess.run([sys.executable, "-m", "venv", "--clear", str(home)], check=True)
    subprocess.run([*installer(commands), "-r", str(REQUIREMENTS)], check=True)
    installed.write_text(wanted)
    return commands


def installer(commands: Path) -> list[str]:
    """The command that installs into the environment."""
    python = str(commands / "python")
    if uv := shutil.which("uv"):
        return [uv, "pip", "install", "--quiet", "--python", python]
    return [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]


def apart(command: list[str]) -> list[str]:
    """Has cargo keep what it builds for this interpreter beside that for others, or each build would undo the last: what
    distinguishes them is the profile of a crate that all of the extension's depend on, in a way that means nothing else.
    """
    profile = command[command.index("--profile") + 1] if "--profile" in command else "release"
    lock = getattr(sys, "_is_gil_enabled", lambda: True)()
    number = 100 + 2 * sys.version_info.minor + (not lock)
    return ["--config", f"profile.{profile}.package.pyo3-build-config.codegen-units={number}"]


def run(command: list[str]) -> int:
    """Runs `command` with the environment's folder of commands first in PATH. maturin runs alone, as cargo does."""
    commands = prepare()
    os.environ["PATH"] = f"{commands}{os.pathsep}{os.environ['PATH']}"
    os.environ["VIRTUAL_ENV"] = str(places.venv())
    os.environ.pop("PYTHONHOME", None)
    if command[0] == "maturin":
        os.environ.setdefault("PIP_QUIET", "1")
        return cargo.run([*command, *apart(command)])
    # Not run(): that kills the command a quarter of a second after Ctrl-C, which the command has heard too.
    return postgres.outlast(subprocess.Popen(command))


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
