"""The test client: where its app runs, what its requests carry, and what its responses say."""

from __future__ import annotations

import asyncio
import gc
import os
import sys
import threading
import time
import weakref
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from typing import Annotated, Any

import pytest
from spikard import Depends, HTTPException, RedirectResponse, Response, Spikard
from spikard._markers import Header, Query
from spikard.testing import Cookies, HTTPStatusError, TestClient, TooManyRedirects

app = Spikard()


@app.get("/thread")
async def thread() -> int:
    return threading.get_ident()


@app.get("/slow")
async def slow() -> str:
    await asyncio.sleep(0.1)
    return "slow"


@app.post("/text")
async def text(body: str) -> str:
    return body


@app.post("/json")
async def json_body(body: dict[str, Any]) -> dict[str, Any]:
    return body


@app.get("/query")
async def query(a: str = "", tags: Query[list[str]] = Query(default_factory=list), on: bool = False) -> list[Any]:
    return [a, tags, on]


@app.get("/headers")
async def headers(x_a: Header[str] = "", cookie: Header[str] = "", host: Header[str] = "") -> list[str]:
    return [x_a, cookie, host]


@app.get("/set")
def set_cookies() -> Response:
    response = Response("set")
    response.set_cookie("a", "1")
    response.set_cookie("b", "2", path="/elsewhere")
    response.headers.add("x-many", "1")
    response.headers.add("x-many", "2")
    return response


@app.get("/old")
def old() -> Response:
    return RedirectResponse("/query?a=moved")


@app.post("/see")
def see() -> Response:
    return RedirectResponse("/query?a=seen", 303)


@app.post("/again")
def again() -> Response:
    return RedirectResponse("/json", 307)


@app.get("/loop")
def loop() -> Response:
    return RedirectResponse("/loop")


@app.get("/raises")
async def raises() -> None:
    raise ValueError("why")


@app.get("/refuses")
async def refuses() -> None:
    raise HTTPException(404, "no such thing")


def test_a_response_is_readable_at_once_and_without_with() -> None:
    client = TestClient(app)
    response = client.get("/query")
    assert response.status_code == 200
    assert response.json() == ["", [], False]
    client.close()


def test_a_response_can_be_awaited_too() -> None:
    async def main() -> None:
        response = await TestClient(app).get("/slow")
        assert response.text == "slow"

    asyncio.run(main())


def test_sync_reading_works_inside_a_running_loop() -> None:
    async def main() -> int:
        with TestClient(app) as client:
            return int(client.get("/thread").json())

    assert asyncio.run(main()) != threading.get_ident()


def test_async_with_runs_the_app_on_the_callers_loop() -> None:
    async def main() -> None:
        async with TestClient(app) as client:
            assert (await client.get("/thread")).json() == threading.get_ident()

    asyncio.run(main())


def test_reading_before_awaiting_is_refused_on_the_apps_own_loop() -> None:
    async def main() -> None:
        async with TestClient(app) as client:
            response = client.get("/slow")
            with pytest.raises(RuntimeError, match="await the response to GET /slow"):
                _ = response.status_code
            assert (await response).status_code == 200
            assert response.status_code == 200

    asyncio.run(main())


def test_async_with_can_be_used_from_other_threads() -> None:
    async def main() -> None:
        async with TestClient(app) as client:
            assert await asyncio.to_thread(lambda: client.get("/slow").text) == "slow"

    asyncio.run(main())


def test_requests_are_sent_at_once_and_answered_side_by_side() -> None:
    with TestClient(app) as client:
        began = time.perf_counter()
        handles = [client.get("/slow") for _ in range(20)]
        assert [handle.text for handle in handles] == ["slow"] * 20
        assert time.perf_counter() - began < 1.0


def keeping(log: list[str], pause: float = 0.02) -> Spikard:
    """An app that notes when its handlers begin and end."""
    app = Spikard()

    @app.route("/{name}", methods=["GET", "PUT", "POST", "DELETE"])
    async def note(name: str) -> str:
        log.append(f"{name} begins")
        await asyncio.sleep(pause)
        log.append(f"{name} ends")
        return name

    return app


def test_what_changes_something_keeps_its_place_among_requests_that_nobody_reads() -> None:
    log: list[str] = []
    with TestClient(keeping(log)) as client:
        client.get("/a")
        client.put("/b")
        assert client.delete("/c").text == "c"
        client.get("/d")
    assert log == [f"{name} {what}" for name in "abcd" for what in ("begins", "ends")]


