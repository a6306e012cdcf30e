// User code and clients that are at odds with each other: what one does reaches no other.

import assert from "node:assert/strict";
import { pbkdf2 } from "node:crypto";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { Reply, Spikard, TestClient } from "@spikard/node";

test("the late answer of a request that was given up is nobody's", async () => {
  const app = new Spikard({ port: 0, cancelGrace: 0.1 })
    .get("/late", { timeout: 0.1 }, () => sleep(900, "late"))
    .get("/good", () => sleep(900, "good"));
  app.log = () => undefined;
  await using server = await app.listen();
  const ask = async (path: string) => (await fetch(server.location + path)).text();
  const late = Promise.all(Array.from({ length: 8 }, () => ask("/late")));
  await sleep(500);
  const good = await Promise.all(Array.from({ length: 8 }, () => ask("/good")));
  assert.deepEqual(new Set(good), new Set(["good"]));
  assert.ok((await late).every((answer) => answer.includes('"status":408')));
});

test("a read of an upload that outlives its request is given no other file", { timeout: 60_000 }, async () => {
  const body = {
    type: "object",
    properties: { file: { type: "string", contentMediaType: "application/octet-stream" } },
    required: ["file"],
  } as const;
  let settle: (read: Promise<string>) => void = () => undefined;
  const read = new Promise<string>((resolve) => {
    settle = resolve;
  });
  const app = new Spikard({ port: 0, uploadMemory: 1000, requestTimeout: 0.2, cancelGrace: 0.1 })
    .post("/slow", { body }, async ({ body: { file } }) => {
      // Whatever fills libuv's pool: the read waits there, and the request is over before it begins.
      for (let hog = 0; hog < 8; hog++) pbkdf2("x", "y", 400_000, 64, "sha512", () => undefined);
      settle(file.bytes(0, 5).then((bytes) => new TextDecoder().decode(bytes)));
      await read;
    })
    .post("/other", { body, timeout: null }, async ({ body: { file } }) => {
      await sleep(300);
      return file.size;
    });
  app.log = () => undefined;
  await using server = await app.listen();
  const send = (path: string, letter: string) => {
    const form = new FormData();
    form.set("file", new Blob([letter.repeat(200_000)]), "file.txt");
    return fetch(server.location + path, { method: "POST", body: form });
  };
  assert.equal((await send("/slow", "A")).status, 408);
  for (let tries = 0; tries < 100 && server.inFlight > 0; tries++) await sleep(10);
  const others = Promise.all(Array.from({ length: 6 }, () => send("/other", "B")));
  assert.equal(await read, "AAAAA");
  assert.ok((await others).every((answer) => answer.status === 200));
});

test("a hook of no written parameters is given the response and the request", async () => {
  const seen: string[] = [];
  const app = new Spikard().get("/x", () => new Reply("x", { headers: { "x-count": 5 as unknown as string } }));
  app.onResponse((...given) => void seen.push(`${given[0].status} ${given[1].path}`));
  await using client = new TestClient(app);
  assert.equal((await client.get("/x")).headers.get("x-count"), "5");
  assert.deepEqual(seen, ["200 /x"]);
});

test("a body that a hook puts in has a type, its own unless one is said", async () => {
  const app = new Spikard().get("/typed", () => "x").get("/bare", () => new Reply());
  app.onResponse((response) => {
    response.body = { a: 1 };
  });
  await using client = new TestClient(app);
  assert.equal((await client.get("/typed")).headers.get("content-type"), "text/plain; charset=utf-8");
  assert.equal((await client.get("/bare")).headers.get("content-type"), "application/json");
});

const thenable = (then: (answer: (value: unknown) => void) => void) => ({ then });

test("a thenable calls back when it likes, and counts once", async () => {
  const app = new Spikard()
    .get("/at-once", () => thenable((answer) => answer({ at: "once" })))
    .get("/twice", () =>
      thenable((answer) => {
        answer("first");
        setTimeout(answer, 5, "second");
      }),
    );
  app.onResponse(() => sleep(20));
  await using client = new TestClient(app);
  assert.deepEqual((await client.get("/at-once")).json(), { at: "once" });
  assert.equal((await client.get("/twice")).text(), "first");
});

test("whatever is thrown, and whatever the log does, ends no process", async () => {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  const broken = new Proxy(new Error("x"), {
    get: () => {
      throw new Error("get");
    },
    getPrototypeOf: () => {
      throw new Error("prototype");
    },
  });
  class Odd extends Error {}
  const app = new Spikard().handleError(Odd, () => "odd");
  for (const [path, thrown] of Object.entries({ proxy, broken, nothing: undefined, named: { constructor: 5 } })) {
    app.get(`/now/${path}`, () => {
      throw thrown;
    });
    app.get(`/later/${path}`, async () => {
      throw thrown;
    });
  }
  let reports = 0;
  app.log = async () => {
    reports += 1;
    throw new Error("the log is gone");
  };
  await using client = new TestClient(app);
  const said: unknown[][] = [];
  const { error } = console;
  console.error = (...words) => said.push(words);
  try {
    for (const when of ["now", "later"])
      for (const path of ["proxy", "broken", "nothing", "named"])
        assert.equal((await client.get(`/${when}/${path}`)).status, 500, path);
    await sleep(10);
  } finally {
    console.error = error;
  }
  assert.equal(reports, 8);
  assert.equal(said.length, 8);
  assert.ok(said.every(([message]) => message === "the report of a failure failed"));
});
