// Every `ts` block of the documents is typed, and runs as a program of its own with the built package.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { test } from "node:test";
import { transformSync } from "esbuild";

const ROOT = join(import.meta.dirname, "../../..");
const PACKAGE = join(ROOT, "packages/node");
const FOLDER = join(PACKAGE, "dist-tests/blocks");

function documents(): string[] {
  const pages = readdirSync(join(ROOT, "docs"), { recursive: true }).map((name) => join(ROOT, "docs", String(name)));
  return [join(ROOT, "README.md"), join(PACKAGE, "README.md"), ...pages.filter((name) => name.endsWith(".md"))];
}

/** The blocks, the indentation of a list or a tab taken off. */
function blocks(): { place: string; text: string }[] {
  return documents().flatMap((page) => {
    const found = [...readFileSync(page, "utf8").matchAll(/^( *)```ts\n(.*?)^\1```$/gms)];
    const name = relative(ROOT, page).replace(/\W+/g, "-");
    return found.map(([, indent = "", text = ""], at) => ({
      place: `${name}-${at + 1}`,
      text: text.replace(new RegExp(`^${indent}`, "gm"), ""),
    }));
  });
}

const all = blocks();
rmSync(FOLDER, { recursive: true, force: true });
mkdirSync(FOLDER, { recursive: true });
// What serves until a signal comes is only typed.
const once = (text: string) => text.replace(/^await app\.run\(.*$/gm, "");
for (const { place, text } of all) {
  writeFileSync(join(FOLDER, `${place}.ts`), `${text}\nexport {};\n`);
  writeFileSync(join(FOLDER, `${place}.mjs`), transformSync(once(text), { loader: "ts", target: "node20" }).code);
}
// As strict as `strict` is: the rest is this house's.
const compilerOptions = { noPropertyAccessFromIndexSignature: false, noUnusedLocals: false, noUnusedParameters: false };
const extended = { extends: "../../tsconfig.json", compilerOptions, include: ["*.ts"] };
writeFileSync(join(FOLDER, "tsconfig.json"), JSON.stringify(extended));

test("the blocks are typed", () => {
  assert.ok(all.length >= 3);
  try {
    execFileSync(process.execPath, [join(PACKAGE, "node_modules/typescript/bin/tsc"), "-p", FOLDER], {
      encoding: "utf8",
    });
  } catch (error) {
    assert.fail((error as { stdout: string }).stdout);
  }
});

for (const { place } of all) {
  test(`${place} runs`, () => {
    execFileSync(process.execPath, [join(FOLDER, `${place}.mjs`)], { encoding: "utf8", timeout: 20_000 });
  });
}
