// An app as the document that the core reads, and the table of its user code.

import { snake, spelled } from "./config.ts";
import type { Entry } from "./dependencies.ts";
import { HTTPError, within } from "./errors.ts";
import { Fields } from "./fields.ts";
import type { Host } from "./host.ts";
import { Inputs, type Registry } from "./inputs.ts";
import { Request } from "./request.ts";
import { isPair, MadeResponse, Reply, render } from "./response.ts";
import type { ErrorHandler, Hooks, RequestHook, ResponseHook, Route, RouteOptions } from "./router.ts";
import { isIn, PHASES } from "./router.ts";
import { type AnySchema, parseJson, readSchema } from "./schema.ts";
import { Scope } from "./scope.ts";
import { braced, named } from "./template.ts";
import { type Answer, type Id, platform, type Token } from "./wire.ts";

/** What is compiled. */
export interface Source {
  routes: readonly Route[];
  hooks: Hooks;
  provided: ReadonlyMap<string, Entry>;
  classes: readonly [abstract new (...args: never[]) => unknown, ErrorHandler][];
  statuses: ReadonlyMap<number, ErrorHandler>;
  config: Record<string, unknown>;
}

/** An app, ready to be served. */
export interface Compiled {
  document: Record<string, unknown>;
  callables(host: Host): unknown[];
  statuses: number[];
  /** The routes by their names in messages, and where each was registered; and what stands where in the document. */
  places: ReadonlyMap<string, string>;
}

type Made = (host: Host) => unknown;

/** Compiles an app; whether it holds together is for the core to say. */
export function compile(source: Source, call: Record<string, unknown> = {}): Compiled {
  const table: Made[] = [];
  const statuses: number[] = [];
  const registry: Registry = {
    add: (make, status = 200) => {
      statuses.push(status);
      return table.push(make) - 1;
    },
    constant: (name) => {
      const entry = source.provided.get(name);
      return entry && !entry.make ? { value: entry.value } : undefined;
    },
  };
  const plainJson = registry.add(() => parseJson);
  const made = [...source.provided].filter(([, entry]) => entry.make);
  const isPlain = !isHooked([source.hooks]) && source.classes.length + source.statuses.size === 0;
  const document = {
    routes: source.routes.map((route) =>
      within(placeOf(route), () => compileRoute(route, registry, plainJson, isPlain)),
    ),
    hooks: hooksOf([source.hooks], registry),
    dependencies: made.map((each) => within(dependencyNamed(each), () => dependency(each, registry))),
    recover: recover(source, registry),
    config: layers(source.config, call),
  };
  const places = new Map([
    ...source.routes.flatMap((route, at) =>
      [nameOf(route), `routes[${at}]`].map((key) => [key, placeOf(route)] as const),
    ),
    ...made.map((each, at) => [`dependencies[${at}]`, dependencyNamed(each)] as const),
  ]);
  return { document, callables: (host) => table.map((make) => make(host)), statuses, places };
}

function nameOf({ method, path }: Route): string {
  return `${method} ${braced(path)}`;
}

function dependencyNamed([name]: [string, Entry]): string {
  return `the dependency ${JSON.stringify(name)}`;
}

function placeOf(route: Route): string {
  return [route.place, nameOf(route)].filter(Boolean).join(": ");
}

/** What configuration, call and environment say. */
export function layers(given: Record<string, unknown>, call: Record<string, unknown>): Record<string, unknown> {
  const env = Object.entries(platform().env()).filter(([name]) => name.startsWith("SPIKARD_"));
  return { call: snake(call), given: snake(given), env: Object.fromEntries(env) };
}

