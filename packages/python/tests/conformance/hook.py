"""Hooks and exception handlers of a case: functions of every kind, which take turns."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any

from spikard import Request, Response, Spikard

from . import script

PHASES = ("on_request", "pre_validation", "pre_handler", "on_error", "on_response")


def add_hooks(app: Spikard, spec: dict[str, Any], notes: list[str]) -> None:
    """The app's, by their decorators."""
    for place, hook in enumerate(spec.get("hooks", ())):
        getattr(app, hook["on"])(function(hook["script"], place), sync_to_thread=place % 3 != 2)
    for place, handler in enumerate(spec.get("recover", ())):
        app.exception_handler(handler["status"])(exception_handler(handler["script"], place, notes))


def options(route: dict[str, Any]) -> dict[str, Any]:
    """A route's own, as options."""
    found: dict[str, Any] = {}
    for place, hook in enumerate(route.get("hooks", ())):
        found.setdefault(hook["on"], []).append(function(hook["script"], place))
    return found


def function(words: dict[str, Any], place: int) -> Any:
    """`async def` where the place is a multiple of three, else `def`."""

    async def waits(given: Any) -> Any:
        told, seconds = without_sleep(words)
        await asyncio.sleep(seconds)
        return act(told, given)

    def blocks(given: Any) -> Any:
        told, seconds = without_sleep(words)
        time.sleep(seconds)
        return act(told, given)

    return blocks if place % 3 else waits


def without_sleep(words: dict[str, Any]) -> tuple[dict[str, Any], float]:
    """What is done after how many seconds."""
    if "sleep" in words:
        return words["sleep"]["then"], words["sleep"]["seconds"]
    return words, 0.0


def act(words: dict[str, Any], given: Request | Response) -> Any:
    """Does what the script says to the request or response."""
    [(word, about)] = words.items()
    if word == "short_circuit":
        return script.respond(**about)
    if word == "return":
        return (about["value"], about["status"]) if "status" in about else about["value"]
    if word == "raise":
        raise script.raised(about)
    if word == "mutate":
        change(given, **about)
        return given
    return None


def change(given: Any, headers: Any = (), append: Any = (), remove: Any = (), **further: Any) -> None:
    """The changes of `mutate`."""
    for name, value in headers:
        given.headers[name] = value
    for name, value in append:
        given.headers.add(name, value)
    for name in remove:
        given.headers.pop(name, None)
    if "query" in further:
        given.query_params.clear()
        for name, value in further["query"]:
            given.query_params.add(name, value)
    for name, value in further.get("state", {}).items():
        setattr(given.state, name, value)
    if "body" in further:
        given.set_body(json.dumps(further["body"]).encode())
    if "status" in further:
        given.status_code = further["status"]


def exception_handler(words: dict[str, Any], place: int, notes: list[str]) -> Any:
    """A handler of one status; it receives the error's status and what it says."""

    async def handle(request: Request, error: Exception) -> Any:
        received = {"status": getattr(error, "status_code", 500), "detail": getattr(error, "detail", None)}
        return await script.run(words, received, notes)

    def handle_on_a_thread(request: Request, error: Exception) -> Any:
        return asyncio.run(handle(request, error))

    return handle_on_a_thread if place % 2 else handle
