"""What Spikard has to hold beside others, each with the figure that a run found. A goal of which the run has no figure says
so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import spread
import table

OURS, CEILING, BARE, SLOWEST = "spikard-python", "raw-hyper", "granian-rsgi", "fastapi-uvicorn"
NODE, FASTIFY, HONO = "spikard-node", "fastify", "hono"
VALIDATED = (
    "json-small",
    "json-medium",
    "json-large",
    "json-very-large",
    "urlencoded-simple",
    "urlencoded-complex",
    "invalid-body",
    "path-int",
    "path-multiple",
    "query-few",
    "query-medium",
    "query-many",
)
"""Workloads whose requests are judged by a schema."""
RUST = ("spikard-rust", "raw-hyper", "raw-axum")
Verdict = tuple[str, bool] | None
"""The figure in words and whether it is enough; None where the run does not tell."""


def cell(run: dict, workload: str, contender: str = OURS) -> dict:
    """A cell with its rounds, empty where it has none."""
    found: dict = run["cells"].get(workload, {}).get(contender, {})
    return found if found.get("rounds") else {}


def peers(run: dict) -> list[str]:
    """The other contenders in Python."""
    given = run["settings"]["contenders"]
    only, groups = run["settings"].get("only", {}), run["settings"].get("groups", {})
    elsewhere = [name for name, group in groups.items() if group != "python"]
    return [name for name in given if name not in (OURS, *RUST, *elsewhere) and name not in only]


def times(least: float, workload: str, base: str) -> Callable[[dict], Verdict]:
    """Our requests a second to those of another one."""

    def judged(run: dict) -> Verdict:
        found = spread.ratio(table.rates(cell(run, workload)), table.rates(cell(run, workload, base)))
        return found and (f"{found.value:.2f} [{found.low:.2f}–{found.high:.2f}]", found.value >= least)

    return judged


def all_times(least: float, workload: str) -> Callable[[dict], Verdict]:
    """Our requests a second to those of every other framework in Python; the nearest one is told."""

    def judged(run: dict) -> Verdict:
        ours = table.rates(cell(run, workload))
        others = [name for name in peers(run) if name != BARE]
        found = [(one, name) for name in others if (one := spread.ratio(ours, table.rates(cell(run, workload, name))))]
        if not found:
            return None
        below = [
            f"{titled(run, name)} {one.value:.2f}" for one, name in sorted(found, key=by_value) if one.value < least
        ]
        nearest, name = min(found, key=by_value)
        words = f"below: {', '.join(below)}" if below else f"the nearest: {titled(run, name)}, {nearest.value:.2f}"
        return words, not below

    return judged


def each_times(least: float, base: str) -> Callable[[dict], Verdict]:
    """Our requests a second on Node to those of another one, on every workload that is judged by a schema."""

    def judged(run: dict) -> Verdict:
        rates = {name: (table.rates(cell(run, name, NODE)), table.rates(cell(run, name, base))) for name in VALIDATED}
        found = [(one, name) for name, (ours, theirs) in rates.items() if (one := spread.ratio(ours, theirs))]
        if not found:
            return None
        below = [f"{name} {one.value:.2f}" for one, name in sorted(found, key=by_value) if one.value < least]
        nearest, name = min(found, key=by_value)
        return f"below: {', '.join(below)}" if below else f"the nearest: {name}, {nearest.value:.2f}", not below

    return judged


def lower_p99(run: dict) -> Verdict:
    """The workloads that are judged by a schema in which Fastify or Hono has a lower 99th percentile."""
    lost, judged = [], 0
    for workload in VALIDATED:
        ours, others = cell(run, workload, NODE), [cell(run, workload, name) for name in (FASTIFY, HONO)]
        theirs = [table.median(one, "p99") for one in others if one]
        if not ours or not theirs:
            continue
        judged += 1
        if min(theirs) < table.median(ours, "p99"):
            lost.append(f"{workload} ({table.median(ours, 'p99'):.2f} ms against {min(theirs):.2f})")
    if not judged:
        return None
    return (f"{judged - len(lost)} of {judged}" + (f"; not in {', '.join(lost)}" if lost else "")), not lost


def by_value(found: tuple[spread.Ratio, str]) -> float:
    """What ratios are sorted by."""
    return found[0].value


def titled(run: dict, name: str) -> str:
    """A contender's title."""
    return str(run["settings"]["contenders"][name])


