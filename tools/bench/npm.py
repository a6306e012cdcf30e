"""Contenders in JavaScript: their packages, pinned by `package-lock.json`, are installed beside a copy of the app, where an
ES module looks for what it imports.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

from surroundings import ROOT, cache

QUIET = ("--no-audit", "--no-fund", "--loglevel=error", "--prefer-offline")
Do = Callable[[list[str], Path], str]
"""Runs a command of the preparation, and answers what it prints."""


def prepare(folder: Path, home: Path, do: Do) -> None:
    """Installs what the lock says where that has changed, and copies the app."""
    for part in folder.iterdir():
        if part.suffix in {".mjs", ".json"}:
            shutil.copy(part, home)
    wanted = hashlib.sha256((folder / "package-lock.json").read_bytes()).hexdigest()
    stamp = home / "package-lock.sha256"
    if not stamp.exists() or stamp.read_text() != wanted:
        shutil.rmtree(home / "node_modules", ignore_errors=True)
        do(npm("ci"), home)
        stamp.write_text(wanted)


def install_ours(home: Path, do: Do) -> None:
    """A release of this clone, packed as it would be published."""
    told = do([sys.executable, str(ROOT / "tools" / "build" / "node_package.py")], ROOT)
    tarballs = [str(ROOT / line) for line in told.splitlines() if line.endswith(".tgz")]
    do([*npm("install"), "--no-save", *tarballs], home)


def npm(verb: str) -> list[str]:
    """A verb of npm with the store in the cache."""
    return ["npm", verb, "--cache", str(Path(os.environ.get("BENCH_NPM") or cache() / "npm")), *QUIET]


def versions(home: Path) -> dict[str, str]:
    """The packages that the contender asks for itself, as they are installed."""
    asked = json.loads((home / "package.json").read_text()).get("dependencies", {})
    found = [(name, home / "node_modules" / name / "package.json") for name in sorted(asked)]
    return {name: json.loads(path.read_text())["version"] for name, path in found if path.exists()}
