// What TypeScript infers: these lines are checked by tsc, and run to see that the values are so.

import assert from "node:assert/strict";
import { test } from "node:test";
import { type HTTPError, type Infer, Router, type Server, SpecError, Spikard, TestClient } from "@spikard/node";
import { toStandardJsonSchema } from "@valibot/to-json-schema";
import { Type } from "typebox";
import * as v from "valibot";
import * as z from "zod";

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;

/** Fails to compile where the two types differ. */
function same<A, B>(..._: Same<A, B> extends true ? [] : [never]): void {}

const zod = z.object({ id: z.int(), tags: z.array(z.string()).default([]) });
const valibot = toStandardJsonSchema(
  v.object({ id: v.pipe(v.number(), v.integer()), tags: v.optional(v.array(v.string()), []) }),
);
const typebox = Type.Object({ id: Type.Integer(), note: Type.Optional(Type.String()) });
const plain = {
  type: "object",
  properties: { id: { type: "integer" }, kind: { enum: ["a", "b"] }, limit: { type: "integer", default: 10 } },
  required: ["id"],
} as const;

test("the template's converters are the types of its parameters", async () => {
  const app = new Spikard();
  app.get("/users/{id:int}/posts/:slug", ({ params }) => {
    same<typeof params, { id: number; slug: string }>();
    return params;
  });
  await using client = new TestClient(app);
  assert.deepEqual((await client.get("/users/3/posts/x")).json(), { id: 3, slug: "x" });
});

test("a body has the type of its schema, whatever library wrote it", async () => {
  same<Infer<typeof zod>, { id: number; tags: string[] }>();
  same<Infer<typeof valibot>, { id: number; tags: string[] }>();
  same<Infer<typeof plain>, { id: number; limit: number; kind?: "a" | "b" }>();
  const app = new Spikard()
    .post("/zod", { body: zod }, ({ body }) => {
      same<typeof body, { id: number; tags: string[] }>();
      return body;
    })
    .post("/valibot", { body: valibot }, ({ body }) => {
      same<typeof body, { id: number; tags: string[] }>();
      return body;
    })
    .post("/typebox", { body: typebox }, ({ body }) => {
      const { id, note }: { id: number; note?: string } = body;
      return { id, note };
    })
    .post("/plain", { body: plain }, ({ body }) => body);
  await using client = new TestClient(app);
  for (const [path, answer] of [
    ["zod", { id: 1, tags: [] }],
    ["valibot", { id: 1, tags: [] }],
    ["typebox", { id: 1 }],
    ["plain", { id: 1 }],
  ] as const) {
    assert.deepEqual((await client.post(`/${path}`, { json: { id: 1 } })).json(), answer);
    const refused = await client.post(`/${path}`, { json: { id: "x" } });
    assert.equal(refused.status, 422);
    const { errors } = refused.json() as { errors: { type: string; loc: unknown[] }[] };
    assert.deepEqual(
      errors.map(({ type, loc }) => [type, loc]),
      [["int_type", ["body", "id"]]],
    );
  }
});

test("a query has the type of its schema, defaults filled in", async () => {
  const app = new Spikard().get("/", { query: plain }, ({ query, body, headers }) => {
    same<typeof query, { id: number; limit: number; kind?: "a" | "b" }>();
    same<typeof body, undefined>();
    same<typeof headers, Headers>();
    return query;
  });
  await using client = new TestClient(app);
  assert.deepEqual((await client.get("/?id=2&kind=a")).json(), { id: 2, limit: 10, kind: "a" });
});

test("an app that provides is an app, and takes routers that say what they need", async () => {
  const router = new Router<{ count: number }>("/counts").get("", { deps: ["count"] }, ({ deps }) => {
    same<typeof deps, { count: number }>();
    return deps;
  });
  const app = new Spikard().provide("prefix", "n").provide("count", 3).include(router);
  same<ReturnType<typeof app.listen>, Promise<Server>>();
  // @ts-expect-error: a hook that answers means it
  app.onResponse(() => 7);
  await using client = new TestClient(new Spikard().provide("count", 3).include(router));
  assert.deepEqual((await client.get("/counts")).json<{ count: number }>(), { count: 3 });
});

test("dependencies have the types of what makes them", async () => {
  const app = new Spikard()
    .provide("prefix", "n")
    .provide("count", async () => 3)
    .provide("session", { deps: ["prefix"] }, function* ({ deps }) {
      same<typeof deps.prefix, string>();
      yield { name: deps.prefix };
    });
  app.get("/", { deps: ["count", "session"] }, ({ deps }) => {
    same<typeof deps.count, number>();
    same<typeof deps.session, { name: string }>();
    // @ts-expect-error: it is provided, and not asked for
    assert.equal(deps.prefix, undefined);
    return deps;
  });
  await using client = new TestClient(app);
  assert.deepEqual((await client.get("/")).json(), { count: 3, session: { name: "n" } });
});

test("a result is of the type that its route says, or a response", async () => {
  const response = z.object({ id: z.int() });
  const app = new Spikard()
    .get("/plain", { response }, () => ({ id: 1 }))
    .get("/later", { response }, async () => [{ id: 2 }, 201])
    .get("/reply", { response }, () => new Response(null, { status: 204 }))
    // @ts-expect-error: the id is a number
    .get("/wrong", { response }, () => ({ id: "x" }))
    // @ts-expect-error: nothing is no object
    .get("/nothing", { response }, async () => undefined);
  app.log = () => undefined;
  await using client = new TestClient(app);
  const statuses = ["/plain", "/later", "/reply", "/wrong", "/nothing"].map(async (path) => client.get(path));
  assert.deepEqual(
    (await Promise.all(statuses)).map(({ status }) => status),
    [200, 201, 204, 500, 500],
  );
});

test("names of dependencies are those that are provided, also in a router of its own", async () => {
  const users = new Router<{ user: { name: string } }>("/users").get(
    "/me",
    { deps: ["user"] },
    ({ deps }) => deps.user,
  );
  const app = new Spikard().provide("db", 1).provide("user", { deps: ["db"] }, ({ deps }) => ({ name: `${deps.db}` }));
  app.include(users);
  // @ts-expect-error: nobody provides it
  app.get("/b", { deps: ["nope"] }, () => 1);
  // @ts-expect-error: nor here
  new Spikard().include(users);
  await assert.rejects(new TestClient(app).get("/b"), SpecError);
  await using client = new TestClient(new Spikard().provide("user", { name: "ada" }).include(users));
  assert.deepEqual((await client.get("/users/me")).json(), { name: "ada" });
});

test("an error handler has the class that it is for", async () => {
  class Gone extends Error {
    readonly item = "book";
  }
  const app = new Spikard()
    .handleError(Gone, (error) => [error.item, 410])
    .handleError(422, (error) => [(error as HTTPError).errors.map(({ loc, msg }) => [loc, msg]), 422])
    .get("/gone/{id:int}", () => {
      throw new Gone();
    });
  await using client = new TestClient(app);
  assert.equal((await client.get("/gone/1")).text(), "book");
  assert.deepEqual((await client.get("/gone/x")).json(), [
    [["path", "id"], "Input should be a valid integer, unable to parse string as an integer"],
  ]);
});
