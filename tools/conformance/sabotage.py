"""The suite is tested too: with one part of the server broken, every case that turns on the part must fail."""

from __future__ import annotations

import dataclasses

import drivers
from corpus import Case, Pattern
from verdict import judge

# The part that is broken, and the features of the cases that turn on it (testing_data/README.md).
SABOTAGES = {
    "parameters": {"path", "query", "headers", "cookies"},
    "validation": {"validation"},
    "errors": {"errors"},
    "routing": {"routing"},
    "limits": {"limits"},
    "hooks": {"hooks"},
    "dependencies": {"dependencies"},
    "bodies": {"json", "form", "text", "bytes"},
    "responses": {"responses"},
    "streaming": {"streaming"},
    "background": {"background"},
}

# What is broken behind the refusals: a case that expects one need not notice.
BEHIND_REFUSALS = {"bodies", "responses"}


@dataclasses.dataclass
class Outcome:
    """One sabotage: the cases that turn on it, and which of them passed all the same."""

    name: str
    affected: list[Case]
    toothless: list[Case]
    red: set[Case]


def run(language: str, cases: list[Case], patterns: list[Pattern], names: list[str]) -> list[Outcome]:
    """Runs a language's driver once for each sabotage."""
    told = [case for case in cases if not any(pattern.matches(case) for pattern in patterns)]
    outcomes = []
    ran = drivers.run_all([(language, name) for name in names])
    for name, (runs, _) in zip(names, ran, strict=True):
        verdicts = judge(told, runs, [])
        red = {verdict.case for verdict in verdicts if verdict.outcome == "failed"}
        affected = [
            verdict.case for verdict in verdicts if verdict.outcome != "skipped" and turns_on(verdict.case, name)
        ]
        outcomes.append(Outcome(name, affected, [case for case in affected if case not in red], red))
    return outcomes


def turns_on(case: Case, name: str) -> bool:
    """Whether a case must be red in a sabotage."""
    features = set(case.features)
    return bool(SABOTAGES[name] & features) and not (name in BEHIND_REFUSALS and "errors" in features)


def show(outcomes: list[Outcome], cases: list[Case]) -> int:
    """Prints the table and the toothless cases; answers how many cases stayed green that should not have."""
    print(f"{'sabotage':<12}{'red':>6} of {'affected':<10}{'red in all':>10}")
    for outcome in outcomes:
        red = len(outcome.affected) - len(outcome.toothless)
        print(f"{outcome.name:<12}{red:>6} of {len(outcome.affected):<10}{len(outcome.red):>10}")
    toothless = sum(len(outcome.toothless) for outcome in outcomes)
    empty = [outcome.name for outcome in outcomes if not outcome.affected]
    for outcome in outcomes:
        for case in outcome.toothless:
            print(f"toothless: {case} passes without {outcome.name}")
    for name in empty:
        print(f"toothless: no case turns on {name}")
    if {outcome.name for outcome in outcomes} == set(SABOTAGES):
        untouched = [case for case in cases if not any(case in outcome.red for outcome in outcomes)]
        print(f"{len(untouched)} of {len(cases)} cases are turned red by none of these")
        for case in untouched:
            print(f"  {case}")
    return toothless + len(empty)
