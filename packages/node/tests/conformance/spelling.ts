// One spelling for schemas that accept the same, each library having its own.

import type { Json, Words } from "./script.ts";

type Spell = (node: Json, open?: string[]) => Json;

/** A whole schema: what is behind a reference in its place, `null` last in a choice, members in one order. */
export function inOneSpelling(whole: Words): Json {
  const definitions: Words = { ...whole["$defs"], "": whole };
  const spell: Spell = (node, open = []) => {
    if (Array.isArray(node)) return node.map((each) => spell(each, open));
    if (typeof node !== "object" || node === null) return node;
    const { $ref, $defs: _, ...members } = node as Words;
    if ($ref === undefined) return written(members, (each) => spell(each, open));
    const name = $ref === "#" ? "" : $ref.replace("#/$defs/", "");
    if (open.includes(name)) return { again: open.length - open.indexOf(name) };
    return spell({ ...definitions[name], ...members }, [...open, name]);
  };
  return spell(whole as Json);
}

function written(members: Words, spell: (node: Json) => Json): Json {
  const made: Words = {};
  for (const [name, value] of Object.entries(plainer(members)).sort(([one], [other]) => (one < other ? -1 : 1)))
    made[name] = name === "default" ? value : spell(value);
  if (made["anyOf"]) made["anyOf"] = nullLast(made["anyOf"].flatMap(choices));
  return made;
}

/** Without what says nothing. */
function plainer({ type, ...members }: Words): Words {
  const { propertyNames, patternProperties, required, items, default: fallback, ...bounds } = members;
  if (Array.isArray(type)) {
    const anyOf = type.map((each) => (each === "null" ? { type: each } : { type: each, items, ...bounds }));
    return { ...("default" in members ? { default: fallback } : {}), anyOf };
  }
  const made: Words = { ...bounds, ...("default" in members ? { default: fallback } : {}) };
  if (type !== undefined && !("const" in members || "enum" in members)) made["type"] = type;
  if (required?.length) made["required"] = required;
  if (items !== undefined && !(items === false && "prefixItems" in members)) made["items"] = items;
  if (propertyNames && JSON.stringify(propertyNames) !== '{"type":"string"}') made["propertyNames"] = propertyNames;
  const ofAll = patternProperties?.["^.*$"];
  if (ofAll) made["additionalProperties"] = ofAll;
  else if (patternProperties) made["patternProperties"] = patternProperties;
  if (JSON.stringify(made["additionalProperties"]) === "{}") delete made["additionalProperties"];
  return made;
}

/** A choice among choices is one. */
function choices(each: Words): Words[] {
  return Object.keys(each).join() === "anyOf" ? each["anyOf"] : [each];
}

function nullLast(all: Words[]): Words[] {
  const isNull = (each: Words) => each["type"] === "null";
  return [...all.filter((each) => !isNull(each)), ...all.filter(isNull)];
}
