// Two routes: one reads a path parameter, the other a validated JSON body.

import { Spikard } from "@spikard/node";
import * as z from "zod";

const User = z.object({ id: z.int(), name: z.string(), email: z.email() });

export const app = new Spikard();

app.get("/users/{id:int}", ({ params }) => {
  const user: z.infer<typeof User> = { id: params.id, name: "Alice", email: "alice@example.com" };
  return user;
});

app.post("/users", { body: User }, ({ body }) => body);
