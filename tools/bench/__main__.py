"""Measures web frameworks side by side: `python3 tools/bench --contenders spikard-python,robyn --workloads json-small
--rounds 5`, and `python3 tools/bench --report [FOLDER]` renders a run again. See README.md for what a number means.
"""

from __future__ import annotations

import argparse
import contextlib
import datetime
import json
import shutil
import signal
import sys
from pathlib import Path

import npm

import congestion
import contenders
import curves
import database
import load
import page
import plots
import rounds
import surroundings
import table
import workloads
from plan import Plan
from record import FILE, Record, beside
from sets import chosen, options

UNFINISHED = 3


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
    if contender.is_node:
        return {"node": surroundings.said("node", "--version"), **npm.versions(contender.home)}
    return surroundings.versions(contender.python)


def planned(given: argparse.Namespace) -> Plan:
    """What the options ask for."""
    known = contenders.names(given.group)
    wanted = [contenders.load(name) for name in chosen(given.contenders, known)]
    if given.base and given.base not in {one.name for one in wanted}:
        raise SystemExit(f"the base {given.base} is not among the contenders of this run")
    points = {name: [one.name for one in curve] for name, curve in workloads.points().items()}
    points["workers"] = [f"workers-{count}" for count in given.workers.split(",")]
    asked = workloads.named(chosen(given.workloads, [one.name for one in workloads.ALL], points))
    name = given.name or datetime.datetime.now(datetime.timezone.utc).strftime("%Y%m%d-%H%M%S")
    return Plan(wanted, asked, given.rounds, given.seconds, given.warm_up, surroundings.RESULTS / name)


def head(plan: Plan, base: str | None, failed: dict[str, str]) -> dict:
    """What stands before the results of a run."""
    names = [one.name for one in plan.contenders]
    settings = {
        **{name: getattr(plan, name) for name in ("rounds", "seconds", "warm_up", "generator_core")},
        "server_cores": plan.server_cores(),
        "base": base or ("raw-hyper" if "raw-hyper" in names else names[0]),
        "contenders": {one.name: one.title for one in plan.contenders},
        "notes": {one.name: one.note for one in plan.contenders if one.note},
        "only": {one.name: one.only for one in plan.contenders if one.only},
        "groups": {one.name: one.group for one in plan.contenders},
        "workloads": {
            one.name: {
                "title": one.title,
                "connections": one.connections,
                "load": one.load,
                "axis": one.axis,
                "at": one.at,
            }
            for one in plan.workloads
        },
        "later": workloads.LATER,
    }
    began = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC")
    versions = {one.name: versions_of(one) for one in plan.contenders if one.name not in failed}
    return {"began": began, "machine": surroundings.machine(), "settings": settings, "versions": versions}


def measure(given: argparse.Namespace, plan: Plan) -> bool:
    """Runs the measurement and answers whether nothing of it is left."""
    if not shutil.which("wrk") or not shutil.which("taskset"):
        raise SystemExit("missing: wrk and taskset (Debian, Ubuntu: apt-get install wrk util-linux)")
    load.room()
    if any(one.load != "closed" for one in plan.workloads):
        load.build()
    failed = install(plan.contenders, given.wheel)
    if given.prepare:
        return not failed
    plan.folder.mkdir(parents=True, exist_ok=True)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended by SIGTERM"))
    with congestion.usual(), contextlib.ExitStack() as stack:
        record = Record(plan.folder, head(plan, given.base, failed), given.again)
        record.servers |= {name: {"failed": why} for name, why in failed.items()}
        if any(one.database for one in plan.workloads):
            plan = stack.enter_context(database.behind(plan))
        return rounds.Run(plan, record, given.part).all()


def report(folder: Path, base: str | None) -> dict:
    """Writes the tables and the pictures of a run, and prints the tables. `base` replaces the run's own."""
    run = {**json.loads((folder / FILE).read_text()), "beside": beside(folder)}
    if base and base not in run["settings"]["contenders"]:
        raise SystemExit(f"{base} is not in this run; there are {', '.join(run['settings']['contenders'])}")
    run["settings"]["base"] = base or run["settings"]["base"]
    document = table.render(run)
    (folder / "report.md").write_text(document)
    for workload in run["settings"]["workloads"]:
        (folder / f"{workload}.svg").write_text(plots.bars(run, workload))
    for axis, picture in curves.curves(run).items():
        (folder / f"curve-{axis}.svg").write_text(picture)
    print(f"\n{document}\n{folder}")
    return run


def last_run() -> Path:
    """The newest folder of results."""
    runs = sorted(surroundings.RESULTS.glob(f"*/{FILE}"), key=lambda path: path.stat().st_mtime)
    if not runs:
        raise SystemExit("there is no run in results/ yet: task bench")
    return runs[-1].parent


def listed() -> None:
    """Prints every name that an option takes."""
    print("contenders:", *contenders.names(), "workloads:", *(one.name for one in workloads.ALL), sep="\n  ")
    print(
        "curves:",
        *(f"{name} ({', '.join(str(one.at) for one in c)})" for name, c in workloads.points().items()),
        sep="\n  ",
    )
    print("not there yet:", *(f"{name}: {why}" for name, why in workloads.LATER.items()), sep="\n  ")


def main(arguments: list[str]) -> int:
    """Answers 1 if a contender or a cell failed, 3 if a part of the run is left."""
    given = options(arguments, (__doc__ or "").splitlines()[0])
    if given.list:
        listed()
        return 0
    if given.report is None:
        plan = planned(given)
        print(plan.told(), file=sys.stderr, flush=True)
        if given.plan:
            return 0
        whole = measure(given, plan)
        if given.prepare:
            return int(not whole)
        if not whole:
            print(f"not complete: begin again with --name {plan.folder.name}", file=sys.stderr, flush=True)
            return UNFINISHED
        folders = [plan.folder]
    else:
        folders = [Path(one) for one in given.report] or [last_run()]
    runs = [report(folder, given.base) for folder in folders]
    if given.docs:
        page.write(runs, given.docs)
    failed = ["failed" in server for run in runs for server in run["servers"].values()]
    failed += ["failed" in cell for run in runs for cells in run["cells"].values() for cell in cells.values()]
    return int(any(failed))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
