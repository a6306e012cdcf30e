"""`python tools/soak uploads|mixed|node`: long loads on a real server on loopback, and what must hold after them."""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile

import loads
from served import serving


def main() -> int:
    parser = argparse.ArgumentParser(prog="soak")
    parser.add_argument("load", choices=["uploads", "mixed", "node"])
    parser.add_argument(
        "--number", type=int, help="uploads (1,000) or requests after as many to warm up (500,000; node: 100,000)"
    )
    parser.add_argument("--mib", type=float, default=5.0, help="the size of an upload")
    parser.add_argument("--parallel", type=int, default=20)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, serving(folder, by_node=asked.load == "node") as port:
        try:
            if asked.load == "uploads":
                size = int(asked.mib * loads.MIB)
                asyncio.run(loads.uploads(port, folder, asked.number or 1000, size, asked.parallel))
            else:
                kinds, usual = (loads.NODE, 100_000) if asked.load == "node" else (loads.PYTHON, 500_000)
                asyncio.run(loads.mixed(port, folder, asked.number or usual, asked.parallel, kinds))
        except loads.Failed as failed:
            print(f"failed: {failed}", file=sys.stderr)
            return 1
    print("everything holds")
    return 0


if __name__ == "__main__":
    sys.exit(main())
