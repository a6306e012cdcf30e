"""The page of the documentation, rendered from named runs: method, machine, versions, ratios, pictures, what failed, and
the notes that are written by hand.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import curves
import goals
import table

NOTES = Path(__file__).resolve().parent / "notes.md"
METHOD = """\
Rendered by `./task bench:report` from results that are not committed; edit `tools/bench/notes.md`, not this page. Every
contender is installed with pinned versions, in the way its own documentation recommends for production, on the same
Python. Before anything is timed, each must answer the workload's requests right and refuse wrong ones. The server has one
core, the load generator another one; contenders take turns in every round, so that a drift of the machine meets all of
them. A ratio is the geometric mean of the rounds' ratios, with a 95 % bootstrap interval over the rounds; where 1 lies
inside, the gap is a tie. Ratios within one run can be compared, requests a second of two machines cannot.
What each workload sends and what each number means: `tools/bench/README.md`.
"""


def write(runs: list[dict], file: Path) -> None:
    """Writes the page, and its pictures into a folder of its name."""
    folder = file.with_suffix("")
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.svg"):
        old.unlink()
    parts = ["# Benchmarks\n", METHOD, NOTES.read_text()]
    for number, run in enumerate(runs):
        pictures = drawn(run)
        name = chr(ord("a") + number)
        for picture, text in pictures.items():
            (folder / f"{name}-{picture}.svg").write_text(text)
        links = {picture: f"{folder.name}/{name}-{picture}.svg" for picture in pictures}
        parts.append("\n".join(section(run, links)))
    file.write_text("\n".join(parts).rstrip() + "\n")


def drawn(run: dict) -> dict[str, str]:
    """The pictures of a run by their names."""
    base = run["settings"]["contenders"][run["settings"]["base"]]
    pictures = {f"curve-{axis}": picture for axis, picture in curves.curves(run).items()}
    if len([one for one in run["settings"]["workloads"].values() if not one["axis"]]) > 1:
        pictures["rate"] = curves.dots(run, f"requests/s, {base} = 1; more is better", "rate")
        pictures["latency"] = curves.dots(run, f"p99 latency, {base} = 1; less is better", "p99")
    return pictures


def section(run: dict, links: dict[str, str]) -> Iterator[str]:
    """What one run has to tell."""
    settings = run["settings"]
    only = settings.get("only", {})
    titles = {name: title for name, title in settings["contenders"].items() if name not in only}
    field = "Node" if goals.NODE in titles and goals.OURS not in titles else "Python"
    yield f"## {field}, run of {run['began']}: {rounds(run)} rounds of {settings['seconds']} s"
    yield ""
    yield from ["### What has to hold", ""]
    yield from goals.told(run)
    yield ""
    yield from (f"![{name}]({link})" for name, link in links.items())
    for heading, cell in (
        (f"Requests/s, ratio to {titles[settings['base']]} [95 %]", ratio),
        ("p99 latency, ms", latency),
        ("Processor time of the server, µs a request", cost),
    ):
        yield from [
            "",
            f"### {heading}",
            "",
            f"| workload | {' | '.join(titles.values())} |",
            f"|---|{'---|' * len(titles)}",
        ]
        for workload in settings["workloads"]:
            found = (cell(run, workload, contender) for contender in titles)
            yield f"| {workload} | {' | '.join(found)} |"
    yield from ["", "### At rest", ""]
    yield from table.rest(run)
    for lines in run["beside"].get("text", {}).values():
        yield from ["", *lines]
    yield from ["", "### What is missing or doubtful", ""]
    yield from remarks(run)
    yield from ["", "### Machine and versions", ""]
    yield from (f"- {name}: {value}" for name, value in run["machine"].items())
    yield from (
        f"- {name}: {', '.join(f'{one} {version}' for one, version in versions.items())}"
        for name, versions in run["versions"].items()
    )
    yield ""


def rounds(run: dict) -> str:
    """How many rounds the cells have."""
    counts = {len(cell["rounds"]) for cells in run["cells"].values() for cell in cells.values() if cell["rounds"]}
    return "–".join(str(one) for one in dict.fromkeys((min(counts), max(counts)))) if counts else "no"


def cell_of(run: dict, workload: str, contender: str) -> dict:
    """A cell, empty where it is missing."""
    found: dict = run["cells"].get(workload, {}).get(contender, {})
    return found


def ratio(run: dict, workload: str, contender: str) -> str:
    """The ratio to the base, or what stands in its place."""
    cell, base = cell_of(run, workload, contender), table.base_of(run, workload)
    if reason := table.missing(run, cell, contender):
        return "–" if reason == "not measured" else reason.partition(":")[0]
    if contender == base:
        return f"1 ({table.median(cell, 'rate'):,.0f}/s)"
    return table.compared(cell, cell_of(run, workload, base))


def latency(run: dict, workload: str, contender: str) -> str:
    """The 99th percentile, the median over the rounds."""
    cell = cell_of(run, workload, contender)
    return f"{table.median(cell, 'p99'):.2f}" if cell.get("rounds") else "–"


def cost(run: dict, workload: str, contender: str) -> str:
    """Processor time of a request."""
    cell = cell_of(run, workload, contender)
    return f"{table.median(cell, 'cpu_per_1000') * 1000:.1f}" if cell.get("rounds") else "–"


def remarks(run: dict) -> Iterator[str]:
    """Every reason and every mark of the run; those that several cells share, once."""
    said: dict[tuple[str, str], list[str]] = {}
    for workload in run["settings"]["workloads"]:
        for contender, title in run["settings"]["contenders"].items():
            if contender in run["settings"].get("only", {}) and not cell_of(run, workload, contender).get("rounds"):
                continue
            cell = cell_of(run, workload, contender)
            why = table.missing(run, cell, contender)
            found = ["" if why == "not measured" else why, cell.get("mark", "")]
            if cell.get("rounds"):
                found += [*table.told(cell), errors(cell)]
            for remark in filter(None, found):
                said.setdefault((title, table.escaped(remark)), []).append(workload)
    yield from (f"- {title}: {remark} ({', '.join(where)})" for (title, remark), where in said.items())
    yield from (f"- {name}: {why}" for name, why in run["settings"]["later"].items())


def errors(cell: dict) -> str:
    """How many answers were wrong, empty where none was."""
    count = sum(one["errors"] for one in cell["rounds"].values())
    return f"{count:,} errors" if count else ""
