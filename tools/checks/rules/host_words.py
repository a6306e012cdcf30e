"""The core, the boundary and the server know no host language: not one word of it in sources, comments or manifests."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tree import Finding, Tree

WORDS = """python cpython pythonic pyo3 pyobject asyncio contextvar contextvars msgspec gil
javascript typescript nodejs node[.]js napi deno bun
ruby rubygems magnus gvl
php zend zval composer
wasm_bindgen"""
WORD = re.compile(rf"\b({'|'.join(WORDS.split())})\b", re.IGNORECASE)
CRATES = ("crates/spikard-core", "crates/spikard-ffi", "crates/spikard-http")


def check(tree: Tree) -> Iterator[Finding]:
    """No host language inside"""
    for crate in CRATES:
        for path in tree.matching(f"{crate}/src/**/*.rs", f"{crate}/Cargo.toml"):
            for number, line in enumerate(tree.text(path).splitlines(), 1):
                if found := WORD.search(line):
                    yield Finding(path, f"says {found[1]!r}", number)
