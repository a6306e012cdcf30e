"""Clocks, tasks and files belong to the platform: what reaches for tokio's or the standard library's own panics on a
host's thread and on wasm32.
"""

from __future__ import annotations

from collections.abc import Iterator

import rust
from tree import Finding, Tree, is_test

KEPT = ("tokio::time", "tokio::spawn", "tokio::task::spawn", "tokio::fs", "std::fs")
KEPT_EXACT = ("std::time::Instant", "std::time::SystemTime", "std::thread::sleep")
HOMES = (
    "crates/spikard-http/src/platform.rs",
    "crates/spikard-http/src/platform/**/*.rs",
    "crates/spikard-http/src/server.rs",
    "crates/spikard-http/src/server/**/*.rs",
)
SOURCES = ("crates/spikard-core/src/**/*.rs", "crates/spikard-ffi/src/**/*.rs", "crates/spikard-http/src/**/*.rs")


def check(tree: Tree) -> Iterator[Finding]:
    """Clocks, tasks and files in the platform"""
    homes = set(tree.matching(*HOMES))
    for path in tree.matching(*SOURCES):
        if path in homes or is_test(path):
            continue
        for named, line in rust.paths(rust.without_tests(tree.text(path))):
            if kept := reaches(named):
                yield Finding(path, f"names {kept}, which only the platform and the server may", line)


def reaches(named: str) -> str | None:
    """The kept path that a named one is or lies under."""
    for kept in KEPT + KEPT_EXACT:
        if named == kept or named.startswith(f"{kept}::"):
            return kept
    return None
