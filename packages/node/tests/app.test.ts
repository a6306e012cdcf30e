// What only this language has: results, errors, bodies and the order of things.

import assert from "node:assert/strict";
import http from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import { FileResponse, HTTPError, Reply, Router, Spikard, StreamingResponse, TestClient } from "@spikard/node";
import * as z from "zod";

const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

test("results of every kind are answers", async () => {
  const app = new Spikard()
    .get("/object", () => ({ a: [1, null] }))
    .get("/text", async () => "hé")
    .get("/bytes", () => new Uint8Array([1, 2]))
    .get("/pair", () => [{ made: true }, 201])
    .get("/list", () => [1, 200])
    .get("/nothing", { status: 204 }, () => undefined)
    .get("/null", () => null)
    .get("/whatwg", () => Response.json({ a: 1 }, { status: 203, headers: { "x-a": "b" } }))
    .get(
      "/reply",
      () =>
        new Reply(
          { a: 1 },
          {
            status: 202,
            headers: [
              ["set-cookie", "a=1"],
              ["set-cookie", "b=2"],
            ],
          },
        ),
    )
    .get("/generator", function* () {
      yield "a";
      yield "b";
    })
    .get("/later", async function* () {
      yield new Uint8Array([99]);
    })
    .get("/file", () => new FileResponse("package.json", { name: "p.json" }));
  await using client = new TestClient(app);
  const said = async (path: string) => {
    const { status, headers, bytes } = await client.get(path);
    return [status, headers.get("content-type"), decode(bytes)];
  };
  assert.deepEqual(await said("/object"), [200, "application/json", '{"a":[1,null]}']);
  assert.deepEqual(await said("/text"), [200, "text/plain; charset=utf-8", "hé"]);
  assert.deepEqual(await said("/bytes"), [200, "application/octet-stream", "\u0001\u0002"]);
  assert.deepEqual(await said("/pair"), [201, "application/json", '{"made":true}']);
  assert.deepEqual(await said("/list"), [200, "application/json", "[1,200]"]);
  assert.deepEqual(await said("/nothing"), [204, null, ""]);
  assert.deepEqual(await said("/null"), [200, "application/json", "null"]);
  assert.deepEqual(await said("/whatwg"), [203, "application/json", '{"a":1}']);
  assert.deepEqual(await said("/generator"), [200, "application/octet-stream", "ab"]);
  assert.deepEqual(await said("/later"), [200, "application/octet-stream", "c"]);
  assert.match((await client.get("/file")).headers.get("content-disposition") ?? "", /filename="p.json"/);
  assert.deepEqual((await client.get("/reply")).headers.getSetCookie(), ["a=1", "b=2"]);
});

test("a query that is no text is a 400, whoever asks for it", async () => {
  const app = new Spikard()
    .get("/asks", ({ query }) => query.get("a"))
    .get("/catches", ({ request }) => {
      try {
        return request.query.get("a");
      } catch (error) {
        return error instanceof HTTPError ? error.message : "something else";
      }
    });
  await using client = new TestClient(app);
  const refused = await client.get("/asks?a=%ff");
  assert.deepEqual([refused.status, refused.json<{ detail: string }>().detail], [400, "the query is not valid UTF-8"]);
  assert.equal((await client.get("/catches?a=%ff")).text(), "the query is not valid UTF-8");
  assert.equal((await client.get("/asks?a=%20b&a=c")).text(), " b");
});

test("a failure is told to the log and not to the client", async () => {
  const reports: unknown[] = [];
  const app = new Spikard()
    .get("/throws", () => {
      throw new Error("secret");
    })
    .get("/rejects", () => Promise.reject(new TypeError("hidden")))
    .get("/circle", () => {
      const circle: Record<string, unknown> = {};
      circle["self"] = circle;
      return circle;
    })
    .get("/symbol", () => Symbol("x"))
    .get("/header", () => new Reply("x", { headers: [["x-a", "\u0100"]] }))
    .get("/text", () => Promise.reject("no error"));
  app.log = ({ error }) => reports.push(error instanceof Error ? error.message : error);
  await using client = new TestClient(app);
  for (const path of ["/throws", "/rejects", "/circle", "/symbol", "/header", "/text"]) {
    const answer = await client.get(path);
    assert.equal(answer.status, 500);
    assert.doesNotMatch(answer.text(), /secret|hidden|circular/i);
  }
  assert.equal(reports.length, 6);
  assert.deepEqual([reports[0], reports[1], reports[5]], ["secret", "hidden", "no error"]);
});

