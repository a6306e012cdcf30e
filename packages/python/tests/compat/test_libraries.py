"""Libraries that talk to the loop work inside a handler: anyio, httpx, asyncpg."""

from __future__ import annotations

import glob
import importlib.util
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from .doors import Door


def test_cancel_scopes_of_anyio_cancel_their_block(door: Door) -> None:
    assert door.get("/anyio/scopes") == (200, [True, "timed out"])


def test_task_groups_and_streams_of_anyio_work(door: Door) -> None:
    assert door.get("/anyio/group") == (200, [[0, 1, 2], 7])


def test_threads_of_anyio_run_elsewhere_and_call_back(door: Door) -> None:
    assert door.get("/anyio/thread") == (200, [True, True])


def test_httpx_asks_others_and_times_out(door: Door) -> None:
    assert door.get("/httpx") == (200, [["hello"] * 3, "timed out"])


def test_asyncpg_queries_in_a_pool_and_can_be_cancelled(door: Door, dsn: str) -> None:
    assert door.get(f"/asyncpg?dsn={quote(dsn, safe='')}") == (200, [list(range(1, 21)), "timed out", 7])


@pytest.fixture(scope="session")
def dsn(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """`SPIKARD_TEST_DSN`, or a PostgreSQL of our own: on a socket in a folder, without a port."""
    if importlib.util.find_spec("asyncpg") is None:
        pytest.skip("asyncpg is not installed")
    if given := os.environ.get("SPIKARD_TEST_DSN"):
        yield given
        return
    found = shutil.which("initdb") or max(glob.glob("/usr/lib/postgresql/*/bin/initdb"), default=None)
    if found is None:
        pytest.skip("there is no PostgreSQL (initdb), and SPIKARD_TEST_DSN names none")
    folder = Path("/tmp") / tmp_path_factory.mktemp("postgresql").name / str(os.getpid())  # a socket's path is short
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    as_owner: list[str] = []
    if os.getuid() == 0:  # PostgreSQL does not run as root
        if shutil.which("runuser") is None:
            pytest.skip("PostgreSQL does not run as root, and there is no runuser")
        shutil.chown(folder, "postgres")
        as_owner = ["runuser", "-u", "postgres", "--"]
    control = [*as_owner, str(Path(found).with_name("pg_ctl")), "-D", f"{folder}/data", "-s", "-w"]
    options = f"-k {folder} -c listen_addresses='' -c fsync=off"
    subprocess.run([*as_owner, found, "-D", f"{folder}/data", "-A", "trust", "-U", "test", "--no-sync"],
                   check=True, stdout=subprocess.DEVNULL, cwd="/")  # fmt: skip
    subprocess.run([*control, "-o", options, "-l", f"{folder}/log", "start"], check=True, cwd="/")
    try:
        yield f"postgresql://test@/postgres?host={folder}"
    finally:
        subprocess.run([*control, "-m", "immediate", "stop"], check=True, cwd="/")
        shutil.rmtree(folder)
