// The corpus's body models in Zod.

import * as z from "zod";

const text = z.string();
// Numbers beyond the exact ones too: what the corpus tells of them is compared as numbers.
const integer = z.number().refine(Number.isInteger).meta({ type: "integer" });
const at = z.iso.datetime({ offset: true });
const file = z.file();

const Address = z
  .object({ street: text, zip: text.min(4).max(6).regex(/^\d+$/), country: z.enum(["de", "fr"]).default("de") })
  .meta({ id: "Address" });
const Item = z
  .object({ sku: text.min(1), qty: integer.min(1).max(99), price: z.number().gt(0), tags: z.array(text).default([]) })
  .meta({ id: "Item" });
const Color = z.enum(["red", "green"]).meta({ id: "Color" });
const Level = z
  .union([z.literal(1), z.literal(2)])
  .meta({ id: "Level", type: "integer", enum: [1, 2], anyOf: undefined });
const Cat = z.object({ kind: z.literal("cat"), lives: integer }).meta({ id: "Cat" });
const Dog = z.object({ kind: z.literal("dog"), barks: z.boolean() }).meta({ id: "Dog" });
const Tree = z
  .object({
    value: integer,
    get children() {
      return z.array(Tree).default([]);
    },
  })
  .meta({ id: "Node" });
const Employee = z.object({ name: text.min(1), skills: z.array(text).min(1) }).meta({ id: "Employee" });
const Department = z.object({ title: text, employees: z.array(Employee) }).meta({ id: "Department" });
const distinct = z
  .array(integer)
  .transform((items) => [...new Set(items)])
  .meta({ uniqueItems: true });

export const models: Record<string, z.ZodType> = {
  Address,
  Item,
  Order: z.object({
    id: integer,
    customer: text,
    address: Address,
    items: z.array(Item).min(1).max(5),
    note: text.max(10).nullable().default(null),
    paid: z.boolean().default(false),
  }),
  Strict: z.strictObject({ name: text, age: integer.min(0).lt(150) }),
  Times: z.object({
    at,
    day: z.iso.date(),
    hour: z.iso.time().meta({ format: "time" }),
    id: z.guid(),
    wait: z.iso.duration().nullable().default(null),
  }),
  Kinds: z.object({
    color: Color,
    level: Level,
    mode: z.literal(["r", "w", 3]),
    flag: z.boolean(),
    ratio: z.number().multipleOf(0.5),
    step: integer.multipleOf(5),
  }),
  Maps: z.object({
    counts: z.record(text, integer),
    nested: z.record(text, Address).default({}),
    pair: z.tuple([integer, text]),
    uniq: distinct.default([]),
  }),
  Owner: z.object({
    pet: z.discriminatedUnion("kind", [Cat, Dog]).meta({
      discriminator: { propertyName: "kind", mapping: { cat: "#/$defs/Cat", dog: "#/$defs/Dog" } },
    }),
  }),
  Node: Tree,
  Scalars: z.object({ text, count: integer, ratio: z.number(), flag: z.boolean() }),
  Point: z.object({ x: z.number(), y: z.number() }),
  Optionals: z.object({
    required_or_null: integer.nullable(),
    text: text.nullable().default(null),
    count: integer.default(3),
    ratio: z.number().default(1.5),
    flag: z.boolean().default(true),
    tags: z.array(text).default([]),
  }),
  Patch: z.object({
    name: text.min(1).nullable().default(null),
    age: integer.min(0).nullable().default(null),
    email: text.nullable().default(null),
  }),
  Money: z.object({
    amount: z
      .union([text.regex(/^[+-]?\d+(\.\d+)?$/), z.number()])
      .transform(String)
      .meta({ type: "string", format: "decimal", anyOf: undefined }),
    currency: z.enum(["EUR", "USD"]),
  }),
  Bounds: z.object({
    at_least: integer.min(1),
    above: integer.gt(1),
    at_most: z.number().max(10),
    below: z.number().lt(10),
    step: integer.multipleOf(3),
  }),
  Lengths: z.object({
    code: text.min(3).max(5),
    slug: text.regex(/^[a-z]+(-[a-z]+)*$/),
    tags: z.array(text.min(2)).min(1).max(3),
  }),
  Matrix: z.object({ rows: z.array(z.array(integer).length(2)).max(3) }),
  Either: z.object({ value: z.union([integer, text]), other: z.union([z.number(), z.boolean(), z.null()]) }),
  Reserved: z.object({ class: text, "from-date": z.iso.date(), "x.y": integer.default(0) }),
  Camel: z.object({ firstName: text.min(1), lastName: text, yearOfBirth: integer.nullable().default(null) }),
  Event: z.object({ id: z.guid(), kind: Color, at, payload: z.record(text, z.unknown()) }),
  Company: z.object({ name: text, departments: z.array(Department) }),
  Anything: z.object({ value: z.unknown(), note: text.default("") }),
  Empty: z.object({}),
  Version: z.object({ version: z.literal(1), kind: z.literal("config") }),
  Credentials: z.object({ username: text.min(1), password: text.min(8), remember: z.boolean().default(false) }),
  Search: z.object({
    q: text,
    page: integer.min(1).default(1),
    tags: z.array(text).default([]),
    since: z.iso.date().nullable().default(null),
    exact: z.boolean().default(false),
  }),
  Pair: z.tuple([integer, text]),
  Attachment: z.object({ title: text, file }),
  Gallery: z.object({ owner: integer, cover: file.nullable().default(null), pictures: z.array(file).default([]) }),
};
