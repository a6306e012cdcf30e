"""The plugin, in a pytest of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

APP = """
import asyncio
import pytest
from spikard import LiveTestClient, Spikard, TestClient

app = Spikard()

@app.get("/")
async def hello() -> str:
    return "hello"
"""


def outcome(folder: Path, tests: str) -> str:
    """What pytest says of these tests."""
    (folder / "test_them.py").write_text(APP + tests)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", str(folder), str(folder)]
    ended = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120, check=False)
    return ended.stdout + ended.stderr


def test_the_fixture_is_a_client_of_the_modules_app(tmp_path: Path) -> None:
    said = outcome(
        tmp_path,
        """
def test_plain(spikard_client):
    assert spikard_client.get("/").text == "hello"

async def test_bare(spikard_client):
    assert (await spikard_client.get("/")).text == "hello"
""",
    )
    assert "2 passed" in said, said


def test_a_fixture_named_app_goes_before_the_module(tmp_path: Path) -> None:
    said = outcome(
        tmp_path,
        """
@pytest.fixture(name="app")
def other():
    mine = Spikard()
    mine.get("/")(lambda: "other")
    return mine

def test_plain(spikard_client):
    assert spikard_client.get("/").text == "other"
""",
    )
    assert "1 passed" in said, said


def test_a_bare_test_that_uses_a_client_runs_and_may_fail(tmp_path: Path) -> None:
    said = outcome(
        tmp_path,
        """
@pytest.fixture
def client():
    return TestClient(app)

async def test_by_a_fixture(client):
    assert (await client.get("/")).text == "hello"

async def test_by_a_class():
    async with TestClient(app) as own:
        assert (await own.get("/")).text == "hello"

class TestInAClass:
    async def test_live(self):
        async with LiveTestClient(app) as own:
            assert (await own.get("/")).text == "hello"

async def test_that_fails(client):
    assert (await client.get("/")).text == "something else"
""",
    )
    assert "1 failed, 3 passed" in said, said
    assert "something else" in said


def test_what_is_not_ours_is_left_alone(tmp_path: Path) -> None:
    said = outcome(
        tmp_path,
        """
pytest_plugins = []

async def test_without_a_client():
    await asyncio.sleep(0)

@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_of_anyio(anyio_backend, spikard_client):
    assert anyio_backend == "asyncio"
    assert (await spikard_client.get("/")).text == "hello"
""",
    )
    assert "not natively supported" in said, said
    assert "1 failed, 1 passed" in said or "1 passed, 1 skipped" in said, said


def test_no_app_is_told(tmp_path: Path) -> None:
    said = outcome(tmp_path, "\ndel app\n\ndef test_it(spikard_client):\n    pass\n")
    assert "spikard_client needs the app: a fixture `app`, or the name `app` in the test's module" in said
