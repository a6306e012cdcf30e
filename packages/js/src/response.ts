// What handlers answer, and how it is told to an engine.

import { checkedNames, checkedStatus, said } from "./errors.ts";
import { Fields, type FieldsInit } from "./fields.ts";
import type { Host } from "./host.ts";
import { SetsCookies } from "./set_cookie.ts";
import type { Token, WireBody, WireResponse } from "./wire.ts";

/** Pieces of a body. */
export type Pieces = Iterable<string | Uint8Array> | AsyncIterable<string | Uint8Array>;

/** What a response is made with. */
export interface ReplyInit {
  status?: number;
  headers?: FieldsInit;
}

/** A response: its content is written as a handler's result is. */
export class Reply extends SetsCookies {
  readonly status: number | undefined;
  readonly headers: Fields;

  constructor(
    readonly content: unknown = undefined,
    init: ReplyInit = {},
  ) {
    super();
    checkedNames(`a ${new.target.name}`, init, "status headers");
    this.status = init.status === undefined ? undefined : checkedStatus(init.status);
    this.headers = new Fields(init.headers);
  }
}

/** A response whose body is made while the client reads it. */
export class StreamingResponse extends Reply {
  constructor(pieces: Pieces, init: ReplyInit = {}) {
    super(pieces, init);
    const made = Object(pieces) as object;
    if (!(Symbol.asyncIterator in made || Symbol.iterator in made))
      throw new TypeError(`a StreamingResponse takes what can be iterated over, got ${said(pieces)}`);
  }
}

/** A response of a file, with its conditions and ranges. */
export class FileResponse extends Reply {
  readonly name: string | null;
  readonly inline: boolean;

  constructor(
    readonly path: string,
    init: ReplyInit & { name?: string; inline?: boolean } = {},
  ) {
    checkedNames("a FileResponse", init, "name inline status headers");
    const { name = null, inline = false, ...plain } = init;
    super(undefined, plain);
    if (typeof path !== "string") throw new TypeError(`a FileResponse takes a path as text, got ${said(path)}`);
    if (name !== null && typeof name !== "string") throw new TypeError(`the name of a file is text, got ${said(name)}`);
    [this.name, this.inline] = [name, Boolean(inline)];
  }
}

const TEXT = "text/plain; charset=utf-8";
const BYTES = "application/octet-stream";
const JSON_TYPE = "application/json";

/** Whether it has to be awaited. */
export function isPromise(value: unknown): value is PromiseLike<unknown> {
  return typeof value === "object" && value !== null && typeof (value as { then?: unknown }).then === "function";
}

/** The result of a handler. A text alone is JSON with the status of its route. */
export function render(host: Host, token: Token, result: unknown, status?: number): string | WireResponse {
  const made = rendered(host, result, status);
  const tasks = host.takeTasks(token);
  if (tasks.length === 0) return made;
  if (typeof made === "string") return [status ?? null, ["content-type", JSON_TYPE], made, tasks];
  made[3] = tasks;
  return made;
}

function rendered(host: Host, result: unknown, status?: number): string | WireResponse {
  if (status === undefined && isRecord(result)) return json(result);
  if (result instanceof Reply) return reply(host, result, status);
  if (result instanceof Response) return foreign(host, result);
  if (result instanceof Error) throw result;
  if (isPair(result)) return reply(host, new Reply(result[0], { status: result[1] }), status);
  const [type, body] = content(host, result);
  if (type === JSON_TYPE && status === undefined) return body as string;
  return [status ?? null, type ? ["content-type", type] : null, body, null];
}

/** What is sent as JSON by one look: an object of no class, and no stream. */
function isRecord(value: unknown): value is object {
  return (
    typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype && !isStream(value)
  );
}

/** `[body, status]`: a list of two whose second is a status, and whose first is no number. */
export function isPair(result: unknown): result is [unknown, number] {
  if (!Array.isArray(result) || result.length !== 2 || typeof result[0] === "number") return false;
  const [, status] = result as [unknown, unknown];
  return typeof status === "number" && Number.isInteger(status) && status >= 200 && status < 600;
}

