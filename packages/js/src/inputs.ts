// What a handler or a dependency takes: its part of the document, and the object that it is called with.

import { within } from "./errors.ts";
import type { Host } from "./host.ts";
import type { Request } from "./request.ts";
import { type AnySchema, type Infer, readSchema } from "./schema.ts";
import type { Token } from "./wire.ts";

/** The schemas of what is taken; each of an object whose members are the parameters. */
export interface Taken {
  params?: AnySchema;
  query?: AnySchema;
  headers?: AnySchema;
  cookies?: AnySchema;
  /** Members of the JSON or form body. */
  fields?: AnySchema;
  /** Names of dependencies, handed over in `deps`. */
  deps?: readonly string[];
}

/** Every member of `Taken`. */
export const TAKEN = "params query headers cookies fields deps";

type Or<T, Key extends PropertyKey, Without> = T extends { readonly [K in Key]: infer S } ? Infer<S> : Without;

/** What user code is called with. */
export type Context<Options, Params, Deps> = {
  readonly params: Or<Options, "params", Params>;
  readonly query: Or<Options, "query", URLSearchParams>;
  readonly headers: Or<Options, "headers", Headers>;
  readonly cookies: Or<Options, "cookies", Record<string, string>>;
  readonly fields: Or<Options, "fields", undefined>;
  readonly body: Options extends { readonly body: infer B }
    ? B extends "text"
      ? string
      : B extends "bytes"
        ? Uint8Array
        : Infer<B>
    : undefined;
  readonly deps: Options extends { readonly deps: readonly (infer Name)[] }
    ? Pick<Deps, Name & keyof Deps>
    : Record<never, never>;
  readonly request: Request;
  readonly state: Record<string, unknown>;
  readonly signal: AbortSignal;
  background<Args extends unknown[]>(work: (...args: Args) => unknown, ...args: Args): void;
};

const SOURCES = [
  ["params", "path"],
  ["query", "query"],
  ["headers", "header"],
  ["cookies", "cookie"],
  ["fields", "body"],
] as const;

type SourceName = (typeof SOURCES)[number][0];

/** What the app lends while it is compiled. */
export interface Registry {
  /** Gives a callable its id. */
  add(make: (host: Host) => unknown, status?: number): number;
  /** The value of a constant dependency, or undefined. */
  constant(name: string): { value: unknown } | undefined;
}

interface Flat {
  source: SourceName;
  names: string[];
  defaults: unknown[];
  at: number;
  /** The last of its arguments is what else was sent. */
  gathers: boolean;
}

/** What is read of the schema of an object. */
interface ObjectSchema {
  properties?: Record<string, Record<"x-separator" | "x-also" | "default", unknown>>;
  required?: string[];
  $defs?: object;
  additionalProperties?: unknown;
}

/** One piece of user code, as far as its arguments go. */
export class Inputs {
  /** The wire's part of the document. */
  readonly parameters: Record<string, unknown>[] = [];
  /** The call's part. */
  readonly arguments: unknown[] = [];
  readonly #flat: Flat[] = [];
  readonly #whole: { source: SourceName | "body"; at: number }[] = [];
  readonly #deps: [string, number][] = [];
  readonly #constants: [string, unknown][] = [];

  constructor(taken: Taken, path: string[], registry: Registry) {
    if (taken.params === undefined && path.length) this.#takePath(path);
    for (const [source, wire] of SOURCES) {
      const schema = taken[source];
      if (schema !== undefined) within(source, () => this.#take(source, wire, schema, registry));
    }
    for (const name of [taken.deps ?? []].flat()) {
      const constant = registry.constant(name);
      if (constant) this.#constants.push([name, constant.value]);
      else this.#deps.push([name, this.arguments.push({ provide: name }) - 1]);
    }
  }

  /** The body comes as one argument. */
  takeBody(): void {
    this.#whole.push({ source: "body", at: this.arguments.push("body") - 1 });
  }

  /** The request can be looked at. It stands behind all others. */
  takeRequest(): void {
    this.arguments.push("request");
  }

  #takePath(names: string[]): void {
    this.#flat.push({ source: "params", names, defaults: [], at: this.arguments.length, gathers: false });
    const indexes = names.map((name) => this.parameters.push({ name, in: "path" }) - 1);
    for (const index of indexes) this.arguments.push({ parameter: { index } });
  }

