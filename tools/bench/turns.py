"""One turn of one contender at one workload, by the kind of load that the workload asks for; a row for the record."""

from __future__ import annotations

import dataclasses
import time

import load
import surroundings
import wrk
from exchanges import CONNECTIONS, Workload
from plan import Plan
from processes import Server
from record import FOREIGN

ATTEMPTS = 3
EXCESS = 4
"""How many times what the closed loop reached an overload offers."""
PARTING = 0.5
"""Seconds that a server has to close the idle connections, which would otherwise fall into its next turn."""


def take(plan: Plan, workload: Workload, server: Server, number: int, cell: dict) -> dict:
    """The row of a turn; number 0 warms up. A turn during which others took much of the machine is taken again."""
    row: dict = {}
    for _ in range(ATTEMPTS if number else 1):
        began, before = time.monotonic(), surroundings.busy() - server.usage().cpu - load.used()
        row = taken(plan, workload, server, number, cell)
        others = surroundings.busy() - server.usage().cpu - load.used() - before
        row["foreign"] = round(max(others, 0.0) / (time.monotonic() - began), 3)
        if row["foreign"] <= FOREIGN:
            break
    return row


def taken(plan: Plan, workload: Workload, server: Server, number: int, cell: dict) -> dict:
    """The row of a turn as it comes."""
    seconds = plan.seconds if number else plan.warm_up
    if workload.load == "idle":
        row = idle(plan, workload, server, seconds)
        # Memory that was given back is used again: only the first connections of a server show what they take.
        cell.setdefault("bytes_each", row["bytes_each"])
    elif workload.load == "open" and number:
        row = offered(plan, workload, server, cell)
    elif workload.load == "open":
        row = closed(plan, dataclasses.replace(workload, connections=CONNECTIONS), server, plan.seconds)
        cell["capacity"] = row["rate"]
    elif workload.load == "bulk":
        row = bulk(plan, workload, server, seconds)
    else:
        row = closed(plan, workload, server, seconds)
    return row


def closed(plan: Plan, workload: Workload, server: Server, seconds: int) -> dict:
    """Connections that each wait for their answer before they ask again."""
    script = plan.folder / f"{workload.name}.lua"
    before, own, began = server.usage().cpu, load.used(), time.monotonic()
    try:
        got = wrk.run(workload, server.port, seconds, plan.generator_core, script)
    finally:
        script.unlink(missing_ok=True)
    cpu = (server.usage().cpu - before) / got.requests * 1000
    busy = (load.used() - own) / (time.monotonic() - began)
    row = {"rate": got.rate, "errors": got.errors, "requests": got.requests, "cpu_per_1000": cpu}
    return {**row, "generator_busy": round(busy, 3), "latency_ms": got.latency}


def bulk(plan: Plan, workload: Workload, server: Server, seconds: int) -> dict:
    """The same, of answers so long that how they are read decides when they are there."""
    before = server.usage().cpu
    target = workload.exchange(0).target
    told = load.bulk(server.port, target, seconds, workload.connections, plan.generator_core)
    served = told["statuses"].get("200", 0)
    if not served:
        raise wrk.Failed("not one answer")
    return {
        "rate": served / told["seconds"],
        "requests": served,
        "errors": told["broken"] + sum(told["statuses"].values()) - served,
        "cpu_per_1000": (server.usage().cpu - before) / served * 1000,
        "generator_busy": told["busy"],
        "latency_ms": told["latency_ms"],
    }


def offered(plan: Plan, workload: Workload, server: Server, cell: dict) -> dict:
    """More than can be served: the rate of those that were, their latency from the moment when they were due, and the
    share of those that were refused in the way that asks to come again.
    """
    before = server.usage().cpu
    target = workload.exchange(0).target
    rate = EXCESS * cell["capacity"]
    told = load.opened(server.port, target, rate, plan.seconds, workload.connections, plan.generator_core)
    served = told["statuses"].get("200", 0)
    others = sum(count for status, count in told["statuses"].items() if status not in ("200", "503"))
    refused = told["statuses"].get("503", 0)
    return {
        "rate": served / told["seconds"],
        "requests": served,
        "errors": told["broken"] + others + refused - told["retry_after"],
        "cpu_per_1000": (server.usage().cpu - before) / served * 1000 if served else 0.0,
        "generator_busy": told["busy"],
        "latency_ms": told["latency_ms"],
        "offered": told["offered"],
        "unsent": told["unsent"],
        "refused": refused,
        "retry_after": told["retry_after"],
        "goodput": served / told["seconds"] / cell["capacity"],
    }


def idle(plan: Plan, workload: Workload, server: Server, seconds: int) -> dict:
    """Connections that have asked once and now ask nothing: what each of them takes, and what the others feel of them."""
    active = dataclasses.replace(workload, connections=CONNECTIONS)
    alone = closed(plan, active, server, seconds)
    began = server.usage().memory
    with load.held(server.port, workload.exchange(0).target, workload.connections, plan.generator_core) as told:
        memory = server.usage().memory - began
        if told["broken"] > workload.connections // 100:
            raise wrk.Failed(f"holds {told['opened']:,} of {workload.connections:,} connections")
        beside = closed(plan, active, server, seconds)
    time.sleep(PARTING)
    errors = alone["errors"] + beside["errors"] + told["broken"]
    return {
        **beside,
        "errors": errors,
        "opened": told["opened"],
        "bytes_each": memory / max(told["opened"], 1),
        "alone": {"rate": alone["rate"], **alone["latency_ms"]},
    }
