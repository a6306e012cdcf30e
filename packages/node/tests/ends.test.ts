// Generators that end with their handler, and what a request that fails takes back.

import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { HTTPError, SpecError, Spikard, TestClient } from "@spikard/node";

test("a generator of the function ends before anybody sees the response", async () => {
  const seen: string[] = [];
  const app = new Spikard()
    .provide("session", async function* () {
      yield 1;
      seen.push("close session");
    })
    .provide("unit", { scope: "function", deps: ["session"] }, function* ({ deps }) {
      yield deps.session + 1;
      seen.push("commit");
    })
    .onResponse((response) => {
      seen.push(`onResponse ${response.status}`);
    });
  app.get("/", { deps: ["unit"] }, ({ deps, background }) => {
    background(() => seen.push("background"));
    return deps;
  });
  const client = new TestClient(app);
  assert.deepEqual((await client.get("/")).json(), { unit: 2 });
  await client.close();
  assert.deepEqual(seen, ["commit", "onResponse 200", "close session", "background"]);
});

test("a commit that fails is the answer", async () => {
  const seen: string[] = [];
  const app = new Spikard().provide("unit", { scope: "function" }, async function* () {
    yield 1;
    throw new HTTPError(409, "taken");
  });
  app.get("/", { deps: ["unit"], status: 201 }, ({ background }) => {
    background(() => seen.push("paid"));
    return {};
  });
  const client = new TestClient(app);
  assert.equal((await client.get("/")).status, 409);
  await client.close();
  assert.deepEqual(seen, []);
});

test("a time-out ends it without its commit", async () => {
  const seen: string[] = [];
  const app = new Spikard().provide("unit", { scope: "function" }, async function* () {
    try {
      yield 1;
      seen.push("commit");
    } finally {
      seen.push("end");
    }
  });
  app.get("/", { deps: ["unit"], timeout: 0.05 }, async () => {
    await setTimeout(200);
    return {};
  });
  const client = new TestClient(app);
  assert.equal((await client.get("/")).status, 408);
  for (let tries = 0; tries < 500 && !seen.length; tries++) await setTimeout(10); // the handler goes on meanwhile
  await client.close();
  assert.deepEqual(seen, ["end"]);
});

test("a stream that breaks off is thrown into the generators, a client that leaves it is not", async () => {
  const seen: unknown[] = [];
  const app = new Spikard().provide("unit", async function* () {
    try {
      yield 1;
      seen.push("commit");
    } catch (thrown) {
      seen.push(thrown instanceof Error && thrown.message);
      throw thrown;
    } finally {
      seen.push("end");
    }
  });
  async function* pieces(fails: boolean) {
    for (let count = 0; count < 100_000; count++) {
      yield "piece ".repeat(200);
      if (fails) throw new Error("row 2");
    }
  }
  app.get("/breaks", { deps: ["unit"] }, () => pieces(true));
  app.get("/long", { deps: ["unit"] }, () => pieces(false));
  await using server = await app.listen({ port: 0 });
  const ask = (path: string) => {
    const client = connect(server.port!, "127.0.0.1");
    client.write(`GET ${path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`);
    return client;
  };
  const broken = ask("/breaks").resume();
  await once(broken, "close");
  const left = ask("/long");
  await once(left, "readable");
  left.destroy();
  for (let tries = 0; tries < 500 && seen.length < 3; tries++) await setTimeout(10);
  assert.deepEqual(seen, ["row 2", "end", "end"]);
});

test("tasks that are taken back give their places back", async () => {
  const seen: string[] = [];
  const app = new Spikard({ backgroundTasks: { maxQueue: 1 } })
    .provide("torn", async function* () {
      yield 1;
      throw new Error("torn");
    })
    .provide("conflict", { scope: "function" }, function* () {
      yield 1;
      throw new HTTPError(409);
    });
  for (const name of ["torn", "conflict"] as const) {
    app.get(`/${name}`, { deps: [name] }, ({ background }) => {
      background(() => seen.push(name));
      return {};
    });
  }
  app.get("/", ({ background }) => {
    background(() => seen.push("sent"));
    return {};
  });
  const client = new TestClient(app);
  for (let turn = 0; turn < 3; turn++) {
    assert.equal((await client.get("/torn")).status, 200);
    await setTimeout(20);
    assert.equal((await client.get("/conflict")).status, 409);
    await setTimeout(20);
  }
  assert.equal((await client.get("/")).status, 200);
  await client.close();
  assert.deepEqual(seen, ["sent"]);
});

test("one of the request cannot need one of the function", async () => {
  const app = new Spikard()
    .provide("unit", { scope: "function" }, function* () {
      yield 1;
    })
    .provide("audit", { deps: ["unit"] }, function* ({ deps }) {
      yield deps.unit;
    });
  app.get("/", { deps: ["audit"] }, ({ deps }) => deps);
  const said = /"audit" ends after the response, and "unit", which it needs, with the handler/;
  await assert.rejects(new TestClient(app).get("/"), (error) => error instanceof SpecError && said.test(error.message));
});
