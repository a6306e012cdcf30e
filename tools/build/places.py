"""Where builds keep what they make: one cache outside the clone, so that clones share compiled dependencies."""

from __future__ import annotations

import hashlib
import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def cache() -> Path:
    """The cache: `SPIKARD_CACHE`, else `spikard` in the user's cache directory."""
    if given := os.environ.get("SPIKARD_CACHE"):
        return Path(given).expanduser().absolute()
    home = os.environ.get("XDG_CACHE_HOME")
    return (Path(home) if home else Path.home() / ".cache") / "spikard"


def target() -> Path:
    """Cargo's target directory."""
    return cache() / "target"


def venv() -> Path:
    """The virtual environment of this clone and this interpreter."""
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    threads = "" if getattr(sys, "_is_gil_enabled", lambda: True)() else "t"
    clone = hashlib.sha256(str(ROOT).encode()).hexdigest()[:12]
    return cache() / "venvs" / f"{clone}-{version}{threads}"
