"""What a developer is shown of an exception that nobody handled: HTML in a browser, JSON elsewhere."""

from __future__ import annotations

import linecache
import os
from collections.abc import Iterator
from html import escape
from traceback import FrameSummary, TracebackException
from typing import Any

from ._request import Request
from .http import HTMLResponse, JSONResponse, Response

_AROUND = 4
"""Lines of the source that are shown before and behind the one at fault."""
_HERE = os.path.dirname(__file__) + os.sep
_HEADERS = {"cache-control": "no-store", "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'"}
_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 60rem; padding: 0 1rem }
h1 { font-size: 1.3rem; overflow-wrap: anywhere } h2 { font-size: 1rem; margin-top: 2rem }
pre { background: #8881; overflow-x: auto; padding: .6rem } mark { background: #fc06; color: inherit; display: block }
code, pre { font-family: ui-monospace, monospace; font-size: .85rem } p { color: #888; margin: 1rem 0 .3rem }
"""


def page(request: Request | None, exception: BaseException) -> Response:
    """A 500 that says it all; values of variables are not shown."""
    told = list(_chain(TracebackException.from_exception(exception)))
    asked = "" if request is None else f"{request.method} {request.path}"
    accepts = "" if request is None else request.headers.get("accept", "")
    if "text/html" in accepts:
        return HTMLResponse(_html(asked, told), 500, _HEADERS)
    return JSONResponse(_problem(asked, told), 500, _HEADERS, "application/problem+json")


def _chain(last: TracebackException) -> Iterator[tuple[str, TracebackException]]:
    """The exception, then what it came from, with how it did."""
    how, told = "", last
    while True:
        yield how, told
        if told.__cause__ is not None:
            how, told = "caused by", told.__cause__
        elif told.__context__ is not None and not told.__suppress_context__:
            how, told = "raised while this was handled:", told.__context__
        else:
            return


def _said(told: TracebackException) -> str:
    return "".join(told.format_exception_only()).strip()


def _frames(told: TracebackException) -> list[FrameSummary]:
    """Those of the user's code; all, where it has none."""
    return [frame for frame in told.stack if not frame.filename.startswith(_HERE)] or list(told.stack)


def _problem(asked: str, told: list[tuple[str, TracebackException]]) -> dict[str, Any]:
    return {
        "type": "https://spikard.dev/errors/internal-server-error",
        "title": "Internal Server Error",
        "status": 500,
        "detail": _said(told[0][1]),
        "request": asked,
        "traceback": "".join(told[0][1].format()).splitlines(),
    }


def _html(asked: str, told: list[tuple[str, TracebackException]]) -> str:
    title = escape(_said(told[0][1]))
    parts = [f"<!doctype html><html lang=en><meta charset=utf-8><title>{title}</title><style>{_STYLE}</style>"]
    parts.append(f"<h1>{title}</h1><p>{escape(asked)}, shown because debug is on</p>")
    for how, one in told:
        if how:
            parts.append(f"<h2>{escape(how)} {escape(_said(one))}</h2>")
        parts += [_frame(frame) for frame in reversed(_frames(one))]
    return "\n".join(parts)


def _frame(frame: FrameSummary) -> str:
    at = frame.lineno or 0
    lines = []
    for number in range(max(1, at - _AROUND), at + _AROUND + 1):
        if line := linecache.getline(frame.filename, number):
            text = f"{number:>5}  {escape(line.rstrip())}"
            lines.append(f"<mark>{text}</mark>" if number == at else f"{text}\n")
    place = f"<p><code>{escape(frame.filename)}:{at}</code> in <code>{escape(frame.name)}</code></p>"
    return f"{place}<pre>{''.join(lines)}</pre>" if lines else place
