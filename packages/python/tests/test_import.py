"""What importing the package costs."""

from __future__ import annotations

import subprocess
import sys

import pytest


@pytest.mark.parametrize("imports", ["import spikard", "from spikard import Spikard, Query; Spikard(port=0)"])
def test_nothing_is_imported_that_a_server_without_it_never_needs(imports: str) -> None:
    code = f"import sys, msgspec; before = set(sys.modules); {imports}; print(*sorted(set(sys.modules) - before))"
    loaded = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.split()
    assert "spikard.app" in loaded
    wanted = {"pydantic", "attr", "asyncio", "ssl", "email", "http.cookies", "concurrent.futures", "logging", "json"}
    assert not wanted & set(loaded)
    assert not {"dataclasses", "tempfile", "multiprocessing", "difflib", "inspect", "importlib.metadata"} & set(loaded)
    assert "traceback" not in loaded, "3.14's takes dataclasses and inspect along"


def test_pydantic_is_imported_by_nobody_but_its_users() -> None:
    code = (
        "import sys, msgspec, spikard\n"
        "class User(msgspec.Struct):\n    name: str\n"
        "app = spikard.Spikard()\n"
        "@app.post('/')\nasync def create(user: User, limit: int = 3) -> User: return user\n"
        "app._compile()\nprint('pydantic' in sys.modules, 'attr' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.split() == ["False", "False"]
