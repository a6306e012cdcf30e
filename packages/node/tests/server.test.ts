// A program with a real server: how it begins, how it ends, and what is left of requests that are not waited for.

import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, writeFileSync } from "node:fs";
import http from "node:http";
import net from "node:net";
import { join } from "node:path";
import { after, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { Spikard } from "@spikard/node";

/** Asks over a connection of its own. */
async function answered(url: string): Promise<string> {
  const [answer] = (await once(http.get(url, { agent: false }), "response")) as [http.IncomingMessage];
  return (await answer.setEncoding("utf8").toArray()).join("");
}

const children: ChildProcess[] = [];
after(() => {
  for (const child of children) child.kill("SIGKILL");
});

const folder = mkdtempSync(join(import.meta.dirname, "program-"));
let programs = 0;

/** Starts a program, and waits for what it says on stderr. */
async function start(
  text: string,
  says: RegExp,
): Promise<{ child: ChildProcess; said: () => string; ended: Promise<number | null> }> {
  programs += 1;
  const file = join(folder, `${programs}.mjs`);
  writeFileSync(file, `import { Spikard } from "@spikard/node";\nconst app = new Spikard({ port: 0 });\n${text}\n`);
  const child = spawn(process.execPath, [file], { stdio: ["ignore", "inherit", "pipe"] });
  children.push(child);
  let said = "";
  child.stderr!.setEncoding("utf8").on("data", (piece: string) => {
    said += piece;
  });
  const ended = once(child, "exit").then(([code]) => code as number | null);
  for (let tries = 0; tries < 500 && !says.test(said) && child.exitCode === null; tries++) await sleep(10);
  assert.match(said, says);
  return { child, said: () => said, ended };
}

const location = (said: string) => /http:\/\/127\.0\.0\.1:\d+/.exec(said)![0];

test("a program ends by itself when its server is closed", async () => {
  const text =
    'app.get("/", () => "x");\nconst server = await app.listen();\nconsole.error(await (await fetch(server.location)).text(), await server.close());';
  const { ended, said } = await start(text, /x \{ connections: 0, inFlight: 0 \}/);
  assert.equal(await ended, 0, said());
});

test("a signal drains: requests in flight are answered, and the program ends well", async () => {
  const text =
    'app.get("/", () => new Promise((resolve) => setTimeout(resolve, 300, "slow")));\nawait app.run();\nconsole.error("after run");';
  const { child, said, ended } = await start(text, /http:/);
  const answer = fetch(location(said()));
  await sleep(100);
  child.kill("SIGTERM");
  assert.equal(await (await answer).text(), "slow");
  assert.equal(await ended, 0);
  assert.match(said(), /after run/);
});

test("several workers answer by one port, and one that dies is replaced", async () => {
  const text =
    'app.get("/", () => String(process.pid)).get("/die", () => process.exit(3));\nawait app.run({ workers: 2 });';
  const { child, said, ended } = await start(text, /http:/);
  const ask = () => answered(location(said()));
  const pids = new Set<string>();
  for (let tries = 0; tries < 200 && pids.size < 2; tries++) pids.add(await ask());
  assert.ok(pids.size >= 2 && !pids.has(String(child.pid)));
  await fetch(`${location(said())}/die`).catch(() => undefined);
  for (let tries = 0; tries < 1500 && pids.size < 3; tries++) {
    await sleep(10);
    pids.add(await ask().catch(() => [...pids][0]!));
  }
  assert.ok(pids.size >= 3);
  child.kill("SIGTERM");
  assert.equal(await ended, 0, said());
});

test("a start-up that fails stops the program with its error", async () => {
  const text = 'app.onStartup(() => { throw new Error("no database"); });\nawait app.run();';
  const { ended } = await start(text, /no database/);
  assert.equal(await ended, 1);
});

test("a time-out answers at once, aborts the signal, and gives up what never settles", async () => {
  const reasons: string[] = [];
  const app = new Spikard({ port: 0, requestTimeout: 0.2, cancelGrace: 0.2 })
    .get("/signal", async ({ signal }) => {
      await new Promise((_, refuse) => signal.addEventListener("abort", () => refuse(new Error("aborted"))));
    })
    .get("/never", () => new Promise(() => undefined));
  app.log = ({ error }) => reasons.push(`${error}`);
  await using server = await app.listen();
  for (const path of ["/signal", "/never"]) assert.equal((await fetch(server.location + path)).status, 408);
  for (let tries = 0; tries < 200 && server.inFlight > 0; tries++) await sleep(10);
  assert.equal(server.inFlight, 0);
});

test("a client that leaves aborts the signal where the route says so", async () => {
  let aborted = false;
  const app = new Spikard({ port: 0 }).get("/", { cancelOnDisconnect: true }, async ({ signal }) => {
    await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
    aborted = true;
  });
  await using server = await app.listen();
  const socket = net.connect(server.port!, "127.0.0.1");
  socket.write("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
  for (let tries = 0; tries < 200 && server.inFlight === 0; tries++) await sleep(5);
  socket.destroy();
  for (let tries = 0; tries < 200 && !aborted; tries++) await sleep(10);
  assert.ok(aborted);
});

test("a body that breaks off is a rejected promise and never an end", async () => {
  const seen: string[] = [];
  const app = new Spikard({ port: 0 }).post("/", async ({ request }) => {
    try {
      for await (const piece of request.stream()) seen.push(`${piece.length}`);
      seen.push("end");
    } catch (error) {
      seen.push((error as Error).constructor.name);
      throw error;
    }
  });
  await using server = await app.listen();
  const socket = net.connect(server.port!, "127.0.0.1");
  socket.write("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n12345");
  for (let tries = 0; tries < 200 && seen.length === 0; tries++) await sleep(5);
  socket.destroy();
  for (let tries = 0; tries < 200 && seen.length < 2; tries++) await sleep(5);
  assert.deepEqual(seen, ["5", "HTTPError"]);
});

test("2,000 requests that throw, reject, stream or leave are let go of", async () => {
  const app = new Spikard({ port: 0, requestTimeout: 0.5, cancelGrace: 0.1 })
    .get("/throw", () => {
      throw new Error("x");
    })
    .get("/reject", () => Promise.reject(new Error("x")))
    .get("/never", () => new Promise(() => undefined))
    .get("/stream", async function* () {
      for (let piece = 0; piece < 5; piece++) yield "x";
    });
  app.log = () => undefined;
  await using server = await app.listen();
  const ask = async (path: string, place: number) => {
    const signal = place % 10 === 0 ? AbortSignal.timeout(5) : null;
    return fetch(server.location + path, { signal }).then(
      (answer) => answer.text(),
      () => "left",
    );
  };
  const paths = ["/throw", "/reject", "/stream", "/never"];
  for (let round = 0; round < 20; round++)
    await Promise.all(Array.from({ length: 100 }, (_, place) => ask(paths[place % 4]!, place)));
  for (let tries = 0; tries < 300 && server.inFlight > 0; tries++) await sleep(10);
  assert.equal(server.inFlight, 0);
});
