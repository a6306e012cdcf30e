"""Who comes first on a core. A kernel thread of the usual priority takes two to four milliseconds from what it finds running
there, and every connection waits meanwhile: of contenders that answer in half a millisecond, that is the whole p99.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from pathlib import Path

LEVEL = -15


def go_ahead() -> None:
    """Begins a session of this process's own and has it come before what is of the usual kind, where that is allowed. A
    session is a group to Linux, which shares the processor out between groups first.
    """
    os.setsid()
    with contextlib.suppress(OSError):
        os.nice(LEVEL)
        Path("/proc/self/autogroup").write_text(str(LEVEL))


def raised() -> bool:
    """Whether that is allowed here."""
    asked = f"import os; os.nice({LEVEL})"
    return subprocess.run([sys.executable, "-c", asked], stderr=subprocess.DEVNULL).returncode == 0
