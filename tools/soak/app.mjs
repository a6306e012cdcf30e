// The Node app under load: it answers with its own figures, and ends by itself when it has been closed.

import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { background, Spikard } from "../../packages/node/dist/esm/index.js";

const app = new Spikard({ port: 0, cancelGrace: 0.2 });
app.log = () => undefined; // what fails here fails on purpose

const number = { type: "object", properties: { number: { type: "integer", minimum: 0, default: 1 } } };
app.get("/ok", { query: number }, ({ query }) => query);
app.get("/hold", { deps: ["held"] }, async ({ deps }) => {
  await sleep(0);
  background.run(() => sleep(1));
  return deps.held;
});
app.provide("held", async function* () {
  yield { held: true };
});
app.get("/throws", () => {
  throw new Error("on purpose");
});
app.get("/rejects", () => Promise.reject(new Error("on purpose")));
// Of this one alone: a machine that stands still for a moment times no other out.
app.get("/never", { timeout: 0.3 }, () => new Promise(() => undefined));
app.get("/stream", async function* () {
  for (let piece = 0; piece < 20; piece++) {
    yield "x".repeat(1024);
    await sleep(0);
  }
});
app.get("/slow", { timeout: 60, cancelOnDisconnect: true }, ({ signal }) => sleep(60_000, "", { signal }));
app.get("/figures", () => {
  globalThis.gc();
  const status = readFileSync("/proc/self/status", "utf8");
  const kib = (name) => Number(new RegExp(`^${name}:\\s+(\\d+)`, "m").exec(status)[1]);
  return {
    rss: kib("VmRSS"),
    peak: kib("VmHWM"),
    heap: Math.round(process.memoryUsage().heapUsed / 1024),
    tasks: server.inFlight,
    threads: kib("Threads"),
    descriptors: readdirSync("/proc/self/fd").length,
    handles: process.getActiveResourcesInfo().length,
  };
});
app.get("/close", () => {
  setImmediate(() => server.close());
  return "closing";
});

const server = await app.listen();
console.error(`${server.location} listens`);
