"""Which process this is: one that serves alone, the supervisor of workers, or a worker. A worker learns it here, when the
package is imported, before it runs user code; the machinery is in the extension.
"""

from __future__ import annotations

import atexit
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

from ._spikard import forked

if TYPE_CHECKING:
    from ._spikard import Supervisor
    from .app import Spikard

_FOLDER = os.getcwd()
"""Where the program was started, if nothing has left it before the import."""

_OF_TERMINALS = (signal.SIGINT, signal.SIGHUP) if sys.platform != "win32" else ()

WAITS = "Spikard: waits up to {:g} s for what is in flight; a second signal ends it at once"

_calls = 0
"""Calls of `run()` in this program so far."""


class Assignment(NamedTuple):
    """What a worker is to do."""

    text: str
    """For the extension: the nonce and the descriptors."""
    call: int
    """The call of `run()`, from 1."""
    app: int
    """The app of that call, by its number."""
    threads: int
    """How many workers this process has, each on a thread of its own."""


def _read() -> Assignment | None:
    """Takes the assignment out of the environment, which the programs that user code starts must not see."""
    text = os.environ.pop("SPIKARD_ASSIGNMENT", None)
    if text is None or sys.platform == "win32":
        return None
    _, supervisor, *_, run = text.split(":")
    if os.getppid() != int(supervisor):
        if _is_alive(int(supervisor)):
            return None  # inherited by a program that is no worker
        raise SystemExit(1)  # the supervisor has gone, and its place is not for a worker to take
    if threading.current_thread() is threading.main_thread():
        # For the whole group of the terminal: what follows is for the supervisor to say, who blocked them until here.
        for number in _OF_TERMINALS:
            signal.signal(number, pass_over)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _OF_TERMINALS)
        # Behind what user code has registered: the programs that it starts would ignore them, too.
        atexit.register(_ignore)
    return Assignment(text, *map(int, run.split(".")))


def pass_over(*_: object) -> None:
    """Hears a signal, and does nothing."""


def _ignore() -> None:
    """Of a signal that it handles, the interpreter would let the system end the worker on the way out."""
    for number in (*_OF_TERMINALS, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
        return ") Z " not in Path(f"/proc/{process}/stat").read_text()  # one that nobody has waited for is not
    except OSError as error:  # no /proc, or not our process
        return not isinstance(error, ProcessLookupError)


meant: dict[signal.Signals, Any] = {}
"""What the signals that a server hears meant before. They mean it again in a fork, and the server does not hear of it."""


_forking = threading.local()


def _hold_signals() -> None:
    _forking.mask = signal.pthread_sigmask(signal.SIG_BLOCK, meant)


def _let_signals_go() -> None:
    signal.pthread_sigmask(signal.SIG_SETMASK, _forking.mask)


def _begin_fork() -> None:
    forked()
    if meant:
        signal.set_wakeup_fd(-1)
    for number, handler in meant.items():
        signal.signal(number, handler)
    _let_signals_go()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_hold_signals, after_in_parent=_let_signals_go, after_in_child=_begin_fork)


def end_fork(raised: BaseException | None) -> NoReturn:
    """Ends a process that user code has forked and that has come to the end of that code: everything else it has is ours."""
    if raised is None:
        raised = SystemExit(0)
    status = raised.code if isinstance(raised, SystemExit) else 1
    try:
        if not isinstance(raised, SystemExit):
            import traceback  # which costs the start of every program

            traceback.print_exception(type(raised), raised, raised.__traceback__)
        elif not isinstance(status, (int, type(None))):
            print(status, file=sys.stderr)
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
    finally:
        os._exit(status & 0xFF if isinstance(status, int) else int(status is not None))


def open_standard() -> None:
    """Where a standard stream is closed, a socket would take its number, and get what is written to the stream."""
    while (number := os.open(os.devnull, os.O_RDWR)) < 3:  # the lowest that is free
        os.set_inheritable(number, True)
    os.close(number)


def tell(line: str) -> None:
    """Writes a line to stderr, if anybody still reads it."""
    with suppress(OSError):
        print(line, file=sys.stderr, flush=True)


def terminal() -> Callable[[], bool]:
    """Tells whether the terminal has gone at which the program was started."""
    ours = [number for number in range(3) if os.isatty(number)]
    return lambda: bool(ours) and not any(map(os.isatty, ours))


assigned = _read()
"""What the supervisor of this process wants; None where it has none."""


class Refused(Exception):
    """The system does not let the program listen; the message says where."""


def is_turn(app: Spikard) -> bool:
    """Counts a call of `run()`. False: a worker of a later call has nothing to do here."""
    global _calls
    _calls += 1
    if assigned is None:
        return True
    if _calls == assigned.call and app._number != assigned.app:
        raise RuntimeError("the program took another way in its worker: this call of run() is of another app")
    return _calls == assigned.call


