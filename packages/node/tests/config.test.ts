// The configuration as TypeScript knows it: every field that the core has, and none that it has not.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { Spikard } from "@spikard/node";

// What only other languages have: threads for code that blocks, a page for developers.
const ELSEWHERE = ["debug", "threads"];

test("the fields of the configuration are the core's", () => {
  const source = readFileSync(join(import.meta.dirname, "../../js/src/config.ts"), "utf8");
  const declared = [...source.matchAll(/^ {2}(\w+)\?:/gm)].map(([, name]) => name);
  const host = new Spikard().open();
  const resolved = Object.keys(JSON.parse(host.worker.config) as object);
  host.close();
  const spelled = resolved.map((name) => name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase()));
  assert.deepEqual([...declared, ...ELSEWHERE].sort(), spelled.sort());
});

test("call, object, environment and default are asked in this order", () => {
  process.env["SPIKARD_BACKLOG"] = "7";
  process.env["SPIKARD_MAX_IN_FLIGHT"] = "8";
  const applied = (config: { backlog?: number }, call = {}) => {
    const host = new Spikard(config).open(call);
    const { backlog, max_in_flight } = JSON.parse(host.worker.config) as Record<string, number>;
    host.close();
    return [backlog, max_in_flight];
  };
  try {
    assert.deepEqual(applied({}), [7, 8]);
    assert.deepEqual(applied({ backlog: 5 }), [5, 8]);
    assert.deepEqual(applied({ backlog: 5 }, { backlog: 3, maxInFlight: 2 }), [3, 2]);
  } finally {
    delete process.env["SPIKARD_BACKLOG"];
    delete process.env["SPIKARD_MAX_IN_FLIGHT"];
  }
});
