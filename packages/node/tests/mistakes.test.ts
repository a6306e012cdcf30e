// What somebody new writes: each mistake is told where it was made, and says what to write instead.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { background, HTTPError, Reply, type RouteOptions, Spikard, StreamingResponse, TestClient } from "@spikard/node";
import { Type } from "typebox";
import * as v from "valibot";
import * as z from "zod";

const any = (value: unknown) => value as never;

/** The line of its caller. */
function line(): number {
  return Number(/mistakes\.test\.js:(\d+)/.exec(new Error().stack?.split("\n")[2] ?? "")?.[1]);
}

test("what is no schema is refused at the start, with its route, its place and what it was for", async () => {
  const zod3 = { "~standard": { version: 1, vendor: "zod", validate: () => ({ value: 1 }) } };
  const object = "expected the schema of an object";
  const called = "is a function: was it to be called?";
  const inside = (vendor: string) => `is a schema of ${vendor}, and stands in none: let ${vendor} say it all`;
  const claims: [options: object, message: string][] = [
    [{ params: z.string }, "params: expected a schema, got a function: was it to be called?"],
    [{ params: z.string() }, `params: ${object}`],
    [{ params: { id: z.string } }, `params: expected a schema, but "id" ${called}`],
    [{ query: { id: z.string() } }, `query: "id" ${inside("zod")}`],
    [{ query: { type: "object", properties: { id: v.string() } } }, `query: "id" ${inside("valibot")}`],
    [{ query: { id: "string" } }, `query: ${object}`],
    [
      { query: { type: "object", properties: { id: { kind: "int" } } } },
      'query parameter "id": a parameter\'s schema cannot say `kind` here',
    ],
    [{ headers: "string" }, 'headers: expected a schema, got "string"'],
    [{ body: null }, "body: expected a schema, got null"],
    [{ body: { a: "string" } }, "body: the schema has no keyword of JSON Schema, but `a`"],
    [{ body: { validate() {}, cast() {} } }, `body: expected a schema, but "validate" ${called}`],
    [{ body: zod3 }, "body: the zod schema tells no JSON Schema: those of Zod 4.2 and newer do"],
    [{ body: { _def: {}, parse() {} } }, "body: the zod schema tells no JSON Schema: those of Zod 4.2 and newer do"],
    [{ response: { name: "string" } }, "response_schema: the schema has no keyword of JSON Schema, but `name`"],
    [{ responses: { 404: z.string } }, "responses 404: expected a schema, got a function: was it to be called?"],
  ];
  for (const [options, message] of claims) {
    const app = new Spikard();
    const at = line() + 1;
    app.post("/users/:id", options as RouteOptions, () => 1);
    await assert.rejects(new TestClient(app).open(), {
      name: "SpecError",
      message: `${import.meta.filename}:${at}: POST /users/{id}: ${message}`,
    });
  }
  const app = new Spikard().provide("user", { cookies: z.string() }, () => 1);
  await assert.rejects(new TestClient(app).open(), { message: `the dependency "user": cookies: ${object}` });
});

test("schemas that accept everything, or hold more than JSON Schema does, are schemas", async () => {
  const coded = Type.Codec(Type.String()).Decode(Number).Encode(String);
  const schemas = [
    {},
    true,
    { title: "Anything", "x-internal": 1 },
    coded,
    Type.Any(),
    z.any(),
    { type: "string", deprecated: undefined },
  ];
  for (const body of schemas) {
    await using client = new TestClient(new Spikard().post("/", { body }, () => "taken"));
    assert.equal((await client.post("/", { json: "a" })).text(), "taken", JSON.stringify(body));
  }
});

test("a path as other frameworks write it is told how it is written here, and where", async () => {
  const here: Record<string, string> = {
    "/x/*": '"*": a parameter is written "/x/{rest:path}"',
    "/x/*rest": '"*rest": a parameter is written "/x/{rest:path}"',
    "/x/:id?": '":id?": a parameter is written "/x/{id}", and a second route without it',
    "/x/:id(\\d+)": '":id(\\\\d+)": a parameter is written "/x/{id}"',
    "/x/(.*)": '"(.*)": a parameter is written "/x/{rest:path}"',
    "/x?y=1": '"?y=1": write "/x", and take what follows as parameters of the query',
  };
  for (const [path, words] of Object.entries(here)) {
    const app = new Spikard();
    const at = line() + 1;
    app.get(path, () => 1);
    await assert.rejects(new TestClient(app).open(), {
      name: "SpecError",
      message: `${import.meta.filename}:${at}: GET ${path}: the path ${JSON.stringify(path)} has ${words}`,
    });
  }
});

