"""Runs pyright as pyrightconfig.json has it; skips with the reason where there is no node."""

from __future__ import annotations

import shutil
import subprocess
import sys

import places


def main() -> int:
    """Answers pyright's exit code."""
    if not shutil.which("node"):
        print("skipped: pyright needs node, which is not on PATH")
        return 0
    return subprocess.run([sys.executable, "-m", "pyright", "--project", str(places.ROOT)]).returncode


if __name__ == "__main__":
    sys.exit(main())
