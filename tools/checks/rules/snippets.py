"""Every ```python and ```console block of README.md and docs/ runs: Python in a namespace of its own with the built
package, console commands in the root, whose output must be what stands below them (`…` stands for anything). A block
that cannot run says why, in the line above it: <!-- not run: reason -->.
"""

from __future__ import annotations

import dataclasses
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tree import Finding, Skipped, Tree

DOCUMENTS = ("README.md", "CONTRIBUTING.md", "docs/**/*.md", "packages/*/README.md", "crates/*/README.md")
FENCE = re.compile(
    r"^(?P<indent> *)```(?P<kind>[\w-]*)[^\n]*\n(?P<text>.*?)^(?P=indent)```\s*$", re.MULTILINE | re.DOTALL
)
NOT_RUN = re.compile(r"<!-- not run: (?P<reason>.*?) -->\s*$")
SHELLS = {"bash", "sh", "shell", "zsh"}
LIMIT = 60


@dataclasses.dataclass(frozen=True)
class Block:
    """A fenced block."""

    path: str
    line: int
    kind: str
    text: str
    excused: str | None


def check(tree: Tree) -> Iterator[Finding]:
    """Snippets of the documents run"""
    python = tree.python or sys.executable
    blocks = [block for path in tree.matching(*DOCUMENTS) for block in blocks_of(path, tree.text(path))]
    for block in blocks:
        if block.excused == "":
            yield Finding(block.path, "is not run, and gives no reason", block.line)
        elif block.excused:
            continue
        elif block.kind in SHELLS:
            yield Finding(block.path, f"a {block.kind} block is not run: fence it as console", block.line)
        elif block.kind == "python":
            yield from run_python(python, block)
        elif block.kind == "console":
            yield from run_console(tree, block)


def blocks_of(path: str, text: str) -> Iterator[Block]:
    """The fenced blocks of a document."""
    for found in FENCE.finditer(text):
        before = NOT_RUN.search(text[: found.start()])
        indent = len(found["indent"])
        inside = "".join(line[indent:] if line.strip() else "\n" for line in found["text"].splitlines(keepends=True))
        line = text.count("\n", 0, found.start()) + 2
        yield Block(path, line, found["kind"], inside, before["reason"].strip() if before else None)


def run_python(python: str, block: Block) -> Iterator[Finding]:
    """Runs a block as a module that is not the main one."""
    if subprocess.run([python, "-c", "import spikard"], capture_output=True).returncode:
        raise Skipped(f"spikard is not importable by {python}")
    with tempfile.TemporaryDirectory() as folder:
        snippet = Path(folder) / "snippet.py"
        snippet.write_text("\n" * (block.line - 1) + block.text)
        command = [python, "-c", f"import runpy; runpy.run_path({str(snippet)!r}, run_name='snippet')"]
        yield from outcome(block, command, folder)


def run_console(tree: Tree, block: Block) -> Iterator[Finding]:
    """Runs the commands of a block, each line that begins with a dollar sign."""
    for told in re.split(r"^\$ ", block.text, flags=re.MULTILINE)[1:]:
        command, _, printed = told.partition("\n")
        while command.endswith("\\"):
            more, _, printed = printed.partition("\n")
            command += f"\n{more}"
        yield from outcome(block, ["bash", "-c", command], str(tree.root), printed)


def outcome(block: Block, command: list[str], folder: str, printed: str = "") -> Iterator[Finding]:
    """Runs a command and compares what it prints, where the document shows it."""
    try:
        done = subprocess.run(
            command, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            timeout=LIMIT, text=True, errors="replace",
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        yield Finding(block.path, f"did not end in {LIMIT} s", block.line)
        return
    said = done.stdout.strip()
    if done.returncode:
        yield Finding(block.path, f"exit {done.returncode}: {said[-600:]}", block.line)
    elif printed.strip() and not re.fullmatch(".*".join(map(re.escape, printed.strip().split("…"))), said, re.DOTALL):
        yield Finding(block.path, f"printed something else: {said[-600:]}", block.line)
