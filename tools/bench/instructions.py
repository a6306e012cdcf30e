"""Instructions per request under callgrind: `python3 tools/bench/instructions.py --contenders spikard-python,raw-hyper`.
Exactly as many requests as are named go over 64 connections to a real server that is warm; the median of several such
runs stands in the table. Instructions hardly depend on what else the machine does, seconds do.
"""

from __future__ import annotations

import argparse
import dataclasses
import os
import re
import select
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import contenders
from exchanges import Exchange, get
from processes import Server
from workloads import ALL, HELLO

CONNECTIONS = 64
WARM_UP = 3
LIMIT = 300
PATIENCE = 10
COMMANDED = 60
"""Seconds that callgrind may take to do what it is told."""
KNOWN = {workload.name: workload.exchange for workload in ALL}
CASES = {
    "hello": get("/json", HELLO),
    "post": KNOWN["json-small"](1),
    "sync-inline": get("/sync/inline", HELLO),
    "sync-pool": get("/sync", HELLO),
    "sleep-0": get("/sleep/none", HELLO),
    "invalid": KNOWN["invalid-body"](1),
}


class Broken(Exception):
    """A run that counted nothing; the message says why."""


@dataclasses.dataclass
class Client:
    """A connection that asks again as soon as it has its answer."""

    link: socket.socket
    left: int
    received: bytes = b""


def whole(received: bytes) -> int | None:
    """The length of the answer that `received` begins with, None while it is not complete."""
    head, end, _ = received.partition(b"\r\n\r\n")
    if not end:
        return None
    if found := re.search(rb"\r\ncontent-length: *(\d+)", head, re.IGNORECASE):
        length = len(head) + 4 + int(found[1])
        return length if len(received) >= length else None
    place = received.find(b"0\r\n\r\n", len(head) + 2)
    return None if place < 0 else place + 5


def load(port: int, exchange: Exchange, each: int) -> int:
    """Asks `each` times on each of the connections; answers how many requests that were."""
    request = exchange.wire(f"127.0.0.1:{port}")
    clients: dict[int, Client] = {}
    with select.epoll() as ready:
        try:
            for _ in range(CONNECTIONS):
                link = socket.create_connection(("127.0.0.1", port))
                link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                clients[link.fileno()] = Client(link, each)
                ready.register(link.fileno(), select.EPOLLIN)
            for client in clients.values():
                client.link.sendall(request)
            turn(ready, clients, request, CONNECTIONS * each, b"4" if exchange.refused else b"2")
        finally:
            for client in clients.values():
                client.link.close()
    return CONNECTIONS * each


def turn(ready: select.epoll, clients: dict[int, Client], request: bytes, left: int, kind: bytes) -> None:
    """Reads answers and asks again until all have come. `kind` is the first digit of their statuses."""
    wanted = b"HTTP/1.1 " + kind
    end = time.monotonic() + LIMIT
    while left:
        if time.monotonic() > end:
            raise Broken(f"{left} answers missing after {LIMIT} s")
        for place, _ in ready.poll(1):
            client = clients[place]
            some = client.link.recv(65_536)
            client.received += some
            if not some or not client.received.startswith(wanted[: len(client.received)]):
                raise Broken(f"answer {client.received[:80]!r}")
            if length := whole(client.received):
                client.received = client.received[length:]
                left -= 1
                client.left -= 1
                if client.left:
                    client.link.sendall(request)
                else:  # the server may now close it as idle
                    ready.unregister(place)


def total(dump: str) -> int:
    """The instructions of a dump of callgrind."""
    found = re.search(r"^(?:totals|summary): (\d+)", dump, re.MULTILINE)
    if not found:
        raise Broken("a dump without a total")
    return int(found[1])


def complete(dump: Path) -> str:
    """The text of a dump; a process that sleeps writes its own a little after it was told to."""
    end = time.monotonic() + PATIENCE
    while "\ntotals:" not in (text := dump.read_text()) and time.monotonic() < end:
        time.sleep(0.01)
    return text


