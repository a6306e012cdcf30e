// Bundles the package into dist/esm and dist/cjs, each with its types, and its tests, where they are asked for, into
// dist-tests/. Names the add-on that it puts beside them: `node build.mjs --addon FILE --types --tests`.

import { execFileSync } from "node:child_process";
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { build } from "esbuild";

const switches = { addon: { type: "string" }, types: { type: "boolean" }, tests: { type: "boolean" } };
const { addon, types, tests } = parseArgs({ options: switches }).values;
const common = { bundle: true, platform: "node", target: "node20", logLevel: "warning", sourcemap: true };

async function bundle(format, kind) {
  const banner = { js: format === "esm" ? "const __dirname = import.meta.dirname;" : "" };
  await build({ ...common, entryPoints: ["src/index.ts"], outfile: `dist/${format}/index.js`, format, banner });
  writeFileSync(`dist/${format}/package.json`, `${JSON.stringify({ type: kind })}\n`);
}

/** The declarations import each other by the names of their sources, which are not there. */
function declare() {
  rmSync("dist/types", { recursive: true, force: true });
  execFileSync(process.execPath, ["node_modules/typescript/bin/tsc", "-p", "tsconfig.types.json"], {
    stdio: "inherit",
  });
  for (const name of readdirSync("dist/types", { recursive: true }).filter((each) => each.endsWith(".d.ts"))) {
    const text = readFileSync(join("dist/types", name), "utf8");
    writeFileSync(join("dist/types", name), text.replaceAll(/(from |import |import\()"(\.[^"]+)\.ts"/g, '$1"$2.js"'));
  }
  for (const format of ["esm", "cjs"]) {
    rmSync(`dist/${format}/types`, { recursive: true, force: true });
    cpSync("dist/types", `dist/${format}/types`, { recursive: true });
  }
  rmSync("dist/types", { recursive: true });
}

await bundle("esm", "module");
await bundle("cjs", "commonjs");
if (addon) {
  mkdirSync("dist", { recursive: true });
  // A process that runs has the old one open: it is replaced, not written into.
  copyFileSync(addon, "dist/spikard.node.new");
  renameSync("dist/spikard.node.new", "dist/spikard.node");
}
if (types) declare();
if (tests) {
  rmSync("dist-tests", { recursive: true, force: true });
  const found = readdirSync("tests", { recursive: true }).filter((name) => name.endsWith(".test.ts"));
  const own = found.map((name) => ({ in: join("tests", name), out: name.replace(/\.ts$/, "") }));
  const examples = readdirSync("../../examples").filter((name) => existsSync(`../../examples/${name}/node`));
  const parts = examples.flatMap((name) =>
    ["app.test", "main"].map((part) => ({
      in: `../../examples/${name}/node/${part}.ts`,
      out: `examples/${name}/${part}`,
    })),
  );
  for (const name of examples) {
    const migrations = `../../examples/${name}/node/migrations`;
    if (existsSync(migrations)) cpSync(migrations, `dist-tests/examples/${name}/migrations`, { recursive: true });
  }
  const external = { external: ["@spikard/node"], packages: "external" };
  await build({ ...common, ...external, entryPoints: [...own, ...parts], outdir: "dist-tests", format: "esm" });
}