test("a dependency that cannot be is named, and its wrong scope is refused where it is written", async () => {
  const provided = (options: object) => new Spikard().provide("a", 1).provide("db", any(options), () => 1);
  assert.throws(() => provided({ scope: "singelton" }), {
    name: "TypeError",
    message: 'the dependency "db": scope is one of call, function, request, singleton, got "singelton"',
  });
  for (const [options, message] of [
    [{ needs: [5] }, /^the dependency "db": dependencies\[0\]: invalid type: integer `5`, expected a string$/],
    [{ concurrent: "yes" }, /^the dependency "db": concurrent: invalid type: string "yes", expected a boolean$/],
  ] as const)
    await assert.rejects(new TestClient(provided(options)).open(), { name: "SpecError", message });
});

test("a background task that is no function is refused where it is asked for", async () => {
  const reports: string[] = [];
  const app = new Spikard()
    .get("/context", (context) => context.background(any(5)))
    .get("/request", ({ request }) => request.background(any(Promise.resolve())))
    .get("/import", () => background.run(any("send")));
  app.log = ({ error, route }) => reports.push(`${route} ${error}`);
  await using client = new TestClient(app);
  for (const path of ["/context", "/request", "/import"]) assert.equal((await client.get(path)).status, 500);
  const words = "TypeError: a background task is a function, with its arguments behind it, got";
  assert.deepEqual(reports, [
    `GET /context ${words} 5`,
    `GET /request ${words} an object`,
    `GET /import ${words} "send"`,
  ]);
});

test("an HTTPError that says what is not JSON is a failure, and the log says why", async (t) => {
  const reports: unknown[] = [];
  const refusals: HTTPError[] = [
    new HTTPError(400, { a: 10n }),
    new HTTPError(400, "no", { extra: { a: 10n } }),
    new HTTPError(400, () => "no"),
  ];
  const said = t.mock.method(console, "error", () => undefined);
  const app = new Spikard().get("/{at:int}", ({ params }) => {
    throw refusals[params.at];
  });
  app.log = ({ error }) => reports.push(error);
  await using client = new TestClient(app);
  for (const at of refusals.keys()) assert.equal((await client.get(`/${at}`)).status, 500);
  assert.deepEqual(reports, refusals);
  const words = said.mock.calls.map(({ arguments: [first, fault] }) => `${first} ${fault.message}`);
  const reasons = [
    "Do not know how to serialize a BigInt",
    "Do not know how to serialize a BigInt",
    "a function is no JSON",
  ];
  assert.deepEqual(
    words,
    reasons.map((reason) => `an HTTPError says what cannot be sent: ${reason}`),
  );
});

test("a wrong configuration is an error where it is written", () => {
  assert.throws(() => new Spikard(any({ prot: 8000 })), {
    name: "SpecError",
    message: 'there is no configuration field "prot", did you mean "port"?',
  });
  assert.throws(() => new Spikard({ port: 70_000 }), { name: "SpecError", message: /^port: .*, got 70000$/ });
  assert.throws(() => new Spikard(any("8000")), { message: 'expected a configuration or a port, got "8000"' });
});

test("a port alone is a configuration, and whoever waits by a callback is told to await", async () => {
  const app = new Spikard();
  await using server = await app.listen(0);
  assert.match(server.location, /^http:\/\/127\.0\.0\.1:\d+$/);
  const called = {
    name: "TypeError",
    message: "expected a configuration or a port, and no callback: await the answer",
  };
  const listen = app.listen.bind(app) as (...given: unknown[]) => Promise<unknown>;
  await assert.rejects(
    listen(3000, () => undefined),
    called,
  );
  await assert.rejects(listen("3000"), { message: 'expected a configuration or a port, got "3000"' });
  await assert.rejects(app.listen({ workers: 2 }), {
    name: "SpecError",
    message: /need run\(\): listen\(\) is one process$/,
  });
});

test("what other frameworks call otherwise says what it is here", () => {
  const app = new Spikard() as unknown as Record<string, (...given: unknown[]) => void>;
  const said = (name: string, words: string) =>
    assert.throws(() => app[name]?.(), { name: "TypeError", message: `there is no ${name}: write ${words}` });
  said("use", "a hook: app.onRequest(…) or app.onResponse(…); a Router goes into app.include(router, prefix)");
  said("addHook", "a hook: app.onRequest(…) or app.onResponse(…)");
  said("register", "app.include(router, prefix) or app.provide(name, value)");
  said("setNotFoundHandler", "app.handleError(404, handler)");
  said("inject", "new TestClient(app)");
  assert.throws(
    () =>
      new Spikard().get(
        "/",
        any((_req: unknown, _res: unknown) => 1),
      ),
    {
      name: "TypeError",
      message: /^GET \/: a handler takes one object, .* returns its answer$/,
    },
  );
  assert.throws(() => new Spikard().onRequest(any((_req: unknown, _res: unknown, _next: unknown) => 1)), {
    name: "TypeError",
    message: "onRequest: a hook takes the request, and answers by what it returns",
  });
  assert.throws(() => new Spikard().onResponse(any((_a: unknown, _b: unknown, _c: unknown) => 1)), {
    name: "TypeError",
    message: "onResponse: a hook takes the response and the request, and answers by what it returns",
  });
});

