"""Every ```python block of the documents that runs passes `mypy --strict` and pyright, each as a module of its own."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from rules import snippets
from tree import Finding, Skipped, Tree

MYPY = re.compile(r"^(?P<file>[\w/.-]+\.py):(?P<line>\d+): error: (?P<message>.*)$", re.MULTILINE)
Places = dict[str, str]
"""The document of each module."""


def check(tree: Tree) -> Iterator[Finding]:
    """Snippets of the documents are typed"""
    python = tree.python or sys.executable
    with tempfile.TemporaryDirectory() as folder:
        places = written(tree, Path(folder))
        if places:
            yield from by_mypy(python, tree, folder, places)
            yield from by_pyright(python, folder, places)


def written(tree: Tree, folder: Path) -> Places:
    """Writes the blocks as modules whose lines have the numbers that they have in their documents."""
    places = {}
    for block in snippets.documented(tree):
        if block.kind == "python" and block.excused is None:
            name = re.sub(r"\W", "_", block.path.removesuffix(".md")) + f"_{block.line}.py"
            (folder / name).write_text("\n" * (block.line - 1) + block.text)
            places[name] = block.path
    return places


def by_mypy(python: str, tree: Tree, folder: str, places: Places) -> Iterator[Finding]:
    """What mypy says of them."""
    cache = tree.root / ".mypy_cache"
    command = [python, "-m", "mypy", "--strict", "--no-pretty", "--no-error-summary", "--cache-dir", str(cache), "."]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    if "No module named mypy" in done.stderr:
        raise Skipped(f"{python} has no mypy")
    told = list(MYPY.finditer(done.stdout))
    for found in told:
        yield Finding(places[Path(found["file"]).name], f"mypy: {found['message']}", int(found["line"]))
    if done.returncode and not told:
        yield Finding("tools/checks/rules/typed.py", f"mypy did not run: {(done.stdout + done.stderr)[-600:]}")


def by_pyright(python: str, folder: str, places: Places) -> Iterator[Finding]:
    """What pyright says of them, where there is a node to run it."""
    if not shutil.which("node"):
        return
    settings = {"pythonVersion": "3.10", "typeCheckingMode": "standard"}
    (Path(folder) / "pyrightconfig.json").write_text(json.dumps(settings))
    command = [python, "-m", "pyright", "--outputjson", "--pythonpath", python, "--project", folder]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    if "No module named pyright" in done.stderr:
        raise Skipped(f"{python} has no pyright")
    for found in json.loads(done.stdout[done.stdout.index("{") :])["generalDiagnostics"]:
        if found["severity"] == "error":
            place = places[Path(found["file"]).name]
            yield Finding(place, f"pyright: {found['message']}", found["range"]["start"]["line"] + 1)
