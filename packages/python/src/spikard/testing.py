"""The in-process client: the very same service as the server's, without a socket. Lazy: the one over a socket."""

from __future__ import annotations

import asyncio
import json as json_module
import weakref
from collections.abc import Generator, Iterable, Mapping, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from contextlib import ExitStack
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote, urlencode, urljoin, urlsplit

from . import _multipart
from ._cookies import Cookies
from ._headers import Headers
from ._portal import Home, Portal, Turn
from ._raised import Raised
from ._render import encode
from ._request import TESTER
from .app import Spikard

if TYPE_CHECKING:
    from typing_extensions import Self

    from ._live import LiveTestClient
    from ._multipart import Files
    from ._spikard import Worker

__all__ = ["Cookies", "HTTPStatusError", "LiveTestClient", "TestClient", "TestResponse", "Text", "TooManyRedirects"]

if not TYPE_CHECKING:  # hidden: a visible __getattr__ would make every typo an Any

    def __getattr__(name):
        if name == "LiveTestClient":
            from ._live import LiveTestClient

            return LiveTestClient
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


_MAX_REDIRECTS = 20
_SAFE = ("GET", "HEAD", "OPTIONS", "TRACE")

Primitive = str | int | float | bool | None
Pairs = Mapping[str, Primitive | Sequence[Primitive]] | Sequence[tuple[str, Primitive]]
HeaderFields = Mapping[str, str] | Iterable[tuple[str, str]]


class HTTPStatusError(AssertionError):
    """A response has a status that `raise_for_status` does not take."""


class TooManyRedirects(Exception):
    """A request was sent on more than twenty times."""


class Text(str):
    """A `str` that may also be called: `r.text` and `r.text()`."""

    __slots__ = ()

    def __call__(self) -> str:
        return str.__str__(self)


class TestResponse:
    """An answer that may still be on its way: awaitable, and readable at once. Reading waits for it, which is refused
    on the loop that the app itself runs on.
    """

    __test__ = False

    def __init__(self, request: _Request, turn: Turn, home: Home, client: TestClient | None) -> None:
        self._request, self._turn, self._home = request, turn, home
        self._future: Future[_Exchange] = turn.future
        self._client = client  # a client that nobody holds is closed: not before the answer is there
        self._future.add_done_callback(self._let_go)

    def _let_go(self, _: Future[_Exchange]) -> None:
        self._client = None

    def __await__(self) -> Generator[Any, None, TestResponse]:
        if not self._future.done():
            self._home.expect(self._turn)
            try:
                waiting = asyncio.wait_for(asyncio.wrap_future(self._future), self._request.timeout)
                yield from waiting.__await__()
            except asyncio.TimeoutError as error:
                if not self._future.done():
                    raise self._late() from error
        self._future.result()
        return self

    def _late(self) -> TimeoutError:
        text = f"no answer to {self._request} within {self._request.timeout} s"
        if obstacle := self._home.obstacle(self._turn):
            text += f": it waits for {obstacle.name}, which was sent before and has no answer"
        return TimeoutError(text)

    def _exchange(self) -> _Exchange:
        if not self._future.done() and self._home.is_here():
            raise RuntimeError(
                f"await the response to {self._request} before reading it: the app runs on this very loop"
            )
        if not self._future.done():
            self._home.expect(self._turn)
        try:
            return self._future.result(self._request.timeout)
        except FutureTimeout:
            if self._future.done():
                raise
            raise self._late() from None

    @property
    def status_code(self) -> int:
        """The status."""
        return self._exchange().status

    @property
    def headers(self) -> Headers:
        """The header fields: names without case, several values of a name in order."""
        return self._exchange().headers

    @property
    def cookies(self) -> Cookies:
        """The cookies that this response sets."""
        exchange = self._exchange()
        cookies = Cookies()
        cookies.extract(exchange.url, exchange.headers.getlist("set-cookie"))
        return cookies

    @property
    def content(self) -> bytes:
        """The body."""
        return self._exchange().body

    @property
    def text(self) -> Text:
        """The body as text, in the charset of its type or UTF-8; `text()` says the same."""
        exchange = self._exchange()
        _, _, charset = exchange.headers.get("content-type", "").lower().partition("charset=")
        return Text(exchange.body.decode(charset.split(";")[0].strip(' "') or "utf-8", "replace"))

    def json(self) -> Any:
        """The body, parsed as JSON."""
        return json_module.loads(self._exchange().body)

    @property
    def url(self) -> str:
        """Where the response came from, after redirects."""
        return self._exchange().url

    @property
    def history(self) -> list[TestResponse]:
        """The redirects that were followed, oldest first."""
        return [self._done(exchange) for exchange in self._exchange().history]

    def _done(self, exchange: _Exchange) -> TestResponse:
        future: Future[_Exchange] = Future()
        future.set_result(exchange)
        return TestResponse(self._request, Turn(self._turn.name, True, self._turn.start, future), self._home, None)

    def raise_for_status(self) -> Self:
        """Raises an `HTTPStatusError` from 400 on."""
        if self.status_code >= 400:
            raise HTTPStatusError(f"{self._request} was answered {self.status_code}: {self.text}")
        return self

    def assert_status(self, code: int) -> Self:
        """Fails unless this is the status."""
        if self.status_code != code:
            raise AssertionError(f"{self._request} was answered {self.status_code}, not {code}: {self.text}")
        return self

    def assert_status_ok(self) -> Self:
        """Fails unless the status is between 200 and 299."""
        if not 200 <= self.status_code <= 299:
            raise AssertionError(f"{self._request} was answered {self.status_code}: {self.text}")
        return self

    def bytes(self) -> bytes:  # last: inside this class the name is no longer the type's
        """The body."""
        return self.content

    def __repr__(self) -> str:
        done = self._future.done() and self._future.exception() is None
        return f"<TestResponse [{self.status_code if done else 'on its way'}]>"


