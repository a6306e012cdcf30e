// What the DSL needs of Node.

import { closeSync, read } from "node:fs";
import { promisify } from "node:util";
import { setPlatform } from "../../js/src/wire.ts";
import { addon } from "./load.ts";

const readPart = promisify(read);

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

setPlatform({
  worker: (document, names, turn) => new addon.Worker(document, names, turn),
  env: () => process.env,
  readFile,
  closeFile,
  log: (message, error) => (error === undefined ? console.error(message) : console.error(message, error)),
});
