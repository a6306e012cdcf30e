// The books, against a real PostgreSQL.

import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { test } from "node:test";
import { TestClient, type TestResponse } from "@spikard/node";
import pg from "pg";
import { app } from "./app.ts";
import { databaseUrl, MIGRATIONS, migrate } from "./database.ts";

const skip = process.env["DATABASE_URL"] ? false : "DATABASE_URL says where the database is";

const DUNE = { title: "Dune", author: "Frank Herbert", year: 1965, isbn: "9780441172719" };
const EMMA = { title: "Emma", author: "Jane Austen", year: 1815 };

async function empty(): Promise<void> {
  const client = new pg.Client({ connectionString: databaseUrl() });
  await client.connect();
  await client.query("drop table if exists books, migrations");
  await client.end();
}

/** A test with a client of the app on an empty database. */
function books(claim: string, check: (client: TestClient) => Promise<void>): void {
  test(claim, { skip }, async () => {
    await empty();
    await using client = new TestClient(app);
    await check(client);
  });
}

const answered = (answer: TestResponse, status: number) => {
  assert.equal(answer.status, status, answer.text());
  return answer.json() as Record<string, unknown>;
};
const titles = (answer: TestResponse) => (answer.json() as { title: string }[]).map(({ title }) => title);

books("a book is created, read, changed and deleted", async (client) => {
  const created = answered(await client.post("/books", { json: DUNE }), 201);
  assert.deepEqual(created, { ...DUNE, id: 1, added: created["added"] });
  assert.deepEqual(answered(await client.get("/books/1"), 200), created);
  const changed = answered(await client.patch("/books/1", { json: { title: "Dune Messiah", isbn: null } }), 200);
  assert.deepEqual(changed, { ...created, title: "Dune Messiah", isbn: null });
  assert.deepEqual(answered(await client.get("/books/1"), 200), changed);
  assert.deepEqual([(await client.delete("/books/1")).status, (await client.delete("/books/1")).status], [204, 404]);
  answered(await client.get("/books/1"), 404);
});

books("books come in pages and by their author", async (client) => {
  for (const book of [DUNE, EMMA, { ...EMMA, title: "Persuasion" }]) await client.post("/books", { json: book });
  assert.deepEqual(titles(await client.get("/books?limit=2")), ["Dune", "Emma"]);
  assert.deepEqual(titles(await client.get("/books?after=2")), ["Persuasion"]);
  assert.deepEqual(titles(await client.get("/books", { query: { author: "Jane Austen" } })), ["Emma", "Persuasion"]);
});

books("what is wrong is refused and changes nothing", async (client) => {
  const { errors } = answered(await client.post("/books", { json: { title: "", year: "old", isbn: "1" } }), 422);
  const places = (errors as { loc: string[] }[]).map(({ loc }) => loc.join("."));
  assert.deepEqual(places, ["body.title", "body.author", "body.year", "body.isbn"]);
  answered(await client.get("/books?limit=101"), 422);
  answered(await client.patch("/books/7", { json: { title: "x" } }), 404);
  assert.deepEqual(answered(await client.get("/books"), 200), []);
});

books("two books never share an ISBN", async (client) => {
  const answers = await Promise.all(Array.from({ length: 5 }, () => client.post("/books", { json: DUNE })));
  assert.deepEqual(answers.map(({ status }) => status).sort(), [201, 409, 409, 409, 409]);
  const { id } = answered(await client.post("/books", { json: EMMA }), 201);
  answered(await client.patch(`/books/${id}`, { json: { isbn: DUNE.isbn } }), 409);
  assert.equal(answered(await client.get(`/books/${id}`), 200)["isbn"], null);
});

test("migrations run once though many workers start", { skip }, async () => {
  await empty();
  const applied = await Promise.all(Array.from({ length: 5 }, () => migrate(databaseUrl())));
  const files = readdirSync(MIGRATIONS).map((file) => file.replace(/\.sql$/, ""));
  assert.deepEqual(applied.flat().sort(), files.sort());
  assert.deepEqual(await migrate(databaseUrl()), []);
});

books("a failure of the database is a 500 that tells nothing of it", async (client) => {
  await client.get("/books");
  const gone = new pg.Client({ connectionString: databaseUrl() });
  await gone.connect();
  await gone.query("drop table books");
  await gone.end();
  const answer = await client.get("/books");
  assert.equal(answer.status, 500);
  assert.doesNotMatch(answer.text(), /books|relation/);
});
