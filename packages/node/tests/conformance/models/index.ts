// The corpus's body models, written natively in each library.

import type { AnySchema } from "@spikard/node";
import { Type } from "typebox";
import * as z from "zod";
import { models as ofTypebox } from "./typebox.ts";
import { listed, models as ofValibot } from "./valibot.ts";
import { models as ofZod } from "./zod.ts";

type Models = Record<string, AnySchema>;

const LIBRARIES: Record<string, { models: Models; list: (name: string) => AnySchema }> = {
  zod: { models: ofZod, list: (name) => z.array(ofZod[name] as z.ZodType) },
  valibot: { models: ofValibot, list: (name) => listed[name] as AnySchema },
  typebox: { models: ofTypebox, list: (name) => Type.Array((ofTypebox as Record<string, Type.TSchema>)[name]!) },
};

/** Every library that can write all of these models. */
export function writing(names: string[]): string[] {
  return Object.keys(LIBRARIES).filter((library) => names.every((name) => name in LIBRARIES[library]!.models));
}

/** The model of this name in this library, or a list of it. */
export function native(library: string, name: string, isList: boolean): AnySchema {
  const { models, list } = LIBRARIES[library]!;
  return isList ? list(name) : models[name]!;
}
