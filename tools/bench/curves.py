"""Pictures over all workloads as SVG: curves along an axis, and dots of every contender in one row for each workload. Both
by logarithms.
"""

from __future__ import annotations

import math

import table
from plots import INK, OURS, TOP, WIDTH, framed, text

PALETTE = (
    OURS,
    "#b5562e",
    "#5b7d3a",
    "#7a4f8f",
    "#8a6d1f",
    "#56636b",
    "#b03a5b",
    "#2f8f83",
    "#c9a227",
    "#3d4f9f",
    "#9aa53c",
    "#000000",
    "#d0743c",
)
HIGH, BOTTOM, MARGIN = 300, 40, 60
COSTS = {
    "body": "processor time of the server, µs a request",
    "routes": "processor time of the server, µs a request",
    "connections": "requests/s",
    "workers": "requests/s",
}


def curves(run: dict) -> dict[str, str]:
    """A picture for each curve that the run has points of."""
    axes = dict.fromkeys(about["axis"] for about in run["settings"]["workloads"].values() if about["axis"])
    return {axis: curve(run, axis) for axis in axes}


def values(run: dict, axis: str) -> dict[str, list[tuple[int, float]]]:
    """The points of each contender that was measured on a curve: where, and how much."""
    found: dict[str, list[tuple[int, float]]] = {}
    points = {name: one["at"] for name, one in run["settings"]["workloads"].items() if one["axis"] == axis}
    for name, at in sorted(points.items(), key=lambda point: point[1]):
        for contender, cell in run["cells"].get(name, {}).items():
            if cell.get("rounds"):
                cost = COSTS[axis].startswith("processor")
                value = table.median(cell, "cpu_per_1000") * 1000 if cost else table.median(cell, "rate")
                found.setdefault(contender, []).append((at, value))
    return found


def curve(run: dict, axis: str) -> str:
    """The picture of one curve; both axes by their logarithms."""
    lines = values(run, axis)
    places = sorted({at for points in lines.values() for at, _ in points}) or [1]
    heights = [value for points in lines.values() for _, value in points if value > 0] or [1.0]
    least, most = math.log10(min(heights)) - 0.1, math.log10(max(heights)) + 0.1
    wide = math.log10(places[-1] / places[0]) or 1.0

    def x(at: int) -> float:
        return MARGIN + math.log10(at / places[0]) / wide * (WIDTH - MARGIN - 190)

    def y(value: float) -> float:
        return TOP + (most - math.log10(value)) / (most - least) * (HIGH - TOP - BOTTOM)

    parts = [text(MARGIN, 24, f"{axis}: {COSTS[axis]}", size=15)]
    for at in places:
        parts += [f'<path d="M{x(at):.1f} {TOP}V{HIGH - BOTTOM}" stroke="#e3e8eb"/>']
        parts += [text(x(at), HIGH - BOTTOM + 16, f"{at:,}", anchor="middle")]
    for value in ticks(10**least, 10**most):
        parts += [f'<path d="M{MARGIN} {y(value):.1f}H{WIDTH - 190}" stroke="#e3e8eb"/>']
        parts += [text(MARGIN - 6, y(value) + 4, f"{value:,.0f}", anchor="end")]
    ends = spaced({name: y(points[-1][1]) for name, points in lines.items() if points[-1][1] > 0})
    ink = inks(run)
    for name, points in lines.items():
        colour = ink[name]
        drawn = [f"{x(at):.1f} {y(value):.1f}" for at, value in points if value > 0]
        parts += [f'<path d="M{"L".join(drawn)}" fill="none" stroke="{colour}" stroke-width="2"/>']
        parts += [f'<circle cx="{one.split()[0]}" cy="{one.split()[1]}" r="3" fill="{colour}"/>' for one in drawn]
        title = run["settings"]["contenders"].get(name, name)
        parts += [text(WIDTH - 180, ends.get(name, TOP) + 4, title, ink=colour)]
    return framed(HIGH, parts)


def inks(run: dict) -> dict[str, str]:
    """A colour for each contender, the same in every picture; ours first."""
    names = sorted(run["settings"]["contenders"], key=lambda name: not name.startswith("spikard"))
    return dict(zip(names, PALETTE * 2, strict=False))


def ticks(low: float, high: float) -> list[float]:
    """One, two and five times the powers of ten between two values."""
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    return [step * 10.0**power for power in powers for step in (1, 2, 5) if low <= step * 10.0**power <= high]


def spaced(wanted: dict[str, float]) -> dict[str, float]:
    """Heights of labels that do not stand on each other."""
    placed: dict[str, float] = {}
    last = -math.inf
    for name, height in sorted(wanted.items(), key=lambda label: label[1]):
        last = placed[name] = max(height, last + 15)
    return placed


def dots(run: dict, title: str, measure: str) -> str:
    """One row for each workload, a dot for each contender: `rate` or the name of a latency, to the base of that workload."""
    settings = run["settings"]
    rows = [name for name, about in settings["workloads"].items() if not about["axis"]]
    found = {
        (name, contender): table.median(cell, measure) / against
        for name in rows
        for contender, cell in run["cells"].get(name, {}).items()
        if (against := table.median(run["cells"][name].get(table.base_of(run, name), {}), measure))
        and table.median(cell, measure)
    }
    least, most = min([*found.values(), 0.5]), max([*found.values(), 2.0])
    bottom = TOP + 22 * len(rows)

    def x(value: float) -> float:
        return 150 + math.log10(value / least) / math.log10(most / least) * (WIDTH - 330)

    parts = [text(10, 24, title, size=15)]
    for value in ticks(least, most):
        parts += [f'<path d="M{x(value):.1f} {TOP}V{bottom}" stroke="{INK if value == 1 else "#e3e8eb"}"/>']
        parts += [text(x(value), bottom + 16, f"{value:g}", anchor="middle")]
    ink = inks(run)
    names = [name for name in ink if any(contender == name for _, contender in found)]
    for place, name in enumerate(rows):
        height = TOP + 22 * place + 11
        parts += [text(140, height + 4, name, anchor="end")]
        for contender in reversed(names):
            if value := found.get((name, contender)):
                size = 6 if contender.startswith("spikard") else 4
                parts += [f'<circle cx="{x(value):.1f}" cy="{height}" r="{size}" fill="{ink[contender]}"/>']
    for place, contender in enumerate(names):
        height = TOP + 18 * place + 11
        parts += [f'<circle cx="{WIDTH - 160}" cy="{height}" r="4" fill="{ink[contender]}"/>']
        parts += [text(WIDTH - 150, height + 4, settings["contenders"][contender])]
    return framed(max(bottom + 28, TOP + 18 * len(names) + 10), parts)
