// What is read from requests, as JSON Schema.

const text = { type: "string" };
const integer = { type: "integer" };
const number = { type: "number" };
const truth = { type: "boolean" };

/** The schema of an object whose members are all required. */
export const object = (properties) => ({ type: "object", properties, required: Object.keys(properties) });

export const Item = object({ name: text, description: text, price: number, quantity: integer });
const Address = object({ street: text, city: text, postcode: text, country: text });
const Customer = object({ name: text, email: text, address: Address });
const Line = object({
  sku: text,
  title: text,
  quantity: integer,
  price: number,
  discount: { type: ["number", "null"] },
  tags: { type: "array", items: text },
});
export const Order = object({
  id: integer,
  reference: text,
  paid: truth,
  customer: Customer,
  lines: { type: "array", items: Line },
  note: text,
});
export const Batch = object({ source: text, orders: { type: "array", items: Order } });
export const Person = object({ username: text, email: text, age: integer, subscribed: truth });

export const few = { q: text, page: integer, active: truth };
export const medium = { ...few, limit: integer, minimum: number, maximum: number, sort: text, descending: truth };
export const many = {
  ...medium,
  category: text,
  brand: text,
  colour: text,
  country: text,
  year: integer,
  rating: number,
  stock: integer,
  sale: truth,
};
export const Profile = object({ ...many, email: text, subscribed: truth });
