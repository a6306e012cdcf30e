"""How several processes end: drained, cut off, killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from .supervised import Start, check_drain, children, is_gone, pids, until
from .supervised import start as start
from .test_server import rest

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there is no supervisor on Windows")


def test_a_signal_under_load_finishes_what_is_in_flight(start: Start) -> None:
    program = start({"workers": 2})
    pids(program, 2)
    check_drain(program)


def test_ctrl_c_twice_ends_at_once(start: Start) -> None:
    program = start({"workers": 2})
    pids(program, 2)
    with program.begin("/forever"):
        everybody = [program.process.pid, *children(program.process.pid)]
        began = time.monotonic()
        for _ in range(2):
            for process in filter(lambda one: not is_gone(one), everybody):  # as a terminal does
                os.kill(process, signal.SIGINT)
            time.sleep(0.3)
        assert program.status() == 1
        print(f"ended {time.monotonic() - began:.1f} s after the first Ctrl-C")
        assert all(map(is_gone, everybody[1:]))
    assert "Traceback" not in program.errors.read_text()


def test_ctrl_c_in_a_terminal_reaches_all_and_drains_once(start: Start) -> None:
    program = start({"workers": 2})
    pids(program, 2)
    slow = program.begin("/slow")
    for process in [program.process.pid, *children(program.process.pid)]:
        os.kill(process, signal.SIGINT)
    assert rest(slow).endswith(b"slow")
    assert program.status() == 0
    assert "Traceback" not in program.errors.read_text()


SLOW_TO_IMPORT = """
import os, time
if "SPIKARD_ASSIGNMENT" in os.environ:
    print(os.getpid(), flush=True)
    time.sleep(1000)
from spikard import Spikard
Spikard(port=0).run(CONFIG)
"""


@pytest.mark.parametrize("config", ["workers=2", "reload=True"])
def test_ctrl_c_ends_a_worker_that_still_imports_without_a_traceback(tmp_path: Path, config: str) -> None:
    if config == "reload=True":
        pytest.importorskip("watchfiles")
    file = tmp_path / "program.py"
    file.write_text(SLOW_TO_IMPORT.replace("CONFIG", config))
    with subprocess.Popen([sys.executable, str(file)], stdout=-1, stderr=-1, text=True) as program:
        assert program.stdout is not None
        for process in (int(program.stdout.readline()), program.pid):  # as a terminal does
            os.kill(process, signal.SIGINT)
        told = program.communicate(timeout=20)
    assert (told, program.returncode) == (("", ""), 0)


LAST = """
class Last:
    def __del__(self, write=os.write, sleep=time.sleep) -> None:
        write(1, b"last\\n")
        sleep(0.3)

last = Last()
app.run()
"""


@pytest.mark.parametrize("name", ["SIGINT", "SIGHUP", "SIGTERM"])
def test_a_signal_to_a_worker_whose_interpreter_ends_changes_nothing(start: Start, name: str) -> None:
    program = start({"workers": 2}, LAST)
    workers = pids(program, 2)
    program.signal(signal.SIGTERM)
    for _ in workers:
        assert program.line() == "last"
    for worker in workers:
        os.kill(worker, signal.Signals[name])
    assert program.status() == 0


@pytest.mark.parametrize("path", ["/forever", "/forever-def"])
def test_a_second_signal_cuts_off(start: Start, path: str) -> None:
    program = start({"workers": 2})
    with program.begin(path):
        workers = children(program.process.pid)
        program.signal(signal.SIGTERM)
        time.sleep(0.3)
        assert program.process.poll() is None
        program.signal(signal.SIGTERM)
        assert program.status() == 1
        assert all(map(is_gone, workers))
        told = program.errors.read_text()
        assert "given up at the second signal" in told
        assert "given up after" not in told


def test_what_does_not_end_in_time_makes_the_status_1(start: Start) -> None:
    program = start({"workers": 2, "shutdown_timeout": 0.2})
    with program.begin("/forever"):
        program.signal(signal.SIGTERM)
        assert program.status() == 1


def test_no_worker_outlives_its_supervisor(start: Start) -> None:
    program = start({"workers": 2})
    workers = pids(program, 2)
    program.process.kill()
    until(lambda: all(map(is_gone, workers)))
    with pytest.raises(OSError, match="refused"):
        program.get("/")


STARTS_LAST = """
import atexit, subprocess

def last() -> None:
    child = subprocess.Popen([sys.executable, "-c", "print('up', flush=True); input()"], stdin=-1, stdout=-1)
    child.stdout.readline()
    child.terminate()
    print("ended by", child.wait(), flush=True)

atexit.register(last)
app.run()
"""


def test_what_a_worker_starts_while_it_ends_can_be_ended(start: Start) -> None:
    program = start({"workers": 2}, STARTS_LAST)
    pids(program, 2)
    program.signal(signal.SIGTERM)
    assert program.process.stdout is not None
    said = program.process.stdout.read().split("\n")
    assert (program.status(), said) == (0, [f"ended by -{signal.SIGTERM:d}"] * 3 + [""])
