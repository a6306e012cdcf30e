"""What `run()` tells the garbage collector, and that it takes it back."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

PROGRAM = """
import gc, json, sys, threading, urllib.request
from spikard import Spikard

{first}
app = Spikard(port=0)

@app.get("/")
async def seen() -> dict[str, object]:
    return {{"frozen": gc.get_freeze_count(), "threshold": gc.get_threshold()}}

def ask(place: str) -> None:
    with urllib.request.urlopen(place) as answer:
        print(answer.read().decode(), flush=True)
    import os, signal
    os.kill(os.getpid(), signal.SIGINT)

import spikard._worker as worker
from spikard import _processes

def told(line: str) -> None:
    if " on http" in line:
        threading.Thread(target=ask, args=[line.split(" on ")[1].split()[0]]).start()

_processes.tell = told
app.run()
print(json.dumps({{"frozen": gc.get_freeze_count(), "threshold": gc.get_threshold()}}))
"""


def run(first: str = "") -> tuple[dict[str, Any], dict[str, Any], list[int]]:
    """What the collector is told while the app serves, and afterwards; and what it has of the program."""
    told = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(first=first)], capture_output=True, text=True, timeout=60, check=True
    )
    while_serving, afterwards = told.stdout.splitlines()
    usual = subprocess.run(
        [sys.executable, "-c", f"import gc, json; {first or 'pass'}; print(json.dumps(gc.get_threshold()))"],
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(while_serving), json.loads(afterwards), json.loads(usual.stdout)


def test_what_the_start_up_has_made_is_set_apart_while_the_server_listens() -> None:
    while_serving, afterwards, usual = run()
    assert while_serving["frozen"] > 10_000
    assert while_serving["threshold"] == [10_000, *usual[1:]]
    assert afterwards == {"frozen": 0, "threshold": usual}


@pytest.mark.parametrize("threshold", [[300, 10, 10], [50_000, 20, 20]])
def test_a_threshold_of_the_programs_own_holds(threshold: list[int]) -> None:
    while_serving, afterwards, own = run(f"gc.set_threshold(*{threshold})")
    assert own[:2] == threshold[:2]
    assert while_serving["threshold"] == afterwards["threshold"] == own
