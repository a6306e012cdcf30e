"""Several processes behind one socket: their start, their roles, and what they need."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from spikard import Spikard

from .supervised import Start, children, pids
from .supervised import start as start

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there is no supervisor on Windows")


def test_workers_share_the_port_and_the_supervisor_says_so_once(start: Start) -> None:
    # covers config: workers
    program = start({"workers": 2})
    assert pids(program, 2) == children(program.process.pid)
    lines = program.errors.read_text().splitlines()
    assert len(lines) == 1
    assert re.fullmatch(r"Spikard \S+ on http://127\.0\.0\.1:\d+ with 2 workers \(Ctrl-C to stop\)", lines[0])


def test_an_overruled_variable_is_told(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPIKARD_WORKERS", "3")
    program = start({}, "app.run(workers=2)")
    assert "with 2 workers (Ctrl-C to stop; SPIKARD_WORKERS is overruled by an argument)" in program.errors.read_text()


NESTED = """
first = Spikard(port=0)
first.run(workers=1)
print("between", os.getpid(), flush=True)
app.run(workers=2)
print("after", flush=True)
"""


def test_a_worker_of_a_later_run_passes_the_earlier_ones(start: Start) -> None:
    program = start({}, NESTED)
    program.signal(signal.SIGTERM)
    told = [program.line()]
    program.port = program.wait_for_banner(2)
    workers = pids(program, 2)
    told += sorted([program.line(), program.line()])
    assert {f"between {one}" for one in {program.process.pid, *workers}} == set(told)
    program.signal(signal.SIGTERM)
    assert program.line() == "after"
    assert program.status() == 0


def test_run_may_be_called_again_with_workers(start: Start) -> None:
    program = start({"workers": 2}, "app.run()\nprint('again', flush=True)\napp.run()\nprint('over', flush=True)")
    program.signal(signal.SIGTERM)
    assert program.line() == "again"
    program.port = program.wait_for_banner(2)
    assert [program.line(), program.line()] == ["again", "again"], "the workers of the second call pass there too"
    program.signal(signal.SIGTERM)
    assert program.line() == "over"
    assert program.status() == 0


def test_the_first_answer_does_not_wait_for_all_workers(start: Start) -> None:
    def first_answer(workers: int) -> float:
        began = time.monotonic()
        program = start({"workers": workers})
        program.get("/")
        seconds = time.monotonic() - began
        program.signal(signal.SIGTERM)
        assert program.status() == 0
        return seconds

    alone, four = first_answer(1), first_answer(4)
    print(f"first answer after {alone:.3f} s alone, {four:.3f} s with 4 workers")
    assert four < alone + 3


def test_what_workers_need_is_said(tmp_path: Path) -> None:
    app = Spikard(port=0, workers=2)
    errors: list[BaseException] = []

    def run() -> None:
        try:
            app.run()
        except RuntimeError as error:
            errors.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert "need the main thread" in str(errors[0])
    program = "from spikard import Spikard\nSpikard(port=0).run(workers=2)\n"
    ended = subprocess.run(
        [sys.executable, "-"], input=program, capture_output=True, text=True, timeout=20, check=False
    )
    assert ended.returncode == 1
    assert "need a program that can be started again: a file or a module, no stdin or notebook" in ended.stderr


@pytest.mark.parametrize("config", [{"workers": 2}, {"reload": True}, {"max_requests": 5}])
def test_serve_is_one_process(config: dict[str, object]) -> None:
    with pytest.raises(RuntimeError, match=r"need run\(\): serve\(\) is one process"):
        asyncio.run(Spikard(port=0).serve(**config))  # type: ignore[arg-type]


def test_an_assignment_is_honoured_only_for_a_worker() -> None:
    program = "import os, spikard\nprint('SPIKARD_ASSIGNMENT' in os.environ, spikard._processes.assigned)\n"
    alive = f"{'0' * 32}:1:3:4:1.1"
    assignments = [(alive, 0), (alive.replace(":1:", ":999999999:"), 1)]
    if sys.platform == "linux":
        ended = subprocess.Popen(["true"])
        os.waitid(os.P_PID, ended.pid, os.WEXITED | os.WNOWAIT)  # and nobody waits for it until the end
        assignments.append((alive.replace(":1:", f":{ended.pid}:"), 1))
    for text, status in assignments:
        answered = subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "SPIKARD_ASSIGNMENT": text},
            capture_output=True,
            text=True,
            timeout=20,
            check=False,
        )
        assert answered.returncode == status
        assert answered.stdout == ("False None\n" if status == 0 else "")
    if sys.platform == "linux":
        ended.wait()
