// A program with a real server: how it begins, how it ends, and what is left of requests that are not waited for.

import assert from "node:assert/strict";
import net from "node:net";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { Spikard, TestClient } from "@spikard/node";
import { answered, start, until } from "./program.ts";

test("a program ends by itself when its server is closed", async () => {
  const text =
    'app.get("/", () => "x");\nconst server = await app.listen();\nconsole.error(await (await fetch(server.location)).text(), await server.close());';
  const { ended, said } = await start(text, /x \{ connections: 0, inFlight: 0, givenUp: false \}/);
  assert.equal(await ended, 0, said());
});

test("a signal drains: requests in flight are answered, and the program ends well", async () => {
  const text =
    'app.get("/", () => new Promise((resolve) => setTimeout(resolve, 300, "slow")));\nawait app.run();\nconsole.error("after run");';
  const { child, location, said, ended } = await start(text, /http:/);
  const answer = fetch(location);
  await sleep(100);
  child.kill("SIGTERM");
  assert.equal(await (await answer).text(), "slow");
  assert.equal(await ended, 0);
  assert.match(said(), /after run/);
});

const stuck = {
  "a shut-down": "app.onShutdown(() => new Promise(() => undefined));",
  "a singleton's clean-up": `app.provide("held", { scope: "singleton" }, async function* () {
    yield 1;
    await new Promise(() => undefined);
  }).get("/held", { deps: ["held"] }, () => 1);`,
};

for (const [what, text] of Object.entries(stuck)) {
  const program = (seconds: number) =>
    start(
      `setInterval(() => undefined, 1000);\n${text}\nawait app.get("/", () => 1).run({ shutdownTimeout: ${seconds} });`,
      /http:/,
    );

  test(`${what} that never ends is given up when the time is over`, async () => {
    const { child, said, ended, location } = await program(0.4);
    await answered(`${location}/held`);
    child.kill("SIGTERM");
    assert.equal(await ended, 1);
    assert.match(said(), /^Spikard: the shut-down given up after 0.4 s$/m);
  });

  test(`${what} that never ends is given up at the second signal`, async () => {
    const { child, said, ended, location } = await program(60);
    await answered(`${location}/held`);
    child.kill("SIGTERM");
    await sleep(300);
    child.kill("SIGTERM");
    assert.equal(await ended, 1);
    assert.match(said(), /^Spikard: the shut-down given up at the second signal$/m);
  });
}

test("SIGHUP ends no server", async () => {
  const { child, location, said, ended } = await start('app.get("/", () => "x");\nawait app.run();', /http:/);
  child.kill("SIGHUP");
  await until(() => /SIGHUP is ignored/.test(said()));
  assert.equal(await answered(location), "x");
  child.kill("SIGTERM");
  assert.equal(await ended, 0);
});

test("an app that cannot be served ends the program with one line", async () => {
  await using taken = await new Spikard({ port: 0 }).listen();
  const faults: [string, RegExp][] = [
    ['await app.run({ workers: "two" });', /^Spikard: workers: [^\n]+\n$/],
    ["await app.run({ host: undefined, port: 70_000 });", /^Spikard: port: [^\n]+\n$/],
    [`await app.run({ port: ${taken.port} });`, /^Spikard: [^\n]*use[^\n]*\n$/],
    [`await app.run({ port: ${taken.port}, workers: 2 });`, /^Spikard: [^\n]*use[^\n]*\n$/],
    ['app.get("/a", { deps: ["db"] }, () => 1); await app.run();', /^Spikard: [^\n]*db[^\n]*\n$/],
    [
      `app.get("/a", { query: { type: "string" } }, () => 1); await app.run();`,
      /^Spikard: \/.+app\.mjs:3: GET \/a: query: [^\n]+\n$/,
    ],
  ];
  for (const [text, says] of faults) {
    const { said, ended } = await start(text, /\n/);
    assert.equal(await ended, 1);
    assert.match(said(), says);
  }
});

test("a hook of the start or the end that fails is named, with the stack of the user alone", async () => {
  const text = (phase: string) =>
    `app.on${phase}(async function connect() {\n  await 1;\n  throw new Error("no database");\n});
app.on${phase}(() => { console.error("the other one"); });\nawait app.run();`;
  const failed = (phase: string) =>
    new RegExp(
      `^Spikard: the ${phase} hook connect at /.+/app\\.mjs:3 failed: Error: no database\n` +
        ` +at (async )?connect \\(file:///.+/app\\.mjs:5:9\\)\n$`,
      "m",
    );
  const started = await start(text("Startup"), /no database/);
  assert.equal(await started.ended, 1);
  assert.match(started.said(), failed("start-up"));
  assert.ok(started.said().startsWith("Spikard: "), started.said());
  const shut = await start(text("Shutdown"), /http:/);
  shut.child.kill("SIGTERM");
  assert.equal(await shut.ended, 1);
  assert.match(shut.said(), /^the other one$/m);
  assert.match(shut.said(), failed("shut-down"));
});

test("a test client raises what a hook of the end raised, behind all the others", async () => {
  const seen: string[] = [];
  const app = new Spikard()
    .onShutdown(() => void seen.push("last"))
    .onShutdown(() => Promise.reject(new Error("first fault")))
    .onShutdown(() => Promise.reject(new Error("second fault")));
  app.log = ({ error, route }) => seen.push(`${route} ${error}`);
  const client = new TestClient(app);
  await client.open();
  await assert.rejects(client.close(), /second fault/);
  assert.match(seen[0] ?? "", /^the shut-down hook at .+server\.test\.js:\d+ Error: first fault$/);
  assert.equal(seen[1], "last");
  assert.throws(() => app.onStartup(5 as never), /a start-up hook is a function, got 5/);
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

test("a handler that never answers ends at its time-out though its client has left", async () => {
  let aborted = false;
  const app = new Spikard({ port: 0, requestTimeout: 0.3, cancelGrace: 0.1 }).get("/", ({ signal }) => {
    signal.addEventListener("abort", () => {
      aborted = true;
    });
    return new Promise(() => undefined);
  });
  app.log = () => undefined;
  await using server = await app.listen();
  const socket = net.connect(server.port!, "127.0.0.1");
  socket.write("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
  await until(() => server.inFlight === 1);
  socket.destroy();
  await until(() => server.inFlight === 0);
  assert.ok(aborted);
});

test("work that user code asks for behind a turn is begun, whoever serves the connections", async () => {
  for (const ioThread of [false, true]) {
    const done: number[] = [];
    const app = new Spikard({ port: 0, ioThread }).get("/{at:int}", ({ params, background }) => {
      setTimeout(() => background(() => done.push(params.at)), 10);
      return params.at;
    });
    await using server = await app.listen();
    for (const at of [1, 2, 3]) {
      const answer = await fetch(`${server.location}/${at}`, { signal: AbortSignal.timeout(5000) });
      assert.equal(await answer.text(), `${at}`);
      await until(() => done.length === at);
    }
  }
});

test("a client that leaves aborts the signal where the route says so", async () => {
  let [begun, aborted] = [false, false];
  const app = new Spikard({ port: 0 }).get("/", { cancelOnDisconnect: true }, async ({ signal }) => {
    begun = true;
    await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
    aborted = true;
  });
  await using server = await app.listen();
  const socket = net.connect(server.port!, "127.0.0.1");
  socket.write("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
  await until(() => begun);
  socket.destroy();
  await until(() => aborted);
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
