// The configuration as it is written here. What applies, its defaults and its faults are the core's.

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
