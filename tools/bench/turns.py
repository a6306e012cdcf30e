"""One turn of one contender at one workload, by the kind of load that the workload asks for; a row for the record."""

from __future__ import annotations

import time

import load
import wrk
from exchanges import Workload
from plan import Plan
from processes import Server

EXCESS = 4
"""How many times what the closed loop reached an overload offers."""


def take(plan: Plan, workload: Workload, server: Server, number: int, cell: dict) -> dict:
    """The row of a turn; number 0 warms up."""
    if workload.load == "idle":
        return idle(plan, workload, server)
    if workload.load == "open" and number:
        return offered(plan, workload, server, cell)
    seconds = plan.seconds if number else plan.warm_up
    script = plan.folder / f"{workload.name}.lua"
    before, own, began = server.usage().cpu, load.used(), time.monotonic()
    try:
        got = wrk.run(workload, server.port, seconds, plan.generator_core, script)
    finally:
        script.unlink(missing_ok=True)
    cpu = (server.usage().cpu - before) / got.requests * 1000
    busy = (load.used() - own) / (time.monotonic() - began)
    if workload.load == "open":
        cell["capacity"] = got.rate
    row = {"rate": got.rate, "errors": got.errors, "requests": got.requests, "cpu_per_1000": cpu}
    return {**row, "generator_busy": round(busy, 3), "latency_ms": got.latency}


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


def idle(plan: Plan, workload: Workload, server: Server) -> dict:
    """Connections that have asked once and now ask nothing: what each of them takes."""
    began = server.usage().memory
    with load.held(server.port, workload.exchange(0).target, workload.connections, plan.generator_core) as told:
        memory = server.usage().memory - began
    latency = {name: told["latency_ms"].get(name, 0.0) for name in ("p50", "p99", "p99.9", "max")}
    return {
        "rate": told["opened"] / told["seconds"],
        "requests": told["opened"],
        "errors": told["broken"],
        "cpu_per_1000": 0.0,
        "generator_busy": told["busy"],
        "latency_ms": latency,
        "bytes_each": memory / max(told["opened"], 1),
    }
