// The host's side of one worker: the values that the engine knows by their ids, and what it calls.

import { failure, HTTPError, said } from "./errors.ts";
import { Fields } from "./fields.ts";
import type { Request } from "./request.ts";
import { isPromise, type Pieces } from "./response.ts";
import { Refused } from "./schema.ts";
import { asItIs, Scope } from "./scope.ts";
import { Table } from "./table.ts";
import { UploadFile } from "./upload.ts";
import {
  type Answer,
  type EngineWorker,
  type Id,
  platform,
  type Surroundings,
  type Token,
  type WireFailure,
} from "./wire.ts";

type Iterating = Iterator<unknown> | AsyncIterator<unknown>;

/** What goes on later, where it was made. */
interface Running {
  iterator: Iterating | undefined;
  around: Surroundings;
}

/** A failure that nobody handled. */
export interface Report {
  error: unknown;
  source: string | null;
  route: string;
  requestId: string | null;
}

/** How a request ended, in the engine's numbers. */
const RAISED = 2;
const CANCELLED = 3;

/** One worker's. */
export class Host {
  readonly table = new Table();
  readonly #generators = new Map<Id, Running>();
  /** Tasks that no response has taken yet, of all requests. */
  #asking = 0;
  readonly #asked = new Map<number, (...answer: never[]) => void>();
  readonly #report: (report: Report) => void;
  readonly #closed: () => void;
  #worker: EngineWorker | undefined;
  /** Of the call whose result is being finished. */
  #around: Surroundings = asItIs;
  /** The scope that was asked for last: calls of one request follow each other. */
  #last: Scope | undefined;
  #lastToken: Token = Number.NaN;

  constructor(report: (report: Report) => void, closed: () => void) {
    this.#report = report;
    this.#closed = closed;
  }

  /** The engine's side. */
  get worker(): EngineWorker {
    if (!this.#worker) throw new Error("the app is closed");
    return this.#worker;
  }

  /** Takes the engine's side, and keeps the process alive for it. */
  attach(worker: EngineWorker): void {
    this.#worker = worker;
    worker.keepAlive(true);
  }

  /** Deals with what has come. */
  turn(): void {
    this.#worker?.turn();
  }

  /** Ends the engine's side. The two name each other: without this neither would go. */
  close(): void {
    if (!this.#worker) return;
    this.#worker.keepAlive(false);
    this.#worker.close();
    this.#worker = undefined;
    this.#closed();
  }

  /** What the engine is lent. */
  names(callables: unknown[], statuses: number[]) {
    return {
      callables,
      statuses,
      table: this.table.values,
      bigint: (digits: string): bigint => BigInt(digits),
      keep: (value: unknown): Id => this.table.keep(value),
      upload: this.#upload.bind(this),
      refused: (thrown: unknown): string | WireFailure =>
        thrown instanceof Refused ? refusals(thrown) : failure(this.table, thrown),
      pull: this.#pull.bind(this),
      finish: this.#finish.bind(this),
      background: (token: Token, task: Id): Answer =>
        this.answered(token, this.table.values[task] as () => unknown, () => true, asItIs),
      report: this.#tell.bind(this),
      /** What shares this value. */
      cancel: (shared: Id): void => (this.table.values[shared] as Scope).cancel(),
      release: this.#release.bind(this),
      told: this.#told.bind(this),
    };
  }

  /** A file of a form; its content may be an open file. */
  #upload(name: string | null, type: string | null, size: number, flat: string[], content: Uint8Array | number): Id {
    return this.table.keep(new UploadFile(name, type, size, Fields.fromFlat(flat), content));
  }

  /** Runs user code and finishes its result; what has to be awaited is answered later. */
  answered(
    token: Token,
    run: () => unknown,
    finish: (result: unknown) => Answer,
    around: Surroundings = this.scope(token),
  ): Answer {
    try {
      const result = around.run(run);
      if (!isPromise(result)) return this.#finished(token, result, finish, around);
      // One of a library may begin its work when it is first asked: that is user code too.
      const promise = isOurs(result) ? result : around.run(() => settled(result));
      promise.then(
        (value) => this.#worker?.answer(token, this.#finished(token, value, finish, around)),
        (thrown: unknown) => this.#worker?.answer(token, this.#failed(token, thrown)),
      );
      return undefined;
    } catch (thrown) {
      return this.#failed(token, thrown);
    }
  }

  #finished(token: Token, value: unknown, finish: (result: unknown) => Answer, around: Surroundings): Answer {
    this.#around = around;
    try {
      return finish(value);
    } catch (thrown) {
      return this.#failed(token, thrown);
    } finally {
      this.#around = asItIs;
    }
  }

