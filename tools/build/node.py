"""Runs a command in packages/node: `node.py build`, `node.py npx biome check`. Installs what package-lock.json says where
that file has changed, from npm's cache in the cache of builds; `build` makes the add-on and the package first.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import cargo
import places

PACKAGE = places.ROOT / "packages" / "node"
LIBRARIES = {"darwin": "libspikard_node.dylib", "win32": "spikard_node.dll"}


def install() -> None:
    """What the package is built and tested with."""
    if missing := [name for name in ("node", "npm") if not shutil.which(name)]:
        raise SystemExit(f"there is no {' and no '.join(missing)}: Node 20.11 or newer, with npm")
    installed = PACKAGE / "node_modules" / ".package-lock.sha256"
    wanted = hashlib.sha256((PACKAGE / "package-lock.json").read_bytes()).hexdigest()
    if installed.exists() and installed.read_text() == wanted:
        return
    store = places.cache() / "npm"
    quiet = ["--no-audit", "--no-fund", "--loglevel=error", "--prefer-offline", "--ignore-scripts"]
    # Not `ci`: that refuses a lock without the optional packages of platforms which a registry may not carry.
    subprocess.run(["npm", "install", "--no-save", "--cache", str(store), *quiet], cwd=PACKAGE, check=True)
    installed.write_text(wanted)


def build(profile: str = "ci") -> int:
    """The add-on, the package and its tests."""
    target = Path(os.environ.get("CARGO_TARGET_DIR") or places.target())
    code = cargo.run(["cargo", "build", "--quiet", "--package", "spikard-node", "--profile", profile], target)
    addon = target / profile / LIBRARIES.get(sys.platform, "libspikard_node.so")
    return code or node("build.mjs", "--addon", str(addon), "--types", "--tests")


def node(*arguments: str) -> int:
    """Runs node."""
    return subprocess.run(["node", *arguments], cwd=PACKAGE).returncode


def run(command: list[str]) -> int:
    """Runs `command`, with the commands of node_modules first in PATH."""
    install()
    if command[0] == "build":
        return build(*command[1:])
    if command[0] == "test":
        found = sorted((PACKAGE / "dist-tests").rglob("*.test.js"))
        files = command[1:] or [str(file.relative_to(PACKAGE)) for file in found]
        return node("--test", "--test-reporter=./tests/reporter.mjs", "--test-reporter-destination=stdout", *files)
    commands = PACKAGE / "node_modules" / ".bin"
    variables = dict(os.environ, PATH=f"{commands}{os.pathsep}{os.environ['PATH']}")
    return subprocess.run(command, cwd=PACKAGE, env=variables).returncode


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
