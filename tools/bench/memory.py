"""Memory over a million requests: `python3 tools/bench/memory.py --contenders spikard-python`. One server after another
takes requests in turns; after each of them its memory is read. The slope is that of the second half, where warming up is
over; a server that keeps nothing has none.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import contenders
import surroundings
import workloads
import wrk
from processes import Server
from record import put_beside

HEAD = (
    "| contender | RSS MB at start | at the end | after a rest | requests | KB more for a million |",
    "|---|---|---|---|---|---|",
)
REST = 10
TURN = 5


def slope(points: Sequence[tuple[float, float]]) -> float:
    """How much y grows with x, by least squares; 0 where there is no line."""
    if len(points) < 2:
        return 0.0
    middle_x = sum(x for x, _ in points) / len(points)
    middle_y = sum(y for _, y in points) / len(points)
    spread = sum((x - middle_x) ** 2 for x, _ in points)
    return sum((x - middle_x) * (y - middle_y) for x, y in points) / spread if spread else 0.0


def grown(points: Sequence[tuple[float, float]]) -> float:
    """Bytes for a million requests, from the second half of the points."""
    return slope(points[len(points) // 2 :]) * 1_000_000


def measure(
    contender: contenders.Contender, names: list[str], requests: int, folder: Path
) -> list[tuple[float, float]]:
    """Requests so far and bytes, after each turn; the last point is that after a rest."""
    generator, *servers = surroundings.cores()
    server = Server(contender, servers[:1], folder / f"{contender.name}.log")
    asked = [one for one in workloads.named(names) if not contender.lacks(one)]
    try:
        points, done = [(0.0, float(server.usage().memory))], 0
        while done < requests:
            for workload in asked:
                done += wrk.run(workload, server.port, TURN, generator, folder / "script.lua").requests
                points.append((float(done), float(server.usage().memory)))
            print(f"{contender.name}: {done:,} requests", file=sys.stderr, flush=True)
        time.sleep(REST)
        return [*points, (float(done), float(server.usage().memory))]
    finally:
        server.stop()


def row(title: str, points: Sequence[tuple[float, float]]) -> str:
    """The line of a contender."""
    at_start, at_end, idle = points[0][1], points[-2][1], points[-1][1]
    sizes = " | ".join(f"{size / 2**20:.1f}" for size in (at_start, at_end, idle))
    return f"| {title} | {sizes} | {points[-1][0]:,.0f} | {grown(points[:-1]) / 1024:+,.0f} |"


def main(arguments: list[str]) -> int:
    """Prints the table; answers 1 if a contender failed."""
    parser = argparse.ArgumentParser(prog="tools/bench/memory.py", description=(__doc__ or "").split(":")[0])
    parser.add_argument("--contenders", default="spikard-python")
    parser.add_argument("--workloads", default="json-hello,json-small,invalid-body,sleep-0")
    parser.add_argument("--requests", type=int, default=1_000_000)
    parser.add_argument("--wheel", type=Path, help="a wheel of ours, instead of building one")
    parser.add_argument("--name", help="of a run in results/, beside which the figures are put")
    given = parser.parse_args(arguments)
    lines, figures, failed = [*HEAD], {}, False
    print(*lines, sep="\n", flush=True)
    for name in given.contenders.split(","):
        contender = contenders.load(name)
        with tempfile.TemporaryDirectory() as folder:
            try:
                contenders.prepare(contender, given.wheel)
                points = measure(contender, given.workloads.split(","), given.requests, Path(folder))
                lines.append(row(contender.title, points))
                if name == "spikard-python":
                    figures = {"rss_mb": points[-2][1] / 2**20, "slope_kb": grown(points[:-1]) / 1024}
            except (contenders.Unavailable, wrk.Failed) as reason:
                failed = True
                lines.append(f"| {contender.title} | failed: {reason} | – | – | – | – |")
            print(lines[-1], flush=True)
    if given.name:
        put_beside(surroundings.RESULTS / given.name, figures, "memory", lines)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
