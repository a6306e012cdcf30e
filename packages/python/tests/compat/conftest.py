"""One server for each way of serving, for all tests of this folder."""

from __future__ import annotations

import importlib.util
import time
from collections.abc import Callable, Iterator

import pytest

from .doors import BANNER, TIME, Door, InProcess, Served

HAS_UVLOOP = importlib.util.find_spec("uvloop") is not None
Ports = Callable[[int], list[int]]
needs_uvloop = pytest.mark.skipif(not HAS_UVLOOP, reason="uvloop is not installed")

SERVERS = [
    "run asyncio",
    pytest.param("run uvloop", marks=needs_uvloop),
    "serve asyncio",
    pytest.param("serve uvloop", marks=needs_uvloop),
]


def opened(way: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    if way == "client":
        door: Door = InProcess()
    else:
        door = Served(tmp_path_factory.mktemp("server"), way.split())
    try:
        yield door
    finally:
        status = door.stop()
    assert status == 0
    if isinstance(door, Served):
        told = door.errors.read_text()
        for complaint in ("never awaited", "never retrieved", "was destroyed", "Exception ignored", "ResourceWarning"):
            assert complaint not in told, told


@pytest.fixture(scope="session", params=[*SERVERS, "client"])
def door(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    yield from opened(request.param, tmp_path_factory)


@pytest.fixture(scope="session", params=SERVERS)
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    yield from opened(request.param, tmp_path_factory)


@pytest.fixture
def ports(capsys: pytest.CaptureFixture[str]) -> Ports:
    """Waits until so many servers of this process have said that they listen: their ports, in the order of their start."""
    told = ""

    def listening(count: int) -> list[int]:
        nonlocal told
        deadline = time.monotonic() + TIME
        while len(found := BANNER.findall(told)) < count:
            assert time.monotonic() < deadline, told
            time.sleep(0.01)
            told += capsys.readouterr().err
        return [int(port) for port in found]

    return listening
