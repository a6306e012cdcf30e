// Schemas of every library as JSON Schema, and what TypeScript infers from them.

import { said } from "./errors.ts";

/** A JSON Schema as it is written. */
export type JsonSchema = object | boolean;

interface StandardProps<Output> {
  readonly vendor: string;
  readonly types?: { readonly input: unknown; readonly output: Output } | undefined;
  readonly validate?: (value: unknown) => Result<Output> | Promise<Result<Output>>;
  readonly jsonSchema?: { input(options: object): Record<string, unknown> };
}

/** A schema of Zod 4, ArkType, Valibot (with `toStandardJsonSchema`) or whatever follows Standard Schema. */
export interface StandardSchema<Output = unknown> {
  readonly "~standard": StandardProps<Output>;
}

/** What a library says of a value. */
export type Result<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly Issue[] };

/** One refusal of a library. */
export interface Issue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

/** A schema of any kind. */
export type AnySchema = StandardSchema | JsonSchema;

/** What a handler gets of a value that the schema accepts. */
export type Infer<S> = S extends { readonly "~standard": { readonly types?: infer T } }
  ? NonNullable<T> extends { readonly output: infer Output }
    ? Output
    : unknown
  : S extends { readonly static: infer T }
    ? T
    : FromJson<S>;

/** What a JSON Schema accepts, as far as its type tells. */
export type FromJson<S> = S extends { readonly const: infer C }
  ? C
  : S extends { readonly enum: readonly (infer E)[] }
    ? E
    : S extends { readonly anyOf: readonly (infer M)[] } | { readonly oneOf: readonly (infer M)[] }
      ? FromJson<M>
      : S extends { readonly contentMediaType: string }
        ? import("./upload.ts").UploadFile
        : S extends { readonly type: infer T }
          ? OfType<T extends readonly (infer Each)[] ? Each : T, S>
          : unknown;

type Scalars = { string: string; integer: number; number: number; boolean: boolean; null: null };

type OfType<T, S> = T extends keyof Scalars
  ? [T, S] extends ["string", { readonly format: "binary" }]
    ? Uint8Array
    : Scalars[T]
  : T extends "array"
    ? S extends { readonly prefixItems: infer P }
      ? { -readonly [K in keyof P]: FromJson<P[K]> }
      : S extends { readonly items: infer I }
        ? FromJson<I>[]
        : unknown[]
    : T extends "object"
      ? S extends { readonly properties: infer P }
        ? Members<P, S extends { readonly required: readonly (infer R)[] } ? R : never>
        : Record<string, unknown>
      : unknown;

type Given<P, R> = {
  [K in keyof P]: K extends R ? K : P[K] extends { readonly default: unknown } ? K : never;
}[keyof P];

/** Members that are required, or have a default, are there. */
type Members<P, R> = Flat<
  { -readonly [K in Given<P, R>]: FromJson<P[K]> } & { -readonly [K in Exclude<keyof P, Given<P, R>>]?: FromJson<P[K]> }
>;

type Flat<T> = { [K in keyof T]: T[K] };

/** A library refused a value. */
export class Refused extends Error {
  constructor(readonly issues: readonly Issue[]) {
    super(issues[0]?.message ?? "the value was refused");
  }
}

/** A schema as JSON Schema, and what makes the library's own value of what that accepts. */
export interface Read {
  readonly schema: Record<string, unknown> | boolean;
  readonly decode?: (value: unknown) => unknown;
}

const FILE = { type: "string", contentMediaType: "application/octet-stream" };

/** What Zod, or Valibot, is told: what JSON Schema cannot say is for the library alone to judge. */
const LENIENT = {
  unrepresentable: "any",
  errorMode: "ignore",
  overrideSchema: ({ valibotSchema }: { valibotSchema: { type: string } }) =>
    valibotSchema.type === "file" ? FILE : undefined,
};
const OPTIONS = { target: "draft-2020-12", libraryOptions: LENIENT };

/** What makes a library's schemas tell theirs. */
const TELLING: Record<string, string> = {
  valibot: ": wrap it in toStandardJsonSchema of @valibot/to-json-schema",
  zod: ": those of Zod 4.2 and newer do",
};

/** Reads a schema of any kind. */
export function readSchema(schema: AnySchema): Read {
  if (typeof schema === "boolean") return { schema };
  const standard = standardOf(schema);
  if (!standard) return { schema: asWritten(schema) };
  if (!standard.jsonSchema) throw silent(standard.vendor);
  const written = plain(standard.jsonSchema.input(OPTIONS)) as Record<string, unknown>;
  const { validate } = standard;
  return validate ? { schema: written, decode: (value) => decoded(validate(value)) } : { schema: written };
}

function standardOf(schema: unknown): StandardProps<unknown> | undefined {
  return (Object(schema) as Partial<StandardSchema>)["~standard"];
}

function silent(vendor: string): TypeError {
  return new TypeError(`the ${vendor} schema tells no JSON Schema${TELLING[vendor] ?? ""}`);
}

/** JSON Schema. What cannot be part of one is a slip: nothing would be judged by it. */
function asWritten(schema: unknown): Record<string, unknown> {
  if (typeof schema === "function") throw new TypeError("expected a schema, got a function: was it to be called?");
  if (typeof schema !== "object" || schema === null) throw new TypeError(`expected a schema, got ${said(schema)}`);
  if ("_def" in schema) throw silent("zod");
  const text = JSON.stringify(schema, (name, value: unknown) => {
    const vendor = standardOf(value)?.vendor;
    if (vendor)
      throw new TypeError(`${said(name)} is a schema of ${vendor}, and stands in none: let ${vendor} say it all`);
    if (typeof value !== "function") return value;
    throw new TypeError(`expected a schema, but ${said(name)} is a function: was it to be called?`);
  });
  return JSON.parse(text) as Record<string, unknown>;
}

/** Reads JSON before any other code sees it. Why a text is none, the core says. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Refused([]);
  }
}

function decoded(result: Result<unknown> | Promise<Result<unknown>>): unknown {
  if (result instanceof Promise) throw new TypeError("a schema with asynchronous checks cannot read a request");
  if (result.issues) throw new Refused(result.issues);
  return result.value;
}

/**
 * What a library adds for its own sake goes: a format's pattern, which the format says, and the bounds of exact numbers. Of a
 * file it is the library that judges size and type.
 */
function plain(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(plain);
  if (typeof node !== "object" || node === null) return node;
  if ("contentEncoding" in node && node.contentEncoding === "binary") return FILE;
  const members = Object.entries(node).filter(([name, value]) => {
    if (name === "pattern") return !("format" in node);
    if (name === "minimum") return value !== Number.MIN_SAFE_INTEGER;
    if (name === "maximum") return value !== Number.MAX_SAFE_INTEGER;
    return name !== "$schema";
  });
  return Object.fromEntries(members.map(([name, value]) => [name, name === "default" ? value : plain(value)]));
}
