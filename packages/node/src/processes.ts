// Which process this is: one that serves alone, the supervisor of workers, or a worker.

import { isatty } from "node:tty";
import { faulty, ListenError, SpecError } from "../../js/src/errors.ts";
import { addon } from "./load.ts";
import { followSources } from "./sources.ts";

const folder = process.cwd();
let calls = 0;

/** What the supervisor of this process wants. */
export interface Assignment {
  text: string;
  /** The call of `run()`, from 1. */
  call: number;
}

/** Takes the assignment out of the environment, which the programs that user code starts must not see. */
function read(): Assignment | undefined {
  const text = process.env["SPIKARD_ASSIGNMENT"];
  delete process.env["SPIKARD_ASSIGNMENT"];
  if (text === undefined || process.platform === "win32") return undefined;
  const [, supervisor, ...rest] = text.split(":");
  if (process.ppid !== Number(supervisor)) return undefined;
  // For the whole group of the terminal: what follows is for the supervisor to say.
  for (const signal of ["SIGINT", "SIGHUP"] as const) process.on(signal, () => undefined);
  return { text, call: Number(rest.at(-1)) };
}

/** What the supervisor of this process wants; undefined where it has none. */
export const assigned: Assignment | undefined = read();

/** Counts a call of `run()`. False: a worker of a later call has nothing to do here. */
export function isTurn(): boolean {
  calls += 1;
  return assigned === undefined || calls === assigned.call;
}

/** Tells whether the terminal has gone at which the program was started. */
export function terminal(): () => boolean {
  const ours = [0, 1, 2].filter((descriptor) => isatty(descriptor));
  return () => ours.length > 0 && !ours.some((descriptor) => isatty(descriptor));
}

/** Starts workers and keeps them until SIGINT or SIGTERM, or until the terminal has gone; any other SIGHUP replaces them. */
export async function supervise(layers: string, reloads: boolean): Promise<void> {
  const program = process.argv[1];
  const { Supervisor } = addon;
  if (!Supervisor || program === undefined) {
    throw new SpecError("workers need a program that can be started again: a file, on a system with signals");
  }
  const command = [process.execPath, ...process.execArgv, ...process.argv.slice(1)];
  const supervisor = faulty(ListenError, () => new Supervisor(layers, command, folder, String(calls)));
  const stop = () => supervisor.stop();
  const hasGone = terminal();
  const replace = () => (hasGone() ? supervisor.stop() : supervisor.replace());
  if (reloads) followSources(program, folder, () => supervisor.replace());
  const run = () => new Promise<boolean>((resolve) => supervisor.run(resolve));
  if (!(await hearing({ SIGINT: stop, SIGTERM: stop, SIGHUP: replace }, run))) process.exitCode = 1;
}

/** Does this work, during which signals have these meanings. */
export async function hearing<Made>(meanings: Record<string, () => void>, work: () => Promise<Made>): Promise<Made> {
  for (const [signal, meaning] of Object.entries(meanings)) process.on(signal, meaning);
  try {
    return await work();
  } finally {
    for (const [signal, meaning] of Object.entries(meanings)) process.off(signal, meaning);
  }
}
