// The corpus through the package: every case, by both doors, with every library that can write its models.

import assert from "node:assert/strict";
import { appendFileSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { build, libraries } from "./build.ts";
import { difference } from "./compare.ts";
import { inProcess, overASocket, type Send, Unsuited } from "./doors.ts";
import type { Words } from "./script.ts";

const CORPUS = join(import.meta.dirname, "../../../../testing_data");
const DOORS = { "in-process": inProcess, socket: overASocket };
const TO_COME = ["sse", "websocket", "auth", "cors", "compression", "static-files", "rate-limit", "openapi", "grpc"];

interface Known {
  pattern: RegExp;
  reason: string;
}

function knownFailing(): Known[] {
  const texts = ["server.txt", "node.txt"].map((name) => readFileSync(join(CORPUS, "known_failing", name), "utf8"));
  const lines = texts.flatMap((text) => text.split("\n")).map((line) => line.split("#").map((part) => part.trim()));
  const said = lines.filter(([pattern]) => pattern);
  return said.map(([pattern = "", reason = ""]) => ({
    pattern: new RegExp(
      `^${pattern
        .replace(/[.+^${}()|[\]\\]/g, "\\$&")
        .replace(/\*/g, "[^/]*")
        .replace(/\?/g, "[^/]")}$`,
    ),
    reason,
  }));
}

function report(name: string, door: string, decoder: string | null, outcome: string, detail: string | null): void {
  const target = process.env["SPIKARD_CONFORMANCE_OUT"];
  if (!target) return;
  const [area, told] = name.split("/");
  appendFileSync(target, `${JSON.stringify({ language: "node", area, case: told, door, decoder, outcome, detail })}\n`);
}

/** Plays the exchanges; the first difference. */
async function play(told: Words, send: Send): Promise<string | undefined> {
  for (const [place, { request, expect }] of told["exchanges"].entries()) {
    const asked = {
      ...request,
      ...("closed" in expect ? { closed: expect.closed } : {}),
      answers: 1 + (expect.then?.length ?? 0),
    };
    const found = difference(expect, await send(asked));
    if (found) return `exchange ${place + 1}: ${found}`;
  }
  return undefined;
}

async function run(told: Words, door: keyof typeof DOORS, library: string | null): Promise<string | undefined> {
  let found: string | undefined;
  try {
    await DOORS[door](build(told["app"], library), async (send) => {
      found = await play(told, send);
    });
  } catch (error) {
    if (error instanceof Unsuited) throw error;
    found ??= `${error}`;
  }
  return found;
}

const KNOWN = knownFailing();
const ONLY = process.env["SPIKARD_CASE"];
// What user code throws on purpose is reported where nobody has to read it.
console.error = () => undefined;

for (const file of readdirSync(join(CORPUS, "http"), { recursive: true })
  .map(String)
  .filter((each) => each.endsWith(".json"))
  .sort()) {
  const name = file.replace(/\.json$/, "").replaceAll("\\", "/");
  if (ONLY && !name.includes(ONLY)) continue;
  const told = JSON.parse(readFileSync(join(CORPUS, "http", file), "utf8")) as Words;
  for (const library of libraries(told["app"])) {
    for (const door of Object.keys(DOORS) as (keyof typeof DOORS)[]) {
      test(`${name} [${door}${library ? ` ${library}` : ""}]`, async (context) => {
        const later = TO_COME.filter((feature) => told["features"].includes(feature));
        const skip = (reason: string) => {
          report(name, door, library, "skipped", reason);
          context.skip(reason);
        };
        if (later.length) return skip(`not there yet: ${later}`);
        let found: string | undefined;
        try {
          found = await run(told, door, library);
        } catch (error) {
          return skip((error as Error).message);
        }
        report(name, door, library, found ? "failed" : "passed", found ?? null);
        const known = KNOWN.find(({ pattern }) => pattern.test(name));
        if (known && found) return context.todo(`${known.reason}: ${found}`);
        assert.equal(found, undefined);
        return undefined;
      });
    }
  }
}