function compileRoute(route: Route, registry: Registry, plainJson: number, isPlain: boolean): Record<string, unknown> {
  const { options } = route;
  const hooks = [...route.hooks, options.hooks ?? {}];
  const path = braced(route.path);
  const inputs = new Inputs(options, named(path), registry);
  const body = bodyOf(options, registry, plainJson);
  if (body) inputs.takeBody();
  inputs.takeRequest();
  const handler = route.handler as (context: unknown) => unknown;
  const isAlone = isPlain && !isHooked(hooks) && [options.deps, options.needs].flat().every((name) => !name);
  const made: Made = (host) => handlerOf(host, inputs, handler, isAlone, options.status);
  const { response = options.responseSchema, responses } = options;
  return {
    method: route.method,
    path,
    handler: registry.add(made, options.status),
    parameters: inputs.parameters,
    arguments: inputs.arguments,
    dependencies: options.needs ?? [],
    hooks: hooksOf(hooks, registry),
    options: optionsOf(options),
    body,
    response_schema: response === undefined ? response : written("response", response),
    filters_response: options.response !== undefined,
    responses: responses && byStatus(responses),
  };
}

function written(place: string, schema: AnySchema) {
  return within(place, () => readSchema(schema)).schema;
}

type Handling = (context: unknown) => unknown;

/** What other answers hold. */
function byStatus(responses: Readonly<Record<number, AnySchema>>): Record<string, unknown> {
  const read = (status: string, given: AnySchema) => ({ schema: written(`responses ${status}`, given) });
  return Object.fromEntries(Object.entries(responses).map(([status, given]) => [status, read(status, given)]));
}

/** `isAlone`: it is all the user code of its requests, and shares its scope with nobody. */
function handlerOf(host: Host, inputs: Inputs, handler: Handling, isAlone: boolean, status?: number) {
  return (token: Token, ...args: unknown[]): Answer =>
    host.answered(
      token,
      () => handler(inputs.context(host, token, args)),
      (result) => render(host, token, isBare(result, status) ? new Reply() : result),
      isAlone ? new Scope(host, token) : undefined,
    );
}

function isHooked(all: Partial<Hooks>[]): boolean {
  return all.some((each) => PHASES.some((phase) => each[phase]?.length));
}

/** Nothing, where the route's status has no content. */
function isBare(result: unknown, status: number | undefined): boolean {
  return isNothing(result) && (status === 204 || status === 304);
}

function isNothing(result: unknown): result is null | undefined {
  return result === undefined || result === null;
}

function bodyOf(options: RouteOptions, registry: Registry, plainJson: number): Record<string, unknown> | undefined {
  const { body, bodyKind: kind = "json-or-form" } = options;
  if (body === undefined) return undefined;
  const required = !options.bodyOptional;
  if (body === "text" || body === "bytes") return { kind: body, required };
  const { schema, decode } = within("body", () => readSchema(body));
  const document = { schema, kind, required, strict_decoder: true };
  if (!decode) return { ...document, reading: "json-schema", decoder: plainJson };
  const decoder = registry.add(() => (text: string) => decode(parseJson(text)));
  return { ...document, reading: "typed", decoder, value_decoder: registry.add(() => decode) };
}

const OPTIONS = ["maxBodySize", "timeout", "cancelOnDisconnect", "assertFormats"] as const;

function optionsOf(options: RouteOptions): Record<string, unknown> {
  return snake(Object.fromEntries(OPTIONS.map((name) => [name, options[name]])));
}

function hooksOf(all: Partial<Hooks>[], registry: Registry): Record<string, number[]> {
  const added = (phase: keyof Hooks) => {
    const made = (isIn(phase) ? before : after) as (host: Host, hook: RequestHook | ResponseHook) => unknown;
    const hooks = all.flatMap((each): readonly (RequestHook | ResponseHook)[] => each[phase] ?? []);
    return hooks.map((hook) => registry.add((host) => made(host, hook)));
  };
  return Object.fromEntries(PHASES.map((phase) => [spelled(phase), added(phase)]));
}

