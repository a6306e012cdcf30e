// The benchmark's routes in Express with Zod: `node app.mjs PORT`.

import { setImmediate, setTimeout } from "node:timers/promises";
import express from "express";
import { Batch, Few, Item, Many, Medium, Order, Person, Place, Profile, Value, Whole } from "./schemas.mjs";

const HELLO = { message: "Hello, World!" };

const app = express();
app.use(express.json({ limit: "1mb" }));
app.use(express.urlencoded({ extended: false }));

/** Answers what was read, or what is wrong with it. */
const echo = (source, schema) => (request, response) => {
  const read = schema.safeParse(request[source]);
  if (read.success) response.json(read.data);
  else response.status(400).json({ errors: read.error.issues });
};

app.get("/plaintext", (_, response) => response.type("text/plain").send("Hello, World!"));
app.get("/json", (_, response) => response.json(HELLO));
app.post("/json/small", echo("body", Item));
app.post("/json/medium", echo("body", Order));
app.post("/json/large", echo("body", Batch));
app.post("/json/very-large", echo("body", Batch));
app.post("/form", echo("body", Person));
app.post("/form/complex", echo("body", Profile));
app.get("/path/simple/:value", echo("params", Value));
app.get("/path/int/:value", echo("params", Whole));
app.get("/shops/:shop/users/:user/orders/:order", echo("params", Place));
app.get("/query/few", echo("query", Few));
app.get("/query/medium", echo("query", Medium));
app.get("/query/many", echo("query", Many));
app.get("/sleep/none", async (_, response) => {
  await setImmediate();
  response.json(HELLO);
});
app.get("/sleep/short", async (_, response) => {
  await setTimeout(10);
  response.json(HELLO);
});

app.listen(Number(process.argv[2]), "127.0.0.1");
