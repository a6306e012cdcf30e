"""Several processes behind one socket: their start, their end, their replacement, and what a client sees of it."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from spikard import Spikard

from .test_server import APP, Program, refusal, rest

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there is no supervisor on Windows")

Start = Callable[..., Program]
# Where the interpreter has no lock either, these tests are of processes.
AS_PROCESSES = "from spikard import _processes\n_processes.has_lock = lambda: True\n"


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    programs: list[Program] = []

    def start(config: dict[str, object], run: str = "app.run()") -> Program:
        programs.append(Program(tmp_path, config, AS_PROCESSES + run))
        return programs[-1]

    yield start
    for program in programs:
        program.process.terminate()
        try:
            program.process.communicate(timeout=5)
        except subprocess.TimeoutExpired:
            program.process.kill()
            program.process.communicate()


def pid(program: Program) -> int:
    status, body = program.get("/pid")
    assert status == 200
    return int(body)


def pids(program: Program, count: int, known: frozenset[int] = frozenset()) -> set[int]:
    """Waits until so many workers have answered that are not known."""
    found: set[int] = set()

    def enough() -> bool:
        found.add(pid(program))
        return len(found - known) >= count

    until(enough)
    return found - known


def children(process: int) -> set[int]:
    """Those of all its threads."""
    listings = Path(f"/proc/{process}/task").glob("*/children")
    return {int(child) for listing in listings for child in listing.read_text().split()}


def until(holds: Callable[[], object], patience: float = 20) -> None:
    deadline = time.monotonic() + patience
    while not holds():
        assert time.monotonic() < deadline, "it did not come to hold"
        time.sleep(0.01)


def is_gone(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


class Load:
    """Clients that ask again and again, each on one connection, which they renew when the server closes it."""

    def __init__(self, port: int) -> None:
        self.answered = 0
        self.refused = 0
        self.broken = 0
        """Requests that were sent and not answered, though the connection had not been closed before."""
        self.open = True
        self._port = port
        self.threads = [threading.Thread(target=self._ask) for _ in range(8)]

    def _ask(self) -> None:
        while self.open:
            connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=10)
            try:
                connection.connect()
            except OSError:
                self.refused += 1
                time.sleep(0.01)
                continue
            try:
                while self.open:
                    connection.request("GET", "/brief")
                    answer = connection.getresponse()
                    assert answer.read() == b"brief"
                    self.answered += 1
                    if answer.will_close:
                        break
            except (http.client.HTTPException, OSError):
                self.broken += 1
            finally:
                connection.close()


@contextmanager
def load(program: Program) -> Iterator[Load]:
    clients = Load(program.port)
    for thread in clients.threads:
        thread.start()
    try:
        until(lambda: clients.answered > 100)
        yield clients
    finally:
        clients.open = False
        for thread in clients.threads:
            thread.join()
        numbers = f"{clients.answered} answered, {clients.broken} broken, {clients.refused} refused"
        print(f"under load: {numbers}")


def test_workers_share_the_port_and_the_supervisor_says_so_once(start: Start) -> None:
    # covers config: workers
    program = start({"workers": 2})
    assert pids(program, 2) == children(program.process.pid)
    lines = program.errors.read_text().splitlines()
    assert len(lines) == 1
    assert re.fullmatch(r"Spikard \S+ on http://127\.0\.0\.1:\d+ with 2 workers \(Ctrl-C to stop\)", lines[0])


def test_an_overruled_variable_is_told(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPIKARD_WORKERS", "3")
    program = start({}, "app.run(workers=2)")
    assert "with 2 workers (Ctrl-C to stop; SPIKARD_WORKERS is overruled by an argument)" in program.errors.read_text()


def test_a_worker_that_is_killed_takes_only_its_own_requests_with_it(start: Start) -> None:
    program = start({"workers": 2})
    before = pids(program, 2)
    with load(program) as clients:
        os.kill(min(before), signal.SIGKILL)
        (new,) = pids(program, 1, frozenset(before))
        answered = clients.answered
        until(lambda: clients.answered > answered + 100)
    assert clients.refused == 0
    assert clients.broken <= 8
    assert children(program.process.pid) == {max(before), new}
    assert f"worker {min(before)} was ended by signal 9, another is started" in program.errors.read_text()


BLOCKS = """
@app.get("/block")
async def block() -> str:
    print("slow", flush=True)
    time.sleep(3)
    return "over"

