"""The corpus on disk: which cases there are, what features they have, and what is known to fail."""

from __future__ import annotations

import dataclasses
import json
from fnmatch import fnmatchcase
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CORPUS = ROOT / "testing_data"


@dataclasses.dataclass(frozen=True, order=True)
class Case:
    """One file of the corpus."""

    area: str
    name: str
    features: tuple[str, ...] = dataclasses.field(compare=False, default=())

    def __str__(self) -> str:
        return f"{self.area}/{self.name}"


def cases(corpus: Path = CORPUS) -> list[Case]:
    """Every case, by area and name."""
    found = []
    for path in sorted(corpus.glob("http/*/*.json")):
        features = json.loads(path.read_text(encoding="utf-8"))["features"]
        found.append(Case(path.parent.name, path.stem, tuple(features)))
    return found


@dataclasses.dataclass(frozen=True)
class Pattern:
    """One line of a list of known failures."""

    origin: str
    text: str
    reason: str

    def matches(self, case: Case) -> bool:
        """Whether the case is meant: each part of the pattern against its part of the case's place."""
        area, _, name = self.text.partition("/")
        return fnmatchcase(case.area, area) and fnmatchcase(case.name, name)


def known_failures(language: str, corpus: Path = CORPUS) -> list[Pattern]:
    """What a language fails, its own list and the server's."""
    patterns = []
    for name in ("server", language):
        path = corpus / "known_failing" / f"{name}.txt"
        if path.exists():
            patterns += read_patterns(f"{name}.txt", path.read_text(encoding="utf-8"))
    return patterns


def read_patterns(origin: str, text: str) -> list[Pattern]:
    """Reads a list. A line without a reason is an error: nobody could say when it may go."""
    patterns = []
    for number, line in enumerate(text.splitlines(), start=1):
        pattern, _, reason = (part.strip() for part in line.partition("#"))
        if not pattern:
            continue
        if not reason or "/" not in pattern:
            raise SystemExit(f"known_failing/{origin}:{number}: expected `<area>/<case>  # reason`, got {line!r}")
        patterns.append(Pattern(f"{origin}:{number}", pattern, reason))
    return patterns
