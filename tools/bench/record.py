"""The record of a run on the disk: written after every turn, so that a run which was interrupted goes on where it was."""

from __future__ import annotations

import json
import os
from pathlib import Path

FILE = "results.json"
BESIDE = "beside.json"
FOREIGN = 0.15
"""The share of a core that others may take beside server and generator; a turn with more is taken again."""
# What two parts of one run must have in common.
KEPT = ("seconds", "warm_up", "base")


class Record:
    """What is known of a run so far; plain values."""

    def __init__(self, folder: Path, head: dict, again: bool = False) -> None:
        self.path = folder / FILE
        self.head = head
        self.servers: dict[str, dict] = {}
        self.cells: dict[str, dict[str, dict]] = {}
        self.resumed = False
        if self.path.exists():
            self._take_up(json.loads(self.path.read_text()), again)

    def _take_up(self, before: dict, again: bool) -> None:
        for name in KEPT:
            if (old := before["settings"][name]) != (new := self.head["settings"][name]):
                raise SystemExit(f"{self.path.parent.name} was begun with {name} {old}, not {new}: give another --name")
        if (old := before["machine"].get("congestion")) != (new := self.head["machine"].get("congestion")):
            raise SystemExit(f"{self.path.parent.name} was begun with congestion {old}, not {new}: give another --name")
        self.resumed = True
        self.cells = before["cells"]
        self.servers = before["servers"]
        if again:
            self.servers = {name: one for name, one in self.servers.items() if "failed" not in one}
            for cells in self.cells.values():
                renew(list(cells.values()))
        self.head["began"] = before["began"]
        for section in ("contenders", "notes", "workloads", "only", "groups"):
            self.head["settings"][section] = before["settings"].get(section, {}) | self.head["settings"][section]
        self.head["versions"] = before["versions"] | self.head["versions"]
        self.keep()

    def cell(self, workload: str, contender: str) -> dict:
        """The cell of a pair, made where it is new."""
        return self.cells.setdefault(workload, {}).setdefault(contender, {"rounds": {}})

    def keep(self) -> None:
        """Writes everything, whole or not at all."""
        new = self.path.with_suffix(".new")
        new.write_text(json.dumps({**self.head, "servers": self.servers, "cells": self.cells}, indent=1))
        os.replace(new, self.path)


def renew(cells: list[dict]) -> None:
    """Forgets what failed in a workload, and whole rounds of it during which others took part of the machine."""
    disturbed = {
        number for cell in cells for number, row in cell["rounds"].items() if row.get("foreign", 0.0) > FOREIGN
    }
    for cell in cells:
        cell.pop("failed", None)
        cell["rounds"] = {number: row for number, row in cell["rounds"].items() if number not in disturbed}


def beside(folder: Path) -> dict:
    """What other measurements put beside a run."""
    path = folder / BESIDE
    found: dict = json.loads(path.read_text()) if path.exists() else {}
    return found


def put_beside(folder: Path, figures: dict[str, float], name: str, lines: list[str]) -> None:
    """Puts figures beside a run, and the lines of text that tell them."""
    known = beside(folder)
    text = {**known.get("text", {}), name: lines}
    folder.mkdir(parents=True, exist_ok=True)
    (folder / BESIDE).write_text(json.dumps({**known, **figures, "text": text}, indent=1))