  #take(source: SourceName, wire: string, given: AnySchema, registry: Registry): void {
    const { schema, decode } = readSchema(given);
    const { properties, required = [], $defs, additionalProperties: others } = Object(schema) as ObjectSchema;
    if (!properties) throw new TypeError("expected the schema of an object");
    const names = Object.keys(properties);
    const defaults = Object.values(properties).map((property) => property.default);
    const flat: Flat = { source, names, defaults, at: this.arguments.length, gathers: false };
    const places = Object.entries(properties).map(([name, property]) => {
      const { "x-separator": separator, "x-also": also, default: fallback, ...plain } = property;
      const written = {
        name,
        in: wire,
        schema: { ...plain, ...($defs && { $defs }) },
        default: fallback,
        separator,
        also,
      };
      const isOptional = fallback === undefined && !required.includes(name);
      return this.parameters.push(isOptional ? { ...written, required: false } : written) - 1;
    });
    if (others !== undefined && source !== "params") {
      const rest = others === false ? "refused" : "gathered";
      const index = this.parameters.push({ name: rest, in: wire, rest }) - 1;
      if (others !== false) places.push(index);
      flat.gathers = others !== false;
    }
    if (decode) {
      const decoder = registry.add(() => decode);
      this.#whole.push({ source, at: this.arguments.push({ model: { parameters: places, decoder } }) - 1 });
      return;
    }
    for (const index of places) this.arguments.push({ parameter: { index } });
    this.#flat.push(flat);
  }

  /** The object that user code is called with. */
  context(host: Host, token: Token, args: unknown[]): Called {
    const made = new Called(host, token);
    for (const { source, names, defaults, at, gathers } of this.#flat) {
      const found: Record<string, unknown> = {};
      for (let place = 0; place < names.length; place++) {
        const value = args[at + place] === undefined ? defaults[place] : args[at + place];
        if (value !== undefined) define(found, names[place] as string, value);
      }
      if (gathers)
        for (const [name, value] of Object.entries(args[at + names.length] ?? {})) define(found, name, value);
      made.set(source, found);
    }
    for (const { source, at } of this.#whole) made.set(source, args[at]);
    if (this.#deps.length || this.#constants.length) {
      const deps: Record<string, unknown> = Object.fromEntries(this.#constants);
      for (const [name, at] of this.#deps) define(deps, name, args[at]);
      made.deps = deps;
    }
    return made;
  }
}

/** A member called `__proto__` is one like any other. */
function define(object: Record<string, unknown>, name: string, value: unknown): void {
  if (name === "__proto__")
    Object.defineProperty(object, name, { value, enumerable: true, configurable: true, writable: true });
  else object[name] = value;
}

/** What user code is called with: what it was declared to take, and the rest when it is asked for. */
export class Called {
  readonly #host: Host;
  readonly #token: Token;
  params: unknown = {};
  body: unknown = undefined;
  fields: unknown = undefined;
  deps: unknown = {};
  #query: unknown;
  #headers: unknown;
  #cookies: unknown;
  #request: Request | undefined;

  constructor(host: Host, token: Token) {
    this.#host = host;
    this.#token = token;
  }

  set(source: SourceName | "body", value: unknown): void {
    if (source === "query") this.#query = value;
    else if (source === "headers") this.#headers = value;
    else if (source === "cookies") this.#cookies = value;
    else this[source] = value;
  }

  get query(): unknown {
    return this.#query ?? this.request.query;
  }

  get headers(): unknown {
    return this.#headers ?? this.request.headers;
  }

  get cookies(): unknown {
    return this.#cookies ?? this.request.cookies;
  }

  get request(): Request {
    this.#request ??= this.#host.request(this.#token);
    return this.#request;
  }

  get state(): Record<string, unknown> {
    return this.request.state;
  }

  get signal(): AbortSignal {
    return this.request.signal;
  }

  get background(): (work: (...args: unknown[]) => unknown, ...args: unknown[]) => void {
    return (work, ...args) => this.#host.addTask(this.#token, work, args);
  }
}
