"""Which contenders and workloads are measured together, and how long: the prepared plans and the options over them."""

from __future__ import annotations

import argparse
import dataclasses
from pathlib import Path


@dataclasses.dataclass(frozen=True)
class Set:
    """A prepared plan; every part of it can be replaced by an option."""

    contenders: str
    workloads: str
    rounds: int
    seconds: int
    warm_up: int
    group: str = "python"
    """The field of which `all` are meant."""


MOST = (
    "json-small,json-medium,json-large,json-very-large,urlencoded-simple,invalid-body,plaintext,json-hello,path-int,"
    "path-multiple,query-many,sync-handler,sleep-0,sleep-10ms"
)
FEATURES = (
    "with-hooks,with-dependencies,background,stream,file,msgpack,multipart-small,multipart-medium,multipart-large,"
    "overload,connections-5000"
)
NODE = (
    "json-small,json-medium,json-large,json-very-large,urlencoded-simple,invalid-body,plaintext,json-hello,path-simple,"
    "path-int,path-multiple,query-few,query-many,sleep-0,sleep-10ms"
)
VALIDATED = (
    "json-small,json-medium,json-large,json-very-large,urlencoded-simple,urlencoded-complex,invalid-body,path-int,"
    "path-multiple,query-few,query-medium,query-many"
)
SETS = {
    "full": Set("all", "all", 5, 5, 2),
    "quick": Set(
        "spikard-python,granian-rsgi,fastapi-uvicorn,raw-hyper", "json-hello,json-small,path-int,sleep-0", 3, 1, 1
    ),
    "headline": Set("all", MOST, 3, 2, 1),
    "paired": Set("spikard-python,raw-hyper,granian-rsgi", "json-hello,json-small,sleep-0", 9, 2, 1),
    "features": Set("all", FEATURES, 3, 2, 1),
    "curves": Set(
        "spikard-python,granian-rsgi,fastapi-uvicorn,raw-hyper,msgspec-floor",
        "connections,workers,body,routes",
        3,
        2,
        1,
    ),
    "node": Set("all", NODE, 5, 2, 1, "node"),
    "node-validated": Set("spikard-node,fastify,hono", VALIDATED, 9, 2, 1, "node"),
}


def options(arguments: list[str], about: str) -> argparse.Namespace:
    """Reads the command line; what is not given comes from the set."""
    parser = argparse.ArgumentParser(prog="tools/bench", description=about)
    parser.add_argument("--set", choices=SETS, default="full", help="a prepared plan; the options below go over it")
    parser.add_argument(
        "--contenders", help="names with commas between them, or `all` of the field; -NAME leaves one out"
    )
    parser.add_argument("--workloads", help="names with commas between them, names of curves too, or `all`; -NAME too")
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--seconds", type=int, help="of each turn")
    parser.add_argument("--warm-up", type=int, help="seconds before the first turn")
    parser.add_argument("--workers", default="1,2", help="points of the curve `workers`")
    parser.add_argument("--base", help="what the ratios are to; raw-hyper, else the first contender")
    parser.add_argument("--wheel", type=Path, help="a wheel of ours, instead of building one")
    parser.add_argument("--name", help="of the run's folder in results/; a run that is there goes on where it was")
    parser.add_argument(
        "--part", type=float, default=0, metavar="SECONDS", help="end after that long, at the end of a round"
    )
    parser.add_argument(
        "--again",
        action="store_true",
        help="of a run that is there, take again what failed, and rounds that others disturbed",
    )
    parser.add_argument("--prepare", action="store_true", help="install and build what the run needs, and end")
    parser.add_argument("--plan", action="store_true", help="tell what would be done, and how long it takes")
    parser.add_argument("--list", action="store_true", help="name the contenders, the workloads and the curves")
    parser.add_argument("--report", nargs="*", metavar="FOLDER", help="render runs again, else the last one")
    parser.add_argument(
        "--docs", type=Path, metavar="FILE", help="with --report: write the page of the documentation too"
    )
    given = parser.parse_args(arguments)
    for field in dataclasses.fields(Set):
        if getattr(given, field.name, None) is None:
            setattr(given, field.name, getattr(SETS[given.set], field.name))
    return given


def chosen(asked: str, known: list[str], groups: dict[str, list[str]] | None = None) -> list[str]:
    """The names that were asked for: `all` and the names of groups stand for theirs, -NAME takes one out."""
    given = [name for name in asked.split(",") if name]
    left_out = {name[1:] for name in given if name.startswith("-")}
    wanted = [name for name in given if not name.startswith("-")] or ["all"]
    found = [one for name in wanted for one in (known if name == "all" else (groups or {}).get(name, [name]))]
    return [name for name in dict.fromkeys(found) if name not in left_out]
