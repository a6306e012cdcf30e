"""Every ```python and ```console block of README.md and docs/ runs: Python in a namespace of its own with the built
package, console commands in the root, whose output must be what stands below them (`…` stands for anything; JSON may be
laid out for reading). `curl` asks the app of the Python block before it. A block that cannot run says why, in the line
above it: <!-- not run: reason -->.
"""

from __future__ import annotations

import dataclasses
import json
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
PLAIN = {"text", "json", "ini", "nginx", "toml", "yaml", "ts"}
"""Nothing that runs here. Blocks of `ts` are run by a test of packages/node."""
LIMIT = 60
CURL = Path(__file__).resolve().parents[1] / "curl.py"


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
    blocks = list(documented(tree))
    runs = any(block.kind == "python" and block.excused is None for block in blocks)
    if runs and subprocess.run([python, "-c", "import spikard"], capture_output=True).returncode:
        raise Skipped(f"spikard is not importable by {python}")
    app: Block | None = None
    for block in blocks:
        app = app if app and app.path == block.path else None
        if block.excused == "":
            yield Finding(block.path, "is not run, and gives no reason", block.line)
        elif block.excused:
            continue
        elif block.kind in SHELLS:
            yield Finding(block.path, f"a {block.kind} block is not run: fence it as console", block.line)
        elif block.kind == "python":
            app = block
            yield from run_python(python, block)
        elif block.kind == "console" and re.match(r"\$ curl\b", block.text):
            yield from ask(python, app, block)
        elif block.kind == "console":
            yield from run_console(tree, block)
        elif block.kind not in PLAIN:
            yield Finding(block.path, f"a {block.kind or 'nameless'} block is not run, and gives no reason", block.line)


def documented(tree: Tree) -> Iterator[Block]:
    """The fenced blocks of every document, in order."""
    for path in tree.matching(*DOCUMENTS):
        yield from blocks_of(path, tree.text(path))


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
    with tempfile.TemporaryDirectory() as folder:
        snippet = written(block, folder)
        command = [python, "-c", f"import runpy; runpy.run_path({str(snippet)!r}, run_name='snippet')"]
        yield from outcome(block, command, folder)


def written(block: Block, folder: str) -> Path:
    """A block as a file whose lines have the numbers that they have in the document."""
    snippet = Path(folder) / "snippet.py"
    snippet.write_text("\n" * (block.line - 1) + block.text)
    return snippet


def ask(python: str, app: Block | None, block: Block) -> Iterator[Finding]:
    """Asks the app of a Python block, and compares each answer."""
    if app is None:
        yield Finding(block.path, "curl asks the app of a python block, but none stands before it", block.line)
        return
    told = list(commands(block))
    with tempfile.TemporaryDirectory() as folder:
        lines = json.dumps([command for command, _ in told])
        run = [python, str(CURL), str(written(app, folder)), lines]
        done = subprocess.run(run, cwd=folder, capture_output=True, timeout=LIMIT, text=True, errors="replace")
    if done.returncode:
        yield Finding(block.path, f"exit {done.returncode}: {done.stderr.strip()[-600:]}", block.line)
        return
    for (_, printed), said in zip(told, json.loads(done.stdout.splitlines()[-1]), strict=True):
        yield from compared(block, printed, said)


def run_console(tree: Tree, block: Block) -> Iterator[Finding]:
    """Runs the commands of a block."""
    for command, printed in commands(block):
        yield from outcome(block, ["bash", "-c", command], str(tree.root), printed)


def commands(block: Block) -> Iterator[tuple[str, str]]:
    """Each line that begins with a dollar sign, and what stands below it."""
    for told in re.split(r"^\$ ", block.text, flags=re.MULTILINE)[1:]:
        command, _, printed = told.partition("\n")
        while command.endswith("\\"):
            more, _, printed = printed.partition("\n")
            command += f"\n{more}"
        yield command, printed


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
    if done.returncode:
        yield Finding(block.path, f"exit {done.returncode}: {done.stdout.strip()[-600:]}", block.line)
    else:
        yield from compared(block, printed, done.stdout)


def compared(block: Block, printed: str, said: str) -> Iterator[Finding]:
    """What is shown is what was said; `…` stands for anything."""
    shown, said = printed.strip(), said.strip()
    if shown and plain(shown) != plain(said):
        pattern = ".*".join(map(re.escape, plain(shown).split("…")))
        if not re.fullmatch(pattern, plain(said), re.DOTALL):
            yield Finding(block.path, f"printed something else: {said[-600:]}", block.line)


def plain(text: str) -> str:
    """JSON as it is sent, so that a document may lay it out; any other text as it is."""
    try:
        return json.dumps(json.loads(text), ensure_ascii=False, separators=(",", ":"))
    except ValueError:
        return text
