// What crosses between the DSL and an engine: the engine's methods, and the forms in which its calls are answered.

import type { Spikard } from "./app.ts";
import type { Config } from "./config.ts";
import type { Host } from "./host.ts";

/** Names one piece of work of the engine. A late one is harmless. */
export type Token = number;

/** Where a value stands in the host's table. */
export type Id = number;

/** The body of a response: whole, nothing, the id of a stream, or a file: its path, its name for the client, and whether it is shown. */
export type WireBody = string | Uint8Array | null | undefined | Id | [string, string | null, boolean];

/** A response: status or null for the route's own, header fields in turn or null, body, ids of background tasks or null. */
export type WireResponse = [number | null, string[] | null, WireBody, Id[] | null];

/** What was thrown: its id, its class, and the JSON of what is to be answered, or null. */
export type WireFailure = [false, Id, string, string | null];

/** `undefined`: the answer comes later, by `answer`. A text is JSON, with the route's own status. */
export type Answer = undefined | string | WireResponse | WireFailure | Id | null | true | Uint8Array;

/** One of a form: a text, or the content of a file with its name and type. */
export type WireEntry = [
  name: string,
  said: string | Uint8Array<ArrayBuffer>,
  filename?: string | null,
  type?: string | null,
];

/** The Rust half of a request. */
export interface RequestHead {
  line(): [method: string, path: string, query: string, route: string | null, requestId: string | null];
  readonly isCancelled: boolean;
  readonly hasDeparted: boolean;
  readonly peer: [string, number] | null;
  fields(): string[];
  /** The pairs; or a status, and what is wrong. */
  query(): [string, string][] | [number, string];
  cookies(): [string, string][];
  pathValues(): [string, unknown][];
  /** Why a body is no JSON, by the rules of a bound one: a status, and what is wrong. */
  checkJson(body: Uint8Array): [number, string] | null;
  /** The fields and files of a form; null, a status and what is wrong where it is none. */
  form(body: Uint8Array): [WireEntry[]] | [null, number, string];
  setFields(flat: string[]): void;
  setTarget(target: string): void;
  setBody(body: Uint8Array): void;
  read(): number;
  next(): number;
}

/** One app, served. */
export interface EngineWorker {
  readonly config: string;
  readonly inFlight: number;
  turn(): void;
  answer(token: Token, answer: Answer): void;
  listen(assignment?: string): [string, number];
  /** Begins the drain; or ends it. */
  shutdown(now: boolean): void;
  retire(): number;
  send(method: string, target: string, flat: string[], body: Uint8Array): number;
  head(token: Token): RequestHead;
  /** The value that the user code of one request shares: the given one where it is the first. Null: the request is over. */
  share(token: Token, value: Id): Id | null;
  reserve(task: Id): boolean;
  giveBack(task: Id): void;
  runInBackground(task: Id): void;
  keepAlive(alive: boolean): void;
  close(): void;
}

/** What an engine calls. */
export type Names = ReturnType<Host["names"]>;

/** Where user code runs: what it puts into the storages of its platform stays in there. */
export interface Surroundings {
  run<Made>(work: () => Made): Made;
}

/** What a package for one platform brings. */
export interface Platform {
  worker(document: string, names: Names, turn: () => void): EngineWorker;
  /** What applies, as JSON, and whether it needs a supervisor. */
  resolve(layers: string): [config: string, isSupervised: boolean];
  /** Serves an app until the program is told to end. */
  run(app: Spikard<never>, config: Config): Promise<void>;
  /** New surroundings, in which `owner` answers this. */
  surroundings(owner: unknown): Surroundings;
  /** Whose surroundings these are; undefined outside of all. */
  owner(): unknown;
  /** The same function, in the surroundings of this moment wherever it is called. */
  bound<Args extends unknown[], Made>(work: (...args: Args) => Made): (...args: Args) => Made;
  /** The environment's variables. */
  env(): Record<string, string | undefined>;
  /** Reads what an engine has put into an open file, from a place on. */
  readFile(descriptor: number, at: number, length: number): Promise<Uint8Array>;
  /** Gives an open file back. */
  closeFile(descriptor: number): void;
  /** The value of a `Set-Cookie` field, of what this JSON says. */
  setCookie(said: string): string;
  /** Writes into the log. */
  log(message: string, error?: unknown): void;
}

let current: Platform | undefined;

/** The platform of this program. */
export function platform(): Platform {
  if (!current) throw new Error("no platform has been set: import the package of one, as @spikard/node");
  return current;
}

/** Sets the platform of this program. */
export function setPlatform(given: Platform): void {
  current = given;
}
