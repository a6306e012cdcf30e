"""Where the harness runs: the repository, the cache, and the machine with every version that a number depends on."""

from __future__ import annotations

import json
import os
import platform
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import congestion
import priority

ROOT = Path(__file__).resolve().parents[2]
BENCHMARKS = ROOT / "benchmarks"
RESULTS = ROOT / "results"

PACKAGES = (
    "import importlib.metadata as m, json; "
    "print(json.dumps({d.metadata['Name']: d.version for d in m.distributions()}))"
)
FILE = 102_400
"""The size of the file that is served."""
IDLE = {"pip", "setuptools", "wheel"}


def cache() -> Path:
    """The cache of tools/build: `SPIKARD_CACHE`, else `spikard` in the user's cache directory."""
    if given := os.environ.get("SPIKARD_CACHE"):
        return Path(given).expanduser().absolute()
    home = os.environ.get("XDG_CACHE_HOME")
    return (Path(home) if home else Path.home() / ".cache") / "spikard"


def sample() -> Path:
    """The file that is served, made where it is missing."""
    path = cache() / "bench" / "sample.bin"
    if not path.exists() or path.stat().st_size != FILE:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x" * FILE)
    return path


def machine() -> dict[str, object]:
    """What the numbers were taken on."""
    return {
        "processor": first(r"^model name\s*: (.+)$", read("/proc/cpuinfo")) or platform.processor(),
        "cores": os.cpu_count(),
        "memory_mb": int(first(r"^MemTotal:\s+(\d+)", read("/proc/meminfo")) or 0) // 1024,
        "kernel": platform.release(),
        "system": first(r'^PRETTY_NAME="(.+)"$', read("/etc/os-release")) or platform.system(),
        "governor": read("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor").strip() or "not told",
        "priority": "raised for servers and generator" if priority.raised() else "the usual",
        "congestion": congestion.current(),
        "load_before": [round(load, 2) for load in os.getloadavg()],
        "python": sys.version.split()[0],
        "rustc": said("rustc", "--version"),
        "wrk": said("wrk", "--version"),
        "commit": said("git", "-C", str(ROOT), "describe", "--always", "--dirty"),
    }


def busy() -> float:
    """Processor seconds that the whole machine has been busy, the time that a host took from it included."""
    user, nice, system, _idle, _wait, hard, soft, stolen = map(int, read("/proc/stat").split("\n")[0].split()[1:9])
    return (user + nice + system + hard + soft + stolen) / os.sysconf("SC_CLK_TCK")


def cores() -> list[int]:
    """The cores of this process: the generator's first, then those of the servers."""
    usable = sorted(os.sched_getaffinity(0))
    if len(usable) < 2:
        raise SystemExit("the server and the generator need a core each; this process may use one")
    return usable


def versions(python: Path) -> dict[str, str]:
    """The packages of an environment."""
    done = subprocess.run([str(python), "-c", PACKAGES], stdout=subprocess.PIPE, text=True, check=True)
    found: dict[str, str] = json.loads(done.stdout)
    return {name: found[name] for name in sorted(found, key=str.lower) if name.lower() not in IDLE}


def locked(lock: str, names: tuple[str, ...] = ("hyper", "tokio", "serde_json")) -> dict[str, str]:
    """The versions of the crates that matter, from the text of a lock file."""
    return {name: version for name, version in packages(lock) if name in names}


def packages(lock: str) -> Iterator[tuple[str, str]]:
    """Every crate of a lock file."""
    yield from re.findall(r'^name = "([^"]+)"\nversion = "([^"]+)"', lock, re.MULTILINE)


def said(*command: str) -> str:
    """The first line that a command prints, or that it is missing."""
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")
    except FileNotFoundError:
        return "missing"
    return (done.stdout.strip().splitlines() or [""])[0]


def read(path: str) -> str:
    """The text of a file, empty where there is none."""
    try:
        return Path(path).read_text(errors="replace")
    except OSError:
        return ""


def first(pattern: str, text: str) -> str | None:
    """The first group of the first match."""
    found = re.search(pattern, text, re.MULTILINE)
    return found[1] if found else None
