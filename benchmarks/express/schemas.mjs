// What is read from requests, in Zod.

import * as z from "zod";

export const Item = z.object({ name: z.string(), description: z.string(), price: z.number(), quantity: z.int() });
const Address = z.object({ street: z.string(), city: z.string(), postcode: z.string(), country: z.string() });
const Customer = z.object({ name: z.string(), email: z.string(), address: Address });
const Line = z.object({
  sku: z.string(),
  title: z.string(),
  quantity: z.int(),
  price: z.number(),
  discount: z.number().nullable(),
  tags: z.array(z.string()),
});
export const Order = z.object({
  id: z.int(),
  reference: z.string(),
  paid: z.boolean(),
  customer: Customer,
  lines: z.array(Line),
  note: z.string(),
});
export const Batch = z.object({ source: z.string(), orders: z.array(Order) });

// Texts of paths, queries and forms.
const integer = z.coerce.number().int();
const number = z.coerce.number();
const truth = z.stringbool();

export const Person = z.object({ username: z.string(), email: z.string(), age: integer, subscribed: truth });
export const Value = z.object({ value: z.string() });
export const Whole = z.object({ value: integer });
export const Place = z.object({ shop: z.string(), user: integer, order: integer });
export const Few = z.object({ q: z.string(), page: integer, active: truth });
export const Medium = Few.extend({
  limit: integer,
  minimum: number,
  maximum: number,
  sort: z.string(),
  descending: truth,
});
export const Many = Medium.extend({
  category: z.string(),
  brand: z.string(),
  colour: z.string(),
  country: z.string(),
  year: integer,
  rating: number,
  stock: integer,
  sale: truth,
});
export const Profile = Many.extend({ email: z.string(), subscribed: truth });
