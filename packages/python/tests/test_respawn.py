"""Workers that are replaced: killed, old, asked to by SIGHUP or by a change of the code; and what a client sees of it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from .supervised import AS_PROCESSES, Start, children, is_gone, load, pid, pids, until
from .supervised import start as start
from .test_server import APP

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there is no supervisor on Windows")


def test_a_worker_that_is_killed_takes_only_its_own_requests_with_it(start: Start) -> None:
    program = start({"workers": 2})
    before = pids(program, 2)
    with load(program) as clients:
        os.kill(min(before), signal.SIGKILL)
        (new,) = pids(program, 1, frozenset(before))
        answered = clients.answered
        until(lambda: clients.answered > answered + 100)
    assert clients.refused == 0
    assert clients.broken <= 8
    assert children(program.process.pid) == {max(before), new}
    assert f"worker {min(before)} was ended by signal 9, another is started" in program.errors.read_text()


def test_sighup_replaces_all_workers_and_loses_no_request(start: Start) -> None:
    program = start({"workers": 2})
    before = pids(program, 2)
    with load(program) as clients:
        program.signal(signal.SIGHUP)
        until(lambda: all(map(is_gone, before)))
    assert (clients.refused, clients.broken) == (0, 0)
    until(lambda: len(children(program.process.pid)) == 2)


def test_a_worker_that_cannot_start_ends_the_program() -> None:
    program = (
        "from spikard import Spikard, _processes\napp = Spikard(port=0, workers=2)\n"
        "if _processes.assigned:\n    raise SystemExit(3)\napp.run()"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=20, check=False)
    assert ended.returncode == 1
    assert re.fullmatch(r"Spikard: worker \d+ ended with status 3 before it was ready: given up\n", ended.stderr)


FAILS_LATER = """
from pathlib import Path
from spikard import _processes

if _processes.assigned and Path("broken").exists():
    sys.exit(3)
app.run()
"""


def test_workers_that_are_well_outlive_a_program_that_does_not_start(
    start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    program = start({"workers": 2}, FAILS_LATER)
    pids(program, 2)
    (tmp_path / "broken").touch()
    program.signal(signal.SIGHUP)
    until(lambda: "the workers that serve are kept" in program.errors.read_text())
    assert program.get("/")[0] == 200
    (killed, kept) = sorted(children(program.process.pid))
    os.kill(killed, signal.SIGKILL)
    # Six tries were its end once, though one worker served.
    until(lambda: program.errors.read_text().count("before it was ready, another is started in") >= 7, 120)
    assert "ready, another is started in 5 s" in program.errors.read_text()
    assert pid(program) == kept
    (tmp_path / "broken").unlink()
    assert len(pids(program, 2)) == 2


def test_a_crash_loop_ends_with_its_reason_where_nobody_serves(
    start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    program = start({"workers": 2}, FAILS_LATER)
    pids(program, 2)
    (tmp_path / "broken").touch()
    began = time.monotonic()
    for worker in children(program.process.pid):
        os.kill(worker, signal.SIGKILL)
    assert program.process.wait(120) == 1
    told = program.errors.read_text()
    assert re.search(r"worker \d+ ended with status 3 before it was ready, \d times in a row: given up\n$", told)
    print(f"given up after {time.monotonic() - began:.1f} s")


def test_a_supervisor_outlives_whoever_read_what_it_says(tmp_path: Path) -> None:
    file = tmp_path / "program.py"
    file.write_text(APP.format(config={"workers": 2}) + AS_PROCESSES + "app.run()\n")
    process = subprocess.Popen([sys.executable, str(file)], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    assert process.stderr is not None
    assert b"with 2 workers" in process.stderr.readline()
    process.stderr.close()
    until(lambda: len(children(process.pid)) == 2)
    before = frozenset(children(process.pid))
    os.kill(min(before), signal.SIGKILL)
    until(lambda: len(children(process.pid) - before) == 1 and len(children(process.pid)) == 2)
    process.terminate()
    assert process.wait(20) == 0


@pytest.mark.parametrize(
    "bound",
    [{"max_requests": 200}, {"max_worker_age": 0.5}, {"max_worker_rss": 1 << 20}],
    ids=["requests", "age", "memory"],
)
def test_a_worker_that_has_had_its_time_is_replaced_and_no_request_is_lost(
    start: Start, bound: dict[str, object]
) -> None:
    # covers config: max_requests, max_worker_age, max_worker_rss
    if "max_worker_rss" in bound and sys.platform != "linux":
        pytest.skip("only Linux tells the memory")
    program = start({**bound, "workers": 1})
    before = pid(program)
    with load(program) as clients:
        until(lambda: is_gone(before))
    assert (clients.refused, clients.broken) == (0, 0)
    assert "Spikard: " not in program.errors.read_text()


HANGS_LATER = """
from pathlib import Path
from spikard import _processes

if _processes.assigned and Path("hangs").exists():
    print("hangs", flush=True)
    threading.Event().wait()
app.run()
"""


def test_a_start_that_does_not_end_makes_way_for_the_next(
    start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    program = start({"workers": 2}, HANGS_LATER)
    before = pids(program, 2)
    (tmp_path / "hangs").touch()
    program.signal(signal.SIGHUP)
    assert program.line() == "hangs"
    (tmp_path / "hangs").unlink()
    program.signal(signal.SIGHUP)
    until(lambda: all(map(is_gone, before)))
    until(lambda: len(children(program.process.pid)) == 2)
    assert "worker" not in program.errors.read_text().partition("\n")[2]


def test_reload_without_watchfiles_is_one_line(tmp_path: Path) -> None:
    file = tmp_path / "main.py"
    file.write_text(
        "import sys\nsys.modules['watchfiles'] = None\nfrom spikard import Spikard\nSpikard(port=0).run()\n"
    )
    environment = {**os.environ, "SPIKARD_RELOAD": "1"}
    command = [sys.executable, str(file)]
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=30, check=False)
    told = "Spikard: reload needs the package watchfiles: pip install watchfiles\n"
    assert (ended.returncode, ended.stderr) == (1, told)


RELOADED = "import value\n\n@app.get('/value')\ndef read() -> int:\n    return value.VALUE\n\napp.run(reload=True)\n"


def test_reload_picks_up_a_change_and_outlives_a_syntax_error(
    start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # covers config: reload
    pytest.importorskip("watchfiles")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    value = tmp_path / "value.py"
    value.write_text("VALUE = 1\n")
    program = start({}, RELOADED)
    assert program.get("/value")[1] == b"1"
    time.sleep(0.3)  # until the folder is watched nobody says so
    value.write_text("VALUE = 2\n")
    until(lambda: program.get("/value")[1] == b"2")
    assert "Spikard: value.py changed, the workers are replaced" in program.errors.read_text()
    value.write_text("VALUE =\n")
    until(lambda: "the workers that serve are kept" in program.errors.read_text())
    assert "SyntaxError" in program.errors.read_text()
    assert program.get("/value")[1] == b"2"
    value.write_text("VALUE = 3\nprint('hangs', flush=True)\nwhile True: pass\n")
    assert program.line() == "hangs"
    value.write_text("VALUE = 4\n")
    until(lambda: program.get("/value")[1] == b"4")
