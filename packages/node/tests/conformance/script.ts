// What user code does in a case: the closed vocabulary of `script`, and how `echo` writes values.

import { setTimeout as sleep } from "node:timers/promises";
import { HTTPError, Reply, type Request, StreamingResponse, UploadFile } from "@spikard/node";

export type Json = null | boolean | number | string | Json[] | { [name: string]: Json };
export type Words = Record<string, any>;

/** What the user code of one app shares. */
export interface Scene {
  notes: string[];
}

/** Asks for a task that runs when the response has been sent. */
export type Background = (work: () => void) => void;

/** Does what the script says and answers what the handler answers. */
export async function run(
  words: Words,
  received: Record<string, unknown>,
  scene: Scene,
  background: Background,
): Promise<unknown> {
  const [[word, given]] = Object.entries(words) as [[string, any]];
  switch (word) {
    case "echo":
      return written(received);
    case "form":
      return Promise.all([...(await (received["request"] as Request).form())].map(written));
    case "respond":
      return respond(given);
    case "sleep":
      await sleep(given.seconds * 1000);
      return run(given.then, received, scene, background);
    case "stream":
      return stream(given);
    case "background":
      background(() => note(given, scene));
      return run(given.then, received, scene, background);
    case "trace":
      for (let tries = 0; tries < 400 && scene.notes.length < given.notes; tries++) await sleep(5);
      return [...scene.notes];
    default:
      throw raised(given);
  }
}

/** A task: it makes its note, and fails where it is told to. */
function note(given: Words, { notes }: Scene): void {
  notes.push(given["note"]);
  if ("raise" in given) throw new Error(given["raise"]);
}

/** The error that `raise` stands for. */
export function raised(given: Words): Error {
  if ("exception" in given) return new Error(given["exception"]);
  const { status, detail, ...options } = given["http"];
  return new HTTPError(status, detail, options);
}

/** The value itself, or a response of exactly this status, these fields and this content. */
export function respond(given: Words): unknown {
  const { status, headers, value, text, base64 } = given;
  const content = base64 === undefined ? (text ?? value) : Buffer.from(base64, "base64");
  const fields = (headers ?? []) as [string, string][];
  const bare = value === undefined && text === undefined && base64 === undefined;
  // A list may look like a body and its status, and a text of JSON is no text.
  if (status === undefined && headers === undefined)
    return typeof value === "string" ? json(value, {}) : Array.isArray(value) ? new Reply(value) : content;
  if (bare) return new Reply(undefined, { status: status ?? 200, headers: fields });
  return "value" in given
    ? json(value, { status: status ?? 200, headers: fields })
    : new Reply(content, { status: status ?? 200, headers: fields });
}

function json(value: unknown, { headers = [], ...init }: { status?: number; headers?: [string, string][] }): unknown {
  if (typeof value !== "string") return new Reply(value, { ...init, headers });
  const says = headers.some(([name]) => name.toLowerCase() === "content-type");
  const kind: [string, string][] = says ? [] : [["content-type", "application/json"]];
  return new Reply(JSON.stringify(value), { ...init, headers: [...headers, ...kind] });
}

/** A stream of these pieces; an even number comes from a generator, an odd one from an asynchronous one. */
function stream({ pieces, repeat = 1, status = 200, headers = [] }: Words): StreamingResponse {
  const decoded = (pieces as (string | { base64: string })[]).map((each) =>
    typeof each === "string" ? each : Buffer.from(each.base64, "base64"),
  );
  const all = Array.from({ length: repeat }, () => decoded).flat();
  async function* later() {
    for (const piece of all) {
      await sleep(0);
      yield piece;
    }
  }
  function* now() {
    yield* all;
  }
  return new StreamingResponse(pieces.length % 2 ? later() : now(), { status, headers: headers as [string, string][] });
}

/** Values as `echo` writes them; what has not been sent is null. */
export async function written(value: unknown): Promise<Json> {
  if (value === undefined || value === null) return null;
  if (typeof value === "bigint") return Number(value);
  if (value instanceof UploadFile) return { $upload: await upload(value, value.filename, value.contentType) };
  if (value instanceof File) return { $upload: await upload(value, value.name, value.type || null) };
  if (value instanceof Uint8Array) return { $bytes: Buffer.from(value).toString("base64") };
  if (Array.isArray(value)) return Promise.all(value.map(written));
  if (typeof value !== "object") return value as Json;
  if ("requestId" in value) return requestWritten(value as unknown as Request);
  const members = Object.entries(value).map(async ([name, each]) => [name, await written(each)] as const);
  return Object.fromEntries(await Promise.all(members));
}

async function upload(file: File, filename: string | null, type: string | null): Promise<Json> {
  const content = Buffer.from(await file.arrayBuffer()).toString("base64");
  return { filename, content_type: type, size: file.size, base64: content };
}

async function requestWritten(request: Request): Promise<Json> {
  const own = [...request.headers].filter(([name]) => name.startsWith("x-"));
  // Fields of one name are one field here.
  const fields = own.flatMap(([name, value]) => value.split(", ").map((each) => [name, each]));
  const { method, path, queryString: query, state, params } = request;
  const said = { method, path, query, fields, state: state as Json };
  return Object.keys(params).length ? { ...said, params: await written({ ...params }) } : said;
}