def test_what_changes_something_keeps_its_place_on_the_callers_loop_too() -> None:
    log: list[str] = []

    async def main() -> None:
        async with TestClient(keeping(log)) as client:
            client.put("/a")
            assert (await client.delete("/b")).text == "b"

    asyncio.run(main())
    assert log == ["a begins", "a ends", "b begins", "b ends"]


def test_requests_that_are_gathered_run_side_by_side_whatever_their_methods() -> None:
    log: list[str] = []

    async def main(client: TestClient) -> None:
        answers = await asyncio.gather(client.post("/a"), client.put("/b"), client.get("/c"))
        assert [answer.text for answer in answers] == ["a", "b", "c"]

    async def on_own_loop() -> None:
        async with TestClient(keeping(log)) as client:
            await main(client)

    asyncio.run(on_own_loop())
    asyncio.run(main(TestClient(keeping(log))))
    begins = ["a begins", "b begins", "c begins"]
    assert (log[:3], log[6:9]) == (begins, begins)


def test_requests_that_several_threads_read_run_side_by_side_whatever_their_methods() -> None:
    gate = threading.Barrier(4)
    meeting = Spikard()

    @meeting.post("/")
    def meet() -> int:
        return gate.wait(10)

    with TestClient(meeting) as client, ThreadPoolExecutor(4) as pool:
        met = pool.map(lambda _: client.post("/").json(), range(4))
        assert sorted(met) == [0, 1, 2, 3]


def test_a_request_that_waits_for_another_says_so_when_its_time_is_over() -> None:
    with TestClient(keeping([], pause=0.2)) as client:
        client.put("/a")
        with pytest.raises(TimeoutError, match=r"no answer to DELETE /b .* it waits for PUT /a, which was sent before"):
            _ = client.delete("/b", timeout=0.01).status_code


def test_a_fault_of_a_request_lets_the_next_ones_begin() -> None:
    with TestClient(app) as client:
        refused = client.request("PO ST", "/text")
        assert client.post("/text", content="next").text == "next"
        with pytest.raises(ValueError, match="PO ST"):
            _ = refused.status_code


def test_closing_the_client_from_a_def_of_its_own_app_is_refused() -> None:
    closing = Spikard()
    client = TestClient(closing)

    @closing.get("/")
    def close() -> str:
        with pytest.raises(RuntimeError, match="cannot be closed by `def` code of its own app"):
            client.close()
        return "refused"

    assert client.get("/").text == "refused"
    assert client.get("/").text == "refused"
    client.close()


def test_an_async_def_may_close_the_client_of_its_own_app() -> None:
    closing = Spikard()
    client = TestClient(closing)

    @closing.get("/")
    async def close() -> str:
        client.close()
        return "closed"

    assert client.get("/").text == "closed"


def test_ctrl_c_in_a_handler_reaches_whoever_waits_for_an_answer_at_once() -> None:
    interrupted = Spikard()

    @interrupted.get("/interrupts")
    async def interrupts() -> None:
        await asyncio.sleep(0.05)
        raise KeyboardInterrupt

    @interrupted.get("/interrupts-in-a-thread")
    def interrupts_in_a_thread() -> None:
        time.sleep(0.05)
        raise KeyboardInterrupt

    @interrupted.get("/waits")
    async def waits() -> None:
        await asyncio.sleep(1000)

    for path in ("/interrupts", "/interrupts-in-a-thread"):
        began = time.perf_counter()
        with TestClient(interrupted) as client:
            handles = [client.get("/waits"), client.get(path)]
            for handle in handles:
                with pytest.raises(KeyboardInterrupt):
                    _ = handle.status_code
            with pytest.raises(RuntimeError, match="the app of the test client has ended") as late:
                _ = client.get("/waits").status_code
            assert isinstance(late.value.__cause__, KeyboardInterrupt)
        assert time.perf_counter() - began < 5
    gc.collect()  # asyncio complains then that nobody retrieved it from the task: here, and not in a later test


def test_a_loop_that_user_code_stopped_is_told_to_whoever_waits() -> None:
    stopping = Spikard()

    @stopping.get("/")
    async def stop() -> None:
        asyncio.get_running_loop().stop()
        await asyncio.sleep(1000)

    with TestClient(stopping) as client, pytest.raises(RuntimeError, match="user code stopped the event loop"):
        _ = client.get("/").status_code


