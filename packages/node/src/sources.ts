// The source files of a program that is being written.

import { lstatSync, readdirSync, watch } from "node:fs";
import { homedir } from "node:os";
import { basename, dirname, join, parse, relative, resolve, sep } from "node:path";

const SOURCE = /\.([cm]?[jt]s|[jt]sx|json)$/;
/** An editor writes a file in several steps. */
const MOMENT = 50;

/** Calls back when a source file has changed below the program's folder, or below the one where it was started. */
export function followSources(program: string, here: string, replace: () => void): void {
  const changed = new Set<string>();
  const tell = () => {
    console.error(`Spikard: ${[...changed].sort().join(", ")} changed, the workers are replaced`);
    changed.clear();
    replace();
  };
  const told = (file: string) => {
    if (changed.size === 0) setTimeout(tell, MOMENT).unref();
    changed.add(relative(here, file));
  };
  const follow = (folder: string) => {
    // What is not persistent does not keep the program alive.
    const watcher = watch(folder, { persistent: false }, (event, name) => {
      if (name !== null && SOURCE.test(name)) told(join(folder, name));
      else if (name !== null && event === "rename") within(join(folder, name));
    });
    watcher.on("error", () => watcher.close());
    for (const name of readdirSync(folder)) within(join(folder, name));
  };
  const within = (path: string) => {
    const isPassed = /^\.|^node_modules$/.test(basename(path));
    try {
      if (!isPassed && lstatSync(path).isDirectory()) follow(path);
    } catch {
      // It is gone, or nobody else may read it.
    }
  };
  const main = dirname(resolve(here, program));
  const isAll = [homedir(), parse(here).root].includes(here);
  if (!isAll) follow(here);
  if (isAll || !`${main}${sep}`.startsWith(`${here}${sep}`)) follow(main);
}