test("what is meant as a failure is one, and bodies of the platform are sent as they are", async () => {
  const form = new FormData();
  form.set("a", new Blob(["file"]), "f.txt");
  const app = new Spikard()
    .get("/error", () => new HTTPError(418, "tea"))
    .get("/blob", { status: 201 }, () => new Blob(["hi"], { type: "text/x" }))
    .get("/query", () => new URLSearchParams({ a: "1 2" }))
    .get("/form", () => form)
    .get("/view", () => new Uint16Array([0x4142]))
    .get("/hooked", () => "handler");
  // A hook that is written in JavaScript may answer anything; only what is meant as an answer is one.
  app.onRequest(((request: { path: string }) => (request.path === "/hooked" ? 7 : undefined)) as never);
  const reports: string[] = [];
  app.log = ({ error }) => reports.push(String(error));
  await using client = new TestClient(app);
  const said = async (path: string) => {
    const { status, headers, bytes } = await client.get(path);
    return [status, headers.get("content-type"), decode(bytes)];
  };
  assert.equal((await client.get("/error")).status, 418);
  assert.deepEqual(await said("/blob"), [201, "text/x", "hi"]);
  assert.deepEqual(await said("/query"), [200, "application/x-www-form-urlencoded;charset=UTF-8", "a=1+2"]);
  assert.deepEqual(await said("/view"), [200, "application/octet-stream", "BA"]);
  assert.match((await said("/form")).join(), /multipart\/form-data; boundary=.*filename="f.txt"/s);
  assert.equal((await client.get("/hooked")).status, 500);
  assert.deepEqual(reports, ["TypeError: a hook answers with a Reply, a Response or [body, status], got number"]);
});

test("an upload is a File to whoever asks: to schema libraries, to forms, to itself in parts", async () => {
  const body = z.object({ file: z.file().max(300_000).mime("text/plain") });
  const app = new Spikard({ uploadMemory: 1000 }).post("/", { body }, async ({ body: { file } }) => {
    const form = new FormData();
    form.set("again", file);
    const again = await new Response(form).text();
    const [text, middle] = [await file.text(), await file.slice(-3, -1).slice(1).text()];
    let streamed = 0;
    for await (const piece of file.stream()) streamed += piece.length;
    const { byteLength } = await file.arrayBuffer();
    const sizes = [text.length, streamed, byteLength, file.size];
    return { name: file.name, type: file.type, middle, sizes, again: again.includes(text) };
  });
  await using client = new TestClient(app);
  for (const size of [10, 200_000]) {
    const form = new FormData();
    form.set("file", new Blob([`${"x".repeat(size - 3)}abc`], { type: "text/plain" }), "f.txt");
    const expected = { name: "f.txt", type: "text/plain", middle: "b", sizes: [size, size, size, size], again: true };
    assert.deepEqual((await client.post("/", { body: form })).json(), expected);
  }
  const wrong = new FormData();
  wrong.set("file", new Blob(["x"], { type: "image/png" }), "f.png");
  assert.equal((await client.post("/", { body: wrong })).status, 422);
});

test("what a request held is let go of when it has ended, whatever it was asked", async () => {
  const app = new Spikard()
    .provide("held", function* () {
      yield {};
    })
    .onResponse((response, { path }) => response.headers.set("x-path", path))
    .get("/", { deps: ["held"] }, async ({ request, signal, state }) => {
      state["signal"] = signal;
      return [await request.text(), 200];
    });
  await using client = new TestClient(app);
  const { table } = await client.open();
  for (let turn = 0; turn < 500; turn++) await client.get("/");
  assert.ok(table.values.length < 20, `${table.values.length} values`);
});

test("an error handler has the very error that was thrown", async () => {
  class Odd extends Error {}
  const odd = new Odd("x");
  const app = new Spikard()
    .get("/odd", async () => {
      throw odd;
    })
    .get("/gone", () => {
      throw new HTTPError(410, { why: "old" }, { headers: { "x-a": "1" }, title: "Gone for good" });
    });
  app.handleError(Odd, (error, request) => [{ same: error === odd, path: request.path }, 409]);
  app.handleError(404, (error) => ({ status: error.status }));
  await using client = new TestClient(app);
  const handled = await client.get("/odd");
  assert.deepEqual([handled.status, handled.json()], [409, { same: true, path: "/odd" }]);
  const missing = await client.get("/nowhere");
  assert.deepEqual([missing.status, missing.json()], [404, { status: 404 }]);
  const gone = await client.get("/gone");
  assert.equal(gone.headers.get("x-a"), "1");
  assert.deepEqual(gone.json(), {
    type: "https://spikard.dev/errors/gone-for-good",
    title: "Gone for good",
    status: 410,
    detail: { why: "old" },
  });
});

