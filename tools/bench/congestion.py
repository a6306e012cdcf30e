"""TCP's congestion control during a measurement. One that paces, such as BBR, has its timer decide when the packets of a
large answer leave, on loopback as on a long way: p99 would tell how slow it once took a connection for, not the server.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

SETTING = Path("/proc/sys/net/ipv4/tcp_congestion_control")
USUAL = "cubic"
"""Linux's default, which sends what the window allows."""


def current() -> str:
    """What new sockets get now."""
    try:
        return SETTING.read_text().strip()
    except OSError:
        return "not told"


@contextlib.contextmanager
def usual() -> Iterator[None]:
    """New sockets get the usual one, where that is allowed, until the end."""
    before = current()
    with contextlib.suppress(OSError):
        SETTING.write_text(USUAL)
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            SETTING.write_text(before)
