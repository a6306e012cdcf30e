"""An empty project outside of the clone that installs the packed tarballs as a user does: the README's quick start in
TypeScript is type-checked, compiled, served and asked; so is an app in CommonJS.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import tempfile
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import demo
import node

import places

QUICK_START = re.compile(r"## Quick start.*?```ts\n(.*?)```", re.DOTALL)
COMMON = """
const assert = require("node:assert");
const { Spikard } = require("@spikard/node");
const app = new Spikard({ port: 0 }).get("/{name}", ({ params }) => params);
app.listen().then(async (server) => {
  assert.deepEqual(await (await fetch(`${server.location}/ada`)).json(), { name: "ada" });
  await server.close();
});
"""
COMMON_TYPES = """
import spikard = require("@spikard/node");
export const app = new spikard.Spikard().get("/{id:int}", ({ params }) => params.id.toFixed());
"""
COMPILER = {
    "target": "es2022",
    "lib": ["es2022"],
    "types": ["node"],
    "module": "nodenext",
    "strict": True,
    "exactOptionalPropertyTypes": True,
    "outDir": "out",
}


def attempt(tarballs: list[Path]) -> None:
    """Whether a project that has installed the tarballs answers."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "package.json").write_text(json.dumps({"name": "attempt", "private": True, "type": "module"}))
        wanted = json.loads((node.PACKAGE / "package.json").read_text())["devDependencies"]
        others = [f"{each}@{wanted[each]}" for each in ("zod", "typescript", "@types/node")]
        store = ["--cache", str(places.cache() / "npm"), "--no-audit", "--no-fund", "--loglevel=error"]
        run(folder, "npm", "install", *store, *map(str, tarballs), *others)
        port = demo.free_port()
        (folder / "app.ts").write_text(quick_start().replace("port: 8000", f"port: {port}"))
        (folder / "types.cts").write_text(COMMON_TYPES)
        told = {"compilerOptions": COMPILER, "include": ["app.ts", "types.cts"]}
        (folder / "tsconfig.json").write_text(json.dumps(told))
        run(folder, "node", "node_modules/typescript/bin/tsc")
        serve(folder, port)
        (folder / "common.cjs").write_text(COMMON)
        run(folder, "node", "common.cjs")
        run(folder, "node", "out/types.cjs")


def quick_start() -> str:
    """The program of the package's README."""
    found = QUICK_START.search((node.PACKAGE / "README.md").read_text(encoding="utf-8"))
    assert found, "the README has a quick start"
    return found[1]


def run(folder: Path, *command: str) -> None:
    """Runs a command without what this process knows of other places for packages."""
    print(f"$ {' '.join(part.removeprefix(str(places.ROOT) + os.sep) for part in command)}", flush=True)
    subprocess.run(command, cwd=folder, check=True, timeout=300)


def serve(folder: Path, port: int) -> None:
    """The quick start as a server, with a request that is right and one that is wrong."""
    print("$ node out/app.js", flush=True)
    server = subprocess.Popen(["node", "out/app.js"], cwd=folder, stderr=subprocess.PIPE, stdout=None, text=True)
    try:
        assert server.stderr is not None
        print(f"  {server.stderr.readline()}", end="")
        assert ask(port, "GET", "/users/7")[0] == 200
        assert ask(port, "POST", "/users", {"id": 8, "name": "Bob", "email": "bob@example.com"})[0] == 201
        status, refused = ask(port, "POST", "/users", {"id": "eight", "name": "Bob"})
        assert (status, [error["loc"] for error in refused["errors"]]) == (422, [["body", "id"], ["body", "email"]])
        server.send_signal(signal.SIGINT)
        assert server.wait(demo.LIMIT) == 0
    finally:
        server.kill()
        server.communicate()


def ask(port: int, method: str, path: str, body: object = None) -> tuple[int, Any]:
    """Status and JSON of an answer."""
    content = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", content, method=method)
    request.add_header("content-type", "application/json")
    try:
        with urllib.request.urlopen(request, timeout=demo.LIMIT) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code, json.load(refused)