@pytest.mark.parametrize(
    ("target", "headers", "status"),
    [
        ("/query?a=" + "x" * 16_350, [], 200),
        ("/query?a=" + "x" * 16_400, [], 414),
        ("/query?a=" + "x" * 100_000, [], 414),
        ("/query", [(f"x-{number}", "1") for number in range(99)], 200),
        ("/query", [(f"x-{number}", "1") for number in range(100)], 431),
        ("/query", [("x-a", "x" * 66_000)], 431),
        ("/query", [("content-type", "text/plain"), ("content-type", "text/html")], 400),
    ],
)
def test_the_limits_of_a_connection_apply(target: str, headers: list[tuple[str, str]], status: int) -> None:
    with TestClient(app) as client:
        answer = client.get(target, headers=headers)
        assert answer.status_code == status
        assert "x-request-id" in answer.headers
        if status != 200:
            assert answer.headers["content-type"] == "application/problem+json"


def test_the_end_of_with_waits_for_what_is_on_its_way() -> None:
    with TestClient(app) as client:
        response = client.get("/slow")
    assert response.text == "slow"


def test_an_exception_in_with_does_not_wait() -> None:
    client = TestClient(app)
    response = client.get("/slow")
    client.__exit__(KeyError, KeyError(), None)
    with pytest.raises(RuntimeError, match="the test client was closed before the answer came"):
        _ = response.status_code


def an_app_that_is_busy(seconds: float) -> tuple[Spikard, list[str]]:
    """One whose handler takes so long, with a dependency that cleans up for a while."""
    busy, log = Spikard(), list[str]()

    async def opened() -> AsyncIterator[str]:
        try:
            yield "x"
        finally:
            await asyncio.sleep(0.02)
            log.append("cleaned up")

    @busy.get("/")
    async def work(opened: Annotated[str, Depends(opened)]) -> str:
        log.append("begun")
        await asyncio.sleep(seconds)
        log.append("done")
        return opened

    busy.on_shutdown(lambda: log.append("shut down"))
    return busy, log


@pytest.mark.parametrize(
    ("seconds", "ends"),
    [(0.1, ["begun", "done", "cleaned up", "shut down"]), (60.0, ["begun", "cleaned up", "shut down"])],
)
@pytest.mark.parametrize("on_the_callers_loop", [True, False])
def test_a_client_that_is_left_by_an_exception_cleans_up(
    seconds: float, ends: list[str], on_the_callers_loop: bool, caplog: pytest.LogCaptureFixture
) -> None:
    busy, log = an_app_that_is_busy(seconds)

    async def leave_the_loop() -> None:
        async with TestClient(busy) as client:
            client.get("/")
            while not log:
                await asyncio.sleep(0.001)
            raise KeyError

    def leave() -> None:
        with TestClient(busy) as client:
            client.get("/")
            while not log:
                time.sleep(0.001)
            raise KeyError

    with pytest.raises(KeyError):
        asyncio.run(leave_the_loop()) if on_the_callers_loop else leave()
    gc.collect()
    assert (log, caplog.messages) == (ends, [])


@pytest.mark.parametrize("on_the_callers_loop", [True, False])
def test_a_shut_down_that_fails_is_told_beside_the_exception_that_left(on_the_callers_loop: bool) -> None:
    failing = Spikard()

    @failing.on_shutdown
    def fail() -> None:
        raise OSError("the pool is gone")

    async def leave_the_loop() -> None:
        async with TestClient(failing):
            raise KeyError

    def leave() -> None:
        with TestClient(failing):
            raise KeyError

    with pytest.raises(OSError, match="the pool is gone") as raised:
        asyncio.run(leave_the_loop()) if on_the_callers_loop else leave()
    assert isinstance(raised.value.__context__, KeyError)