  #failed(token: Token, thrown: unknown): Answer {
    this.#forget(token);
    return failure(this.table, thrown);
  }

  /** Takes back what a request has asked for that fails. */
  #forget(token: Token): void {
    for (const task of this.takeTasks(token)) {
      this.#worker?.giveBack(task);
      this.table.release(task);
    }
  }

  request(token: Token): Request {
    const scope = this.#shared(token);
    if (!scope) throw new Error("the request is over");
    return scope.request;
  }

  /** An answer that the engine tells by this number. */
  asked<T extends unknown[]>(number: number): Promise<T> {
    return new Promise((resolve) => this.#asked.set(number, (...answer) => resolve(answer as unknown as T)));
  }

  #told(number: number, ...answer: unknown[]): void {
    const told = this.#asked.get(number);
    this.#asked.delete(number);
    told?.(...(answer as never[]));
  }

  /** A body, or a piece of it. */
  async body(number: number): Promise<Uint8Array> {
    const [bytes, status, detail] = await this.asked<[Uint8Array | null, number, string]>(number);
    if (bytes === null) throw new HTTPError(status, detail || undefined);
    return bytes;
  }

  keepStream(pieces: Pieces): Id {
    const made = pieces as Partial<AsyncIterable<unknown> & Iterable<unknown>>;
    const iterator = made[Symbol.asyncIterator]?.() ?? made[Symbol.iterator]?.();
    return this.table.keep({ iterator, around: this.#around } satisfies Running);
  }

  #pull(token: Token, stream: Id): Answer {
    const { iterator, around } = this.table.values[stream] as Running;
    return this.answered(
      token,
      () => iterator?.next(),
      (step) => piece(step as IteratorResult<unknown>),
      around,
    );
  }

  /** Takes a generator's value over; it goes on when the request has ended. */
  open(generator: Iterating, step: IteratorResult<unknown>): Id {
    if (step.done) throw new Error("a dependency did not yield");
    const id = this.table.keep(step.value);
    this.#generators.set(id, { iterator: generator, around: this.#around });
    return id;
  }

  #finish(token: Token, value: Id, outcome: number, exception: Id | null): Answer {
    const generator = this.#generators.get(value);
    this.#generators.delete(value);
    const running = generator ?? (this.table.values[value] as Running | undefined);
    const { iterator, around } = running ?? { iterator: undefined, around: asItIs };
    const raised = exception === null ? new Error("the request failed") : this.table.values[exception];
    const step = () => {
      if (!generator || outcome >= CANCELLED) return iterator?.return?.();
      return outcome === RAISED ? this.#thrown(token, iterator, raised) : iterator?.next();
    };
    const finish = (ended: unknown) => {
      if (generator && (ended as IteratorResult<unknown> | undefined)?.done === false)
        throw new Error("a dependency yields once");
      return true as const;
    };
    return this.answered(token, step, finish, around);
  }

  /** That what was thrown in leaves it is no failure of its own. */
  #thrown(token: Token, iterator: Iterating | undefined, raised: unknown): unknown {
    const left = (thrown: unknown) => {
      if (thrown !== raised) throw thrown;
      this.#forget(token);
    };
    try {
      const ended: unknown = iterator?.throw?.(raised);
      return isPromise(ended) ? ended.then(undefined, left) : ended;
    } catch (thrown) {
      return left(thrown);
    }
  }

  /** What the user code of this request shares. Of one that is over, for this moment only. */
  scope(token: Token): Scope {
    return this.#shared(token) ?? new Scope(this, token);
  }

  #shared(token: Token): Scope | undefined {
    if (token === this.#lastToken) return this.#last;
    const id = this.table.keep(undefined);
    const shared = this.worker.share(token, id);
    if (shared === id) this.table.values[id] = new Scope(this, token);
    else this.table.release(id);
    if (shared === null) return undefined;
    this.#lastToken = token;
    this.#last = this.table.values[shared] as Scope;
    return this.#last;
  }

  /** Work for when the response of this request has been sent; of one that is over, for now. */
  addTask<Args extends unknown[]>(token: Token, work: (...args: Args) => unknown, args: Args): void {
    if (typeof work !== "function")
      throw new TypeError(`a background task is a function, with its arguments behind it, got ${said(work)}`);
    const task = this.table.keep(platform().bound(() => work(...args)));
    if (!this.worker.reserve(task)) {
      this.table.release(task);
      throw new HTTPError(503, "the queue of background tasks is full");
    }
    const scope = this.#shared(token);
    if (scope) {
      scope.tasks.push(task);
      this.#asking += 1;
    } else this.worker.runInBackground(task);
  }

  /** The tasks that a response takes with it. */
  takeTasks(token: Token): Id[] {
    if (this.#asking === 0) return [];
    const tasks = this.#shared(token)?.takeTasks() ?? [];
    this.#asking -= tasks.length;
    return tasks;
  }

  /** What a stream or clean-up has asked for begins when their request is over. */
  #leave(scope: Scope): void {
    if (scope === this.#last) this.#lastToken = Number.NaN;
    for (const task of scope.takeTasks()) {
      this.#asking -= 1;
      this.#worker?.runInBackground(task);
    }
  }

  #tell(_: Token, exception: Id | null, source: string | null, route: string, requestId: string | null): true {
    const error = exception === null ? undefined : this.table.values[exception];
    const told = new Promise((resolve) => resolve(this.#report({ error, source, route, requestId })));
    told.catch((broken: unknown) => platform().log("the report of a failure failed", broken));
    return true;
  }

  #release(ids: Id[]): void {
    for (const id of ids) {
      const value = this.table.release(id);
      this.#generators.delete(id);
      if (value instanceof UploadFile) value.close();
      else if (value instanceof Scope) this.#leave(value);
    }
  }
}

/** A promise that calls back once and later, whatever its `then` does. */
function settled(promise: PromiseLike<unknown>): Promise<unknown> {
  return isOurs(promise) ? promise : new Promise((resolve) => resolve(promise));
}

function isOurs(promise: PromiseLike<unknown>): promise is Promise<unknown> {
  return promise instanceof Promise && promise.then === Promise.prototype.then;
}

function piece(step: IteratorResult<unknown>): Answer {
  if (step.done) return null;
  if (typeof step.value === "string" || step.value instanceof Uint8Array) return step.value;
  throw new TypeError(`a stream yields texts or bytes, got ${typeof step.value}`);
}

function refusals({ issues }: Refused): string {
  const key = (step: PropertyKey | { key: PropertyKey }) => (typeof step === "object" ? step.key : step);
  const loc = (path: (typeof issues)[number]["path"] = []) =>
    path.map(key).map((each) => (typeof each === "number" ? each : String(each)));
  return JSON.stringify(issues.map(({ path, message }) => ({ type: "value_error", loc: loc(path), msg: message })));
}
