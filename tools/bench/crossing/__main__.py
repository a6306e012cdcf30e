"""How values cross to Node: `python3 tools/bench/crossing` compiles `crossing.c` against the headers beside `node`, and
prints what each road costs. It needs a C compiler and a core that nobody else uses.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent


def main() -> int:
    """Compiles, measures, prints."""
    node, compiler = shutil.which("node"), shutil.which("cc")
    if not node or not compiler:
        raise SystemExit(f"missing: {'a C compiler (cc)' if node else 'node'}")
    headers = Path(node).resolve().parent.parent / "include" / "node"
    if not (headers / "node_api.h").exists():
        raise SystemExit(f"missing: {headers / 'node_api.h'}")
    with tempfile.TemporaryDirectory() as folder:
        addon = Path(folder) / "crossing.node"
        command = [compiler, "-O2", "-shared", "-fPIC", f"-I{headers}", str(HERE / "crossing.c"), "-o", str(addon)]
        subprocess.run(command, check=True)
        return subprocess.run([node, str(HERE / "crossing.mjs"), str(addon)]).returncode


if __name__ == "__main__":
    sys.exit(main())
