"""Builds spikard-core for wasm32-unknown-unknown: with rustup's target where it is installed, else with Debian's
rustc-web, cargo-web and rust-web-src, which root gets from apt. Without either it says what is missing and skips.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "build"))

import cargo
import places

TRIPLE = "wasm32-unknown-unknown"
BUILD = ["build", "--target", TRIPLE, "--profile", "ci", "-p", "spikard-core"]
PACKAGES = ("rustc-web", "cargo-web", "rust-web-src")


def output(*command: str) -> str:
    """What a command prints; nothing where it fails or does not exist."""
    try:
        return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout.strip()
    except FileNotFoundError:
        return ""


def sysroot() -> Path:
    """Where the compiler on PATH keeps its libraries."""
    return Path(output("rustc", "--print", "sysroot"))


def debian(package: str, command: str) -> str:
    """The path of a command of an installed Debian package; empty where it is not installed."""
    return next((line for line in output("dpkg", "-L", package).split("\n") if line.endswith(f"bin/{command}")), "")


def installed() -> bool:
    """Whether Debian's packages are there; root installs them."""

    def present() -> bool:
        return bool(debian("rustc-web", "rustc") and debian("cargo-web", "cargo") and output("dpkg", "-L", PACKAGES[2]))

    if not present() and shutil.which("apt-get") and os.geteuid() == 0:
        quiet = {"stdout": subprocess.DEVNULL, "env": dict(os.environ, DEBIAN_FRONTEND="noninteractive")}
        subprocess.run(["apt-get", "update", "-qq"], **quiet)
        subprocess.run(["apt-get", "install", "-qq", "-y", "--no-install-recommends", *PACKAGES], **quiet)
    return present()


def linker() -> str:
    """The path of rust-lld, or of Debian's lld."""
    for lld in sysroot().glob("lib/rustlib/*/bin/rust-lld"):
        return str(lld)
    return shutil.which("wasm-ld") or ""


def with_debian() -> list[str]:
    """The command that builds the standard library too; its variables are set on the way."""
    os.environ["RUSTC"] = debian("rustc-web", "rustc")
    os.environ["RUSTC_BOOTSTRAP"] = "1"
    os.environ["CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER"] = linker()
    return [debian("cargo-web", "cargo"), BUILD[0], "-Zbuild-std=std,panic_abort", *BUILD[1:]]


def main() -> int:
    """Builds, or names what is missing."""
    if (sysroot() / "lib/rustlib" / TRIPLE / "lib").is_dir():
        command = ["cargo", *BUILD]
    elif installed() and linker():
        command = with_debian()
    else:
        print(f"skipped: no {TRIPLE} target: rustup target add {TRIPLE}, or apt-get install {' '.join(PACKAGES)}")
        return 0
    code = cargo.run(command, places.cache() / "target-wasm")
    print(f"{TRIPLE}: spikard-core {'builds' if code == 0 else 'does not build'}")
    return code


if __name__ == "__main__":
    sys.exit(main())
