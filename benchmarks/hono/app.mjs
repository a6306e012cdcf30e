// The benchmark's routes in Hono on Node: `node app.mjs PORT`.

import { setImmediate, setTimeout } from "node:timers/promises";
import { serve } from "@hono/node-server";
import { zValidator } from "@hono/zod-validator";
import { Hono } from "hono";
import { Batch, Few, Item, Many, Medium, Order, Person, Place, Profile, Value, Whole } from "./schemas.mjs";

const HELLO = { message: "Hello, World!" };

const app = new Hono();

app.get("/plaintext", (c) => c.text("Hello, World!"));
app.get("/json", (c) => c.json(HELLO));
app.post("/json/small", zValidator("json", Item), (c) => c.json(c.req.valid("json")));
app.post("/json/medium", zValidator("json", Order), (c) => c.json(c.req.valid("json")));
app.post("/json/large", zValidator("json", Batch), (c) => c.json(c.req.valid("json")));
app.post("/json/very-large", zValidator("json", Batch), (c) => c.json(c.req.valid("json")));
app.post("/form", zValidator("form", Person), (c) => c.json(c.req.valid("form")));
app.post("/form/complex", zValidator("form", Profile), (c) => c.json(c.req.valid("form")));
app.get("/path/simple/:value", zValidator("param", Value), (c) => c.json(c.req.valid("param")));
app.get("/path/int/:value", zValidator("param", Whole), (c) => c.json(c.req.valid("param")));
app.get("/shops/:shop/users/:user/orders/:order", zValidator("param", Place), (c) => c.json(c.req.valid("param")));
app.get("/query/few", zValidator("query", Few), (c) => c.json(c.req.valid("query")));
app.get("/query/medium", zValidator("query", Medium), (c) => c.json(c.req.valid("query")));
app.get("/query/many", zValidator("query", Many), (c) => c.json(c.req.valid("query")));
app.get("/sleep/none", async (c) => {
  await setImmediate();
  return c.json(HELLO);
});
app.get("/sleep/short", async (c) => {
  await setTimeout(10);
  return c.json(HELLO);
});

serve({ fetch: app.fetch, port: Number(process.argv[2]), hostname: "127.0.0.1" });
