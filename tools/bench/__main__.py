"""Measures web frameworks side by side: `python3 tools/bench --contenders spikard-python,robyn --workloads json-small
--rounds 5`, and `python3 tools/bench --report [FOLDER]` renders a run again. See README.md for what a number means.
"""

from __future__ import annotations

import argparse
import datetime
import json
import shutil
import sys
from pathlib import Path

import contenders
import plots
import rounds
import surroundings
import table
import workloads

QUICK = {
    "contenders": "spikard-python,granian-rsgi,fastapi-uvicorn,raw-hyper",
    "workloads": "json-hello,json-small,path-int,sleep-0",
    "rounds": 3,
    "seconds": 2,
    "warm_up": 1,
}
FULL = {"contenders": "all", "workloads": "all", "rounds": 5, "seconds": 5, "warm_up": 2}


def options(arguments: list[str]) -> argparse.Namespace:
    """Reads the command line; what is not given comes from the quick or the full set."""
    parser = argparse.ArgumentParser(prog="tools/bench", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--contenders", help="names with commas between them, or `all`")
    parser.add_argument("--workloads", help="names with commas between them, or `all`")
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--seconds", type=int, help="of each turn")
    parser.add_argument("--warm-up", type=int, help="seconds before the first turn")
    parser.add_argument("--base", help="what the ratios are to; raw-hyper, else the first contender")
    parser.add_argument("--quick", action="store_true", help="few contenders and workloads, short rounds")
    parser.add_argument("--wheel", type=Path, help="a wheel of ours, instead of building one")
    parser.add_argument("--name", help="of the run's folder in results/")
    parser.add_argument("--list", action="store_true", help="name the contenders and the workloads")
    parser.add_argument("--report", nargs="?", const="", metavar="FOLDER", help="render a run again, else the last one")
    given = parser.parse_args(arguments)
    for name, value in (QUICK if given.quick else FULL).items():
        if getattr(given, name) is None:
            setattr(given, name, value)
    return given


def chosen(names: str, known: list[str]) -> list[str]:
    """The names that were asked for."""
    return known if names == "all" else [name for name in names.split(",") if name]


def install(wanted: list[contenders.Contender], wheel: Path | None) -> dict[str, str]:
    """Installs every contender; answers those that could not be, each with the reason."""
    failed = {}
    for contender in wanted:
        print(f"installing {contender.name}", file=sys.stderr, flush=True)
        try:
            contenders.prepare(contender, wheel)
        except contenders.Unavailable as reason:
            failed[contender.name] = f"cannot be installed: {reason}"
            print(failed[contender.name], file=sys.stderr, flush=True)
    return failed


def versions_of(contender: contenders.Contender) -> dict[str, str]:
    """The versions that the contender runs with."""
    if contender.is_crate:
        return surroundings.locked((contender.folder / "Cargo.lock").read_text())
    return surroundings.versions(contender.python)


def measure(given: argparse.Namespace) -> Path:
    """Runs the whole measurement and answers its folder."""
    if not shutil.which("wrk") or not shutil.which("taskset"):
        raise SystemExit("missing: wrk and taskset (Debian, Ubuntu: apt-get install wrk util-linux)")
    wanted = [contenders.load(name) for name in chosen(given.contenders, contenders.names())]
    if given.base and given.base not in {one.name for one in wanted}:
        raise SystemExit(f"the base {given.base} is not among the contenders of this run")
    asked = workloads.named(chosen(given.workloads, [workload.name for workload in workloads.ALL]))
    machine = surroundings.machine()
    failed = install(wanted, given.wheel)
    server_core, generator_core = surroundings.cores()
    began = datetime.datetime.now(datetime.timezone.utc)
    folder = surroundings.RESULTS / (given.name or began.strftime("%Y%m%d-%H%M%S"))
    folder.mkdir(parents=True, exist_ok=True)
    plan = rounds.Plan(wanted, asked, given.rounds, given.seconds, given.warm_up, server_core, generator_core, folder)
    base = given.base or ("raw-hyper" if any(one.name == "raw-hyper" for one in wanted) else wanted[0].name)
    settings = {
        **{name: getattr(plan, name) for name in ("rounds", "seconds", "warm_up", "server_core", "generator_core")},
        "base": base,
        "contenders": {one.name: one.title for one in wanted},
        "notes": {one.name: one.note for one in wanted if one.note},
        "workloads": {one.name: f"{one.title}; {one.connections} connections" for one in asked},
    }
    versions = {one.name: versions_of(one) for one in wanted if one.name not in failed}
    head = {"began": began.strftime("%Y-%m-%d %H:%M UTC"), "machine": machine, "settings": settings}

    def keep() -> None:
        kept = {**head, "versions": versions, "servers": run.servers, "cells": run.cells}
        (folder / "results.json").write_text(json.dumps(kept, indent=1))

    run = rounds.Run(plan, failed, keep)
    run.all()
    return folder


def report(folder: Path, base: str | None) -> None:
    """Writes the tables and the pictures of a run, and prints the tables. `base` replaces the run's own."""
    run = json.loads((folder / "results.json").read_text())
    if base and base not in run["settings"]["contenders"]:
        raise SystemExit(f"{base} is not in this run; there are {', '.join(run['settings']['contenders'])}")
    run["settings"]["base"] = base or run["settings"]["base"]
    document = table.render(run)
    (folder / "report.md").write_text(document)
    for workload in run["settings"]["workloads"]:
        (folder / f"{workload}.svg").write_text(plots.bars(run, workload))
    print(f"\n{document}\n{folder}")


def last_run() -> Path:
    """The newest folder of results."""
    runs = sorted(surroundings.RESULTS.glob("*/results.json"), key=lambda path: path.stat().st_mtime)
    if not runs:
        raise SystemExit("there is no run in results/ yet: task bench")
    return runs[-1].parent


def main(arguments: list[str]) -> int:
    """Answers 1 if a contender or a cell failed."""
    given = options(arguments)
    if given.list:
        print("contenders:", *contenders.names(), "workloads:", *(one.name for one in workloads.ALL), sep="\n  ")
        return 0
    folder = (Path(given.report) if given.report else last_run()) if given.report is not None else measure(given)
    report(folder, given.base)
    run = json.loads((folder / "results.json").read_text())
    failed = ["failed" in server for server in run["servers"].values()]
    failed += ["failed" in cell for cells in run["cells"].values() for cell in cells.values()]
    return int(any(failed))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