app.run()
"""


@pytest.mark.parametrize("io_thread", [False, True], ids=["loop", "io_thread"])
def test_a_worker_whose_loop_is_blocked_leaves_connections_to_the_others(start: Start, io_thread: bool) -> None:
    program = start({"workers": 2, "io_thread": io_thread}, BLOCKS)
    pids(program, 2)
    with program.begin("/block") as blocked:
        began = time.monotonic()
        clients = [socket.create_connection(("127.0.0.1", program.port), timeout=10) for _ in range(100)]
        assert all(ask(client).endswith(b'{"hello":"world"}') for client in clients)
        took = time.monotonic() - began
        print(f"100 answers in {took:.2f} s beside a blocked worker")
        assert took < 2
        assert rest(blocked).endswith(b"over")
    assert len(pids(program, 2)) == 2


def spread(program: Program) -> Counter[int]:
    """Which workers have accepted 100 connections that stay."""
    with contextlib.ExitStack() as stack:
        connections = [http.client.HTTPConnection("127.0.0.1", program.port, timeout=10) for _ in range(100)]
        for connection in connections:
            stack.callback(connection.close)
            # All come at once: whoever is awake could have them all.
            connection.connect()
        found: Counter[int] = Counter()
        for connection in connections:
            connection.request("GET", "/pid")
            found[int(connection.getresponse().read())] += 1
        return found


@pytest.mark.parametrize("io_thread", [False, True], ids=["loop", "io_thread"])
def test_connections_that_stay_are_spread_over_the_workers(start: Start, io_thread: bool) -> None:
    program = start({"workers": 2, "io_thread": io_thread})
    both = pids(program, 2)
    found = spread(program)
    assert set(found) == both
    assert min(found.values()) >= 35, found
    killed = found.most_common()[0][0]
    os.kill(killed, signal.SIGKILL)
    [successor] = pids(program, 1, known=frozenset(both))
    found = spread(program)
    assert set(found) == both - {killed} | {successor}
    assert min(found.values()) >= 35, found


def test_sighup_replaces_all_workers_and_loses_no_request(start: Start) -> None:
    program = start({"workers": 2})
    before = pids(program, 2)
    with load(program) as clients:
        program.signal(signal.SIGHUP)
        until(lambda: all(map(is_gone, before)))
    assert (clients.refused, clients.broken) == (0, 0)
    assert len(children(program.process.pid)) == 2


def test_a_signal_under_load_finishes_what_is_in_flight(start: Start) -> None:
    program = start({"workers": 2})
    pids(program, 2)
    with load(program) as clients:
        slow = [program.begin("/slow") for _ in range(8)]
        program.signal(signal.SIGTERM)
        assert all(rest(one).endswith(b"slow") for one in slow)
        assert program.status() == 0
    # One that was on its way to a connection which closed, idle, may be lost; the server has not begun it.
    assert clients.broken <= len(clients.threads)


def test_ctrl_c_twice_ends_at_once(start: Start) -> None:
    program = start({"workers": 2})
    pids(program, 2)
    with program.begin("/forever"):
        everybody = [program.process.pid, *children(program.process.pid)]
        began = time.monotonic()
        for _ in range(2):
            for process in filter(lambda one: not is_gone(one), everybody):  # as a terminal does
                os.kill(process, signal.SIGINT)
            time.sleep(0.3)
        assert program.status() == 1
        print(f"ended {time.monotonic() - began:.1f} s after the first Ctrl-C")
        assert all(map(is_gone, everybody[1:]))
    assert "Traceback" not in program.errors.read_text()


def test_ctrl_c_in_a_terminal_reaches_all_and_drains_once(start: Start) -> None:
    program = start({"workers": 2})
    pids(program, 2)
    slow = program.begin("/slow")
    for process in [program.process.pid, *children(program.process.pid)]:
        os.kill(process, signal.SIGINT)
    assert rest(slow).endswith(b"slow")
    assert program.status() == 0
    assert "Traceback" not in program.errors.read_text()


LAST = """
class Last:
    def __del__(self, write=os.write, sleep=time.sleep) -> None:
        write(1, b"last\\n")
        sleep(0.3)

