"""PostgreSQL for the workload that asks for a row: a cluster of its own in a temporary folder, on a socket in it, with a
thousand rows; ended with the run. Root may not run it: there it runs as `nobody`.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from plan import Plan

ROWS = 1_000
TABLE = (
    "create table rows (id int primary key, name text not null);"
    f"insert into rows select number, 'row ' || number from generate_series(1, {ROWS}) number; analyze rows"
)
QUIET = ("-c fsync=off", "-c listen_addresses=''", "-c max_connections=100", "-c autovacuum=off")


def commands() -> Path | None:
    """The folder of initdb and postgres: on PATH, or where Debian puts the newest version."""
    if found := shutil.which("initdb"):
        return Path(found).resolve().parent
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    return versions[-1].parent if versions else None


@contextlib.contextmanager
def behind(plan: Plan) -> Iterator[Plan]:
    """The plan, with a database that answers while it is carried out."""
    home = commands()
    if home is None:
        raise SystemExit("missing: PostgreSQL, for the workload `db` (Debian, Ubuntu: apt-get install postgresql)")
    with tempfile.TemporaryDirectory(prefix="bench-postgres-") as name:
        folder = Path(name)
        user = owner(folder)
        run = [] if user is None else ["runuser", "-u", user, "--"]
        cluster, options = folder / "cluster", " ".join((*QUIET, f"-c unix_socket_directories='{folder}'"))
        do(
            [
                *run,
                str(home / "initdb"),
                "--pgdata",
                str(cluster),
                "--username",
                "bench",
                "--auth",
                "trust",
                "--no-sync",
            ]
        )
        control = [*run, str(home / "pg_ctl"), "--pgdata", str(cluster), "--wait"]
        do([*control, "--log", str(folder / "log"), "--options", options, "start"])
        try:
            do([*run, str(home / "psql"), "--host", str(folder), "--user", "bench", "--command", TABLE, "postgres"])
            yield dataclasses.replace(plan, database=f"postgresql://bench@/postgres?host={folder}")
        finally:
            do([*control, "--mode", "immediate", "stop"])


def owner(folder: Path) -> str | None:
    """Who runs it: this user, or `nobody` for root, who gets the folder."""
    if os.geteuid() != 0:
        return None
    nobody = pwd.getpwnam("nobody")
    os.chown(folder, nobody.pw_uid, nobody.pw_gid)
    return nobody.pw_name


def do(command: list[str]) -> None:
    """Runs a command; what it says is the reason if it fails. PostgreSQL's server keeps what it inherits: no pipe."""
    with tempfile.TemporaryFile("w+") as output:
        done = subprocess.run(command, cwd="/", stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT)
        if done.returncode:
            output.seek(0)
            raise SystemExit(f"{Path(command[0]).name}: exit {done.returncode}: {output.read().strip()[-400:]}")
