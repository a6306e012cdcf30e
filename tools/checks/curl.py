"""Plays the `curl` of a document: runs a snippet, then each command against the snippet's `app`, in process.

`curl.py SNIPPET COMMANDS`, where COMMANDS is a JSON list of shell lines; prints a JSON list of what each printed.
"""

from __future__ import annotations

import argparse
import json
import runpy
import shlex
import sys
from typing import Any
from urllib.parse import urlsplit

from spikard import TestClient

ADDRESS = "127.0.0.1:8000"


def parser() -> argparse.ArgumentParser:
    """The options of curl that documents may use."""
    options = argparse.ArgumentParser(prog="curl", exit_on_error=False)
    options.add_argument("url")
    options.add_argument("-s", "--silent", action="store_true")
    options.add_argument("-N", "--no-buffer", action="store_true")
    options.add_argument("-i", "--include", action="store_true")
    options.add_argument("-L", "--location", action="store_true")
    options.add_argument("-X", "--request")
    options.add_argument("-I", "--head", action="store_true")
    options.add_argument("-H", "--header", action="append", default=[])
    options.add_argument("-b", "--cookie")
    options.add_argument("-d", "--data", action="append")
    options.add_argument("--json")
    return options


def sent(client: TestClient, line: str) -> str:
    """What one command prints."""
    said = parser().parse_args(shlex.split(line)[1:])
    url = urlsplit(said.url)
    if url.netloc != ADDRESS:
        raise SystemExit(f"{said.url}: documents ask {ADDRESS}")
    headers = [(name.strip(), value.strip()) for name, _, value in (one.partition(":") for one in said.header)]
    content: bytes | None = None
    if said.json is not None:
        headers += [("content-type", "application/json"), ("accept", "application/json")]
        content = said.json.encode()
    elif said.data is not None:
        headers.append(("content-type", "application/x-www-form-urlencoded"))
        content = "&".join(said.data).encode()
    if said.cookie:
        headers.append(("cookie", said.cookie))
    method = said.request or ("HEAD" if said.head else "GET" if content is None else "POST")
    target = (url.path or "/") + (f"?{url.query}" if url.query else "")
    response = client.request(method, target, headers=headers, content=content, follow_redirects=said.location)
    return head(response) + response.text if said.include or said.head else str(response.text)


def head(response: Any) -> str:
    """Status line and fields, as curl prints them."""
    from http import HTTPStatus

    fields = "".join(f"{name}: {value}\n" for name, value in response.headers.multi_items())
    return f"HTTP/1.1 {response.status_code} {HTTPStatus(response.status_code).phrase}\n{fields}\n"


def main(snippet: str, commands: str) -> None:
    """Prints what the commands print."""
    namespace = runpy.run_path(snippet, run_name="snippet")
    with TestClient(namespace["app"]) as client:
        print(json.dumps([sent(client, line) for line in json.loads(commands)]))


if __name__ == "__main__":
    main(*sys.argv[1:])