class _Request(NamedTuple):
    method: str
    url: str
    headers: Headers
    body: bytes
    cookies: Mapping[str, str]
    follow: bool
    timeout: float | None

    def __str__(self) -> str:
        return f"{self.method} {urlsplit(self.url).path or '*'}"


class _Exchange(NamedTuple):
    url: str
    status: int
    headers: Headers
    body: bytes
    history: list[_Exchange]


class _Session:
    """What the requests of one client have in common. It knows nothing of the client, which may go before it."""

    def __init__(self, cookies: Mapping[str, str] | None, raises: bool) -> None:
        self.cookies = Cookies(cookies)
        self.raised = Raised(raises)

    def send(self, request: _Request, history: list[_Exchange], worker: Worker, future: Future[_Exchange]) -> None:
        """Sends a request, and those that its answers redirect to. On the app's loop."""

        def told(status: int, fields: list[tuple[str, bytes]], body: bytes, fault: Exception | None = None) -> None:
            try:
                if fault is not None:
                    raise fault
                self._answered(request, status, fields, body, history, worker, future)
            except Exception as error:
                if not future.done():
                    future.set_exception(error)

        self.raised.begin()
        worker.send(request.method, _target(request.url), self._fields(request), request.body, told)

    def _fields(self, request: _Request) -> list[tuple[str, str]]:
        fields = request.headers.multi_items()
        names = {name.lower() for name, _ in fields}
        if "host" not in names:
            fields.insert(0, ("host", urlsplit(request.url).netloc))
        cookies = [f"{_primitive(name)}={_primitive(value)}" for name, value in request.cookies.items()]
        if kept := self.cookies.get_for(request.url):
            cookies.insert(0, kept)
        if cookies and "cookie" not in names:
            fields.append(("cookie", "; ".join(cookies)))
        if "content-length" not in names and (request.body or request.method in ("POST", "PUT", "PATCH")):
            fields.append(("content-length", str(len(request.body))))
        return fields

    def _answered(
        self,
        request: _Request,
        status: int,
        fields: list[tuple[str, bytes]],
        body: bytes,
        history: list[_Exchange],
        worker: Worker,
        future: Future[_Exchange],
    ) -> None:
        headers = Headers([(name, value.decode("latin-1")) for name, value in fields])
        if raised := self.raised.end(str(request), status, headers.get("x-request-id")):
            future.set_exception(raised)
        elif status == 0:
            future.set_exception(ConnectionError(f"the body of the answer to {request} broke off"))
        else:
            self.cookies.extract(request.url, headers.getlist("set-cookie"))
            exchange = _Exchange(request.url, status, headers, body, history)
            onward = _redirected(request, exchange) if request.follow else None
            if onward is None:
                future.set_result(exchange)
            elif len(history) == _MAX_REDIRECTS:
                future.set_exception(TooManyRedirects(f"{request} was redirected {_MAX_REDIRECTS} times"))
            else:
                self.send(onward, [*history, exchange._replace(history=list(history))], worker, future)


def _redirected(request: _Request, exchange: _Exchange) -> _Request | None:
    location = exchange.headers.get("location")
    if exchange.status not in (301, 302, 303, 307, 308) or location is None:
        return None
    url = urljoin(request.url, location)
    onward = request._replace(url=url)
    if exchange.status in (307, 308) or request.method in ("GET", "HEAD"):
        return onward
    if exchange.status == 301 and request.method != "POST":
        return onward
    headers = Headers([field for field in request.headers.multi_items() if not field[0].lower().startswith("content-")])
    return onward._replace(method="GET", headers=headers, body=b"")


