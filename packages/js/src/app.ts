// The application.

import { type Compiled, compile, layers } from "./compile.ts";
import { type Config, snake } from "./config.ts";
import { type Entry, type Given, type ProvideOptions, SCOPES } from "./dependencies.ts";
import { checkedNames, checkedStatus, faulty, type HTTPError, SpecError, said } from "./errors.ts";
import { Host, type Report } from "./host.ts";
import { type Context, TAKEN } from "./inputs.ts";
import { place } from "./place.ts";
import { type ErrorHandler, type Known, Router } from "./router.ts";
import { Server } from "./server.ts";
import { platform } from "./wire.ts";

/** A hook of the start or the end, and how messages name it. */
type Life = [hook: () => unknown, name: string];

/** An app: routes, hooks, dependencies and their configuration. */
export class Spikard<Deps = Record<never, never>> extends Router<Deps> {
  /** Told of every failure that nobody handled. */
  log: (report: Report) => void = log;
  /** Free-form attributes of the app. */
  readonly state: Record<string, unknown> = {};
  readonly #provided = new Map<string, Entry>();
  readonly #classes: [abstract new (...args: never[]) => unknown, ErrorHandler][] = [];
  readonly #statuses = new Map<number, ErrorHandler>();
  readonly #startup: Life[] = [];
  readonly #shutdown: Life[] = [];
  /** The hook of the start or the end that runs, or has failed. */
  life: string | undefined;
  readonly config: Readonly<Config>;

  constructor(config: Config = {}) {
    super();
    this.config = asConfig(config);
    checked({ call: {}, given: snake({ ...config }), env: {} });
  }

  /** Gives handlers and dependencies what they name in `deps`: a value, or what a function or a generator makes of its own. */
  provide<
    const Name extends string,
    const Options extends ProvideOptions,
    Make extends (context: Context<Options, Record<string, string>, Deps>) => unknown,
  >(name: Name, options: Options & Known<Options, Deps>, make: Make): Spikard<Deps & { [K in Name]: Given<Make> }>;
  provide<
    const Name extends string,
    Make extends (context: Context<Record<never, never>, Record<string, string>, Deps>) => unknown,
  >(name: Name, make: Make): Spikard<Deps & { [K in Name]: Given<Make> }>;
  provide<const Name extends string, Value>(
    name: Name,
    value: Value extends (...args: never[]) => unknown ? never : Value,
  ): Spikard<Deps & { [K in Name]: Value }>;
  provide(name: string, first: unknown, second?: unknown): unknown {
    const make = second ?? first;
    const options = second === undefined ? {} : (first as ProvideOptions);
    checkedNames(`the dependency ${said(name)}`, options, `${TAKEN} scope needs concurrent`);
    if (options.scope !== undefined && !SCOPES.includes(options.scope))
      throw new TypeError(
        `the dependency ${said(name)}: scope is one of ${SCOPES.join(", ")}, got ${said(options.scope)}`,
      );
    const entry = typeof make === "function" ? { make: make as never, options } : { value: make, options };
    this.#provided.set(name, entry);
    return this;
  }

  /** Handles errors of a class, or those that are answered with a status. */
  handleError<Thrown>(kind: abstract new (...args: never[]) => Thrown, handler: ErrorHandler<Thrown>): this;
  handleError(kind: number, handler: ErrorHandler<HTTPError>): this;
  handleError(kind: number | (abstract new (...args: never[]) => unknown), handler: ErrorHandler<never>): this {
    if (typeof handler !== "function" || !/number|function/.test(typeof kind))
      throw new TypeError("handleError takes a class or a status, and a handler");
    if (typeof kind === "number") this.#statuses.set(checkedStatus(kind, 400), handler as ErrorHandler);
    else this.#classes.push([kind, handler as ErrorHandler]);
    return this;
  }

  /** Calls a function when a worker starts, before it listens. */
  onStartup(hook: () => unknown): this {
    return this.#lives("start-up", this.#startup, hook);
  }

