// The benchmark's routes in Elysia on Bun: `bun app.mjs PORT`.

import { Elysia, t } from "elysia";

const HELLO = { message: "Hello, World!" };
const few = { q: t.String(), page: t.Integer(), active: t.Boolean() };
const medium = {
  ...few,
  limit: t.Integer(),
  minimum: t.Number(),
  maximum: t.Number(),
  sort: t.String(),
  descending: t.Boolean(),
};
const many = {
  ...medium,
  category: t.String(),
  brand: t.String(),
  colour: t.String(),
  country: t.String(),
  year: t.Integer(),
  rating: t.Number(),
  stock: t.Integer(),
  sale: t.Boolean(),
};
const Item = t.Object({ name: t.String(), description: t.String(), price: t.Number(), quantity: t.Integer() });
const Address = t.Object({ street: t.String(), city: t.String(), postcode: t.String(), country: t.String() });
const Line = t.Object({
  sku: t.String(),
  title: t.String(),
  quantity: t.Integer(),
  price: t.Number(),
  discount: t.Nullable(t.Number()),
  tags: t.Array(t.String()),
});
const Order = t.Object({
  id: t.Integer(),
  reference: t.String(),
  paid: t.Boolean(),
  customer: t.Object({ name: t.String(), email: t.String(), address: Address }),
  lines: t.Array(Line),
  note: t.String(),
});
const Batch = t.Object({ source: t.String(), orders: t.Array(Order) });
// Fields of a form are texts.
const Person = t.Object({ username: t.String(), email: t.String(), age: t.Numeric(), subscribed: t.BooleanString() });

new Elysia()
  .get("/plaintext", "Hello, World!")
  .get("/json", () => HELLO)
  .post("/json/small", ({ body }) => body, { body: Item })
  .post("/json/medium", ({ body }) => body, { body: Order })
  .post("/json/large", ({ body }) => body, { body: Batch })
  .post("/json/very-large", ({ body }) => body, { body: Batch })
  .post("/form", ({ body }) => body, { body: Person })
  .get("/path/simple/:value", ({ params }) => params, { params: t.Object({ value: t.String() }) })
  .get("/path/int/:value", ({ params }) => params, { params: t.Object({ value: t.Integer() }) })
  .get("/shops/:shop/users/:user/orders/:order", ({ params }) => params, {
    params: t.Object({ shop: t.String(), user: t.Integer(), order: t.Integer() }),
  })
  .get("/query/few", ({ query }) => query, { query: t.Object(few) })
  .get("/query/medium", ({ query }) => query, { query: t.Object(medium) })
  .get("/query/many", ({ query }) => query, { query: t.Object(many) })
  .get("/sleep/none", async () => {
    await new Promise((done) => setImmediate(done));
    return HELLO;
  })
  .get("/sleep/short", async () => {
    await Bun.sleep(10);
    return HELLO;
  })
  .listen({ port: Number(process.argv[2]), hostname: "127.0.0.1" });
