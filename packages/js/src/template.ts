// Path templates: what their names are, and their types.

type Converted = { int: number; float: number; bool: boolean };

type Named<P extends string> = P extends `${infer Name}:${infer Converter}`
  ? { [K in Name]: Converter extends keyof Converted ? Converted[Converter] : string }
  : { [K in P]: string };

type Segments<P extends string> = P extends `${infer Head}/${infer Tail}` ? Head | Segments<Tail> : P;

type Colons<S extends string> = S extends `:${infer Name}` ? { [K in Name]: string } : never;

type Braces<P extends string> = P extends `${string}{${infer Inner}}${infer Tail}`
  ? Named<Inner> & Braces<Tail>
  : unknown;

type Both<U> = (U extends unknown ? (each: U) => void : never) extends (all: infer All) => void ? All : never;

/** The parameters of `/users/{id:int}` or `/users/:id`, as a handler gets them. */
export type PathParams<P extends string> = Flat<Braces<P> & Both<Colons<Segments<P>>>>;

type Flat<T> = { [K in keyof T]: T[K] };

/** `/users/:id` in the form that the engine reads. */
export function braced(path: string): string {
  return path.replace(/(^|\/):([A-Za-z_]\w*)(?=\/|$)/g, "$1{$2}");
}

/** The parameters of a template in braces. What their converters read, the engine knows. */
export function named(path: string): string[] {
  return [...path.matchAll(/\{\{|\}\}|\{([^{}:]*)[^{}]*\}/g)].flatMap(([, name]) => name ?? []);
}
