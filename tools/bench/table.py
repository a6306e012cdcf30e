"""A run as Markdown: a table for each workload, ratios to the base with their intervals, what failed and why, the cost
at rest, the machine and every version.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterator

import spread

COLUMNS = (
    "| contender | requests/s | × base [95 %] | p50 ms | p99 ms | p99.9 ms | max ms | CPU s / 1,000 | errors | |\n"
    "|---|---|---|---|---|---|---|---|---|---|"
)


def render(run: dict) -> str:
    """The whole document."""
    return "\n".join(lines(run)) + "\n"


def lines(run: dict) -> Iterator[str]:
    """Every line of it."""
    settings = run["settings"]
    yield "# Benchmark"
    yield ""
    yield (
        f"{run['began']}, {settings['rounds']} rounds of {settings['seconds']} s after {settings['warm_up']} s of "
        f"warm-up; the server on core {settings['server_core']}, wrk with one thread on core "
        f"{settings['generator_core']}. Base: {settings['base']}. Medians over the rounds; a ratio is the geometric "
        "mean of the rounds' ratios, with a bootstrap interval; a gap inside it is a tie."
    )
    for name, title in settings["workloads"].items():
        yield from ["", f"## {name}", "", f"{title}. ![bars]({name}.svg)", "", COLUMNS]
        cells = run["cells"].get(name, {})
        for contender in ranked(cells, settings["contenders"]):
            yield row(run, cells, contender)
    yield from ["", "## At rest", ""]
    yield from rest(run)
    yield from ["", "## Machine and versions", ""]
    yield from (f"- {name}: {value}" for name, value in run["machine"].items())
    for contender, versions in run["versions"].items():
        yield f"- {contender}: {', '.join(f'{name} {version}' for name, version in versions.items())}"


def ranked(cells: dict, contenders: dict[str, str]) -> list[str]:
    """The contenders, the quickest first, what was not timed last."""
    return sorted(contenders, key=lambda name: (-median(cells.get(name, {}), "rate"), name))


def row(run: dict, cells: dict, contender: str) -> str:
    """The line of a cell."""
    title = run["settings"]["contenders"][contender]
    cell = cells.get(contender, {})
    why = run["servers"].get(contender, {}).get("failed") or cell.get("failed")
    if why or not cell.get("rounds"):
        reason = f"failed: {why}" if why else f"absent: {cell.get('absent', 'not measured')}"
        return f"| {title} | – | – | – | – | – | – | – | – | {escaped(reason)} |"
    base = cells.get(run["settings"]["base"], {})
    against = "1" if cell is base else compared(cell, base)
    latency = " | ".join(f"{median(cell, name):.2f}" for name in ("p50", "p99", "p99.9", "max"))
    errors = sum(one["errors"] for one in cell["rounds"].values())
    marks = "; ".join(filter(None, [cell.get("mark"), run["settings"]["notes"].get(contender)]))
    cpu = median(cell, "cpu_per_1000")
    return (
        f"| {title} | {median(cell, 'rate'):,.0f} | {against} | {latency} | {cpu:.4f} | {errors:,} | {escaped(marks)} |"
    )


def compared(cell: dict, base: dict) -> str:
    """The ratio to the base; none to or from a contender that does not validate what the other one does."""
    if any(one.get("mark", "").startswith("does not validate") for one in (cell, base)):
        return "not compared"
    against = spread.ratio(rates(cell), rates(base))
    return "–" if against is None else str(against)


def rates(cell: dict) -> dict[int, float]:
    """Requests a second by round."""
    return {int(number): one["rate"] for number, one in cell.get("rounds", {}).items()}


def median(cell: dict, name: str) -> float:
    """The median of a value over the rounds, 0 where there are none."""
    found = [one.get(name, one["latency_ms"].get(name)) for one in cell.get("rounds", {}).values()]
    return statistics.median(found) if found else 0.0


def rest(run: dict) -> Iterator[str]:
    """Start-up and memory."""
    yield "| contender | first answer ms | RSS MB at start | at the end | after a rest |"
    yield "|---|---|---|---|---|"
    for name, title in run["settings"]["contenders"].items():
        told = run["servers"].get(name, {})
        if "failed" in told:
            yield f"| {title} | failed: {escaped(told['failed'])} | – | – | – |"
            continue
        memory = told.get("memory", {})
        sizes = [f"{memory[when] / 2**20:.1f}" if when in memory else "–" for when in ("start", "end", "idle")]
        began = told.get("first_answer_seconds")
        shown = f"{statistics.median(began) * 1000:.0f}" if began else "–"
        yield f"| {title} | {shown} | {' | '.join(sizes)} |"


def escaped(text: str) -> str:
    """Text that does not end a cell of a table."""
    return " ".join(text.replace("|", "\\|").split())