def lowest_p99(run: dict) -> Verdict:
    """The workloads in which another contender in Python has a lower 99th percentile."""
    lost, judged = [], 0
    for workload, about in run["settings"]["workloads"].items():
        ours = cell(run, workload)
        if not ours or about["load"] not in ("closed", "bulk") or about["axis"]:
            continue
        others = {name: table.median(one, "p99") for name in peers(run) if (one := cell(run, workload, name))}
        judged += bool(others)
        name = min(others, key=others.__getitem__, default="")
        if name and others[name] < table.median(ours, "p99"):
            lost.append(f"{workload} ({table.median(ours, 'p99'):.2f} ms, {titled(run, name)} {others[name]:.2f})")
    if not judged:
        return None
    return (f"{judged - len(lost)} of {judged}" + (f"; not in {', '.join(lost)}" if lost else "")), not lost


def cost(run: dict, workload: str, contender: str = OURS) -> float:
    """Microseconds of processor time of a request."""
    return table.median(cell(run, workload, contender), "cpu_per_1000") * 1000


def growth(run: dict) -> Verdict:
    """What a body of 150 KB costs more than one of 86 bytes, to what it costs more without any server around msgspec."""
    points = [(one["at"], name) for name, one in run["settings"]["workloads"].items() if one["axis"] == "body"]
    known = [name for _, name in sorted(points) if cell(run, name) and cell(run, name, "msgspec-floor")]
    if len(known) < 2:
        return None
    ours, floor = (cost(run, known[-1], one) - cost(run, known[0], one) for one in (OURS, "msgspec-floor"))
    return f"{ours:,.0f} µs more, {floor:,.0f} µs of them by the floor: {ours / floor:.2f}", ours <= floor


def routes(run: dict) -> Verdict:
    """Processor time with 500 routes to that with one, by rounds."""
    found = spread.ratio(costs(run, "routes-500"), costs(run, "routes-1"))
    return found and (f"{found.value:.3f} [{found.low:.3f}–{found.high:.3f}]", found.value <= 1.02)


def costs(run: dict, workload: str) -> dict[int, float]:
    """Our processor time by round."""
    return {int(number): one["cpu_per_1000"] for number, one in cell(run, workload).get("rounds", {}).items()}


def hooks(run: dict) -> Verdict:
    """What five asynchronous hooks add to a request."""
    if not cell(run, "with-hooks") or not cell(run, "json-hello"):
        return None
    more = cost(run, "with-hooks") - cost(run, "json-hello")
    return f"{more:.1f} µs", more < 15


def scaling(run: dict) -> Verdict:
    """Two workers to one, by what the generator leaves of the two cores."""
    one, two = cell(run, "workers-1"), cell(run, "workers-2")
    if not one or not two:
        return None
    left = 2 - table.median(two, "generator_busy")
    plain = table.median(two, "rate") / table.median(one, "rate")
    return f"{plain * 2 / left:.2f} ({plain:.2f} with {left:.2f} cores left by the generator)", plain * 2 / left >= 1.8


def idle_memory(run: dict) -> Verdict:
    """Bytes of a connection that asks nothing."""
    each = cell(run, "connections-5000").get("bytes_each")
    return each and (f"{each / 1024:.1f} KB", each < 15 * 1024)


def idle_latency(run: dict) -> Verdict:
    """The 99th percentile of the active connections beside 5,000 idle ones to that without them."""
    rounds = cell(run, "connections-5000").get("rounds", {})
    beside, alone = ({number: one[about]["p99"] for number, one in rounds.items()} for about in ("latency_ms", "alone"))
    found = spread.ratio(beside, alone)
    return found and (f"{found.value:.2f} [{found.low:.2f}–{found.high:.2f}]", found.value <= 1.1)