test("what a library refuses beyond its JSON Schema is a 422 in its own words", async () => {
  const body = z
    .object({ id: z.int(), at: z.coerce.date() })
    .refine(({ id }) => id !== 7, { error: "no seven", path: ["id"] });
  const app = new Spikard().post("/", { body }, ({ body: { id, at } }) => ({ id, year: at.getUTCFullYear() }));
  await using client = new TestClient(app);
  assert.deepEqual((await client.post("/", { json: { id: 1, at: "2026-01-02" } })).json(), { id: 1, year: 2026 });
  const refused = await client.post("/", { json: { id: 7, at: "2026-01-02" } });
  const { errors } = refused.json() as { errors: object[] };
  assert.deepEqual(
    [refused.status, errors],
    [422, [{ type: "value_error", loc: ["body", "id"], msg: "no seven", input: 7 }]],
  );
});

test("hooks, dependencies, handler and background work have one order and one request", async () => {
  const seen: string[] = [];
  const app = new Spikard()
    .provide("held", async function* ({ request }) {
      seen.push(`open ${request.state["by"]}`);
      try {
        yield 1;
      } finally {
        seen.push("close");
      }
    })
    .onRequest((request) => {
      request.state["by"] = "hook";
      seen.push("onRequest");
    })
    .onResponse((response) => {
      seen.push("onResponse");
      response.headers.set("x-seen", "yes");
    });
  app.get("/", { deps: ["held"] }, ({ state, background }) => {
    seen.push(`handler ${state["by"]}`);
    background(() => seen.push("background"));
    return {};
  });
  const client = new TestClient(app);
  assert.equal((await client.get("/")).headers.get("x-seen"), "yes");
  await client.close();
  assert.deepEqual(seen, ["onRequest", "open hook", "handler hook", "onResponse", "close", "background"]);
});

test("a singleton is made once and finished when the app is left", async () => {
  const seen: string[] = [];
  const app = new Spikard().provide("pool", { scope: "singleton" }, async function* () {
    seen.push("open");
    yield { queries: 0 };
    seen.push("close");
  });
  app.onStartup(() => seen.push("startup")).onShutdown(async () => seen.push("shutdown"));
  app.get("/", { deps: ["pool"] }, ({ deps: { pool } }) => {
    pool.queries += 1;
    return pool;
  });
  const client = new TestClient(app);
  await client.get("/");
  assert.deepEqual((await client.get("/")).json(), { queries: 2 });
  await client.close();
  assert.deepEqual(seen, ["startup", "open", "close", "shutdown"]);
});

test("what a route answers is what it names, and nothing else", async () => {
  const reports: unknown[] = [];
  const user = z.object({ name: z.string() });
  const hidden = (name: unknown) => ({ name: name as string, password: "secret" });
  const app = new Spikard()
    .get("/user", { response: user }, () => hidden("ada"))
    .get("/users", { response: z.object({ users: z.array(user), next: user.nullable() }) }, async () => {
      return [{ users: [hidden("ada")], next: hidden("bob") }, 203];
    })
    .get("/either", { response: z.union([z.object({ id: z.int() }), user]) }, () => hidden("ada"))
    .get("/reply", { response: user }, () => new Reply(hidden("ada"), { headers: { "x-a": "b" } }))
    .get("/any", { response: z.looseObject({ name: z.string() }) }, () => hidden("ada"))
    .get("/written", { responseSchema: user }, () => hidden("ada"))
    .get("/wrong", { response: user }, () => hidden(5))
    .get("/nothing", { response: user }, () => null as never)
    .get("/failure", { response: user }, () => new Reply(hidden("ada"), { status: 409 }));
  app.log = ({ source }) => reports.push(source);
  await using client = new TestClient(app);
  const said = async (path: string) => (await client.get(path)).json();
  assert.deepEqual(await said("/user"), { name: "ada" });
  assert.deepEqual(await said("/users"), { users: [{ name: "ada" }], next: { name: "bob" } });
  assert.deepEqual(await said("/either"), { name: "ada" });
  assert.deepEqual(await said("/reply"), { name: "ada" });
  assert.deepEqual(await said("/any"), hidden("ada"));
  assert.deepEqual(await said("/written"), hidden("ada"));
  assert.deepEqual(await said("/failure"), hidden("ada"));
  for (const path of ["/wrong", "/nothing"]) assert.equal((await client.get(path)).status, 500);
  assert.match(`${reports[0]}`, /^response_schema refuses name: /);
  assert.match(`${reports[1]}`, /^response_schema refuses the response: /);
});

