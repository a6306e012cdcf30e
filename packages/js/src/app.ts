// The application.

import { type Compiled, compile } from "./compile.ts";
import type { Config } from "./config.ts";
import type { Entry, Given, ProvideOptions } from "./dependencies.ts";
import { checkedStatus, SpecError } from "./errors.ts";
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
    this.config = config;
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
  handleError(kind: number, handler: ErrorHandler): this;
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

  /** Listens, and answers the server. */
  listen(config: Config = {}): Promise<Server> {
    return Server.open(this as unknown as Spikard<never>, config);
  }

  /** Serves until SIGINT or SIGTERM, then finishes the requests in flight. */
  run(config: Config = {}): Promise<void> {
    return platform().run(this as unknown as Spikard<never>, config);
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
      throw new SpecError((fault as Error).message, { cause: fault });
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

function log({ error, source, route, requestId }: Report): void {
  const suffix = requestId ? ` (request ${requestId})` : "";
  if (error === undefined) platform().log(`${route} failed${suffix}: ${source ?? "no reason is known"}`);
  else platform().log(`${route} threw${suffix}:`, error);
}
