// Serving an app: the listener, the signals, the drain, and the processes.

import type { Spikard as App } from "../../js/src/app.ts";
import { layers } from "../../js/src/compile.ts";
import type { Config } from "../../js/src/config.ts";
import { SpecError } from "../../js/src/errors.ts";
import type { Host } from "../../js/src/host.ts";
import { addon } from "./load.ts";
import * as processes from "./processes.ts";

/** How a server ended. */
export interface Drained {
  /** Connections that were cut off. */
  connections: number;
  /** Requests that were still in flight. */
  inFlight: number;
}

/** A server that listens. */
export class Server {
  readonly #app: App<never>;
  readonly #host: Host;
  readonly #left: Promise<Drained>;
  /** Where it listens: `http://127.0.0.1:8000` and its like. */
  readonly location: string;
  #stopped = false;
  #ended = false;

  private constructor(app: App<never>, host: Host, assignment?: string) {
    this.#app = app;
    this.#host = host;
    const [location, number] = host.worker.listen(assignment);
    this.location = location;
    this.#left = this.#leave(host.asked<[number, number]>(number));
    this.#left.catch(() => undefined);
  }

  /** Runs the start-up of an app, and listens. */
  static async open(app: App<never>, config: Config = {}, assignment?: string): Promise<Server> {
    const host = app.open(config);
    try {
      await app.start();
      return new Server(app, host, assignment);
    } catch (fault) {
      host.close();
      throw fault;
    }
  }

  /** The port, where it listens on one. */
  get port(): number | undefined {
    const found = /:(\d+)$/.exec(this.location);
    return found ? Number(found[1]) : undefined;
  }

  /** Requests that have not ended, clean-up included. */
  get inFlight(): number {
    return this.#ended ? 0 : this.#host.worker.inFlight;
  }

  /** Ends when the server has ended, its shut-down included. */
  get ended(): Promise<Drained> {
    return this.#left;
  }

  /** Drains; asked a second time, ends at once. */
  close(): Promise<Drained> {
    if (this.#ended) return this.#left;
    if (this.#stopped) this.#host.worker.abort();
    else this.#host.worker.shutdown();
    this.#stopped = true;
    return this.#left;
  }

  async #leave(drained: Promise<[number, number]>): Promise<Drained> {
    const [connections, inFlight] = await drained;
    try {
      await this.#app.leave(this.#host);
    } finally {
      this.#ended = true;
      this.#host.close();
    }
    return { connections, inFlight };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

/** Serves until SIGINT or SIGTERM, then finishes the requests in flight. A second signal ends at once, with the status 1. */
export async function run(app: App<never>, config: Config = {}): Promise<void> {
  if (!processes.isTurn()) return new Promise(() => undefined);
  const said = JSON.stringify(layers({ ...app.config }, { ...config }));
  if (processes.assigned === undefined && isSupervised(said)) return processes.supervise(said);
  const server = await Server.open(app, config, processes.assigned?.text);
  if (processes.assigned === undefined) console.error(addon.banner(said, server.location));
  let signals = 0;
  const stop = () => {
    signals += 1;
    if (signals === 1 || processes.assigned === undefined) void server.close();
  };
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, stop);
  try {
    const { connections, inFlight } = await server.ended;
    if (connections || inFlight || signals > 1) process.exitCode = 1;
  } finally {
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.off(signal, stop);
  }
}

function isSupervised(said: string): boolean {
  try {
    return addon.resolve(said)[1];
  } catch (fault) {
    throw new SpecError((fault as Error).message, { cause: fault });
  }
}
