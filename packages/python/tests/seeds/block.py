"""One snippet, run in a namespace of its own that has what the snippet leaves undefined."""

from __future__ import annotations

import asyncio
import inspect
import signal
import subprocess
import sys
import time
import types
import urllib.request
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
from spikard import Response, Spikard, TestClient

FOLDER = Path(__file__).parents[4] / "testing_data" / "seed_blocks"
NAMES = sorted(path.stem for path in FOLDER.glob("*.py"))


class User(msgspec.Struct):
    """The user that several snippets name without defining it."""

    name: str
    email: str


@contextmanager
def executed(*names: str) -> Iterator[dict[str, Any]]:
    """The namespace after these snippets have run in it, one after another."""
    module = types.ModuleType("seed_block")
    given = {"app": Spikard(), "User": User, "create_pool": object, "Response": Response}
    module.__dict__.update(given)
    sys.modules["seed_block"] = module
    try:
        for name in names:
            path = FOLDER / f"{name}.py"
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # marks of plugins that are not loaded here
                exec(compile(path.read_text(encoding="utf-8"), str(path), "exec"), module.__dict__)
        yield module.__dict__
    finally:
        del sys.modules["seed_block"]


@contextmanager
def served(*names: str) -> Iterator[TestClient]:
    """A client of the app that the snippets leave behind."""
    with executed(*names) as namespace, TestClient(namespace["app"]) as client:
        yield client


def run_test(test_block: str, function: str, app_block: str) -> None:
    """Runs a snippet's own test on the app of another snippet."""
    with executed(app_block, test_block) as namespace:
        test = namespace[function]
        needs_client = "client" in inspect.signature(test).parameters
        asyncio.run(test(TestClient(namespace["app"])) if needs_client else test())


# A program in the background may ignore Ctrl-C from its birth; one in a terminal does not.
_PROGRAM = """
import runpy, signal, sys
from spikard import Spikard
signal.signal(signal.SIGINT, signal.default_int_handler)  # a job in the background would ignore it
app = Spikard()
@app.get("/ready")
async def ready(): return "ready"
runpy.run_path(sys.argv[1], {"app": app}, run_name="__main__")
"""


def answered_by_the_program(name: str, url: str, patience: float = 60) -> str:
    """Runs a snippet as a program, asks its server once, ends it as Ctrl-C does, and answers what came. The ports of
    the snippets are their own: another program may have one for a while.
    """
    until = time.monotonic() + patience
    with subprocess.Popen(
        [sys.executable, "-c", _PROGRAM, str(FOLDER / f"{name}.py")], stderr=subprocess.PIPE
    ) as program:
        try:
            assert program.stderr is not None
            banner = program.stderr.readline()
            if b"http://" not in banner:
                banner += program.communicate(timeout=10)[1]
                assert b"address already in use" in banner, banner
                assert patience > 0, "the port of the snippet is never free"
                time.sleep(0.5)
                return answered_by_the_program(name, url, until - time.monotonic())
            with urllib.request.urlopen(url, timeout=5) as response:
                text: str = response.read().decode()
            begun = time.monotonic()
            program.send_signal(signal.SIGINT)
            program.communicate(timeout=10)
            assert time.monotonic() - begun < 10
        finally:
            program.kill()
    return text


_ANYWHERE = """
import sys, runpy
from spikard import ServerConfig, Spikard
run = Spikard.run
Spikard.run = lambda self, **given: run(self, **{**given, "host": "127.0.0.1", "port": 0})
app = Spikard()
left = runpy.run_path(sys.argv[1], {"app": app, "ServerConfig": ServerConfig}, run_name="__main__")
if left["app"] is not app:
    left["app"].run()
"""


def banners_of_the_program(name: str, count: int) -> list[str]:
    """Runs a snippet as a program, on any port, and ends each of its servers as Ctrl-C does. What they say."""
    command = [sys.executable, "-c", _ANYWHERE, str(FOLDER / f"{name}.py")]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as program:
        try:
            assert program.stderr is not None
            banners = []
            for _ in range(count):
                banners.append(program.stderr.readline())
                program.send_signal(signal.SIGINT)
            _, rest = program.communicate(timeout=30)
            assert (program.returncode, rest) == (0, "")
        finally:
            program.kill()
    return banners