test("a Map and a Set are no answers, which the log says", async () => {
  const reports: string[] = [];
  const app = new Spikard().get("/map", () => new Map([["a", 1]])).get("/set", () => [new Set([1]), 201]);
  app.log = ({ error }) => reports.push(String(error));
  await using client = new TestClient(app);
  for (const path of ["/map", "/set"]) assert.equal((await client.get(path)).status, 500);
  assert.deepEqual(reports, [
    "TypeError: JSON has no Map: answer Object.fromEntries(it), or its entries as a list",
    "TypeError: JSON has no Set: answer [...it]",
  ]);
});

test("every option of a route is known, and no other", () => {
  const source = readFileSync(join(import.meta.dirname, "../../js/src/router.ts"), "utf8");
  const declared = /interface RouteOptions extends Taken \{(.*?)\n\}/s.exec(source)?.[1] ?? "";
  const names = [...declared.matchAll(/^ {2}(\w+)\?:/gm)].map(([, name]) => name as string);
  assert.ok(names.length > 10);
  for (const name of [...names, "params", "query", "headers", "cookies", "fields", "deps"])
    new Spikard().get("/", { [name]: undefined } as RouteOptions, () => 1);
  assert.throws(
    () => new Spikard().get("/", { boddy: {} } as RouteOptions, () => 1),
    /the route GET \/ has no option "boddy": params, query/,
  );
});

test("an option that nothing reads is refused by its name, with those that there are", () => {
  const app = new Spikard();
  const slips: [string, () => unknown][] = [
    ['a TestClient has no option "baseUrl": followRedirects', () => new TestClient(app, any({ baseUrl: "/" }))],
    [
      'the object of hooks of GET / has no option "onRequst": onRequest, preValidation, preHandler, onError, onResponse',
      () =>
        app.get(
          "/",
          any({ hooks: { onRequst: [] } }),
          any(() => 1),
        ),
    ],
    [
      'the dependency "db" has no option "lifetime": params, query, headers, cookies, fields, deps, scope, needs, concurrent',
      () => app.provide("db", any({ lifetime: "singleton" }), () => 1),
    ],
    ['a Reply has no option "statusCode": status, headers', () => new Reply("", any({ statusCode: 201 }))],
    [
      'a StreamingResponse has no option "type": status, headers',
      () => new StreamingResponse([], any({ type: "text/plain" })),
    ],
    [
      'an HTTPError has no option "details": headers, type, title, extra, cause',
      () => new HTTPError(404, "no", any({ details: {} })),
    ],
  ];
  for (const [message, slip] of slips) assert.throws(slip, { name: "TypeError", message });
});

test("what JSON cannot say, and what is of no type that an option has, is refused where it stands", async () => {
  assert.throws(() => new Spikard({ port: any(() => 80) }), { message: /^port: .*, got "a function"$/ });
  assert.throws(() => new Spikard({ requestTimeout: Number.NaN }), { message: /^request_timeout: .*, got "NaN"$/ });
  const claims: [RouteOptions, string][] = [
    [{ timeout: Number.NaN }, 'timeout: invalid type: string "NaN", expected f64'],
    [{ maxBodySize: 1.5 }, "max_body_size: invalid type: floating point `1.5`, expected u64"],
    [any({ body: true, bodyKind: "xml" }), "body.kind: unknown variant `xml`, expected one of `json`, "],
    [any({ deps: "db" }), 'there is no dependency "db"'],
  ];
  for (const [options, message] of claims) {
    const app = new Spikard().get("/before", () => 1);
    const at = line() + 1;
    app.get("/", options, () => 1);
    await assert.rejects(new TestClient(app).open(), ({ message: said }) =>
      said.startsWith(`${import.meta.filename}:${at}: GET /: ${message}`),
    );
  }
  assert.throws(() => new Spikard().get("/", { hooks: { onRequest: [any(5)] } }, () => 1), {
    message: "onRequest: a hook is a function, got 5",
  });
  const pair = "handleError takes a class or a status, and a handler";
  assert.throws(() => new Spikard().handleError(Error, any(undefined)), { message: pair });
  assert.throws(() => new Spikard().handleError(any("404"), () => 1), { message: pair });
});

test("what stands before a handler are options, and no guard is dropped", () => {
  const guard = () => new Response(null, { status: 401 });
  for (const given of [
    [guard, () => 1],
    [guard, guard, () => 1],
    [{}, guard, () => 1],
    [[guard], () => 1],
    [null, () => 1],
  ])
    assert.throws(
      () => new Spikard().get("/", ...(given as [never, never])),
      /GET \/: one handler, behind options at most/,
    );
  assert.throws(() => new Spikard().get(/x/ as never, () => 1), /a path is text, got an object/);
});
