// Header fields: WHATWG's `Headers`, which make one field of several of a name, and yet send each as it was said.

/** What header fields are made of. */
export type FieldsInit = Headers | Record<string, string> | readonly (readonly [string, string])[];

/** `Headers` that know their fields one by one. */
export interface Fields extends Headers {
  /** Each field. */
  flat(): string[];
}

/** Names and values. */
export function pairs(init: FieldsInit = []): [string, string][] {
  return (Symbol.iterator in init ? [...init] : Object.entries(init)) as [string, string][];
}

// Not a class that is exported: libraries of types differ in whether the methods of `Headers` are methods.
export const Fields: {
  new (init?: FieldsInit): Fields;
  fromFlat(flat: string[]): Fields;
} = class extends Headers implements Fields {
  #all: [string, string][] = [];

  constructor(init: FieldsInit = []) {
    super();
    for (const [name, value] of #all in init ? init.#all : pairs(init)) this.append(name, value);
  }

  static fromFlat(flat: string[]): Fields {
    const fields = new Fields();
    for (let at = 0; at < flat.length; at += 2) fields.append(flat[at] as string, flat[at + 1] as string);
    return fields;
  }

  override append(name: string, value: string): void {
    super.append(name, value);
    this.#all.push([name.toLowerCase(), String(value)]);
  }

  override set(name: string, value: string): void {
    this.delete(name);
    this.append(name, value);
  }

  override delete(name: string): void {
    super.delete(name);
    this.#all = this.#all.filter(([each]) => each !== name.toLowerCase());
  }

  flat(): string[] {
    return this.#all.flat();
  }
};
