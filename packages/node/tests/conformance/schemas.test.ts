// The schemas that are derived from native models, against those of the corpus.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { Spikard } from "@spikard/node";
import { native, writing } from "./models/index.ts";
import type { Words } from "./script.ts";
import { inOneSpelling } from "./spelling.ts";

const MODELS: Record<string, { schema: Words }> = JSON.parse(
  readFileSync(join(import.meta.dirname, "../../../../testing_data/models.json"), "utf8"),
);

/** As an app tells it to the core. */
function derived(library: string, name: string): Words {
  const app = new Spikard().post("/", { body: native(library, name, false) }, () => null);
  const { routes } = app.compile().document as { routes: { body: { schema: Words } }[] };
  return routes[0]!.body.schema;
}

for (const [name, { schema }] of Object.entries(MODELS)) {
  for (const library of writing([name])) {
    test(`${name} of ${library} has the corpus's schema`, () => {
      const expected = structuredClone(schema);
      // Zod tells no default of what it transforms, for that is no input.
      if (library === "zod" && name === "Maps") delete expected["properties"].uniq.default;
      assert.deepEqual(inOneSpelling(derived(library, name)), inOneSpelling(expected));
    });
  }
}

test("a schema that differs is told apart", () => {
  const schema = structuredClone(MODELS["Order"]!.schema);
  schema["$defs"].Item.properties.qty.maximum = 98;
  assert.notDeepEqual(inOneSpelling(derived("zod", "Order")), inOneSpelling(schema));
});
