"""Who is measured: a folder of benchmarks/ with `contender.json`, an app, and pinned requirements. Each is installed into
an environment of its own in the cache; one that cannot be installed stays in the report with its error.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import shutil
import subprocess
import sys
from pathlib import Path

import npm

from exchanges import Workload
from surroundings import BENCHMARKS, ROOT, cache

BUILD = ROOT / "tools" / "build"


class Unavailable(Exception):
    """A contender that cannot be installed or started; the message says why."""


@dataclasses.dataclass(frozen=True)
class Contender:
    """One folder of benchmarks/."""

    name: str
    title: str
    command: tuple[str, ...]
    app: str
    """The folder whose app it runs."""
    absent: dict[str, str]
    """Workloads that it has no counterpart of, each with the reason."""
    note: str
    environment: dict[str, str]
    group: str = "python"
    """The field that it is measured in."""
    only: tuple[str, ...] = ()
    """The workloads and curves that it is there for, where it is not there for all."""
    pending: dict[str, str] = dataclasses.field(default_factory=dict)
    """Workloads that it will have, each with what they wait for."""

    def lacks(self, workload: Workload) -> str:
        """Why it takes no part in a workload, empty where it does."""
        names = (workload.name, *([workload.axis] if workload.axis else []))
        if why := next((self.pending[name] for name in names if name in self.pending), ""):
            return f"pending: {why}"
        if self.only and not set(names) & set(self.only):
            return f"is there for {', '.join(self.only)} alone"
        if workload.workers > 1 and not any("{workers}" in part for part in self.command):
            return "has one process"
        return next((self.absent[name] for name in names if name in self.absent), "")

    @property
    def folder(self) -> Path:
        """Where its requirements lie."""
        return BENCHMARKS / self.name

    @property
    def home(self) -> Path:
        """What was installed or built for it."""
        return cache() / "bench" / self.name

    @property
    def python(self) -> Path:
        """Its interpreter."""
        return self.home / "venv" / "bin" / "python"

    @property
    def is_node(self) -> bool:
        """Whether it is an app in JavaScript."""
        return (self.folder / "package.json").exists()

    @property
    def is_crate(self) -> bool:
        """Whether it is a program in Rust."""
        return (self.folder / "Cargo.toml").exists()

    def started_by(self, port: int, workers: int = 1) -> list[str]:
        """The command that serves on a port."""
        places = {"python": str(self.python), "bin": str(self.python.parent), "home": str(self.home)}
        places |= {"port": str(port), "workers": str(workers)}
        return [part.format(**places) for part in self.command]


def load(name: str) -> Contender:
    """Reads one folder."""
    path = BENCHMARKS / name / "contender.json"
    if not path.exists():
        raise SystemExit(f"no such contender: {name}; there are {', '.join(names())}")
    told = json.loads(path.read_text())
    return Contender(
        name=name,
        title=told["title"],
        command=tuple(told["command"]),
        app=told.get("app", name),
        absent=told.get("absent", {}),
        note=told.get("note", ""),
        environment=told.get("environment", {}),
        group=told.get("group", "python"),
        only=tuple(told.get("only", ())),
        pending=told.get("pending", {}),
    )


def names(group: str = "") -> list[str]:
    """Every contender, or those of one field; ours first."""
    found = [path.parent.name for path in BENCHMARKS.glob("*/contender.json")]
    found = [name for name in found if not group or load(name).group == group]
    return sorted(found, key=lambda name: (not name.startswith("spikard"), name))


def prepare(contender: Contender, wheel: Path | None) -> None:
    """Installs or builds what the contender needs. `wheel` is a wheel of ours that was built before."""
    contender.home.mkdir(parents=True, exist_ok=True)
    if contender.is_crate:
        build = ["cargo", "build", "--release", "--target-dir", str(contender.home / "target")]
        # Ours follows the crates of this clone, whose requirements move.
        do(build if contender.name.startswith("spikard") else [*build, "--locked"], contender.folder)
        return
    if contender.is_node:
        npm.prepare(contender.folder, contender.home, do)
        if contender.name == "spikard-node":
            npm.install_ours(contender.home, do)
        return
    requirements = contender.folder / "requirements.txt"
    wanted = hashlib.sha256(requirements.read_bytes() + sys.version.encode()).hexdigest()
    stamp = contender.home / "requirements.sha256"
    if not stamp.exists() or stamp.read_text() != wanted or not contender.python.exists():
        do([sys.executable, "-m", "venv", "--clear", str(contender.home / "venv")], ROOT)
        do([*installer(contender), "-r", str(requirements)], ROOT)
        stamp.write_text(wanted)
    if contender.name == "spikard-python":
        install(contender, wheel or release_wheel(contender.home / "wheels"))


def install(contender: Contender, wheel: Path) -> None:
    """Installs a wheel of ours, where it is not the one that is there."""
    stamp = contender.home / "venv" / "wheel.sha256"
    wanted = hashlib.sha256(wheel.read_bytes()).hexdigest()
    if not stamp.exists() or stamp.read_text() != wanted:
        stamp.unlink(missing_ok=True)
        do([*installer(contender), "--force-reinstall", "--no-deps", str(wheel)], ROOT)
        stamp.write_text(wanted)


def installer(contender: Contender) -> list[str]:
    """The command that installs into the contender's environment."""
    return [str(contender.python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]


def release_wheel(folder: Path) -> Path:
    """A wheel of this clone with fat LTO, as it would be published."""
    shutil.rmtree(folder, ignore_errors=True)
    build = [sys.executable, str(BUILD / "venv.py"), "maturin", "build", "--release", "--out", str(folder)]
    do(build, ROOT / "packages" / "python")
    return next(folder.glob("*.whl"))


def do(command: list[str], folder: Path) -> str:
    """Runs a command of the preparation, and answers what it says, which is the reason if it fails."""
    done = subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        last = " / ".join(done.stdout.strip().splitlines()[-3:])
        raise Unavailable(f"{Path(command[0]).name} {' '.join(command[1:4])}: exit {done.returncode}: {last}")
    return done.stdout
