// @spikard/node: the DSL, served by the add-on.

import "./platform.ts";

export * from "../../js/src/index.ts";
