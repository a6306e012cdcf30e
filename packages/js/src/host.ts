// The host's side of one worker: the values that the engine knows by their ids, and what it calls.

import { failure, HTTPError } from "./errors.ts";
import { Fields } from "./fields.ts";
import { Request } from "./request.ts";
import { isPromise, type Pieces } from "./response.ts";
import { Refused } from "./schema.ts";
import { Table } from "./table.ts";
import { UploadFile } from "./upload.ts";
import { type Answer, type EngineWorker, type Id, type Names, platform, type Token, type WireFailure } from "./wire.ts";

type Iterating = Iterator<unknown> | AsyncIterator<unknown>;

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
  /** Background tasks that requests have asked for, and that no response has taken yet. */
  readonly tasks = new Map<Token, Id[]>();
  readonly #generators = new Map<Id, Iterating>();
  readonly #asked = new Map<number, (...answer: never[]) => void>();
  readonly #report: (report: Report) => void;
  #worker: EngineWorker | undefined;

  constructor(report: (report: Report) => void) {
    this.#report = report;
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
    this.#worker?.keepAlive(false);
    this.#worker?.close();
    this.#worker = undefined;
  }

  /** What the engine is lent. */
  names(callables: unknown[], statuses: number[]): Names {
    return {
      callables,
      statuses,
      table: this.table.values,
      bigint: BigInt,
      keep: (value) => this.table.keep(value),
      upload: (filename, type, size, fields, content) =>
        this.table.keep(new UploadFile(filename, type, size, Fields.fromFlat(fields), content)),
      request: (token, head) => this.table.keep(new Request(this, token, head)),
      refused: (thrown) => (thrown instanceof Refused ? refusals(thrown) : this.failure(thrown)),
      pull: (token, stream) => this.#pull(token, stream),
      finish: (token, value, outcome, exception) => this.#finish(token, value, outcome, exception),
      background: (token, task) => this.answered(token, this.table.values[task] as () => unknown, () => true),
      report: (exception, source, route, requestId) => this.#tell(exception, source, route, requestId),
      cancel: (request) => (this.table.values[request] as Request).cancel(),
      release: (ids) => this.#release(ids),
      told: (number, ...answer) => this.#told(number, answer as never[]),
    };
  }

  failure(thrown: unknown): WireFailure {
    return failure(this.table, thrown);
  }

  /** Runs user code and finishes its result; what has to be awaited is answered later. */
  answered(token: Token, run: () => unknown, finish: (result: unknown) => Answer): Answer {
    try {
      const result = run();
      if (!isPromise(result)) return finish(result);
      settled(result).then(
        (value) => this.#worker?.answer(token, this.#finished(token, value, finish)),
        (thrown: unknown) => this.#worker?.answer(token, this.#failed(token, thrown)),
      );
      return undefined;
    } catch (thrown) {
      return this.#failed(token, thrown);
    }
  }

  #finished(token: Token, value: unknown, finish: (result: unknown) => Answer): Answer {
    try {
      return finish(value);
    } catch (thrown) {
      return this.#failed(token, thrown);
    }
  }

  #failed(token: Token, thrown: unknown): Answer {
    for (const task of this.takeTasks(token) ?? []) {
      this.#worker?.giveBack(task);
      this.table.release(task);
    }
    return this.failure(thrown);
  }

  request(token: Token): Request {
    return this.table.values[this.worker.request(token)] as Request;
  }

  /** An answer that the engine tells by this number. */
  asked<T extends unknown[]>(number: number): Promise<T> {
    return new Promise((resolve) => this.#asked.set(number, (...answer) => resolve(answer as unknown as T)));
  }

  #told(number: number, answer: never[]): void {
    const told = this.#asked.get(number);
    this.#asked.delete(number);
    told?.(...answer);
  }

  /** A body, or a piece of it. */
  async body(number: number): Promise<Uint8Array> {
    const [bytes, status, detail] = await this.asked<[Uint8Array | null, number, string]>(number);
    if (bytes === null) throw new HTTPError(status, detail || undefined);
    return bytes;
  }

  keepStream(pieces: Pieces): Id {
    const made = pieces as Partial<AsyncIterable<unknown> & Iterable<unknown>>;
    return this.table.keep(made[Symbol.asyncIterator]?.() ?? made[Symbol.iterator]?.());
  }

  #pull(token: Token, stream: Id): Answer {
    const iterator = this.table.values[stream] as Iterating;
    return this.answered(
      token,
      () => iterator.next(),
      (step) => piece(step as IteratorResult<unknown>),
    );
  }

  /** Takes a generator's value over; it goes on when the request has ended. */
  open(generator: Iterating, step: IteratorResult<unknown>): Id {
    if (step.done) throw new Error("a dependency did not yield");
    const id = this.table.keep(step.value);
    this.#generators.set(id, generator);
    return id;
  }

  #finish(token: Token, value: Id, outcome: number, exception: Id | null): Answer {
    const generator = this.#generators.get(value);
    this.#generators.delete(value);
    if (!generator) {
      const stream = this.table.values[value] as Iterating | undefined;
      return this.answered(
        token,
        () => stream?.return?.(),
        () => true,
      );
    }
    const raised = exception === null ? new Error("the request failed") : this.table.values[exception];
    const step = () => {
      if (outcome === RAISED) return generator.throw?.(raised);
      return outcome >= CANCELLED ? generator.return?.() : generator.next();
    };
    return this.answered(token, step, (ended) => {
      if ((ended as IteratorResult<unknown> | undefined)?.done === false) throw new Error("a dependency yields once");
      return true;
    });
  }

  /** Work for when the response of this request has been sent; of one that is over, for now. */
  addTask(token: Token, work: () => unknown): void {
    const task = this.table.keep(work);
    if (!this.worker.reserve(task)) {
      this.table.release(task);
      throw new HTTPError(503, "the queue of background tasks is full");
    }
    if (this.#isLive(token)) this.tasks.set(token, [...(this.tasks.get(token) ?? []), task]);
    else this.worker.runInBackground(task);
  }

  #isLive(token: Token): boolean {
    try {
      this.worker.request(token);
      return true;
    } catch {
      return false;
    }
  }

  takeTasks(token: Token): Id[] | undefined {
    const tasks = this.tasks.get(token);
    this.tasks.delete(token);
    return tasks;
  }

  #tell(exception: Id | null, source: string | null, route: string, requestId: string | null): void {
    const error = exception === null ? undefined : this.table.values[exception];
    const failed = (broken: unknown) => platform().log("the report of a failure failed", broken);
    try {
      const told: unknown = this.#report({ error, source, route, requestId });
      if (isPromise(told)) settled(told).then(undefined, failed);
    } catch (broken) {
      failed(broken);
    }
  }

  #release(ids: Id[]): void {
    for (const id of ids) {
      const value = this.table.release(id);
      this.#generators.delete(id);
      if (value instanceof UploadFile) value.close();
    }
  }
}

/** A promise that calls back once and later, whatever its `then` does. */
function settled(promise: PromiseLike<unknown>): Promise<unknown> {
  const isOurs = promise instanceof Promise && promise.then === Promise.prototype.then;
  return isOurs ? promise : new Promise((resolve) => resolve(promise));
}

function piece(step: IteratorResult<unknown>): Answer {
  if (step.done) return null;
  if (typeof step.value === "string" || step.value instanceof Uint8Array) return step.value;
  throw new TypeError(`a stream yields texts or bytes, got ${typeof step.value}`);
}

function refusals({ issues }: Refused): string {
  const key = (step: PropertyKey | { key: PropertyKey }) => (typeof step === "object" ? step.key : step);
  const place = (issue: (typeof issues)[number]) => issue.path?.map((step) => key(step)).map(numbered) ?? [];
  return JSON.stringify(issues.map((issue) => ({ type: "value_error", loc: place(issue), msg: issue.message })));
}

function numbered(key: PropertyKey): string | number {
  return typeof key === "number" ? key : String(key);
}