def has_lock() -> bool:
    """Whether the interpreter lets one thread run at a time. Without, workers are the threads of one process."""
    return getattr(sys, "_is_gil_enabled", lambda: True)()


def supervise(app: Spikard, layers: bytes, config: dict[str, Any]) -> None:
    """Starts workers and keeps them until SIGINT or SIGTERM, or until the terminal has gone; any other SIGHUP replaces
    them. Ends the program with the status 1 if something was cut off.
    """
    _check()
    from ._spikard import Supervisor

    watch = _watcher() if config["reload"] else None
    command = [sys.executable, *sys.orig_argv[1:]]
    processes, threads = (config["workers"], 1) if has_lock() else (1, config["workers"])
    try:
        supervisor = Supervisor(layers, command, _FOLDER, processes, f"{_calls}.{app._number}.{threads}")
    except OSError as error:
        raise Refused(error) from error
    clean: list[bool] = []
    over = threading.Event()

    def live(mouth: socket.socket) -> None:
        # Of a worker that still imports the program: it inherits the mask of the thread that starts it.
        signal.pthread_sigmask(signal.SIG_BLOCK, _OF_TERMINALS)
        try:
            clean.append(supervisor.run())
        finally:
            over.set()
            with suppress(OSError):  # full, or a signal has been faster
                mouth.send(b"\0")

    def waits() -> None:
        if not over.wait(1.0):
            tell(WAITS.format(config["shutdown_timeout"]))

    with _signals(supervisor, waits) as (ear, mouth):
        threading.Thread(target=live, args=(mouth,), name="spikard-supervisor").start()
        if watch is not None:
            threading.Thread(target=watch, args=(supervisor, over), name="spikard-reload", daemon=True).start()
        while not over.is_set():
            ear.recv(1)
    if clean != [True]:
        sys.exit(1)


def _check() -> None:
    what = "workers, reload and the replacement of workers"
    if sys.platform == "win32":
        raise RuntimeError(f"{what} are not there on Windows: start several programs behind a proxy")
    if threading.current_thread() is not threading.main_thread():
        raise RuntimeError(f"{what} need the main thread: its signals are the supervisor's")
    file = getattr(sys.modules.get("__main__"), "__file__", "<stdin>")
    if not sys.executable or (file == "<stdin>" and sys.argv[:1] != ["-c"]):
        raise RuntimeError(f"{what} need a program that can be started again: a file or a module, no stdin or notebook")


@contextmanager
def _signals(supervisor: Supervisor, waits: Callable[[], None]) -> Iterator[tuple[socket.socket, socket.socket]]:
    """Hears signals while the main thread reads of the first socket: in a wait for a lock, one that comes at the wrong
    moment is heard only with the next.
    """
    stopped, has_gone = threading.Event(), terminal()

    def stop() -> None:
        if not stopped.is_set():
            threading.Thread(target=waits, daemon=True).start()
        stopped.set()
        supervisor.stop()

    def hang_up() -> None:
        if not has_gone():
            supervisor.replace()
        elif not stopped.is_set():  # the shell says it, and then the system
            stop()

    meanings = {signal.SIGINT: stop, signal.SIGTERM: stop, signal.SIGHUP: hang_up}
    before = {one: signal.signal(one, lambda *_, meaning=meaning: meaning()) for one, meaning in meanings.items()}
    ear, mouth = socket.socketpair()
    mouth.setblocking(False)
    with ear, mouth:
        woken = signal.set_wakeup_fd(mouth.fileno(), warn_on_full_buffer=False)
        try:
            yield ear, mouth
        finally:
            signal.set_wakeup_fd(woken)
            for number, handler in before.items():
                signal.signal(number, handler if handler is not None else signal.SIG_DFL)


def _watcher() -> Callable[[Supervisor, threading.Event], None]:
    """Replaces the workers when a source file changes."""
    try:
        from watchfiles import PythonFilter, watch
    except ImportError:
        raise Refused("reload needs the package watchfiles: pip install watchfiles") from None

    def follow(supervisor: Supervisor, over: threading.Event) -> None:
        for changes in watch(*_sources(), watch_filter=PythonFilter(), stop_event=over, raise_interrupt=False):
            names = sorted({os.path.relpath(path, _FOLDER) for _, path in changes})
            tell(f"Spikard: {', '.join(names)} changed, the workers are replaced")
            supervisor.replace()

    return follow


def _sources() -> set[Path]:
    """The folder of the program's file, and the one where it was started unless that holds everything."""
    here = Path(_FOLDER)
    folders = {here} if here not in (Path.home(), Path(here.anchor)) else set()
    main = getattr(sys.modules.get("__main__"), "__file__", None)
    if main is not None:
        folder = Path(_FOLDER, main).resolve().parent
        if not any(folder.is_relative_to(known) for known in folders):
            folders.add(folder)
    return folders or {here}
