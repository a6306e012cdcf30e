// The corpus's body models in TypeBox, those without defaults and literals: JSON Schema tells a default and fills nothing
// in, and a refused `const` has a word of its own.

import { Type } from "typebox";

const text = Type.String();
const integer = Type.Integer();
const Color = Type.Enum(["red", "green"]);

export const models = {
  Strict: Type.Object(
    { name: text, age: Type.Integer({ minimum: 0, exclusiveMaximum: 150 }) },
    { additionalProperties: false },
  ),
  Scalars: Type.Object({ text, count: integer, ratio: Type.Number(), flag: Type.Boolean() }),
  Point: Type.Object({ x: Type.Number(), y: Type.Number() }),
  Bounds: Type.Object({
    at_least: Type.Integer({ minimum: 1 }),
    above: Type.Integer({ exclusiveMinimum: 1 }),
    at_most: Type.Number({ maximum: 10 }),
    below: Type.Number({ exclusiveMaximum: 10 }),
    step: Type.Integer({ multipleOf: 3 }),
  }),
  Lengths: Type.Object({
    code: Type.String({ minLength: 3, maxLength: 5 }),
    slug: Type.String({ pattern: "^[a-z]+(-[a-z]+)*$" }),
    tags: Type.Array(Type.String({ minLength: 2 }), { minItems: 1, maxItems: 3 }),
  }),
  Matrix: Type.Object({ rows: Type.Array(Type.Array(integer, { minItems: 2, maxItems: 2 }), { maxItems: 3 }) }),
  Event: Type.Object({
    id: Type.String({ format: "uuid" }),
    kind: Color,
    at: Type.String({ format: "date-time" }),
    payload: Type.Record(text, Type.Unknown()),
  }),
  Company: Type.Object({
    name: text,
    departments: Type.Array(
      Type.Object({
        title: text,
        employees: Type.Array(
          Type.Object({ name: Type.String({ minLength: 1 }), skills: Type.Array(text, { minItems: 1 }) }),
        ),
      }),
    ),
  }),
  Empty: Type.Object({}),
};
