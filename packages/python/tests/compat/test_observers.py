"""Whoever watches Python from inside, asyncio's debug mode, tracers and coverage, sees user code and no fault of ours."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from spikard import Spikard
from spikard.testing import TestClient

from .conftest import SERVERS
from .doors import HANDLERS, Served


@pytest.mark.parametrize("way", SERVERS)
def test_debug_mode_finds_nothing_to_complain_about(tmp_path: Path, way: str) -> None:
    debug = {"PYTHONASYNCIODEBUG": "1", "PYTHONDEVMODE": "1", "PYTHONWARNINGS": "default"}
    server = Served(tmp_path, way.split(), debug)
    try:
        answers = [server.get(path) for path in ("/task", "/wait-for", "/executor", "/plain-def", "/context-def/a")]
        assert [status for status, _ in answers] == [200] * 5
        with server.send("/leaves"):
            assert server.line() == "leaves"
    finally:
        assert server.stop() == 0
    told = server.errors.read_text()
    assert [line for line in told.splitlines() if "Warning" in line or "Error" in line] == [], told


HERE = Path(__file__).name


@pytest.fixture
def traced() -> Iterator[set[str]]:
    """The functions of this file that a trace function of `threading` and `sys` sees."""
    seen: set[str] = set()

    def trace(frame: Any, event: str, _: object) -> Any:
        if event == "line" and Path(frame.f_code.co_filename).name == HERE:
            seen.add(frame.f_code.co_name)
        return trace

    before, before_threads = sys.gettrace(), threading.gettrace()
    sys.settrace(trace)
    threading.settrace(trace)
    try:
        yield seen
    finally:
        sys.settrace(before)
        threading.settrace(before_threads)  # type: ignore[arg-type]


def test_a_trace_function_sees_every_kind_of_handler(traced: set[str]) -> None:
    app = Spikard()

    @app.get("/async")
    async def in_task() -> str:
        await asyncio.sleep(0)
        return "task"

    @app.get("/def")
    def in_thread() -> str:
        return "thread"

    @app.get("/inline", sync_to_thread=False)
    def inline() -> str:
        return "inline"

    with TestClient(app) as client:
        assert [client.get(path).text for path in ("/async", "/def", "/inline")] == ["task", "thread", "inline"]
    assert {"in_task", "in_thread", "inline"} <= traced


@pytest.mark.skipif(importlib.util.find_spec("coverage") is None, reason="coverage is not installed")
@pytest.mark.parametrize("core", ["ctrace", "pytrace", "sysmon"])
def test_coverage_counts_the_lines_of_handlers(tmp_path: Path, core: str) -> None:
    if core == "sysmon" and sys.version_info < (3, 12):
        pytest.skip("sys.monitoring came with 3.12")
    report, measured = tmp_path / "report.json", tmp_path / "measured"
    command = ["-m", "coverage", "run", f"--data-file={measured}", "--concurrency=thread", "run", "asyncio"]
    server = Served(tmp_path, command, {"COVERAGE_CORE": core})
    try:
        assert [server.get(path)[0] for path in ("/wait-for", "/context-def/a")] == [200, 200]
    finally:
        assert server.stop() == 0, server.errors.read_text()
    subprocess.run(
        [sys.executable, "-m", "coverage", "json", "-q", f"--data-file={measured}", "-o", str(report)],
        check=True,
        cwd=tmp_path,
    )
    (file,) = [file for name, file in json.loads(report.read_text())["files"].items() if name.endswith(HANDLERS.name)]
    lines = HANDLERS.read_text().splitlines()
    executed = [lines[number - 1].strip() for number in file["executed_lines"]]
    assert 'return "timed out"' in executed
    assert "time.sleep(0.002)" in executed
    assert 'return "slept"' not in executed
