// Hooks and error handlers of a case.

import { setTimeout as sleep } from "node:timers/promises";
import type { ErrorHandler, MadeResponse, Request, RouteOptions, Spikard } from "@spikard/node";
import { raised, respond, run, type Scene, type Words } from "./script.ts";

const PHASES: Record<string, "onRequest" | "preValidation" | "preHandler" | "onError" | "onResponse"> = {
  on_request: "onRequest",
  pre_validation: "preValidation",
  pre_handler: "preHandler",
  on_error: "onError",
  on_response: "onResponse",
};

/** The app's. */
export function addHooks(app: Spikard<any>, spec: Words, scene: Scene): void {
  for (const [place, hook] of (spec["hooks"] ?? []).entries()) app[PHASES[hook.on]!](hookOf(hook.script, place));
  for (const handler of spec["recover"] ?? []) app.handleError(handler.status, errorHandler(handler.script, scene));
}

/** A route's own, as an option. */
export function hooksOf(route: Words): RouteOptions["hooks"] {
  const found: Record<string, unknown[]> = {};
  for (const [place, hook] of (route["hooks"] ?? []).entries()) {
    const phase = PHASES[hook.on]!;
    found[phase] = [...(found[phase] ?? []), hookOf(hook.script, place)];
  }
  return found as RouteOptions["hooks"];
}

/** Asynchronous ones and others take turns. */
function hookOf(words: Words, place: number): (given: any) => any {
  if (place % 3 === 0 || "sleep" in words) {
    return async (given) => {
      const pause = words["sleep"];
      await sleep((pause?.seconds ?? 0) * 1000);
      return act(pause?.then ?? words, given);
    };
  }
  return (given) => act(words, given);
}

function act(words: Words, given: Request | MadeResponse): unknown {
  const [[word, about]] = Object.entries(words) as [[string, any]];
  if (word === "short_circuit") return respond({ status: 200, ...about });
  if (word === "return") return "status" in about ? [about.value, about.status] : about.value;
  if (word === "raise") throw raised(about);
  if (word === "mutate") change(given, about);
  return undefined;
}

function change(given: any, { headers = [], append = [], remove = [], query, state = {}, body, status }: Words): void {
  for (const [name, value] of headers) given.headers.set(name, value);
  for (const [name, value] of append) given.headers.append(name, value);
  for (const name of remove) given.headers.delete(name);
  if (query) {
    for (const name of [...given.query.keys()]) given.query.delete(name);
    for (const [name, value] of query) given.query.append(name, value);
  }
  if (given.state) Object.assign(given.state, state);
  if (body !== undefined) {
    if ("setBody" in given) given.setBody(JSON.stringify(body));
    else given.body = body;
  }
  if (status !== undefined) given.status = status;
}

/** The handler of one status; it receives the error's status and what it says. */
function errorHandler(words: Words, scene: Scene): ErrorHandler {
  return (error: any, request) => {
    const received = { status: error.status ?? 500, detail: error.detail ?? null };
    return run(words, received, scene, (work) => request.background(work));
  };
}
