"""Who may depend on whom: core ← ffi ← http ← bindings; each language's library in one crate, the HTTP stack in two."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterator

from tree import Finding, Tree

BINDINGS = ("spikard-py", "spikard-node", "spikard-rb", "spikard-php", "spikard-wasm")
INWARD = {
    "spikard-core": set(),
    "spikard-ffi": {"spikard-core"},
    "spikard-http": {"spikard-core", "spikard-ffi"},
    "spikard": {"spikard-core", "spikard-ffi", "spikard-http"},
    **{binding: {"spikard-core", "spikard-ffi", "spikard-http"} for binding in BINDINGS},
}
TOOL = {"spikard-core"}

# What a dependency is for, as patterns, and the crates that may have it.
KEPT = (
    (("pyo3", "pyo3-*", "pythonize"), {"spikard-py"}),
    (("napi", "napi-*"), {"spikard-node"}),
    (("magnus", "rb-sys", "rb-sys-*"), {"spikard-rb"}),
    (("ext-php-rs", "ext-php-rs-*"), {"spikard-php"}),
    (("wasm-bindgen", "wasm-bindgen-*", "js-sys", "web-sys"), {"spikard-wasm"}),
    (("axum", "axum-*", "tower", "tower-*", "hyper", "hyper-*"), {"spikard-http", "spikard"}),
)
NO_TOKIO = {"spikard-core", "spikard-ffi"}


def check(tree: Tree) -> Iterator[Finding]:
    """Import directions"""
    ours = {crate["name"] for crate in tree.crates}
    for crate in tree.crates:
        name = crate["name"]
        manifest = crate["manifest_path"].removeprefix(f"{tree.root.resolve()}/")
        in_tools = manifest.startswith("tools/")
        for dependency in crate["dependencies"]:
            other = dependency["name"]
            subject = f"{manifest}::{other}"
            if other in ours and other != name and other not in INWARD.get(name, TOOL):
                yield Finding(subject, f"{name} may not depend on {other}: the arrow points the other way")
            for patterns, homes in KEPT:
                allowed = ", ".join(sorted(homes))
                if any(fnmatch.fnmatch(other, pattern) for pattern in patterns) and name not in homes and not in_tools:
                    yield Finding(subject, f"{name} may not depend on {other}: it belongs to {allowed}")
            if other.startswith("tokio") and name in NO_TOKIO:
                yield Finding(subject, f"{name} may not depend on {other}: it knows no runtime")
        if name not in INWARD and not in_tools:
            yield Finding(manifest, f"{name} has no place in the directions of tools/checks/rules/directions.py")
