// What other frameworks have under a name that is not here, and what to write instead.

const HOOK = "write a hook: app.onRequest(…) or app.onResponse(…)";
const TEST = "write new TestClient(app)";
const SAID: Record<string, string> = {
  use: `${HOOK}; a Router goes into app.include(router, prefix)`,
  addHook: HOOK,
  register: "write app.include(router, prefix) or app.provide(name, value)",
  mount: "write app.include(router, prefix)",
  basePath: "write new Router(prefix)",
  all: "write app.route([…methods], path, handler)",
  on: "write app.route([…methods], path, handler)",
  decorate: "write app.provide(name, value)",
  decorateRequest: "set what you need on request.state in a hook",
  setErrorHandler: "write app.handleError(Error, handler)",
  setNotFoundHandler: "write app.handleError(404, handler)",
  notFound: "write app.handleError(404, handler)",
  set: "write new Spikard({ … })",
  inject: TEST,
  request: TEST,
  ready: "write await app.listen(), or await client.open() of a TestClient",
  ws: "websockets are not there yet",
};

/** Names that are not here say so when they are called. */
export function pointElsewhere(prototype: object): void {
  for (const [name, words] of Object.entries(SAID)) {
    const value = () => {
      throw new TypeError(`there is no ${name}: ${words}`);
    };
    Object.defineProperty(prototype, name, { value, configurable: true, writable: true });
  }
}
