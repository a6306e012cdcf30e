"""What a report means: each case's outcome against the lists of known failures."""

from __future__ import annotations

import dataclasses
from collections import defaultdict

from corpus import Case, Pattern
from drivers import Run


@dataclasses.dataclass
class Verdict:
    """One case in one language. `outcome` is passed, failed, skipped or missing."""

    case: Case
    outcome: str
    runs: list[Run]
    known: Pattern | None = None

    @property
    def unexpected(self) -> str | None:
        """Why this is a failure of the run; none where it is as it should be."""
        if self.outcome == "missing":
            return "the driver did not report this case"
        if self.outcome == "failed" and not self.known:
            first = next(run for run in self.runs if run.outcome == "failed")
            return f"[{' '.join(filter(None, (first.door, first.decoder)))}] {first.detail}"
        if self.outcome == "passed" and self.known:
            return f"passes, though {self.known.origin} lists it: {self.known.reason}"
        return None


def judge(cases: list[Case], runs: list[Run], patterns: list[Pattern]) -> list[Verdict]:
    """A verdict for every case of the corpus."""
    by_case: dict[tuple[str, str], list[Run]] = defaultdict(list)
    for run in runs:
        by_case[run.area, run.case].append(run)
    return [verdict(case, by_case[case.area, case.name], patterns) for case in cases]


def verdict(case: Case, runs: list[Run], patterns: list[Pattern]) -> Verdict:
    """One failed run fails a case; it passes where at least one run did and none failed."""
    outcomes = {run.outcome for run in runs}
    outcome = next((each for each in ("failed", "passed", "skipped") if each in outcomes), "missing")
    return Verdict(case, outcome, runs, next((pattern for pattern in patterns if pattern.matches(case)), None))


def useless(cases: list[Case], patterns: list[Pattern]) -> list[Pattern]:
    """Patterns that match no case: the case was renamed or is gone."""
    return [pattern for pattern in patterns if not any(pattern.matches(case) for case in cases)]
