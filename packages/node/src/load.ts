// Finds the add-on: beside the built package, or in the package of this platform.

import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { faulty, SpecError } from "../../js/src/errors.ts";
import type { EngineWorker, Names } from "../../js/src/wire.ts";

/** What the add-on exports. */
export interface Addon {
  Worker: new (document: string, names: Names, turn: () => void, onLoop: boolean) => EngineWorker;
  Supervisor?: new (layers: string, command: string[], folder: string, run: string) => Supervisor;
  resolve(layers: string): [string, boolean];
  banner(layers: string, location: string): string;
  setCookie(said: string): string;
}

/** Starts the program again for each worker. */
export interface Supervisor {
  run(ended: (well: boolean) => void): void;
  replace(): void;
  stop(): void;
}

function isMusl(): boolean {
  const { header } = process.report.getReport() as { header: { glibcVersionRuntime?: string } };
  return !header.glibcVersionRuntime;
}

/** `linux-x64-gnu` and its like. */
export function target(): string {
  const { platform, arch } = process;
  if (platform === "linux") return `linux-${arch}-${isMusl() ? "musl" : "gnu"}`;
  return platform === "win32" ? `win32-${arch}-msvc` : `${platform}-${arch}`;
}

function load(): Addon {
  const require = createRequire(join(__dirname, "load.js"));
  const beside = join(__dirname, "..", "spikard.node");
  if (existsSync(beside)) return require(beside) as Addon;
  const name = `@spikard/node-${target()}`;
  try {
    return require(name) as Addon;
  } catch (cause) {
    throw new Error(`there is no ${name}: was @spikard/node installed without its optional packages?`, { cause });
  }
}

/** The add-on of this process. */
export const addon: Addon = load();

/** What applies, as JSON, and whether it needs a supervisor. */
export function resolve(layers: string): [config: string, isSupervised: boolean] {
  return faulty(SpecError, () => addon.resolve(layers));
}
