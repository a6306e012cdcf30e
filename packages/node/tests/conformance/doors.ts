// The two ways into an app: the in-process client, and a real server's socket.

import net from "node:net";
import { type Spikard, TestClient } from "@spikard/node";
import type { Words } from "./script.ts";

/** A response as it came; `closed` is undefined where nobody looked. */
export interface Answer {
  status: number;
  headers: [string, string][];
  body: Buffer;
  closed?: boolean;
  then?: Answer[];
}

/** The door cannot send such a request. */
export class Unsuited extends Error {}

export type Send = (request: Words) => Promise<Answer>;

/** Fields and body of a request. */
export function encoded(request: Words): [[string, string][], Buffer] {
  const headers = [...(request["headers"] ?? [])] as [string, string][];
  let [kind, body]: [string | undefined, Buffer] = [undefined, Buffer.alloc(0)];
  if ("body" in request) [kind, body] = ["application/json", Buffer.from(JSON.stringify(request["body"]))];
  else if ("form" in request) {
    [kind, body] = ["application/x-www-form-urlencoded", Buffer.from(new URLSearchParams(request["form"]).toString())];
  } else if ("body_text" in request) body = Buffer.from(request["body_text"]);
  else if ("body_base64" in request) body = Buffer.from(request["body_base64"], "base64");
  if (kind && !headers.some(([name]) => name.toLowerCase() === "content-type")) headers.push(["content-type", kind]);
  return [headers, body];
}

/** The client that users test with. */
export async function inProcess(app: Spikard<any>, play: (send: Send) => Promise<void>): Promise<void> {
  await using client = new TestClient(app, { followRedirects: false });
  await play(async (request) => {
    if (!("method" in request)) throw new Unsuited("the test client sends requests, not the bytes of a connection");
    const [headers, body] = encoded(request);
    client.cookies.clear();
    const answer = await client.request(request["method"], request["target"], { headers, body });
    return { status: answer.status, headers: pairs(answer.fields), body: Buffer.from(answer.bytes) };
  });
}

function pairs(flat: string[]): [string, string][] {
  return Array.from({ length: flat.length / 2 }, (_, at) => [flat[at * 2] as string, flat[at * 2 + 1] as string]);
}

/** A server on a free port. */
export async function overASocket(app: Spikard<any>, play: (send: Send) => Promise<void>): Promise<void> {
  await using server = await app.listen({ port: 0 });
  await play((request) => exchange(server.port as number, request));
}

/** One connection whose answers are read one after another. */
class Connection {
  #buffer = Buffer.alloc(0);
  #ended = false;
  #wake: () => void = () => undefined;
  readonly socket: net.Socket;

  constructor(port: number) {
    this.socket = net.connect({ port, host: "127.0.0.1", allowHalfOpen: true, noDelay: true });
    this.socket.on("data", (piece) => {
      this.#buffer = Buffer.concat([this.#buffer, piece]);
      this.#wake();
    });
    const end = () => {
      this.#ended = true;
      this.#wake();
    };
    this.socket.on("end", end).on("error", end).on("close", end);
  }

  /** Waits for more; false: nothing comes any more. */
  async #more(): Promise<boolean> {
    if (this.#ended) return false;
    let timer: NodeJS.Timeout | undefined;
    const timeout = new Promise<void>((_, refuse) => {
      timer = setTimeout(() => refuse(new Error("no answer within 5 s")), 5000);
    });
    try {
      await Promise.race([new Promise<void>((resolve) => (this.#wake = resolve)), timeout]);
    } finally {
      clearTimeout(timer);
    }
    return true;
  }

  async #until(mark: string): Promise<string> {
    let at = this.#buffer.indexOf(mark);
    while (at < 0) {
      if (!(await this.#more())) throw new Error("the connection ended within a head");
      at = this.#buffer.indexOf(mark);
    }
    return this.#take(at + mark.length)
      .toString("latin1")
      .slice(0, -mark.length);
  }

  #take(length: number): Buffer {
    const taken = this.#buffer.subarray(0, length);
    this.#buffer = this.#buffer.subarray(length);
    return taken;
  }

  async #exactly(length: number): Promise<Buffer> {
    while (this.#buffer.length < length)
      if (!(await this.#more())) throw new Error("the connection ended within a body");
    return this.#take(length);
  }

  async #chunks(): Promise<Buffer> {
    const pieces: Buffer[] = [];
    for (;;) {
      const size = Number.parseInt(await this.#until("\r\n"), 16);
      if (size === 0) {
        await this.#until("\r\n");
        return Buffer.concat(pieces);
      }
      pieces.push(await this.#exactly(size));
      await this.#exactly(2);
    }
  }

  /** The next answer. */
  async answer(method: string): Promise<Answer> {
    const [line, ...fields] = (await this.#until("\r\n\r\n")).split("\r\n");
    const status = Number(line?.split(" ")[1]);
    if (status === 100) return this.answer(method);
    const headers = fields.map((field): [string, string] => {
      const at = field.indexOf(":");
      return [field.slice(0, at).toLowerCase(), field.slice(at + 1).trim()];
    });
    const named = new Map(headers);
    if (method === "HEAD" || status === 204 || status === 304) return { status, headers, body: Buffer.alloc(0) };
    if (named.get("transfer-encoding") === "chunked") return { status, headers, body: await this.#chunks() };
    const length = named.get("content-length");
    if (length !== undefined) return { status, headers, body: await this.#exactly(Number(length)) };
    while (await this.#more());
    return { status, headers, body: this.#take(this.#buffer.length) };
  }

  /** Whether the server closes; `another`: whether it does not answer a further request. */
  async isClosed(another: boolean): Promise<boolean> {
    if (another) this.socket.write("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
    if (this.#buffer.length > 0) return false;
    return !(await this.#more().catch(() => true)) || (this.#ended && this.#buffer.length === 0);
  }
}

/** Sends one request over a connection of its own. */
async function exchange(port: number, request: Words): Promise<Answer> {
  const connection = new Connection(port);
  try {
    connection.socket.write(requestBytes(request));
    if (request["end"]) connection.socket.end();
    const answer = await connection.answer(request["method"] ?? "GET");
    if ("method" in request) return answer;
    const then: Answer[] = [];
    for (let at = 1; at < (request["answers"] ?? 1); at++) then.push(await connection.answer("GET"));
    if ("closed" in request) answer.closed = await connection.isClosed(request["closed"] === false);
    return { ...answer, then };
  } finally {
    connection.socket.destroy();
  }
}

/** What goes over the wire. */
function requestBytes(request: Words): Buffer {
  if ("raw_base64" in request) return Buffer.from(request["raw_base64"], "base64");
  if ("raw" in request) return Buffer.from(request["raw"], "latin1");
  const [headers, body] = encoded(request);
  const names = new Set(headers.map(([name]) => name.toLowerCase()));
  if (!names.has("host")) headers.unshift(["host", "localhost"]);
  const sends = body.length > 0 || ["POST", "PUT", "PATCH"].includes(request["method"]);
  if (sends && !names.has("content-length") && !names.has("transfer-encoding"))
    headers.push(["content-length", String(body.length)]);
  const lines = [
    `${request["method"]} ${request["target"]} HTTP/1.1`,
    ...headers.map(([name, value]) => `${name}: ${value}`),
  ];
  return Buffer.concat([Buffer.from([...lines, "", ""].join("\r\n")), body]);
}
