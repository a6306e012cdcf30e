"""A run as Markdown: a table for each workload, ratios to the base with their intervals, what failed and why, the cost
at rest, the machine and every version.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterator

import spread
from record import FOREIGN

COLUMNS = (
    "| contender | requests/s | × base [95 %] | p50 ms | p99 ms | p99.9 ms | max ms | CPU s / 1,000 | errors | |\n"
    "|---|---|---|---|---|---|---|---|---|---|"
)


BUSY = 0.95
"""A generator that is busy for more than this share of its time may be what limits the rate."""


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
        f"warm-up; the server on core {', '.join(map(str, settings['server_cores']))}, the generator with one thread on "
        f"core {settings['generator_core']}. Base: {settings['base']}. Medians over the rounds; a ratio is the geometric "
        "mean of the rounds' ratios, with a bootstrap interval; a gap inside it is a tie. Where the base takes no part, "
        "the first contender that does is the base."
    )
    for name, about in settings["workloads"].items():
        yield from ["", f"## {name}", "", f"{described(about)}. ![bars]({name}.svg)", "", COLUMNS]
        cells = run["cells"].get(name, {})
        for contender in ranked(cells, settings["contenders"]):
            yield row(run, cells, contender, cells.get(base_of(run, name), {}))
    yield from ["", "## Not there yet", ""]
    yield from (f"- {name}: {why}" for name, why in settings["later"].items())
    yield from ["", "## At rest", ""]
    yield from rest(run)
    yield from ["", "## Machine and versions", ""]
    yield from (f"- {name}: {value}" for name, value in run["machine"].items())
    for contender, versions in run["versions"].items():
        yield f"- {contender}: {', '.join(f'{name} {version}' for name, version in versions.items())}"


def described(about: dict) -> str:
    """A workload in words."""
    return f"{about['title']}; {about['connections']:,} connections" if about["load"] != "idle" else about["title"]


def base_of(run: dict, workload: str) -> str:
    """What ratios of a workload are to: the run's base, or the first contender that takes part where it has no part."""
    cells, base = run["cells"].get(workload, {}), str(run["settings"]["base"])
    if missing(run, cells.get(base, {}), base).startswith("failed"):
        return base
    timed = [name for name in (base, *run["settings"]["contenders"]) if cells.get(name, {}).get("rounds")]
    return timed[0] if timed else base


def ranked(cells: dict, contenders: dict[str, str]) -> list[str]:
    """The contenders, the quickest first, what was not timed last."""
    return sorted(contenders, key=lambda name: (-median(cells.get(name, {}), "rate"), name))


def row(run: dict, cells: dict, contender: str, base: dict) -> str:
    """The line of a cell."""
    title = run["settings"]["contenders"][contender]
    cell = cells.get(contender, {})
    if reason := missing(run, cell, contender):
        return f"| {title} | – | – | – | – | – | – | – | – | {escaped(reason)} |"
    against = "1" if cell is base else compared(cell, base)
    latency = " | ".join(f"{median(cell, name):.2f}" for name in ("p50", "p99", "p99.9", "max"))
    errors = sum(one["errors"] for one in cell["rounds"].values())
    marks = "; ".join(filter(None, [*told(cell), cell.get("mark"), run["settings"]["notes"].get(contender)]))
    cpu = median(cell, "cpu_per_1000")
    return (
        f"| {title} | {median(cell, 'rate'):,.0f} | {against} | {latency} | {cpu:.4f} | {errors:,} | {escaped(marks)} |"
    )


def missing(run: dict, cell: dict, contender: str) -> str:
    """Why a cell has no numbers, empty where it has some."""
    if why := run["servers"].get(contender, {}).get("failed") or cell.get("failed"):
        return f"failed: {why}"
    if cell.get("rounds"):
        return ""
    why = cell.get("absent", "")
    return why if why.startswith("pending: ") else f"absent: {why}" if why else "not measured"


def told(cell: dict) -> Iterator[str]:
    """What only some kinds of load tell, and what makes a number doubtful."""
    rounds = list(cell["rounds"].values())
    if "goodput" in rounds[0]:
        offered, refused = (sum(one[name] for one in rounds) for name in ("offered", "refused"))
        asked = sum(one["retry_after"] for one in rounds)
        yield f"of {offered:,} offered: {refused / offered:.0%} refused by 503, {asked / max(refused, 1):.0%} of them with Retry-After"
        yield f"goodput {median(cell, 'goodput'):.2f} of the capacity"
    if "bytes_each" in rounds[0]:
        yield f"{cell['bytes_each'] / 1024:.1f} KB for each connection"
        alone = statistics.median(one["alone"]["p99"] for one in rounds)
        yield f"p99 {alone:.2f} ms without them"
    if disturbed := sum(one.get("foreign", 0.0) > FOREIGN for one in rounds):
        yield f"others took part of the machine in {disturbed} of {len(rounds)} rounds"
    if (busy := median(cell, "generator_busy")) > BUSY:
        yield f"the generator is busy for {busy:.0%}: its limit, not the server's"


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
    found = [one.get(name, one["latency_ms"].get(name, 0.0)) for one in cell.get("rounds", {}).values()]
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