test("a hook that returns null goes on", async () => {
  const app = new Spikard()
    .onRequest((request) => (request.headers.has("x-user") ? null : new Reply("who?", { status: 401 })))
    .onResponse(async () => null)
    .get("/", () => ({ here: true }));
  await using client = new TestClient(app);
  assert.equal((await client.get("/")).status, 401);
  assert.deepEqual((await client.get("/", { headers: { "x-user": "a" } })).json(), { here: true });
});

test("what is no status, file or stream is named where it is made", () => {
  const wrong = (value: unknown) => value as never;
  const status = (got: string, first = 200) => `a status is a whole number from ${first} to 599, got ${got}`;
  const claims: [() => unknown, string][] = [
    [() => new Reply("x", { status: wrong("404") }), status('"404"')],
    [() => new Reply("x", { status: 99 }), status("99")],
    [() => new Reply("x", { status: 200.5 }), status("200.5")],
    [() => new Reply("x", { status: wrong({}) }), status("an object")],
    [() => new HTTPError(200), status("200", 300)],
    [() => new HTTPError(wrong(undefined)), status("undefined", 300)],
    [() => new Spikard().get("/", { status: 0 }, () => 1), status("0")],
    [() => new Spikard().handleError(200, () => 1), status("200", 400)],
    [() => new FileResponse(wrong(5)), "a FileResponse takes a path as text, got 5"],
    [() => new FileResponse("a", { name: wrong(5) }), "the name of a file is text, got 5"],
    [
      () => new FileResponse("a", { filename: "b" } as object),
      'a FileResponse has no option "filename": name, inline, status, headers',
    ],
    [() => new StreamingResponse(wrong(5)), "a StreamingResponse takes what can be iterated over, got 5"],
    [() => new Spikard().onRequest(wrong("x")), 'onRequest: a hook is a function, got "x"'],
    [
      () => new Spikard().get("/a", { querry: {} } as object, () => 1),
      'the route GET /a has no option "querry": params, query, headers, cookies, fields, deps, body, bodyKind, bodyOptional, ' +
        "response, responseSchema, responses, status, needs, maxBodySize, timeout, cancelOnDisconnect, assertFormats, hooks",
    ],
  ];
  for (const [make, message] of claims) assert.throws(make, { name: "TypeError", message });
});

test("a hook's rubbish status is a failure, and a lone surrogate an answer", async () => {
  const reports: unknown[] = [];
  const app = new Spikard()
    .get("/", { hooks: { onResponse: [(response) => Object.assign(response, { status: "zz" })] } }, () => "x")
    .get("/surrogate", () => {
      throw new HTTPError(404, "no \ud800");
    });
  app.log = ({ error }) => reports.push((error as Error).message);
  await using client = new TestClient(app);
  assert.equal((await client.get("/")).status, 500);
  assert.deepEqual(reports, ['a status is a whole number from 200 to 599, got "zz"']);
  const missing = await client.get("/surrogate");
  assert.deepEqual([missing.status, (missing.json() as { detail: string }).detail], [404, "no \ufffd"]);
});

test("what fetch has decoded is sent without the fields of what it was", async () => {
  const upstream = http.createServer((_, answer) => {
    answer.setHeader("content-encoding", "gzip");
    answer.setHeader("x-kept", "yes");
    answer.end(gzipSync("hello"));
  });
  await new Promise<void>((resolve) => upstream.listen(0, resolve));
  const { port } = upstream.address() as AddressInfo;
  const app = new Spikard().get("/", () => fetch(`http://127.0.0.1:${port}`));
  await using client = new TestClient(app);
  const answer = await client.get("/");
  assert.deepEqual([answer.status, answer.text(), answer.headers.get("x-kept")], [200, "hello", "yes"]);
  assert.deepEqual([answer.headers.get("content-encoding"), answer.headers.get("content-length")], [null, null]);
  upstream.close();
  upstream.closeAllConnections();
});

test("routers nest, and their hooks stay theirs", async () => {
  const inner = new Router("/inner").get("/x", () => "x");
  inner.onResponse((response) => response.headers.set("x-inner", "1"));
  const app = new Spikard().get("/y", () => "y").include(inner, "/outer");
  await using client = new TestClient(app);
  assert.equal((await client.get("/outer/inner/x")).headers.get("x-inner"), "1");
  assert.equal((await client.get("/y")).headers.get("x-inner"), null);
});