class TestClient:
    """Sends requests to an app in this process. Every verb submits at once and returns a handle that is the response
    and can be awaited. Handlers run side by side, but what changes something (any method but GET, HEAD, OPTIONS and
    TRACE) keeps its place: it runs after all that was sent before it and before all that is sent after it, unless both
    are being waited for, by `asyncio.gather` or in several threads.

    `async with` runs the app on the caller's loop. Otherwise it runs on a thread and loop of its own, from the first
    request to `close()`, the end of `with`, or the client's own end. `with` and `async with` run start-up and shut-down.

    >>> from spikard import Spikard
    >>> app = Spikard()
    >>> @app.get("/")
    ... def index() -> dict[str, str]:
    ...     return {"hello": "world"}
    >>> with TestClient(app) as client:
    ...     client.get("/").json()
    {'hello': 'world'}
    """

    __test__ = False
    _takes: tuple[type, ...] = (Spikard,)

    def __init__(
        self,
        app: Spikard,
        base_url: str = "http://testserver",
        *,
        headers: HeaderFields | None = None,
        cookies: Mapping[str, str] | None = None,
        follow_redirects: bool = True,
        timeout: float | None = 60.0,
        raise_server_exceptions: bool = False,
    ) -> None:
        if not isinstance(app, self._takes):
            raise TypeError(f"app must be a Spikard, got {app!r}")
        self.app = app
        self._base_url = base_url.rstrip("/")
        self.headers = Headers(headers)
        self.follow_redirects = follow_redirects
        self.timeout = timeout
        self._session = _Session(cookies, raise_server_exceptions)
        self._home: Home | None = None
        self._portal: Portal | None = None
        self._end: weakref.finalize[[], TestClient] | None = None
        self._fixed = ExitStack()

    @property
    def base_url(self) -> str:
        """What a path is put after."""
        return self._base_url

    @property
    def cookies(self) -> Cookies:
        """The cookies that the client sends, those that responses set included."""
        return self._session.cookies

    def request(
        self,
        method: str,
        url: str,
        *,
        params: Pairs | str | None = None,
        headers: HeaderFields | None = None,
        cookies: Mapping[str, str] | None = None,
        json: Any = None,
        data: Pairs | bytes | str | None = None,
        files: Files | None = None,
        content: bytes | str | Iterable[bytes] | None = None,
        follow_redirects: bool | None = None,
        timeout: float | None = None,
    ) -> TestResponse:
        """Sends a request. At most one of `json`, a form (`data`, and `files` for one with files) and `content` is given."""
        body, kind = _body(json, data, files, content)
        fields = Headers(self.headers)
        own = Headers(headers)
        for name in own:
            fields.pop(name, None)
        for name, value in own.multi_items():
            fields.add(name, value)
        if kind is not None:
            fields.setdefault("content-type", kind)
        request = _Request(
            method.upper(),
            _url(self.base_url, url, params),
            fields,
            body,
            cookies or {},
            self.follow_redirects if follow_redirects is None else follow_redirects,
            self.timeout if timeout is None else timeout,
        )
        return self._submit(request)

    def _submit(self, request: _Request) -> TestResponse:
        home = self._home or self._open()
        if isinstance(home, Home):  # that of a live client is another
            home.check(str(request))
        future: Future[_Exchange] = Future()
        future.set_running_or_notify_cancel()
        session = self._session
        turn = Turn(
            str(request), request.method in _SAFE, lambda worker: session.send(request, [], worker, future), future
        )
        response = TestResponse(request, turn, home, self)
        home.submit(turn)
        return response

    def get(self, url: str, **options: Any) -> TestResponse:
        """Sends a GET request; the options are those of `request`."""
        return self.request("GET", url, **options)

    def post(self, url: str, **options: Any) -> TestResponse:
        """Sends a POST request; the options are those of `request`."""
        return self.request("POST", url, **options)

    def put(self, url: str, **options: Any) -> TestResponse:
        """Sends a PUT request; the options are those of `request`."""
        return self.request("PUT", url, **options)

    def patch(self, url: str, **options: Any) -> TestResponse:
        """Sends a PATCH request; the options are those of `request`."""
        return self.request("PATCH", url, **options)

    def delete(self, url: str, **options: Any) -> TestResponse:
        """Sends a DELETE request; the options are those of `request`."""
        return self.request("DELETE", url, **options)

    def head(self, url: str, **options: Any) -> TestResponse:
        """Sends a HEAD request; the options are those of `request`."""
        return self.request("HEAD", url, **options)

    def options(self, url: str, **options: Any) -> TestResponse:
        """Sends an OPTIONS request; the options are those of `request`."""
        return self.request("OPTIONS", url, **options)

    def _open(self, *, starts_up: bool = False) -> Home:
        self._portal = Portal(self.app, self._session.raised.report, starts_up=starts_up)
        self._end = weakref.finalize(self, partial(_forgotten, self._portal, self._session))
        self._home = self._portal.home
        return self._home

    def close(self) -> None:
        """Ends the app's thread when what is on its way has been answered. The next request begins another one. It is
        a `RuntimeError` in `def` code of that app, whose end is waited for.
        """
        self._stop(drain=True)

    def _stop(self, drain: bool) -> None:
        portal, end = self._portal, self._end
        if portal is not None and portal.is_inside():
            raise RuntimeError("the test client cannot be closed by `def` code of its own app: it waits for that code")
        self._portal = self._home = self._end = None
        self._fixed.close()
        if portal is not None and end is not None:
            portal.stop(drain)
            end.detach()  # not before: if the interpreter ends meanwhile, it waits for the portal too
            self._session.raised.settle(raises=drain and portal.fault is None)
            if portal.fault is not None:
                raise portal.fault

    def __enter__(self) -> Self:
        if self._home is None:
            self._open(starts_up=True)
            self._fixed.enter_context(self.app._fixed())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop(drain=error is None)

    async def __aenter__(self) -> Self:
        if self._home is not None:
            raise RuntimeError("the app of this client runs already: use `async with` before the first request")
        home = Home(self.app, self._session.raised.report, asyncio.get_running_loop(), TESTER)
        await home.start()
        self._home = home
        self._fixed.enter_context(self.app._fixed())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        home, self._home = self._home, None
        self._fixed.close()
        if home is not None:
            is_whole = False
            try:
                await (home.drain() if error is None else home.hurry())
                await home.leave()
                is_whole = error is None
            finally:
                home.close()
                self._session.raised.settle(raises=is_whole)


