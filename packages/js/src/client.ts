// The test client: requests go through the very same service as the server's, in memory.

import type { Spikard } from "./app.ts";
import { Cookies } from "./cookies.ts";
import { checkedNames } from "./errors.ts";
import { Fields, type FieldsInit, pairs } from "./fields.ts";
import type { Host } from "./host.ts";

type Query = ConstructorParameters<typeof URLSearchParams>[0];

/** What a request of the test client says. */
export interface TestInit {
  headers?: FieldsInit;
  /** Beside those that the client keeps. */
  cookies?: Record<string, string>;
  /** True unless the client says otherwise. */
  followRedirects?: boolean;
  /** Appended to the target. */
  query?: Query;
  /** The same, by the name that it has in Python. */
  params?: Query;
  /** Sent as JSON. */
  json?: unknown;
  /** Sent as `application/x-www-form-urlencoded`, beside `files` as fields of the same form. */
  form?: Record<string, string> | [string, string][];
  /** Sent as `multipart/form-data`; a `File` has a name. */
  files?: Record<string, Blob | readonly Blob[]>;
  /** Sent as `fetch` would: a `FormData` as a form of several parts. */
  body?: string | Uint8Array | FormData | URLSearchParams | Blob;
}

const OPTIONS = "headers cookies followRedirects query params json form files body";
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);
const MOST_REDIRECTS = 20;

type Sent = { method: string; target: string; fields: string[]; body: Uint8Array };

/** An answer, as it came. */
export class TestResponse {
  readonly headers: Headers;

  constructor(
    readonly status: number,
    /** Names and values in turn. */
    readonly fields: string[],
    readonly bytes: Uint8Array,
    /** What it answers: path and query, behind redirects. */
    readonly target: string,
    /** The redirects that were followed, the first one first. */
    readonly history: readonly TestResponse[],
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
  readonly #follows: boolean;
  #opened: Promise<Host> | undefined;
  /** Those that every request sends, what responses set included. */
  readonly cookies = new Cookies();

  constructor(app: object, options: Pick<TestInit, "followRedirects"> = {}) {
    checkedNames("a TestClient", options, "followRedirects");
    this.#app = app as Spikard<never>;
    this.#follows = options.followRedirects ?? true;
  }

  readonly get = this.#verb("GET");
  readonly post = this.#verb("POST");
  readonly put = this.#verb("PUT");
  readonly patch = this.#verb("PATCH");
  readonly delete = this.#verb("DELETE");
  readonly head = this.#verb("HEAD");
  readonly options = this.#verb("OPTIONS");

  #verb(method: string): (target: string, init?: TestInit) => Promise<TestResponse> {
    return (target, init) => this.request(method, target, init);
  }

  /** Sends a request, and those that its answers redirect to; the first one runs the start-up. */
  async request(method: string, target: string, init: TestInit = {}): Promise<TestResponse> {
    checkedNames("a request", init, OPTIONS);
    const host = await this.open();
    const [fields, body] = await encoded(init);
    const query = [init.query, init.params].flatMap((each) => [...new URLSearchParams(each)]);
    const whole = query.length ? `${target}${target.includes("?") ? "&" : "?"}${new URLSearchParams(query)}` : target;
    const history: TestResponse[] = [];
    let sent: Sent = { method, target: whole, fields, body };
    while (history.length <= MOST_REDIRECTS) {
      const answer = await this.#sent(host, sent, init.cookies, [...history]);
      const onward = (init.followRedirects ?? this.#follows) ? redirected(sent, answer) : undefined;
      if (!onward) return answer;
      history.push(answer);
      sent = onward;
    }
    throw new Error(`${method} ${target} was redirected ${MOST_REDIRECTS} times`);
  }

  async #sent(host: Host, sent: Sent, cookies: object = {}, history: TestResponse[]): Promise<TestResponse> {
    const [path = ""] = sent.target.split("?");
    const own = Object.entries(cookies).map(([name, value]) => `${name}=${value}`);
    const line = [...this.cookies.sent(path), ...own].join("; ");
    const fields = line && !has(sent.fields, "cookie") ? [...sent.fields, "cookie", line] : sent.fields;
    const number = host.worker.send(sent.method, sent.target, fields, sent.body);
    const [status, headers, content] = await host.asked<[number | null, string[], Uint8Array]>(number);
    if (status === null) throw new Error(`${sent.method} ${sent.target}: the body of the answer broke off`);
    const answer = new TestResponse(status, headers, content, sent.target, history);
    this.cookies.extract(path, answer.headers.getSetCookie());
    return answer;
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

function multipart(files: NonNullable<TestInit["files"]>, fields: TestInit["form"]): FormData {
  const form = new FormData();
  for (const [name, text] of pairs(fields)) form.append(name, text);
  for (const [name, some] of Object.entries(files)) for (const file of [some].flat()) form.append(name, file);
  return form;
}

function has(fields: readonly string[], wanted: string): boolean {
  return fields.some((name, at) => at % 2 === 0 && name.toLowerCase() === wanted);
}

/** What follows where a response says that it is elsewhere. */
function redirected(sent: Sent, { status, headers }: TestResponse): Sent | undefined {
  const location = headers.get("location");
  if (location === null || !REDIRECTS.has(status)) return undefined;
  const { pathname, search } = new URL(location, new URL(sent.target, "http://localhost"));
  const onward = { ...sent, target: pathname + search };
  const isKept = status > 303 || /^(GET|HEAD)$/.test(sent.method) || (status === 301 && sent.method !== "POST");
  if (isKept) return onward;
  const fields = sent.fields.filter((_, at) => !/^content-/i.test(sent.fields[at - (at % 2)] as string));
  return { ...onward, method: "GET", fields, body: new Uint8Array() };
}

async function encoded({ headers, json, form, files, body }: TestInit): Promise<[string[], Uint8Array]> {
  const fields = pairs(headers).flat();
  if (!has(fields, "host")) fields.unshift("host", "localhost");
  const text = (type: string, sent: string) => new Blob([sent], { type });
  let sent = body instanceof Uint8Array || typeof body === "string" ? new Blob([body as BlobPart]) : body;
  if (files) sent = multipart(files, form);
  else if (form) sent = text("application/x-www-form-urlencoded", new URLSearchParams(pairs(form)).toString());
  if (json !== undefined) sent = text("application/json", JSON.stringify(json));
  const made = new Response(sent);
  const type = made.headers.get("content-type");
  if (type && !has(fields, "content-type")) fields.push("content-type", type);
  return [fields, new Uint8Array(await made.arrayBuffer())];
}