  /** Calls a function when a worker has answered its last request; the last first. */
  onShutdown(hook: () => unknown): this {
    return this.#lives("shut-down", this.#shutdown, hook);
  }

  #lives(phase: string, all: Life[], hook: () => unknown): this {
    if (typeof hook !== "function") throw new TypeError(`a ${phase} hook is a function, got ${said(hook)}`);
    all.push([hook, [`the ${phase} hook`, hook.name, place() && `at ${place()}`].filter(Boolean).join(" ")]);
    return this;
  }

  /** Listens where the configuration says, or on this port, and answers the server. */
  listen(config?: Config | number): Promise<Server>;
  async listen(config: Config | number = {}, ...rest: unknown[]): Promise<Server> {
    const call = asConfig(config, rest);
    if (checked(layers({ ...this.config }, { ...call })))
      throw new SpecError("workers, reload and the replacement of workers need run(): listen() is one process");
    return Server.open(this as unknown as Spikard<never>, call);
  }

  /** Serves until SIGINT or SIGTERM, then finishes the requests in flight. */
  run(config?: Config | number): Promise<void>;
  async run(config: Config | number = {}, ...rest: unknown[]): Promise<void> {
    return platform().run(this as unknown as Spikard<never>, asConfig(config, rest));
  }

  /** The document for the core, and the user code in it. */
  compile(call: Config = {}): Compiled {
    const source = { routes: this.flattened(), hooks: this.hooks, provided: this.#provided };
    const config = { ...this.config } as Record<string, unknown>;
    return compile({ ...source, classes: this.#classes, statuses: this.#statuses, config }, { ...call });
  }

  /** A worker that serves this app. */
  open(call: Config = {}): Host {
    const compiled = this.compile(call);
    const host = new Host(
      (report) => this.log(report),
      () => this.served(-1),
    );
    const names = host.names(compiled.callables(host), compiled.statuses);
    const placed = (message: string) => {
      // A fault of the document's form has the number of its route or dependency, any other begins with its name.
      const form = /^the app specification at (\w+\[\d+\])\.(options\.)?(.*?)( at line .*)?$/.exec(message);
      const [route = "", ...rest] = form ? [form[1], form[3]] : message.split(": ");
      return [compiled.places.get(route) ?? route, ...rest].join(": ");
    };
    const document = JSON.stringify(compiled.document);
    host.attach(faulty(SpecError, () => platform().worker(document, names, () => host.turn()), placed));
    this.served(1);
    return host;
  }

  /** Runs the start-up; what it throws is thrown. */
  async start(): Promise<void> {
    for (const [hook, name] of this.#startup) {
      this.life = name;
      await hook();
    }
    this.life = undefined;
  }

  /** Finishes the singletons of a worker, then runs the shut-down: all of it, though a hook fails. The first fault is thrown. */
  async leave(host: Host): Promise<void> {
    await host.asked(host.worker.retire());
    const faults: unknown[] = [];
    for (const [hook, name] of [...this.#shutdown].reverse()) {
      try {
        await hook();
      } catch (fault) {
        if (faults.push(fault) === 1) this.life = name;
        else this.log({ error: fault, source: null, route: name, requestId: null });
      }
    }
    if (faults.length) throw faults[0];
  }
}

/** A port alone is a configuration, too. */
function asConfig(given: Config | number, rest: readonly unknown[] = []): Config {
  if (rest.length) throw new TypeError("expected a configuration or a port, and no callback: await the answer");
  if (typeof given === "object" && given !== null) return given;
  if (typeof given === "number") return { port: given };
  throw new TypeError(`expected a configuration or a port, got ${said(given)}`);
}

/** Whether what applies needs a supervisor. */
function checked(said: Record<string, unknown>): boolean {
  return platform().resolve(JSON.stringify(said))[1];
}

function log({ error, source, route, requestId }: Report): void {
  const suffix = requestId ? ` (request ${requestId})` : "";
  if (error === undefined) platform().log(`${route} failed${suffix}: ${source ?? "no reason is known"}`);
  else platform().log(`${route} threw${suffix}:`, error);
}
