// @spikard/node: the DSL, served by the add-on.

import "./platform.ts";
import { Spikard as App } from "../../js/src/app.ts";
import type { Config } from "../../js/src/config.ts";
import { run, Server } from "./server.ts";

export * from "../../js/src/index.ts";
export { type Drained, Server } from "./server.ts";

/** An app: routes, hooks, dependencies and their configuration. */
export class Spikard<Deps = Record<never, never>> extends App<Deps> {
  /** Listens, and answers the server. */
  listen(config: Config = {}): Promise<Server> {
    return Server.open(this as unknown as App<never>, config);
  }

  /** Serves until SIGINT or SIGTERM, then finishes the requests in flight. */
  run(config: Config = {}): Promise<void> {
    return run(this as unknown as App<never>, config);
  }
}
