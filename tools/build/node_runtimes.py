"""The built package under other engines than Node: installs Bun and Deno, pinned, into the cache, starts the quick start of
the example and a few routes more under each, and has it answer, refuse, stream, notice that a client has left, and end.
`node_runtimes.py bun` takes one of them.
"""

from __future__ import annotations

import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import node
from demo import free_port

import places

# Each package brings the program of this platform, and the arguments with which it runs a file.
ENGINES = {"bun": ("1.4.5", []), "deno": ("2.9.6", ["run", "--allow-all"])}
PATIENCE = 20
MAIN = """
import { StreamingResponse } from "@spikard/node";
import { app } from "./app.ts";

let aborted = false;

async function* pieces() {
  for (const piece of ["one ", "two ", "three"]) {
    await new Promise((done) => setTimeout(done, 5));
    yield piece;
  }
}

app.get("/stream", () => new StreamingResponse(pieces()));
app.get("/aborted", () => ({ aborted }));
app.get("/waits", { cancelOnDisconnect: true }, async ({ signal }) => {
  await new Promise((done) => signal.addEventListener("abort", done));
  aborted = true;
});
await app.run({ port: Number(process.argv[2]) });
"""
USER = {"id": 7, "name": "Alice", "email": "alice@example.com"}


def install(name: str) -> Path:
    """The program of an engine."""
    version, _ = ENGINES[name]
    folder = places.cache() / "engines" / f"{name}-{version}"
    program = folder / "node_modules" / ".bin" / name
    if not program.exists():
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "package.json").write_text('{"private": true}')
        quiet = ["--no-audit", "--no-fund", "--loglevel=error", "--cache", str(places.cache() / "npm")]
        subprocess.run(["npm", "install", "--no-save", *quiet, f"{name}@{version}"], cwd=folder, check=True)
    return program


def project(folder: Path) -> None:
    """The quick start with what it imports, as built."""
    (folder / "package.json").write_text('{"private": true, "type": "module"}')
    modules = folder / "node_modules"
    own = modules / "@spikard" / "node"
    shutil.copytree(node.PACKAGE / "dist", own / "dist")
    shutil.copy(node.PACKAGE / "package.json", own)
    shutil.copytree(node.PACKAGE / "node_modules" / "zod", modules / "zod")
    shutil.copy(places.ROOT / "examples" / "quickstart" / "node" / "app.ts", folder)
    (folder / "main.ts").write_text(MAIN)


def ask(port: int, method: str, target: str, body: object = None) -> tuple[int, str]:
    """Status and body of an answer."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    headers = {"Content-Type": "application/json"} if body is not None else {}
    connection.request(method, target, json.dumps(body) if body is not None else None, headers)
    answer = connection.getresponse()
    return answer.status, answer.read().decode()


def expect(what: str, found: object, wanted: object) -> None:
    """Says what was found, and ends where it is not what was wanted."""
    print(f"  {what}: {found}")
    if found != wanted:
        raise SystemExit(f"{what}: wanted {wanted}, found {found}")


def leave(port: int) -> None:
    """A client that asks for what never comes, and goes."""
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(b"GET /waits HTTP/1.1\r\nHost: localhost\r\n\r\n")
        time.sleep(0.2)


def until(port: int) -> str:
    """What is told of the client that left."""
    end = time.monotonic() + PATIENCE
    while '"aborted":true' not in (told := ask(port, "GET", "/aborted")[1]) and time.monotonic() < end:
        time.sleep(0.05)
    return told


def converse(port: int) -> None:
    """Requests, and what their answers must be."""
    expect("GET", ask(port, "GET", "/users/7"), (200, json.dumps(USER, separators=(",", ":"))))
    expect("POST", ask(port, "POST", "/users", USER), (200, json.dumps(USER, separators=(",", ":"))))
    status, body = ask(port, "POST", "/users", {"id": "x"})
    places_of = [error["loc"] for error in json.loads(body)["errors"]]
    expect("refused", (status, places_of), (422, [["body", "id"], ["body", "name"], ["body", "email"]]))
    expect("stream", ask(port, "GET", "/stream"), (200, "one two three"))
    leave(port)
    expect("abort", until(port), '{"aborted":true}')


def attempt(name: str, folder: Path) -> None:
    """Starts the project under an engine, converses with it, and ends it by SIGTERM."""
    program, port = install(name), free_port()
    said = subprocess.run([program, "--version"], check=True, stdout=subprocess.PIPE, text=True).stdout
    print(said.splitlines()[0] if name in said else f"{name} {said.strip()}", flush=True)
    command = [str(program), *ENGINES[name][1], "main.ts", str(port)]
    server = subprocess.Popen(command, cwd=folder, env=dict(os.environ, NO_COLOR="1"))
    try:
        end = time.monotonic() + PATIENCE
        while server.poll() is None and time.monotonic() < end:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        converse(port)
        server.send_signal(signal.SIGTERM)
        expect("exit code after SIGTERM", server.wait(PATIENCE), 0)
    finally:
        server.kill()
        server.wait()


def main(names: list[str]) -> int:
    """Every engine, or those that are named."""
    node.install()
    with tempfile.TemporaryDirectory() as folder:
        project(Path(folder))
        for name in names or ENGINES:
            attempt(name, Path(folder))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