last = Last()
app.run()
"""


@pytest.mark.parametrize("name", ["SIGINT", "SIGHUP", "SIGTERM"])
def test_a_signal_to_a_worker_whose_interpreter_ends_changes_nothing(start: Start, name: str) -> None:
    program = start({"workers": 2}, LAST)
    workers = pids(program, 2)
    program.signal(signal.SIGTERM)
    for _ in workers:
        assert program.line() == "last"
    for worker in workers:
        os.kill(worker, signal.Signals[name])
    assert program.status() == 0


@pytest.mark.parametrize("path", ["/forever", "/forever-def"])
def test_a_second_signal_cuts_off(start: Start, path: str) -> None:
    program = start({"workers": 2})
    with program.begin(path):
        workers = children(program.process.pid)
        program.signal(signal.SIGTERM)
        time.sleep(0.3)
        assert program.process.poll() is None
        program.signal(signal.SIGTERM)
        assert program.status() == 1
        assert all(map(is_gone, workers))
        told = program.errors.read_text()
        assert "given up at the second signal" in told
        assert "given up after" not in told


def test_what_does_not_end_in_time_makes_the_status_1(start: Start) -> None:
    program = start({"workers": 2, "shutdown_timeout": 0.2})
    with program.begin("/forever"):
        program.signal(signal.SIGTERM)
        assert program.status() == 1


def test_no_worker_outlives_its_supervisor(start: Start) -> None:
    program = start({"workers": 2})
    workers = pids(program, 2)
    program.process.kill()
    until(lambda: all(map(is_gone, workers)))
    with pytest.raises(OSError, match="refused"):
        program.get("/")


def test_a_worker_that_cannot_start_ends_the_program() -> None:
    program = (
        "from spikard import Spikard, _processes\napp = Spikard(port=0, workers=2)\n"
        "if _processes.assigned:\n    raise SystemExit(3)\napp.run()"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=20, check=False)
    assert ended.returncode == 1
    assert re.fullmatch(r"Spikard: worker \d+ ended with status 3 before it was ready: given up\n", ended.stderr)


FAILS_LATER = """
from pathlib import Path
from spikard import _processes

if _processes.assigned and Path("broken").exists():
    sys.exit(3)
