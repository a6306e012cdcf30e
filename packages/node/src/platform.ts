// What the DSL needs of Node.

import { AsyncLocalStorage, AsyncResource } from "node:async_hooks";
import { closeSync, read } from "node:fs";
import { promisify } from "node:util";
import { type Surroundings, setPlatform } from "../../js/src/wire.ts";
import { addon, resolve } from "./load.ts";
import { run } from "./run.ts";

const readPart = promisify(read);
const owners = new AsyncLocalStorage<unknown>();
const made = () => new AsyncResource("SPIKARD_REQUEST", { requireManualDestroy: true });

/** Whether what `enterWith` sets stays with the resource, as before Node 24; else it goes with what is called. */
function staysWithResource(): boolean {
  const [storage, resource] = [new AsyncLocalStorage<boolean>(), made()];
  resource.runInAsyncScope(() => storage.enterWith(true));
  const stays = resource.runInAsyncScope(() => storage.getStore()) === true;
  storage.disable();
  return stays;
}

const stays = staysWithResource();

/** An async resource, so that no storage of one request is seen in another; each call begins with what the one before has left. */
class Around implements Surroundings {
  #latest: AsyncResource;

  constructor(owner: unknown) {
    this.#latest = owners.run(owner, made);
  }

  run<Made>(work: () => Made): Made {
    if (stays) return this.#latest.runInAsyncScope(work);
    return this.#latest.runInAsyncScope(() => {
      try {
        return work();
      } finally {
        this.#latest = made();
      }
    });
  }
}

/** Open files that are being read. Each is closed behind its last read: its number may be another file's then. */
const reading = new Map<number, { reads: number; isLeft: boolean }>();

async function readFile(descriptor: number, at: number, length: number): Promise<Uint8Array> {
  const file = reading.get(descriptor) ?? { reads: 0, isLeft: false };
  reading.set(descriptor, file);
  file.reads += 1;
  try {
    const { buffer, bytesRead } = await readPart(descriptor, Buffer.alloc(length), 0, length, at);
    return buffer.subarray(0, bytesRead);
  } finally {
    file.reads -= 1;
    if (file.reads === 0) {
      reading.delete(descriptor);
      if (file.isLeft) closeSync(descriptor);
    }
  }
}

function closeFile(descriptor: number): void {
  const file = reading.get(descriptor);
  if (file) file.isLeft = true;
  else closeSync(descriptor);
}

// Programs of other engines name Node's version too, and run no libuv.
const onLoop = !("bun" in process.versions || "deno" in process.versions);

setPlatform({
  worker: (document, names, turn) => new addon.Worker(document, names, turn, onLoop),
  resolve,
  run,
  surroundings: (owner) => new Around(owner),
  owner: () => owners.getStore(),
  bound: (work) => AsyncResource.bind(work),
  env: () => process.env,
  readFile,
  closeFile,
  setCookie: addon.setCookie,
  log: (message, error) => (error === undefined ? console.error(message) : console.error(message, error)),
});
