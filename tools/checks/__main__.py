"""Runs the rules over the repository and prints a table: `python3 tools/checks [rule …]`. Run it by the interpreter
that has the built package, or the snippets are skipped; with CI set, a rule that is skipped fails.
"""

from __future__ import annotations

import dataclasses
import fnmatch
import os
import sys
import time
from pathlib import Path
from types import ModuleType

import rules
from tree import Finding, Skipped, Tree

HERE = Path(__file__).resolve().parent


@dataclasses.dataclass
class Verdict:
    """What a rule found."""

    title: str
    findings: list[Finding]
    skipped: str = ""
    seconds: float = 0.0


def exceptions() -> list[tuple[str, str]]:
    """The breaches that stand: rule and pattern of the subject."""
    lines = (line for line in (HERE / "exceptions.txt").read_text().splitlines() if line and not line.startswith("#"))
    parted = [[part.strip() for part in line.split("|")] for line in lines]
    if unclear := [parts for parts in parted if len(parts) != 3 or not parts[2]]:
        raise SystemExit(f"exceptions.txt: a rule, a subject and a reason, got {unclear[0]}")
    return [(rule, subject) for rule, subject, _ in parted]


def judge(rule: ModuleType, tree: Tree, excused: list[str]) -> Verdict:
    """Runs one rule and takes out what is excused."""
    began = time.monotonic()
    verdict = Verdict(rule.check.__doc__, [])
    idle = set(excused)
    try:
        for finding in rule.check(tree):
            patterns = {pattern for pattern in excused if fnmatch.fnmatchcase(finding.subject, pattern)}
            idle -= patterns
            if not patterns:
                verdict.findings.append(finding)
    except Skipped as reason:
        verdict.skipped = str(reason)
        if os.environ.get("CI"):
            verdict.findings.append(Finding("CI", f"a rule was skipped: {reason}"))
    else:
        verdict.findings += [Finding("tools/checks/exceptions.txt", f"excuses nothing: {one}") for one in sorted(idle)]
    verdict.seconds = time.monotonic() - began
    return verdict


def main(wanted: list[str]) -> int:
    """Answers 1 if something was found."""
    tree = Tree(HERE.parents[1])
    known = {rule.__name__.rpartition(".")[2]: rule for rule in rules.ALL}
    if unknown := set(wanted) - set(known):
        print(f"no such rule: {', '.join(sorted(unknown))}; there are {', '.join(known)}", file=sys.stderr)
        return 2
    standing = exceptions()
    verdicts = {}
    for name in wanted or known:
        excused = [subject for rule, subject in standing if rule == name]
        verdicts[name] = judge(known[name], tree, excused)
        for finding in verdicts[name].findings:
            print(f"{name}: {finding}")
    print(f"\n{'rule':<12} {'result':<12} {'time':>6}  what holds")
    for name, verdict in verdicts.items():
        count = len(verdict.findings)
        result = f"{count} found" if count else "skipped" if verdict.skipped else "ok"
        why = verdict.skipped and f" ({verdict.skipped})"
        print(f"{name:<12} {result:<12} {verdict.seconds:>5.1f}s  {verdict.title}{why}")
    return int(any(verdict.findings for verdict in verdicts.values()))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
