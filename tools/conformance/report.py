"""How verdicts are shown: the table, JUnit XML, and docs/conformance.md."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path

from verdict import Verdict

Verdicts = dict[str, list[Verdict]]


def counts(verdicts: list[Verdict]) -> str:
    """`passed/total`, with what was skipped behind it."""
    passed = sum(verdict.outcome == "passed" for verdict in verdicts)
    skipped = sum(verdict.outcome == "skipped" for verdict in verdicts)
    return f"{passed}/{len(verdicts)}" + (f" ({skipped} skipped)" if skipped else "")


def rows(results: Verdicts) -> list[list[str]]:
    """The table: one row an area, one column a language, sums below."""
    areas = sorted({verdict.case.area for verdicts in results.values() for verdict in verdicts})
    body = [[area, *(counts([v for v in each if v.case.area == area]) for each in results.values())] for area in areas]
    return [["area", *results], *body, ["all", *(counts(each) for each in results.values())]]


def plain(results: Verdicts) -> str:
    """The table for a terminal."""
    table = rows(results)
    widths = [max(len(row[column]) for row in table) for column in range(len(table[0]))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in table
    )


def markdown(results: Verdicts) -> str:
    """docs/conformance.md."""
    header, *body = rows(results)
    lines = [
        "# Conformance",
        "",
        "Rendered by `python3 tools/conformance --docs` from the corpus in `testing_data/`; passed of all cases.",
        "A case counts as passed where every door and every decoder agrees with it.",
        "",
        "| " + " | ".join(header) + " |",
        "|" + "---|" * len(header),
        *("| " + " | ".join(row) + " |" for row in body),
        "",
        "## Known failures",
        "",
    ]
    known = {
        f"| `{verdict.case}` | {verdict.known.origin.split('.')[0]} | {verdict.known.reason} |"
        for verdicts in results.values()
        for verdict in verdicts
        if verdict.known
    }
    if known:
        lines += ["| case | list | reason |", "|---|---|---|", *sorted(known)]
    else:
        lines.append("None.")
    return "\n".join(lines) + "\n"


def junit(results: Verdicts, path: Path) -> None:
    """One suite a language and area, one test a run. Known failures are skipped tests with their reason."""
    root = ET.Element("testsuites")
    for language, verdicts in results.items():
        for area in sorted({verdict.case.area for verdict in verdicts}):
            suite = ET.SubElement(root, "testsuite", name=f"{language}.{area}")
            for verdict in verdicts:
                if verdict.case.area == area:
                    add_tests(suite, verdict)
            suite.set("tests", str(len(suite)))
            suite.set("failures", str(len(suite.findall("testcase/failure"))))
            suite.set("skipped", str(len(suite.findall("testcase/skipped"))))
    path.parent.mkdir(parents=True, exist_ok=True)
    ET.ElementTree(root).write(path, encoding="utf-8", xml_declaration=True)


def add_tests(suite: ET.Element, verdict: Verdict) -> None:
    """The tests of one case."""
    name = suite.get("name", "")
    for run in verdict.runs:
        test = ET.SubElement(suite, "testcase", classname=name, name=run.title)
        if run.outcome == "failed" and verdict.known:
            ET.SubElement(test, "skipped", message=verdict.known.reason)
        elif run.outcome == "failed":
            ET.SubElement(test, "failure", message=printable(run.detail or ""))
        elif run.outcome == "skipped":
            ET.SubElement(test, "skipped", message=printable(run.detail or ""))
    if verdict.unexpected and verdict.outcome != "failed":
        test = ET.SubElement(suite, "testcase", classname=name, name=verdict.case.name)
        ET.SubElement(test, "failure", message=printable(verdict.unexpected))


def printable(text: str) -> str:
    """Without the control characters that XML cannot hold."""
    return "".join(char if char.isprintable() or char == "\n" else f"\\x{ord(char):02x}" for char in text)
