"""Starts the quick start on a free port, sends it requests, two of them wrong, and stops it with Ctrl-C. Everything that
it does is printed as the command that a user would type.
"""

from __future__ import annotations

import json
import re
import signal
import socket
import subprocess
import sys
import threading
import urllib.error
import urllib.request

import places

APP = "examples/quickstart/python"
LIMIT = 20

# method, path, body; the status that each must have.
REQUESTS = (
    ("GET", "/users/7", None, 200),
    ("POST", "/users", {"id": 8, "name": "Bob", "email": "bob@example.com"}, 200),
    ("GET", "/users/seven", None, 422),
    ("POST", "/users", {"id": "eight", "name": "Bob"}, 422),
)


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def start(port: int) -> subprocess.Popen[str]:
    """Starts the app, as `python app.py` does, on a port of its own."""
    program = f"from app import app; app.run(port={port})"
    print(f"$ cd {APP} && python -c '{program}'", flush=True)
    return subprocess.Popen(
        [sys.executable, "-u", "-c", program],
        cwd=places.ROOT / APP,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def listening(server: subprocess.Popen[str]) -> str:
    """Passes on what the server prints until it says where it listens; goes on printing in the background."""
    impatience = threading.Timer(LIMIT, server.kill)
    impatience.start()
    assert server.stdout is not None
    for line in server.stdout:
        print(f"  {line}", end="")
        if found := re.search(r"https?://[\w.:\[\]]+", line):
            impatience.cancel()
            threading.Thread(target=lambda: [print(f"  {more}", end="") for more in server.stdout or ()]).start()
            return found.group().rstrip("/.")
    impatience.cancel()
    raise SystemExit(f"the server did not say within {LIMIT} s where it listens; exit code {server.wait()}")


def ask(address: str, method: str, path: str, body: object) -> int:
    """Sends one request and prints it and its answer; answers the status."""
    shown = f"curl -i {address}{path}"
    sent = None
    if body is not None:
        sent = json.dumps(body).encode()
        shown = f"curl -i --json '{json.dumps(body)}' {address}{path}"
    print(f"\n$ {shown}")
    request = urllib.request.Request(address + path, sent, {"content-type": "application/json"}, method=method)
    try:
        answer = urllib.request.urlopen(request, timeout=LIMIT)
    except urllib.error.HTTPError as refused:
        answer = refused
    with answer:
        print(f"HTTP/1.1 {answer.status} {answer.reason}")
        for name, value in answer.headers.items():
            print(f"{name}: {value}")
        text = answer.read().decode()
    print(f"\n{text}")
    return int(answer.status or 0)


def main() -> int:
    """Answers 0 if each answer has its status and Ctrl-C ends the server with 0."""
    server = start(free_port())
    try:
        address = listening(server)
        wrong = [
            f"{method} {path}: {status}, should be {wanted}"
            for method, path, body, wanted in REQUESTS
            if (status := ask(address, method, path, body)) != wanted
        ]
        print("\n^C", flush=True)
        server.send_signal(signal.SIGINT)
        code = server.wait(LIMIT)
    finally:
        server.kill()
    print(f"exit code {code}")
    for line in wrong:
        print(line, file=sys.stderr)
    return int(bool(wrong) or code != 0)


if __name__ == "__main__":
    sys.exit(main())
