// The corpus's body models in Valibot, those that it can write: it has no duration, counts a text in
// units of UTF-16, and takes a list for a record.

import { toStandardJsonSchema } from "@valibot/to-json-schema";
import * as v from "valibot";

const text = v.string();
const integer = v.pipe(v.number(), v.integer());
const tags = v.optional(v.array(text), []);
const named = v.pipe(text, v.minLength(1));

const file = v.file();
const Address = v.object({
  street: text,
  zip: v.pipe(text, v.minLength(4), v.maxLength(6), v.regex(/^\d+$/)),
  country: v.optional(v.picklist(["de", "fr"]), "de"),
});
const Item = v.object({
  sku: named,
  qty: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(99)),
  price: v.pipe(v.number(), v.gtValue(0)),
  tags,
});
const Employee = v.object({ name: named, skills: v.pipe(v.array(text), v.minLength(1)) });
const Department = v.object({ title: text, employees: v.array(Employee) });

const written = {
  Address,
  Item,
  Order: v.object({
    id: integer,
    customer: text,
    address: Address,
    items: v.pipe(v.array(Item), v.minLength(1), v.maxLength(5)),
    note: v.optional(v.nullable(v.pipe(text, v.maxLength(10))), null),
    paid: v.optional(v.boolean(), false),
  }),
  Strict: v.strictObject({ name: text, age: v.pipe(v.number(), v.integer(), v.minValue(0), v.ltValue(150)) }),
  Scalars: v.object({ text, count: integer, ratio: v.number(), flag: v.boolean() }),
  Point: v.object({ x: v.number(), y: v.number() }),
  Optionals: v.object({
    required_or_null: v.nullable(integer),
    text: v.optional(v.nullable(text), null),
    count: v.optional(integer, 3),
    ratio: v.optional(v.number(), 1.5),
    flag: v.optional(v.boolean(), true),
    tags,
  }),
  Patch: v.object({
    name: v.optional(v.nullable(named), null),
    age: v.optional(v.nullable(v.pipe(v.number(), v.integer(), v.minValue(0))), null),
    email: v.optional(v.nullable(text), null),
  }),
  Bounds: v.object({
    at_least: v.pipe(v.number(), v.integer(), v.minValue(1)),
    above: v.pipe(v.number(), v.integer(), v.gtValue(1)),
    at_most: v.pipe(v.number(), v.maxValue(10)),
    below: v.pipe(v.number(), v.ltValue(10)),
    step: v.pipe(v.number(), v.integer(), v.multipleOf(3)),
  }),
  Matrix: v.object({ rows: v.pipe(v.array(v.pipe(v.array(integer), v.length(2))), v.maxLength(3)) }),
  Either: v.object({ value: v.union([integer, text]), other: v.nullable(v.union([v.number(), v.boolean()])) }),
  Camel: v.object({ firstName: named, lastName: text, yearOfBirth: v.optional(v.nullable(integer), null) }),
  Company: v.object({ name: text, departments: v.array(Department) }),
  Anything: v.object({ value: v.unknown(), note: v.optional(text, "") }),
  Empty: v.object({}),
  Version: v.object({ version: v.literal(1), kind: v.literal("config") }),
  Credentials: v.object({
    username: named,
    password: v.pipe(text, v.minLength(8)),
    remember: v.optional(v.boolean(), false),
  }),
  Attachment: v.object({ title: text, file }),
  Gallery: v.object({
    owner: integer,
    cover: v.optional(v.nullable(file), null),
    pictures: v.optional(v.array(file), []),
  }),
  Search: v.object({
    q: text,
    page: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1)), 1),
    tags,
    since: v.optional(v.nullable(v.pipe(text, v.isoDate())), null),
    exact: v.optional(v.boolean(), false),
  }),
};

export const models = Object.fromEntries(
  Object.entries(written).map(([name, model]) => [name, toStandardJsonSchema(model)]),
);

/** A list of one of them. */
export const listed = Object.fromEntries(
  Object.entries(written).map(([name, model]) => [name, toStandardJsonSchema(v.array(model as v.GenericSchema))]),
);
