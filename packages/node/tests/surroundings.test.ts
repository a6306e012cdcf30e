// Where user code runs: what it keeps in an `AsyncLocalStorage`, and the background work that it asks for from anywhere.

import assert from "node:assert/strict";
import { AsyncLocalStorage } from "node:async_hooks";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { background, HTTPError, Reply, Spikard, StreamingResponse, TestClient } from "@spikard/node";

const storage = new AsyncLocalStorage<string>();

test("what a hook stores is there in all that follows, and in no other request", async () => {
  const seen: string[] = [];
  const see = (place: string) => seen.push(`${place} ${storage.getStore()}`);
  const app = new Spikard()
    .provide("session", async function* () {
      await sleep(1);
      see("open");
      yield 1;
      see("close");
    })
    .provide("side", { concurrent: true }, async () => see("side"))
    .provide("other side", { concurrent: true }, async () => see("side"))
    .onRequest(async (request) => {
      see("before");
      storage.enterWith(request.path);
      await sleep(1);
    })
    .onResponse(() => void see("after"));
  const handler = async () => {
    await sleep(1);
    see("handler");
    background.run(async () => {
      await sleep(1);
      see("background");
    });
    async function* pieces() {
      see("stream");
      yield "a";
      await sleep(1);
      see("stream");
      yield "b";
    }
    return new StreamingResponse(pieces());
  };
  app.get("/a", { deps: ["session", "side", "other side"] }, handler);
  app.get("/b", () => see("plain"));
  const client = new TestClient(app);
  await client.get("/a");
  await client.get("/b");
  await client.close();
  const ofA = ["open /a", "side /a", "side /a", "handler /a", "after /a", "stream /a", "stream /a", "close /a"];
  const expected = ["before undefined", ...ofA, "background /a", "before undefined", "plain /b", "after /b"];
  assert.deepEqual(seen.toSorted(), expected.toSorted());
});

test("what a handler stores is there when its stream is read, and in no other request", async () => {
  const app = new Spikard().get("/{name}", ({ params }) => {
    const before = storage.getStore() ?? "nothing";
    storage.enterWith(params.name);
    return (function* () {
      yield before;
      yield storage.getStore() ?? "";
    })();
  });
  await using client = new TestClient(app);
  assert.equal((await client.get("/a")).text(), "nothinga");
  assert.equal((await client.get("/b")).text(), "nothingb");
  assert.equal(storage.getStore(), undefined);
});

test("requests that are answered side by side keep what is theirs", async () => {
  const app = new Spikard()
    .onRequest((request) => storage.enterWith(request.query.get("n") ?? ""))
    .get("/", async () => {
      for (let turn = 0; turn < 3; turn++) await sleep(Math.random() * 3);
      return storage.getStore();
    });
  await using client = new TestClient(app);
  const answers = await Promise.all(Array.from({ length: 200 }, async (_, n) => (await client.get(`/?n=${n}`)).text()));
  assert.deepEqual(
    answers,
    answers.map((_, n) => String(n)),
  );
});

test("a thenable of a library begins its work among what its request has stored", async () => {
  const app = new Spikard().get("/", () => {
    storage.enterWith("mine");
    // biome-ignore lint/suspicious/noThenProperty: as the queries of many clients of databases
    return { then: (resolve: (value: unknown) => void) => resolve({ stored: storage.getStore() }) };
  });
  await using client = new TestClient(app);
  assert.deepEqual((await client.get("/")).json(), { stored: "mine" });
});

