// Measures crossing.c: `node crossing.mjs ADDON`. Roads take turns; of each the quickest of several runs is told, in
// nanoseconds, and how many times as long as JSON.parse it took.

import { createRequire } from "node:module";

const { run } = createRequire(import.meta.url)(process.argv[2]);
const ROUNDS = 9;
const MEMBERS = 400_000;

/** As an app's package makes the object of a query: by names that it knows. */
function gather(names) {
  return (...values) => {
    const made = {};
    for (let at = 0; at < names.length; at++) made[names[at]] = values[at];
    return made;
  };
}

function took(road, members, made) {
  const times = Math.ceil(MEMBERS / members);
  const begun = process.hrtime.bigint();
  run(road, members, times, made);
  return Number(process.hrtime.bigint() - begun) / times;
}

console.log("| members | defined one by one | handed to a function | one text for JSON.parse |\n|---|---|---|---|");
for (const members of [1, 2, 3, 4, 6, 8, 16, 64, 1024]) {
  const names = Array.from({ length: members }, (_, at) => `member${at}`);
  const roads = [undefined, gather(names), JSON.parse];
  const best = roads.map(() => Number.POSITIVE_INFINITY);
  for (let round = 0; round < ROUNDS; round++) {
    for (const [road, made] of roads.entries()) best[road] = Math.min(best[road], took(road, members, made));
  }
  const cells = best.map((time) => `${time.toFixed(0)} ns (${(time / best[2]).toFixed(2)})`);
  console.log(`| ${[members, ...cells].join(" | ")} |`);
}
