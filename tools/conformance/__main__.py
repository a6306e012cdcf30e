"""Runs the corpus in every language: `python3 tools/conformance [--languages rust,python] [--junit FILE] [--docs]`.

Prints the table language by area and what was not expected, and fails where anything was not. `--sabotage` runs it
against builds with one thing broken instead, and fails where that goes unnoticed.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import corpus
import drivers
import report
import sabotage
from verdict import judge, useless

DOCS = corpus.ROOT / "docs" / "conformance.md"


def main() -> int:
    """Reads the arguments and answers the exit code."""
    parser = argparse.ArgumentParser(prog="tools/conformance", description=__doc__)
    parser.add_argument("--languages", default=",".join(drivers.COMMANDS), help="separated by commas")
    parser.add_argument("--junit", type=Path, help="where to write JUnit XML")
    parser.add_argument("--docs", action="store_true", help=f"render {DOCS.relative_to(corpus.ROOT)}")
    parser.add_argument("--check-docs", action="store_true", help="fail where the rendered page is not up to date")
    parser.add_argument(
        "--sabotage",
        nargs="?",
        const=",".join(sabotage.SABOTAGES),
        help=f"all, or some of {', '.join(sabotage.SABOTAGES)}; by the first language",
    )
    options = parser.parse_args()
    languages = options.languages.split(",")
    if options.sabotage:
        return run_sabotage(languages[0] if "rust" not in languages else "rust", options.sabotage.split(","))
    return run(languages, options)


def run(languages: list[str], options: argparse.Namespace) -> int:
    """The corpus as it is."""
    cases = corpus.cases()
    results, faults = {}, []
    ran = drivers.run_all([(language, None) for language in languages])
    for language, (runs, printed) in zip(languages, ran, strict=True):
        patterns = corpus.known_failures(language)
        results[language] = judge(cases, runs, patterns)
        unexpected = [(v.case, v.unexpected) for v in results[language] if v.unexpected]
        faults += [f"{language}: {case}: {why}" for case, why in unexpected]
        faults += [f"{language}: {each.origin} matches no case: {each.text}" for each in useless(cases, patterns)]
        if unexpected and language not in {run.language for run in runs}:
            print(printed)
    for fault in faults:
        print(fault)
    print(report.plain(results))
    if options.junit:
        report.junit(results, options.junit)
    faults += write_docs(results, options)
    passed = sum(v.outcome == "passed" for verdicts in results.values() for v in verdicts)
    print(f"{passed} passed, {len(faults)} failed")
    return 1 if faults else 0


def write_docs(results: report.Verdicts, options: argparse.Namespace) -> list[str]:
    """Renders the page, or compares it."""
    page = report.markdown(results)
    if options.docs:
        DOCS.parent.mkdir(parents=True, exist_ok=True)
        DOCS.write_text(page, encoding="utf-8")
    elif options.check_docs and (not DOCS.exists() or DOCS.read_text(encoding="utf-8") != page):
        print(f"{DOCS.relative_to(corpus.ROOT)} is not up to date: python3 tools/conformance --docs")
        return ["docs"]
    return []


def run_sabotage(language: str, names: list[str]) -> int:
    """The corpus against broken builds."""
    if unknown := set(names) - set(sabotage.SABOTAGES):
        raise SystemExit(f"no such sabotage: {', '.join(sorted(unknown))}")
    cases = corpus.cases()
    outcomes = sabotage.run(language, cases, corpus.known_failures(language), names)
    toothless = sabotage.show(outcomes, cases)
    print(f"{sum(len(outcome.affected) for outcome in outcomes) - toothless} passed, {toothless} failed")
    return 1 if toothless else 0


if __name__ == "__main__":
    sys.exit(main())