test("background work is asked for from anywhere, runs behind the response, and belongs to a request", async () => {
  const seen: unknown[] = [];
  const deep = async (what: string) => {
    await sleep(1);
    background.run((...said: unknown[]) => seen.push(...said), what, storage.getStore());
  };
  const app = new Spikard()
    .provide("held", async function* () {
      yield 1;
      await deep("clean-up");
    })
    .get("/handler", async () => {
      storage.enterWith("h");
      await deep("handler");
      seen.push("answered");
    })
    .get("/fails", async () => {
      await deep("never");
      throw new HTTPError(409);
    })
    .get("/held", { deps: ["held"] }, () => "x")
    .get("/stream", async function* () {
      yield "a";
      await deep("stream");
      yield "b";
    });
  const client = new TestClient(app);
  for (const path of ["/handler", "/fails", "/held", "/stream"]) {
    await client.get(path);
    await sleep(20);
  }
  await client.close();
  assert.deepEqual(seen, ["answered", "handler", "h", "clean-up", undefined, "stream", undefined]);
  assert.throws(() => background.run(() => 1), /there is none here/);
});

test("background work of a hook on the way out, and of a task, is done too", async () => {
  const seen: string[] = [];
  const app = new Spikard().get("/", () => "x");
  app.onResponse((_, request) => {
    request.background(() => {
      seen.push("task");
      background.run(() => seen.push("task of the task"));
    });
  });
  const client = new TestClient(app);
  await client.get("/");
  await sleep(20);
  await client.close();
  assert.deepEqual(seen, ["task", "task of the task"]);
});

test("a refusal takes no background work back, and an exception all that came before", async () => {
  class Odd extends Error {}
  const seen: string[] = [];
  const ask = (name: string) => background.run(() => void seen.push(name));
  const app = new Spikard({ backgroundTasks: { maxQueue: 3 } })
    .onRequest(() => ask("in"))
    .onResponse(() => ask("out"))
    .get("/items/{number:int}", ({ query }) => {
      ask("handler");
      const fault = query.get("fault");
      if (fault) throw fault === "gone" ? new HTTPError(410) : new Error(fault);
      return {};
    })
    .get("/recovered", () => {
      throw new Odd();
    })
    .handleError(Odd, () => {
      ask("recovered");
      return new Reply(undefined, { status: 409 });
    });
  app.log = () => undefined;
  await using client = new TestClient(app);
  const claims: [string, number, string[]][] = [
    ["/items/1", 200, ["in", "handler", "out"]],
    ["/items/x", 422, ["in", "out"]],
    ["/nowhere", 404, ["in", "out"]],
    ["/items/1?fault=gone", 410, ["out"]],
    ["/items/1?fault=broken", 500, ["out"]],
    ["/recovered", 409, ["recovered", "out"]],
  ];
  for (const [target, status, kept] of claims) {
    seen.length = 0;
    // More than the queue holds: each gives its places back.
    for (let times = 1; times < 5; times++) {
      assert.equal((await client.get(target)).status, status, target);
      for (let tries = 0; tries < 200 && seen.length < times * kept.length; tries++) await sleep(5);
    }
    assert.deepEqual(seen.sort(), [kept, kept, kept, kept].flat().sort(), target);
  }
});

test("work whose response never came gives its place back", async () => {
  const app = new Spikard({ backgroundTasks: { maxQueue: 2 } })
    .get("/lost", { hooks: { onResponse: [() => Promise.reject(new Error("the hook failed"))] } }, ({ background }) => {
      background(() => undefined);
      return {};
    })
    .get("/kept", ({ background }) => {
      background(() => undefined);
      return {};
    });
  app.log = () => undefined;
  await using client = new TestClient(app);
  for (let times = 0; times < 5; times++) assert.equal((await client.get("/lost")).status, 500);
  assert.equal((await client.get("/kept")).status, 200);
});

test("clean-up that is awaited lets go at once, of a place in the queue too, though no further request comes", async () => {
  const seen: string[] = [];
  const app = new Spikard({ port: 0 })
    .provide("held", async function* () {
      yield 1;
      await sleep(50);
      background.run(() => seen.push("task of the clean-up"));
    })
    .get("/", { deps: ["held"] }, () => "x");
  await using server = await app.listen();
  await (await fetch(server.location)).text();
  await sleep(300);
  assert.deepEqual(seen, ["task of the clean-up"]);
});
