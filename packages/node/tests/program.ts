// A program of its own that serves, and clients that load it.

import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import http from "node:http";
import { join } from "node:path";
import { after } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

/** A program that was started. */
export interface Program {
  child: ChildProcess;
  /** What it has said on stdout and stderr. */
  said: () => string;
  ended: Promise<number | null>;
  /** Where it listens. */
  location: string;
  file: string;
}

const children: ChildProcess[] = [];
const folder = mkdtempSync(join(import.meta.dirname, "program-"));

after(() => {
  for (const child of children) child.kill("SIGKILL");
  rmSync(folder, { recursive: true });
});

/** Writes the text of a program. */
export function write(file: string, text: string): void {
  writeFileSync(file, `import { Spikard } from "@spikard/node";\nconst app = new Spikard({ port: 0 });\n${text}\n`);
}

/** Starts a program in a folder of its own, and waits for what it says. */
export async function start(text: string, says: RegExp): Promise<Program> {
  const cwd = join(folder, String(children.length));
  const file = join(cwd, "app.mjs");
  mkdirSync(cwd);
  write(file, text);
  const child = spawn(process.execPath, [file], { cwd, stdio: ["ignore", "pipe", "pipe"] });
  children.push(child);
  let said = "";
  for (const output of [child.stdout!, child.stderr!])
    output.setEncoding("utf8").on("data", (piece: string) => {
      said += piece;
    });
  const ended = once(child, "exit").then(([code]) => code as number | null);
  await until(() => says.test(said) || child.exitCode !== null, 10);
  assert.match(said, says);
  const location = /http:\/\/127\.0\.0\.1:\d+/.exec(said)?.[0] ?? "";
  return { child, said: () => said, ended, location, file };
}

/** Waits until it holds; fails when it does not in so many seconds. */
export async function until(holds: () => unknown, patience = 20): Promise<void> {
  const deadline = performance.now() + patience * 1000;
  while (!(await holds())) {
    assert.ok(performance.now() < deadline, "it did not come to hold");
    await sleep(10);
  }
}

/** Asks over a connection of its own, or over one of these. */
export async function answered(url: string, agent: http.Agent | false = false): Promise<string> {
  const [answer] = (await once(http.get(url, { agent }), "response")) as [http.IncomingMessage];
  return (await answer.setEncoding("utf8").toArray()).join("");
}

/** Clients that ask again and again, each on one connection, which they renew when the server closes it. */
export class Load {
  answered = 0;
  refused = 0;
  /** Requests that were sent and not answered. */
  broken = 0;
  #open = true;
  readonly #clients: Promise<void>[];

  constructor(url: string) {
    this.#clients = Array.from({ length: 8 }, () => this.#ask(url));
  }

  async #ask(url: string): Promise<void> {
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    while (this.#open) {
      try {
        assert.equal(await answered(url, agent), "brief");
        this.answered += 1;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === "ECONNREFUSED") this.refused += 1;
        else this.broken += 1;
        await sleep(10);
      }
    }
    agent.destroy();
  }

  /** Until so many more have been answered. */
  async goesOn(more = 100): Promise<void> {
    const before = this.answered;
    await until(() => this.answered > before + more);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#open = false;
    await Promise.all(this.#clients);
  }
}
