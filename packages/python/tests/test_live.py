"""The client over a socket: where its server runs, what it answers, and how it ends."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from spikard import HTTPException, LiveTestClient, Request, Response, Spikard, TestClient

app = Spikard()
started: list[int] = []


@app.get("/pid")
async def pid() -> int:
    return os.getpid()


@app.get("/started")
async def which() -> list[int]:
    return started


slow_ones: list[None] = []


@app.get("/slow")
async def slow() -> str:
    slow_ones.append(None)
    await asyncio.sleep(0.3)
    return "slow"


@app.get("/slow/begun")
async def begun() -> int:
    return len(slow_ones)


@app.post("/add/{number}")
async def add(number: int) -> list[int]:
    await asyncio.sleep(0.02)
    started.append(number)
    return started


@app.post("/text")
async def text(body: str) -> str:
    return body


@app.get("/set")
def set_cookies() -> Response:
    response = Response("set", status_code=303, headers={"location": "/cookie"})
    response.set_cookie("a", "1")
    return response


@app.get("/cookie")
def cookie(request: Request) -> str:
    return request.headers.get("cookie", "")


@app.get("/missing")
def missing() -> None:
    raise HTTPException(404, "no such thing")


def alone() -> Spikard:
    """An app that no module holds."""
    nobodys = Spikard(workers=2, shutdown_timeout=5)

    @nobodys.get("/pid")
    async def pid() -> int:
        return os.getpid()

    @nobodys.get("/slow")
    async def slow() -> str:
        await asyncio.sleep(0.3)
        return "slow"

    @nobodys.post("/text")
    async def text(body: str) -> str:
        return body

    return nobodys


def test_the_app_of_a_module_is_served_by_a_process() -> None:
    with LiveTestClient(app) as client:
        assert client.pid not in (None, os.getpid())
        assert client.get("/pid").json() == client.pid
        assert client.base_url == f"http://127.0.0.1:{client.port}"
        assert client.get("/pid").url == f"{client.base_url}/pid"
    assert client.wait(0) == 0


def test_another_app_is_served_by_a_thread() -> None:
    with LiveTestClient(alone()) as client:
        assert client.pid is None
        assert client.get("/pid").json() == os.getpid()
        assert client.post("/text", content="é").text == "é"
        assert client.port > 0
    assert client.wait(0) == 0
    assert not any(thread.name.startswith("spikard-live") for thread in threading.enumerate())


def test_the_surface_is_that_of_the_client_without_a_socket() -> None:
    with LiveTestClient(app, headers={"x-a": "1"}) as client:
        assert isinstance(client, TestClient)
        client.get("/missing").assert_status(404)
        assert client.head("/pid").content == b""
        assert client.post("/text", content="x" * 1_000_000).text == "x" * 1_000_000
        sent_on = client.get("/set")
        assert (sent_on.text, client.cookies["a"], len(sent_on.history)) == ("a=1", "1", 1)
        assert client.get("/set", follow_redirects=False).status_code == 303
        client.post("/text", content="x" * 11_000_000).assert_status(413)


def test_what_changes_something_keeps_its_place() -> None:
    with LiveTestClient(app) as client:
        for number in range(20):
            client.post(f"/add/{number}")
        assert client.get("/started").json() == list(range(20))


def test_requests_run_side_by_side() -> None:
    async def main() -> None:
        async with LiveTestClient(app) as client:
            begun = asyncio.get_running_loop().time()
            answers = await asyncio.gather(*(client.get("/slow") for _ in range(10)))
            assert [answer.text for answer in answers] == ["slow"] * 10
            assert asyncio.get_running_loop().time() - begun < 3

    asyncio.run(main())


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no signals that ask for an end")
def test_a_signal_drains_the_process() -> None:
    with LiveTestClient(app) as client:
        answer = client.get("/slow")
        while not client.get("/slow/begun").json():
            pass
        client.send_signal(signal.SIGTERM)
        assert answer.text == "slow"
        assert client.wait(20) == 0
        with pytest.raises(ConnectionError):
            client.get("/pid").assert_status_ok()


def test_a_server_on_a_thread_heeds_the_signals_of_a_drain_only() -> None:
    with LiveTestClient(alone()) as client:
        answer = client.get("/slow")
        client.get("/pid").assert_status_ok()
        with pytest.raises(ValueError, match="it heeds SIGINT and SIGTERM, not SIGABRT"):
            client.send_signal(signal.SIGABRT)
        client.send_signal(signal.SIGTERM)
        assert answer.text == "slow"
        assert client.wait(20) == 0


def test_a_server_that_goes_on_is_not_waited_for_any_longer() -> None:
    for one in (app, alone()):
        with LiveTestClient(one) as client:
            client.get("/pid").assert_status_ok()
            with pytest.raises(TimeoutError, match=r"has not ended within 0\.01 s"):
                client.wait(0.01)


def test_the_first_use_starts_the_server_and_close_ends_it() -> None:
    client = LiveTestClient(app)
    with pytest.raises(RuntimeError, match="it has not been started"):
        client.wait()
    first = client.pid
    assert client.get("/pid").json() == first
    client.close()
    assert client.wait(0) == 0
    assert client.get("/pid").json() == client.pid != first
    client.close()
    client.close()


def test_a_client_that_nobody_holds_ends_its_server() -> None:
    client = LiveTestClient(app)
    process = client.pid
    assert process is not None
    del client
    with pytest.raises(ProcessLookupError):
        os.kill(process, 0)


SHOP = """
from spikard import Spikard
shop = Spikard(workers=2)

