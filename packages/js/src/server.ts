// A server on a listener of its own.

import type { Spikard as App } from "./app.ts";
import type { Config } from "./config.ts";
import { faulty, ListenError } from "./errors.ts";
import type { Host } from "./host.ts";

/** How a server ended. */
export interface Drained {
  /** Connections that were cut off. */
  connections: number;
  /** Requests and background tasks that were still in flight. */
  inFlight: number;
  /** Whether the shut-down did not end in time. */
  givenUp: boolean;
}

/** What every shut-down is given, in milliseconds. */
const MOMENT = 100;

/** A server that listens. */
export class Server {
  readonly #app: App<never>;
  readonly #host: Host;
  readonly #left: Promise<Drained>;
  /** Where it listens: `http://127.0.0.1:8000` and its like. */
  readonly location: string;
  /** Seconds that its end may take. */
  readonly patience: number;
  /** When it was asked to end. */
  #stopped: number | undefined;
  #isHurried = false;
  #hurry: () => void = () => undefined;
  #ended = false;

  private constructor(app: App<never>, host: Host, assignment?: string) {
    this.#app = app;
    this.#host = host;
    const [location, number] = faulty(ListenError, () => host.worker.listen(assignment));
    this.location = location;
    this.patience = (JSON.parse(host.worker.config) as { shutdown_timeout: number }).shutdown_timeout;
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

  /** Requests that have not ended, clean-up included, and background tasks. */
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
    if (this.#stopped === undefined) {
      this.#stopped = performance.now();
      this.#host.worker.shutdown(false);
    } else {
      this.#isHurried = true;
      this.#host.worker.shutdown(true);
      this.#hurry();
    }
    return this.#left;
  }

  async #leave(drained: Promise<[number, number]>): Promise<Drained> {
    const [connections, inFlight] = await drained;
    try {
      const hasLeft = await this.#inTime(this.#app.leave(this.#host));
      return { connections, inFlight, givenUp: !hasLeft };
    } finally {
      this.#ended = true;
      this.#host.close();
    }
  }

  /** Whether this ends in the time that is left. */
  async #inTime(leaving: Promise<void>): Promise<boolean> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const over = new Promise<boolean>((resolve) => {
      const wait = (time: number) => {
        clearTimeout(timer);
        timer = setTimeout(resolve, Math.max(time, MOMENT), false);
      };
      this.#hurry = () => wait(0);
      const end = (this.#stopped ?? performance.now()) + this.patience * 1000;
      wait(this.#isHurried ? 0 : end - performance.now());
    });
    try {
      return await Promise.race([leaving.then(() => true), over]);
    } finally {
      clearTimeout(timer);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}
