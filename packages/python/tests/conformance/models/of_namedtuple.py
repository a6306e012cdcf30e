"""The models whose wire form is an array, as NamedTuples."""

from __future__ import annotations

from typing import NamedTuple


class Pair(NamedTuple):
    number: int
    text: str
