// Serves the quick start's app until Ctrl-C.

import { app } from "./app.ts";

await app.run({ port: 8000 });
