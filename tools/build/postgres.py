"""Runs a command beside a PostgreSQL of its own, whose address is in DATABASE_URL: `postgres.py python app.py`.

It lives in a new folder, answers on a socket in it only, and is gone when the command has ended. Where PostgreSQL is
absent, apt installs it if this is root; else the command runs without, and says so. A DATABASE_URL that is set is used.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

OWNER = "postgres"
PATIENCE = 30.0


def programs() -> Path | None:
    """The folder of `initdb` and `postgres`, the newest first; Debian keeps it out of PATH."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[4]), reverse=True)
    on_path = shutil.which("initdb")
    if on_path:
        found.append(Path(on_path).resolve())
    return next((path.parent for path in found if (path.parent / "postgres").exists()), None)


def install() -> None:
    """Installs PostgreSQL where apt can; a failure is told by the absence of the programs."""
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        return
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (["update", "-q"], ["install", "-q", "-y", "--no-install-recommends", "postgresql"]):
        with suppress(subprocess.TimeoutExpired):
            subprocess.run(["apt-get", *command], env=quiet, stdout=subprocess.DEVNULL, timeout=180, check=False)


def found() -> Path | None:
    """The programs, installed where they are absent and that can be done."""
    folder = programs()
    if folder is None:
        install()
        folder = programs()
    return folder


def available() -> bool:
    """Whether a command would get a database."""
    return "DATABASE_URL" in os.environ or found() is not None


def as_owner() -> dict[str, str]:
    """PostgreSQL refuses to run as root: the arguments of `subprocess` that make it another user's."""
    return {"user": OWNER, "group": OWNER} if os.geteuid() == 0 else {}


@contextmanager
def database(commands: Path) -> Iterator[str]:
    """The address of a new database."""
    with tempfile.TemporaryDirectory(prefix="spikard-pg-", dir="/tmp") as name:
        home = Path(name)
        if os.geteuid() == 0:
            shutil.chown(home, OWNER, OWNER)
        files, log = home / "data", home / "log"
        run = [str(commands / "initdb"), "-D", str(files), "-U", "spikard", "-A", "trust", "-E", "UTF8", "--no-sync"]
        subprocess.run(run, cwd=home, stdout=subprocess.DEVNULL, check=True, **as_owner())  # type: ignore[call-overload]
        settings = {"listen_addresses": "", "unix_socket_directories": home, "fsync": "off"}
        options = [part for key, value in settings.items() for part in ("-c", f"{key}={value}")]
        with log.open("wb") as output:
            server = subprocess.Popen(
                [str(commands / "postgres"), "-D", str(files), *options],
                cwd=home, stdout=output, stderr=output, start_new_session=True, **as_owner(),  # type: ignore[call-overload]
            )  # fmt: skip
        try:
            wait(commands, home, server, log)
            yield f"postgresql://spikard@/postgres?host={home}"
        finally:
            server.send_signal(signal.SIGINT)  # cuts its clients off
            server.wait(PATIENCE)


def wait(commands: Path, home: Path, server: subprocess.Popen[bytes], log: Path) -> None:
    """Until it answers."""
    end = time.monotonic() + PATIENCE
    ask = [str(commands / "pg_isready"), "-q", "-h", str(home)]
    while subprocess.run(ask, check=False).returncode != 0:
        if server.poll() is not None or time.monotonic() > end:
            raise SystemExit(f"PostgreSQL does not start:\n{log.read_text()}")
        time.sleep(0.05)


def outlast(program: subprocess.Popen[bytes]) -> int:
    """Waits for its end, also after Ctrl-C: it has heard that too."""
    while program.poll() is None:
        with suppress(KeyboardInterrupt):
            program.wait()
    return program.returncode


def main(command: list[str]) -> int:
    """Answers the command's exit code."""
    if "DATABASE_URL" in os.environ:
        return outlast(subprocess.Popen(command))
    commands = found()
    if commands is None:
        print("no PostgreSQL here: install it, or set DATABASE_URL; going on without", file=sys.stderr, flush=True)
        return outlast(subprocess.Popen(command))
    with database(commands) as address:
        program = subprocess.Popen(command, env={**os.environ, "DATABASE_URL": address})
        return outlast(program)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
