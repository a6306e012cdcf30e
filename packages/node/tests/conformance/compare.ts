// What came against what was expected: strictly, with the corpus's few wildcards. JavaScript has one kind of number
// and neither sets, tuples, decimals nor types of time: there both sides are brought to what it can tell.

import type { Answer } from "./doors.ts";
import type { Words } from "./script.ts";

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const SENTENCE = /^[^A-Z].*[^.]$/s;

/** The first difference, in words. */
export function difference(expect: Words, answer: Answer): string | undefined {
  if (answer.status !== expect["status"])
    return `status ${answer.status}, not ${expect["status"]}: ${answer.body.toString().slice(0, 300)}`;
  for (const [name, wanted] of Object.entries(expect["headers"] ?? {})) {
    const found = answer.headers.filter(([key]) => key.toLowerCase() === name).map(([, value]) => value);
    if (!headerFits(wanted, found)) return `header ${name}: ${JSON.stringify(found)}, not ${JSON.stringify(wanted)}`;
  }
  if ("closed" in expect && answer.closed !== expect["closed"])
    return `the connection is ${answer.closed ? "closed" : "open"}`;
  for (const [place, wanted] of (expect["then"] ?? []).entries()) {
    const further = difference(wanted, answer.then?.[place] as Answer);
    if (further) return `a further answer: ${further}`;
  }
  return bodyDifference(expect, answer.body);
}

function headerFits(wanted: unknown, found: string[]): boolean {
  if (wanted === "<<any>>") return true;
  if (wanted === "<<absent>>") return found.length === 0;
  if (wanted === "<<present>>") return found.length > 0;
  if (wanted === "<<uuid>>") return found.length === 1 && UUID.test(found[0] as string);
  return JSON.stringify(found) === JSON.stringify(Array.isArray(wanted) ? wanted : [wanted]);
}

function bodyDifference(expect: Words, body: Buffer): string | undefined {
  const shown = body.toString().slice(0, 300);
  if ("body_text" in expect)
    return body.toString() === expect["body_text"] ? undefined : `body ${shown}, not ${expect["body_text"]}`;
  if ("body_base64" in expect) return body.toString("base64") === expect["body_base64"] ? undefined : `body ${shown}`;
  if (!("body" in expect || "body_schema" in expect)) return undefined;
  let sent: unknown;
  try {
    sent = JSON.parse(body.toString());
  } catch {
    return `the body is no JSON: ${shown}`;
  }
  return "body" in expect
    ? valueDifference(expect["body"], sent, "body")
    : schemaDifference(expect["body_schema"], sent, "body");
}

/** The first difference of two values. */
function valueDifference(wanted: unknown, found: unknown, place: string): string | undefined {
  const differs = `${place}: ${JSON.stringify(found)}, not ${JSON.stringify(wanted)}`;
  if (typeof wanted === "string" && wanted.startsWith("<<")) {
    if (wanted === "<<any>>") return undefined;
    const pattern = wanted === "<<uuid>>" ? UUID : SENTENCE;
    return typeof found === "string" && pattern.test(found) ? undefined : differs;
  }
  if (Array.isArray(wanted)) {
    if (!Array.isArray(found) || found.length !== wanted.length) return differs;
    return first(wanted.map((each, at) => valueDifference(each, found[at], `${place}[${at}]`)));
  }
  if (typeof wanted !== "object" || wanted === null) return wanted === found ? undefined : differs;
  const tagged = taggedFits(wanted as Words, found);
  if (tagged !== undefined) return tagged ? undefined : differs;
  if (typeof found !== "object" || found === null || Array.isArray(found)) return differs;
  const [names, sent] = [Object.keys(wanted), Object.keys(found)];
  const missing = names.filter((name) => !sent.includes(name) && (wanted as Words)[name] !== "<<sentence?>>");
  if (missing.length || sent.some((name) => !names.includes(name)))
    return `${place}: members ${sent.sort()}, not ${names.sort()}`;
  return first(
    sent.map((name) => valueDifference((wanted as Words)[name], (found as Words)[name], `${place}.${name}`)),
  );
}

