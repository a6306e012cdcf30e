// The cookies that a test client keeps.

interface Cookie {
  name: string;
  value: string;
  path: string;
  ends: number;
}

type Pair = [string, string];

/** Cookies by name; which of them a request sends follows from their path and age. */
export class Cookies implements Iterable<[name: string, value: string]> {
  #kept: Cookie[] = [];

  set(name: string, value: string, path = "/"): void {
    this.#keep({ name, value, path, ends: Number.POSITIVE_INFINITY });
  }

  get(name: string): string | undefined {
    return new Map(this).get(name);
  }

  /** Forgets every cookie of this name. */
  delete(name: string): void {
    this.#kept = this.#kept.filter((cookie) => cookie.name !== name);
  }

  clear(): void {
    this.#kept = [];
  }

  *[Symbol.iterator](): Iterator<[string, string]> {
    for (const { name, value, ends } of this.#kept) if (ends > Date.now()) yield [name, value];
  }

  /** Those for a path, as a request sends them. */
  sent(asked: string): string[] {
    const fits = ({ path, ends }: Cookie) => ends > Date.now() && isBelow(asked, path);
    return this.#kept.filter(fits).map(({ name, value }) => `${name}=${value}`);
  }

  /** Keeps what a response to a path sets (RFC 6265, section 5.3); there is one host, whatever `Domain` says. */
  extract(asked: string, fields: readonly string[]): void {
    for (const field of fields) {
      const [[name, value], ...attributes] = field.split(";").map(pair) as [Pair, ...Pair[]];
      const said = new Map(attributes.map(([attribute, words]) => [attribute.toLowerCase(), words]));
      const { path = "", "max-age": age, expires = "" } = Object.fromEntries(said);
      const ends = age ? Date.now() + Number(age) * 1000 : Date.parse(expires);
      const folder = asked.slice(0, asked.lastIndexOf("/")) || "/";
      this.#keep({
        name,
        value,
        path: path.startsWith("/") ? path : folder,
        ends: Number.isNaN(ends) ? Infinity : ends,
      });
    }
  }

  /** Longer paths go first. */
  #keep(made: Cookie): void {
    this.#kept = [...this.#kept.filter(({ name, path }) => name !== made.name || path !== made.path), made];
    this.#kept.sort((one, other) => other.path.length - one.path.length);
  }
}

function pair(text: string): Pair {
  const at = text.includes("=") ? text.indexOf("=") : text.length;
  return [text.slice(0, at).trim(), text.slice(at + 1).trim()];
}

function isBelow(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder.endsWith("/") ? folder : `${folder}/`);
}
