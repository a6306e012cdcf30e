"""Bars of a workload as SVG, requests a second, with a whisker from the slowest to the fastest round; and what every
picture is made of.
"""

from __future__ import annotations

from html import escape

import table

WIDTH, LEFT, RIGHT, BAR, GAP, TOP = 760, 190, 90, 22, 10, 44
OURS, OTHERS, INK = "#1f6f8b", "#b8c4cc", "#22313a"


def bars(run: dict, workload: str) -> str:
    """The picture of one workload."""
    cells = run["cells"].get(workload, {})
    titles = run["settings"]["contenders"]
    timed = [name for name in table.ranked(cells, titles) if cells.get(name, {}).get("rounds")]
    highest = max((max(table.rates(cells[name]).values()) for name in timed), default=1.0)
    scale = (WIDTH - LEFT - RIGHT) / highest
    parts = [text(LEFT, 24, f"{workload}: requests/s", size=15)]
    for place, name in enumerate(timed):
        parts += bar(
            titles[name], name.startswith("spikard"), table.rates(cells[name]), scale, TOP + place * (BAR + GAP)
        )
    height = TOP + max(len(timed), 1) * (BAR + GAP) + 8
    return framed(height, parts)


def bar(title: str, ours: bool, rates: dict[int, float], scale: float, top: int) -> list[str]:
    """One bar with its name, its whisker and its number."""
    ordered = sorted(rates.values())
    middle = ordered[len(ordered) // 2] if len(ordered) % 2 else sum(ordered[len(ordered) // 2 - 1 :][:2]) / 2
    low, high = LEFT + ordered[0] * scale, LEFT + ordered[-1] * scale
    centre = top + BAR / 2
    return [
        text(LEFT - 8, centre + 4, title, anchor="end"),
        f'<rect x="{LEFT}" y="{top}" width="{middle * scale:.1f}" height="{BAR}" fill="{OURS if ours else OTHERS}"/>',
        f'<path d="M{low:.1f} {centre}H{high:.1f}M{low:.1f} {centre - 4}v8M{high:.1f} {centre - 4}v8" stroke="{INK}"/>',
        text(high + 8, centre + 4, f"{middle:,.0f}"),
    ]


def framed(height: float, parts: list[str]) -> str:
    """A picture on white."""
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:.0f}" font-family="sans-serif">'
    return "\n".join([head, f'<rect width="{WIDTH}" height="{height:.0f}" fill="#ffffff"/>', *parts, "</svg>", ""])


def text(x: float, y: float, words: str, size: int = 12, anchor: str = "start", ink: str = INK) -> str:
    """Text at a place."""
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}" fill="{ink}">{escape(words)}</text>'
    )
