// Serving an app as a program does: the signals, the drain, and the processes.

import type { Spikard as App } from "../../js/src/app.ts";
import { layers } from "../../js/src/compile.ts";
import type { Config } from "../../js/src/config.ts";
import { ListenError, SpecError } from "../../js/src/errors.ts";
import { trimmed } from "../../js/src/place.ts";
import { Server } from "../../js/src/server.ts";
import { addon, resolve } from "./load.ts";
import * as processes from "./processes.ts";

/**
 * Serves until SIGINT or SIGTERM, then finishes the requests in flight. A second signal, or user code that does not end
 * in time, end the program with the status 1.
 */
export async function run(app: App<never>, config: Config = {}): Promise<void> {
  try {
    await serve(app, config);
  } catch (fault) {
    // It says what and where: a stack would only show our own code.
    if (fault instanceof SpecError || fault instanceof ListenError) console.error(`Spikard: ${fault.message}`);
    else if (app.life) console.error(`Spikard: ${app.life} failed:`, trimmed(fault));
    else throw fault;
    process.exit(1);
  }
}

async function serve(app: App<never>, config: Config): Promise<void> {
  if (!processes.isTurn()) return new Promise(() => undefined);
  const said = JSON.stringify(layers({ ...app.config }, { ...config }));
  const [applies, isSupervised] = resolve(said);
  if (processes.assigned === undefined && isSupervised) return processes.supervise(said, JSON.parse(applies).reload);
  const server = await Server.open(app, config, processes.assigned?.text);
  let signals = 0;
  const stop = () => {
    signals += 1;
    if (signals === 1 || processes.assigned === undefined) void server.close();
  };
  const hasGone = processes.terminal();
  const hangUp = () => {
    if (hasGone()) stop();
    else console.error("Spikard: SIGHUP is ignored: it replaces workers, and without a supervisor there are none");
  };
  const isAlone = processes.assigned === undefined;
  await processes.hearing({ SIGINT: stop, SIGTERM: stop, ...(isAlone && { SIGHUP: hangUp }) }, async () => {
    // Whoever reads it may send a signal at once.
    if (isAlone) console.error(addon.banner(said, server.location));
    const { connections, inFlight, givenUp } = await server.ended;
    const remains = inFlight ? [`${inFlight} request${inFlight === 1 ? "" : "s"}`] : [];
    if (givenUp) remains.push("the shut-down");
    const when = signals > 1 ? "at the second signal" : `after ${server.patience} s`;
    if (remains.length) console.error(`Spikard: ${remains.join(", ")} given up ${when}`);
    // What was given up may hold the program: a timer, a pool of connections.
    if (connections || remains.length || signals > 1) process.exit(1);
  });
}
