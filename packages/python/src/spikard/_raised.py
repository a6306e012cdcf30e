"""What user code raises while a test client runs its app, for a client that wants it raised in the test."""

from __future__ import annotations

import re
from typing import NamedTuple

from ._worker import log_failure


class _Failure(NamedTuple):
    exception: BaseException
    route: str
    request_id: str | None

    def log(self) -> None:
        log_failure(self.exception, None, self.route, self.request_id)


class Raised:
    """The app's loop calls `report`, `begin` and `end`."""

    def __init__(self, raises: bool) -> None:
        self._raises = raises
        self._under_way, self._mixed = 0, False
        """Requests that have no answer, and whether another was among them at any time."""
        self._recent: list[_Failure] = []
        """Told since there was no request under way."""
        self._rest: list[_Failure] = []

    def report(self, exception: BaseException | None, source: str | None, route: str, request_id: str | None) -> None:
        """Of an exception that is the answer it is called before that comes."""
        if self._raises and exception is not None:
            self._recent.append(_Failure(exception, route, request_id))
        else:
            log_failure(exception, source, route, request_id)

    def begin(self) -> None:
        """A request is sent."""
        if not self._under_way:
            self._rest += self._recent
            self._recent, self._mixed = [], False
        self._under_way += 1
        self._mixed = self._mixed or self._under_way > 1

    def end(self, request: str, status: int, request_id: str | None) -> BaseException | None:
        """The answer to a request is there: what it raised. An answer without an id is known by its route, if no other was
        under way with it.
        """
        self._under_way -= 1
        if 0 < status < 500:
            own = []  # what has failed did so behind it
        elif request_id is not None:
            own = [failure for failure in self._recent if failure.request_id == request_id][:1]
        elif self._mixed:
            own = []
        else:
            own = [failure for failure in self._recent if _is_of(failure.route, request)]
        if len(own) != 1:
            return None
        self._recent.remove(own[0])
        return own[0].exception

    def settle(self, *, raises: bool) -> None:
        """Raises the first of what no answer has told, and logs the others; or logs all of them."""
        left = self._left()
        first = next((one for one in left if raises and isinstance(one.exception, Exception)), None)
        for failure in left:
            if failure is not first:
                failure.log()
        if first is not None:
            raise first.exception

    def forget(self) -> None:
        """Nobody is there any more who could raise it."""
        self._raises = False
        self.settle(raises=False)

    def _left(self) -> list[_Failure]:
        left, self._rest, self._recent = self._rest + self._recent, [], []
        return left


def _is_of(route: str, request: str) -> bool:
    return re.fullmatch(re.sub(r"\\\{.*?\\\}", ".+", re.escape(route)), request) is not None