/** Whether a value fits one of a type that the language lacks; undefined for what is no such value. */
function taggedFits(wanted: Words, found: unknown): boolean | undefined {
  const [[tag, value] = ["", undefined], ...others] = Object.entries(wanted);
  if (others.length || !tag.startsWith("$")) return undefined;
  const same = (one: unknown, other: unknown) => valueDifference(one, other, "") === undefined;
  switch (tag) {
    case "$uuid":
      return typeof found === "string" && found.toLowerCase() === value;
    case "$enum":
      return same(value, found);
    case "$date":
      return found === value;
    case "$datetime":
    case "$time":
      return typeof found === "string" && moment(found) === value;
    case "$duration":
      return typeof found === "string" && seconds(found) === value;
    case "$decimal":
      return typeof found === "string" && plainDecimal(found) === value;
    case "$tuple":
      return same(value, found);
    case "$set":
      return (
        Array.isArray(found) &&
        same(
          value,
          found
            .map((each) => JSON.stringify(each))
            .sort()
            .map((each) => JSON.parse(each)),
        )
      );
    default:
      return undefined;
  }
}

/** With seconds, six digits of fraction or none, and UTC as an offset. */
function moment(text: string): string {
  const found = /^(?:(\d{4}-\d\d-\d\d)[Tt ])?(\d\d:\d\d)(?::(\d\d)(?:\.(\d+))?)?([Zz]|[+-]\d\d:?\d\d)?$/.exec(text);
  if (!found) return text;
  const [, day, minutes, whole = "00", fraction = "", offset = ""] = found;
  const digits = fraction.padEnd(6, "0").slice(0, 6);
  const rest = digits === "000000" ? "" : `.${digits}`;
  return `${day ? `${day}T` : ""}${minutes}:${whole}${rest}${/^[Zz]$/.test(offset) ? "+00:00" : offset}`;
}

/** A duration in ISO 8601. */
function seconds(text: string): number {
  const found = /^([+-])?P(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:([\d.]+)S)?)?$/.exec(text);
  const [, sign, ...parts] = found ?? [];
  const total = [604_800, 86_400, 3600, 60, 1].reduce((sum, factor, at) => sum + factor * Number(parts[at] ?? 0), 0);
  return sign === "-" ? -total : total;
}

/** Without exponent and plus sign. */
function plainDecimal(text: string): string {
  const [, sign = "", whole = "", fraction = "", exponent = "0"] =
    /^([+-]?)(\d*)\.?(\d*)(?:[eE]([+-]?\d+))?$/.exec(text) ?? [];
  const [digits, point] = [whole + fraction, whole.length + Number(exponent)];
  const padded =
    point > digits.length ? digits.padEnd(point, "0") : digits.padStart(digits.length - Math.min(point, 0), "0");
  const at = Math.max(point, 0);
  const made = at < padded.length ? `${padded.slice(0, at) || "0"}.${padded.slice(at)}` : padded;
  return `${sign === "-" ? "-" : ""}${made.replace(/^0+(?=\d)/, "")}`;
}

function first(differences: (string | undefined)[]): string | undefined {
  return differences.find((each) => each !== undefined);
}

/** The few keywords that the corpus uses to tell what no case can know. */
function schemaDifference(schema: Words, found: any, place: string): string | undefined {
  const differs = `${place}: ${JSON.stringify(found)} does not meet ${JSON.stringify(schema)}`;
  switch (schema["type"]) {
    case "object": {
      const missing = (schema["required"] ?? []).filter((name: string) => !(name in found));
      if (missing.length) return `${place}: ${missing} missing`;
      const members = Object.entries(found).filter(([name]) => name in (schema["properties"] ?? {}));
      return first(
        members.map(([name, value]) => schemaDifference(schema["properties"][name], value, `${place}.${name}`)),
      );
    }
    case "array": {
      const { minItems = 0, maxItems = Number.POSITIVE_INFINITY } = schema;
      return Array.isArray(found) && found.length >= minItems && found.length <= maxItems ? undefined : differs;
    }
    case "string": {
      const { minLength = 0, maxLength = Number.POSITIVE_INFINITY, pattern = "" } = schema;
      if (typeof found !== "string" || found.length < minLength || found.length > maxLength) return differs;
      return new RegExp(pattern).test(found) ? undefined : differs;
    }
    default: {
      const fits = schema["const"] === undefined || schema["const"] === found;
      const kind = schema["type"] === "integer" ? "number" : schema["type"];
      return fits && (kind === undefined || typeof found === kind) ? undefined : differs;
    }
  }
}
