"""The table of promises: every proof that it names is there."""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

HERE = Path(__file__).parent
TESTS = HERE.parent
CORPUS = HERE.parents[3] / "testing_data" / "http"


class Row(NamedTuple):
    """One promise."""

    promise: str
    proofs: list[str]


def rows() -> Iterator[Row]:
    """The rows of every table of the document."""
    for line in (HERE / "README.md").read_text(encoding="utf-8").splitlines():
        if line.startswith("|") and not line.startswith(("|---", "| promise")):
            promise, _, proofs = line.strip("| ").rpartition(" | ")
            yield Row(promise, [proof.strip() for proof in proofs.split(",") if proof.strip()])


@functools.cache
def names_in(path: Path) -> frozenset[str]:
    """The tests of a file."""
    found = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    return frozenset(node.name for node in found if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)))


def is_there(proof: str) -> bool:
    """Whether it is a test, or a case of the corpus."""
    path, _, name = proof.partition("::")
    if name:
        return (TESTS / path).is_file() and name.startswith("test_") and name in names_in(TESTS / path)
    return any(CORPUS.glob(f"{proof}.json"))


@pytest.mark.parametrize("row", list(rows()), ids=lambda row: row.promise)
def test_a_promise_is_proved(row: Row) -> None:
    assert row.proofs
    assert [proof for proof in row.proofs if not is_there(proof)] == []


def test_a_proof_that_is_not_there_is_noticed() -> None:
    assert is_there("query/*")
    assert is_there("contract/test_rows.py::test_a_promise_is_proved")
    assert not any(map(is_there, ("nowhere/*", "contract/test_rows.py::test_nothing", "contract/none.py::test_a", "")))
