// The application.

import { type Compiled, compile, layers, snake } from "./compile.ts";
import type { Config } from "./config.ts";
import type { Entry, Given, ProvideOptions } from "./dependencies.ts";
import { checkedStatus, type HTTPError, SpecError, said } from "./errors.ts";
import { Host, type Report } from "./host.ts";
import type { Context } from "./inputs.ts";
import { type ErrorHandler, type Known, Router } from "./router.ts";
import { Server } from "./server.ts";
import { platform } from "./wire.ts";

type Life = () => unknown;

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
    const entry = typeof make === "function" ? { make: make as never, options } : { value: make, options };
    this.#provided.set(name, entry);
    return this;
  }

  /** Handles errors of a class, or those that are answered with a status. */
  handleError<Thrown>(kind: abstract new (...args: never[]) => Thrown, handler: ErrorHandler<Thrown>): this;
  handleError(kind: number, handler: ErrorHandler<HTTPError>): this;
  handleError(kind: number | (abstract new (...args: never[]) => unknown), handler: ErrorHandler<never>): this {
    if (typeof kind === "number") this.#statuses.set(checkedStatus(kind, 400), handler as ErrorHandler);
    else this.#classes.push([kind, handler as ErrorHandler]);
    return this;
  }

  /** Calls a function when a worker starts, before it listens. */
  onStartup(life: Life): this {
    this.#startup.push(life);
    return this;
  }

  /** Calls a function when a worker has answered its last request; the last first. */
  onShutdown(life: Life): this {
    this.#shutdown.push(life);
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
    try {
      host.attach(platform().worker(JSON.stringify(compiled.document), names, () => host.turn()));
    } catch (fault) {
      const [route = "", ...rest] = (fault as Error).message.split(": ");
      throw new SpecError([compiled.places.get(route) ?? route, ...rest].join(": "), { cause: fault });
    }
    this.served(1);
    return host;
  }

  /** Runs the start-up; what it throws is thrown. */
  async start(): Promise<void> {
    for (const life of this.#startup) await life();
  }

  /** Finishes the singletons of a worker, then runs the shut-down. */
  async leave(host: Host): Promise<void> {
    await host.asked(host.worker.retire());
    for (const life of [...this.#shutdown].reverse()) await life();
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
