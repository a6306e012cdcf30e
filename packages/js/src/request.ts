// A request as user code meets it. Nothing of it is read before somebody asks.

import { HTTPError } from "./errors.ts";
import { Fields } from "./fields.ts";
import type { Host } from "./host.ts";
import type { RequestHead, Token } from "./wire.ts";

/** The request, the same object everywhere; what hooks change in it reaches the handler. */
export class Request {
  readonly #host: Host;
  readonly #token: Token;
  readonly #head: RequestHead;
  #line: ReturnType<RequestHead["line"]> | undefined;
  #headers: Fields | undefined;
  #query: URLSearchParams | undefined;
  #written = "";
  #abort: AbortController | undefined;
  #isCancelled = false;

  /** What hooks, dependencies and the handler carry along. */
  readonly state: Record<string, unknown> = {};

  constructor(host: Host, token: Token, head: RequestHead) {
    this.#host = host;
    this.#token = token;
    this.#head = head;
  }

  get #said(): ReturnType<RequestHead["line"]> {
    this.#line ??= this.#head.line();
    return this.#line;
  }

  get method(): string {
    return this.#said[0];
  }

  get path(): string {
    return this.#said[1];
  }

  get queryString(): string {
    return this.#query?.toString() ?? this.#said[2];
  }

  /** The template of its route; null where no route was matched. */
  get route(): string | null {
    return this.#said[3];
  }

  get requestId(): string | null {
    return this.#said[4];
  }

  /** Host and port of the other end of the connection. */
  get client(): { host: string; port: number } | null {
    const peer = this.#head.peer;
    return peer ? { host: peer[0], port: peer[1] } : null;
  }

  get headers(): Headers {
    this.#headers ??= Fields.fromFlat(this.#head.fields());
    return this.#headers;
  }

  get query(): URLSearchParams {
    if (!this.#query) {
      const found = this.#head.query();
      if (typeof found[0] === "number") throw new HTTPError(found[0], found[1]);
      this.#query = new URLSearchParams(found as [string, string][]);
      this.#written = this.#query.toString();
    }
    return this.#query;
  }

  get cookies(): Record<string, string> {
    return record(this.#head.cookies());
  }

  /** The parameters of the path: what a converter of the template reads, as it reads it, else texts. */
  get params(): Record<string, unknown> {
    return record(this.#head.pathValues());
  }

  /** Aborted when the client has left, or the time is over. */
  get signal(): AbortSignal {
    if (!this.#abort) {
      this.#abort = new AbortController();
      if (this.#isCancelled || this.#head.isCancelled) this.#abort.abort();
    }
    return this.#abort.signal;
  }

  /** Whether the client has left. */
  get isDisconnected(): boolean {
    return this.#head.hasDeparted;
  }

  /** The whole body. */
  async bytes(): Promise<Uint8Array> {
    return this.#host.body(this.#head.read());
  }

  async text(): Promise<string> {
    return new TextDecoder().decode(await this.bytes());
  }

  /** The body as JSON, whatever its type says; what is none is answered 400 unless it is caught. */
  async json(): Promise<unknown> {
    const body = await this.bytes();
    const [status, detail] = this.#head.checkJson(body) ?? [];
    if (status !== undefined) throw new HTTPError(status, detail);
    return JSON.parse(new TextDecoder().decode(body));
  }

  /** The fields and files of a form, urlencoded or multipart, by the rules and limits of a bound one. */
  async form(): Promise<FormData> {
    const [entries, status, detail] = this.#head.form(await this.bytes());
    if (entries === null) throw new HTTPError(status as number, detail);
    const form = new FormData();
    for (const [name, said, filename, type] of entries) {
      if (typeof said === "string") form.append(name, said);
      else form.append(name, new File([said], filename ?? "", { type: type ?? "" }));
    }
    return form;
  }

  /** The body, piece by piece; the client is held back meanwhile. One that breaks off throws. */
  async *stream(): AsyncGenerator<Uint8Array> {
    for (;;) {
      const piece = await this.#host.body(this.#head.next());
      if (piece.length === 0) return;
      yield piece;
    }
  }

  /** Replaces the body, before it is read. */
  setBody(body: string | Uint8Array): void {
    this.#head.setBody(typeof body === "string" ? new TextEncoder().encode(body) : body);
  }

  /** Runs work when the response has been sent. */
  background<Args extends unknown[]>(work: (...args: Args) => unknown, ...args: Args): void {
    this.#host.addTask(this.#token, work, args);
  }

  /** What was changed is written back. */
  writeBack(): void {
    if (this.#headers) this.#head.setFields(this.#headers.flat());
    if (this.#query && this.#query.toString() !== this.#written) {
      const query = this.#query.toString();
      this.#head.setTarget(query ? `${this.path}?${query}` : this.path);
      this.#written = query;
    }
  }

  /** Nobody waits for it any more. */
  cancel(): void {
    this.#isCancelled = true;
    this.#abort?.abort();
  }
}

function record<Value>(pairs: [string, Value][]): Record<string, Value> {
  return Object.setPrototypeOf(Object.fromEntries(pairs), null) as Record<string, Value>;
}
