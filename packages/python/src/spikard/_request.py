"""The request as user code sees it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Iterable, Iterator, MutableMapping
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar
from urllib.parse import quote, urlencode, urlsplit

import msgspec

from ._headers import Headers
from ._spikard import RequestHead
from ._state import RequestState, State
from ._upload import UploadFile
from .exceptions import HTTPException

if TYPE_CHECKING:
    from .app import Spikard

_Value = TypeVar("_Value")

_SENT = ("method", "path", "query_string", "query_params", "headers", "cookies", "path_params", "client")
KEYS = frozenset((*_SENT, "state", "user", "url", "route", "request_id"))
"""The attributes that are keys, too."""


class Address(NamedTuple):
    """The other end of a connection."""

    host: str
    port: int


TESTER = Address("testclient", 50000)
"""Who sends the requests of a test client."""

_stand_in: ContextVar[Address | None] = ContextVar("spikard_client", default=None)


def stand_in(address: Address | None) -> None:
    """Says who sends the requests of this context that have no connection."""
    _stand_in.set(address)


class Pairs(MutableMapping[str, _Value]):
    """Names and values in order: of several values of a name the last counts, `getlist` has all."""

    __slots__ = ("_pairs",)

    def __init__(self, pairs: Iterable[tuple[str, _Value]] = ()) -> None:
        self._pairs = list(pairs)

    def getlist(self, name: str) -> list[_Value]:
        """All values of a name, in order."""
        return [value for key, value in self._pairs if key == name]

    def add(self, name: str, value: _Value) -> None:
        """Appends a pair beside those of the same name."""
        self._pairs.append((name, value))

    def multi_items(self) -> list[tuple[str, _Value]]:
        """Every pair, in order."""
        return list(self._pairs)

    def __getitem__(self, name: str) -> _Value:
        for key, value in reversed(self._pairs):
            if key == name:
                return value
        raise KeyError(name)

    def __setitem__(self, name: str, value: _Value) -> None:
        self._pairs = [pair for pair in self._pairs if pair[0] != name]
        self.add(name, value)

    def __delitem__(self, name: str) -> None:
        kept = [pair for pair in self._pairs if pair[0] != name]
        if len(kept) == len(self._pairs):
            raise KeyError(name)
        self._pairs = kept

    def __iter__(self) -> Iterator[str]:
        return iter(dict.fromkeys(key for key, _ in self._pairs))

    def __len__(self) -> int:
        return len({key for key, _ in self._pairs})

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._pairs!r})"


class QueryParams(Pairs[str]):
    """The pairs of a query.

    >>> query = QueryParams([("a", "1"), ("a", "2")])
    >>> query["a"], query.getlist("a")
    ('2', ['1', '2'])
    """

    __slots__ = ()

    def add(self, name: str, value: str) -> None:
        """Appends a pair beside those of the same name."""
        super().add(name, str(value))

    def __str__(self) -> str:
        """As a query."""
        return urlencode(self._pairs)


class FormFields(Pairs[str | UploadFile]):
    """The fields of a form, texts and files.

    >>> form = FormFields([("name", "ann"), ("picture", UploadFile(filename="a.png"))])
    >>> form["name"], form["picture"].filename
    ('ann', 'a.png')
    """

    __slots__ = ()


class URL(str):
    """The address of a request: a text, and what it consists of.

    >>> url = URL("http://example.com:8000/a?b=1")
    >>> url.path, url.query, url.hostname, url.port, url == "http://example.com:8000/a?b=1"
    ('/a', 'b=1', 'example.com', 8000, True)
    """

    __slots__ = ()

    @property
    def scheme(self) -> str:
        """`http`, or `https`."""
        return urlsplit(self).scheme

    @property
    def netloc(self) -> str:
        """Host and port, as the client named them."""
        return urlsplit(self).netloc

    @property
    def hostname(self) -> str | None:
        """The host alone."""
        return urlsplit(self).hostname

    @property
    def port(self) -> int | None:
        """The port; None where none was named."""
        return urlsplit(self).port

    @property
    def path(self) -> str:
        """The path, as it was sent."""
        return urlsplit(self).path

    @property
    def query(self) -> str:
        """What stands behind the question mark."""
        return urlsplit(self).query

    if not TYPE_CHECKING:  # hidden: a visible __getattr__ would make every typo an Any

        def replace(self, *texts, **parts):
            """That of `str`."""
            if parts.keys() - {"count"}:
                raise TypeError(
                    f"replace() is that of a str: write urlsplit(url)._replace({next(iter(parts))}=…).geturl()"
                )
            return super().replace(*texts, **parts)

        def __getattr__(self, name):
            from ._elsewhere import missed

            raise missed(self, name, "url")


class Request(RequestHead):
    """One request: the same object for every hook, dependency and handler that asks for it.

    What is changed in `headers`, `query_params`, `state` and `user`, or with `set_body`, reaches whatever comes later.
    Every attribute is a key too: `request["method"]`.
    """

    __slots__ = ("_found", "user")
    _found: dict[str, Any]
    user: Any
    """Who asks, where somebody has found out; None unless set."""

    def __init__(self) -> None:
        self._found = {}
        self.user = None

    @property
    def headers(self) -> Headers:
        """The header fields."""
        if "headers" not in self._found:
            fields = self._fields()
            self._found["headers"], self._found["fields"] = Headers(), fields
            self._found["headers"]._fields = list(fields)
        return self._found["headers"]  # type: ignore[no-any-return]

    @property
    def query_params(self) -> QueryParams:
        """The pairs of the query."""
        if "query" not in self._found:
            pairs = self._query()
            self._found["query"], self._found["pairs"] = QueryParams(pairs), pairs
        return self._found["query"]  # type: ignore[no-any-return]

    @property
    def cookies(self) -> dict[str, str]:
        """The cookies that were sent."""
        return dict(self._cookies())

    @property
    def path_params(self) -> dict[str, Any]:
        """The parameters of the path: what a converter of the template reads, as it reads it, else texts."""
        if "path" not in self._found:
            self._found["path"] = dict(self._path_values())
        return self._found["path"]  # type: ignore[no-any-return]

    @property
    def client(self) -> Address | None:
        """The other end of the connection; None where it has no address."""
        peer = self._peer()
        return _stand_in.get() if peer is None else Address(*peer)

    @property
    def app(self) -> Spikard:
        """The app that answers it."""
        from ._background import app_here

        app = app_here()
        if app is None:
            raise RuntimeError("the app answers no request here")
        return app

    @property
    def state(self) -> State:
        """Free-form attributes that live as long as the request."""
        return self._found.setdefault("state", RequestState())  # type: ignore[no-any-return]

    @property
    def url(self) -> URL:
        """What the client asked for: the path and query behind `base_url`."""
        query = f"?{self.query_string}" if self.query_string else ""
        return URL(f"{self.base_url[:-1]}{self.path}{query}")

    @property
    def base_url(self) -> URL:
        """The root of the app: that of the host that the client named, or where another ASGI server has mounted the app."""
        scheme, prefix = self._mount()
        return URL(f"{scheme}://{self.headers.get('host', 'localhost')}{prefix}/")

    async def body(self) -> bytes:
        """The whole body, read when it is first asked for, under the limits of the route."""
        if "streamed" in self._found:
            raise RuntimeError("the body has been streamed, and is not kept")
        return await self._told(self._read)

    async def stream(self) -> AsyncGenerator[bytes, None]:
        """The body piece by piece, under the limits of the route: the client is held back while nobody asks for more.

        A body that breaks off raises. What is streamed is not kept: neither `body()` nor the route can read it again.
        """
        whole = self._whole()
        if whole is not None:
            if whole:
                yield whole
            return
        if "streamed" in self._found:
            raise RuntimeError("the body has been streamed already")
        self._found["streamed"] = True
        while piece := await self._told(self._next):
            yield piece

    async def _told(self, ask: Callable[[Callable[[bytes | None, int, str], None]], bytes | None]) -> bytes:
        import asyncio

        read: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

        def told(body: bytes | None, status: int, detail: str) -> None:
            if read.done():
                return
            if body is None:
                read.set_exception(HTTPException(status, detail or None))
            else:
                read.set_result(body)

        known = ask(told)
        return await read if known is None else known

    async def json(self) -> Any:
        """The body as JSON; what is none is answered 400 unless it is caught."""
        body = await self.body()
        self._check_json(body)
        try:
            return msgspec.json.decode(body)
        except (ValueError, RecursionError):  # an integer of more digits than the interpreter reads
            raise HTTPException(400, "the body is not valid JSON: a number is out of range") from None

    async def form(self) -> FormFields:
        """The fields and files of a form, urlencoded or multipart, under the limits of the app.

        The whole body is in memory then: a parameter marked with `Form` or of type `UploadFile` has large files on disk.
        """
        if "form" not in self._found:
            self._found["form"] = FormFields(self._form(await self.body()))
        return self._found["form"]  # type: ignore[no-any-return]

    def set_body(self, body: bytes) -> None:
        """Replaces the body. Only before it is read for the handler: in `on_request` and `pre_validation`."""
        self._set_body(body)

    async def is_disconnected(self) -> bool:
        """Whether the client has left."""
        return self._departed()

    def _write_back(self) -> None:
        found = self._found
        if "headers" in found and found["headers"]._fields != found["fields"]:
            found["fields"] = found["headers"].multi_items()
            self._set_fields(found["fields"])
        if "query" in found and found["query"]._pairs != found["pairs"]:
            found["pairs"] = found["query"].multi_items()
            query = urlencode(found["pairs"], quote_via=quote)
            self._set_target(f"{self.path}?{query}" if query else self.path)

    if not TYPE_CHECKING:  # hidden: a visible __getattr__ would make every typo an Any

        def __getattr__(self, name):
            from ._elsewhere import missed

            raise missed(self, name, "request")

    def __getitem__(self, name: str) -> Any:
        if name not in KEYS:
            raise KeyError(name)
        return getattr(self, name)

    def __contains__(self, name: object) -> bool:
        return name in KEYS

    def __repr__(self) -> str:
        return f"Request({self.method} {self.path})"


def framework_error(status: int, document: bytes, headers: list[tuple[str, str]]) -> HTTPException:
    """What the framework refuses, as an exception handler is given it."""
    said = msgspec.json.decode(document)
    extra = {name: value for name, value in said.items() if name not in ("type", "title", "status", "detail")}
    named = {"type": said.get("type"), "title": said.get("title"), "extra": extra}
    return HTTPException(status, said.get("detail"), dict(headers), **named)