/** A body and its media type. */
function content(host: Host, value: unknown): [string | null, WireBody] {
  if (typeof value === "string") return [TEXT, value];
  if (value instanceof Uint8Array) return [BYTES, value];
  if (value instanceof ArrayBuffer) return [BYTES, new Uint8Array(value)];
  if (ArrayBuffer.isView(value)) return [BYTES, new Uint8Array(value.buffer, value.byteOffset, value.byteLength)];
  if (value instanceof Blob || value instanceof FormData || value instanceof URLSearchParams) {
    const made = new Response(value);
    return [made.headers.get("content-type") ?? BYTES, host.keepStream(made.body as unknown as Pieces)];
  }
  if (isStream(value)) return [BYTES, host.keepStream(value)];
  if (value instanceof Map)
    throw new TypeError("JSON has no Map: answer Object.fromEntries(it), or its entries as a list");
  if (value instanceof Set) throw new TypeError("JSON has no Set: answer [...it]");
  return [JSON_TYPE, json(value)];
}

function json(value: unknown): string {
  if (value === undefined) return "null";
  const text = JSON.stringify(value) as string | undefined;
  if (text === undefined) throw new TypeError(`a handler cannot answer a ${typeof value}`);
  return text;
}

function isStream(value: unknown): value is Pieces {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  const made = value as { [Symbol.asyncIterator]?: unknown; [Symbol.iterator]?: unknown; next?: unknown };
  return made[Symbol.asyncIterator] !== undefined || (made[Symbol.iterator] !== undefined && made.next !== undefined);
}

function reply(host: Host, made: Reply, status?: number): WireResponse {
  const said = made.status ?? status ?? null;
  const fields = made.headers.flat();
  if (made instanceof FileResponse) return [said, fields, [made.path, made.name, made.inline], null];
  if (made instanceof StreamingResponse) {
    if (!made.headers.has("content-type")) fields.push("content-type", BYTES);
    return [said, fields, host.keepStream(made.content as Pieces), null];
  }
  if (made.content === undefined) return [said, fields, null, null];
  const [type, body] = content(host, made.content);
  if (type && !made.headers.has("content-type")) fields.push("content-type", type);
  return [said, fields, body, null];
}

/** What `fetch` takes off. */
const CODING = /^\s*((x-)?gzip|deflate|br)\s*$/i;

/** WHATWG's. The body of one that was fetched has been decoded: what its fields say of it holds no more. */
function foreign(host: Host, made: Response): WireResponse {
  const fields = new Fields(made.headers);
  const codings = fields.get("content-encoding")?.split(",");
  if (made.type !== "default" && codings?.every((coding) => CODING.test(coding))) {
    fields.delete("content-encoding");
    fields.delete("content-length");
  }
  return [made.status, fields.flat(), made.body ? host.keepStream(made.body as unknown as Pieces) : null, null];
}

/** A response as a hook on the way out is shown it; what it changes is sent. */
export class MadeResponse extends SetsCookies {
  status: number;
  #fields: string[];
  #headers: Fields | undefined;
  #body: Uint8Array | null;
  #replaced: unknown = undefined;
  readonly #status: number;

  constructor(status: number, fields: string[], body: Uint8Array | null) {
    super();
    this.status = this.#status = status;
    this.#fields = fields;
    this.#body = body;
  }

  get headers(): Headers {
    this.#headers ??= Fields.fromFlat(this.#fields);
    return this.#headers;
  }

  /** The body where it is whole; null for what is read while it is sent. */
  get body(): Uint8Array | null {
    return this.#body;
  }

  /** Replaces the body: text, bytes, or a value that is sent as JSON. */
  set body(value: unknown) {
    this.#replaced = value;
  }

  /** What the engine is told: null where nothing was changed. */
  changed(host: Host): WireResponse | null {
    if (!this.#headers && this.status === this.#status && this.#replaced === undefined) return null;
    const fields = this.#headers ? this.#headers.flat() : this.#fields;
    const [type, body] = this.#replaced === undefined ? [null] : content(host, this.#replaced);
    if (type && !fields.some((name, at) => at % 2 === 0 && name === "content-type")) fields.push("content-type", type);
    return [checkedStatus(this.status), fields, body, null];
  }
}
