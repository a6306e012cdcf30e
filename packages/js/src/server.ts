// A server on a listener of its own.

import type { Spikard as App } from "./app.ts";
import type { Config } from "./config.ts";
import type { Host } from "./host.ts";

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
