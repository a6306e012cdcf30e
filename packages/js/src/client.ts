// The test client: requests go through the very same service as the server's, in memory.

import type { Spikard } from "./app.ts";
import { Fields } from "./fields.ts";
import type { Host } from "./host.ts";

/** What a request of the test client says. */
export interface TestInit {
  headers?: Record<string, string> | [string, string][];
  /** Appended to the target. */
  query?: ConstructorParameters<typeof URLSearchParams>[0];
  /** Sent as JSON. */
  json?: unknown;
  /** Sent as `application/x-www-form-urlencoded`, beside `files` as fields of the same form. */
  form?: Record<string, string> | [string, string][];
  /** Sent as `multipart/form-data`; a `File` has a name. */
  files?: Record<string, Blob | readonly Blob[]>;
  /** Sent as `fetch` would: a `FormData` as a form of several parts. */
  body?: string | Uint8Array | FormData | URLSearchParams | Blob;
}

/** An answer, as it came. */
export class TestResponse {
  readonly headers: Headers;

  constructor(
    readonly status: number,
    /** Names and values in turn. */
    readonly fields: string[],
    readonly bytes: Uint8Array,
  ) {
    this.headers = Fields.fromFlat(fields);
  }

  text(): string {
    return new TextDecoder().decode(this.bytes);
  }

  json<Said = unknown>(): Said {
    return JSON.parse(this.text()) as Said;
  }
}

/** Sends requests to an app. `close` it, or the process lives on. */
export class TestClient {
  readonly #app: Spikard<never>;
  #opened: Promise<Host> | undefined;

  constructor(app: object) {
    this.#app = app as Spikard<never>;
  }

  get(target: string, init?: TestInit): Promise<TestResponse> {
    return this.request("GET", target, init);
  }

  post(target: string, init?: TestInit): Promise<TestResponse> {
    return this.request("POST", target, init);
  }

  put(target: string, init?: TestInit): Promise<TestResponse> {
    return this.request("PUT", target, init);
  }

  patch(target: string, init?: TestInit): Promise<TestResponse> {
    return this.request("PATCH", target, init);
  }

  delete(target: string, init?: TestInit): Promise<TestResponse> {
    return this.request("DELETE", target, init);
  }

  head(target: string, init?: TestInit): Promise<TestResponse> {
    return this.request("HEAD", target, init);
  }

  options(target: string, init?: TestInit): Promise<TestResponse> {
    return this.request("OPTIONS", target, init);
  }

  /** Sends a request; the first one runs the start-up. */
  async request(method: string, target: string, init: TestInit = {}): Promise<TestResponse> {
    const host = await this.open();
    const [fields, body] = await encoded(init);
    const query = new URLSearchParams(init.query).toString();
    const whole = query ? `${target}${target.includes("?") ? "&" : "?"}${query}` : target;
    const answer = host.asked<[number | null, string[], Uint8Array]>(host.worker.send(method, whole, fields, body));
    const [status, headers, content] = await answer;
    if (status === null) throw new Error(`${method} ${target}: the body of the answer broke off`);
    return new TestResponse(status, headers, content);
  }

  /** Starts the app. */
  open(): Promise<Host> {
    this.#opened ??= this.#open();
    return this.#opened;
  }

  async #open(): Promise<Host> {
    const host = this.#app.open();
    try {
      await this.#app.start();
    } catch (fault) {
      host.close();
      throw fault;
    }
    return host;
  }

  /** Shuts the app down. */
  async close(): Promise<void> {
    if (!this.#opened) return;
    const opened = this.#opened;
    this.#opened = undefined;
    const host = await opened.catch(() => undefined); // whoever asked has been told
    if (!host) return;
    try {
      await this.#app.leave(host);
    } finally {
      host.close();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

function multipart(files: NonNullable<TestInit["files"]>, fields: TestInit["form"] = []): FormData {
  const form = new FormData();
  for (const [name, text] of Array.isArray(fields) ? fields : Object.entries(fields)) form.append(name, text);
  for (const [name, some] of Object.entries(files)) for (const file of [some].flat()) form.append(name, file);
  return form;
}

async function encoded({ headers = [], json, form, files, body: given }: TestInit): Promise<[string[], Uint8Array]> {
  const fields = (Array.isArray(headers) ? headers : Object.entries(headers)).flat();
  const has = (wanted: string) => fields.some((name, at) => at % 2 === 0 && name.toLowerCase() === wanted);
  const says = has("content-type");
  if (!has("host")) fields.unshift("host", "localhost");
  const text = (kind: string, sent: string): [string[], Uint8Array] => {
    if (!says) fields.push("content-type", kind);
    return [fields, new TextEncoder().encode(sent)];
  };
  if (json !== undefined) return text("application/json", JSON.stringify(json));
  const body = files ? multipart(files, form) : given;
  if (form && !files) return text("application/x-www-form-urlencoded", new URLSearchParams(form).toString());
  if (body === undefined || typeof body === "string") return [fields, new TextEncoder().encode(body)];
  if (body instanceof Uint8Array) return [fields, body];
  const made = new Response(body);
  const type = made.headers.get("content-type");
  if (type && !says) fields.push("content-type", type);
  return [fields, new Uint8Array(await made.arrayBuffer())];
}