def overload(run: dict) -> Verdict:
    """Goodput at four times the capacity, and what became of the rest."""
    found = cell(run, "overload")
    if not found:
        return None
    rounds = list(found["rounds"].values())
    goodput = table.median(found, "goodput")
    refused, asked = (sum(one[name] for one in rounds) for name in ("refused", "retry_after"))
    words = f"{goodput:.2f} of the capacity, p99 of the accepted {table.median(found, 'p99'):,.0f} ms"
    return (
        f"{words}, {asked / max(refused, 1):.0%} of the refused with Retry-After",
        goodput >= 0.9 and asked == refused,
    )


def kept(name: str, most: float, unit: str, said: str = "{:.0f}") -> Callable[[dict], Verdict]:
    """A number that another measurement put beside the run."""

    def judged(run: dict) -> Verdict:
        found = run.get("beside", {}).get(name)
        return None if found is None else (f"{said.format(found)} {unit}", found <= most)

    return judged


GOALS: tuple[tuple[str, Callable[[dict], Verdict]], ...] = (
    ("≥ 0.60 × bare hyper, JSON hello", times(0.60, "json-hello", CEILING)),
    ("≥ 0.50 × bare hyper, validated POST", times(0.50, "json-small", CEILING)),
    ("≥ 1.4 × Granian's bare RSGI, JSON hello", times(1.4, "json-hello", BARE)),
    ("≥ 1.8 × Granian's bare RSGI, validated POST", times(1.8, "json-small", BARE)),
    ("≥ 1.3 × Granian's bare RSGI, one suspension", times(1.3, "sleep-0", BARE)),
    ("≥ 3 × every other framework in Python, JSON hello", all_times(3, "json-hello")),
    ("≥ 3 × every other framework in Python, validated POST", all_times(3, "json-small")),
    ("≥ 8 × FastAPI on uvicorn, JSON hello", times(8, "json-hello", SLOWEST)),
    ("≥ 8 × FastAPI on uvicorn, validated POST", times(8, "json-small", SLOWEST)),
    ("the lowest p99 in Python on every workload", lowest_p99),
    ("a body of 150 KB costs no more above one of 86 bytes than msgspec and one copy each way", growth),
    ("500 routes cost at most 2 % more than one", routes),
    ("five asynchronous hooks take less than 15 µs", hooks),
    ("two workers serve ≥ 1.8 × what one serves", scaling),
    ("an idle connection takes less than 15 KB", idle_memory),
    ("5,000 idle connections leave the p99 of the active ones within 10 %", idle_latency),
    ("goodput ≥ 0.9 of the capacity at four times the load, the rest 503 with Retry-After", overload),
    ("RSS ≤ 40 MB after 1,000,000 requests", kept("rss_mb", 40, "MB", "{:.1f}")),
    ("RSS grows by less than 1 MB in 1,000,000 requests", kept("slope_kb", 1024, "KB", "{:+,.0f}")),
    ("the first answer within 300 ms of `python app.py`", kept("first_answer_ms", 300, "ms")),
    ("`import spikard` within 80 ms", kept("import_ms", 80, "ms")),
)


NODE_GOALS: tuple[tuple[str, Callable[[dict], Verdict]], ...] = (
    ("≥ 1.3 × Fastify on each workload that is validated", each_times(1.3, FASTIFY)),
    ("≥ 1.0 × Hono on Node on each workload that is validated", each_times(1.0, HONO)),
    ("a lower p99 than both on each of them", lower_p99),
)


def told(run: dict) -> Iterator[str]:
    """The goals as a table, without those of which the run has no figure."""
    given = run["settings"]["contenders"]
    goals = [*(GOALS if NODE not in given or OURS in given else ()), *(NODE_GOALS if NODE in given else ())]
    found = {goal: judge(run) for goal, judge in goals}
    yield from ["| goal | found | |", "|---|---|---|"]
    for goal, verdict in found.items():
        if verdict is not None:
            yield f"| {goal} | {verdict[0]} | {'held' if verdict[1] else 'missed'} |"
    if None in found.values():
        yield from ["", "The other goals were not measured in this run."]
