"""Packs `@spikard/node` for npm into dist/npm: the package itself, and beside it that of this platform with the add-on, which
it names among its optional ones. With `--try` has both judged by linters, and tried in an empty project (node_attempt.py).
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import node
import node_attempt

import places

DIST = places.ROOT / "dist" / "npm"
ARE_THE_TYPES_WRONG = "@arethetypeswrong/cli@0.18.5"
# Where the add-on is built: name, and what npm compares with the machine.
TARGETS = {
    "linux-x64-gnu": {"os": ["linux"], "cpu": ["x64"], "libc": ["glibc"]},
    "linux-arm64-gnu": {"os": ["linux"], "cpu": ["arm64"], "libc": ["glibc"]},
    "darwin-x64": {"os": ["darwin"], "cpu": ["x64"]},
    "darwin-arm64": {"os": ["darwin"], "cpu": ["arm64"]},
    "win32-x64-msvc": {"os": ["win32"], "cpu": ["x64"]},
}


def version() -> str:
    """The one version of every package."""
    described = subprocess.run(
        ["cargo", "metadata", "--no-deps", "--format-version", "1"], cwd=places.ROOT, check=True, stdout=subprocess.PIPE
    )
    return next(each["version"] for each in json.loads(described.stdout)["packages"] if each["name"] == "spikard-core")


def here() -> str:
    """The target of this machine."""
    said = subprocess.run(
        ["node", "-p", "`${process.platform}-${process.arch}`"], check=True, stdout=subprocess.PIPE, text=True
    ).stdout.strip()
    return next(name for name in TARGETS if name.startswith(said))


def stage() -> list[Path]:
    """Both packages, each in a folder of its own."""
    told = json.loads((node.PACKAGE / "package.json").read_text())
    number, target = version(), here()
    if told["version"] != number:
        raise SystemExit(f"packages/node/package.json says {told['version']}, Cargo.toml {number}")
    kept = {name: told[name] for name in ("license", "repository", "homepage", "engines")}
    shutil.rmtree(DIST, ignore_errors=True)
    platform = DIST / f"node-{target}"
    platform.mkdir(parents=True)
    shutil.copy(node.PACKAGE / "dist" / "spikard.node", platform)
    own = {
        "name": f"@spikard/node-{target}",
        "version": number,
        "description": f"The add-on of @spikard/node, {target}",
    }
    write(
        platform,
        {**own, **kept, "type": "commonjs", "main": "spikard.node", "files": ["spikard.node"], **TARGETS[target]},
    )
    package = DIST / "node"
    for part in ("esm", "cjs"):
        shutil.copytree(node.PACKAGE / "dist" / part, package / "dist" / part)
    shutil.copy(node.PACKAGE / "README.md", package)
    shutil.copy(places.ROOT / "LICENSE", package)
    optional = {f"@spikard/node-{name}": number for name in TARGETS}
    left_out = {"devDependencies", "scripts"}
    write(
        package,
        {name: value for name, value in told.items() if name not in left_out} | {"optionalDependencies": optional},
    )
    return [platform, package]


def write(folder: Path, told: Mapping[str, Any]) -> None:
    """The manifest of a package."""
    (folder / "package.json").write_text(json.dumps(told, indent=2) + "\n")


def pack(folder: Path) -> Path:
    """The tarball of a package."""
    done = subprocess.run(
        ["npm", "pack", "--json", "--pack-destination", str(DIST)], cwd=folder, check=True, stdout=subprocess.PIPE
    )
    return DIST / json.loads(done.stdout)[0]["filename"]


def judge(tarballs: list[Path]) -> int:
    """What the linters of packages say of them."""
    for tarball in tarballs:
        if code := node.run(["publint", "--strict", str(tarball)]):
            return code
    return node.run(["npx", "--yes", ARE_THE_TYPES_WRONG, "--no-color", "--format", "ascii", str(tarballs[-1])])


def main(arguments: list[str]) -> int:
    """Builds, packs, and tries where it is asked to."""
    node.install()
    profile = os.environ.get("SPIKARD_PROFILE", "release")
    if code := node.build(profile):
        return code
    tarballs = [pack(folder) for folder in stage()]
    if "--try" in arguments:
        if code := judge(tarballs):
            return code
        node_attempt.attempt(tarballs)
    print("\n".join(str(tarball.relative_to(places.ROOT)) for tarball in tarballs))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