class Holder:
    app = shop

@shop.get("/name")
def name() -> str:
    return __name__
"""


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "shop_of_test_live.py").write_text(SHOP)
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path


@pytest.mark.parametrize("name", ["shop_of_test_live:shop", "shop_of_test_live:Holder.app"])
@pytest.mark.usefixtures("shop")
def test_an_app_may_be_named(name: str) -> None:
    with LiveTestClient(name) as client:
        assert client.get("/name").text == "shop_of_test_live"
    assert "shop_of_test_live" not in sys.modules


@pytest.mark.parametrize(
    ("name", "error", "words"),
    [
        ("shop_of_test_live", ValueError, "an app is named module:attribute, got 'shop_of_test_live'"),
        ("shop_of_test_live:Holder", RuntimeError, "shop_of_test_live:Holder is no Spikard, but a type"),
        ("no_such_module:app", RuntimeError, "ended with status 1 before it listened"),
    ],
)
@pytest.mark.usefixtures("shop")
def test_a_name_that_leads_nowhere_is_told(name: str, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words), LiveTestClient(name):
        pass


def test_a_fault_at_the_start_of_a_thread_is_told() -> None:
    broken = Spikard()

    @broken.get("/{a}")
    def first(a: int) -> int:
        return a

    @broken.get("/{b}")
    def second(b: int) -> int:
        return b

    with pytest.raises(Exception, match="/"), LiveTestClient(broken):
        pass


def test_a_module_that_starts_a_client_of_its_own_app_is_told(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(
        "from spikard import LiveTestClient, Spikard\napp = Spikard()\n"
        "@app.get('/')\ndef hello() -> str:\n    return __name__\n"
        "with LiveTestClient(app) as client:\n    print(client.get('/').text)\n"
    )
    run = [sys.executable, str(program)]
    ended = subprocess.run(run, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 1
    assert "cannot start a server for it when it is imported" in ended.stderr
    program.write_text(program.read_text().replace("with Live", "if __name__ == '__main__':\n  with Live"))
    ended = subprocess.run(run, capture_output=True, text=True, timeout=60, check=False)
    assert (ended.stdout, ended.stderr) == ("__mp_main__\n", "")


def test_clients_in_many_threads() -> None:
    with LiveTestClient(app) as client, ThreadPoolExecutor(8) as pool:
        texts = list(pool.map(lambda number: client.post("/text", content=str(number)).text, range(100)))
    assert texts == [str(number) for number in range(100)]


def provided() -> Spikard:
    app = Spikard()
    app.provide("word", "real")

    @app.get("/word")
    async def word(word: str) -> str:
        return word

    return app


def test_an_override_goes_around_a_client_whose_server_is_a_thread() -> None:
    app = provided()
    with app.override("word", "fake"), LiveTestClient(app) as client:
        assert client.get("/word").text == "fake"
    with LiveTestClient(app) as client:
        assert client.get("/word").text == "real"
        with app.override("word", "fake"), pytest.raises(RuntimeError, match="begin it before the client"):
            client.get("/word")
        assert client.get("/word").text == "real"
    with app.override("word", "fake"):
        assert client.get("/word").text == "fake"  # by a server of its own
        client.close()


def test_an_override_that_no_other_process_knows_is_refused() -> None:
    def fake() -> None:
        pass

    app.provide("live", "real")
    with LiveTestClient(app) as client, app.override("live", fake):
        assert client.pid is not None
        with pytest.raises(RuntimeError, match="not there in the process"):
            client.get("/pid")


def test_a_route_that_comes_while_a_thread_serves_is_refused() -> None:
    app = provided()
    with LiveTestClient(app) as client:
        assert client.pid is None
        with pytest.raises(RuntimeError, match="comes too late"):
            app.get("/late")(lambda: None)