test("what a handler reads as JSON is judged as a bound body is", async () => {
  const app = new Spikard()
    .post("/read", async ({ request }) => ({ got: await request.json() }))
    .post("/bound", { body: {} }, ({ body }) => ({ got: body }));
  await using client = new TestClient(app);
  const deep = `${"[".repeat(100)}${"]".repeat(100)}`;
  for (const body of ['{"x":1', '{"x":1e999}', deep, '"\\ud800"', "NaN", '{"x":1}', "[1.5]", new Uint8Array([0xff])]) {
    const headers = { "content-type": "application/json" };
    const [read, bound] = [
      await client.post("/read", { headers, body }),
      await client.post("/bound", { headers, body }),
    ];
    const { detail } = bound.json() as { detail?: string };
    assert.deepEqual([read.status, (read.json() as { detail?: string }).detail], [bound.status, detail], `${body}`);
    assert.ok(read.status === 200 || detail?.startsWith("the body is not valid JSON: "));
  }
  const nothing = await client.post("/read");
  assert.equal(nothing.status, 400);
});

test("a body can be read in the handler, whole or piece by piece", async () => {
  const app = new Spikard()
    .post("/json", async ({ request }) => ({ got: await request.json() }))
    .post("/pieces", async ({ request }) => {
      let length = 0;
      for await (const piece of request.stream()) length += piece.length;
      return { length };
    });
  await using client = new TestClient(app);
  assert.deepEqual((await client.post("/json", { json: [1] })).json(), { got: [1] });
  assert.deepEqual((await client.post("/pieces", { body: "x".repeat(300_000) })).json(), { length: 300_000 });
});

test("an app that cannot work is refused when it is started, with the route at fault", async () => {
  const twice = new Spikard().get("/a/{id}", () => 1).get("/a/:name", () => 2);
  await assert.rejects(new TestClient(twice).get("/"), {
    name: "SpecError",
    message: /^\/.*app\.test\.js:\d+: GET \/a\/\{name\}: another route has the same method and path$/,
  });
  const needy = new Spikard<{ db: number }>().get("/", { deps: ["db"] }, () => 1);
  await assert.rejects(new TestClient(needy).get("/"), /db/);
});

test("a stream that nobody reads to its end is closed", async () => {
  let closed = false;
  const app = new Spikard().get("/", () => {
    async function* endless() {
      try {
        for (;;) yield "x".repeat(10_000);
      } finally {
        closed = true;
      }
    }
    return new StreamingResponse(endless());
  });
  await using server = await app.listen({ port: 0 });
  const answer = await fetch(server.location);
  const reader = answer.body!.getReader();
  await reader.read();
  await reader.cancel();
  for (let tries = 0; tries < 200 && !closed; tries++) await new Promise((resolve) => setTimeout(resolve, 10));
  assert.ok(closed);
});

test("a test client sends files, and user code takes a form apart by the rules of a bound one", async () => {
  const app = new Spikard({ maxFormParts: 3 })
    .post("/bound", { body: z.object({ user: z.int(), pictures: z.array(z.file()) }) }, async ({ body }) => [
      body.user,
      ...(await Promise.all(body.pictures.map(async (file) => `${file.name} ${file.type} ${await file.text()}`))),
      200,
    ])
    .post("/read", async ({ request }) => {
      const told = [];
      for (const [name, value] of await request.form())
        told.push([name, typeof value === "string" ? value : `${value.name} ${value.type} ${await value.text()}`]);
      return told;
    });
  await using client = new TestClient(app);
  const picture = new File(["png"], "a.png", { type: "image/png" });
  const sent = { form: { user: "7" }, files: { pictures: [picture, picture] } };
  const each = "a.png image/png png";
  assert.deepEqual((await client.post("/bound", sent)).json(), [7, each, each, 200]);
  const read = [
    ["user", "7"],
    ["pictures", each],
    ["pictures", each],
  ];
  assert.deepEqual((await client.post("/read", sent)).json(), read);
  const pairs = await client.post("/read", { form: { a: "1 2", b: "ü" } });
  assert.deepEqual(pairs.json(), [
    ["a", "1 2"],
    ["b", "ü"],
  ]);
  const many = { files: { pictures: [picture, picture, picture, picture] } };
  assert.equal((await client.post("/read", many)).status, 413);
  assert.equal((await client.post("/read", { json: {} })).status, 415);
  const form = { headers: { "content-type": "multipart/form-data; boundary=x" }, body: "--x\r\n" };
  assert.equal((await client.post("/read", form)).status, 400);
});
