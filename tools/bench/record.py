"""The record of a run on the disk: written after every turn, so that a run which was interrupted goes on where it was."""

from __future__ import annotations

import json
import os
from pathlib import Path

FILE = "results.json"
# What two parts of one run must have in common.
KEPT = ("seconds", "warm_up", "base")


class Record:
    """What is known of a run so far; plain values."""

    def __init__(self, folder: Path, head: dict) -> None:
        self.path = folder / FILE
        self.head = head
        self.servers: dict[str, dict] = {}
        self.cells: dict[str, dict[str, dict]] = {}
        self.resumed = False
        if self.path.exists():
            self._take_up(json.loads(self.path.read_text()))

    def _take_up(self, before: dict) -> None:
        for name in KEPT:
            if (old := before["settings"][name]) != (new := self.head["settings"][name]):
                raise SystemExit(f"{self.path.parent.name} was begun with {name} {old}, not {new}: give another --name")
        self.resumed = True
        self.cells = before["cells"]
        self.servers = {name: one for name, one in before["servers"].items() if "failed" not in one}
        self.head["began"] = before["began"]
        for section in ("contenders", "notes", "workloads"):
            self.head["settings"][section] = before["settings"][section] | self.head["settings"][section]
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
