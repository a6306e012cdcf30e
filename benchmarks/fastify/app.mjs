// The benchmark's routes in Fastify: `node app.mjs PORT`.

import { setImmediate, setTimeout } from "node:timers/promises";
import formbody from "@fastify/formbody";
import Fastify from "fastify";
import { Batch, few, many, medium, Item, Order, object, Person, Profile } from "./schemas.mjs";

const HELLO = { message: "Hello, World!" };
const text = { type: "string" };
const integer = { type: "integer" };
const Hello = object({ message: text });

/** Requests are validated and answers are written by the same schema. */
const both = (name, schema) => ({ schema: { [name]: schema, response: { 200: schema } } });
const hello = { schema: { response: { 200: Hello } } };

const app = Fastify();
await app.register(formbody);

app.get("/plaintext", async (_, reply) => {
  reply.type("text/plain; charset=utf-8");
  return "Hello, World!";
});
app.get("/json", hello, async () => HELLO);
app.post("/json/small", both("body", Item), async ({ body }) => body);
app.post("/json/medium", both("body", Order), async ({ body }) => body);
app.post("/json/large", both("body", Batch), async ({ body }) => body);
app.post("/json/very-large", both("body", Batch), async ({ body }) => body);
app.post("/form", both("body", Person), async ({ body }) => body);
app.post("/form/complex", both("body", Profile), async ({ body }) => body);
app.get("/path/simple/:value", both("params", object({ value: text })), async ({ params }) => params);
app.get("/path/int/:value", both("params", object({ value: integer })), async ({ params }) => params);
app.get(
  "/shops/:shop/users/:user/orders/:order",
  both("params", object({ shop: text, user: integer, order: integer })),
  async ({ params }) => params,
);
app.get("/query/few", both("querystring", object(few)), async ({ query }) => query);
app.get("/query/medium", both("querystring", object(medium)), async ({ query }) => query);
app.get("/query/many", both("querystring", object(many)), async ({ query }) => query);
app.get("/sleep/none", hello, async () => {
  await setImmediate();
  return HELLO;
});
app.get("/sleep/short", hello, async () => {
  await setTimeout(10);
  return HELLO;
});

await app.listen({ port: Number(process.argv[2]), host: "127.0.0.1" });
