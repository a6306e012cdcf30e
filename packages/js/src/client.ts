// The test client: requests go through the very same service as the server's, in memory.

import type { Spikard } from "./app.ts";
import { Fields } from "./fields.ts";
import type { Host } from "./host.ts";

/** What a request of the test client says. */
export interface RequestInit {
  headers?: Record<string, string> | [string, string][];
  /** Sent as JSON. */
  json?: unknown;
  /** Sent as `application/x-www-form-urlencoded`. */
  form?: Record<string, string> | [string, string][];
  body?: string | Uint8Array;
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

  json(): unknown {
    return JSON.parse(this.text());
  }
}

/** Sends requests to an app. `close` it, or the process lives on. */
export class TestClient {
  readonly #app: Spikard<never>;
  #opened: Promise<Host> | undefined;

  constructor(app: object) {
    this.#app = app as Spikard<never>;
  }

  get(target: string, init?: RequestInit): Promise<TestResponse> {
    return this.request("GET", target, init);
  }

  post(target: string, init?: RequestInit): Promise<TestResponse> {
    return this.request("POST", target, init);
  }

  put(target: string, init?: RequestInit): Promise<TestResponse> {
    return this.request("PUT", target, init);
  }

  patch(target: string, init?: RequestInit): Promise<TestResponse> {
    return this.request("PATCH", target, init);
  }

  delete(target: string, init?: RequestInit): Promise<TestResponse> {
    return this.request("DELETE", target, init);
  }

  /** Sends a request; the first one runs the start-up. */
  async request(method: string, target: string, init: RequestInit = {}): Promise<TestResponse> {
    const host = await this.open();
    const [fields, body] = encoded(init);
    const answer = host.asked<[number | null, string[], Uint8Array]>(host.worker.send(method, target, fields, body));
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

function encoded({ headers = [], json, form, body }: RequestInit): [string[], Uint8Array] {
  const fields = (Array.isArray(headers) ? headers : Object.entries(headers)).flat();
  const has = (wanted: string) => fields.some((name, at) => at % 2 === 0 && name.toLowerCase() === wanted);
  const says = has("content-type");
  if (!has("host")) fields.unshift("host", "localhost");
  const text = (kind: string, sent: string): [string[], Uint8Array] => {
    if (!says) fields.push("content-type", kind);
    return [fields, new TextEncoder().encode(sent)];
  };
  if (json !== undefined) return text("application/json", JSON.stringify(json));
  if (form) return text("application/x-www-form-urlencoded", new URLSearchParams(form).toString());
  return [fields, typeof body === "string" ? new TextEncoder().encode(body) : (body ?? new Uint8Array())];
}
