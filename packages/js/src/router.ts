// Routes and hooks, of an app or of a part of one.

import { pointElsewhere } from "./elsewhere.ts";
import { checkedNames, checkedStatus, said } from "./errors.ts";
import { type Context, TAKEN, type Taken } from "./inputs.ts";
import { place } from "./place.ts";
import type { Request } from "./request.ts";
import type { MadeResponse, Reply } from "./response.ts";
import type { AnySchema, Infer } from "./schema.ts";
import type { PathParams } from "./template.ts";

/** What is said of a route beside its handler. */
export interface RouteOptions extends Taken {
  /** The schema of the body, or how it is taken as it is. */
  body?: AnySchema | "text" | "bytes";
  /** Which media types are read: JSON or a form unless said. */
  bodyKind?: "json" | "form" | "json-or-form";
  /** A request without a body is no error. */
  bodyOptional?: boolean;
  /** What a success answers in JSON: what it does not name is taken out, and what it refuses is a 500. */
  response?: AnySchema;
  /** The same for the document alone, judged where `validateResponses` is on. */
  responseSchema?: AnySchema;
  /** JSON Schema of other answers, by their status. */
  responses?: Readonly<Record<number, AnySchema>>;
  /** Of results that do not say their own. */
  status?: number;
  /** Dependencies that are made though the handler takes them not. */
  needs?: readonly string[];
  maxBodySize?: number | null;
  /** Seconds until the head of the response. */
  timeout?: number | null;
  cancelOnDisconnect?: boolean;
  assertFormats?: boolean;
  hooks?: Partial<Hooks>;
}

/** What a hook answers in place of the handler; nothing lets the request go on. */
export type HookAnswer<Same> =
  | Reply
  | Response
  | readonly [body: unknown, status: number]
  | Same
  | null
  | undefined
  | void;

/** Every member of `RouteOptions`. */
const OPTIONS = `${TAKEN} body bodyKind bodyOptional response responseSchema responses status needs
  maxBodySize timeout cancelOnDisconnect assertFormats hooks`;

/** The phases, those on the way in first. */
export const PHASES = ["onRequest", "preValidation", "preHandler", "onError", "onResponse"] as const;

/** Whether hooks of this phase take the request. */
export function isIn(phase: keyof Hooks): boolean {
  return phase !== "onError" && phase !== "onResponse";
}

/** A hook on the way in: it answers, or goes on. */
export type RequestHook = (request: Request) => HookAnswer<Request> | PromiseLike<HookAnswer<Request>>;

/** A hook on the way out: it changes the response, or answers another. */
export type ResponseHook = (
  response: MadeResponse,
  request: Request,
) => HookAnswer<MadeResponse> | PromiseLike<HookAnswer<MadeResponse>>;

/** Hooks by their phases. */
export interface Hooks {
  onRequest: RequestHook[];
  preValidation: RequestHook[];
  preHandler: RequestHook[];
  onError: ResponseHook[];
  onResponse: ResponseHook[];
}

/** Turns an error into a result. */
export type ErrorHandler<Thrown = unknown> = (error: Thrown, request: Request) => unknown;

/** A registered route. */
export interface Route {
  method: string;
  path: string;
  options: RouteOptions;
  handler: (context: never) => unknown;
  hooks: Hooks[];
  /** Where it was registered. */
  place: string | undefined;
}

/** What a handler may return: anything, unless the options say what is answered. */
type Returned<Options> = Promised<Answered<Options extends { readonly response: infer S } ? Infer<S> : unknown>>;

type Answered<Value> = Value | Reply | Response | readonly [body: Value, status: number];

type Promised<Value> = Value | PromiseLike<Value>;

/** The path parameters: of the schema that the options name, else of the template. */
type Handler<Options, Path extends string, Deps> = (
  context: Context<Options, PathParams<Path>, Deps>,
) => Returned<Options>;

/** Refuses names in `deps` that nobody provides; of a plain list of texts nothing is known. */
export type Known<Options, Deps> = Options extends { readonly deps: readonly (infer Name)[] }
  ? string extends Name
    ? unknown
    : [Name] extends [keyof Deps]
      ? unknown
      : { readonly deps: readonly (keyof Deps)[] }
  : unknown;

/** Registers routes of one method. */
export interface Verb<Deps, This> {
  <const Path extends string>(path: Path, handler: Handler<Record<never, never>, Path, Deps>): This;
  <const Path extends string, const Options extends RouteOptions>(
    path: Path,
    options: Options & Known<Options, Deps>,
    handler: Handler<Options, Path, Deps>,
  ): This;
}

/** A router in another one, under a further prefix. */
interface Included {
  router: Router<never>;
  prefix: string;
}

function checkedPrefix(prefix: unknown): string {
  if (typeof prefix !== "string") throw new TypeError(`a prefix is text, got ${said(prefix)}`);
  if (prefix && !prefix.startsWith("/")) throw new TypeError(`a prefix begins with a slash, got ${said(prefix)}`);
  return prefix;
}

function checkedHook(phase: keyof Hooks, hook: unknown): unknown {
  if (typeof hook !== "function") throw new TypeError(`${phase}: a hook is a function, got ${said(hook)}`);
  const [most, takes] = isIn(phase) ? [1, "the request"] : [2, "the response and the request"];
  if (hook.length <= most) return hook;
  throw new TypeError(`${phase}: a hook takes ${takes}, and answers by what it returns`);
}

function joined(prefix: string, path: string): string {
  return prefix.replace(/\/+$/, "") + path;
}

