// Routers: what an app takes over of them, and when.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Router, Spikard, TestClient } from "@spikard/node";

test("routers nest, and including one twice changes nothing", async () => {
  const app = new Spikard();
  const users = new Router("/users");
  const posts = new Router("/{id:int}/posts").get("/", ({ params }) => params);
  users.include(posts).include(posts);
  app.include(users, "/v1").include(users, "/v1").include(users, "/v2/");
  users.get("", () => "late");
  await using client = new TestClient(app);
  assert.deepEqual((await client.get("/v1/users/7/posts/")).json(), { id: 7 });
  for (const version of ["/v1", "/v2"]) assert.equal((await client.get(`${version}/users`)).text(), "late");
});

test("hooks of routers run from the outermost inwards, those of an inclusion for its routes alone", async () => {
  const seen: string[] = [];
  const noting = (name: string) => () => void seen.push(name);
  const inner = new Router("/inner").onRequest(noting("inner"));
  const outer = new Router("/outer").onRequest(noting("outer")).include(inner);
  const app = new Spikard().onRequest(noting("app")).include(outer).include(inner);
  inner.get("/", { hooks: { onRequest: [noting("route")] } }, () => "ok");
  await using client = new TestClient(app);
  assert.equal((await client.get("/outer/inner/")).text(), "ok");
  assert.deepEqual(seen.splice(0), ["app", "outer", "inner", "route"]);
  assert.equal((await client.get("/inner/")).text(), "ok");
  assert.deepEqual(seen, ["app", "inner", "route"]);
});

test("what cannot be taken over is refused at once", () => {
  const [outer, inner] = [new Router("/outer"), new Router("/inner")];
  outer.include(inner);
  assert.throws(() => inner.include(outer), /a router cannot include itself/);
  assert.throws(() => inner.include(inner), /a router cannot include itself/);
  assert.throws(() => inner.include(new Spikard()), /include takes a Router, got an app/);
  assert.throws(() => inner.include({} as never), /include takes a Router, got an object/);
  assert.throws(() => new Router("users"), /a prefix begins with a slash, got "users"/);
  assert.throws(() => inner.include(new Router(), "v1"), /a prefix begins with a slash, got "v1"/);
});

test("a route that comes while a server runs is refused", async () => {
  const router = new Router("/r");
  const app = new Spikard().include(router);
  {
    await using client = new TestClient(app);
    await using other = new TestClient(app);
    await client.open();
    await other.open();
    await other.close();
    assert.throws(() => app.get("/late", () => 1), /GET \/late comes too late: the server runs, and would not know it/);
    assert.throws(() => router.get("/late", () => 1), /GET \/late comes too late/);
    assert.throws(() => app.include(new Router()), /include comes too late/);
  }
  router.get("/late", () => "late");
  await using client = new TestClient(app);
  assert.equal((await client.get("/r/late")).text(), "late");
});
