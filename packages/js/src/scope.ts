// What the user code of one request shares: where it runs, its `Request`, and the background tasks that it has asked for.

import type { Host } from "./host.ts";
import { Request } from "./request.ts";
import { type Id, platform, type Surroundings, type Token } from "./wire.ts";

/** One request's. */
export class Scope implements Surroundings {
  /** Tasks that no response has taken yet. */
  tasks: Id[] = [];
  #surroundings: Surroundings | undefined;
  #request: Request | undefined;

  constructor(
    readonly host: Host,
    readonly token: Token,
  ) {}

  run<Made>(work: () => Made): Made {
    this.#surroundings ??= platform().surroundings(this);
    return this.#surroundings.run(work);
  }

  get request(): Request {
    this.#request ??= new Request(this.host, this.token, this.host.worker.head(this.token));
    return this.#request;
  }

  /** Nobody waits for it any more. */
  cancel(): void {
    this.#request?.cancel();
  }

  takeTasks(): Id[] {
    const { tasks } = this;
    this.tasks = [];
    return tasks;
  }
}

/** Of what has its surroundings already. */
export const asItIs: Surroundings = { run: (work) => work() };

/** Background work, for code that has no context object at hand. */
export const background = {
  /**
   * Runs work when the response of the running request has been sent and its dependencies are cleaned up; of a request that
   * is over, soon. A request that fails takes back what it asked for.
   */
  run<Args extends unknown[]>(work: (...args: Args) => unknown, ...args: Args): void {
    const scope = platform().owner();
    if (!(scope instanceof Scope))
      throw new Error("background work belongs to a request of a running app: there is none here");
    scope.host.addTask(scope.token, work, args);
  },
};
