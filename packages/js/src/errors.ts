// The errors that users throw and meet.

import { type FieldsInit, pairs } from "./fields.ts";
import type { Table } from "./table.ts";
import { platform, type WireFailure } from "./wire.ts";

/** What else an answer says. */
export interface HTTPErrorOptions {
  headers?: FieldsInit;
  type?: string;
  title?: string;
  extra?: Record<string, unknown>;
  cause?: unknown;
}

/** The status, where it is one. */
export function checkedStatus(status: unknown, first = 200): number {
  if (typeof status === "number" && Number.isInteger(status) && status >= first && status <= 599) return status;
  throw new TypeError(`a status is a whole number from ${first} to 599, got ${said(status)}`);
}

/** A value, as messages name it. */
export function said(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value);
  if (typeof value === "number" || value == null) return String(value);
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
}

/** Refuses an option that is none of these: it is a slip of the pen. */
export function checkedNames(owner: string, given: object = {}, known: string): void {
  const names = known.split(/\s+/);
  const slip = Object.keys(given).find((name) => !names.includes(name));
  if (slip !== undefined) throw new TypeError(`${owner} has no option ${said(slip)}: ${names.join(", ")}`);
}

/** One refusal of a request. */
export interface FieldError {
  type: string;
  loc: (string | number)[];
  msg: string;
  input?: unknown;
}

/** Answers a request with a problem document of this status, from 300 to 599. */
export class HTTPError extends Error {
  override readonly name: string = "HTTPError";

  constructor(
    readonly status: number,
    readonly detail?: unknown,
    readonly options: HTTPErrorOptions = {},
  ) {
    const { cause } = options;
    checkedStatus(status, 300);
    checkedNames("an HTTPError", options, "headers type title extra cause");
    super(typeof detail === "string" ? detail : `status ${status}`, cause === undefined ? undefined : { cause });
  }

  /** What is wrong with the request, of a 422. */
  get errors(): FieldError[] {
    return (this.options.extra?.["errors"] ?? []) as FieldError[];
  }
}

/** The system does not let the program listen; the message says where. */
export class ListenError extends Error {
  override readonly name: string = "ListenError";
}

/** The app itself is at fault. It is thrown at start-up. */
export class SpecError extends Error {
  override readonly name: string = "SpecError";
}

/** What goes wrong in this work is a fault of this kind. */
export function faulty<Made>(Kind: typeof SpecError, work: () => Made, worded = (told: string) => told): Made {
  try {
    return work();
  } catch (fault) {
    throw new Kind(worded(fault instanceof Error ? fault.message : String(fault)), { cause: fault });
  }
}

/** What goes wrong in this work is a fault of the app at a place. */
export function within<Made>(place: string, work: () => Made): Made {
  return faulty(SpecError, work, (message) => `${place}: ${message}`);
}

/** A value that was thrown, as an engine is told of it. An `HTTPError` that cannot be sent is one like any other. */
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
  try {
    if (typeof detail === "function" || typeof detail === "symbol")
      throw new TypeError(`a ${typeof detail} is no JSON`);
    return JSON.stringify({ status, detail, headers: pairs(headers), type, title, extra }, wellFormed);
  } catch (fault) {
    platform().log("an HTTPError says what cannot be sent:", fault);
    return null;
  }
}

/** A surrogate that stands alone is replaced, as in every text that is sent. */
function wellFormed(_: string, value: unknown): unknown {
  return typeof value === "string" ? new TextDecoder().decode(new TextEncoder().encode(value)) : value;
}