/** Routes and hooks under a prefix. */
export class Router<Deps = Record<never, never>> {
  readonly prefix: string;
  readonly #entries: (Route | Included)[] = [];
  protected readonly hooks: Hooks = { onRequest: [], preValidation: [], preHandler: [], onError: [], onResponse: [] };
  /** How many servers run on the routes that there are. */
  #servers = 0;

  constructor(prefix = "") {
    this.prefix = checkedPrefix(prefix);
  }

  readonly get: Verb<Deps, this> = this.#verb("GET");
  readonly post: Verb<Deps, this> = this.#verb("POST");
  readonly put: Verb<Deps, this> = this.#verb("PUT");
  readonly patch: Verb<Deps, this> = this.#verb("PATCH");
  readonly delete: Verb<Deps, this> = this.#verb("DELETE");
  readonly head: Verb<Deps, this> = this.#verb("HEAD");
  readonly options: Verb<Deps, this> = this.#verb("OPTIONS");
  readonly trace: Verb<Deps, this> = this.#verb("TRACE");

  /** Registers a route of several methods. */
  route<const Path extends string>(
    methods: string | readonly string[],
    path: Path,
    handler: Handler<Record<never, never>, Path, Deps>,
  ): this;
  route<const Path extends string, const Options extends RouteOptions>(
    methods: string | readonly string[],
    path: Path,
    options: Options & Known<Options, Deps>,
    handler: Handler<Options, Path, Deps>,
  ): this;
  route(methods: string | readonly string[], path: string, ...rest: unknown[]): this {
    for (const method of [methods].flat() as string[]) this.#verb(method.toUpperCase())(path, ...(rest as [never]));
    return this;
  }

  #verb(method: string): Verb<Deps, this> {
    return (path: string, ...rest: unknown[]) => {
      const [options, handler] = (rest.length > 1 ? rest : [{}, rest[0]]) as [RouteOptions, Route["handler"]];
      if (typeof path !== "string") throw new TypeError(`a path is text, got ${said(path)}`);
      if (rest.length > 2 || options?.constructor !== Object)
        throw new TypeError(
          `${method} ${path}: one handler, behind options at most: what guards it is a hook, or in deps`,
        );
      return this.#add(method, path, options, handler);
    };
  }

  #add(method: string, path: string, options: RouteOptions, handler: Route["handler"]): this {
    if (typeof handler !== "function") throw new TypeError(`${method} ${path}: a handler is a function`);
    checkedNames(`the route ${method} ${path}`, options, OPTIONS);
    checkedNames(`the object of hooks of ${method} ${path}`, options.hooks, PHASES.join(" "));
    for (const phase of PHASES) for (const hook of [options.hooks?.[phase] ?? []].flat()) checkedHook(phase, hook);
    if (options.status !== undefined) checkedStatus(options.status);
    this.#inTime(`${method} ${path}`);
    if (handler.length > 1)
      throw new TypeError(`${method} ${path}: a handler takes one object, ({ params, body }), and returns its answer`);
    this.#entries.push({ method, path, options, handler, hooks: [], place: place() });
    return this;
  }

  /**
   * Takes the routes of another over, those that it gets later too, under a further prefix; doing it again changes nothing.
   * Its hooks run after those of this one.
   */
  include<Needed>(router: Router<Needed> & (Deps extends Needed ? unknown : never), prefix = ""): this {
    const taken = router as unknown as Router<never>;
    if (!(taken instanceof Router)) throw new TypeError(`include takes a Router, got ${said(taken)}`);
    if ("provide" in taken)
      throw new TypeError(
        "include takes a Router, got an app: what it provides and how it is configured would be lost",
      );
    checkedPrefix(prefix);
    this.#inTime("include");
    const self = this as unknown as Router<never>;
    if (taken === self || taken.#holds(self)) throw new TypeError("a router cannot include itself");
    const isKnown = this.#included().some((known) => known.router === taken && known.prefix === prefix);
    if (!isKnown) this.#entries.push({ router: taken, prefix });
    return this;
  }

  #included(): Included[] {
    return this.#entries.filter((entry) => "router" in entry);
  }

  #holds(other: Router<never>): boolean {
    return this.#included().some(({ router }) => router === other || router.#holds(other));
  }

  /** Every route in the order of registration, with the hooks of the routers that it lies in. */
  protected flattened(above = "", hooks: Hooks[] = []): Route[] {
    const prefix = joined(above, this.prefix);
    return this.#entries.flatMap((entry) =>
      "router" in entry
        ? entry.router.flattened(joined(prefix, entry.prefix), [...hooks, entry.router.hooks])
        : { ...entry, path: joined(prefix, entry.path), hooks },
    );
  }

  /** A server more, or one less, runs on these routes: what comes while there is one is refused, since none would know it. */
  protected served(change: 1 | -1): void {
    this.#servers += change;
    for (const { router } of this.#included()) router.served(change);
  }

  #inTime(what: string): void {
    if (this.#servers > 0) throw new Error(`${what} comes too late: the server runs, and would not know it`);
  }

  #hook<Phase extends keyof Hooks>(phase: Phase): (hook: Hooks[Phase][number]) => this {
    return (hook) => {
      (this.hooks[phase] as unknown[]).push(checkedHook(phase, hook));
      return this;
    };
  }

  /** On the head of every request. */
  readonly onRequest = this.#hook("onRequest");
  /** On the head, before the body is read. */
  readonly preValidation = this.#hook("preValidation");
  /** When everything has been read and accepted. */
  readonly preHandler = this.#hook("preHandler");
  /** For a response of 500 and above that was made from an error. */
  readonly onError = this.#hook("onError");
  /** For every response. */
  readonly onResponse = this.#hook("onResponse");
}

pointElsewhere(Router.prototype);

export type { Infer };