def _forgotten(portal: Portal, session: _Session) -> None:
    session.raised.forget()
    portal.stop()


def _body(
    json: Any, data: Pairs | bytes | str | None, files: Files | None, content: bytes | str | Iterable[bytes] | None
) -> tuple[bytes, str | None]:
    form = data if files is None else files
    if sum(given is not None for given in (json, form, content)) > 1:
        raise TypeError("a request has one body: give json, a form (data, files) or content")
    if isinstance(data, (bytes, str)):
        if files is not None:
            raise TypeError("beside files, data are the fields of a form")
        content, data = data, None
    if json is not None:
        return encode(json), "application/json"
    if files is not None:
        return _multipart.write(_pairs(data or {}), files)
    if data is not None:
        return urlencode(_pairs(data)).encode(), "application/x-www-form-urlencoded"
    if isinstance(content, str):
        return str.encode(content), "text/plain; charset=utf-8"
    if content is None or isinstance(content, (bytes, bytearray, memoryview)):
        return bytes(content or b""), None
    return b"".join(content), None


def _url(base: str, url: str, params: Pairs | str | None) -> str:
    if url == "*":
        return f"{base}#*"
    # A target that begins with a slash may hold another URL, in its query for one.
    is_absolute = "://" in url and not url.startswith(("/", "?"))
    absolute = url if is_absolute else base + (url if url.startswith(("/", "?")) else f"/{url}")
    parts = urlsplit(quote(absolute, safe=":/%?#[]@!$&'()*+,;=-._~|"))
    added = params.lstrip("?") if isinstance(params, str) else urlencode(_pairs(params or {}))
    query = "&".join(part for part in (parts.query, added) if part)
    return parts._replace(path=parts.path or "/", query=query, fragment="").geturl()


def _target(url: str) -> str:
    """Path and query. A fragment is never sent: the one that is there stands for the target `*`."""
    parts = urlsplit(url)
    if not parts.path and parts.fragment == "*":
        return "*"
    return parts.path + (f"?{parts.query}" if parts.query else "")


def _pairs(given: Pairs) -> list[tuple[str, str]]:
    pairs = given.items() if isinstance(given, Mapping) else given
    spread: list[tuple[str, str]] = []
    for name, value in pairs:
        values = value if isinstance(value, Sequence) and not isinstance(value, str) else [value]
        spread += [(_primitive(name), _primitive(one)) for one in values]
    return spread


def _primitive(value: Primitive) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str.__str__(value) if isinstance(value, str) else str(value)
