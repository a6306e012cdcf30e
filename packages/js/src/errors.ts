// The errors that users throw and meet.

import type { Table } from "./table.ts";
import type { WireFailure } from "./wire.ts";

/** What else an answer says. */
export interface HTTPErrorOptions {
  headers?: Record<string, string> | [string, string][];
  type?: string;
  title?: string;
  extra?: Record<string, unknown>;
  cause?: unknown;
}

/** Answers a request with a problem document of this status. */
export class HTTPError extends Error {
  override readonly name: string = "HTTPError";

  constructor(
    readonly status: number,
    readonly detail?: unknown,
    readonly options: HTTPErrorOptions = {},
  ) {
    const { cause } = options;
    super(typeof detail === "string" ? detail : `status ${status}`, cause === undefined ? undefined : { cause });
  }
}

/** The app itself is at fault. It is thrown at start-up. */
export class SpecError extends Error {
  override readonly name = "SpecError";
}

/** A value that was thrown, as an engine is told of it. */
export function failure(table: Table, thrown: unknown): WireFailure {
  const id = table.keep(thrown);
  try {
    const name: unknown = thrown instanceof Error ? thrown.constructor.name : typeof thrown;
    return [false, id, String(name), thrown instanceof HTTPError ? meant(thrown) : null];
  } catch {
    // A proxy or a getter of its own failed in turn.
    return [false, id, typeof thrown, null];
  }
}

function meant({ status, detail, options: { headers, type, title, extra } }: HTTPError): string | null {
  const fields = Array.isArray(headers) ? headers : Object.entries(headers ?? {});
  try {
    return JSON.stringify({ status, detail, headers: fields, type, title, extra });
  } catch {
    return JSON.stringify({ status, headers: fields, type, title });
  }
}
