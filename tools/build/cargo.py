"""Runs a command with cargo's target directory in the cache, alone: `cargo.py cargo test`, `cargo.py maturin develop`.

Cargo names what it builds from a member by the member's path in its workspace, so two clones that share a target
directory would run each other's code. The directory keeps a stamp with the path of the clone that built last; where
it differs the members are cleaned first. A lock on the stamp holds until the command has ended.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import places

PROFILES = {"debug": "dev", "release": "release", "ci": "ci"}


@contextlib.contextmanager
def alone(target: Path) -> Iterator[None]:
    """Holds `target` for this clone. A command that runs inside another one's hold shares it."""
    if os.environ.get("SPIKARD_TARGET_HELD") == str(target):
        yield
        return
    target.mkdir(parents=True, exist_ok=True)
    with (target / "last-clone").open("a+") as stamp:
        wait_for(stamp, target)
        stamp.seek(0)
        if stamp.read() not in {"", str(places.ROOT)}:
            clean_members(target)
        stamp.truncate(0)
        stamp.write(str(places.ROOT))
        stamp.flush()
        os.environ["SPIKARD_TARGET_HELD"] = str(target)
        try:
            yield
        finally:
            del os.environ["SPIKARD_TARGET_HELD"]


def wait_for(stamp, target: Path) -> None:
    """Takes the lock; says so when another build holds it."""
    try:
        fcntl.flock(stamp, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        print(f"waiting for another build in {target}", file=sys.stderr)
        fcntl.flock(stamp, fcntl.LOCK_EX)


def clean_members(target: Path) -> None:
    """Removes what the members left, in every profile and for every platform that was built."""
    print(f"another clone built last in {target}: cleaning the workspace's own crates", file=sys.stderr)
    packages = [argument for name in members() for argument in ("-p", name)]
    for folder in target.glob("**/.fingerprint"):
        profile = folder.parent.name
        platform = [] if folder.parents[1] == target else ["--target", folder.parents[1].name]
        if profile in PROFILES:
            command = ["cargo", "clean", "--quiet", "--target-dir", str(target), "--profile", PROFILES[profile]]
            subprocess.run([*command, *platform, *packages], cwd=places.ROOT, check=True)


def members() -> list[str]:
    """The names of the workspace's members."""
    command = ["cargo", "metadata", "--no-deps", "--format-version", "1"]
    metadata = subprocess.run(command, cwd=places.ROOT, check=True, stdout=subprocess.PIPE).stdout
    return [package["name"] for package in json.loads(metadata)["packages"]]


def environment(target: Path) -> dict[str, str]:
    """The variables of a build: the target directory, and mold as linker where it is installed and works."""
    variables = dict(os.environ, CARGO_TARGET_DIR=str(target))
    if "RUSTFLAGS" not in variables and links_with_mold():
        variables["CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUSTFLAGS"] = "-C link-arg=-fuse-ld=mold"
        variables["CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUSTFLAGS"] = "-C link-arg=-fuse-ld=mold"
    return variables


def links_with_mold() -> bool:
    """Whether the C compiler takes mold."""
    if sys.platform != "linux" or not shutil.which("mold"):
        return False
    probe = subprocess.run(["cc", "-fuse-ld=mold", "-Wl,--version"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    return probe.returncode == 0 and b"mold" in probe.stdout


def run(command: list[str], target: Path | None = None) -> int:
    """Runs `command` and answers its exit code."""
    target = target or places.target()
    with alone(target):
        if not any(target.glob("*/deps")):
            print(f"compiling everything once, into {target}: this takes some minutes", file=sys.stderr, flush=True)
        return subprocess.run(command, env=environment(target)).returncode


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
