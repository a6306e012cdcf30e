// What the DSL needs of Node.

import { closeSync, read } from "node:fs";
import { promisify } from "node:util";
import { setPlatform } from "../../js/src/wire.ts";
import { addon } from "./load.ts";

const readPart = promisify(read);

setPlatform({
  worker: (document, names, turn) => new addon.Worker(document, names, turn),
  env: () => process.env,
  readFile: async (descriptor, at, length) => {
    const { buffer, bytesRead } = await readPart(descriptor, Buffer.alloc(length), 0, length, at);
    return buffer.subarray(0, bytesRead);
  },
  closeFile: (descriptor) => closeSync(descriptor),
  log: (message, error) => (error === undefined ? console.error(message) : console.error(message, error)),
});
