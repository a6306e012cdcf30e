// Header fields: WHATWG's `Headers`, which make one field of several of a name, and yet send each as it was said.

/** Names and values in turn. */
export type Flat = string[];

/** What header fields are made of. */
export type FieldsInit = Headers | Record<string, string> | readonly (readonly [string, string])[];

/** `Headers` that know their fields one by one. */
export interface Fields extends Headers {
  /** Each field. */
  flat(): Flat;
}

interface FieldsMaker {
  new (): Fields;
  fromFlat(flat: Flat): Fields;
  from(init?: FieldsInit): Fields;
}

// Not a class that is exported: libraries of types differ in whether the methods of `Headers` are methods.
export const Fields: FieldsMaker = class extends Headers implements Fields {
  #all: [string, string][] = [];

  static fromFlat(flat: Flat): Fields {
    const fields = new Fields();
    for (let at = 0; at < flat.length; at += 2) fields.append(flat[at] as string, flat[at + 1] as string);
    return fields;
  }

  static from(init: FieldsInit = []): Fields {
    if (init instanceof Fields) return Fields.fromFlat(init.flat());
    const entries = init instanceof Headers || Symbol.iterator in init ? [...init] : Object.entries(init);
    return Fields.fromFlat(entries.flat());
  }

  override append(name: string, value: string): void {
    super.append(name, value);
    this.#all.push([name.toLowerCase(), value]);
  }

  override set(name: string, value: string): void {
    super.set(name, value);
    this.#drop(name);
    this.#all.push([name.toLowerCase(), value]);
  }

  override delete(name: string): void {
    super.delete(name);
    this.#drop(name);
  }

  #drop(name: string): void {
    this.#all = this.#all.filter(([each]) => each !== name.toLowerCase());
  }

  flat(): Flat {
    return this.#all.flat();
  }
};
