// What an app provides.

import type { Taken } from "./inputs.ts";

/** How long dependencies are kept. */
export const SCOPES = ["call", "function", "request", "singleton"] as const;

/** What is said of a dependency. */
export interface ProvideOptions extends Taken {
  /**
   * How long it is kept: `call` not at all, `request` unless said, `singleton` as long as the worker. A generator goes on
   * behind its `yield` when the response has been sent; one of `function`, which is kept as for `request`, when the
   * handler has returned, before anything is sent.
   */
  scope?: (typeof SCOPES)[number];
  /** Dependencies that are made before it though it takes them not. */
  needs?: readonly string[];
  /** It may be made beside its neighbours that say the same. */
  concurrent?: boolean;
}

/** One provided thing: a value, or what makes it. */
export interface Entry {
  value?: unknown;
  make?: (context: never) => unknown;
  options: ProvideOptions;
}

/** What the maker of a dependency gives. */
export type Given<Make> = Make extends (...args: never[]) => infer Result
  ? Result extends Generator<infer Value> | AsyncGenerator<infer Value>
    ? Value
    : Awaited<Result>
  : Make;