function before(host: Host, hook: RequestHook) {
  return (token: Token): Answer => {
    const finish = (result: unknown): Answer => {
      if (!isNothing(result) && !(result instanceof Request)) return render(host, token, saidByHook(result), 200);
      host.request(token).writeBack();
      return null;
    };
    return host.answered(token, () => hook(host.request(token)), finish);
  };
}

function after(host: Host, hook: ResponseHook) {
  return (token: Token, status: number, fields: string[], body: Uint8Array | null): Answer => {
    const made = new MadeResponse(status, fields, body);
    const finish = (result: unknown): Answer =>
      isNothing(result) || result === made ? made.changed(host) : render(host, token, saidByHook(result), status);
    // It is not made for a hook that takes the response alone; one of none may take them all.
    const request = () => (hook.length === 1 ? (undefined as never) : host.request(token));
    return host.answered(token, () => hook(made, request()), finish);
  };
}

/** An answer is meant as one: what an arrow function happens to return is none. */
function saidByHook(result: unknown): unknown {
  if (result instanceof Reply || result instanceof Response || isPair(result)) return result;
  throw new TypeError(`a hook answers with a Reply, a Response or [body, status], got ${typeof result}`);
}

function dependency([name, entry]: [string, Entry], registry: Registry): Record<string, unknown> {
  const { options, make } = entry;
  const inputs = new Inputs(options, [], registry);
  if (options.scope !== "singleton") inputs.takeRequest();
  const isGenerator = /^(Async)?GeneratorFunction$/.test(make?.constructor.name ?? "");
  const made: Made = (host) => providerOf(host, inputs, make as (context: unknown) => unknown, isGenerator);
  return {
    name,
    provider: registry.add(made),
    parameters: inputs.parameters,
    arguments: inputs.arguments,
    dependencies: options.needs ?? [],
    generator: isGenerator,
    scope: options.scope === "function" ? "request" : (options.scope ?? "request"),
    ends: options.scope === "function" ? "handler" : "response",
    concurrent: options.concurrent ?? false,
  };
}

function providerOf(host: Host, inputs: Inputs, make: (context: unknown) => unknown, isGenerator: boolean) {
  return (token: Token, ...args: unknown[]): Answer => {
    let generator: Iterator<unknown>;
    const open = () => {
      const made = make(inputs.context(host, token, args));
      if (!isGenerator) return made;
      generator = made as Iterator<unknown>;
      return generator.next();
    };
    const finish = (value: unknown) =>
      isGenerator ? host.open(generator, value as IteratorResult<unknown>) : host.table.keep(value);
    return host.answered(token, open, finish);
  };
}

function recover({ classes, statuses }: Source, registry: Registry): Record<string, unknown> {
  const add = (choose: Choice) => registry.add((host) => handling(host, choose));
  return {
    exceptions: classes.length ? add((error) => classes.find(([kind]) => error instanceof kind)?.[1]) : undefined,
    statuses: Object.fromEntries([...statuses].map(([status, handler]) => [status, add(() => handler)])),
  };
}

type Choice = (error: unknown) => ErrorHandler | undefined;

/** Calls the handler of an error, which is told what was thrown, or the same in an `HTTPError`. */
function handling(host: Host, choose: Choice) {
  return (token: Token, exception: Id | null, status: number, document: string, fields: string[]): Answer => {
    const error = exception === null ? told(status, document, fields) : host.table.values[exception];
    const nobody = Symbol("nobody wants it");
    return host.answered(
      token,
      () => {
        const handler = choose(error);
        return handler ? handler(error, host.request(token)) : nobody;
      },
      (result) => (result === nobody ? null : render(host, token, result)),
    );
  };
}

function told(status: number, document: string, fields: string[]): HTTPError {
  const { type, title, detail, status: _, ...extra } = JSON.parse(document) as Record<string, string>;
  const headers = [...Fields.fromFlat(fields)];
  return new HTTPError(status, detail, { headers, extra, ...(type && { type }), ...(title && { title }) });
}
