"""The long loads of `task soak`, short: whole uploads and broken ones, and a mix of everything."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

SOAK = Path(__file__).parents[3] / "tools" / "soak"


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads memory and descriptors in /proc")
@pytest.mark.parametrize("load", [["uploads", "--number", "40", "--mib", "2"], ["mixed", "--number", "2000"]])
def test_nothing_grows_and_nothing_is_left_behind(load: list[str]) -> None:
    ran = subprocess.run([sys.executable, str(SOAK), *load], capture_output=True, text=True, timeout=300)
    assert ran.returncode == 0, ran.stdout + ran.stderr
