// A case's app, built through the public DSL; its models written natively.

import { type JsonSchema, type RouteOptions, Spikard } from "@spikard/node";
import { addHooks, hooksOf } from "./hook.ts";
import { native, writing } from "./models/index.ts";
import { raised, run, type Scene, type Words, written } from "./script.ts";

const SOURCES = { path: "params", query: "query", header: "headers", cookie: "cookies", body: "fields" } as const;

type Source = (typeof SOURCES)[keyof typeof SOURCES];

/** A parameter of a case: where it comes from, on the wire and for `echo`. */
interface Named {
  source: Source;
  name: string;
  as: string;
  /** Of the rest of a source: what is none of it. */
  fields?: object;
}

/** The schemas of the parameters, one for each source, and what `echo` calls them. */
function parameters(specs: Words[]): { taken: RouteOptions; named: Named[] } {
  const taken: Record<
    string,
    { type: string; properties: Record<string, JsonSchema>; required: string[]; additionalProperties?: boolean }
  > = {};
  const named: Named[] = [];
  for (const spec of specs) {
    const source = SOURCES[spec["in"] as keyof typeof SOURCES];
    taken[source] ??= { type: "object", properties: {}, required: [] };
    const schema = taken[source];
    const { name } = spec;
    if ("rest" in spec) {
      schema.additionalProperties = spec["rest"] === "gathered";
      if (schema.additionalProperties) named.push({ source, name, as: name, fields: schema.properties });
      continue;
    }
    const written: Record<string, unknown> = { ...spec["schema"] };
    if ("default" in spec) written["default"] = spec["default"];
    else if (spec["required"] !== false) schema.required.push(name);
    if ("separator" in spec) written["x-separator"] = spec["separator"];
    if ("also" in spec) written["x-also"] = spec["also"];
    schema.properties[name] = written;
    named.push({ source, name, as: spec["as"] ?? name });
  }
  return { taken, named };
}

/** What user code has received, by the names that `echo` writes. */
function received(context: any, named: Named[], spec: Words): Record<string, unknown> {
  const found: Record<string, unknown> = {};
  for (const { source, name, as, fields } of named) {
    const rest = () => Object.entries(context[source] ?? {}).filter(([sent]) => !Object.hasOwn(fields ?? {}, sent));
    found[as] = fields ? Object.fromEntries(rest()) : context[source]?.[name];
  }
  if (spec["body"]) found["body"] = context.body;
  for (const name of spec["takes"] ?? []) found[name] = context.deps[name];
  if (spec["request"]) found["request"] = context.request;
  return found;
}

function bodyOf(spec: Words, library: string | null): RouteOptions {
  const options: RouteOptions = { bodyKind: spec["kind"] ?? "json-or-form" };
  if (spec["required"] === false) options.bodyOptional = true;
  if (spec["kind"] === "text" || spec["kind"] === "bytes")
    return { bodyOptional: spec["required"] === false, body: spec["kind"] };
  if (!("type" in spec)) return { ...options, body: spec["schema"] };
  return { ...options, body: native(library ?? "", spec["type"], spec["list"] === true) };
}

/** Everything that the case provides. */
function addDependencies(app: Spikard<any>, specs: Words[], scene: Scene): void {
  for (const spec of specs) {
    if ("constant" in spec["provide"]) {
      app.provide(spec["name"], spec["provide"].constant);
      continue;
    }
    const { taken, named } = parameters(spec["parameters"] ?? []);
    const options = {
      ...taken,
      deps: spec["takes"] ?? [],
      needs: spec["needs"] ?? [],
      scope: spec["ends"] === "handler" ? "function" : (spec["scope"] ?? "request"),
      concurrent: "concurrent" in spec,
    };
    let made = 0;
    const value = (context: any) => {
      const [[word, given]] = Object.entries(spec["provide"]) as [[string, any]];
      made += 1;
      if (word === "raise") throw raised(given);
      return word === "count" ? made : written(received(context, named, spec));
    };
    app.provide(
      spec["name"],
      options,
      spec["generator"] ? generator(spec, value, scene) : async (context: any) => value(context),
    );
  }
}

/** A life as a generator. */
function generator(spec: Words, value: (context: any) => unknown, { notes }: Scene) {
  return async function* (context: any) {
    const { name } = spec;
    const made = await value(context);
    notes.push(`open ${name}`);
    try {
      yield made;
    } catch (error) {
      notes.push(`${name} saw it`);
      throw "translate" in spec ? raised(spec["translate"]) : error;
    } finally {
      notes.push(`close ${name}`);
    }
    if ("fails" in spec) throw raised(spec["fails"]);
  };
}

function camel(fields: Words): Words {
  const spelled = (name: string) => name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [spelled(name), value]));
}

/** The app of a case, its models in this library. */
export function build(spec: Words, library: string | null): Spikard<any> {
  const app = new Spikard({ ...camel(spec["config"] ?? {}) });
  const scene: Scene = { notes: [] };
  addHooks(app, spec, scene);
  addDependencies(app, spec["dependencies"] ?? [], scene);
  for (const route of spec["routes"]) {
    const { taken, named } = parameters(route["parameters"] ?? []);
    const options: RouteOptions = {
      ...taken,
      ...camel(route["options"] ?? {}),
      ...(route["body"] ? bodyOf(route["body"], library) : {}),
    };
    if (route["status_code"]) options.status = route["status_code"];
    if (route["response_schema"]) options.responseSchema = route["response_schema"];
    if (route["responses"]) options.responses = route["responses"];
    Object.assign(options, { deps: route["takes"] ?? [], needs: route["needs"] ?? [], hooks: hooksOf(route) });
    const handler = (context: any) =>
      run(route["script"], received(context, named, route), scene, (work) => context.background(work));
    app.route(route["method"], route["path"], options, handler);
  }
  return app;
}

/** Every library that can write all the models of a case; none where there is no model. */
export function libraries(spec: Words): (string | null)[] {
  const bodies = (spec["routes"] as Words[]).map((route) => route["body"]).filter((body) => body !== undefined);
  const models = bodies.filter((body) => "type" in body).map((body) => body["type"] as string);
  if (models.length > 0) return writing(models);
  return bodies.some((body) => "schema" in body) ? ["schema"] : [null];
}