def said(command: list[str], patience: float) -> str:
    """The last line that a command prints; it may fail, but not be absent or go on for ever."""
    try:
        done = subprocess.run(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=patience, check=False
        )
    except FileNotFoundError:
        raise Broken(f"{command[0]} is not there, or perl is not, which runs it") from None
    except subprocess.TimeoutExpired:
        raise Broken(
            f"no end of `{' '.join(command)}` within {patience:.0f} s: may it trace the server (ptrace)?"
        ) from None
    return (done.stdout.strip().splitlines() or ["nothing"])[-1]


class Counted:
    """A server under callgrind, counting only when it is told to."""

    def __init__(self, contender: contenders.Contender, folder: Path) -> None:
        self.folder = folder
        out = folder / "dump.%p"
        self.told = ""
        """What `callgrind_control` has said last."""
        prefix = ("valgrind", "--tool=callgrind", "--instr-atstart=no", "--collect-jumps=no", "--trace-children=yes")
        log = folder / f"{contender.name}.log"
        # A core for the server; the generator may share it, since nothing is timed.
        self.server = Server(contender, [min(os.sched_getaffinity(0))], log, (*prefix, f"--callgrind-out-file={out}"))

    def control(self, *arguments: str) -> None:
        """Tells callgrind something; to every process of the session that it runs."""
        for pid in self.server.pids():
            self.told = said(["callgrind_control", *arguments, str(pid)], COMMANDED)

    def count(self, exchange: Exchange, each: int) -> float:
        """Instructions per request of one run after a warm-up that is not counted."""
        port = self.server.port
        load(port, exchange, WARM_UP)
        self.control("--instr=on")
        load(port, exchange, WARM_UP)
        self.control("--zero")
        requests = load(port, exchange, each)
        before = set(self.folder.glob("dump.*.*"))
        self.control("--dump")
        dumps = set(self.folder.glob("dump.*.*")) - before
        self.control("--instr=off")
        if not dumps:
            raise Broken(f"callgrind wrote no dump; callgrind_control said {self.told!r}")
        return sum(total(complete(dump)) for dump in dumps) / requests


def counted(contender: contenders.Contender, names: list[str], each: int, repeats: int) -> Iterator[list[float] | str]:
    """The runs of each case, or why there are none."""
    with tempfile.TemporaryDirectory() as folder:
        counting = Counted(contender, Path(folder))
        try:
            for name in names:
                print(f"{contender.name}: {name}", file=sys.stderr, flush=True)
                try:
                    yield [counting.count(CASES[name], each) for _ in range(repeats)]
                except (Broken, OSError) as reason:
                    yield str(reason)
        finally:
            counting.server.stop()


def cell(found: list[float] | str) -> str:
    """The median with the spread of the runs."""
    if isinstance(found, str):
        return f"failed: {found}"
    middle = statistics.median(found)
    spread = (max(found) - min(found)) / middle * 100
    return f"{middle:,.0f} ±{spread / 2:.1f} %"


def main(arguments: list[str]) -> int:
    """Prints the table; answers 1 if a cell failed."""
    parser = argparse.ArgumentParser(prog="tools/bench/instructions.py", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--contenders", default="spikard-python")
    parser.add_argument("--cases", default=",".join(CASES))
    parser.add_argument("--requests", type=int, default=40, help="on each of the 64 connections")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--wheel", type=Path, help="a wheel of ours, instead of building one")
    given = parser.parse_args(arguments)
    if not shutil.which("valgrind"):
        raise SystemExit("missing: valgrind (Debian, Ubuntu: apt-get install valgrind)")
    names = given.cases.split(",")
    if unknown := set(names) - CASES.keys():
        raise SystemExit(f"no such case: {', '.join(sorted(unknown))}; there are {', '.join(CASES)}")
    rows = []
    for one in given.contenders.split(","):
        contender = contenders.load(one)
        try:
            contenders.prepare(contender, given.wheel)
            rows.append([contender.title, *map(cell, counted(contender, names, given.requests, given.repeats))])
        except contenders.Unavailable as reason:
            rows.append([contender.title, *[f"failed: {reason}"] * len(names)])
    print(f"| contender | {' | '.join(names)} |\n|{'---|' * (len(names) + 1)}")
    for row in rows:
        print(f"| {' | '.join(row)} |")
    return int(any("failed: " in one for row in rows for one in row))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
