// Serves the books until Ctrl-C.

import { app } from "./app.ts";

await app.run();