app.run()
"""


def test_workers_that_are_well_outlive_a_program_that_does_not_start(
    start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    program = start({"workers": 2}, FAILS_LATER)
    pids(program, 2)
    (tmp_path / "broken").touch()
    program.signal(signal.SIGHUP)
    until(lambda: "the workers that serve are kept" in program.errors.read_text())
    assert program.get("/")[0] == 200
    (killed, kept) = sorted(children(program.process.pid))
    os.kill(killed, signal.SIGKILL)
    # Six tries were its end once, though one worker served.
    until(lambda: program.errors.read_text().count("before it was ready, another is started in") >= 7, 120)
    assert "ready, another is started in 5 s" in program.errors.read_text()
    assert pid(program) == kept
    (tmp_path / "broken").unlink()
    assert len(pids(program, 2)) == 2


def test_a_crash_loop_ends_with_its_reason_where_nobody_serves(
    start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    program = start({"workers": 2}, FAILS_LATER)
    pids(program, 2)
    (tmp_path / "broken").touch()
    began = time.monotonic()
    for worker in children(program.process.pid):
        os.kill(worker, signal.SIGKILL)
    assert program.process.wait(120) == 1
    told = program.errors.read_text()
    assert re.search(r"worker \d+ ended with status 3 before it was ready, \d times in a row: given up\n$", told)
    print(f"given up after {time.monotonic() - began:.1f} s")


def test_a_supervisor_outlives_whoever_read_what_it_says(tmp_path: Path) -> None:
    file = tmp_path / "program.py"
    file.write_text(APP.format(config={"workers": 2}) + AS_PROCESSES + "app.run()\n")
    process = subprocess.Popen([sys.executable, str(file)], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    assert process.stderr is not None
    assert b"with 2 workers" in process.stderr.readline()
    process.stderr.close()
    until(lambda: len(children(process.pid)) == 2)
    before = frozenset(children(process.pid))
    os.kill(min(before), signal.SIGKILL)
    until(lambda: len(children(process.pid) - before) == 1 and len(children(process.pid)) == 2)
    process.terminate()
    assert process.wait(20) == 0


@pytest.mark.parametrize(
    "bound",
    [{"max_requests": 200}, {"max_worker_age": 0.5}, {"max_worker_rss": 1 << 20}],
    ids=["requests", "age", "memory"],
)
def test_a_worker_that_has_had_its_time_is_replaced_and_no_request_is_lost(
    start: Start, bound: dict[str, object]
) -> None:
    # covers config: max_requests, max_worker_age, max_worker_rss
    if "max_worker_rss" in bound and sys.platform != "linux":
        pytest.skip("only Linux tells the memory")
    program = start({**bound, "workers": 1})
    before = pid(program)
    with load(program) as clients:
        until(lambda: is_gone(before))
    assert (clients.refused, clients.broken) == (0, 0)
    assert "Spikard: " not in program.errors.read_text()


def test_reload_without_watchfiles_is_one_line(tmp_path: Path) -> None:
    file = tmp_path / "main.py"
    file.write_text(
        "import sys\nsys.modules['watchfiles'] = None\nfrom spikard import Spikard\nSpikard(port=0).run()\n"
    )
    environment = {**os.environ, "SPIKARD_RELOAD": "1"}
    command = [sys.executable, str(file)]
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=30, check=False)
    told = "Spikard: reload needs the package watchfiles: pip install watchfiles\n"
    assert (ended.returncode, ended.stderr) == (1, told)


RELOADED = "import value\n\n@app.get('/value')\ndef read() -> int:\n    return value.VALUE\n\napp.run(reload=True)\n"


def test_reload_picks_up_a_change_and_outlives_a_syntax_error(
    start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # covers config: reload
    pytest.importorskip("watchfiles")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    value = tmp_path / "value.py"
    value.write_text("VALUE = 1\n")
    program = start({}, RELOADED)
    assert program.get("/value")[1] == b"1"
    time.sleep(0.3)  # until the folder is watched nobody says so
    value.write_text("VALUE = 2\n")
    until(lambda: program.get("/value")[1] == b"2")
    assert "Spikard: value.py changed, the workers are replaced" in program.errors.read_text()
    value.write_text("VALUE =\n")
    until(lambda: "the workers that serve are kept" in program.errors.read_text())
    assert "SyntaxError" in program.errors.read_text()
    assert program.get("/value")[1] == b"2"
    value.write_text("VALUE = 3\n")
    until(lambda: program.get("/value")[1] == b"3")


NESTED = """
first = Spikard(port=0)
first.run(workers=1)
print("between", os.getpid(), flush=True)
app.run(workers=2)
print("after", flush=True)
"""


def test_a_worker_of_a_later_run_passes_the_earlier_ones(start: Start) -> None:
    program = start({}, NESTED)
    program.signal(signal.SIGTERM)
    told = [program.line()]
    program.port = program.wait_for_banner(2)
    workers = pids(program, 2)
    told += sorted([program.line(), program.line()])
    assert {f"between {one}" for one in {program.process.pid, *workers}} == set(told)
    program.signal(signal.SIGTERM)
    assert program.line() == "after"
    assert program.status() == 0


def test_run_may_be_called_again_with_workers(start: Start) -> None:
    program = start({"workers": 2}, "app.run()\nprint('again', flush=True)\napp.run()\nprint('over', flush=True)")
    program.signal(signal.SIGTERM)
    assert program.line() == "again"
    program.port = program.wait_for_banner(2)
    assert [program.line(), program.line()] == ["again", "again"], "the workers of the second call pass there too"
    program.signal(signal.SIGTERM)
    assert program.line() == "over"
    assert program.status() == 0


def test_the_first_answer_does_not_wait_for_all_workers(start: Start) -> None:
    def first_answer(workers: int) -> float:
        began = time.monotonic()
        program = start({"workers": workers})
        program.get("/")
        seconds = time.monotonic() - began
        program.signal(signal.SIGTERM)
        assert program.status() == 0
        return seconds

    alone, four = first_answer(1), first_answer(4)
    print(f"first answer after {alone:.3f} s alone, {four:.3f} s with 4 workers")
    assert four < alone + 3


def test_what_workers_need_is_said(tmp_path: Path) -> None:
    app = Spikard(port=0, workers=2)
    errors: list[BaseException] = []

    def run() -> None:
        try:
            app.run()
        except RuntimeError as error:
            errors.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert "need the main thread" in str(errors[0])
    program = "from spikard import Spikard\nSpikard(port=0).run(workers=2)\n"
    ended = subprocess.run(
        [sys.executable, "-"], input=program, capture_output=True, text=True, timeout=20, check=False
    )
    assert ended.returncode == 1
    assert "need a program that can be started again: a file or a module, no stdin or notebook" in ended.stderr


@pytest.mark.parametrize("config", [{"workers": 2}, {"reload": True}, {"max_requests": 5}])
def test_serve_is_one_process(config: dict[str, object]) -> None:
    with pytest.raises(RuntimeError, match=r"need run\(\): serve\(\) is one process"):
        asyncio.run(Spikard(port=0).serve(**config))  # type: ignore[arg-type]


def test_an_assignment_is_honoured_only_for_a_worker() -> None:
    program = "import os, spikard\nprint('SPIKARD_ASSIGNMENT' in os.environ, spikard._processes.assigned)\n"
    alive = f"{'0' * 32}:1:3:4:1.1"
    for text, status in ((alive, 0), (alive.replace(":1:", ":999999999:"), 1)):
        ended = subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "SPIKARD_ASSIGNMENT": text},
            capture_output=True,
            text=True,
            timeout=20,
            check=False,
        )
        assert ended.returncode == status
        assert ended.stdout == ("False None\n" if status == 0 else "")


def ask(connection: socket.socket) -> bytes:
    connection.sendall(b"GET / HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\r\n")
    return rest(connection)


class Elsewhere(Program):
    """A program that listens at no port of its own."""

    def wait_for_banner(self, count: int) -> int:
        until(lambda: self.errors.read_text().count("Ctrl-C") == count or self.process.poll() is not None)
        assert self.process.poll() is None, self.errors.read_text()
        return 0


@pytest.mark.parametrize("workers", [1, 2])
def test_a_unix_socket_serves_and_is_taken_away(
    tmp_path: Path, workers: int, capsys: pytest.CaptureFixture[str]
) -> None:
    # covers config: uds
    path = tmp_path / "app.sock"
    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind(str(path))
    program = Elsewhere(tmp_path, {"uds": str(path), "workers": workers}, "app.run()")
    try:
        assert f"on unix:{path} " in program.errors.read_text()
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(str(path))
            assert ask(client).endswith(b'{"hello":"world"}')
        assert refusal(Spikard(uds=str(path)), capsys) == f"cannot listen on unix:{path}: another server listens there"
        program.signal(signal.SIGTERM)
        assert program.status() == 0
        assert not path.exists()
    finally:
        program.process.kill()
        program.process.communicate()


def test_a_path_that_is_no_socket_is_left_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "app.sock"
    path.write_text("precious")
    assert refusal(Spikard(uds=str(path)), capsys).endswith("the path is there and is no socket")
    assert path.read_text() == "precious"


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("handed_over", [False, True], ids=["fd", "LISTEN_FDS"])
def test_an_inherited_socket_serves(tmp_path: Path, workers: int, handed_over: bool) -> None:
    # covers config: fd
    program = tmp_path / "program.py"
    call = "" if handed_over else "fd=3, "
    program.write_text(
        "from spikard import Spikard\napp = Spikard()\n"
        "@app.get('/')\ndef hello() -> str:\n    return 'inherited'\n"
        f"app.run({call}workers={workers})\n"
    )
    launch = "import os, sys\nos.dup2({number}, 3)\nos.environ.update(LISTEN_FDS='1', LISTEN_PID=str(os.getpid()))\n"
    launch += "os.set_inheritable(3, True)\nos.execv(sys.executable, [sys.executable, sys.argv[1]])\n"
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port, number = listener.getsockname()[1], listener.fileno()
        command = [sys.executable, "-c", launch.format(number=number), str(program)]
        process = subprocess.Popen(command, pass_fds=[number], stderr=subprocess.DEVNULL)
    try:
        answer = b""
        with socket.create_connection(("127.0.0.1", port), timeout=20) as client:  # the kernel has it wait
            answer = ask(client)
        assert answer.endswith(b"inherited")
    finally:
        process.terminate()
        assert process.wait(10) == 0


@pytest.mark.skipif(sys.platform == "darwin", reason="macOS does not say whether a socket listens")
def test_a_descriptor_that_does_not_listen_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as idle:
        assert refusal(Spikard(fd=idle.fileno()), capsys).startswith("cannot listen on descriptor")


STARTS_LAST = """
import atexit, subprocess

def last() -> None:
    child = subprocess.Popen([sys.executable, "-c", "print('up', flush=True); input()"], stdin=-1, stdout=-1)
    child.stdout.readline()
    child.terminate()
    print("ended by", child.wait(), flush=True)

atexit.register(last)
app.run()
"""


def test_what_a_worker_starts_while_it_ends_can_be_ended(start: Start) -> None:
    program = start({"workers": 2}, STARTS_LAST)
    pids(program, 2)
    program.signal(signal.SIGTERM)
    assert program.process.stdout is not None
    said = program.process.stdout.read().split("\n")
    assert (program.status(), said) == (0, [f"ended by -{signal.SIGTERM:d}"] * 3 + [""])
