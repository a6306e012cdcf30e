"""The cookies of a test client and of its responses."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, MutableMapping
from email.message import Message
from http.cookiejar import Cookie, CookieJar
from typing import Any, cast
from urllib.request import Request


class Cookies(MutableMapping[str, str]):
    """Cookies by name; which of them a request sends follows from their domain, path and age.

    >>> cookies = Cookies({"theme": "dark"})
    >>> cookies.set("lang", "en", path="/docs")
    >>> sorted(cookies)
    ['lang', 'theme']
    """

    def __init__(self, cookies: Mapping[str, str] | None = None) -> None:
        self.jar = CookieJar()
        self.update(cookies or {})

    def set(self, name: str, value: str, domain: str = "", path: str = "/") -> None:
        """Keeps a cookie; without a domain it goes to every host."""
        where = (domain, bool(domain), domain.startswith("."), path, True)
        self.jar.set_cookie(Cookie(0, name, value, None, False, *where, False, None, False, None, None, {}))

    def get_for(self, url: str) -> str | None:
        """The `Cookie` field of a request to `url`."""
        request = Request(url)
        self.jar.add_cookie_header(request)
        return request.get_header("Cookie")

    def extract(self, url: str, set_cookies: Iterable[str]) -> None:
        """Keeps what a response to `url` sets."""
        message = Message()
        for line in set_cookies:
            message["set-cookie"] = line
        # The jar asks its response for nothing but these fields.
        self.jar.extract_cookies(cast(Any, _Answer(message)), Request(url))

    def delete(self, name: str) -> None:
        """Forgets every cookie of this name."""
        for cookie in [cookie for cookie in self.jar if cookie.name == name]:
            self.jar.clear(cookie.domain, cookie.path, cookie.name)

    def __getitem__(self, name: str) -> str:
        for cookie in self.jar:
            if cookie.name == name:
                return cookie.value or ""
        raise KeyError(name)

    def __setitem__(self, name: str, value: str) -> None:
        self.set(name, value)

    def __delitem__(self, name: str) -> None:
        self[name]
        self.delete(name)

    def __iter__(self) -> Iterator[str]:
        return iter(dict.fromkeys(cookie.name for cookie in self.jar))

    def __len__(self) -> int:
        return len({cookie.name for cookie in self.jar})

    def __repr__(self) -> str:
        return f"Cookies({dict(self)!r})"


class _Answer:
    def __init__(self, message: Message) -> None:
        self._message = message

    def info(self) -> Message:
        return self._message
