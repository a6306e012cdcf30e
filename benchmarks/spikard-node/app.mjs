// The benchmark's routes in Spikard: `node app.mjs PORT`.

import { setImmediate, setTimeout } from "node:timers/promises";
import { Spikard } from "@spikard/node";
import { Batch, few, many, medium, Item, Order, object, Person, Profile } from "./schemas.mjs";

const HELLO = { message: "Hello, World!" };
const text = { type: "string" };
const integer = { type: "integer" };

const app = new Spikard();

app.get("/plaintext", () => "Hello, World!");
app.get("/json", () => HELLO);
app.post("/json/small", { body: Item }, ({ body }) => body);
app.post("/json/medium", { body: Order }, ({ body }) => body);
app.post("/json/large", { body: Batch }, ({ body }) => body);
app.post("/json/very-large", { body: Batch }, ({ body }) => body);
app.post("/form", { body: Person, bodyKind: "form" }, ({ body }) => body);
app.post("/form/complex", { body: Profile, bodyKind: "form" }, ({ body }) => body);
app.get("/path/simple/{value}", ({ params }) => ({ value: params.value }));
app.get("/path/int/{value:int}", ({ params }) => ({ value: params.value }));
app.get(
  "/shops/{shop}/users/{user}/orders/{order}",
  { params: object({ shop: text, user: integer, order: integer }) },
  ({ params }) => ({ shop: params.shop, user: params.user, order: params.order }),
);
app.get("/query/few", { query: object(few) }, ({ query }) => query);
app.get("/query/medium", { query: object(medium) }, ({ query }) => query);
app.get("/query/many", { query: object(many) }, ({ query }) => query);
app.get("/sleep/none", async () => {
  await setImmediate();
  return HELLO;
});
app.get("/sleep/short", async () => {
  await setTimeout(10);
  return HELLO;
});

await app.run({ port: Number(process.argv[2]) });
