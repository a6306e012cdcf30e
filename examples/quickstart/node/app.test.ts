// The quick start's app, tested without a server.

import assert from "node:assert/strict";
import { test } from "node:test";
import { TestClient } from "@spikard/node";
import { app } from "./app.ts";

test("a user is found", async () => {
  await using client = new TestClient(app);
  const answer = await client.get("/users/7");
  assert.deepEqual(answer.json(), { id: 7, name: "Alice", email: "alice@example.com" });
});

test("a user is created", async () => {
  await using client = new TestClient(app);
  const user = { id: 1, name: "Bob", email: "b@example.com" };
  assert.deepEqual((await client.post("/users", { json: user })).json(), user);
});

test("every error of a request is told", async () => {
  await using client = new TestClient(app);
  const answer = await client.post("/users", { json: { id: "x" } });
  assert.equal(answer.status, 422);
  const { errors } = answer.json() as { errors: { loc: unknown[] }[] };
  const places = errors.map(({ loc }) => loc);
  assert.deepEqual(places, [["body", "id"], ["body", "name"], ["body", "email"]]);
});
