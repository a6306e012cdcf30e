// The host's values that an engine knows by their ids, each let go of when its request has ended.

import type { Id } from "./wire.ts";

/** A place for values; ids that were let go of are given out again. */
export class Table {
  readonly values: unknown[] = [];
  readonly #free: Id[] = [];

  keep(value: unknown): Id {
    const id = this.#free.pop() ?? this.values.length;
    this.values[id] = value;
    return id;
  }

  release(id: Id): unknown {
    const value = this.values[id];
    this.values[id] = undefined;
    this.#free.push(id);
    return value;
  }
}
