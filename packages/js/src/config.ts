// The configuration as it is written here. What applies, its defaults and its faults are the core's.

import { said as worded } from "./errors.ts";

/** Fields of the configuration. Times are seconds; `null` lifts a limit. */
export interface Config {
  host?: string;
  port?: number;
  uds?: string | null;
  fd?: number | null;
  backlog?: number;
  workers?: number;
  /** Replaces the workers when a source file changes. */
  reload?: boolean;
  maxRequests?: number | null;
  maxWorkerAge?: number | null;
  maxWorkerRss?: number | null;
  maxConnections?: number | null;
  maxInFlight?: number;
  maxBodySize?: number | null;
  maxJsonDepth?: number;
  maxFormParts?: number;
  maxFormText?: number;
  uploadMemory?: number;
  uploadDir?: string | null;
  requestTimeout?: number | null;
  headerTimeout?: number | null;
  bodyTimeout?: number | null;
  writeTimeout?: number | null;
  keepAlive?: number | null;
  /** A server that stops waits for requests in flight; false is a `shutdownTimeout` of 0. */
  gracefulShutdown?: boolean;
  shutdownTimeout?: number;
  cancelOnDisconnect?: boolean;
  cancelGrace?: number;
  enableRequestId?: boolean;
  trailingSlash?: "redirect" | "strict" | "ignore";
  assertFormats?: boolean;
  /** Connections are served by a thread of their own, even where the event loop could do it. */
  ioThread?: boolean;
  accessLog?: boolean | "combined" | "json";
  validateResponses?: boolean;
  backgroundTasks?: { maxQueue?: number; maxConcurrent?: number; drainTimeout?: number } | null;
}

/** A name in the core's spelling. */
export function spelled(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** Fields in the core's spelling. */
export function snake(fields: Record<string, unknown>): Record<string, unknown> {
  const value = (said: unknown): unknown => {
    // What JSON would drop, or make null of, is for the core to refuse.
    const isLost =
      /^(function|symbol|bigint)$/.test(typeof said) || (typeof said === "number" && !Number.isFinite(said));
    if (isLost) return worded(said);
    return typeof said === "object" && said !== null && !Array.isArray(said) ? snake({ ...said }) : said;
  };
  const said = Object.entries(fields).filter(([, each]) => each !== undefined);
  return Object.fromEntries(said.map(([name, each]) => [spelled(name), value(each)]));
}