def test_what_is_cut_off_ends_in_silence(caplog: pytest.LogCaptureFixture) -> None:
    cut_off = Spikard()
    log: list[str] = []

    @cut_off.get("/")
    async def wait() -> None:
        log.append("begun")
        try:
            await asyncio.sleep(0.05)
        finally:
            log.append("ended")

    async def main() -> None:
        client = TestClient(cut_off)
        await client.__aenter__()
        client.get("/")
        while not log:
            await asyncio.sleep(0)
        await client.__aexit__(KeyError, KeyError(), None)
        assert log == ["begun", "ended"]
        await asyncio.sleep(0.06)
        gc.collect()

    asyncio.run(main())
    client = TestClient(cut_off)
    client.get("/")
    while len(log) == 2:
        time.sleep(0.001)
    client.__exit__(KeyError, KeyError(), None)
    gc.collect()
    assert log == ["begun", "ended"] * 2
    assert not caplog.records


def test_query_parameters_are_appended() -> None:
    with TestClient(app) as client:
        assert client.get("/query?a=x y", params={"tags": ["1", "2"], "on": True}).json() == ["x y", ["1", "2"], True]
        assert client.get("/query", params=[("tags", "ü"), ("tags", 2)]).json() == ["", ["ü", "2"], False]
        assert client.get("/query", params="a=b").json() == ["b", [], False]


def test_bodies_are_json_forms_or_content() -> None:
    with TestClient(app) as client:
        assert client.post("/json", json={"a": [1, None]}).json() == {"a": [1, None]}
        assert client.post("/json", content=b'{"a":1}', headers={"content-type": "application/json"}).json() == {"a": 1}
        assert client.post("/text", content="tëxt").text == "tëxt"
        with pytest.raises(TypeError, match="one body"):
            client.post("/json", json={}, content=b"")


def test_a_url_within_a_query_is_no_base() -> None:
    app = Spikard()

    @app.get("/to")
    async def to(u: str) -> str:
        return u

    with TestClient(app) as client:
        assert client.get("/to?u=http://a.example/b").text == "http://a.example/b"


def test_a_form_is_urlencoded() -> None:
    forms = Spikard()

    @forms.post("/")
    async def create(name: str, tags: list[str]) -> list[Any]:
        return [name, tags]

    with TestClient(forms) as client:
        assert client.post("/", data={"name": "a&b", "tags": ["1", "2"]}).json() == ["a&b", ["1", "2"]]


def test_headers_of_the_request_replace_those_of_the_client() -> None:
    with TestClient(app, headers={"X-A": "client"}) as client:
        assert client.get("/headers").json()[0] == "client"
        assert client.get("/headers", headers={"x-a": "request"}).json()[0] == "request"


def test_the_base_url_names_the_host() -> None:
    with TestClient(app, "http://example.org:81") as client:
        response = client.get("/headers")
    assert response.json()[2] == "example.org:81"
    assert response.url == "http://example.org:81/headers"


def test_cookies_are_kept_and_sent_where_they_belong() -> None:
    with TestClient(app, cookies={"own": "0"}) as client:
        response = client.get("/set")
        assert dict(response.cookies) == {"a": "1", "b": "2"}
        assert dict(client.cookies) == {"own": "0", "a": "1", "b": "2"}
        sent = client.get("/headers", cookies={"once": "3"}).json()[1]
        assert sorted(sent.split("; ")) == ["a=1", "once=3", "own=0"]
        del client.cookies["a"]
        assert sorted(client.get("/headers").json()[1].split("; ")) == ["own=0"]


def test_several_values_of_a_header_are_kept() -> None:
    with TestClient(app) as client:
        response = client.get("/set")
    assert response.headers.getlist("X-Many") == ["1", "2"]
    assert len(response.headers.getlist("set-cookie")) == 2


def test_redirects_are_followed_and_remembered() -> None:
    with TestClient(app) as client:
        response = client.get("/old")
        assert (response.json()[0], response.url) == ("moved", "http://testserver/query?a=moved")
        assert [(step.status_code, step.url) for step in response.history] == [(307, "http://testserver/old")]
        assert client.get("/old", follow_redirects=False).status_code == 307
        assert client.post("/see", json={}).json()[0] == "seen"
        assert client.post("/again", json={"kept": 1}).json() == {"kept": 1}
        with pytest.raises(TooManyRedirects):
            _ = client.get("/loop").status_code


def test_text_is_a_str_that_can_be_called() -> None:
    with TestClient(app) as client:
        response = client.get("/slow")
        assert response.text == "slow"
        assert response.text() == "slow"
        assert response.content == response.bytes() == b"slow"


def test_statuses_are_asserted_in_chains() -> None:
    with TestClient(app) as client:
        assert client.get("/slow").assert_status(200).assert_status_ok().raise_for_status().text == "slow"
        refused = client.get("/refuses")
        with pytest.raises(AssertionError, match=r"GET /refuses was answered 404, not 200: .*no such thing"):
            refused.assert_status(200)
        with pytest.raises(AssertionError, match="GET /refuses was answered 404"):
            refused.assert_status_ok()
        with pytest.raises(HTTPStatusError, match="404"):
            refused.raise_for_status()


def test_exceptions_reach_the_test_only_if_it_asks_for_them(caplog: pytest.LogCaptureFixture) -> None:
    with TestClient(app) as client:
        assert client.get("/raises").status_code == 500
    assert len(caplog.records) == 1
    with TestClient(app, raise_server_exceptions=True) as client:
        fine, failed = client.get("/slow"), client.get("/raises")
        with pytest.raises(ValueError, match="why"):
            _ = failed.status_code
        assert fine.text == "slow"
        assert client.get("/refuses").status_code == 404
    assert len(caplog.records) == 1


def test_a_late_answer_is_a_timeout() -> None:
    with TestClient(app) as client:
        with pytest.raises(TimeoutError, match=r"no answer to GET /slow within 0\.01 s"):
            _ = client.get("/slow", timeout=0.01).status_code

        async def main() -> None:
            with pytest.raises(TimeoutError, match=r"no answer to GET /slow within 0\.01 s"):
                await client.get("/slow", timeout=0.01)

        asyncio.run(main())


def test_a_start_up_fault_comes_out_of_the_client() -> None:
    broken = Spikard()
    broken.get("/{id}")(lambda: None)
    with pytest.raises(Exception, match=r"GET /\{id\}"):
        TestClient(broken).get("/1")


def test_a_handle_keeps_its_client_until_the_answer_is_there() -> None:
    handle = TestClient(app).get("/slow")
    gc.collect()
    assert handle.text == "slow"


def test_a_forgotten_client_ends_its_thread() -> None:
    client = TestClient(app)
    assert client.get("/query").status_code == 200
    here = weakref.ref(client)
    before = set(threading.enumerate())
    del client
    gc.collect()
    assert here() is None
    assert len(before - set(threading.enumerate())) >= 1


def test_a_thousand_clients_leave_threads_and_memory_flat() -> None:
    def held() -> tuple[int, int, int]:
        gc.collect()
        with open("/proc/self/statm") as statm:
            pages = int(statm.read().split()[1])
        return len(os.listdir("/proc/self/task")), len(os.listdir("/proc/self/fd")), pages * os.sysconf("SC_PAGE_SIZE")

    def some(count: int) -> None:
        for _ in range(count):
            with TestClient(app) as client:
                assert client.get("/query").status_code == 200

    if not os.path.isdir("/proc/self/task"):
        pytest.skip("counts threads in /proc")
    # Where there is no lock, the memory of threads that have ended comes back late.
    some(200 if getattr(sys, "_is_gil_enabled", lambda: True)() else 2_000)
    growth = []
    while not growth or growth[-1] >= 2 * 1024 * 1024:
        # What is kept for ever grows each time; what a collector or an allocator keeps grows until it has settled.
        assert len(growth) < 6, growth
        threads, descriptors, memory = held()
        some(500)
        threads_after, descriptors_after, memory_after = held()
        assert threads_after <= threads + 1  # the system forgets an ended thread a moment later
        assert descriptors_after == descriptors
        growth.append(memory_after - memory)
    print(f"growth of memory in each 500 clients: {growth}")


def test_cookies_are_a_mapping() -> None:
    cookies = Cookies({"a": "1"})
    cookies["b"] = "2"
    assert dict(cookies) == {"a": "1", "b": "2"}
    assert len(cookies) == 2
    del cookies["a"]
    assert "a" not in cookies
    with pytest.raises(KeyError):
        del cookies["a"]


@pytest.mark.asyncio
async def test_a_route_that_comes_while_the_app_of_a_client_runs_is_refused() -> None:
    app = Spikard()
    with TestClient(app), pytest.raises(RuntimeError, match="GET /late comes too late"):
        app.get("/late")(lambda: None)
    async with TestClient(app):
        with pytest.raises(RuntimeError, match="comes too late"):
            app.get("/late")(lambda: None)
    app.get("/late")(lambda: "in time")
    with TestClient(app) as client:
        assert client.get("/late").text == "in time"
